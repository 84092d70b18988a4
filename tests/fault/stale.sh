#!/bin/sh
# stale.sh PROGRAM: whatever a finished result was made from is edited at equal size
# and between two words only; the same command does it again, another asks for --force.
set -eu
winnow=$(readlink -f "$1")
here=$(cd "$(dirname "$0")" && pwd)
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
cd "$dir"
"$here/../support/words.sh" 300 >c.jsonl
"$here/../support/words.sh" 60 >h.jsonl
"$here/../support/words.sh" 200 | tail -n 150 >arm.jsonl
edit() { # FILE: a space becomes a comma in its middle, the size stays
    python3 - "$1" <<'P'
import sys
p = sys.argv[1]; b = bytearray(open(p, 'rb').read())
at = b.index(b' ', len(b) // 2)
b[at:at + 1] = b','
open(p, 'wb').write(b)
P
}
fail() { echo "$1"; exit 1; }
small="--dim 32 --heads 2 --layers 2 --context 64 --batch-tokens 256"

# A model: of the corpus and of the tokenizer.
"$winnow" tokenizer train -q --vocab 300 c.jsonl -o t.json
train() { "$winnow" train -q --tokenizer t.json $small --tokens 4k --epochs-max 99 "$@" -o model; }
train c.jsonl >/dev/null; cksum model/model.safetensors >before
[ -z "$(train c.jsonl)" ] || fail "train: a finished model was trained again"
cp c.jsonl c0.jsonl; edit c.jsonl
[ -n "$(train c.jsonl 2>/dev/null)" ] || fail "train: the edited corpus counts as the old one"
cksum model/model.safetensors >before
train c.jsonl --lr 1e-2 >/dev/null 2>err && fail "train: a finished model of other settings was replaced"
grep -q -- --force err || fail "train: no word of --force"
cksum model/model.safetensors | cmp - before
train c.jsonl --lr 1e-2 --force >/dev/null; cksum model/model.safetensors | cmp -s - before && fail "train: --force did nothing"
sed -i 's/"model": *{/"model" : {/' t.json; [ -n "$(train c.jsonl --lr 1e-2)" ] || fail "train: another tokenizer.json counts as the old one"
cp c0.jsonl c.jsonl

# A proof: of the corpus, an arm, held-out texts, tasks.
printf '%s\n' '{"kind":"mc","task":"t","id":"1","context":"one two","choices":["three","four"],"gold":0}' \
    '{"kind":"mc","task":"t","id":"2","context":"one two","choices":["three","four"],"gold":1}' >tasks.jsonl
prove() { "$winnow" prove --progress never --seeds 1 --arms before,after=arm.jsonl --tokens 2k --vocab 300 $small --clean-rules none \
    --heldout h.jsonl --tasks tasks.jsonl --eval-tokens 200k --curve-points 2 --bootstrap 20 --cloze-items 5 c.jsonl "$@" -o proof 2>&1; }
prove >/dev/null
for f in c.jsonl arm.jsonl h.jsonl; do
    edit $f; prove | grep -q anew || fail "prove: the edited $f counts as the old one"
    prove | grep -q anew && fail "prove: done twice after $f"
done
sed -i '1s/"gold":0/"gold":1/' tasks.jsonl; prove | grep -q anew || fail "prove: another right answer counts as the old one"
prove --lr 1e-2 >err && fail "prove: finished results of other settings were replaced"
grep -q -- --force err || fail "prove: no word of --force"
prove --lr 1e-2 --force | grep -q anew || fail "prove: --force did nothing"

# A run: of its input, and of what its options name.
"$winnow" score -q --model model c.jsonl -o scores
prune() { "$winnow" prune --progress never --score-attribute attributes c.jsonl "$@" -o pruned 2>&1; }
cp -r scores/stages/01-score/attributes/* attributes 2>/dev/null || cp -r scores/stages/01-score/attributes/score attributes
prune >/dev/null || fail "prune: $(prune)"
prune | grep -q 'nothing is left' || fail "prune: not finished"
python3 - <<'P'
import glob, re
p = [f for f in glob.glob('attributes/**/*', recursive=True) if f.endswith('.jsonl')][0]
s = open(p).read(); m = re.search(r'\d\.(\d)', s)
open(p, 'w').write(s[:m.start(1)] + str((int(m.group(1)) + 1) % 10) + s[m.end(1):])
P
prune | grep -q anew || fail "prune: edited attributes count as the old ones"
echo "whatever was read belongs to the key"
