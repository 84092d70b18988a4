"""Scoring SmolLM2-135M by winnow and by llama.cpp and ik_llama.cpp, taking turns.

    python3 bench/score_vs_llamacpp.py build/release MODEL.gguf TEXT --llama SOURCE [--ik SOURCE]
        [--compute bf16|int8] [--lengths 512,2048] [--rounds 5] [--tokens 4096]

SOURCE is a source tree whose library was built static in its folder build/
(-DGGML_NATIVE=ON -DBUILD_SHARED_LIBS=OFF, target llama), or SOURCE:LIBRARIES with
a folder of shared ones, such as llama_cpp/lib of llama-cpp-python where it was
compiled on this machine; bench/llama_worker.c is compiled against it.  Everyone gets the same weights (MODEL.gguf made bf16; the peers'
q8_0 and winnow's int8 are made from those) and the same token sequences.

What is timed: winnow computes the NLL of every token, from tokens in memory to
NLL in memory.  The peers compute the logits of every token, one sequence after
another with flash attention on (ik_llama.cpp also with weights repacked when
loaded and huge pages), the log-softmax not counted: that favours them.  Each
peer's micro-batch and way to wait (OMP_WAIT_POLICY) are the fastest of a trial
before the rounds.  Loading, packing
and one warm-up call are left out for everyone.  The last columns give 2 x
parameters x tokens over the peak of the type, measured in the same round.
"""
import os, re, statistics, sys, tempfile

import numpy as np

import peers

p = peers.llama_arguments()
p.add_argument("--lengths", default="512,2048")
p.add_argument("--tokens", type=int, default=4096, help="of a turn")
args = p.parse_args()
dump, probe = args.build + "/dump_engine", args.build + "/peak_probe"


def parameters(folder):
    """How many numbers the model has, from its safetensors in bf16."""
    path = folder + "/model.safetensors"
    with open(path, "rb") as f:
        header = int.from_bytes(f.read(8), "little")
    return (os.path.getsize(path) - 8 - header) // 2


def winnow(gguf, batch, tmp):
    out = peers.run(dump, "nll", gguf, batch, args.compute, tmp + "/nll")
    return float(re.search(r"([0-9.]+) seconds", out).group(1))


def best_worker(binary, gguf, length, batch):
    """What the fastest worker is called, itself and the mean NLL it finds: each micro-batch and way to wait is tried."""
    tried = {}
    for ubatch in sorted({u for u in (256, 512, 1024, 2048) if u <= length}):
        for wait in peers.WAITS:
            w = peers.Worker([binary, "score", gguf, args.threads, length, ubatch], peers.waiting(wait))
            nll = w.ask(batch)[1]
            tried[f"ubatch {ubatch}, {wait}"] = (w.ask(batch)[0], w, nll)
    best = min(tried, key=lambda t: tried[t][0])
    for t, (_, w, _) in tried.items():
        if t != best:
            w.close()
    return best, tried[best][1], tried[best][2]


with tempfile.TemporaryDirectory() as tmp:
    binaries, bf16, peer_model, peer_type = peers.llama_contestants(args, tmp)
    peers.run(dump, "convert", args.model, "bf16", tmp + "/folder")
    size = parameters(tmp + "/folder")
    peers.run(dump, "encode", args.model, args.text, tmp + "/ids")
    ids = np.fromfile(tmp + "/ids", dtype=np.uint32)
    for length in map(int, args.lengths.split(",")):
        count = max(1, args.tokens // length)
        tokens, batch = count * length, tmp + "/batch"
        if len(ids) < tokens:
            sys.exit(f"{args.text} holds {len(ids)} tokens, {tokens} are needed")
        peers.write_batch(batch, ids[:tokens].reshape(count, length))
        workers = {name: best_worker(b, peer_model, length, batch) for name, b in binaries.items()}

        def play(n):
            return {name: tokens / (winnow(bf16, batch, tmp) if name == "winnow" else workers[name][1].ask(batch)[0])
                    for name in peers.turns(("winnow", *workers), n)}

        now, pair, measured, note = peers.rounds(probe, args.rounds, play, args.compute)
        rates = {name: [m[name] for m in measured] for name in ("winnow", *workers)}
        peak = [p[args.compute][1] for p in now]
        nll = np.fromfile(tmp + "/nll", dtype=np.float32).reshape(count, length)[:, :-1]
        print(f"{count} x {length} tokens, {args.compute}, {args.threads} threads, {size / 1e6:.1f}M parameters, "
              f"{note}; peak of two threads {peers.spread(peak, '{:.0f}')} GFLOP/s, "
              f"pair probe {' '.join(f'{x:.2f}' for x in pair)}")
        rows = [("", "type", "tokens/s", "winnow / it", "% of peak", "mean NLL")]
        for name in rates:
            share = [2e-7 * size * v / k for v, k in zip(rates[name], peak)]
            rows.append((name if name == "winnow" else f"{name} ({workers[name][0]})",
                         args.compute if name == "winnow" else peer_type, peers.spread(rates[name], "{:.0f}"),
                         "" if name == "winnow" else peers.ratios(rates["winnow"], rates[name]),
                         peers.spread(share, "{:.1f}"), f"{nll.mean() if name == 'winnow' else workers[name][2]:.4f}"))
        peers.table(rows)
        for _, w, _ in workers.values():
            w.close()
