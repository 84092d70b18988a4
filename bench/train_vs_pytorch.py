"""Our training step and PyTorch's, the same model in the same run.

    python3 bench/train_vs_pytorch.py build/release [--sizes 0.5M,2M,12M] [--rounds 5] [--only "NAME;..."] [--warm]

Needs torch (and a C++ compiler for torch.compile).  Contestants are processes
that stay alive and take turns, round by round, the order rotating; a turn is
about --seconds, one step at least.  Printed are median tokens/s with their
range, the median of each round's ratio of ours to it, and its share of the
peak of its type (6 FLOPs a parameter and token, and causal attention's
6 x layers x sequence x dim), measured before each round together with the
pair probe: what two busy threads do as a multiple of one.  Where that is near
1.0, both processors were threads of one core, and the round says little about
two.  tcmalloc is preloaded into the contestants so marked.

torch.compile takes minutes the first time and keeps what it made in
TORCHINDUCTOR_CACHE_DIR: call with --warm first (one step each, no figures),
then without it, and the measurement itself is short.
"""
import argparse, json, os, sys, tempfile

import peers

SIZES = {  # seq, batch
    "0.5M": (dict(vocab_size=2048, hidden_size=96, intermediate_size=256, num_hidden_layers=4, num_attention_heads=4,
                  num_key_value_heads=4), 256, 16),
    "2M": (dict(vocab_size=4096, hidden_size=160, intermediate_size=432, num_hidden_layers=5, num_attention_heads=5,
                num_key_value_heads=5), 512, 16),
    "12M": (dict(vocab_size=8192, hidden_size=320, intermediate_size=864, num_hidden_layers=8, num_attention_heads=5,
                 num_key_value_heads=5), 512, 16),
}
BASE = dict(model_type="llama", max_position_embeddings=1024, rms_norm_eps=1e-5, rope_theta=10000.0,
            tie_word_embeddings=True, hidden_act="silu")

p = argparse.ArgumentParser()
p.add_argument("build")
p.add_argument("--sizes", default="0.5M,2M,12M")
p.add_argument("--rounds", type=int, default=5)
p.add_argument("--seconds", type=float, default=1.0, help="of each contestant a round")
p.add_argument("--threads", type=int, default=2)
p.add_argument("--only", default="", help="contestants whose name contains one of these, separated by semicolons; winnow always plays")
p.add_argument("--warm", action="store_true", help="one step of each, to fill torch.compile's cache")
args = p.parse_args()
here = os.path.dirname(os.path.abspath(__file__))


def flops(c, length):
    """Of a token's forward and backward pass, causal attention counted once."""
    d, layers, ff, heads = c["hidden_size"], c["num_hidden_layers"], c["intermediate_size"], c["num_attention_heads"]
    kv = d * c["num_key_value_heads"] // heads
    return 6 * (c["vocab_size"] * d + layers * (2 * d * d + 2 * d * kv + 3 * d * ff)) + 6 * layers * length * d


for size in args.sizes.split(","):
    shape, length, batch = SIZES[size]
    with tempfile.NamedTemporaryFile("w", suffix=".json") as f:
        json.dump({**BASE, **shape}, f)
        f.flush()
        tail = [f.name, str(length), str(batch)]
        torch = [sys.executable, here + "/torch_worker.py", *tail]
        worker = [args.build + "/train_worker", *tail]
        n, preload = str(args.threads), {"LD_PRELOAD": peers.tcmalloc() or ""}
        commands = {
            "winnow f32": ([*worker, "f32", n], {}),
            "winnow bf16": ([*worker, "bf16", n], {}),
            "torch f32, as it comes": ([*torch, "f32", n, "eager"], {}),
            "torch f32, tcmalloc": ([*torch, "f32", n, "eager"], preload),
            "torch bf16 autocast, tcmalloc": ([*torch, "bf16", n, "eager"], preload),
            "torch f32, compile, tcmalloc": ([*torch, "f32", n, "compile"], preload),
            "torch bf16 autocast, compile, tcmalloc": ([*torch, "bf16", n, "compile"], preload),
        }
        wanted = [k for k in commands if k.startswith("winnow") or any(o in k for o in args.only.split(";"))]
        players, steps = {}, {}
        for name in wanted:
            players[name] = peers.Worker(*commands[name])
            players[name].ask("step 1")  # compiling, first touch
            seconds = players[name].ask("step 1")[0]
            steps[name] = max(1, round(args.seconds / seconds))
            print(f"{size}: {name} is ready, {seconds:.2f} s a step", file=sys.stderr, flush=True)
            if args.warm:
                players[name].close()
        if args.warm:
            continue
        now, pair, measured, note = peers.rounds(
            args.build + "/peak_probe", args.rounds,
            lambda n: {name: steps[name] * length * batch / players[name].ask(f"step {steps[name]}")[0]
                       for name in peers.turns(players, n)})
        rates = {name: [m[name] for m in measured] for name in players}
        peak = {kind: [p[kind][1] for p in now] for kind in ("f32", "bf16")}
        print(f"{size}: {json.dumps(shape)}, {batch} x {length} tokens a step, {args.threads} threads, {note}; "
              f"pair probe {' '.join(f'{x:.2f}' for x in pair)}; peak of two threads f32 {peers.spread(peak['f32'], '{:.0f}')}, "
              f"bf16 {peers.spread(peak['bf16'], '{:.0f}')} GFLOP/s; {flops({**BASE, **shape}, length) / 1e6:.1f} MFLOP a token")
        rows = [("", "tokens/s", "winnow f32 / it", "winnow bf16 / it", "% of peak")]
        for name in players:
            mine = name.startswith("winnow")
            kind = "bf16" if "bf16" in name else "f32"
            share = [1e-7 * flops({**BASE, **shape}, length) * v / k for v, k in zip(rates[name], peak[kind])]
            rows.append((name, peers.spread(rates[name], "{:.0f}"),
                         "" if mine else peers.ratios(rates["winnow f32"], rates[name]),
                         "" if mine else peers.ratios(rates["winnow bf16"], rates[name]), peers.spread(share, "{:.1f}")))
        peers.table(rows)
        for c in players.values():
            c.close()
