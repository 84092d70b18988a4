#!/bin/sh
# study.sh PROGRAM: every command of docs/study.md runs, on a small corpus, and the report has both
# questions in one section.
set -eu
bin=$(readlink -f "$1")
here=$(cd "$(dirname "$0")" && pwd)
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
cd "$dir"
mkdir corpus
awk 'BEGIN { for (i = 0; i < 120; i++) { c = i % 5; t = "page " i "."
  if (i < 40) printf "{\"subject\": \"town%d\", \"pattern\": \"[X] lies in [Y].\", \"object\": \"land%d\"}\n", i, c >"facts.jsonl"
  for (k = 0; k < 8; k++) t = t (i % 2 ? " town" (i % 40) " lies in land" c "." : " w" (i * k) % 23 " land" c " trades with town" (i % 40) ".")
  printf "{\"id\": \"d%d\", \"source\": \"s%d\", \"text\": \"%s\"}\n", i, i % 3, t >"corpus/c.jsonl" } }'
small='-q --vocab 300 --dim 16 --heads 2 --layers 1 --context 32 --batch-tokens 128 --threads 1'
"$bin" train $small corpus --tokens 2k -o model >/dev/null
winnow() {
    command=$1; shift
    case $command in
    prove) "$bin" prove $small --tokens 1k --seeds 2 --eval-tokens 1k --cloze-items 0 --clean-rules none "$@" ;;
    *) "$bin" "$command" "$@" ;;
    esac
}
grep '^    winnow ' "$here/../../docs/study.md" >commands
[ "$(wc -l <commands)" -ge 6 ]
while read -r line; do
    eval "$line" >out 2>&1 || { echo "fails: $line"; cat out; exit 1; }
done <commands
[ -s study/causal.json ] && [ -s study/rows.jsonl ] && [ -s causal.json ]
grep -q '"id": *"causes"\|<section id="causes">' runs/why/report.html
grep -q 'trained again without each' runs/why/report.html
grep -q 'what statistics of the corpus do' runs/why/report.html
grep -q '<section id="causes">' study/report.html
if grep -q '<section id="proof">' study/report.html; then exit 1; fi
"$bin" report runs/why/prove --json | grep -q '"arm": "without:s0"'
echo "docs/study.md: $(wc -l <commands) commands run"
