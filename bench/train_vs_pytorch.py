"""Our training step and PyTorch's, the same model in the same run.

    python3 bench/train_vs_pytorch.py build/release/train_worker [--sizes 0.5M,2M,12M] [--rounds 7]

Needs torch (and a C++ compiler for torch.compile).  Contestants are processes
that stay alive and take turns, round by round, the order rotating; a round is
about two seconds of each.  Printed are median tokens/s and the median of each
round's ratio to ours with its range.  Before each round a probe says how much
two busy threads do together as a multiple of one: where it is near 1.0, both
processors were threads of one core, and the round says little about two.
tcmalloc is preloaded into the contestants so marked, where it is installed.
"""
import argparse, glob, json, os, statistics, subprocess, sys, tempfile

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
p.add_argument("worker")
p.add_argument("--sizes", default="0.5M,2M,12M")
p.add_argument("--rounds", type=int, default=7)
p.add_argument("--seconds", type=float, default=2.0, help="of each contestant a round")
p.add_argument("--threads", type=int, default=2)
p.add_argument("--only", default="", help="contestants whose name contains one of these, comma-separated")
p.add_argument("--without", default="-", help="leave out contestants whose name contains this")
args = p.parse_args()
tcmalloc = next(iter(sorted(glob.glob("/usr/lib/*/libtcmalloc.so.*"))), None)
here = os.path.dirname(os.path.abspath(__file__))


class Contestant:
    def __init__(self, command, preload=None):
        env = dict(os.environ)
        if preload:
            env["LD_PRELOAD"] = preload
        self.p = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env)

    def check_priority(self):
        """Something else may change priorities on a shared machine: then the race is not fair."""
        if os.getpriority(os.PRIO_PROCESS, self.p.pid) != os.getpriority(os.PRIO_PROCESS, 0):
            sys.exit("a contestant has another priority than this script: start it again, all at one")

    def ask(self, line):
        self.p.stdin.write(line + "\n")
        self.p.stdin.flush()
        answer = self.p.stdout.readline().split()
        if not answer:
            sys.exit("a contestant died")
        return [float(x) for x in answer]


for size in args.sizes.split(","):
    shape, length, batch = SIZES[size]
    with tempfile.NamedTemporaryFile("w", suffix=".json") as f:
        json.dump({**BASE, **shape}, f)
        f.flush()
        tail = [f.name, str(length), str(batch)]
        torch = [sys.executable, here + "/torch_worker.py", *tail]
        n = str(args.threads)
        commands = {
            "winnow f32": ([args.worker, *tail, "f32", n], None),
            "winnow bf16": ([args.worker, *tail, "bf16", n], None),
            "torch f32, as it comes": ([*torch, "f32", n, "eager"], None),
            "torch f32, tcmalloc": ([*torch, "f32", n, "eager"], tcmalloc),
            "torch bf16 autocast, tcmalloc": ([*torch, "bf16", n, "eager"], tcmalloc),
            "torch f32, compile, tcmalloc": ([*torch, "f32", n, "compile"], tcmalloc),
            "torch bf16, compile, tcmalloc": ([*torch, "bf16", n, "compile"], tcmalloc),
        }
        commands = {k: v for k, v in commands.items()
                    if any(o in k for o in args.only.split(",")) and args.without not in k}
        players, steps = {}, {}
        for name, (command, preload) in commands.items():
            players[name] = Contestant(command, preload)
            players[name].ask("step 1")  # compiling, first touch
            seconds = players[name].ask("step 1")[0]
            steps[name] = max(1, round(args.seconds / seconds))
            print(f"{size}: {name} is ready, {seconds:.2f} s a step", file=sys.stderr, flush=True)
        rates = {name: [] for name in players}
        pairs = []
        for r in range(args.rounds):
            pairs.append(players["winnow f32"].ask("probe")[0] if "winnow f32" in players else float("nan"))
            order = list(players)
            order = order[r % len(order):] + order[:r % len(order)]
            for name in order:
                players[name].check_priority()
                seconds = players[name].ask(f"step {steps[name]}")[0]
                rates[name].append(steps[name] * length * batch / seconds)
        print(f"{size}: {json.dumps(shape)}, {batch} x {length} tokens a step, {args.threads} threads; "
              f"pair probe {' '.join(f'{x:.2f}' for x in pairs)}")
        for name in players:
            line = f"  {name:30} {statistics.median(rates[name]):9.0f} tokens/s"
            for ours in ("winnow f32", "winnow bf16"):
                if ours in rates and name != ours and not name.startswith("winnow"):
                    ratio = [a / b for a, b in zip(rates[ours], rates[name])]
                    line += f"   {ours} / this {statistics.median(ratio):5.2f} ({min(ratio):.2f}..{max(ratio):.2f})"
            print(line, flush=True)
        for c in players.values():
            c.p.stdin.close()
            c.p.wait()
