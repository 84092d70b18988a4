"""What 8-bit factors change: NLL and greedy tokens of int8 and bf16 beside f32.

    python3 tests/oracle/int8_vs_f32.py build/release/dump_engine MODEL TEXT [SEQUENCES]

Teacher-forced: SEQUENCES (8) of 512 tokens of TEXT; every position's logits are
computed in each type.  Printed: mean NLL and its shift, the share of positions
whose most likely token is that of f32, and by how much f32 preferred its own
where it is not (top-2 margin in nats, median and largest), beside the median
margin of all positions.  Needs numpy.
"""
import subprocess, sys, tempfile

import numpy as np

dump, model, text = sys.argv[1:4]
count, N = int(sys.argv[4]) if len(sys.argv) > 4 else 8, 512


def summary(path, tokens):
    """NLL, greedy tokens and margins; a sequence at a time, since logits are large."""
    logits = np.memmap(path, dtype=np.float32, mode="r").reshape(count, N, -1)
    nll, best, margin = [], [], []
    for s in range(count):
        x = np.asarray(logits[s, :-1], dtype=np.float64)
        top = x.max(-1)
        lse = top + np.log(np.exp(x - top[:, None]).sum(-1))
        nll.append(lse - x[np.arange(N - 1), tokens[s, 1:]])
        best.append(x.argmax(-1))
        two = np.partition(x, -2, -1)[:, -2:]
        margin.append(two[:, 1] - two[:, 0])
    return np.concatenate(nll), np.concatenate(best), np.concatenate(margin)


with tempfile.TemporaryDirectory() as tmp:
    subprocess.run([dump, "encode", model, text, tmp + "/ids"], check=True)
    tokens = np.fromfile(tmp + "/ids", dtype=np.uint32)[:count * N]
    np.concatenate([[count], np.arange(count + 1) * N, tokens]).astype(np.uint32).tofile(tmp + "/batch")
    tokens = tokens.reshape(count, N).astype(int)
    seen = {}
    for kind in ("f32", "bf16", "int8"):
        subprocess.run([dump, "logits", model, tmp + "/batch", kind, tmp + "/logits"], check=True,
                       stdout=subprocess.DEVNULL)
        seen[kind] = summary(tmp + "/logits", tokens)
        nll, best, _ = seen[kind]
        reference, greedy, margin = seen["f32"]
        line = f"{kind:5} NLL {nll.mean():.4f}"
        if kind != "f32":
            other = best != greedy
            line += (f" ({nll.mean() - reference.mean():+.4f}), greedy token of f32 in {100 * (1 - other.mean()):.2f} % "
                     f"of {len(best)}; margin in f32 where not: median {np.median(margin[other]):.3f}, largest "
                     f"{margin[other].max():.3f} (all positions: median {np.median(margin):.2f})")
        print(line, flush=True)
