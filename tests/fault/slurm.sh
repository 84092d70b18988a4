#!/bin/sh
# A real Slurm on loopback, one controller and two nodes, runs tools/winnow.sbatch: the same bytes as
# one process leaves; a node's rank that is killed ends the job, and the job submitted again goes on.
set -u
bin=$(readlink -f "$1") && [ -x "$bin" ] || { echo "no program: $1"; exit 1; }
here=$(cd "$(dirname "$0")" && pwd)
for tool in slurmctld slurmd munged sbatch; do
    command -v $tool >/dev/null || { echo "no $tool: not tested"; exit 77; }
done
[ "$(id -u)" = 0 ] || { echo "not root, who starts slurmd: not tested"; exit 77; }
[ -f "$(dirname "$bin")/winnow-mpi.so" ] || { echo "built without MPI: not tested"; exit 77; }
tmp=$(mktemp -d)
stop() {
    for file in "$tmp/n1/pid" "$tmp/n2/pid" "$tmp/ctl.pid" "$tmp/munge/pid"; do
        [ -f "$file" ] && kill "$(cat "$file")" 2>/dev/null
    done
    sleep 1
    rm -rf "$tmp"
}
trap stop EXIT
cd "$tmp" || exit 1
chmod 755 "$tmp"
export ASAN_OPTIONS="detect_leaks=0:${ASAN_OPTIONS:-}" # MPI keeps what it has until the end

mkdir -p munge state n1/spool n1/tmp n2/spool n2/tmp
head -c 128 /dev/urandom >munge.key
chmod 400 munge.key
munged --force --num-threads=1 --key-file="$tmp/munge.key" --socket="$tmp/munge/socket" \
    --pid-file="$tmp/munge/pid" --log-file="$tmp/munge/log" --seed-file="$tmp/munge/seed" 2>/dev/null ||
    { echo "munged does not start: not tested"; exit 77; }
port=$((20000 + $$ % 20000))
cat >slurm.conf <<Y
ClusterName=loopback
SlurmctldHost=$(hostname)(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=$tmp/munge/socket
SlurmctldPort=$port
SlurmctldPidFile=$tmp/ctl.pid
SlurmctldLogFile=$tmp/ctl.log
SlurmdPidFile=$tmp/%n/pid
SlurmdLogFile=$tmp/%n/log
SlurmdSpoolDir=$tmp/%n/spool
TmpFS=$tmp/%n/tmp
StateSaveLocation=$tmp/state
ProctrackType=proctrack/pgid
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
ReturnToService=2
NodeName=n1 NodeHostname=$(hostname) NodeAddr=127.0.0.1 Port=$((port + 1)) CPUs=1
NodeName=n2 NodeHostname=$(hostname) NodeAddr=127.0.0.1 Port=$((port + 2)) CPUs=1
PartitionName=main Nodes=n1,n2 Default=YES State=UP MaxTime=INFINITE
Y
export SLURM_CONF="$tmp/slurm.conf"
slurmctld -f "$SLURM_CONF" 2>/dev/null
for n in n1 n2; do slurmd -N $n -f "$SLURM_CONF" 2>/dev/null; done
for _ in $(seq 40); do
    [ "$(sinfo -h -N -t idle 2>/dev/null | wc -l)" = 2 ] && break
    sleep 0.25
done
[ "$(sinfo -h -N -t idle 2>/dev/null | wc -l)" = 2 ] || { cat ctl.log n1/log; echo "no Slurm of two nodes can be started here: not tested"; exit 77; }

srun --mpi=list 2>&1 | grep -q pmix || { echo "a Slurm without pmix: not tested"; exit 77; }

"$here/make_corpus.sh" in "${2:-9000}"
for i in 1 2 3; do sed "s/\"id\":\"d/\"id\":\"$i-d/" in/a.jsonl >"in/sub/a$i.jsonl"; done
cat >recipe.yaml <<'Y'
winnow: 1
input: [in]
output: run
checkpoint: 0
stages:
  - rules: {filter: false}
  - mask: {edit: true}
  - dedup:
  - holdout: {share: 5%}
Y
prints() { (cd "$1" && find . -type f ! -name timings.json ! -name input.json ! -name .lock ! -name 'report*' | sort | xargs md5sum); }
same() { prints run >got; diff want got || { echo "$1"; exit 1; }; }
# job NODES: submits the recipe and waits for its end
job() { WINNOW=$bin sbatch -Q --wait --nodes "$1" -o job.log "$here/../../tools/winnow.sbatch" recipe.yaml -q; }

"$bin" run -q recipe.yaml >/dev/null 2>&1 || exit 1
prints run >want
rm -rf run
job 2 || { cat job.log n1/log; echo "the job failed"; exit 1; }
same "two nodes wrote other bytes than one process"
rm -rf run job.log
job 2 &
waiting=$!
for _ in $(seq 100); do # until a rank has left a place to go on from
    [ -n "$(find run/stages -path '*/progress-*' -name '*.json' 2>/dev/null)" ] && break
    sleep 0.05
done
victim=
for p in $(pgrep -x winnow); do # of this test
    [ "$(readlink "/proc/$p/cwd")" = "$tmp" ] && victim=$p
done
[ -n "$victim" ] && kill -KILL "$victim"
wait $waiting
code=$?
[ -n "$victim" ] && [ $code = 0 ] && { cat job.log; echo "a job of which a rank was killed did not fail"; exit 1; }
job 1 || { cat job.log; echo "the job does not go on on one node"; exit 1; }
same "a job that was killed on two nodes and gone on with on one left other bytes"
echo "Slurm: two nodes and one process leave the same bytes, and so does one node behind a killed rank of two"
