#!/usr/bin/env python3
"""diversify beside scikit-learn and faiss, on the same documents in one run, one thread each.

    diversify_vs_peers.py WINNOW CORPUS.jsonl WORK [--mb 100,200] [--peers sklearn,faiss] [--copies 2000]

Rows: the whole stage (text to documents that stay) with time and peak memory, at each size; k-means
alone on winnow's own vectors by each, with the mean cosine that it reaches; near-copies planted at
word edit rates that semdedup finds.  Needs numpy; scikit-learn and faiss-cpu where they are asked for."""
import argparse, json, os, random, resource, shutil, struct, subprocess, sys, time

os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", MKL_NUM_THREADS="1")


def timed(command):
    """Seconds and peak MB of a child."""
    start = time.time()
    p = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, use = os.wait4(p.pid, 0)
    if status:
        sys.exit(f"failed: {' '.join(command)}")
    return time.time() - start, use.ru_utime + use.ru_stime, use.ru_maxrss / 1024


def cut(corpus, out, size):
    """The first MB, as often as needed, ids made different; every copy rotates its words."""
    total, turn = 0, 0
    with open(out, "w", encoding="utf-8") as o:
        while total < size:
            with open(corpus, encoding="utf-8") as f:
                for line in f:
                    d = json.loads(line)
                    words = d["text"].split(" ")
                    at = (turn * 7919) % max(len(words), 1)
                    text = " ".join(words[at:] + words[:at]) if turn == 0 else " ".join(
                        random.Random(f"{turn}{d['id']}").sample(words, max(1, len(words) * 2 // 3)))
                    line = json.dumps({"id": f"{d['id']}+{turn}", "text": text}, ensure_ascii=False) + "\n"
                    o.write(line)
                    total += len(line)
                    if total >= size:
                        break
            turn += 1


def vectors(store):
    """A store of vectors (docs/formats/vectors.md) as float32."""
    import numpy as np
    with open(store, "rb") as f:
        head = f.read(4096)
        parts, dim = struct.unpack_from("<II", head, 16)
        rows, = struct.unpack_from("<Q", head, 24)
        page = lambda n: (n + 4095) // 4096 * 4096
        f.seek(4096 + page(rows * 64) + page(rows * parts * 4))
        raw = np.frombuffer(f.read(rows * dim * 2), dtype="<u2").astype(np.uint32) << 16
    return raw.view(np.float32).reshape(rows, dim)


def cosine(x, centroids):
    import numpy as np
    c = centroids / np.maximum(np.linalg.norm(centroids, axis=1, keepdims=True), 1e-12)
    return float(np.mean([np.max(x[i:i + 4096] @ c.T, axis=1).mean() for i in range(0, len(x), 4096)]))


def peers_kmeans(names, x, k):
    if "sklearn" in names:
        from sklearn.cluster import MiniBatchKMeans
        start = time.process_time()
        m = MiniBatchKMeans(k, batch_size=4096, n_init=1, max_iter=20, random_state=0).fit(x)
        m.predict(x)
        yield "sklearn MiniBatchKMeans", time.process_time() - start, cosine(x, m.cluster_centers_)
    if "faiss" in names:
        import faiss
        faiss.omp_set_num_threads(1)
        start = time.process_time()
        m = faiss.Kmeans(x.shape[1], k, niter=20, spherical=True, seed=1, max_points_per_centroid=256)
        m.train(x)
        m.index.search(x, 1)
        yield "faiss Kmeans", time.process_time() - start, cosine(x, m.centroids)


def edited(words, rate, vocabulary, r):
    return [r.choice(vocabulary) if r.random() < rate else w for w in words]


def planted(args):
    r = random.Random(11)
    with open(args.corpus, encoding="utf-8") as f:
        rows = [json.loads(line) for line in f]
    rows = [d for d in rows if len(d["text"].split()) > 100]
    r.shuffle(rows)
    rows = rows[:20000]
    vocabulary = [w for d in rows[:300] for w in d["text"].split()]
    rates = (0, 0.02, 0.05, 0.1, 0.2)
    path = os.path.join(args.work, "planted.jsonl")
    with open(path, "w", encoding="utf-8") as o:
        for d in rows:
            o.write(json.dumps({"id": d["id"], "text": d["text"]}) + "\n")
        for n in range(args.copies):
            rate, d = rates[n % len(rates)], rows[n]
            text = " ".join(edited(d["text"].split(), rate, vocabulary, r))
            o.write(json.dumps({"id": f"copy {rate} of {d['id']}", "text": text}) + "\n")
    for eps in ("0.02", "0.05", "0.1", "0.2"):
        out = os.path.join(args.work, "planted-run")
        shutil.rmtree(out, ignore_errors=True)
        timed([args.winnow, "diversify", "-q", "-t", "1", "--eps", eps, path, "-o", out])
        gone = set()
        with open(os.path.join(out, "stages/01-diversify/ledger/planted.jsonl"), encoding="utf-8") as f:
            for line in f:
                e = json.loads(line)
                if e["verdict"] == "remove":
                    gone.add(e["id"])
        copied = {d["id"] for d in rows[:args.copies]}
        others = sum(1 for d in rows if d["id"] not in copied and d["id"] in gone)
        found = {}
        for n in range(args.copies):
            rate, d = rates[n % len(rates)], rows[n]
            hit = f"copy {rate} of {d['id']}" in gone or d["id"] in gone
            found.setdefault(rate, []).append(hit)
        print(f"| {eps} | " + " | ".join(f"{sum(found[x]) / len(found[x]):.3f}" for x in rates)
              + f" | {others} of {len(rows) - args.copies} |", flush=True)


def main():
    p = argparse.ArgumentParser()
    p.add_argument("winnow"), p.add_argument("corpus"), p.add_argument("work")
    p.add_argument("--mb", default="100,200"), p.add_argument("--peers", default="sklearn,faiss")
    p.add_argument("--copies", type=int, default=2000)
    args = p.parse_args()
    os.makedirs(args.work, exist_ok=True)
    print("| MB | documents | s | CPU s | MB/s of CPU | peak MB |\n| --- | --- | --- | --- | --- | --- |")
    for mb in map(int, args.mb.split(",")):
        path, out = os.path.join(args.work, f"{mb}.jsonl"), os.path.join(args.work, f"run-{mb}")
        if not os.path.exists(path):
            cut(args.corpus, path, mb * 1000000)
        shutil.rmtree(out, ignore_errors=True)
        wall, cpu, peak = timed([args.winnow, "diversify", "-q", "-t", "1", path, "-o", out])
        n = sum(1 for _ in open(path, "rb"))
        print(f"| {mb} | {n} | {wall:.1f} | {cpu:.1f} | {mb / cpu:.1f} | {peak:.0f} |", flush=True)
    x = vectors(os.path.join(out, "stages/01-diversify/state/vectors/vectors.bin"))
    x = x[abs(x).sum(axis=1) > 0]
    k = round(len(x) ** 0.5)
    again = os.path.join(args.work, "again")
    shutil.rmtree(again, ignore_errors=True)
    _, cpu, _ = timed([args.winnow, "diversify", "-q", "-t", "1", "--method", "none", path, "-o", again, "--features",
                       os.path.join(out, "stages/01-diversify/state/vectors")])
    with open(os.path.join(again, "stages/01-diversify/state/diversify.json")) as f:
        own = json.load(f)["mean_cosine"]
    print(f"\n{len(x)} vectors of {x.shape[1]} numbers, {k} clusters, 20 iterations, one thread:\n")
    print(f"| | CPU s | mean cosine |\n| --- | --- | --- |\n| winnow, with names and verdicts (CPU) | {cpu:.1f} | {own:.4f} |",
          flush=True)
    for name, seconds, reached in peers_kmeans(args.peers.split(","), x, k):
        print(f"| {name} | {seconds:.1f} | {reached:.4f} |", flush=True)
    print("\n| eps | copies with 0 | 2 % | 5 % | 10 % | 20 % of words edited | others removed |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    planted(args)


main()
