"""One contestant of train_vs_pytorch.py: PyTorch's training step.

    torch_worker.py CONFIG.json SEQUENCE BATCH f32|bf16 THREADS eager|compile

The same Llama as ours, written the way PyTorch is fastest at: fused scaled dot
product attention, fused AdamW, one cross-entropy call.  Same line protocol as
train_worker.c.
"""
import json, sys, time

import torch
import torch.nn.functional as F
from torch import nn

config = json.load(open(sys.argv[1]))
length, batch, compute, threads, mode = int(sys.argv[2]), int(sys.argv[3]), sys.argv[4], int(sys.argv[5]), sys.argv[6]
torch.set_num_threads(threads)
torch.manual_seed(1)
D, H, KV = config["hidden_size"], config["num_attention_heads"], config["num_key_value_heads"]
HD = config.get("head_dim", D // H)
V, FF, L = config["vocab_size"], config["intermediate_size"], config["num_hidden_layers"]


class Norm(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(D))

    def forward(self, x):
        return F.rms_norm(x, (D,), self.weight.to(x.dtype), 1e-5)


def rope(x, cos, sin):
    a, b = x.chunk(2, -1)
    return torch.cat((a * cos - b * sin, b * cos + a * sin), -1)


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.n1, self.n2 = Norm(), Norm()
        self.q, self.k, self.v = (nn.Linear(D, n * HD, bias=False) for n in (H, KV, KV))
        self.o = nn.Linear(H * HD, D, bias=False)
        self.gate, self.up, self.down = nn.Linear(D, FF, bias=False), nn.Linear(D, FF, bias=False), nn.Linear(FF, D, bias=False)

    def forward(self, x, cos, sin):
        b, t, _ = x.shape
        h = self.n1(x)
        q = rope(self.q(h).view(b, t, H, HD).transpose(1, 2), cos, sin)
        k = rope(self.k(h).view(b, t, KV, HD).transpose(1, 2), cos, sin)
        v = self.v(h).view(b, t, KV, HD).transpose(1, 2)
        if KV != H:
            k, v = k.repeat_interleave(H // KV, 1), v.repeat_interleave(H // KV, 1)
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.o(y.transpose(1, 2).reshape(b, t, H * HD))
        h = self.n2(x)
        return x + self.down(F.silu(self.gate(h)) * self.up(h))


class Llama(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(V, D)
        self.blocks = nn.ModuleList(Block() for _ in range(L))
        self.norm = Norm()
        f = 10000.0 ** (-torch.arange(0, HD, 2) / HD)
        angle = torch.arange(length)[:, None] * f[None]
        self.register_buffer("cos", angle.cos())
        self.register_buffer("sin", angle.sin())
        for p in self.parameters():
            if p.dim() > 1:
                nn.init.normal_(p, std=0.02)

    def forward(self, tokens):
        x = self.embed(tokens)
        cos, sin = self.cos.to(x.dtype), self.sin.to(x.dtype)
        for b in self.blocks:
            x = b(x, cos, sin)
        logits = F.linear(self.norm(x), self.embed.weight)
        return F.cross_entropy(logits[:, :-1].reshape(-1, V).float(), tokens[:, 1:].reshape(-1))


model = Llama()
opt = torch.optim.AdamW([dict(params=[p for p in model.parameters() if p.dim() > 1], weight_decay=0.1),
                         dict(params=[p for p in model.parameters() if p.dim() == 1], weight_decay=0.0)],
                        lr=1e-4, betas=(0.9, 0.95), fused=True)
run = torch.compile(model) if mode == "compile" else model


def step():
    tokens = torch.randint(0, V, (batch, length))
    begin = time.perf_counter()
    with torch.autocast("cpu", torch.bfloat16, enabled=compute == "bf16"):
        loss = run(tokens)
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    opt.step()
    opt.zero_grad()
    return time.perf_counter() - begin, loss.item()


for line in sys.stdin:
    seconds = 0.0
    for _ in range(int(line.split()[1])):
        s, loss = step()
        seconds += s
    print(f"{seconds:.6f} {loss:.6f}", flush=True)
