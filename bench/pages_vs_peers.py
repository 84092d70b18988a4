#!/usr/bin/env python3
"""MB of HTML a second: pages to their main text, beside extractors that do the same.

    bench/pages_vs_peers.py WINNOW PAGES_DIR [ROUNDS]

PAGES: a folder of HTML files.  winnow reads them, with and without what their tags say, into a
pipe, into a run, and through the built-in refiner; trafilatura, resiliparse, jusText and
readability (pip install trafilatura resiliparse jusText readability-lxml lxml_html_clean) cut
the same files in one Python process each.  A missing one is left out, saying so.

Everything runs on one thread.  Rates are by processor seconds (user and system, of both ends
of a pipe), so that other work on the machine disturbs them little; the median of ROUNDS (3) is
shown, of the Python tools, which take long, of one.  What Python takes to start and to import is
left out.  All rounds of a row are spread over the whole run.
"""
import os
import shlex
import statistics
import subprocess
import sys
import tempfile

READ = """
import glob, logging, time
logging.disable(logging.CRITICAL)
pages = [open(f, 'rb').read() for f in sorted(glob.glob(P + '/**/*.html', recursive=True))]
def run(extract):
    start = time.process_time()
    for page in pages:
        try:
            extract(page)
        except Exception:
            pass
    print(time.process_time() - start)
"""
PEERS = {
    "trafilatura, as it comes": "import trafilatura\nrun(trafilatura.extract)",
    "trafilatura, favour recall":
        "import trafilatura\nrun(lambda b: trafilatura.extract(b, favor_recall=True))",
    "trafilatura, fast (no fallback)":
        "import trafilatura\nrun(lambda b: trafilatura.extract(b, fast=True))",
    "resiliparse, main content": """
from resiliparse.extract.html2text import extract_plain_text
from resiliparse.parse.encoding import bytes_to_str, detect_encoding
run(lambda b: extract_plain_text(bytes_to_str(b, detect_encoding(b)), main_content=True))""",
    "jusText": "import justext\nstop = justext.get_stoplist('English')\n"
               "run(lambda b: justext.justext(b, stop))",
    "readability-lxml": "from readability import Document\n"
                        "run(lambda b: Document(b.decode('utf-8', 'replace')).summary())",
}


def by_time(command, tmp):
    """Processor seconds and peak MB of a shell command, both ends of a pipe summed and compared."""
    figures = os.path.join(tmp, "figures")
    done = subprocess.run(["/usr/bin/time", "-o", figures, "-f", "%U %S %M", "sh", "-c", command],
                          stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                          stderr=subprocess.PIPE, cwd=tmp)
    if done.returncode:
        sys.exit(f"{command}: {done.stderr.decode()}")
    with open(figures, encoding="ascii") as file:
        user, system, peak = file.read().split()
    return float(user) + float(system), float(peak) / 1024


def by_python(code, pages):
    done = subprocess.run([sys.executable, "-c", f"P = {pages!r}\n{READ}\n{code}"],
                          capture_output=True, text=True)
    return float(done.stdout.split()[-1]) if done.returncode == 0 else None


def own_rows(winnow, pages):
    w, p = shlex.quote(winnow), shlex.quote(pages)
    read = f"{w} extract -q -t 1 {p}"
    refine = f"{w} refine -q -t 1 - -o -"
    into = "rm -rf out && "
    return [
        ("extract into a pipe", f"{read} -o -"),
        ("the same, --no-structure", f"{read} --no-structure -o -"),
        ("extract into a run", f"{into}{read} -o out"),
        ("the same, --no-structure", f"{into}{read} --no-structure -o out"),
        ("extract, refine in a pipe", f"{read} -o - | {refine}"),
        ("the same, --no-structure", f"{read} --no-structure -o - | {refine}"),
        ("extract, refine as two runs",
         f"rm -rf out out2 && {read} -o out && {w} refine -q -t 1 out -o out2"),
    ]


def main():
    winnow, pages = (os.path.abspath(p) for p in sys.argv[1:3])
    rounds = int(sys.argv[3]) if len(sys.argv) > 3 else 3
    size = sum(os.path.getsize(os.path.join(d, f)) for d, _, fs in os.walk(pages) for f in fs
               if f.endswith(".html")) / 1e6
    rows = own_rows(winnow, pages)
    print(f"{size:.1f} MB of HTML, one thread, {rounds} rounds\n\n"
          "| | MB/s | processor s | peak MB |\n| --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory() as tmp:
        measured = [[by_time(command, tmp) for _, command in rows] for _ in range(rounds)]
    for i, (name, _) in enumerate(rows):
        seconds = statistics.median(m[i][0] for m in measured)
        peak = max(m[i][1] for m in measured)
        print(f"| winnow {name} | {size / seconds:.1f} | {seconds:.2f} | {peak:.0f} |", flush=True)
    for name, code in PEERS.items():
        seconds = by_python(code, pages)
        cells = f"{size / seconds:.2f} | {seconds:.1f}" if seconds else "not installed, or failed | -"
        print(f"| {name} | {cells} | - |", flush=True)


if __name__ == "__main__":
    main()
