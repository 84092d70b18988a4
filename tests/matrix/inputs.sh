#!/bin/sh
# Every command that reads a corpus, with every way of naming one: a file, the same bytes
# through - and through a named pipe, a folder, a run folder, a stage of it, a glob.
# All must give the same documents, counts and models.  Then the inputs in which
# something is wrong: nothing, bad lines only, a shard that broke off, one that cannot
# be read.  None of them may end as a success, and all must say what is wrong.
#   tests/matrix/inputs.sh WINNOW MOCK_SERVER
set -u
bin=$(readlink -f "$1") && [ -x "$bin" ] || { echo "no program: $1"; exit 1; }
mock=$(readlink -f "${2:-/nonexistent}")
here=$(cd "$(dirname "$0")" && pwd)
run="timeout 150 $bin"
tmp=$(mktemp -d)
# shellcheck source=/dev/null
. "$here/../support/mock_server.sh"
trap '[ -n "$server" ] && kill $server 2>/dev/null; rm -rf "$tmp"' EXIT
cd "$tmp" || exit 1
wrong=0; checks=0
fail() { echo "wrong: $*"; wrong=$((wrong + 1)); }

# ---- the same documents, named in seven ways ----

pages() { # of a refiner: with the right text of each
    awk 'BEGIN { for (p = 0; p < 40; p++) {
        text = "Menu " p % 7; for (i = 0; i < 12; i++) text = text "\\nSome words of line " i " on page " p " here."
        clean = text; sub(/Menu [0-9]\\n/, "", clean)
        lines = text; gsub(/\\n/, "\",\"", lines); label = "0"; for (i = 0; i < 12; i++) label = label ",1"
        printf "{\"id\":\"p%d\",\"text\":\"%s\",\"clean\":\"%s\",\"lines\":[\"%s\"],\"label\":[%s]}\n", p, text, clean, lines, label } }'
}
layout() { # NAME < corpus: NAME/file/stdin.jsonl, NAME/run (which removed something) ...
    mkdir -p "$1/file" "$1/twice" && cat >"$1/file/stdin.jsonl"
    { cat "$1/file/stdin.jsonl"; head -n 5 "$1/file/stdin.jsonl"; } >"$1/twice/stdin.jsonl"
    $run dedup -q "$1/twice" -o "$1/run" 2>/dev/null || exit 1
    cmp -s "$1/file/stdin.jsonl" "$1/run/documents/stdin.jsonl" || { echo "dedup's documents are others"; exit 1; }
    [ -s "$1/run/stages/01-dedup/removed/stdin.jsonl" ] || { echo "nothing was removed"; exit 1; }
    mkfifo "$1/stdin.jsonl"
}
"$here/../support/words.sh" 150 | layout words
pages | layout pages
small="--dim 16 --layers 1 --heads 2 --vocab 300 --context 64 --batch-tokens 256 --progress never"
# shellcheck disable=SC2086  # several options
$run train -q words/file $small --tokens 1k --epochs-max 9 -o model >/dev/null || exit 1
$run tokenizer train -q --vocab 300 words/file -o tokenizer.json || exit 1
sed -n 's/.*"text":" \([w0-9 ]*\).*/{"question":"\1"}/p' words/file/stdin.jsonl | awk 'NR % 20 == 1' >bench.jsonl
echo bad.example >list.txt
printf '{"subject": "w%s", "pattern": "[X] [Y]", "object": "w%s"}\n' 1 2 3 4 5 6 >facts.jsonl
printf '{"a": "d%s", "b": "d%s", "better": "a"}\n' 1 2 3 4 5 6 7 8 >judged.jsonl
$run quality train -q --dim 4 --bucket 500 --epochs 1 words/file --against pages/file -o quality.bin >/dev/null || exit 1
sed 's/"text":"[^"]*"/"program":"remove_lines(0, 0)"/; s/,"clean":.*/}/' pages/file/stdin.jsonl >programs.jsonl
sed 's/"text":"[^"]*",//; s/"clean"/"text"/' pages/file/stdin.jsonl >cleaned.jsonl
if [ -x "$mock" ]; then
    printf '%s\n' '{"match": "Educational score: N", "answer": "Good.\nEducational score: 4"}' \
        '{"match": "Better: X", "answer": "Better: FIRST"}' '{"match": "", "answer": "```\nkeep_chunk()\n```"}' >rules
    start rules
fi

# What a command made: stage NAME of the run in out, as bytes that do not name the input.
run_result() {
    cat out/documents/* out/stages/*/ledger/*
    sed -n '/"documents"/,/"bad_shards"/p' out/stages/*/stats.json
}
show() { # COMMAND: its result, from out (a file or folder) and stdout
    case $1 in
    count | tokens | study | eval | refiner-eval | self-test) cat stdout ;;
    tokenizer-train | encode | encode-npy) cat out ;;
    train | refiner-train) cat out/model.safetensors out/tokenizer.json ;;
    refiner-lines) cat out/*.safetensors out/*.bin 2>/dev/null ;;
    refiner-label) cat out/documents.jsonl out/chunks.jsonl ;;
    features | features-words) cat out/vectors.bin ;;
    correct) sed 's/"shard": *"[^"]*", *//' out/influence.jsonl ;;
    quality-train | quality-pairs) cat out ;;
    quality-judge) cat out/pairs.jsonl ;;
    prove) sed -n '/"arms"/,$p' out/results.json ;;
    piped-*) cat stdout ;;
    *) run_result ;;
    esac
}
call() { # COMMAND INPUT...: the command over these inputs, into out
    c=$1; shift
    # shellcheck disable=SC2086  # several words
    case $c in
    count) $run count -q --ids "$@" ;;
    tokens) $run count -q --tokenizer tokenizer.json "$@" ;;
    dedup) $run dedup -q "$@" -o out ;;
    decontaminate) $run decontaminate -q --benchmark bench.jsonl --rule gpt3 --n 3 --action label "$@" -o out ;;
    synthesize) $run synthesize -q --make tasks --benchmark bench.jsonl "$@" -o out ;;
    self-test) $run decontaminate -q --benchmark bench.jsonl --self-test --self-test-items 3 "$@" ;;
    features-words) $run features -q --vectors ngrams "$@" -o out ;;
    diversify) $run diversify -q --budget 60% --clusters 5 "$@" -o out ;;
    language) $run language -q --lines "$@" -o out ;;
    mask) $run mask -q --kinds email,phone,card,ip,url "$@" -o out ;;
    blocklist) $run blocklist -q --lists list.txt "$@" -o out ;;
    dedup-near) $run dedup -q --method minhash "$@" -o out ;;
    dedup-lines) $run dedup -q --unit line "$@" -o out ;;
    rules) $run rules -q --no-filter "$@" -o out ;;
    holdout) $run holdout -q --share 10% "$@" -o out ;;
    refine) $run refine -q "$@" -o out ;;
    refine-programs) $run refine -q --programs programs.jsonl "$@" -o out ;;
    score) $run score -q --model model "$@" -o out ;;
    score-fixed) $run score -q --model model --fixed-length 16 "$@" -o out ;;
    prune) $run prune -q --reference-tokens 2k $small "$@" -o out ;;
    features) $run features -q --model model --calibration 8 "$@" -o out ;;
    correct) $run correct -q --model model --unwanted words/file/stdin.jsonl --calibration 8 --correction none "$@" -o out >/dev/null ;;
    quality) $run quality -q --model quality.bin "$@" -o out ;;
    quality-train) $run quality train -q --dim 4 --bucket 500 --epochs 1 --against pages/file/stdin.jsonl "$@" -o out >/dev/null ;;
    quality-pairs) $run quality train -q --dim 4 --bucket 500 --epochs 1 --pairs judged.jsonl "$@" -o out >/dev/null ;;
    quality-judge) $run quality judge -q --url "$url" --pairs 9 "$@" -o out ;;
    study) $run study causal -q --items facts.jsonl --model model --bootstrap 40 "$@" ;;
    mix) $run mix -q --tokens 1M "$@" -o out ;;
    select) $run select -q --method random "$@" -o out ;;
    prune-model) $run prune -q --reference-model model "$@" -o out ;;
    recipe) { printf 'winnow: 1\noutput: out\ninput:\n'; printf '  - "%s"\n' "$@"
              printf 'stages:\n  - rules: {filter: false}\n  - dedup\n'; } >r.yaml
            $run run -q r.yaml ;;
    piped-dedup) $run dedup -q "$@" -o - ;;
    piped-prune) $run prune -q --reference-model model "$@" -o - ;;
    tokenizer-train) $run tokenizer train -q --vocab 300 "$@" -o out ;;
    encode) $run tokenizer encode -q -t tokenizer.json "$@" -o out ;;
    encode-npy) $run tokenizer encode -q -t tokenizer.json --format npy "$@" -o out ;;
    train) $run train -q $small --tokens 512 --epochs-max 9 "$@" -o out >/dev/null ;;
    eval) $run eval -q --model model "$@" ;;
    prove) $run prove -q $small --tokens 512 --seeds 2 --arms before,medium --reference-tokens 512 --heldout-share 0.2 "$@" -o out >/dev/null ;;
    refiner-train) $run refiner train -q $small --context 256 --chunk-tokens 100 --answer-tokens 40 --batch-tokens 512 \
        --epochs 1 --holdout 0 "$@" -o out >/dev/null ;;
    refiner-lines) $run refiner train-lines -q "$@" -o out --rows 16 --embed 16 --hidden 16 --dim 32 --layers 1 --ffn 16 --epochs 1 >/dev/null ;;
    refiner-eval) $run refiner eval -q --cleaned cleaned.jsonl --bootstrap 0 "$@" ;;
    refiner-label) $run refiner label -q --url "$url" "$@" -o out ;;
    *) echo "no such command: $c"; exit 1 ;;
    esac
}
corpus_of() {
    case $1 in
    refine* | refiner*) echo pages ;;
    *) echo words ;;
    esac
}
named() { # COMMAND HOW: the corpus, named in that way
    d=$(corpus_of "$1")
    case $2 in
    file) call "$1" "$d/file/stdin.jsonl" ;;
    pipe) cat "$d/file/stdin.jsonl" | call "$1" - ;;
    fifo) timeout 20 cat "$d/file/stdin.jsonl" >"$d/stdin.jsonl" & call "$1" "$d/stdin.jsonl"; r=$?; wait $! 2>/dev/null; return $r ;;
    folder) call "$1" "$d/file" ;;
    glob) call "$1" "$d/file/*.jsonl" ;;
    run) call "$1" "$d/run" ;;
    stage) call "$1" "$d/run/stages/01-dedup" ;;
    esac
}
commands="count tokens language synthesize mask blocklist decontaminate self-test dedup dedup-near dedup-lines rules holdout refine refine-programs score score-fixed features features-words correct diversify quality quality-train quality-pairs study select mix prune prune-model recipe piped-dedup
    piped-prune tokenizer-train encode encode-npy train eval prove refiner-train refiner-lines refiner-eval"
[ -x "$mock" ] && commands="$commands refiner-label quality-judge"
for c in $commands; do
    for how in file pipe fifo folder glob run stage; do
        rm -rf out; : >stdout
        named "$c" $how >stdout 2>said </dev/null || fail "$c of a $how: exit $?: $(cat said)"
        show "$c" >"result.$how" 2>/dev/null
        [ -s "result.$how" ] || fail "$c of a $how gives nothing"
        cmp -s result.file "result.$how" || fail "$c of a $how gives something else than of a file"
        checks=$((checks + 1))
    done
done

# ---- inputs in which something is wrong ----

mkdir torn gone only && cp words/file/stdin.jsonl torn/a.jsonl && cp words/file/stdin.jsonl gone/a.jsonl
gzip -nc words/file/stdin.jsonl | head -c 900 >torn/b.jsonl.gz
ln -s nowhere gone/b.jsonl
for i in 1 2 3; do echo "this is no JSON $i"; done >only/stdin.jsonl
mkdir pages-torn pages-gone && cp pages/file/stdin.jsonl pages-torn/a.jsonl && cp pages/file/stdin.jsonl pages-gone/a.jsonl
gzip -nc pages/file/stdin.jsonl | head -c 300 >pages-torn/b.jsonl.gz
ln -s nowhere pages-gone/b.jsonl
bad() { # COMMAND HOW: with that wrong input
    p=; [ "$(corpus_of "$1")" = pages ] && p=pages-
    case $2 in
    empty-pipe) : | call "$1" - ;;
    empty-file) : >stdin.jsonl; call "$1" stdin.jsonl ;;
    bad-pipe) cat only/stdin.jsonl | call "$1" - ;;
    bad-lines) call "$1" only ;;
    torn) call "$1" "${p}torn" ;;
    gone) call "$1" "${p}gone" ;;
    esac
}
tells() { # HOW: what has to be said
    case $1 in
    empty-*) echo 'no document|empty|no page' ;;
    bad-*) echo 'line 1: ' ;;
    *) echo 'b\.jsonl' ;;
    esac
}
for c in $commands; do
    for how in empty-pipe empty-file bad-pipe bad-lines torn gone; do
        rm -rf out; : >stdout
        bad "$c" $how >stdout 2>said </dev/null; code=$?
        [ $code = 3 ] || fail "$c, $how: exit $code instead of 3: $(cat said)"
        grep -qE -- "$(tells $how)" said || fail "$c, $how: does not say what is wrong: $(cat said)"
        checks=$((checks + 1))
        case $how-$c in
        torn-*train* | gone-*train* | *-features | *-features-words | *-correct | *-refiner-* | *-eval | *quality-pairs | *-study | *quality-judge | *-encode* | *-tokenizer* | *-count | *-tokens | *-self-test | *-piped* | *-prove | empty* | bad*) ;;
        *)  # a second call says so again, verify too, and what could be read is there
            bad "$c" $how >stdout 2>said; code=$?
            [ $code = 3 ] || fail "$c, $how, again: exit $code instead of 3: $(cat said)"
            $run verify -q out >stdout 2>said; code=$?
            [ $code = 3 ] && grep -q 'b\.jsonl' said || fail "$c, $how: verify ends with $code: $(cat said)"
            kept=out/documents/a.jsonl
            [ "$c" != mix ] || kept=out/documents/00000.jsonl # its shards are its own
            [ -e $kept ] || fail "$c, $how: the shard that can be read is not there"
            ;;
        esac
    done
done
echo "$checks checks, $wrong wrong"
[ $wrong = 0 ]
