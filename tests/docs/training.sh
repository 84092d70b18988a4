#!/bin/sh
# training.sh PROGRAM: every command of docs/training.md runs, on a small corpus and with small
# models.
set -eu
bin=$(readlink -f "$1")
here=$(cd "$(dirname "$0")" && pwd)
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
cd "$dir"
mkdir corpus
"$here/../support/words.sh" 160 >corpus/c.jsonl
small='-q --vocab 300 --dim 16 --heads 2 --layers 1 --context 32 --batch-tokens 128 --threads 1'
winnow() {
    command=$1; shift
    case $command in
    prove) "$bin" prove $small --tokens 6k --seeds 2 --eval-tokens 1k --cloze-items 0 --clean-rules none "$@" ;;
    features | select) "$bin" "$command" -q --threads 1 "$@" ;;
    *) "$bin" "$command" $small "$@" ;;
    esac
}
grep '^    winnow ' "$here/../../docs/training.md" >commands
[ "$(wc -l <commands)" -ge 7 ]
while read -r line; do
    eval "$line" >out 2>&1 || { echo "fails: $line"; cat out; exit 1; }
done <commands
grep -q '"name": "lfr"' models/lfr/training.json
grep -q '"name": "resample", "draws": 1[0-9], .*"by_weights": true' models/few/training.json
[ -s models/lfr/blocks/values.jsonl ]
grep -q "Blocks: of the" runs/focus/results.json
grep -q 'Repetition' runs/often/results.json
