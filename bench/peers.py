"""What the benches that race winnow against a peer share.

Machines here are shared and two processors may be two threads of one core, so
every bench takes turns, prints the pair probe beside each round, and quotes
medians of the rounds' ratios with their range.
"""
import argparse, glob, os, signal, statistics, subprocess, sys, time

HERE = os.path.dirname(os.path.abspath(__file__))


def run(*args, env=None):
    """Standard output and error of a command that must succeed."""
    r = subprocess.run(list(map(str, args)), stdin=subprocess.DEVNULL, capture_output=True, text=True,
                       env={**os.environ, **(env or {})})
    if r.returncode:
        sys.exit(f"{' '.join(map(str, args))}\nfailed with code {r.returncode}:\n{r.stdout[-2000:]}{r.stderr[-2000:]}")
    return r.stdout + r.stderr


def peaks(probe):
    """GFLOP/s of one and two threads by type, as bench/peak_probe.c measures them now."""
    out = {}
    for line in run(probe).splitlines():
        kind, one, two = line.split()
        out[kind] = (float(one), float(two))
    return out


def pair(p, kind="f32"):
    """What two busy threads do as a multiple of one."""
    return p[kind][1] / p[kind][0] if p[kind][0] else float("nan")


def rounds(probe, wanted, play, kind="f32", least=1.6, seconds=150):
    """Plays rounds until wanted of them count, or the seconds are over.

    play(n) runs every contestant once and returns what it measured.  A round counts where the pair probe says at least
    `least` before and after it: with less, another process had a processor or both were threads of one core.  Returns
    the peaks, pairs and measures of the rounds that count, of all where fewer than three do, and a sentence about it.
    """
    all_, good, begin = [], [], time.monotonic()
    before = peaks(probe)
    while len(good) < wanted and (len(all_) < 3 or time.monotonic() - begin < seconds):
        measured = play(len(all_))
        after = peaks(probe)
        all_.append((before, min(pair(before, kind), pair(after, kind)), measured))
        if all_[-1][1] >= least:
            good.append(all_[-1])
        before = after
    used = good if len(good) >= 3 else all_
    note = (f"{len(good)} of {len(all_)} rounds with a pair probe of {least} or more count" if used is good else
            f"only {len(good)} of {len(all_)} rounds had a pair probe of {least}: all are shown, and say little")
    return [x[0] for x in used], [x[1] for x in used], [x[2] for x in used], note


def turns(names, n):
    """The contestants in an order that rotates from round to round."""
    names = list(names)
    return names[n % len(names):] + names[:n % len(names)]


def tcmalloc():
    found = sorted(glob.glob("/usr/lib/*/libtcmalloc.so.*") + glob.glob("/usr/lib/*/libtcmalloc_minimal.so.*"))
    return found[0] if found else None


def spread(values, form="{:.2f}"):
    """The median with its range."""
    return f"{form.format(statistics.median(values))} ({form.format(min(values))}..{form.format(max(values))})"


def ratios(ours, theirs):
    return spread([a / b for a, b in zip(ours, theirs)])


# How OpenMP's threads wait for each other: asleep or spinning.  Spinning costs a peer a multiple of its time wherever
# another process has one of the processors for a moment; on a calm machine either may be the faster, so a trial decides.
WAITS = ("passive", "active")


def waiting(policy):
    return {"OMP_WAIT_POLICY": policy}


class Worker:
    """A process that stays alive, reads a command a line and answers with one line.

    It is stopped between its turns: threads that spin while they wait would take part in the others'.
    """

    def __init__(self, command, env=None):
        self.p = subprocess.Popen(list(map(str, command)), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                  stderr=subprocess.DEVNULL, text=True, env={**os.environ, **(env or {})})
        self.name = os.path.basename(str(command[0]))

    def ask(self, line):
        if os.getpriority(os.PRIO_PROCESS, self.p.pid) != os.getpriority(os.PRIO_PROCESS, 0):
            sys.exit("a contestant has another priority than this script: start it again, all at one")
        self.p.send_signal(signal.SIGCONT)
        self.p.stdin.write(line + "\n")
        self.p.stdin.flush()
        answer = self.p.stdout.readline().split()
        self.p.send_signal(signal.SIGSTOP)
        if not answer:
            sys.exit(f"{self.name} died at: {line}")
        return [float(x) for x in answer]

    def close(self):
        self.p.send_signal(signal.SIGCONT)
        self.p.stdin.close()
        self.p.wait()


def llama_worker(where, out):
    """Compiles bench/llama_worker.c against llama.cpp or ik_llama.cpp.

    where is a source tree whose library lies static in its build/, or SOURCE:LIBRARIES with a folder of shared ones,
    such as llama_cpp/lib of an installed llama-cpp-python.
    """
    source, _, shared = where.partition(":")
    flags = ["-O3", "-I", source + "/include", "-I", source + "/ggml/include"]
    if "use_thp" in open(source + "/include/llama.h").read():
        flags.append("-DIK")
    if shared:
        libs = ["-L" + shared, "-Wl,-rpath," + os.path.abspath(shared), "-lllama", "-lggml", "-lggml-base"]
    else:
        build = source + "/build"
        found = sorted(glob.glob(build + "/src/libllama.a") + glob.glob(build + "/ggml/src/**/*.a", recursive=True))
        if not found:
            sys.exit(f"{build} holds no libllama.a: build target llama there with -DBUILD_SHARED_LIBS=OFF")
        libs = ["-Wl,--start-group", *found, "-Wl,--end-group"]
    run("cc", *flags, "-c", HERE + "/llama_worker.c", "-o", out + ".o")
    run("c++", out + ".o", "-o", out, *libs, "-fopenmp", "-lpthread", "-ldl", "-lm")
    return out


def llama_arguments():
    """A parser with what every race against the two llama.cpps on the same text is told."""
    p = argparse.ArgumentParser()
    p.add_argument("build")
    p.add_argument("model")
    p.add_argument("text")
    p.add_argument("--llama")
    p.add_argument("--ik")
    p.add_argument("--compute", default="bf16", choices=["bf16", "int8"])
    p.add_argument("--rounds", type=int, default=5)
    p.add_argument("--threads", type=int, default=2)
    return p


def llama_contestants(args, tmp):
    """The peers' workers by name, the model in bf16, and what the peers compute with: its file and type."""
    binaries = {name: llama_worker(source, f"{tmp}/worker{i}")
                for i, (name, source) in enumerate([("llama.cpp", args.llama), ("ik_llama.cpp", args.ik)]) if source}
    quantize = [next(iter(binaries.values())), "quantize"]
    bf16, q8_0 = tmp + "/bf16.gguf", tmp + "/q8_0.gguf"
    run(*quantize, args.model, bf16, "bf16")
    if args.compute != "int8":
        return binaries, bf16, bf16, "bf16"
    run(*quantize, bf16, q8_0, "q8_0")
    return binaries, bf16, q8_0, "q8_0"


def write_batch(path, sequences):
    """dump_engine's batch file: u32 words, the number of sequences, their starts, their tokens."""
    import numpy as np
    starts = np.cumsum([0] + [len(s) for s in sequences])
    np.concatenate([[len(sequences)], starts, np.concatenate(sequences)]).astype(np.uint32).tofile(path)


def table(rows):
    """Aligned columns."""
    width = [max(len(str(r[i])) for r in rows) for i in range(len(rows[0]))]
    for r in rows:
        print("  " + "  ".join(str(c).ljust(w) for c, w in zip(r, width)).rstrip(), flush=True)
