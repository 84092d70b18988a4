"""How many greedy tokens change when a Llama's products see rounded factors: a simulation.

    python3 tests/oracle/int8_noise.py FOLDER IDS [SEQUENCES]

FOLDER is a Llama model folder stored as bf16 (dump_engine convert MODEL bf16
FOLDER), IDS u32 token ids (dump_engine encode).  The plain forward pass in numpy
runs on SEQUENCES (2) of 512 tokens with activations and weights of every
product with weights rounded to bytes in blocks of some numbers, or to bf16, or
left alone; printed are the shift of the NLL and the share of positions with the
greedy token of f32.  It says what a rounding can reach however it is computed.
"""
import json, struct, sys

import numpy as np

folder, count, N = sys.argv[1], int(sys.argv[3]) if len(sys.argv) > 3 else 2, 512
c = json.load(open(folder + "/config.json"))
layers, heads, kv, dim = (c[k] for k in ("num_hidden_layers", "num_attention_heads", "num_key_value_heads", "hidden_size"))
h = c.get("head_dim", dim // heads)
data = open(folder + "/model.safetensors", "rb").read()
size = struct.unpack("<Q", data[:8])[0]
W = {}
for name, t in json.loads(data[8:8 + size]).items():
    if name != "__metadata__":
        a, b = (8 + size + x for x in t["data_offsets"])
        W[name] = (np.frombuffer(data[a:b], np.uint16).astype(np.uint32) << 16).view(np.float32).reshape(t["shape"])
tokens = np.fromfile(sys.argv[2], np.uint32)[:count * N].reshape(count, N).astype(int)
head = W.get("lm_head.weight", W["model.embed_tokens.weight"])


def rounded(x, how):
    """how: None, "bf16", or the numbers of a block of bytes."""
    if how is None:
        return x
    if how == "bf16":
        bits = np.ascontiguousarray(x, np.float32).view(np.uint32)
        return ((bits + 0x7FFF + ((bits >> 16) & 1)) & 0xFFFF0000).view(np.float32)
    k = x.shape[-1]
    y = np.pad(x, [(0, 0)] * (x.ndim - 1) + [(0, -k % how)]).reshape(*x.shape[:-1], -1, how)
    step = np.abs(y).max(-1, keepdims=True) / 127
    step[step == 0] = 1
    return (np.round(y / step) * step).reshape(*x.shape[:-1], -1)[..., :k].astype(np.float32)


def logits(activations, weights):
    cache = {}

    def product(x, name, w):
        if name not in cache:
            cache[name] = rounded(w, weights)
        return rounded(x, activations) @ cache[name].T

    def norm(x, name):
        return x / np.sqrt((x * x).mean(-1, keepdims=True) + c["rms_norm_eps"]) * W[name]

    def rotate(x):
        a, b = x[..., :h // 2], x[..., h // 2:]
        return np.concatenate([a * cos - b * sin, b * cos + a * sin], -1)

    angle = np.arange(N)[:, None] * c["rope_theta"] ** (-np.arange(0, h, 2) / h)
    cos, sin = np.cos(angle).astype(np.float32), np.sin(angle).astype(np.float32)
    mask = np.triu(np.full((N, N), -np.inf, np.float32), 1)
    x = W["model.embed_tokens.weight"][tokens]
    for i in range(layers):
        p = f"model.layers.{i}."
        y = norm(x, p + "input_layernorm.weight")
        q, k, v = (product(y, p + s, W[f"{p}self_attn.{s}_proj.weight"]).reshape(count, N, n, h).transpose(0, 2, 1, 3)
                   for s, n in (("q", heads), ("k", kv), ("v", kv)))
        k, v = (np.repeat(t, heads // kv, 1) for t in (rotate(k), v))
        s = rotate(q) @ k.transpose(0, 1, 3, 2) / np.sqrt(h) + mask
        s = np.exp(s - s.max(-1, keepdims=True))
        y = (s / s.sum(-1, keepdims=True) @ v).transpose(0, 2, 1, 3).reshape(count, N, -1)
        x = x + product(y, p + "o", W[p + "self_attn.o_proj.weight"])
        y = norm(x, p + "post_attention_layernorm.weight")
        g, u = (product(y, p + s, W[f"{p}mlp.{s}_proj.weight"]) for s in ("gate", "up"))
        x = x + product(g / (1 + np.exp(-g)) * u, p + "down", W[p + "mlp.down_proj.weight"])
    return product(norm(x, "model.norm.weight"), "head", head)


def summary(x):
    x = x[:, :-1].astype(np.float64)
    top = x.max(-1)
    lse = top + np.log(np.exp(x - top[..., None]).sum(-1))
    return (lse - np.take_along_axis(x, tokens[:, 1:, None], -1)[..., 0]).mean(), x.argmax(-1)


nll, greedy = summary(logits(None, None))
print(f"f32: NLL {nll:.4f}, {greedy.size} positions", flush=True)
for name, a, w in (("bf16", "bf16", "bf16"), ("blocks of 64", 64, 64), ("blocks of 32", 32, 32),
                   ("weights only, 32", None, 32), ("activations only, 32", 32, None), ("blocks of 8", 8, 8)):
    other, best = summary(logits(a, w))
    print(f"{name}: NLL {other - nll:+.4f}, same greedy token {100 * np.mean(best == greedy):.2f} %", flush=True)
