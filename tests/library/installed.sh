#!/bin/sh
# What is installed works from outside the tree, wherever the installed tree is moved to: by
# pkg-config with the shared and the static library, and by find_package().
#   tests/library/installed.sh BUILD CC
set -eu
build=$(readlink -f "$1") cc=$2
source=$(cd "$(dirname "$0")/../.." && pwd)
for tool in cmake pkg-config; do
    command -v "$tool" >/dev/null || { echo "skipped: no $tool"; exit 77; }
done
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cmake --install "$build" --prefix "$work/first" >/dev/null
mv "$work/first" "$work/here"
cp -r "$source/examples" "$work/examples" # nothing of the tree is beside them
cd "$work"
pc=$(find here -name winnow.pc)
PKG_CONFIG_PATH=$work/$(dirname "$pc")
export PKG_CONFIG_PATH
lib=$(pkg-config --variable=libdir winnow)
[ "$(pkg-config --modversion winnow)" = "$(here/bin/winnow --version | cut -d' ' -f2)" ]

# Manual pages of every command, and completions that know commands, options and values.
here/bin/winnow help --json | sed -n 's/^    "command": "\(.*\)",/\1/p' | tr ' ' '-' | while read -r command; do
    zcat "here/share/man/man1/winnow-$command.1.gz" | grep -q '^\.SH OPTIONS' || { echo "no manual of $command"; exit 1; }
done
completes() { # LINE WORD: WORD is among what bash offers behind LINE
    bash -c '. here/share/bash-completion/completions/winnow
        read -ra COMP_WORDS <<<"$1"; [[ $1 == *" " ]] && COMP_WORDS+=(""); COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
        _winnow; printf "%s\n" "${COMPREPLY[@]}"' _ "$1" | grep -qx -e "$2" || { echo "'$1' is not completed to $2"; exit 1; }
}
if command -v bash >/dev/null; then
    completes 'winnow pru' prune
    completes 'winnow prune --cri' --criterion
    completes 'winnow prune --criterion ' medium
    completes 'winnow tokenizer ' train
    completes 'winnow quality train --agai' --against
fi

mkdir shared static
for file in examples/*.c; do
    name=$(basename "$file" .c)
    # shellcheck disable=SC2046
    "$cc" -std=c11 -Wall -Wextra -Werror -o "shared/$name" "$file" $(pkg-config --cflags --libs winnow) -lm
done
name=measure_rules # statically one is enough: it is all one object
# shellcheck disable=SC2046
"$cc" -std=c11 -o static/$name examples/$name.c $(pkg-config --cflags --libs winnow-static)
readelf -d static/$name | grep -q 'NEEDED.*libwinnow' && { echo "winnow-static links the shared library"; exit 1; }
echo 'Too short a text.' | static/$name | grep -q '^removed by gopher.words_min'
readelf -d shared/$name | grep -q 'NEEDED.*libwinnow\.so\.[0-9]*\.[0-9]*\]' ||
    { echo "the shared library has no version in its name"; exit 1; }
LD_LIBRARY_PATH=$lib "$source/tests/library/examples.sh" here/bin/winnow shared

cmake -S examples -B with-cmake -DCMAKE_PREFIX_PATH="$work/here" -DCMAKE_C_COMPILER="$cc" >log 2>&1 ||
    { cat log; exit 1; }
cmake --build with-cmake >log 2>&1 || { cat log; exit 1; }
echo 'Too short a text.' | with-cmake/$name | grep -q '^removed by gopher.words_min'
echo "installed: pkg-config, static and CMake build and run the examples"
