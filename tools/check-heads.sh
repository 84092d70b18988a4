#!/bin/sh
# Every source file begins with "/* its name -- what it is for".
set -eu
cd "$(dirname "$0")/.."
bad=0
for file in $(find src include \( -name '*.c' -o -name '*.h' -o -name '*.cc' \) | sort); do
    read -r first <"$file"
    case "$first" in
    "/* ${file##*/} -- "?*) ;;
    *) echo "$file: its first line is not \"/* ${file##*/} -- what it is for\""; bad=1 ;;
    esac
done
[ "$bad" -ne 0 ] || echo 'heads: ok'
exit "$bad"
