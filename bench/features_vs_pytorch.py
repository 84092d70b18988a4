"""Vectors of gradients by `winnow features`, and per-example gradients in PyTorch, on one model in one run.

    python3 bench/features_vs_pytorch.py build/release [--rows 400] [--rounds 3] [--context 256] [--threads 1]

Needs torch (exit 77 without).  A model of about 3M parameters is trained for a moment by winnow and loaded by both;
rows of words as long as the context have a loss on everything.  PyTorch takes each example's
gradient of all matrices of the layers and folds it to 4,096 numbers by a signed hash, in two ways: a
batch of one with backward() and fused attention, and torch.func's vmap(grad) over eight with
attention in plain products, since the fused form has no rule for vmap; winnow makes its factored sketch
of rank 16 (calibration, reading and writing included) folded to as many.  Contestants take turns;
printed are examples a second of processor time, which other work on the machine disturbs less than
the clock (median, range), and the median of each round's ratio.
"""
import argparse, json, os, random, resource, shutil, statistics, struct, subprocess, sys, tempfile, time

try:
    import torch
    import torch.nn.functional as F
except ImportError as e:
    print(f"skipped: {e}")
    sys.exit(77)

p = argparse.ArgumentParser()
p.add_argument("build")
p.add_argument("--rows", type=int, default=400)
p.add_argument("--torch-rows", type=int, default=24)
p.add_argument("--rounds", type=int, default=3)
p.add_argument("--context", type=int, default=256)
p.add_argument("--threads", type=int, default=1)
args = p.parse_args()
torch.set_num_threads(args.threads)
winnow, work = os.path.abspath(args.build) + "/winnow", tempfile.mkdtemp()
DIM = 4096


def run(*command):
    subprocess.run([winnow, *command], check=True, cwd=work, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


r = random.Random(1)
with open(work + "/rows.jsonl", "w") as f:
    for i in range(args.rows):
        text = " ".join("".join(r.choice("abcdefgh") for _ in range(r.randint(2, 6))) for _ in range(3 * args.context))
        f.write(json.dumps({"id": str(i), "text": text}) + "\n")
run("train", "rows.jsonl", "-o", "model", "--vocab", "4096", "--dim", "192", "--layers", "5", "--heads", "6",
    "--context", str(args.context), "--tokens", "2k", "--keep-checkpoints", "1", "-t", str(args.threads))
config = json.load(open(work + "/model/config.json"))
with open(work + "/model/model.safetensors", "rb") as f:
    head = json.loads(f.read(struct.unpack("<Q", f.read(8))[0]))
    data = bytearray(f.read())
weights = {}
for name, t in head.items():
    if name != "__metadata__":
        a, b = t["data_offsets"]
        weights[name] = torch.frombuffer(data[a:b], dtype=torch.float32).reshape(t["shape"]).clone()
D, H, KV = config["hidden_size"], config["num_attention_heads"], config["num_key_value_heads"]
HD, L, V = D // H, config["num_hidden_layers"], config["vocab_size"]
angle = torch.arange(args.context)[:, None] * config.get("rope_theta", 10000.0) ** (-torch.arange(0, HD, 2) / HD)[None]
COS, SIN = angle.cos(), angle.sin()
MATRICES = [n for n in weights if n.startswith("model.layers.") and n.endswith("proj.weight")]
others = {n: w for n, w in weights.items() if n not in MATRICES}
matrices = {n: weights[n].requires_grad_() for n in MATRICES}
size = sum(matrices[n].numel() for n in MATRICES)
PLACE, SIGN = torch.randint(0, DIM, (size,)), torch.randint(0, 2, (size,)).float() * 2 - 1


def rope(x):
    a, b = x.chunk(2, -1)
    return torch.cat((a * COS - b * SIN, b * COS + a * SIN), -1)


MASK = torch.full((args.context, args.context), float("-inf")).triu(1)


def plain_attention(q, k, v):
    repeat = q.shape[0] // k.shape[0]
    k, v = k.repeat_interleave(repeat, 0), v.repeat_interleave(repeat, 0)
    return torch.softmax(q @ k.transpose(1, 2) / HD**0.5 + MASK, -1) @ v


def fused_attention(q, k, v):
    return F.scaled_dot_product_attention(q[None], k[None], v[None], is_causal=True, enable_gqa=True)[0]


def loss(m, tokens, attention=fused_attention):
    x = F.embedding(tokens, others["model.embed_tokens.weight"])
    for i in range(L):
        at = f"model.layers.{i}."
        h = F.rms_norm(x, (D,), others[at + "input_layernorm.weight"], 1e-5)
        q, k, v = (F.linear(h, m[at + f"self_attn.{n}_proj.weight"]).view(-1, c, HD).transpose(0, 1) for n, c in (("q", H), ("k", KV), ("v", KV)))
        y = attention(rope(q), rope(k), v)
        x = x + F.linear(y.transpose(0, 1).reshape(-1, H * HD), m[at + "self_attn.o_proj.weight"])
        h = F.rms_norm(x, (D,), others[at + "post_attention_layernorm.weight"], 1e-5)
        x = x + F.linear(F.silu(F.linear(h, m[at + "mlp.gate_proj.weight"])) * F.linear(h, m[at + "mlp.up_proj.weight"]), m[at + "mlp.down_proj.weight"])
    logits = F.linear(F.rms_norm(x, (D,), others["model.norm.weight"], 1e-5), others.get("lm_head.weight", others["model.embed_tokens.weight"]))
    return F.cross_entropy(logits[:-1], tokens[1:])


def fold(gradients):
    return torch.zeros(DIM).index_add_(0, PLACE, torch.cat([g.reshape(-1) for g in gradients]) * SIGN)


def batch_of_one(tokens):
    for t in tokens:
        fold(torch.autograd.grad(loss(matrices, t), [matrices[n] for n in MATRICES]))


each = torch.func.vmap(torch.func.grad(lambda m, t: loss(m, t, plain_attention)), in_dims=(None, 0))


def vmap_of_eight(tokens):
    plain = {n: w.detach() for n, w in matrices.items()}
    for t in tokens.split(8):
        g = each(plain, t)
        for i in range(len(t)):
            fold([g[n][i] for n in MATRICES])


def children():
    use = resource.getrusage(resource.RUSAGE_CHILDREN)
    return use.ru_utime + use.ru_stime


def ours():
    shutil.rmtree(work + "/vectors", ignore_errors=True)
    begin = children()
    run("features", "rows.jsonl", "--model", "model", "--context", str(args.context), "--dim", str(DIM), "-o", "vectors", "-t", str(args.threads))
    return args.rows / (children() - begin)


def theirs(way):
    tokens = torch.randint(0, V, (args.torch_rows, args.context))
    begin = time.process_time()
    way(tokens)
    return args.torch_rows / (time.process_time() - begin)


players = {"winnow features": ours, "torch, batch of one": lambda: theirs(batch_of_one), "torch.func, vmap of 8": lambda: theirs(vmap_of_eight)}
rates = {n: [] for n in players}
for k in range(args.rounds + 1):  # the first warms up
    for name, play in players.items():
        rate = play()
        if k > 0:
            rates[name].append(rate)
print(f"{size / 1e6:.1f}M numbers in the layers' matrices, {args.context} tokens, {args.threads} thread(s), torch {torch.__version__}")
for name, x in rates.items():
    ratio = statistics.median(a / b for a, b in zip(rates["winnow features"], x))
    print(f"  {name:24s} {statistics.median(x):8.2f} examples/s ({min(x):.2f}-{max(x):.2f})   winnow is {ratio:.1f} times as fast")
shutil.rmtree(work)
