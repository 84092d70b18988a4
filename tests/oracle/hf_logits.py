"""A model folder that winnow wrote, loaded by HF transformers, gives the same numbers.

    python3 tests/oracle/hf_logits.py build/release/dump_engine

Needs torch, transformers, safetensors, numpy (any virtual environment; not part
of the product).  For each shape below: dump_engine makes a random model and
writes the folder; transformers loads it; logits, every gradient tensor of the
mean loss, and the weights after ten AdamW steps are compared, f32.  Sequences
of a packed batch go through PyTorch one by one, which also proves that packing
does not leak.  Exit code 1 where a bound below is passed.
"""
import json, os, subprocess, sys, tempfile

import numpy as np
import torch
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM
from transformers.utils import logging

logging.disable_progress_bar()

DUMP = os.path.abspath(sys.argv[1])
BASE = dict(model_type="llama", vocab_size=211, hidden_size=64, intermediate_size=172, num_hidden_layers=3,
            num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=256, hidden_act="silu",
            rms_norm_eps=1e-5, rope_theta=10000.0, tie_word_embeddings=True, bos_token_id=1, eos_token_id=2)
SHAPES = {
    "grouped, tied": {},
    "one kv head, untied, odd sizes": dict(num_key_value_heads=1, tie_word_embeddings=False, vocab_size=307,
                                           intermediate_size=101, num_attention_heads=5, hidden_size=80),
    "full attention, head_dim 32 of 64/4": dict(num_key_value_heads=4, head_dim=32),
    "biases everywhere": dict(attention_bias=True, mlp_bias=True),
    "qwen2 (biases on q, k, v)": dict(model_type="qwen2", rope_theta=1e6, use_sliding_window=False),
    "linear rope": dict(rope_scaling=dict(rope_type="linear", factor=4.0)),
    "llama3 rope": dict(rope_theta=500000.0, rope_scaling=dict(
        rope_type="llama3", factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0,
        original_max_position_embeddings=64)),
}
LENGTHS = [100, 1, 17, 64, 2]


def run(*args):
    return subprocess.run([DUMP, *map(str, args)], check=True, capture_output=True, text=True).stdout


def noise_biases(folder, seed):
    """Biases are 0 in a fresh model, and norms 1; make them say something."""
    from safetensors.torch import save_file
    t = load_file(folder + "/model.safetensors")
    g = torch.Generator().manual_seed(seed)
    for k in t:
        if t[k].dim() == 1:
            t[k] = t[k] + 0.1 * torch.randn(t[k].shape, generator=g)
        else:
            t[k] = t[k] * 3  # away from the almost linear start
    save_file(t, folder + "/model.safetensors", metadata={"format": "pt"})


def losses(model, seqs):
    total, count = 0.0, 0
    for s in seqs:
        if len(s) > 1:
            logits = model(torch.tensor([s])).logits[0]
            total = total + torch.nn.functional.cross_entropy(logits[:-1], torch.tensor(s[1:]), reduction="sum")
            count += len(s) - 1
    return total / count


def relative(a, b):
    """Largest difference over the largest value: a tensor's own scale."""
    return float((a - b).abs().max() / b.abs().max().clamp_min(1e-12))


def check_steps(model, seqs, folder, out):
    """AdamW with warm-up 3 of 10 steps, cosine to a tenth, clip 1: the trainer's defaults."""
    decay = [p for p in model.parameters() if p.dim() > 1]
    rest = [p for p in model.parameters() if p.dim() == 1]
    opt = torch.optim.AdamW([dict(params=decay, weight_decay=0.1), dict(params=rest, weight_decay=0.0)],
                            lr=1e-3, betas=(0.9, 0.95), eps=1e-8)
    ours = [[float(x) for x in line.split()] for line in
            run("steps", folder, folder + "/batch", "f32", out).splitlines()]
    worst_loss = worst_norm = 0.0
    for step, loss, norm, lr in ours:
        for group in opt.param_groups:
            group["lr"] = lr
        opt.zero_grad()
        value = losses(model, seqs)
        value.backward()
        total = float(torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0))
        opt.step()
        worst_loss = max(worst_loss, abs(loss - value.item()) / value.item())
        worst_norm = max(worst_norm, abs(norm - total) / total)
    saved = load_file(out + "/model.safetensors")
    state = dict(model.named_parameters())
    # A step moves a weight by about lr; rounding in tiny gradients changes some
    # steps' sign, so the bound is a share of the way gone, as a mean.
    way = max(float((saved[k] - state[k].detach()).abs().mean()) / 1e-2 for k in saved)
    return worst_loss, worst_norm, way


def main():
    failed = False
    rng = np.random.default_rng(7)
    print(f"{'shape':38} {'logits':>9} {'gradient':>9}  worst tensor{'':28} {'loss':>8} {'norm':>8} {'weights':>8}")
    for name, change in SHAPES.items():
        with tempfile.TemporaryDirectory() as tmp:
            config = {**BASE, **change}
            with open(tmp + "/config.json", "w") as f:
                json.dump(config, f)
            folder = tmp + "/model"
            run("random", tmp + "/config.json", 5, folder)
            noise_biases(folder, 3)
            seqs = [rng.integers(0, config["vocab_size"], n).tolist() for n in LENGTHS]
            starts = np.cumsum([0] + LENGTHS)
            np.array([len(seqs), *starts, *sum(seqs, [])], dtype=np.uint32).tofile(folder + "/batch")

            model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager")
            model.eval()
            run("logits", folder, folder + "/batch", "f32", tmp + "/logits")
            ours = torch.from_numpy(np.fromfile(tmp + "/logits", dtype=np.float32).reshape(-1, config["vocab_size"]))
            with torch.no_grad():
                theirs = torch.cat([model(torch.tensor([s])).logits[0] for s in seqs])
            d_logits = float((ours - theirs).abs().max())

            losses(model, seqs).backward()
            run("gradient", folder, folder + "/batch", "f32", tmp + "/gradient")
            gradient = load_file(tmp + "/gradient/model.safetensors")
            params = dict(model.named_parameters())
            assert set(gradient) == set(params), set(gradient) ^ set(params)
            diffs = {k: relative(gradient[k], params[k].grad) for k in gradient}
            worst = max(diffs, key=diffs.get)
            d_loss, d_norm, way = check_steps(model, seqs, folder, tmp + "/stepped")
            bad = d_logits > 1e-4 or diffs[worst] > 1e-4 or d_loss > 1e-5 or d_norm > 1e-4 or way > 0.01
            failed |= bad
            print(f"{name:38} {d_logits:9.1e} {diffs[worst]:9.1e}  {worst:40} {d_loss:8.1e} {d_norm:8.1e} {way:8.1e}"
                  f"{'  FAILED' if bad else ''}")
    sys.exit(failed)


main()
