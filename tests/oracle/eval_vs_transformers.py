#!/usr/bin/env python3
"""Evaluates a model folder with HF transformers and compares with `winnow eval`.

    winnow train corpus/ -o model --tokens 600k
    python3 -m venv venv && venv/bin/pip install torch transformers tokenizers
    venv/bin/python tests/oracle/eval_vs_transformers.py --winnow build/release/winnow --model model \
        --tasks blimp.jsonl.zst,arc_easy.jsonl.zst,lambada_openai.jsonl.zst --limit 20 heldout.jsonl

Texts, windows, options, greedy answers and standard errors are computed here from the definitions in
docs/formats/tasks.md and eval.md, one sequence at a time, in float32, by code that shares nothing with winnow's.
"""
import argparse
import collections
import json
import math
import subprocess
import tempfile

import torch
from tokenizers import Tokenizer
from transformers import AutoModelForCausalLM

FORMS = {"arc_easy": "\nAnswer: ", "boolq": "\nAnswer: ", "simple_arithmetic_nospaces": ""}


def read(path):
    command = ["zstd" if path.endswith(".zst") else "cat"] + (["-dcq"] if path.endswith(".zst") else []) + [path]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, encoding="utf-8") as p:
        for line in p.stdout:
            yield json.loads(line)


class Judge:
    def __init__(self, folder):
        self.model = AutoModelForCausalLM.from_pretrained(folder, torch_dtype=torch.float32).eval()
        self.tokenizer = Tokenizer.from_file(folder + "/tokenizer.json")
        self.start = self.model.config.bos_token_id
        self.window = min(self.model.config.max_position_embeddings, 2048)

    def ids(self, text):
        return self.tokenizer.encode(text, add_special_tokens=False).ids

    def log_probabilities(self, inputs):
        with torch.no_grad():
            return torch.log_softmax(self.model(torch.tensor([inputs])).logits[0].double(), -1)

    def text(self, text):
        ids, nll = [self.start] + self.ids(text), 0.0
        for at in range(0, len(ids) - 1, self.window):
            part = ids[at : at + self.window + 1]
            logp = self.log_probabilities(part[:-1])
            nll -= sum(logp[i, t].item() for i, t in enumerate(part[1:]))
        return nll, len(ids) - 1

    def option(self, context, continuation):
        first = len(self.ids(context)) + 1
        ids = [self.start] + self.ids(context + continuation)
        first = min(first, len(ids) - 1)
        cut = max(0, len(ids) - 1 - self.window)
        logp = self.log_probabilities(ids[cut:-1])
        targets = [(i - 1 - cut, ids[i]) for i in range(max(first, cut + 1), len(ids))]
        return -sum(logp[i, t].item() for i, t in targets), all(logp[i].argmax().item() == t for i, t in targets)


def options_of(d):
    """[(context, continuation, characters)], gold; None for kinds that are not scored."""
    def join(context, answer):
        bare = context.rstrip(" \t\n\r")
        between = context[len(bare) :] or (FORMS.get(d["task"], " ") if context else "")
        head = between.rstrip(" \t\n\r")
        return bare + head, between[len(head) :] + answer, len(answer)

    kind = d.get("kind", "pair")
    if kind == "pair":
        return [join("", d["good"]), join("", d["bad"])], 0
    if kind == "mc":
        return [join(d["context"], c) for c in d["choices"]], d["gold"]
    if kind == "schema":
        return [join(c, d["continuation"]) for c in d["context_options"]], d["gold"]
    if kind == "cloze":
        return [join(d["context"], d["continuation"])], 0
    return None


def best(losses, gold):
    least = min(losses)
    return 1 / losses.count(least) if losses[gold] == least else 0


def tasks_of(judge, files, limit):
    seen, acc, norm = collections.Counter(), collections.defaultdict(list), collections.defaultdict(list)
    for file in files:
        for d in read(file):
            made = options_of(d)
            name = d["task"] + ("_" + d["subtask"] if d.get("subtask") else "")
            if made is None or (limit and seen[name] >= limit):
                continue
            seen[name] += 1
            options, gold = made
            results = [judge.option(a, b) for a, b, _ in options]
            losses = [r[0] for r in results]
            if d.get("kind") == "cloze":
                acc[name].append(float(results[0][1]))
            else:
                acc[name].append(best(losses, gold))
                norm[name].append(best([x / max(1, o[2]) for x, o in zip(losses, options)], gold))
    return acc, norm


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--winnow", default="build/release/winnow")
    p.add_argument("--model", required=True)
    p.add_argument("--tasks", default="")
    p.add_argument("--limit", type=int, default=0)
    p.add_argument("heldout")
    args = p.parse_args()
    torch.set_num_threads(1)
    with tempfile.NamedTemporaryFile(suffix=".json") as out:
        command = [args.winnow, "eval", "--model", args.model, args.heldout, "-o", out.name, "-q"]
        command += ["--tasks", args.tasks, "--limit", str(args.limit)] if args.tasks else []
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        ours = json.load(open(out.name))["results"]
    judge = Judge(args.model)
    nll, tokens, size, by = 0.0, 0, 0, collections.defaultdict(lambda: [0.0, 0])
    for d in read(args.heldout):
        a, b = judge.text(d["text"])
        nll, tokens, size = nll + a, tokens + b, size + len(d["text"].encode())
        by[d.get("source", "-")][0] += a
        by[d.get("source", "-")][1] += b
    worst = abs(ours["heldout"]["nll"] / (nll / tokens) - 1)
    bits = nll / math.log(2) / size
    print(f"held-out: winnow {ours['heldout']['nll']:.6f} nats a token, transformers {nll / tokens:.6f}; "
          f"bits a byte {ours['heldout']['bits_per_byte']:.6f}, {bits:.6f}")
    assert ours["heldout"]["tokens"] == tokens and ours["heldout"]["bytes"] == size
    for name, (a, b) in by.items():
        if "heldout_" + name in ours:
            worst = max(worst, abs(ours["heldout_" + name]["nll"] / (a / b) - 1))
    print(f"largest relative difference of NLL over all domains: {worst:.1e}")
    different = items = 0
    if args.tasks:
        acc, norm = tasks_of(judge, args.tasks.split(","), args.limit)
        for name, values in acc.items():
            n = len(values)
            items += n
            for key, want in (("acc", values), ("acc_norm", norm.get(name))):
                if want:
                    wrong = abs(ours[name][key] - sum(want) / n) * n
                    different += wrong > 1e-6
                    if wrong > 1e-6:
                        print(f"    {name} {key}: winnow {ours[name][key]:.4f}, transformers {sum(want) / n:.4f}")
            mean = sum(values) / n
            stderr = math.sqrt(sum((v - mean) ** 2 for v in values) / (n - 1) / n) if n > 1 else None
            assert stderr is None or abs(ours[name]["acc_stderr"] - stderr) < 1e-9 or different, name
        print(f"{len(acc)} tasks, {items} items: {different} accuracies differ")
    assert worst < 1e-4 and different == 0
    print("the same")


if __name__ == "__main__":
    main()
