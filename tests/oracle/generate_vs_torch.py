#!/usr/bin/env python3
"""Greedy continuations of a real model against PyTorch.

    generate_vs_torch.py PATH/TO/generate_worker MODEL_FOLDER BATCH [NEW]

MODEL_FOLDER is a Llama (config.json and one model.safetensors), BATCH as
generate_worker has it.  The worker continues every prompt by NEW (64) tokens in
f32; a plain f32 Llama in torch then reads prompt and answer once and says
at each place which token it would have taken.  Prints the share that is equal
and, for each token that is not, the worker's margin between its best two
logits.  Exits 77 (skipped) without torch, 1 where a token differs with a margin
above 0.01.
"""
import json
import subprocess
import sys
import tempfile

try:
    import numpy as np
    import torch
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)


def load(folder):
    config = json.load(open(folder + "/config.json"))
    raw = open(folder + "/model.safetensors", "rb").read()
    size = int.from_bytes(raw[:8], "little")
    tensors = {}
    for name, t in json.loads(raw[8:8 + size]).items():
        if name == "__metadata__":
            continue
        kind = {"BF16": torch.bfloat16, "F32": torch.float32, "F16": torch.float16}[t["dtype"]]
        a, b = t["data_offsets"]
        data = torch.frombuffer(bytearray(raw[8 + size + a:8 + size + b]), dtype=kind)
        tensors[name] = data.reshape(t["shape"]).float()
    return config, tensors


def logits(c, w, tokens):
    n, heads, kv = len(tokens), c["num_attention_heads"], c["num_key_value_heads"]
    h = c.get("head_dim") or c["hidden_size"] // heads
    angle = torch.arange(n)[:, None].double() * c["rope_theta"] ** (-torch.arange(0, h, 2).double() / h)
    cos, sin = angle.cos().float(), angle.sin().float()
    mask = torch.full((n, n), -torch.inf).triu(1)

    def norm(x, weight):
        return x * torch.rsqrt((x * x).mean(-1, keepdim=True) + c["rms_norm_eps"]) * weight

    def turn(x):  # heads x n x h
        a, b = x[..., :h // 2], x[..., h // 2:]
        return torch.cat([a * cos - b * sin, b * cos + a * sin], -1)

    x = w["model.embed_tokens.weight"][tokens]
    for i in range(c["num_hidden_layers"]):
        p = f"model.layers.{i}."
        y = norm(x, w[p + "input_layernorm.weight"])
        q, k, v = ((y @ w[f"{p}self_attn.{m}_proj.weight"].T).reshape(n, -1, h).transpose(0, 1) for m in "qkv")
        k, v = (turn(k).repeat_interleave(heads // kv, 0), v.repeat_interleave(heads // kv, 0))
        s = turn(q) @ k.transpose(1, 2) / h ** 0.5 + mask
        y = (s.softmax(-1) @ v).transpose(0, 1).reshape(n, -1)
        x = x + y @ w[p + "self_attn.o_proj.weight"].T
        y = norm(x, w[p + "post_attention_layernorm.weight"])
        y = torch.nn.functional.silu(y @ w[p + "mlp.gate_proj.weight"].T) * (y @ w[p + "mlp.up_proj.weight"].T)
        x = x + y @ w[p + "mlp.down_proj.weight"].T
    head = w.get("lm_head.weight", w["model.embed_tokens.weight"])
    return norm(x, w["model.norm.weight"]) @ head.T


def main():
    worker, folder, batch = sys.argv[1:4]
    new = sys.argv[4] if len(sys.argv) > 4 else "64"
    words = np.fromfile(batch, dtype=np.uint32).astype(np.int64)
    n = words[0]
    starts, tokens = words[1:n + 2], words[n + 2:]
    with tempfile.NamedTemporaryFile("r") as out:
        subprocess.run([worker, folder, "f32", "0", batch, new, "32", out.name], check=True)
        answers = [[pair.split(":") for pair in line.split()] for line in out]
    config, weights = load(folder)
    equal = total = 0
    worst = 0.0
    for i, answer in enumerate(answers):
        got = torch.tensor([int(t) for t, _ in answer])
        prompt = torch.from_numpy(tokens[starts[i]:starts[i + 1]])
        with torch.no_grad():
            want = logits(config, weights, torch.cat([prompt, got]))[len(prompt) - 1:-1].argmax(-1)
        for j in (got != want).nonzero().flatten().tolist():
            margin = float(answer[j][1])
            worst = max(worst, margin)
            print(f"prompt {i}, token {j}: {int(got[j])}, torch {int(want[j])}, margin {margin:.4g}")
        equal += int((got == want).sum())
        total += len(answer)
    print(f"{equal} of {total} tokens are torch's f32 choice; largest margin of another {worst:.4g}")
    return 1 if worst > 0.01 else 0


sys.exit(main())
