#!/usr/bin/env python3
"""winnow's tokenizer beside Hugging Face's `tokenizers` (PyPI): same ids, and how fast.

    bench/tokenizer_vs_hf.py WORKER DATA [--rounds 7] [--bytes 8000000] [--random 4000]

WORKER is build/release/tokenizer_worker, DATA the folder with tokenizers/ and clean/.

Speed: both encode the same texts on one thread, in turn, round after round; the figure is the
median of the paired ratios.  `tokenizers` runs encode_batch_fast (no offsets) on one thread with
its cache kept from round to round; winnow starts cold each time.  Ids of all texts are compared.

Random: strings of rare spaces, apostrophes, marks, Hangul parts, special tokens and random
characters through the published tokenizers and through variants of them (other pre-tokenizers,
split behaviors, normalizers, added tokens).  Differences are printed.
"""
import argparse
import json
import os
import random
import statistics
import subprocess
import tempfile
import time
import unicodedata

os.environ["TOKENIZERS_PARALLELISM"] = "false"
os.environ["RAYON_NUM_THREADS"] = "1"
from tokenizers import Tokenizer  # noqa: E402
from tokenizers.implementations import ByteLevelBPETokenizer  # noqa: E402

TEMPLATE = 1  # TOKENIZER_ADD_SPECIAL


def load_hf(path):
    if os.path.isdir(path) and os.path.exists(path + "/encoder.json"):
        t = ByteLevelBPETokenizer(path + "/encoder.json", path + "/vocab.bpe")._tokenizer
        t.add_special_tokens(["<|endoftext|>"])
        return t
    return Tokenizer.from_file(path + "/tokenizer.json" if os.path.isdir(path) else path)


def ours(worker, path, texts, flags, folder):
    """Seconds, and the ids of each text."""
    with open(folder + "/texts", "wb") as f:
        f.write(b"".join(t.encode() + b"\0" for t in texts))
    out = subprocess.run([worker, path, folder + "/texts", str(flags), folder + "/ids"],
                         check=True, stdout=subprocess.PIPE)
    ids, one = [], []
    with open(folder + "/ids", "rb") as f:
        for v in memoryview(f.read()).cast("I"):
            if v == 0xFFFFFFFF:
                ids.append(one)
                one = []
            else:
                one.append(v)
    return float(out.stdout), ids


def speed(worker, path, texts, rounds, folder):
    hf = load_hf(path)
    size = sum(len(t.encode()) for t in texts)
    ratios, rates = [], []
    for _ in range(rounds):
        mine, ids = ours(worker, path, texts, 0, folder)
        start = time.perf_counter()
        theirs = hf.encode_batch_fast(texts, add_special_tokens=False)
        seconds = time.perf_counter() - start
        ratios.append(seconds / mine)
        rates.append((size / mine / 1e6, size / seconds / 1e6))
    differ = sum(a != b.ids for a, b in zip(ids, theirs))
    print(f"{os.path.basename(path):8} {size / 1e6:.1f} MB: winnow "
          f"{statistics.median(r[0] for r in rates):.1f} MB/s, tokenizers "
          f"{statistics.median(r[1] for r in rates):.2f} MB/s, ratio median "
          f"{statistics.median(ratios):.1f} (least {min(ratios):.1f}) of {rounds}; "
          f"texts with other ids: {differ} of {len(texts)}", flush=True)
    return differ


POOL = ("'s 'S 'ſ 're 'RE 'll 'x a the Hello 123 ٣ ½ Ⅷ é e\u0301 \u0301 가 \u1100\u1161 \u11a8 각 ﬁ Ω "
        "Å \u0344 \u0958 漢字 か\u3099 😀 👨‍👩‍👧 _ __ - ... !!! ▁ ▁▁ <0x0A> ß ſ K İ ǆ क्षि ا ל 𝔸 𐍈 ก ไทย Ġ "
        "Ċ <s> </s> <unk> <|endoftext|> <|im_start|> <|im_end|> a\u0323\u0307").split(" ") + [
    " ", "  ", "\n", "\r\n", "\t", "\x0b", "\x0c", "\x85", "\xa0", "\u1680", "\u2003", "\u2028",
    "\u202f", "\u3000", "\u180e", "\u200b", "\ufeff", "\x1c", " <s> "]


def random_text(r):
    out = []
    for _ in range(r.randrange(1, 13)):
        kind = r.random()
        if kind < 0.75:
            out.append(r.choice(POOL))
        elif kind < 0.9:
            c = chr(r.randrange(1, 0x30000))
            if unicodedata.category(c) not in ("Cn", "Cs"):
                out.append(c)
        else:
            out.append("".join(r.choice("abcdefgh ,.;0123456789ABC'\n") for _ in range(7)))
    return "".join(out)


def byte_level(prefix=False, regex=True):
    return {"type": "ByteLevel", "add_prefix_space": prefix, "trim_offsets": True, "use_regex": regex}


def split(pattern, behavior="Isolated", invert=False):
    return {"type": "Split", "pattern": pattern, "behavior": behavior, "invert": invert}


def sequence(*steps):
    return {"type": "Sequence", "pretokenizers": list(steps)}


def added(base):
    """Tokens of every kind, numbered as `tokenizers` numbers them."""
    kinds = [("<s>", {"lstrip": True, "rstrip": True}), ("the", {"single_word": True, "special": False}),
             ("e\u0301", {"normalized": True, "special": False}),
             ("Hello", {"normalized": True, "special": False, "lstrip": True}),
             ("<|im_start|>", {"rstrip": True}), ("...", {"special": False}),
             ("..", {"special": False}), ("_", {"special": False, "single_word": True})]
    vocab, tokens = base["model"]["vocab"], list(base["added_tokens"])
    fresh = max(max(vocab.values()), max((t["id"] for t in tokens), default=0)) + 1
    for content, flags in kinds:
        token = {"id": vocab.get(content, fresh), "content": content, "single_word": False,
                 "lstrip": False, "rstrip": False, "normalized": False, "special": True}
        fresh += content not in vocab
        tokens.append({**token, **flags})
    return sorted(tokens, key=lambda t: t["id"])


LLAMA3 = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
          r"|\s*[\r\n]+|\s+(?!\S)|\s+")
O200K = (r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+"
         r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+"
         r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}"
         r"| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+")


def variants(qwen, mistral):
    """(name, tokenizer.json): one part changed at a time."""
    def change(base, **parts):
        j = json.loads(json.dumps(base))
        for key, value in parts.items():
            (j["model"] if key in j["model"] else j)[key] = value
        return j
    digits = {"type": "Digits", "individual_digits": True}
    plain = change(qwen, normalizer=None)
    yield "gpt2", change(plain, pre_tokenizer=byte_level())
    yield "prefix", change(plain, pre_tokenizer=byte_level(True))
    yield "smollm", change(plain, pre_tokenizer=sequence(digits, byte_level()))
    yield "llama3", change(plain, ignore_merges=True,
                           pre_tokenizer=sequence(split({"Regex": LLAMA3}), byte_level(False, False)))
    yield "o200k", change(plain, pre_tokenizer=sequence(split({"Regex": O200K}), byte_level(False, False)))
    for how in ("Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous"):
        for invert in (False, True):
            yield f"{how} {invert}", change(plain, pre_tokenizer=sequence(
                split({"Regex": r"\s+|[a-c]"}, how, invert), byte_level(False, False)))
        yield f"{how} text", change(plain, pre_tokenizer=sequence(
            split({"String": " "}, how), byte_level()))
    yield "added", change(qwen, added_tokens=added(qwen))
    yield "prepend", change(qwen, added_tokens=added(qwen), normalizer={"type": "Sequence", "normalizers": [
        {"type": "Strip", "strip_left": True, "strip_right": True}, {"type": "Prepend", "prepend": "a"},
        {"type": "Replace", "pattern": {"String": " "}, "content": "_"}]})
    for form in ("NFD", "NFKC", "NFKD"):
        yield form, change(qwen, normalizer={"type": form})
    for scheme in ("always", "first", "never"):
        for cut in (True, False):
            yield f"Metaspace {scheme} {cut}", change(mistral, pre_tokenizer={
                "type": "Metaspace", "replacement": "▁", "prepend_scheme": scheme, "split": cut})
    for fuse in (True, False):
        yield f"unk {fuse}", change(mistral, byte_fallback=False, fuse_unk=fuse)


def compare(name, worker, path, texts, folder):
    hf = load_hf(path)
    _, ids = ours(worker, path, texts, TEMPLATE, folder)
    differ = 0
    for text, mine in zip(texts, ids):
        theirs = hf.encode(text).ids
        if mine != theirs:
            differ += 1
            if differ <= 2:
                print("  ", ascii(text), "\n    winnow    ", [hf.id_to_token(i) for i in mine],
                      "\n    tokenizers", [hf.id_to_token(i) for i in theirs])
    print(f"{name:24} {differ} of {len(texts)} random texts differ", flush=True)
    return differ


def main():
    p = argparse.ArgumentParser()
    p.add_argument("worker")
    p.add_argument("data")
    p.add_argument("--rounds", type=int, default=7)
    p.add_argument("--bytes", type=int, default=8_000_000)
    p.add_argument("--random", type=int, default=4000)
    p.add_argument("--seed", type=int, default=1)
    a = p.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(f"zstd -dcq {a.data}/tokenizers/tokenizers.tar.zst | tar x -C {folder}",
                       shell=True, check=True)
        wiki = subprocess.Popen(["zstd", "-dcq", f"{a.data}/clean/wiki.jsonl.zst"], stdout=subprocess.PIPE)
        texts, size = [], 0
        for line in wiki.stdout:
            texts.append(json.loads(line)["text"])
            size += len(texts[-1].encode())
            if size >= a.bytes:
                break
        wiki.kill()
        if a.rounds > 0:
            for name in ("gpt2", "qwen3", "llama2", "mistral"):
                speed(a.worker, f"{folder}/{name}", texts, a.rounds, folder)
        r = random.Random(a.seed)
        texts = [random_text(r) for _ in range(a.random)]
        texts = [t for t in texts if t]
        for name in ("qwen3", "llama2", "mistral"):
            compare(name, a.worker, f"{folder}/{name}/tokenizer.json", texts, folder)
        qwen = json.load(open(f"{folder}/qwen3/tokenizer.json"))
        mistral = json.load(open(f"{folder}/mistral/tokenizer.json"))
        for name, j in variants(qwen, mistral):
            with open(folder + "/variant.json", "w") as f:
                json.dump(j, f)
            compare(name, a.worker, folder + "/variant.json", texts, folder)


if __name__ == "__main__":
    main()
