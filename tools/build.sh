#!/bin/sh
# Configures and builds a preset, quietly: prints what the compiler says only
# when something is wrong.   tools/build.sh PRESET [TARGET...]
set -eu
cd "$(dirname "$0")/.."
preset=$1
shift
log=build/$preset.log
mkdir -p build
start=$(date +%s)
if ! { cmake --preset "$preset" && cmake --build --preset "$preset" ${1:+--target "$@"}; } >"$log" 2>&1; then
    grep -E 'error|warning|Error|FAILED' -A 3 "$log" | head -n 40 >&2
    echo "the build failed; the whole log is in $log" >&2
    exit 1
fi
echo "built build/$preset in $(($(date +%s) - start)) s"
