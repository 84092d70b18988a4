#!/usr/bin/env python3
"""Logits and every gradient tensor of the engine against HF transformers.

    engine_vs_torch.py PATH/TO/engine_dump

Makes small random Llama models of several kinds with transformers, in double,
saves them as f32 folders, lets engine_dump compute the same batch, and compares.
f32 must agree with double to 5e-5 of a tensor's norm; bf16 must be no farther
from double than 1.5 times torch's own bf16 (autocast) is.  Prints one line a
model; exits 77 (skipped) where torch or transformers is missing, 1 where
anything is off.
"""
import subprocess
import sys
import tempfile

try:
    import numpy as np
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)

KINDS = {
    "tied": dict(tie_word_embeddings=True),
    "grouped, untied": dict(num_key_value_heads=2, tie_word_embeddings=False),
    "multi-query, biases": dict(num_key_value_heads=1, attention_bias=True, mlp_bias=True),
    "llama3 rope": dict(rope_parameters=dict(
        rope_type="llama3", rope_theta=10000.0, factor=8.0, low_freq_factor=1.0,
        high_freq_factor=4.0, original_max_position_embeddings=64)),
}
LENGTHS = [200, 3, 61, 130]


def make(kind):
    config = LlamaConfig(**{**dict(
        vocab_size=301, hidden_size=72, intermediate_size=100, num_hidden_layers=3,
        num_attention_heads=6, num_key_value_heads=6, head_dim=12,
        max_position_embeddings=256, attn_implementation="eager"), **kind})
    model = LlamaForCausalLM(config)
    with torch.no_grad():
        for name, p in model.named_parameters():
            p.copy_(torch.randn_like(p) * 0.2 + (1.0 if "norm" in name else 0.0))
    return model


def reference(model, sequences, autocast=False):
    model = model.float() if autocast else model.double()
    model.zero_grad()
    with torch.autocast("cpu", torch.bfloat16, enabled=autocast):
        logits, loss = forward(model, sequences)
    loss.backward()
    gradients = {n: p.grad.numpy().copy() for n, p in model.named_parameters()}
    return logits, loss.item(), gradients


def forward(model, sequences):
    logits, total, count = [], 0, 0
    for tokens in sequences:
        out = model(torch.tensor([tokens])).logits[0]
        logits.append(out.detach())
        if len(tokens) > 1:
            total = total + torch.nn.functional.cross_entropy(
                out[:-1].to(torch.promote_types(out.dtype, torch.float32)), torch.tensor(tokens[1:]), reduction="sum")
            count += len(tokens) - 1
    return torch.cat(logits).to(torch.float64).numpy(), total / count


def dump(program, compute, folder, sequences):
    words = [len(sequences)] + [len(s) for s in sequences] + [t for s in sequences for t in s]
    np.array(words, dtype=np.uint32).tofile(f"{folder}/tokens")
    out = subprocess.run([program, compute, folder, f"{folder}/tokens", f"{folder}/out"],
                         check=True, capture_output=True, text=True).stdout.splitlines()
    values = np.fromfile(f"{folder}/out.gradients", dtype=np.float32)
    gradients = {}
    for line in out[1:]:
        name, offset, rows, cols = line.split()
        size = int(rows) * int(cols)
        gradients[name] = values[int(offset):int(offset) + size]
    return np.fromfile(f"{folder}/out.logits", dtype=np.float32), float(out[0]), gradients


def distance(got, want):
    got, want = got.astype(np.float64).ravel(), want.astype(np.float64).ravel()
    return np.linalg.norm(got - want) / np.linalg.norm(want)


def distances(logits, gradients, want_logits, want_gradients):
    assert gradients.keys() == want_gradients.keys(), "tensor names differ"
    off = {n: distance(g, want_gradients[n]) for n, g in gradients.items()}
    worst = max(off, key=off.get)
    return distance(logits, want_logits), off[worst], worst


def compare(program, name, kind):
    model = make(kind)
    rng = np.random.default_rng(1)
    sequences = [rng.integers(0, 301, n).tolist() for n in LENGTHS]
    good = True
    with tempfile.TemporaryDirectory() as folder:
        model.save_pretrained(folder)
        want_logits, want_loss, want = reference(model, sequences)
        logits, _, gradients = reference(model, sequences, autocast=True)
        own = distances(logits, gradients, want_logits, want)
        for compute, limits in (("f32", (5e-5, 5e-5)), ("bf16", (1.5 * own[0], 1.5 * own[1]))):
            logits, loss, gradients = dump(program, compute, folder, sequences)
            off = distances(logits, gradients, want_logits, want)
            fine = off[0] < limits[0] and off[1] < limits[1]
            fine &= abs(loss - want_loss) < limits[0] * want_loss
            good &= fine
            print(f"{'ok  ' if fine else 'FAIL'} {name:20} {compute:4} loss {loss:.6f} "
                  f"({want_loss:.6f}), logits off by {off[0]:.1e} (may {limits[0]:.1e}), worst of "
                  f"{len(want)} gradients {off[1]:.1e} (may {limits[1]:.1e}): {off[2]}")
    return good


if __name__ == "__main__":
    torch.manual_seed(1)
    results = [compare(sys.argv[1], name, kind) for name, kind in KINDS.items()]
    sys.exit(0 if all(results) else 1)
