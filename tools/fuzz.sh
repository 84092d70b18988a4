#!/bin/sh
# Fuzzes every target, one after the other, SECONDS each; new inputs stay in
# build/fuzz-corpus, findings in build/fuzz-findings.
#   tools/fuzz.sh SECONDS [TARGET...]
set -eu
cd "$(dirname "$0")/.."
seconds=$1
shift
tools/build.sh fuzz
# shellcheck disable=SC2046  # nor do target names
[ $# -gt 0 ] || set -- $(find build/fuzz -maxdepth 1 -name 'fuzz_*' -type f -perm -u+x -printf '%f\n' | sed 's/^fuzz_//' | sort)
mkdir -p build/fuzz-findings
failed=0
for target in "$@"; do
    mkdir -p "build/fuzz-corpus/$target"
    if "build/fuzz/fuzz_$target" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=4096 \
        -artifact_prefix="build/fuzz-findings/$target-" "build/fuzz-corpus/$target" \
        "tests/fuzz/corpus/$target" >"build/fuzz-findings/$target.log" 2>&1; then
        echo "$target: clean, $(grep -c '' <"build/fuzz-findings/$target.log") log lines, $(sed -n 's/^Done \([0-9]*\) runs.*/\1/p' "build/fuzz-findings/$target.log") runs"
    else
        echo "$target: FOUND something; see build/fuzz-findings/$target.log"
        failed=1
    fi
done
exit $failed
