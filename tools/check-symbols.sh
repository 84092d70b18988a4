#!/bin/sh
# The installed libraries show what the public headers declare, nothing more and nothing less.
#   tools/check-symbols.sh LIBWINNOW.A LIBWINNOW.SO
set -eu
cd "$(dirname "$0")/.."
declared=$(cat include/winnow/*.h | tr '\n' ' ' |
    grep -oE 'WINNOW_API [^;(]*\(' | grep -oE 'winnow_[a-z0-9_]+\($' | tr -d '(' | sort -u)
for library in "$@"; do
    case $library in
    *.a) how= ;;
    *) how=-D ;;
    esac
    # shellcheck disable=SC2086
    names=$(nm -g $how --defined-only "$library" | awk 'NF == 3 { print $3 }' | sort -u)
    if [ "$names" != "$declared" ]; then
        echo "$library: shown but not declared (<), declared but not shown (>):"
        mkdir -p build
        printf '%s\n' "$names" >build/symbols.shown
        printf '%s\n' "$declared" | diff build/symbols.shown - | grep '^[<>]' | head -n 20
        exit 1
    fi
    echo "symbols: $library shows $(printf '%s\n' "$names" | grep -c .), all declared"
done
