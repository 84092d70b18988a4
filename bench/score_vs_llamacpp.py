"""Scoring SmolLM2-135M at 512 tokens by winnow and by llama.cpp, taking turns.

    python3 bench/score_vs_llamacpp.py build/release/dump_engine LLAMA_BIN MODEL.gguf TEXT [ROUNDS [CHUNKS]]

Both in bf16 on all processors.  winnow gives the NLL of every token; llama.cpp
is timed by its perplexity tool, which computes logits for half of them (its
"seconds per pass", model loading left out).  Prints the median of each and of
the paired ratios.
"""
import os, re, statistics, subprocess, sys, tempfile

import numpy as np

dump, llama, model, text = sys.argv[1:5]
rounds = int(sys.argv[5]) if len(sys.argv) > 5 else 5
chunks = int(sys.argv[6]) if len(sys.argv) > 6 else 16
N = 512


def run(*args):
    r = subprocess.run(list(map(str, args)), check=True, capture_output=True, text=True)
    return r.stdout + r.stderr


with tempfile.TemporaryDirectory() as tmp:
    gguf = tmp + "/bf16.gguf"
    run(llama + "/llama-quantize", "--allow-requantize", model, gguf, "BF16")
    run(dump, "encode", model, text, tmp + "/ids")
    tokens = np.fromfile(tmp + "/ids", dtype=np.uint32)[:chunks * N]
    np.concatenate([[chunks], np.arange(chunks + 1) * N, tokens]).astype(np.uint32).tofile(tmp + "/batch")
    ours, theirs = [], []
    for r in range(rounds):
        out = run(dump, "nll", gguf, tmp + "/batch", "bf16", tmp + "/nll")
        ours.append(chunks * N / float(re.search(r"([0-9.]+) seconds", out).group(1)))
        # One pass over all chunks: the tool prints the time of its first pass only.
        out = run(llama + "/llama-perplexity", "-m", gguf, "-f", text, "-c", N, "-b", chunks * N, "-ub", N,
                  "--chunks", chunks, "-t", os.cpu_count(), "-fa", "on")
        theirs.append(chunks * N / float(re.search(r"([0-9.]+) seconds per pass", out).group(1)))
        print(f"round {r + 1}: winnow {ours[-1]:.0f}, llama.cpp {theirs[-1]:.0f} tokens/s", flush=True)
    print(f"medians: winnow {statistics.median(ours):.0f} tokens/s (NLL of every token), llama.cpp "
          f"{statistics.median(theirs):.0f} (logits of half), paired ratio "
          f"{statistics.median(a / b for a, b in zip(ours, theirs)):.2f}")
