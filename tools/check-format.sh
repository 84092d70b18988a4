#!/bin/sh
# Every source file is as clang-format writes it.  Exit 77: no clang-format here.
set -eu
cd "$(dirname "$0")/.."
command -v clang-format >/dev/null || { echo 'skipped: no clang-format'; exit 77; }
find src include tests bench -name '*.[ch]' -o -name '*.cc' | xargs clang-format --dry-run -Werror
echo 'format: ok'
