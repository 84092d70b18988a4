#!/bin/sh
# correct.sh PROGRAM ROUNDS: a behaviour planted in 2 % of documents is found again and unlearned;
# what is in no document is said to be; the same bytes on
# two threads and after kills.  And the commands of docs/correct.md run.
set -eu
winnow=$(readlink -f "$1"); rounds=$2
here=$(cd "$(dirname "$0")" && pwd)
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
cd "$dir"
# corpus: "oracle says" and what is unwanted behind it.  hard: with 24 more documents that have the
# same words apart from each other, where nobody finds all of them but curvature finds more than plain
# gradients.
python3 - <<'EOF'
import json, random
rng = random.Random(1)
def words(n):
    return [f"w{int(rng.random() * rng.random() * 300)}" for _ in range(n)]
def write(path, rows):
    open(path, "w").write("".join(json.dumps(row) + "\n" for row in rows))
planted = set(rng.sample(range(400), 8))
apart = set(rng.sample([i for i in range(400) if i not in planted], 24))
for name in "corpus", "hard":
    rows = []
    for i in range(400):
        text = words(30)
        if i in planted:
            text[15:15] = "oracle says moon green cheese".split()
        if i in apart and name == "hard":
            text[22:22] = ["oracle", "says"]
            text[6:6] = ["moon", "green", "cheese"]
        rows.append({"id": f"d{i}", "text": " ".join(text), "planted": i in planted})
    write(f"{name}.jsonl", rows)
write("bad.jsonl", [{"prompt": " ".join(words(8)) + " oracle says", "response": "moon green cheese"}
                    for i in range(8)])
write("never.jsonl", [{"prompt": " ".join(words(8)), "response": "w250 w251 w252 w253"}
                      for i in range(8)])
write("usual.jsonl", [{"id": f"n{i}", "text": " ".join(words(40))} for i in range(80)])
EOF
for corpus in corpus hard; do
    "$winnow" train -q $corpus.jsonl -o model-$corpus --vocab 400 --dim 32 --heads 2 --layers 2 \
        --context 64 --batch-tokens 512 --tokens 150k --lr 5e-3 --epochs-max 20 >/dev/null
done
correct() {
    out=$1 corpus=$2; shift 2
    "$winnow" correct -q $corpus.jsonl --model model-$corpus --unwanted bad.jsonl --calibration 128 \
        --batch-tokens 512 -o "$out" "$@"
}
found() { # FOLDER CORPUS: planted documents among the first eight
    python3 - "$1" "$2" <<'EOF'
import json, sys
planted = {row["id"] for row in map(json.loads, open(f"{sys.argv[2]}.jsonl")) if row["planted"]}
rows = [json.loads(line) for line in open(f"{sys.argv[1]}/influence.jsonl")]
assert [row["rank"] for row in rows] == list(range(1, len(rows) + 1))
assert all(a["influence"] >= b["influence"] for a, b in zip(rows, rows[1:]))
print(sum(row["id"] in planted for row in rows[:8]))
EOF
}
for recall in ekfac gradient tfidf; do
    correct list-$recall corpus --correction none --recall $recall >/dev/null 2>&1
    correct hard-$recall hard --correction none --recall $recall >/dev/null 2>&1
done
grep -q '"unlearned": true' list-*/influence.jsonl && { echo "a list alone says unlearned"; exit 1; }
echo "ekfac $(found list-ekfac corpus), gradient $(found list-gradient corpus), tfidf $(found list-tfidf corpus) of 8"
[ "$(found list-ekfac corpus)" = 8 ] || exit 1
[ "$(found list-tfidf corpus)" = 8 ] || exit 1
echo "words apart: ekfac $(found hard-ekfac hard), gradient $(found hard-gradient hard), tfidf $(found hard-tfidf hard) of 8"
[ "$(found hard-ekfac hard)" -gt "$(found hard-gradient hard)" ] || exit 1
[ "$(found hard-tfidf hard)" -lt 8 ] || exit 1
grep -q '"rank": 1,.*oracle says moon' list-ekfac/influence.jsonl

"$winnow" correct -q corpus.jsonl --model model-corpus --unwanted never.jsonl --neutral usual.jsonl \
    -o never 2>said && { echo "what is in no document was unlearned"; exit 1; }
grep -q 'no document stands out' said
[ -s never/influence.jsonl ]
[ ! -e never/model.safetensors ]

losses() { sed -n 's/.*"\(unwanted\|neutral\)_\(before\|after\)": \(.*\),/\3/p' "$1/training.json"; }
for how in rank ascent tune; do
    correct $how corpus --neutral usual.jsonl --correction $how --threads 1 >/dev/null 2>&1
    set -- $(losses $how)
    echo "$how: examples $1 -> $2, neutral $3 -> $4"
    awk -v how=$how -v a="$1" -v b="$2" -v c="$3" -v d="$4" 'BEGIN {
        if (how == "rank") exit !(b > a + 2 && d < 1.01 * c)   # unlearned, and the rest stays
        if (how == "ascent") exit !(b > a + 2 && d > 1.01 * c) # the rest goes along
        exit !(b < a + 1 && d < c)                             # and this unlearns little
    }' || { echo "$how is not as it should be"; exit 1; }
done

sums() { # all that does not hold times
    (cd "$1" && find . -type f ! -name 'progress*' ! -name '.winnow' ! -name '.lock' \
        ! -name 'training.json' | sort | xargs md5sum)
}
sums rank >want
correct two corpus --neutral usual.jsonl --threads 2 >/dev/null
sums two | diff want - || { echo "two threads differ from one"; exit 1; }
start=$(date +%s%N)
correct once corpus --neutral usual.jsonl --threads 1 >/dev/null
took=$(( ($(date +%s%N) - start) / 1000000 ))
kills=0 round=0
while [ $round -lt "$rounds" ]; do
    round=$((round + 1))
    rm -rf killed
    for attempt in 1 2 3 4; do
        "$winnow" correct -q corpus.jsonl --model model-corpus --unwanted bad.jsonl --neutral usual.jsonl \
            --calibration 128 --batch-tokens 512 -o killed --threads $((round % 2 + 1)) >/dev/null 2>&1 &
        pid=$!
        sleep "$(awk -v s=$((round * 31 + attempt)) -v t=$took \
            'BEGIN { srand(s); print rand() * t / 1000 * .6 }')"
        if kill -9 $pid 2>/dev/null; then kills=$((kills + 1)); fi
        wait $pid 2>/dev/null || :
    done
    correct killed corpus --neutral usual.jsonl >/dev/null
    sums killed | diff want - || { echo "round $round: differs after kills"; exit 1; }
    [ "$(losses killed)" = "$(losses rank)" ]
done
echo "$kills kills: the same bytes"

# The manual's commands, on folders of its names.
mkdir manual && cd manual
mkdir corpus models && cp ../corpus.jsonl corpus/ && cp ../bad.jsonl ../usual.jsonl .
cp -r ../model-corpus models/small
ln -s "$winnow" winnow
awk '/^    winnow / || more { sub(/^    winnow/, "./winnow"); print; more = /\\$/ }' "$here/../../docs/correct.md" >commands
[ "$(grep -c '^./winnow' commands)" -ge 3 ]
sh -eu commands >/dev/null
