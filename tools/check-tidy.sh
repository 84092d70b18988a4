#!/bin/sh
# clang-tidy over every source file, one process a file (with several, version
# 14 reports va_lists that are fine).  The kernels are one text compiled for
# several vector widths by macros, which it does not read well: left out.
# Exit 77: no clang-tidy here.
#   tools/check-tidy.sh [BUILD_DIR [FILE...]]
set -eu
cd "$(dirname "$0")/.."
build=${1:-build/release}
[ $# -gt 0 ] && shift
command -v clang-tidy >/dev/null || { echo 'skipped: no clang-tidy'; exit 77; }
# shellcheck disable=SC2046  # names in src/ hold no blanks
[ $# -gt 0 ] || set -- $(find src -name '*.c' ! -path 'src/math/kernels_*' | sort)
printf '%s\n' "$@" | xargs -P "$(nproc)" -n 1 clang-tidy -p "$build" --quiet 2>/dev/null
echo "tidy: $# files ok"
