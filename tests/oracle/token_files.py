#!/usr/bin/env python3
"""Token files read as the projects they are for read them: the ids of every document, one by one, against those of JSON lines.

    tests/oracle/token_files.py WINNOW [PEERS]

The readers here are written from the formats alone: NumPy's own, nanoGPT's np.memmap of uint16, llm.c's header and size checks, Megatron's index.
PEERS (or $WINNOW_PEERS) names a folder with clones called llm.c and Megatron-LM: then llm.c's data loader (C, compiled here) and
Megatron's IndexedDataset read the same files too; which of them did is printed.  Exit 77: no NumPy.
"""
import importlib.util
import json
import os
import struct
import subprocess
import sys
import tempfile
import types

try:
    import numpy as np
except ImportError:
    print("skipped: no NumPy")
    sys.exit(77)

winnow = os.path.abspath(sys.argv[1])
peers = os.path.abspath(sys.argv[2]) if len(sys.argv) > 2 else os.environ.get("WINNOW_PEERS", "")


def run(*words):
    return subprocess.run([winnow, *words], check=True, stdout=subprocess.PIPE).stdout


def encode(form, name, tokenizer="t.json"):
    run("tokenizer", "encode", "-q", "-t", tokenizer, "in.jsonl", "--format", form, "-o", name)


def read_megatron(name):
    """The documents of NAME.bin as NAME.idx cuts them."""
    index = open(name + ".idx", "rb").read()
    magic, version, code, sequences, bounds = struct.unpack_from("<9sQBQQ", index)
    assert (magic, version, bounds) == (b"MMIDIDX\0\0", 1, sequences + 1)
    dtype = {4: np.int32, 8: np.uint16}[code]
    at = struct.calcsize("<9sQBQQ")
    lengths = np.frombuffer(index, np.int32, sequences, at)
    places = np.frombuffer(index, np.int64, sequences, at + 4 * sequences)
    ends = np.frombuffer(index, np.int64, bounds, at + 12 * sequences)
    assert len(index) == at + 12 * sequences + 8 * bounds
    assert list(ends) == list(range(sequences + 1))
    data = open(name + ".bin", "rb").read()
    assert len(data) == int(lengths.sum()) * dtype().itemsize
    return [np.frombuffer(data, dtype, n, p).tolist() for n, p in zip(lengths, places)]


def read_llmc(name):
    header = np.fromfile(name, np.int32, 256)
    two = header[0] == 20240520
    assert (header[0], header[1]) in ((20240520, 1), (20240801, 7)) and not header[3:].any()
    ids = np.fromfile(name, np.uint16 if two else np.uint32, offset=1024)
    assert len(ids) == header[2] and os.path.getsize(name) == 1024 + header[2] * (2 if two else 4)
    return ids.tolist()


def peer_megatron(name, want):
    path = os.path.join(peers, "Megatron-LM/megatron/core/datasets/indexed_dataset.py")
    if not peers or not os.path.exists(path):
        return False

    class Anything(types.ModuleType):
        def __getattr__(self, key):
            return lambda *a, **k: False

    try:
        import torch  # noqa: F401
    except ImportError:
        torch = Anything("torch")
        torch.utils = Anything("torch.utils")
        torch.utils.data = Anything("torch.utils.data")
        torch.utils.data.Dataset = object
        sys.modules.update({"torch": torch, "torch.utils": torch.utils, "torch.utils.data": torch.utils.data})
    for module in ("megatron", "megatron.core", "megatron.core.datasets", "megatron.core.datasets.object_storage_utils",
                   "megatron.core.msc_utils", "megatron.core.utils"):
        sys.modules.setdefault(module, Anything(module))
    sys.modules["megatron.core.datasets.object_storage_utils"].ObjectStorageConfig = object
    sys.modules["megatron.core.datasets.object_storage_utils"].S3Config = object
    sys.modules["megatron.core.msc_utils"].MultiStorageClientFeature = types.SimpleNamespace(is_enabled=lambda: False)
    sys.modules["megatron.core.msc_utils"].maybe_msc = types.SimpleNamespace(open=open, os=os, numpy=np)
    spec = importlib.util.spec_from_file_location("indexed_dataset", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    data = module.IndexedDataset(name)
    assert [data[i].tolist() for i in range(len(data))] == want, "Megatron's reader sees other ids"
    return True


LOADER = """
#include "llmc/dataloader.h"
int main(int argc, char **argv) {
    DataLoader loader;
    (void)argc;
    dataloader_init(&loader, argv[1], 1, 8, 0, 1, 0);
    for (size_t k = 0; k < loader.num_tokens / 8; k++) {
        dataloader_next_batch(&loader);
        for (int i = 0; i < 8 && (k + 1) * 8 < loader.num_tokens; i++) { printf("%d ", loader.inputs[i]); }
    }
    return 0;
}
"""


def peer_llmc(name, want):
    if not peers or not os.path.exists(os.path.join(peers, "llm.c/llmc/dataloader.h")):
        return False
    with open("loader.c", "w") as f:
        f.write(LOADER)
    subprocess.run(["cc", "-O1", "-w", "-I", os.path.join(peers, "llm.c"), "loader.c", "-o", "loader", "-lm"], check=True)
    said = subprocess.run(["./loader", name], check=True, stdout=subprocess.PIPE).stdout.split()
    got = [int(x) for x in said]
    assert got and got == want[:len(got)], "llm.c's reader sees other ids"
    return True


def check(tokenizer, dtype):
    lines = [json.loads(line)["tokens"] for line in run("tokenizer", "encode", "-q", "-t", tokenizer, "in.jsonl").splitlines()]
    end = json.loads(run("tokenizer", "encode", "-q", "-t", tokenizer, "--specials", "end.jsonl"))["tokens"]
    assert len(end) == 1
    behind = [t for line in lines for t in line + end]
    before = [t for line in lines for t in end + line]
    for form, name in (("npy", "x.npy"), ("nanogpt", "train.bin"), ("llmc", "x.bin"), ("megatron", "m")):
        encode(form, name, tokenizer)
    row = np.load("x.npy")
    assert row.dtype == dtype and row.ndim == 1 and row.tolist() == behind
    assert np.memmap("train.bin", dtype=dtype, mode="r").tolist() == behind
    assert read_llmc("x.bin") == before
    assert read_megatron("m") == [line + end for line in lines]
    own = []
    if peer_megatron("m", [line + end for line in lines]):
        own.append("Megatron's IndexedDataset")
    if dtype == np.uint16 and peer_llmc("x.bin", before):
        own.append("llm.c's data loader")
    print(f"{len(lines)} documents, {len(behind)} ids of {np.dtype(dtype).name}: npy, nanoGPT, llm.c and Megatron hold them" +
          (", and so say " + " and ".join(own) if own else ""))


with tempfile.TemporaryDirectory() as tmp:
    os.chdir(tmp)
    words = "the cat sat on a mat and then it slept all day long in the warm sun \u00e9t\u00e9 \u65e5\u672c".split()
    with open("in.jsonl", "w") as f:
        for i in range(300):
            text = " ".join(words[(i * k + k) % len(words)] for k in range(i % 23))  # some are empty
            f.write(json.dumps({"id": f"d{i}", "text": text}) + "\n")
    with open("end.jsonl", "w") as f:
        f.write('{"text": "<|endoftext|>"}\n')
    run("tokenizer", "train", "-q", "--vocab", "300", "in.jsonl", "-o", "t.json")
    check("t.json", np.uint16)
    with open("t.json") as f:  # a vocabulary that needs 4 bytes
        t = json.load(f)
    for i in range(70000):
        t["model"]["vocab"][f"unused{i}"] = len(t["model"]["vocab"])
    with open("large.json", "w") as f:
        json.dump(t, f)
    check("large.json", np.uint32)
