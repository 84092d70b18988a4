#!/bin/sh
# The examples do what their heads say.   tests/library/examples.sh WINNOW FOLDER
#   WINNOW  the program, which trains the model that one of them needs
#   FOLDER  where the examples' binaries lie
set -eu
winnow=$(readlink -f "$1") bin=$(readlink -f "$2")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
fail() { echo "FAILED: $*"; exit 1; }

i=0
while [ $i -lt 40 ]; do
    printf '{"id": "d%s", "text": "The boats of day %s lay in the harbour, and the people of the town have known that they would not sail."}\n' $i $i
    i=$((i + 1))
done >in.jsonl
printf 'winnow: 1\ninput: [in.jsonl]\nstages:\n  - dedup:\n  - rules: {sets: [gopher], gopher-words-min: 5}\n' >recipe.yaml
"$bin/run_recipe" recipe.yaml run >out 2>log || { cat log; fail run_recipe; }
grep -qx '40 documents in, 40 kept' out || fail "run_recipe: $(cat out)"
"$winnow" verify run >/dev/null || fail "what run_recipe left"
"$bin/run_recipe" missing.yaml other 2>err && fail "run_recipe without a recipe"
grep -q missing.yaml err || fail "run_recipe names no file"

printf 'Home | About | Contact\nThe boats lay in the harbour, and the people of the town knew that they would not sail.\nLog in\nCopyright 2024 Example Inc. All rights reserved.\n' >page
"$bin/refine_text" <page >refined 2>program || fail refine_text
grep -q 'The boats lay' refined || fail "refine_text lost the text"
[ "$(wc -c <refined)" -lt "$(wc -c <page)" ] || fail "refine_text took nothing away"
grep -q remove_lines program || fail "refine_text shows no program"

"$bin/measure_rules" <page >rules || fail measure_rules
grep -q '^gopher__words ' rules || fail "measure_rules gives no words"
grep -q '^removed by gopher.words_min: ' rules || fail "measure_rules: $(tail -1 rules)"

"$winnow" train in.jsonl -o model --tokens 2048 --vocab 300 --dim 16 --layers 1 --heads 1 --context 64 \
    --epochs-max 100 -q >/dev/null
"$bin/score_texts" model 'The boats lay in the harbour.' 'xqz jkv' >scores || fail score_texts
[ "$(grep -c 'nats over' scores)" = 2 ] || fail "score_texts: $(cat scores)"
"$bin/score_texts" nowhere text 2>err && fail "score_texts without a model"

"$bin/list_options" dedup >options || fail list_options
"$winnow" help --json dedup | cmp - options || fail "list_options and winnow help --json differ"
"$bin/list_options" dedupp 2>err && fail "list_options of no command"
# Every command that help lists has its table there.
"$winnow" help | sed -n 's/^  \([a-z][a-z -]\{18\}[a-z ]\) .*/\1/p' | sed 's/ *$//' | sort >listed
"$winnow" help --json | sed -n 's/^    "command": "\(.*\)",/\1/p' | sort >tables
[ -s listed ] || fail "help lists nothing"
diff listed tables || fail "commands without a table, or tables without a command"
echo "examples: five run"
