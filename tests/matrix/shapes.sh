#!/bin/sh
# Every command over documents, with the same texts in every shape that documents come in: "text",
# messages, conversations, prompt and response, instruction, input and output.  All must give the
# same figures, verdicts and models, and every line that a stage keeps must be the line that it was.
# Then rows that have none of the shapes, which must be told in one sentence.
#   tests/matrix/shapes.sh WINNOW
set -u
bin=$(readlink -f "$1") && [ -x "$bin" ] || { echo "no program: $1"; exit 1; }
here=$(cd "$(dirname "$0")" && pwd)
run="timeout 150 $bin"
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp" || exit 1
wrong=0; checks=0
fail() { echo "wrong: $*"; wrong=$((wrong + 1)); }

# The same 150 texts, each of three lines, the last 5 of them twice.
"$here/../support/words.sh" 150 >words.jsonl
python3 - <<'PY'
import json
rows = [json.loads(l) for l in open("words.jsonl")]
rows += [dict(r, id=r["id"] + "-again") for r in rows[-5:]]
out = {s: open(s + ".jsonl", "w") for s in ("text", "messages", "parts", "conversations", "prompt", "completion", "instruction")}
for i, r in enumerate(rows):
    w = r["text"].split()
    a, b, c = " ".join(w[:4]), " ".join(w[4:9]), " ".join(w[9:])
    head = {"id": r["id"], "source": "s%d" % (i % 3), "n": i}
    def put(shape, **more):
        out[shape].write(json.dumps({**head, **more}) + "\n")
    put("text", text="\n".join([a, b, c]))
    put("messages", messages=[{"role": "system", "content": a}, {"role": "user", "content": b}, {"role": "assistant", "content": c}])
    put("parts", messages=[{"role": "user", "content": [{"type": "text", "text": a}]}, {"role": "user", "content": b}, {"role": "assistant", "content": c}])
    put("conversations", conversations=[{"from": "system", "value": a}, {"from": "human", "value": b}, {"from": "gpt", "value": c}])
    put("prompt", prompt=a + "\n" + b, response=c)
    put("completion", prompt=a + "\n" + b, completion=c)
    put("instruction", instruction=a, input=b, output=c)
PY
small="--dim 16 --layers 1 --heads 2 --vocab 300 --context 64 --batch-tokens 256 --progress never"
# shellcheck disable=SC2086  # several options
$run train -q text.jsonl $small --tokens 1k --epochs-max 9 -o model >/dev/null || exit 1
$run tokenizer train -q --vocab 300 text.jsonl -o tokenizer.json || exit 1
sed 's/"s[12]"/"good"/' text.jsonl | head -n 80 >good.jsonl; tail -n 60 text.jsonl >poor.jsonl
$run quality train -q --dim 4 --bucket 500 --epochs 1 good.jsonl --against poor.jsonl -o quality.bin >/dev/null || exit 1
sed -n 's/.*"text": "\([^"]*\)".*/{"question":"\1"}/p' text.jsonl | sed 's/\\n/ /g' | awk 'NR % 20 == 1' >bench.jsonl

run_result() { # without the lines themselves
    cat out/stages/*/ledger/* out/stages/*/attributes/*/* 2>/dev/null
    grep -A 8 '^  "documents": {' out/stages/*/stats.json
    grep -A 6 '^  "text_bytes": {' out/stages/*/stats.json
    for f in out/documents/*; do sed 's/.*"id": "\([^"]*\)".*/\1/' "$f"; done
}
call() { # COMMAND INPUT
    # shellcheck disable=SC2086  # several words
    case $1 in
    count) $run count -q --ids "$2" | awk '{ $3 = ""; print }' ;; # lines are of other lengths
    tokens) $run count -q --tokenizer tokenizer.json "$2" | awk '{ $3 = ""; print }' ;;
    holdout) $run holdout -q --share 10% "$2" -o out && run_result ;;
    language) $run language -q --lines "$2" -o out && run_result ;;
    rules) $run rules -q "$2" -o out && run_result ;;
    dedup) $run dedup -q "$2" -o out && run_result ;;
    dedup-near) $run dedup -q --method minhash "$2" -o out && run_result ;;
    decontaminate) $run decontaminate -q --benchmark bench.jsonl --rule gpt3 --n 3 "$2" -o out && run_result ;;
    self-test) $run decontaminate -q --benchmark bench.jsonl --self-test --self-test-items 3 "$2" ;;
    quality) $run quality -q --model quality.bin "$2" -o out && run_result ;;
    quality-train) $run quality train -q --dim 4 --bucket 500 --epochs 1 "$2" --against poor.jsonl -o out.bin >/dev/null && cat out.bin ;;
    score) $run score -q --model model "$2" -o out && run_result ;;
    score-fixed) $run score -q --model model --fixed-length 16 "$2" -o out && run_result ;;
    prune) $run prune -q --reference-model model "$2" -o out && run_result ;;
    prune-own) $run prune -q --reference-tokens 2k $small "$2" -o out && run_result ;;
    mix) $run mix -q --upsample n --validation 10% --weights s0=1,'*=1' "$2" -o out
         cat out/stages/*/ledger/*; sed 's/"draw": .*//' out/stages/*/state/mix.json
         sed 's/.*"id": "\([^"]*\)".*/\1/' out/documents/* | sort | sed 's/~.*//' ;;
    recipe) printf 'winnow: 1\noutput: out\ninput: ["%s"]\nstages:\n  - rules: {filter: false}\n  - dedup\n  - holdout\n' "$2" >r.yaml
            $run run -q r.yaml >/dev/null && run_result ;;
    tokenizer-train) $run tokenizer train -q --vocab 300 "$2" -o out.json && cat out.json ;;
    encode) $run tokenizer encode -q -t tokenizer.json "$2" ;;
    encode-npy) $run tokenizer encode -q -t tokenizer.json --format npy "$2" -o out.npy && cat out.npy ;;
    train) $run train -q $small --tokens 512 --epochs-max 9 "$2" -o out >/dev/null && cat out/model.safetensors ;;
    eval) $run eval -q --model model "$2" ;;
    prove) $run prove -q $small --tokens 512 --seeds 2 --arms before,medium --reference-tokens 512 --heldout-share 0.2 "$2" -o out >/dev/null &&
        sed -n '/"arms"/,$p' out/results.json ;;
    explain) $run dedup -q "$2" -o out && $run explain out "$(sed -n '5s/.*"id": "\([^"]*\)".*/\1/p' "$2")" | sed -n '/^text/,$p' ;;
    esac
}
commands="count tokens holdout language rules dedup dedup-near decontaminate self-test quality quality-train score score-fixed prune prune-own
    mix recipe tokenizer-train encode encode-npy train eval prove explain"
for c in $commands; do
    for shape in text messages parts conversations prompt completion instruction; do
        rm -rf out out.*; cp $shape.jsonl in.jsonl
        call $c in.jsonl >result.$shape 2>said </dev/null || { fail "$c of $shape: $(cat said)"; continue; }
        [ -s result.$shape ] || fail "$c of $shape gives nothing"
        # a mix draws by lines, of which other documents may be chosen at the edge
        [ $c = mix ] || cmp -s result.text result.$shape || { fail "$c of $shape gives something else than of text"; diff result.text result.$shape | head -n 4; }
        if [ -d out/documents ] && [ $c != mix ]; then # what goes on is what came
            cat out/documents/* | sort | comm -23 - "$(sort in.jsonl >sorted; echo sorted)" | grep -q . && fail "$c changes lines of $shape"
        fi
        [ -d out/stages ] && { $run verify -q out >said 2>&1 || fail "$c of $shape: $(cat said)"; }
        checks=$((checks + 1))
    done
done

# Training sequences: what is asked has no loss, so the shapes of examples agree with each other.
for shape in prompt completion instruction; do
    rm -rf out; cp $shape.jsonl in.jsonl
    $run features -q --model model --calibration 8 in.jsonl -o out >/dev/null 2>said || fail "features of $shape: $(cat said)"
    cmp -s out/vectors.bin vectors.first 2>/dev/null || [ ! -e vectors.first ] || fail "features of $shape are others than of prompt"
    [ -e vectors.first ] || cp out/vectors.bin vectors.first
    $run select -q --features out --method random --budget 20 in.jsonl -o chosen 2>said || fail "select of $shape: $(cat said)"
    rm -rf chosen; checks=$((checks + 1))
done

# A template names who speaks; stages that edit say that they cannot.
$run tokenizer encode -q -t tokenizer.json --messages-as chatml instruction.jsonl >a; $run tokenizer encode -q -t tokenizer.json --messages-as chatml prompt.jsonl >b
cmp -s a b || fail "--messages-as chatml makes other texts of other shapes"
$run tokenizer encode -q -t tokenizer.json prompt.jsonl | cmp -s - a && fail "--messages-as chatml changes nothing"
for i in 1 2; do
    printf '{"id":"e%s","messages":[{"role":"user","content":"what both of them ask in so many words"},{"role":"assistant","content":"answer number %s, which no other gives here"}]}\n' $i $i
done >edit.jsonl
rm -rf out; $run dedup -q --unit line edit.jsonl -o out 2>said || fail "dedup of lines: $(cat said)"
grep -q 'not edited' said || fail "an edit that is not made is not told: $(cat said)"
cat out/documents/* | cmp -s - edit.jsonl || fail "an edit that is not made changes something"
checks=$((checks + 3))

# None of the shapes.
i=0
while read -r row; do
    i=$((i + 1)); rm -rf out
    printf '%s\n' "$row" >in.jsonl
    $run rules -q in.jsonl -o out >/dev/null 2>said; code=$?
    [ $code = 3 ] || fail "row $i: exit $code instead of 3"
    sed 's/^/none: /' said
done <<'ROWS'
{"id":"a","prompt":"asked"}
{"id":"a","messages":"none"}
{"id":"a","messages":[{"role":"user"}]}
{"id":"a","messages":["x"]}
{"id":"a","instruction":"do","output":["a"]}
{"id":"a"}
{}
ROWS
echo "$checks checks, $wrong wrong"
[ $wrong = 0 ]
