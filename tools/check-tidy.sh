#!/bin/sh
# clang-tidy over every source file, one process a file (with several, version
# 14 reports va_lists that are fine).  The kernels are one text compiled for
# several vector widths by macros, which it does not read well: left out.
# Exit 77: no clang-tidy here.
# Nine tenths of the time are the static analyzer's, which by default looks at 225,000
# states of a function; the first 40,000 of them take a fifth of that time.  --deep looks at all.
#   tools/check-tidy.sh [--deep] [BUILD_DIR [FILE...]]
set -eu
cd "$(dirname "$0")/.."
states=40000
[ "${1:-}" != --deep ] || { states=225000; shift; }
build=${1:-build/release}
[ $# -gt 0 ] && shift
command -v clang-tidy >/dev/null || { echo 'skipped: no clang-tidy'; exit 77; }
# What a build leaves out because its library is missing cannot be read; its stand-in *_none.c can.
built() {
    while read -r file; do
        case $file in
        *_none.c) echo "$file" ;;
        *) ! grep -q "$file\"" "$build/compile_commands.json" || echo "$file" ;;
        esac
    done
}
# shellcheck disable=SC2046  # names in src/ hold no blanks
[ $# -gt 0 ] || set -- $(find src -name '*.c' ! -path 'src/math/kernels_*' | sort | built)
printf '%s\n' "$@" | xargs -P "$(nproc)" -n 1 clang-tidy -p "$build" --quiet \
    --extra-arg=-Xclang --extra-arg=-analyzer-config --extra-arg=-Xclang --extra-arg=max-nodes=$states \
    2>/dev/null
echo "tidy: $# files ok"
