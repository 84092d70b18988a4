"""From nothing to the first token: winnow and llama.cpp as whole processes, taking turns.

    python3 bench/load_vs_llamacpp.py build/release MODEL.gguf --llama SOURCE [--rounds 15]

Small programs on both sides (bench/first_token.c, bench/llama_worker.c): start,
load weights and tokenizer, encode a short prompt, run it, print the likeliest
next token, end.  The files lie in the page cache.  The same model as a bf16 GGUF
and as MODEL.gguf comes; winnow also reads it as a folder of safetensors in
bf16, which llama.cpp cannot: its peer there is llama.cpp with the bf16 GGUF.
"""
import argparse, shutil, sys, tempfile, time

import peers

p = argparse.ArgumentParser()
p.add_argument("build")
p.add_argument("model")
p.add_argument("--llama", required=True)
p.add_argument("--rounds", type=int, default=15)
p.add_argument("--threads", type=int, default=2)
p.add_argument("--prompt", default="The capital of France is")
args = p.parse_args()


def timed(command):
    begin = time.perf_counter()
    out = peers.run(*command, env=peers.waiting("passive"))
    took = time.perf_counter() - begin
    return took, next((line for line in out.splitlines() if line.isdigit()), "none")  # among llama.cpp's log


with tempfile.TemporaryDirectory() as tmp:
    gguf, folder, given = tmp + "/bf16.gguf", tmp + "/folder", tmp + "/given.gguf"
    worker = peers.llama_worker(args.llama, tmp + "/worker")
    peers.run(worker, "quantize", args.model, gguf, "bf16")
    peers.run(args.build + "/dump_engine", "convert", args.model, "bf16", folder)
    shutil.copy(args.model, given)
    ours, t = args.build + "/first_token", args.threads
    play = {
        "bf16 GGUF": ([ours, gguf, "bf16", t, args.prompt], [worker, "first", gguf, t, args.prompt]),
        "bf16 safetensors": ([ours, folder, "bf16", t, args.prompt], [worker, "first", gguf, t, args.prompt]),
        "GGUF as it comes": ([ours, given, "bf16", t, args.prompt], [worker, "first", given, t, args.prompt]),
    }
    tokens = {}

    def once(n):
        seconds = {}
        for name, sides in play.items():
            for side in peers.turns((0, 1), n):
                seconds[name, side], tokens[name, side] = timed(sides[side])
        return seconds

    once(0)  # for the page cache
    _, pair, measured, note = peers.rounds(args.build + "/peak_probe", args.rounds, once, seconds=60)
    times = {name: [[m[name, side] for m in measured] for side in (0, 1)] for name in play}
    print(f"prompt {args.prompt!r}, {t} threads; {note}; pair probe {' '.join(f'{x:.2f}' for x in pair)}")
    rows = [("model", "winnow, ms", "llama.cpp, ms", "winnow's time / its", "tokens")]
    for name, (mine, its) in times.items():
        same = f"{tokens[name, 0]} {tokens[name, 1]}"
        rows.append((name, peers.spread([1e3 * x for x in mine], "{:.0f}"), peers.spread([1e3 * x for x in its], "{:.0f}"),
                     peers.ratios(mine, its), same))
    peers.table(rows)
