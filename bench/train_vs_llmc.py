"""A training step of GPT-2-124M size by winnow and by llm.c, taking turns.

    python3 bench/train_vs_llmc.py build/release LLMC_SOURCE [--rounds 5] [--seconds 4]

llm.c's train_gpt2.c is compiled with its own flags and OpenMP (-Ofast
-march=native -fopenmp) behind a few lines of C that feed random tokens and time
a step: forward, zero, backward, update.  Both start from random weights; 4
sequences of 64 tokens a step, llm.c's default on a CPU.

The architectures differ: llm.c computes GPT-2 (LayerNorm, GELU, learned
positions, biases), winnow a Llama of the same width, depth, heads and vocabulary
(RMSNorm, SwiGLU, rotary positions).  With a feed-forward width of 2,048 its
layers hold as many matrix numbers as GPT-2's, so parameters and FLOPs a token
agree within 1 % (both print them).  llm.c computes in f32.
"""
import argparse, json, os, tempfile

import numpy as np

import peers

DRIVER = r"""
#define TESTING
#include "train_gpt2.c"
int main(int argc, char **argv)
{
    GPT2 model;
    int B = 4, T = 64, N, *in = malloc(B * T * sizeof(int)), *out = malloc(B * T * sizeof(int));
    unsigned seed = 1;
    char line[64];
    FILE *answer = fdopen(3, "w");
    freopen("/dev/null", "w", stdout); /* where llm.c reports */
    gpt2_build_from_checkpoint(&model, argv[1]);
    for (int t = 1; fgets(line, sizeof line, stdin); fflush(answer)) {
        struct timespec a, b;
        double seconds = 0;
        for (N = atoi(line + 5); N > 0; N--, t++) {
            for (int i = 0; i < B * T; i++) {
                seed = seed * 1664525u + 1013904223u;
                in[i] = (seed >> 8) % 50257;
                out[i > 0 ? i - 1 : B * T - 1] = in[i];
            }
            clock_gettime(CLOCK_MONOTONIC, &a);
            gpt2_forward(&model, in, out, B, T);
            gpt2_zero_grad(&model);
            gpt2_backward(&model);
            gpt2_update(&model, 1e-4f, 0.9f, 0.999f, 1e-8f, 0.0f, t);
            clock_gettime(CLOCK_MONOTONIC, &b);
            seconds += (b.tv_sec - a.tv_sec) + 1e-9 * (b.tv_nsec - a.tv_nsec);
        }
        fprintf(answer, "%.6f %.6f\n", seconds, model.mean_loss);
    }
    return 0;
}
"""
LLAMA = dict(model_type="llama", vocab_size=50257, hidden_size=768, intermediate_size=2048, num_hidden_layers=12,
             num_attention_heads=12, num_key_value_heads=12, max_position_embeddings=1024, rms_norm_eps=1e-5,
             rope_theta=10000.0, tie_word_embeddings=True, hidden_act="silu")
D, L, V, VP, CONTEXT, B, T = 768, 12, 50257, 50304, 1024, 4, 64
# llm.c's parameter tensors in the order of its file.
SHAPES = [(VP, D), (CONTEXT, D), (L, D), (L, D), (L, 3 * D, D), (L, 3 * D), (L, D, D), (L, D), (L, D), (L, D), (L, 4 * D, D),
          (L, 4 * D), (L, D, 4 * D), (L, D), (D,), (D,)]
NORM_WEIGHTS = {2, 8, 14}

p = argparse.ArgumentParser()
p.add_argument("build")
p.add_argument("source")
p.add_argument("--rounds", type=int, default=5)
p.add_argument("--seconds", type=float, default=4.0, help="of each contestant a round, at least one step")
p.add_argument("--threads", type=int, default=2)
args = p.parse_args()


def checkpoint(path):
    rng = np.random.default_rng(1)
    with open(path, "wb") as f:
        header = np.zeros(256, dtype=np.int32)
        header[:8] = [20240326, 3, CONTEXT, V, L, 12, D, VP]
        header.tofile(f)
        for i, shape in enumerate(SHAPES):
            count = int(np.prod(shape))
            if i in NORM_WEIGHTS:
                np.ones(count, dtype=np.float32).tofile(f)
            elif len(shape) == 1 or (len(shape) == 2 and i > 1):
                np.zeros(count, dtype=np.float32).tofile(f)
            else:
                (0.02 * rng.standard_normal(count, dtype=np.float32)).tofile(f)


with tempfile.TemporaryDirectory() as tmp:
    with open(tmp + "/driver.c", "w") as f:
        f.write(DRIVER)
    with open(tmp + "/config.json", "w") as f:
        json.dump(LLAMA, f)
    peers.run("cc", "-Ofast", "-march=native", "-fopenmp", "-DOMP", "-w", "-I", args.source, tmp + "/driver.c", "-o",
              tmp + "/llmc", "-lm")
    checkpoint(tmp + "/gpt2.bin")
    worker = [args.build + "/train_worker", tmp + "/config.json", T, B]
    players = {"winnow f32": peers.Worker([*worker, "f32", args.threads]),
               "winnow bf16": peers.Worker([*worker, "bf16", args.threads]),
               "llm.c f32": peers.Worker(["sh", "-c", f"exec {tmp}/llmc {tmp}/gpt2.bin 3>&1"],
                                         env={"OMP_NUM_THREADS": str(args.threads)})}
    steps = {}
    for name, w in players.items():
        w.ask("step 1")
        steps[name] = max(1, round(args.seconds / w.ask("step 1")[0]))
    now, pair, measured, note = peers.rounds(
        args.build + "/peak_probe", args.rounds,
        lambda n: {name: steps[name] * B * T / players[name].ask(f"step {steps[name]}")[0] for name in peers.turns(players, n)})
    rates = {name: [m[name] for m in measured] for name in players}
    theirs = sum(int(np.prod(s)) for s in SHAPES)
    ours = V * D + L * (4 * D * D + 3 * D * 2048 + 2 * D) + D
    print(f"{B} x {T} tokens a step, {args.threads} threads, {note}; parameters {ours / 1e6:.1f}M here, "
          f"{theirs / 1e6:.1f}M in llm.c; pair probe {' '.join(f'{x:.2f}' for x in pair)}")
    rows = [("", "tokens/s", "this / llm.c", "% of the type's peak (6 x parameters x tokens)")]
    for name in players:
        size = theirs if name.startswith("llm.c") else ours
        share = [6e-7 * size * v / k[name.split()[-1]][1] for v, k in zip(rates[name], now)]
        rows.append((name, peers.spread(rates[name], "{:.0f}"),
                     "" if name.startswith("llm.c") else peers.ratios(rates[name], rates["llm.c f32"]),
                     peers.spread(share, "{:.1f}")))
    peers.table(rows)
    for w in players.values():
        w.close()
