#!/usr/bin/env python3
"""The same refiner in winnow's engine and in llama.cpp's server: are the programs the same?

    refiner_engines.py WINNOW MODEL.gguf DATA STATE [--pages 200] [--bytes 800]
        [--chunk-tokens 256] [--new-tokens 32] [--slots 8] [--threads 1] [--server-python PYTHON]

Takes the first --bytes of so many pages of WCXB (DATA/pages/wcxb_dev.jsonl.zst, drawn
by the hash of their ids), whole lines, and asks MODEL for their programs twice: `winnow
refine --compute f32`, and `winnow refine --engine http` from tests/oracle/llama_server.py
under PYTHON, which has xllamacpp.  MODEL's weights should be f32 (tests/oracle/gguf_dequantise.py makes them so), so that both
compute from the same ones.  Both are held to the same grammar, as masks here and as GBNF there.
Prints how many chunks have the same program, and those that have not, with the distance
between our best and second best logit at the token where they part (programs.jsonl has
the byte and the margin of the closest choices of each answer).

Each half goes on where it was interrupted; run it again with the same STATE.
"""
import argparse
import hashlib
import json
import os
import signal
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))


def make_pages(data, count, size, path):
    text = subprocess.run(["zstd", "-dcq", f"{data}/pages/wcxb_dev.jsonl.zst"], capture_output=True, check=True).stdout
    pages = [json.loads(line) for line in text.splitlines()]
    pages.sort(key=lambda p: hashlib.sha1(p["id"].encode()).hexdigest())
    with open(path, "w", encoding="utf-8") as out:
        for page in pages[:count]:
            lines, left = [], size
            for line in page["lines"]:
                left -= len(line.encode()) + 1
                if left < 0:
                    break
                lines.append(line)
            text = "\n".join(lines or page["lines"][:1])
            out.write(json.dumps({"id": page["id"], "text": text}, ensure_ascii=False) + "\n")


def refine(args, name, *more):
    """The programs of one half, by document and first line; and how long it took, if it ran now."""
    begin, cpu = time.monotonic(), os.times().children_user
    command = [args.winnow, "refine", "--refiner", args.model, "--compute", "f32", "--chunk-tokens",
               args.chunk_tokens, "--new-tokens", args.new_tokens, "--threads", args.threads, "--long-lines", "truncate", *more,
               f"{args.state}/pages.jsonl", "-o", f"{args.state}/{name}"]
    subprocess.run(list(map(str, command)), check=True)
    print(f"{name}: {time.monotonic() - begin:.0f} s, {os.times().children_user - cpu:.0f} s of processor time",
          flush=True)
    with open(f"{args.state}/{name}/stages/01-refine/state/programs.jsonl", encoding="utf-8") as f:
        documents = [json.loads(line) for line in f]
    return {(d["id"], c["first"]): c for d in documents for c in d["chunks"] if c.get("end") != "skipped"}


def ask_server(args):
    address = f"{args.state}/address"
    if os.path.exists(address):
        os.remove(address)
    log = open(f"{args.state}/server.log", "w")
    context = args.chunk_tokens + args.new_tokens + 128
    server = subprocess.Popen([args.server_python, f"{HERE}/../../tests/oracle/llama_server.py", args.model, address,
                               str(args.slots), str(context), str(args.threads)], stdout=log, stderr=log)
    try:
        while not os.path.exists(address):
            if server.poll() is not None:
                sys.exit(f"the server did not start: {args.state}/server.log")
            time.sleep(0.5)
        return refine(args, "http", "--engine", "http", "--url", open(address).read(), "--concurrency", args.slots,
                      "--timeout", 3600)
    finally:
        server.kill()


def parting(ours, theirs):
    """The byte at which two programs part, and our last close choice up to there: [byte, margin], or None."""
    a, b = ours["program"].encode(), theirs["program"].encode()
    at = next((i for i in range(min(len(a), len(b))) if a[i] != b[i]), min(len(a), len(b)))
    return at, max((t for t in ours.get("ties", []) if t[0] <= at), default=None)


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    for name in ("winnow", "model", "data", "state"):
        p.add_argument(name)
    p.add_argument("--pages", type=int, default=200)
    p.add_argument("--bytes", type=int, default=800)
    p.add_argument("--chunk-tokens", type=int, default=256)
    p.add_argument("--new-tokens", type=int, default=32)
    p.add_argument("--slots", type=int, default=8)
    p.add_argument("--threads", type=int, default=1, help="of each side: a server's spin while they wait for each other")
    p.add_argument("--server-python", default=sys.executable)
    args = p.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))  # and the server with it
    os.makedirs(args.state, exist_ok=True)
    if not os.path.exists(f"{args.state}/pages.jsonl"):
        make_pages(args.data, args.pages, args.bytes, f"{args.state}/pages.jsonl")
    ours, theirs = refine(args, "builtin"), ask_server(args)
    if ours.keys() != theirs.keys():
        sys.exit("the two halves do not have the same chunks")
    same = [k for k in ours if ours[k]["program"] == theirs[k]["program"]]
    ends = {end: sum(c.get("end", "whole") == end for c in ours.values()) for end in ("whole", "cut", "loop", "refused")}
    print(f"{len({k[0] for k in ours})} pages, {len(ours)} chunks; {sum(c['prompt_tokens'] for c in ours.values())} "
          f"prompt tokens, {sum(c['new_tokens'] for c in ours.values())} new ones; "
          + ", ".join(f"{n} {end}" for end, n in ends.items()))
    print(f"{len(same)} of {len(ours)} programs are identical ({100 * len(same) / len(ours):.1f} %)")
    for key in ours:
        if key not in same:
            at, tie = parting(ours[key], theirs[key])
            tie = f"margin {tie[1]:.5f} of the token from byte {tie[0]}" if tie else "no choice before it closer than 0.1"
            print(f"\n{key[0]}, lines from {key[1]}: they part at byte {at}, {tie}; least margin of the program "
                  f"{ours[key].get('margin', float('nan')):.5f}\n  ours   {ours[key]['program'][max(0, at - 30):at + 30]!r}"
                  f"\n  server {theirs[key]['program'][max(0, at - 30):at + 30]!r}")


if __name__ == "__main__":
    main()
