"""Greedy generation of 32 sequences at once by winnow and by llama.cpp and ik_llama.cpp, taking turns.

    python3 bench/generate_vs_llamacpp.py build/release MODEL.gguf TEXT --llama SOURCE [--ik SOURCE]
        [--compute bf16|int8] [--sequences 32] [--prompt 128] [--new 128] [--rounds 5]

SOURCE as in score_vs_llamacpp.py.  Everyone gets the same weights and prompts, and
goes on with the likeliest token of each row, no row ending early.  The peers run
all prompts in one call and then all rows in one call a token; what they are timed
for is their forward passes alone, choosing tokens not counted, while winnow's time
has all of it.  llama.cpp's cache is a unified or a split one, whichever a trial
before the rounds finds faster.  Columns: new tokens a second over the whole time,
prompts included; prompt tokens a second; new tokens a second in the passes that
only decode.
"""
import re, sys, tempfile

import numpy as np

import peers

p = peers.llama_arguments()
p.add_argument("--sequences", type=int, default=32)
p.add_argument("--prompt", type=int, default=128)
p.add_argument("--new", type=int, default=128)
args = p.parse_args()
S, P, N = args.sequences, args.prompt, args.new


def winnow(gguf, batch):
    """Seconds in all, prompt tokens/s, decoded tokens/s."""
    out = peers.run(args.build + "/generate_worker", gguf, args.compute, args.threads, batch, N)
    v = dict(re.findall(r"(seconds|prompt|decode|new) ([0-9.]+)", out))
    if int(v["new"]) != S * N:
        sys.exit(f"generate_worker chose {v['new']} tokens, not {S * N}")
    return float(v["seconds"]), float(v["prompt"]), float(v["decode"])


def peer(worker, batch):
    prompts, decoding = worker.ask(f"{batch} {N}")
    return prompts + decoding, S * P / prompts, S * N / decoding


def best_worker(binary, gguf, batch, ik):
    """A worker with the faster kind of cache and way to wait, after one whole run."""
    tried = {}
    for unified in (1,) if ik else (0, 1):
        for wait in peers.WAITS:
            w = peers.Worker([binary, "generate", gguf, args.threads, P + N, S, unified], peers.waiting(wait))
            w.ask(f"{batch} 2")
            tried[f"{'unified' if unified else 'split'} cache, {wait}"] = (sum(w.ask(f"{batch} {N // 4}")), w)
    best = min(tried, key=lambda t: tried[t][0])
    for t, (_, w) in tried.items():
        if t != best:
            w.close()
    return tried[best][1], best


with tempfile.TemporaryDirectory() as tmp:
    binaries, bf16, theirs, kind = peers.llama_contestants(args, tmp)
    batch = tmp + "/batch"
    peers.run(args.build + "/dump_engine", "encode", args.model, args.text, tmp + "/ids")
    peers.write_batch(batch, np.fromfile(tmp + "/ids", dtype=np.uint32)[:S * P].reshape(S, P))
    play = {"winnow": lambda: winnow(bf16, batch)}
    for name, binary in binaries.items():
        worker, cache = best_worker(binary, theirs, batch, name.startswith("ik"))
        play[f"{name} ({cache})"] = lambda worker=worker: peer(worker, batch)
    _, pair, measured, note = peers.rounds(args.build + "/peak_probe", args.rounds,
                                           lambda n: {name: play[name]() for name in peers.turns(play, n)}, args.compute)
    figures = {name: [(S * N / m[name][0], *m[name][1:]) for m in measured] for name in play}
    print(f"{S} sequences, prompts of {P} tokens, {N} new ones each, {args.threads} threads; {note}; "
          f"pair probe {' '.join(f'{x:.2f}' for x in pair)}")
    rows = [("", "type", "new tokens/s, all", "winnow / it", "prompt tokens/s", "winnow / it", "decoded/s", "winnow / it")]
    for name, f in figures.items():
        row = [name, args.compute if name == "winnow" else kind]
        for i in range(3):
            mine, its = [x[i] for x in figures["winnow"]], [x[i] for x in f]
            row += [peers.spread(its, "{:.0f}"), "" if name == "winnow" else peers.ratios(mine, its)]
        rows.append(row)
    peers.table(rows)
