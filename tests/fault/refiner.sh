#!/bin/sh
# refiner.sh PROGRAM ROUNDS: a refiner's training, from scratch, with LoRA and of a line
# model, killed at random moments, on one and two threads, ends with the same bytes as an uninterrupted one.
set -eu
winnow=$(readlink -f "$1"); rounds=$2
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
cd "$dir"
awk 'BEGIN { srand(4)
    split("the cat sat on a mat and then it slept all day long in the warm sun", w, " ")
    for (p = 0; p < 300; p++) {
        raw = "Home\\nNews"; label = "0, 0"
        for (i = 0; i < 12; i++) {
            line = ""
            for (k = 0; k < 9; k++) line = line (k ? " " : "") w[1 + int(rand() * 15)]
            raw = raw "\\n" line (rand() < .3 ? "" : "."); label = label ", " (rand() < .7)
        }
        printf "{\"id\": \"p%d\", \"text\": \"%s\", \"label\": [%s]}\n", p, raw, label
    }
}' >pages.jsonl
sed 's/"text": "\(.*\)", "label"/"lines": ["\1"], "label"/; s/\\n/", "/g' pages.jsonl >lines.jsonl
train_lines() { # OUTPUT [OPTION...]
    out=$1; shift
    exec "$winnow" refiner train-lines -q "$@" --epochs 3 --checkpoint 0 lines.jsonl -o "$out"
}
train() { # OUTPUT [OPTION...]; in a subshell, which it replaces, so that kill hits it
    out=$1; shift
    exec "$winnow" refiner train -q "$@" --context 512 --chunk-tokens 200 --answer-tokens 100 \
        --batch-tokens 1024 --dim 48 --layers 2 --heads 2 --vocab 400 --points 4 --checkpoint 0 pages.jsonl -o "$out"
}
same() {
    for f in config.json model.safetensors tokenizer.json training.json adapter/adapter_model.safetensors; do
        [ -e "$1/$f" ] || continue
        grep -v '"output"' "$1/$f" >a.bin || :
        grep -v '"output"' "$2/$f" >b.bin || :
        cmp a.bin b.bin || { echo "$2: $f differs"; exit 1; }
    done
}
kills=0; resumed=0
campaign() { # NAME COMMAND [OPTION...]
    name=$1 command=$2; shift 2
    start=$(date +%s%N)
    ("$command" "whole-$name" --threads 1 "$@") >/dev/null
    took=$(( ($(date +%s%N) - start) / 1000000 ))
    i=0
    while [ $i -lt "$rounds" ]; do
        i=$((i + 1)); rm -rf killed; finished=no
        for attempt in 1 2 3 4 5; do
            "$command" killed --threads $((i % 2 + 1)) "$@" >/dev/null 2>&1 &
            pid=$!
            sleep "$(awk -v s=$((i * 31 + attempt)) -v t=$took 'BEGIN { srand(s); print rand() * t / 1000 * .8 }')"
            if kill -9 $pid 2>/dev/null; then
                kills=$((kills + 1)); wait $pid 2>/dev/null || :
                [ ! -e killed/checkpoint/trainer.bin ] && [ ! -e killed/checkpoint/lines.bin ] || resumed=$((resumed + 1))
            else wait $pid && finished=yes || { echo "failed by itself"; exit 1; }; break; fi
        done
        [ $finished = yes ] || ("$command" killed "$@") >/dev/null
        same "whole-$name" killed
        [ ! -e killed/checkpoint ] || { echo "the checkpoint was left behind"; exit 1; }
    done
}
campaign scratch train --epochs 3 --lr 2e-3
campaign lora train --model whole-scratch --lora-rank 4 --epochs 2
campaign lines train_lines
echo "$kills kills in $rounds rounds of three trainings, $resumed of them behind a checkpoint: the same bytes"
[ $resumed -gt 0 ]
