#!/usr/bin/env python3
"""What a selection is, before anything is trained on it.

    select_measure.py FOLDER TARGET RUN

FOLDER is a seed's (select_corpus.py), with vectors/pool and vectors/TARGET-test; RUN is what winnow
select made of it, or a file of rows of the pool.  Prints one JSON object: rows chosen, their tokens, distinct groups (a row and its
near-copies are one), and the cosine of the gradient of what was chosen, weighted and not, with
that of the target's held-out test rows over all checkpoints.  Needs numpy."""
import json
import os
import struct
import sys

import numpy


def store(path):
    """A function from rows to numbers [rows, T, D] times their norms; rates [T], tokens [n], norms
    [n, T] (docs/formats/vectors.md)."""
    raw = numpy.memmap(os.path.join(path, "vectors.bin"), numpy.uint8, "r")
    assert raw[:8].tobytes() == b"winnowV1"
    parts, dim, n = struct.unpack_from("<IIQ", raw, 16)
    up = lambda at: -(-at // 4096) * 4096
    rates = numpy.array([struct.unpack_from("<Qd", raw, 1024 + 64 * t)[1] for t in range(parts)])
    rows = numpy.frombuffer(raw, numpy.uint8, n * 64, 4096).reshape(n, 64)
    tokens = rows[:, 24:28].copy().view(numpy.uint32)[:, 0]
    at = up(4096 + n * 64)
    norms = numpy.frombuffer(raw, numpy.float32, n * parts, at).reshape(n, parts)
    at = up(at + norms.nbytes)
    data = numpy.frombuffer(raw, numpy.uint16, n * parts * dim, at).reshape(n, parts, dim)

    def vectors(which):
        numbers = (data[which].astype(numpy.uint32) << 16).view(numpy.float32)
        return numbers * norms[which, :, None]

    return vectors, rates, tokens, norms


def attributes(run):
    """Weights by id of the rows a run keeps."""
    out = {}
    folder = os.path.join(run, "stages", "01-select", "attributes", "select")
    for name in sorted(os.listdir(folder)):
        for line in open(os.path.join(folder, name), encoding="utf-8"):
            row = json.loads(line)
            weight = row["attributes"].get("winnow__weight")
            if weight:
                out[row["id"]] = weight[0][2]
    return out


def main():
    folder, target, run = sys.argv[1:4]
    pool, rates, tokens, norms = store(os.path.join(folder, "vectors", "pool"))
    test = store(os.path.join(folder, "vectors", target + "-test"))[0](slice(None))
    scale = numpy.sqrt(rates / rates.sum()) / norms.mean(axis=0)
    ids = [json.loads(line)["id"] for line in open(os.path.join(folder, "pool.jsonl"), encoding="utf-8")]
    if os.path.isdir(run):
        weights = attributes(run)
    else:
        weights = {json.loads(line)["id"]: 1.0 for line in open(run, encoding="utf-8")}
    chosen = [n for n, name in enumerate(ids) if name in weights]
    own = pool(chosen)
    goal = (test.mean(axis=0) * scale[:, None]).ravel()

    def cosine(w):
        sum_ = (numpy.tensordot(w, own, 1) * scale[:, None]).ravel()
        return float(sum_ @ goal / (numpy.linalg.norm(sum_) * numpy.linalg.norm(goal)))

    print(
        json.dumps(
            {
                "rows": len(chosen),
                "tokens": int(tokens[chosen].sum()),
                "groups": len({ids[n].split("-copy-")[0] for n in chosen}),
                "cosine": cosine(numpy.array([weights[ids[n]] for n in chosen])),
                "cosine_uniform": cosine(numpy.ones(len(chosen))),
            }
        )
    )


if __name__ == "__main__":
    main()
