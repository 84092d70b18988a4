#!/bin/sh
# test_ranks as 1 to 4 processes under mpirun.
set -eu
command -v mpirun >/dev/null || { echo "no mpirun: not tested"; exit 77; }
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
export ASAN_OPTIONS="detect_leaks=0:${ASAN_OPTIONS:-}" # MPI keeps what it has until the end
for n in 1 2 3 4; do
    mpirun --oversubscribe --bind-to none -n $n "$1" "$2" >/dev/null 2>err.$$ || {
        cat err.$$
        rm -f err.$$
        echo "test_ranks failed on $n ranks"
        exit 1
    }
    rm -f err.$$
done
