#!/bin/sh
# The installed library shows only winnow_* names.   tools/check-symbols.sh LIBWINNOW.A
set -eu
names=$(nm -g --defined-only "$1" | awk 'NF == 3 { print $3 }')
foreign=$(printf '%s\n' "$names" | grep -v '^winnow_' || true)
if [ -n "$foreign" ]; then
    echo "not ours to export:"
    printf '%s\n' "$foreign" | head -n 20
    exit 1
fi
echo "symbols: $(printf '%s\n' "$names" | grep -c . || true) exported, all winnow_*"
