#!/bin/sh
# Muon beside AdamW on Wikipedia, three learning rates and three seeds each.
#
#   muon.sh small   0.8M parameters, 1M tokens: minutes on two idle cores
#   muon.sh         3M parameters, 6M tokens: hours.  Also Muon on four fifths of
#                   AdamW's FLOPs, and AdamW with a smaller batch
#
# Run it again after an interruption and it goes on.
#
#   WINNOW_DATA  folder with clean/wiki.jsonl.zst  (../shared/data)
#   STATE        where it works                    (runs/evidence-muon)
#   BUILD        the programs                      (build/release)
#   JOBS         runs side by side, a thread each  (2)
#
# The middle learning rate comes first, all seeds of both.  muon.py $STATE prints
# the table of what is done.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
data=${WINNOW_DATA:-$root/../shared/data}
state=${STATE:-$root/runs/evidence-muon}
build=${BUILD:-$root/build/release}
worker=${WORKER:-$build/optimizer_curve}

mkdir -p "$state"
cd "$state"
[ -s heldout.jsonl ] || {
    zstd -dc "$data/clean/wiki.jsonl.zst" >all.part
    head -n 2600 all.part >train.jsonl
    tail -n 150 all.part >heldout.part
    rm all.part
    mv heldout.part heldout.jsonl
}
[ -s tokenizer.json ] || "$build/winnow" -q tokenizer train --vocab 4096 train.jsonl -o tokenizer.json

# size, optimizer, learning rate, seed, tokens, tokens a step
case ${1:-full} in
small) cat >runs.txt <<END ;;
0.8M adamw 4e-3 1 1000000 2048
0.8M muon  4e-3 1 1000000 2048
0.8M adamw 8e-3 1 1000000 2048
0.8M muon  8e-3 1 1000000 2048
0.8M adamw 2e-3 1 1000000 2048
0.8M muon  2e-3 1 1000000 2048
0.8M adamw 4e-3 1 1000000 512
0.8M adamw 4e-3 1 1000000 1024
0.8M muon  4e-3 1 1000000 512
0.8M muon  4e-3 1 1000000 1024
0.8M adamw 4e-3 2 1000000 2048
0.8M muon  4e-3 2 1000000 2048
0.8M adamw 4e-3 3 1000000 2048
0.8M muon  4e-3 3 1000000 2048
0.8M adamw 8e-3 2 1000000 2048
0.8M muon  8e-3 2 1000000 2048
0.8M adamw 8e-3 3 1000000 2048
0.8M muon  8e-3 3 1000000 2048
0.8M adamw 2e-3 2 1000000 2048
0.8M muon  2e-3 2 1000000 2048
0.8M adamw 2e-3 3 1000000 2048
0.8M muon  2e-3 3 1000000 2048
END
full) cat >runs.txt <<END ;;
3M adamw 4e-3 1 6000000 4096
3M muon  4e-3 1 6000000 4096
3M adamw 4e-3 2 6000000 4096
3M muon  4e-3 2 6000000 4096
3M adamw 4e-3 3 6000000 4096
3M muon  4e-3 3 6000000 4096
3M adamw 2e-3 1 6000000 1024
3M adamw 8e-3 1 6000000 4096
3M muon  8e-3 1 6000000 4096
3M adamw 2e-3 1 6000000 4096
3M muon  2e-3 1 6000000 4096
3M muon  4e-3 1 4378000 4096
3M muon  4e-3 2 4378000 4096
3M muon  4e-3 3 4378000 4096
3M adamw 8e-3 2 6000000 4096
3M muon  8e-3 2 6000000 4096
3M adamw 2e-3 2 6000000 4096
3M muon  2e-3 2 6000000 4096
3M adamw 8e-3 3 6000000 4096
3M muon  8e-3 3 6000000 4096
3M adamw 2e-3 3 6000000 4096
3M muon  2e-3 3 6000000 4096
END
*) echo "usage: muon.sh [small|full]" >&2; exit 2 ;;
esac
export worker
# shellcheck disable=SC2016  # the inner shell expands it
xargs -P "${JOBS:-2}" -L 1 sh -c '
    run="run-$1-$2-$3-$4-$5-$6"
    [ ! -s "$run/result.json" ] || exit 0
    mkdir -p "$run"
    exec nice -n 19 "$worker" train.jsonl heldout.jsonl tokenizer.json "$run" "$@"
' run <runs.txt
exec python3 "$here/muon.py" "$state"
