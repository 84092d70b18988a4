"""Greedy generation of 32 sequences at once by winnow and by llama.cpp and ik_llama.cpp, taking turns.

    python3 bench/generate_vs_llamacpp.py build/release MODEL.gguf TEXT --llama SOURCE [--ik SOURCE]
        [--compute bf16|int8] [--sequences 32] [--prompt 128] [--new 128] [--rounds 5]

SOURCE as in score_vs_llamacpp.py, with llama-batched-bench built.  Everyone gets
the same weights; prompts are pieces of TEXT here, and random tokens in the
peers' own llama-batched-bench, which times the forward passes but chooses no
token.  winnow's side also takes the likeliest token each time.  Columns: tokens
generated a second over the whole time, prompts included; then the prompts alone
and the passes that only decode.
"""
import argparse, re, sys, tempfile

import numpy as np

import peers

p = argparse.ArgumentParser()
p.add_argument("build")
p.add_argument("model")
p.add_argument("text")
p.add_argument("--llama")
p.add_argument("--ik")
p.add_argument("--compute", default="bf16", choices=["bf16", "int8"])
p.add_argument("--sequences", type=int, default=32)
p.add_argument("--prompt", type=int, default=128)
p.add_argument("--new", type=int, default=128)
p.add_argument("--rounds", type=int, default=5)
p.add_argument("--threads", type=int, default=2)
args = p.parse_args()
S, P, N = args.sequences, args.prompt, args.new


def winnow(gguf, batch):
    """Seconds in all, prompt tokens/s, decoded tokens/s."""
    out = peers.run(args.build + "/generate_worker", gguf, args.compute, args.threads, batch, N)
    v = dict(re.findall(r"(seconds|prompt|decode|new) ([0-9.]+)", out))
    if int(float(v["new"])) != S * N:
        sys.exit(f"generate_worker chose {v['new']} tokens, not {S * N}")
    return float(v["seconds"]), float(v["prompt"]), float(v["decode"])


def peer(source, gguf, ik):
    more = ["-rtr", "-thp", "-fa", "on"] if ik else ["-fa", "on"]
    out = peers.run(peers.programs(source + "/build") + "/llama-batched-bench", "-m", gguf, "-c", S * (P + N), "-b", 2048,
                    "-ub", 512, "-npp", P, "-ntg", N, "-npl", S, "-t", args.threads, *more)
    row = re.search(rf"\|\s*{P} \|\s*{N} \|\s*{S} \|(.*)", out)
    if not row:
        sys.exit(f"no line of llama-batched-bench to read:\n{out[-2000:]}")
    _, _, s_pp, _, s_tg, total, _ = (float(x) for x in row.group(1).split("|")[:7])
    return total, s_pp, s_tg


with tempfile.TemporaryDirectory() as tmp:
    quantize = peers.programs((args.llama or args.ik) + "/build") + "/llama-quantize"
    bf16 = tmp + "/bf16.gguf"
    peers.run(quantize, "--allow-requantize", args.model, bf16, "BF16")
    theirs, kind = bf16, "bf16"
    if args.compute == "int8":
        theirs, kind = tmp + "/q8_0.gguf", "q8_0"
        peers.run(quantize, bf16, theirs, "Q8_0")
    peers.run(args.build + "/dump_engine", "encode", args.model, args.text, tmp + "/ids")
    ids = np.fromfile(tmp + "/ids", dtype=np.uint32)[:S * P].reshape(S, P)
    peers.write_batch(tmp + "/batch", ids)
    play = {"winnow": lambda: winnow(bf16, tmp + "/batch")}
    if args.llama:
        play["llama.cpp"] = lambda: peer(args.llama, theirs, False)
    if args.ik:
        play["ik_llama.cpp"] = lambda: peer(args.ik, theirs, True)
    figures, pair = {name: [] for name in play}, []
    for r in range(args.rounds):
        pair.append(peers.pair(peers.peaks(args.build + "/peak_probe"), args.compute))
        order = list(play)
        for name in order[r % len(order):] + order[:r % len(order)]:
            total, s_pp, s_tg = play[name]()
            figures[name].append((S * N / total, s_pp, s_tg))
    print(f"{S} sequences, prompts of {P} tokens, {N} new ones each, {args.threads} threads, {args.rounds} rounds; "
          f"pair probe {' '.join(f'{x:.2f}' for x in pair)}")
    rows = [("", "type", "new tokens/s, all", "winnow / it", "prompt tokens/s", "winnow / it", "decoded/s", "winnow / it")]
    for name, f in figures.items():
        row = [name, args.compute if name == "winnow" else kind]
        for i in range(3):
            mine, its = [x[i] for x in figures["winnow"]], [x[i] for x in f]
            row += [peers.spread(its, "{:.0f}"), "" if name == "winnow" else peers.ratios(mine, its)]
        rows.append(row)
    peers.table(rows)
