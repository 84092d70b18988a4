"""`winnow refine` with a language model beside llama.cpp answering the same prompts, taking turns.

    python3 bench/refine_vs_llamacpp.py build/release MODEL.gguf PAGES.jsonl.zst --llama SOURCE
        [--pages 24] [--bytes 3000] [--chunk-tokens 512] [--new-tokens 48] [--sequences 32] [--rounds 5]

PAGES hold "lines" (WCXB's, say) or "text"; SOURCE is as in score_vs_llamacpp.py; both compute in bf16 from the
same bf16 weights.  winnow is timed as a command, from its start to its exit: loading the model, cutting pages
into chunks, writing programs held to the grammar, executing them, ledger and outputs.  The prompts that llama.cpp
gets are those that winnow sends to a server, token for token (taken down by a server here), loaded and
tokenized before its clock starts, and each answer has as many tokens as winnow's had; it works on as many
at once as winnow does, with what all prompts begin with
computed once where its cache is unified.  Timed are its forward passes alone: no sampler, no grammar.  Kind of
cache, whether single tokens wait for prompts, and the way its threads wait are the fastest of a trial before the rounds; what its grammar
sampler costs, a last line says for a few of the prompts (--grammar-requests), with the same settings.
"""
import argparse, http.server, json, os, shutil, subprocess, sys, tempfile, threading, time

import numpy as np

import peers

p = argparse.ArgumentParser()
p.add_argument("build")
p.add_argument("model")
p.add_argument("pages_file")
p.add_argument("--llama", required=True)
p.add_argument("--pages", type=int, default=24)
p.add_argument("--bytes", type=int, default=3000, help="of a page's first lines")
p.add_argument("--chunk-tokens", type=int, default=512)
p.add_argument("--new-tokens", type=int, default=48)
p.add_argument("--sequences", type=int, default=32)
p.add_argument("--rounds", type=int, default=5)
p.add_argument("--threads", type=int, default=2)
p.add_argument("--grammar-requests", type=int, default=4)
p.add_argument("--settings", default="", help="only what is called so takes part in the trial: split cache, say")
args = p.parse_args()
winnow = args.build + "/winnow"


def write_pages(path):
    """The first lines of the first pages that have any; returns the bytes of their text."""
    cat = ["zstd", "-dcq"] if args.pages_file.endswith(".zst") else ["cat"]
    lines = subprocess.run([*cat, args.pages_file], capture_output=True, check=True).stdout.splitlines()
    size, count = 0, 0
    with open(path, "w", encoding="utf-8") as out:
        for page in map(json.loads, lines):
            text = "\n".join(page["lines"]) if "lines" in page else page["text"]
            text = text.encode()[:args.bytes].decode(errors="ignore").rpartition("\n")[0]
            if text and count < args.pages:
                out.write(json.dumps({"id": page["id"], "text": text}, ensure_ascii=False) + "\n")
                size, count = size + len(text.encode()), count + 1
    return size, count


def refine(pages, out, *more):
    shutil.rmtree(out, ignore_errors=True)
    begin = time.monotonic()
    peers.run(winnow, "refine", "-q", "--threads", args.threads, "--chunk-tokens", args.chunk_tokens, "--new-tokens",
              args.new_tokens, "--long-lines", "truncate", *more, pages, "-o", out)
    return time.monotonic() - begin


def requests_of(pages, model, tmp):
    """What winnow sends to a server: the bodies, in the order of the chunks."""
    taken = []

    class Server(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            taken.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            body = b'{"choices":[{"text":"keep_chunk()","finish_reason":"stop"}]}'
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    refine(pages, tmp + "/taken", "--refiner", model, "--engine", "http", "--server", "llama.cpp", "--model", "any",
           "--concurrency", 1, "--url", f"http://127.0.0.1:{server.server_address[1]}")
    server.shutdown()
    return taken


def programs_of(out):
    with open(out + "/stages/01-refine/state/programs.jsonl", encoding="utf-8") as f:
        return [c for line in f for c in json.loads(line)["chunks"]]


def write_jobs(path, requests, programs):
    """llama_worker's jobs: prompt, number of new tokens, grammar."""
    words = [np.array([len(requests)], dtype=np.uint32)]
    for r, c in zip(requests, programs, strict=True):
        grammar = r["grammar"].encode()
        # An answer that the model ended has a token that ends it.
        new = c["new_tokens"] + (c.get("end") is None and c["new_tokens"] < args.new_tokens)
        words.append(np.array([len(r["prompt"]), new, len(grammar), *r["prompt"]], dtype=np.uint32))
        words.append(np.frombuffer(grammar + b"\0" * (-len(grammar) % 4), dtype=np.uint32))
    np.concatenate(words).tofile(path)


def best_worker(binary, gguf, jobs, count, context):
    """A worker with the fastest settings over the first six requests; micro-batches of 512 tokens, its own default."""
    tried = {}
    for unified in (1, 0):
        for mixed in (1, 0):
            for wait in peers.WAITS:
                name = f"{'unified' if unified else 'split'} cache, {'mixed' if mixed else 'prompts first'}, {wait}"
                if args.settings not in name:
                    continue
                w = peers.Worker([binary, "programs", gguf, args.threads, context, args.sequences, unified, 512,
                                  mixed],
                                 peers.waiting(wait))
                w.ask(f"{jobs} 0 1 0")
                tried[name] = (w.ask(f"{jobs} 0 {min(count, 6)} 0")[0], w)
                slower = [t for t in tried if tried[t][0] > min(s for s, _ in tried.values())]
                for t in slower:  # eight caches need not fit into memory
                    tried.pop(t)[1].close()
    if not tried:
        sys.exit(f"no settings are called {args.settings!r}: unified or split cache, mixed or prompts first, active or passive")
    best = min(tried, key=lambda t: tried[t][0])
    return tried[best][1], best


with tempfile.TemporaryDirectory() as tmp:
    binary = peers.llama_worker(args.llama, tmp + "/worker")
    bf16, pages, jobs = tmp + "/bf16.gguf", tmp + "/pages.jsonl", tmp + "/jobs"
    peers.run(binary, "quantize", args.model, bf16, "bf16")
    size, count = write_pages(pages)
    requests = requests_of(pages, bf16, tmp)
    ours = ("--refiner", bf16, "--compute", "bf16")
    refine(pages, tmp + "/out", *ours)
    programs = programs_of(tmp + "/out")
    write_jobs(jobs, requests, programs)
    prompt, new = sum(len(r["prompt"]) for r in requests), sum(c["new_tokens"] for c in programs)
    context = max(len(r["prompt"]) for r in requests) + args.new_tokens + 8
    worker, settings = best_worker(binary, bf16, jobs, len(requests), context)
    play = {"winnow": lambda: refine(pages, tmp + "/out", *ours),
            f"llama.cpp ({settings})": lambda: worker.ask(f"{jobs} 0 {len(requests)} 0")[0]}
    _, pair, measured, note = peers.rounds(args.build + "/peak_probe", args.rounds,
                                           lambda n: {name: play[name]() for name in peers.turns(play, n)}, "bf16",
                                           seconds=100)
    print(f"{count} pages, {size / 1e3:.1f} kB, {len(requests)} chunks, {prompt} prompt tokens, {new} new ones; "
          f"{args.sequences} at once, {args.threads} threads; {note}; pair probe {' '.join(f'{x:.2f}' for x in pair)}")
    rows = [("", "documents/s", "kB/s", "winnow / it")]
    for name in play:
        mine, its = [m["winnow"] for m in measured], [m[name] for m in measured]
        rows.append((name, peers.spread([count / s for s in its]), peers.spread([size / 1e3 / s for s in its], "{:.1f}"),
                     "" if name == "winnow" else peers.ratios(its, mine)))
    peers.table(rows)
    some = min(args.grammar_requests, len(requests))
    free, held = (worker.ask(f"{jobs} 0 {some} {grammar}") for grammar in (0, 1))
    print(f"llama.cpp's grammar: {some} requests take {held[0]:.2f} s for {held[1]:.0f} tokens with it, {free[0]:.2f} s "
          f"for {free[1]:.0f} without")
    worker.close()
