#!/usr/bin/env python3
"""Puts a refiner's adapter onto its base with peft, and compares with the folder that winnow merged.

    winnow refiner train pages.jsonl --model BASE --lora-rank 16 -o REFINER
    peft_adapter.py BASE REFINER

BASE is a model folder, both are in f32.  Printed: the largest difference of a merged weight as a share of its
matrix's largest number, and of a logit as a share of the largest.  Exit code 1 beyond 1e-5.  Needs torch,
transformers and peft."""
import json
import sys

import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM

base, refiner = sys.argv[1:3]
load = lambda path: AutoModelForCausalLM.from_pretrained(path, dtype=torch.float32)
ours = load(refiner)
plain = load(base)
theirs = PeftModel.from_pretrained(plain, f"{refiner}/adapter").merge_and_unload()
own = dict(theirs.named_parameters())
worst, name = max((((own[n] - p).abs().max() / p.abs().max()).item(), n) for n, p in ours.named_parameters())
tokens = torch.tensor([list(range(5, 205))])
with torch.no_grad():
    a, b, c = (m(tokens).logits for m in (ours, theirs, load(base)))
logits = ((a - b).abs().max() / b.abs().max()).item()
moved = ((a - c).abs().max() / c.abs().max()).item()
config = json.load(open(f"{refiner}/adapter/adapter_config.json"))
print(f"rank {config['r']}, alpha {config['lora_alpha']}: weights differ by {worst:.1e} ({name}), logits by {logits:.1e}; "
      f"the adapter moves logits by {moved:.1e}")
sys.exit(not (worst < 1e-5 and logits < 1e-5 and moved > 0))
