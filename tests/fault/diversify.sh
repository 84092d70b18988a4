#!/bin/sh
# diversify.sh PROGRAM ROUNDS: every method on one, two and three threads, under --memory, and killed
# at random moments, ends with the same bytes; a store with rows that are no numbers does no harm.
set -eu
winnow=$(readlink -f "$1"); rounds=$2
here=$(cd "$(dirname "$0")" && pwd)
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
cd "$dir"
"$here/../support/words.sh" 1500 >c.jsonl
diversify() {
    out=$1; shift
    exec "$winnow" diversify -q "$@" --clusters 150 --iterations 15 --dim 96 c.jsonl -o "$out"
}
sums() { # all that does not hold times
    (cd "$1" && find . -type f ! -name 'progress*' ! -name 'timings.json' ! -name 'ledger.db' \
        ! -name '.winnow' ! -name '.lock' ! -name 'recipe.yaml' ! -name input.json | sort | xargs md5sum)
}
for how in semdedup "d4 --budget 40%" "density --budget 300" "balanced --budget 30%"; do
    rm -rf one two
    start=$(date +%s%N)
    # shellcheck disable=SC2086  # a method and its budget
    (diversify one --method $how --threads 1 2>/dev/null)
    took=$(( ($(date +%s%N) - start) / 1000000 ))
    sums one >want
    (diversify two --method $how --threads 3 --memory 300M 2>/dev/null)
    sums two | diff want - || { echo "$how: three threads under --memory differ from one"; exit 1; }
    i=0
    while [ $i -lt "$rounds" ]; do
        i=$((i + 1)); rm -rf killed
        for attempt in 1 2 3 4; do
            # not in a function: the process is what is killed
            "$winnow" diversify -q --method $how --threads $((i % 2 + 1)) --clusters 150 --iterations 15 --dim 96 c.jsonl \
                -o killed 2>/dev/null &
            pid=$!
            sleep "$(awk -v s=$((i * 31 + attempt)) -v t=$took 'BEGIN { srand(s); print rand() * t / 1000 * .8 }')"
            kill -9 $pid 2>/dev/null || :
            wait $pid 2>/dev/null || :
        done
        (diversify killed --method $how 2>/dev/null)
        sums killed | diff want - || { echo "$how, round $i: differs after kills"; exit 1; }
    done
    "$winnow" verify -q one
done
"$winnow" features -q --vectors ngrams --dim 96 c.jsonl -o v >/dev/null
python3 - <<'PY'
import struct
with open("v/vectors.bin", "r+b") as f:
    head = f.read(64)
    dim, = struct.unpack_from("<I", head, 20)
    rows, = struct.unpack_from("<Q", head, 24)
    page = lambda n: (n + 4095) // 4096 * 4096
    norms = 4096 + page(rows * 64)
    data = norms + page(rows * 4)
    f.seek(norms + 4 * 3); f.write(struct.pack("<f", 0))              # one without a norm
    for row, bits in ((5, 0x7FC0), (6, 0x7F80), (7, 0xFF80)):         # NaN and infinities
        f.seek(data + row * dim * 2 + 10); f.write(struct.pack("<H", bits))
PY
"$winnow" diversify -q --method none --features v c.jsonl -o noted 2>said
grep -q '4 of 1500 documents have no vector' said || { cat said; echo "rows that are no numbers are not told"; exit 1; }
cmp noted/documents/c.jsonl c.jsonl
"$winnow" diversify -q --method balanced --budget 1490 --features v c.jsonl -o some 2>/dev/null
[ "$(grep -c 'diversify.no_vector' some/stages/01-diversify/ledger/c.jsonl)" = 4 ]
! grep -rn '[^a-z]nan[^a-z]\|-inf\|: inf' noted/stages/*/state/diversify.json noted/stages/*/attributes/
