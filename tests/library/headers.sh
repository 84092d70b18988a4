#!/bin/sh
# Every public header compiles alone, as C11, C++17 and C++20, without a warning, and its
# *_INIT values are values in C++20, too.   tests/library/headers.sh CC CXX
set -eu
cd "$(dirname "$0")/../.."
cc=$1 cxx=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
warn='-Wall -Wextra -Wpedantic -Werror -Wno-missing-field-initializers -Iinclude'
for header in include/winnow/*.h; do
    echo "#include \"${header#include/}\"" >"$work/one"
    for language in "$cc -std=c11 -x c" "$cxx -std=c++17 -x c++" "$cxx -std=c++20 -x c++"; do
        # shellcheck disable=SC2086
        $language $warn -fsyntax-only "$work/one" || { echo "$header: not with $language"; exit 1; }
    done
done
# Sizes of the values, once as C and once as C++: the same, or the two read different structs.
{
    for header in include/winnow/*.h; do
        echo "#include \"${header#include/}\""
    done
    echo '#include <stdio.h>'
    echo 'int main(void) {'
    sed -n 's/^#define \(WINNOW_\([A-Z_]*\)_OPTIONS_INIT\).*/\1 \2/p' include/winnow/*.h |
        while read -r init name; do
            type=winnow_$(echo "$name" | tr '[:upper:]' '[:lower:]')_options
            printf '{ struct %s v = %s; printf("%s %%zu\\n", sizeof v); (void)v; }\n' "$type" "$init" "$type"
        done
    echo 'return 0; }'
} >"$work/init"
# shellcheck disable=SC2086
$cc -std=c11 $warn -x c -o "$work/c" "$work/init"
# shellcheck disable=SC2086
$cxx -std=c++20 $warn -x c++ -o "$work/cxx" "$work/init"
"$work/c" >"$work/c.txt"
"$work/cxx" | diff "$work/c.txt" -
lines=$(wc -l <"$work/c.txt")
[ "$lines" -ge 15 ] || { echo "only $lines *_INIT values were found"; exit 1; }
echo "headers: all compile alone in C11, C++17 and C++20; $lines INIT values in C and C++"
