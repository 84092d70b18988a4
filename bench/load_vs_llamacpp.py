"""From nothing to the first token: winnow and llama.cpp as whole processes, taking turns.

    python3 bench/load_vs_llamacpp.py build/release MODEL.gguf --llama SOURCE [--rounds 15]

Small programs on both sides (bench/first_token.c, bench/llama_worker.c): start,
load weights and tokenizer, encode a short prompt, run it, print the likeliest
next token, end.  The files lie in the page cache.  The same model as a bf16 GGUF
and as MODEL.gguf comes; winnow also reads it as a folder of safetensors in
bf16, which llama.cpp cannot: its peer there is llama.cpp with the bf16 GGUF.
How llama.cpp's threads wait is what a trial finds the faster.  Memory is the
largest resident size of the process, pages of the file that it maps included.
"""
import argparse, os, shutil, statistics, subprocess, sys, tempfile, time

import peers

p = argparse.ArgumentParser()
p.add_argument("build")
p.add_argument("model")
p.add_argument("--llama", required=True)
p.add_argument("--rounds", type=int, default=15)
p.add_argument("--threads", type=int, default=2)
p.add_argument("--prompt", default="The capital of France is")
args = p.parse_args()


def timed(command, wait):
    """Seconds, MiB and the token of a process."""
    begin = time.perf_counter()
    p = subprocess.Popen(list(map(str, command)), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                         stderr=subprocess.STDOUT, text=True, env={**os.environ, **peers.waiting(wait)})
    out = p.stdout.read()
    _, p.returncode, usage = os.wait4(p.pid, 0)
    took = time.perf_counter() - begin
    if p.returncode:
        sys.exit(f"{' '.join(map(str, command))} failed:\n{out[-2000:]}")
    token = next((line for line in out.splitlines() if line.isdigit()), "none")  # among llama.cpp's log
    return took, usage.ru_maxrss / 1024, token


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
    def once(n):
        out = {}
        for name, sides in play.items():
            for side in peers.turns((0, 1), n):
                out[name, side] = timed(sides[side], wait)
        return out

    tried = {w: min(timed(play["bf16 GGUF"][1], w)[0] for _ in range(5)) for w in peers.WAITS}
    wait = min(tried, key=tried.get)
    once(0)  # for the page cache
    _, pair, measured, note = peers.rounds(args.build + "/peak_probe", args.rounds, once, seconds=60)
    print(f"prompt {args.prompt!r}, {t} threads; {note}; pair probe {' '.join(f'{x:.2f}' for x in pair)}; "
          f"llama.cpp's threads wait {wait}")
    rows = [("model", "winnow, ms", "llama.cpp, ms", "winnow's time / its", "MiB", "llama.cpp, MiB", "tokens")]
    for name in play:
        (mine, mib, token), (its, its_mib, its_token) = (zip(*[m[name, side] for m in measured]) for side in (0, 1))
        rows.append((name, peers.spread([1e3 * x for x in mine], "{:.0f}"), peers.spread([1e3 * x for x in its], "{:.0f}"),
                     peers.ratios(mine, its), f"{statistics.median(mib):.0f}", f"{statistics.median(its_mib):.0f}",
                     f"{token[0]} {its_token[0]}"))
    peers.table(rows)
