#!/usr/bin/env python3
"""s3://, hf:// and http:// inputs against a server of our own (tests/support/storage_server.py).

    tests/fault/storage.py WINNOW [TEST...]

What is read from there is what is read from files, byte for byte, through pages of lists,
broken connections and servers that know no ranges; what cannot be read is named and in the exit
code; and no secret is written down anywhere.
"""
import gzip
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "support"))
from storage_server import Store  # noqa: E402

WINNOW = os.path.abspath(sys.argv[1])
ACCESS, SECRET, SESSION, TOKEN, QUERY = ("AKIAOFTESTS", "SECRETkeyOFtests/+1", "SESSIONtokenOFtests==",
                                         "hf_TOKENofTESTS", "QUERYkeyOFtests")
SECRETS = (SECRET, SESSION, TOKEN, QUERY)
work = pathlib.Path(tempfile.mkdtemp(prefix="winnow-storage-"))
store = Store(keys=(ACCESS, SECRET), token=TOKEN)
said = []  # everything that winnow printed


def environment(**more):
    env = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "HF_", "HUGGING"))
           and k.lower() not in ("http_proxy", "https_proxy", "no_proxy")}
    env |= {"HOME": str(work / "home"), "AWS_ENDPOINT_URL": store.url, "HF_ENDPOINT": store.url,
            "WINNOW_STORAGE_TRIES": "4", "WINNOW_STORAGE_SECONDS": "20",
            "AWS_ACCESS_KEY_ID": ACCESS, "AWS_SECRET_ACCESS_KEY": SECRET, "HF_TOKEN": TOKEN, **more}
    return {k: v for k, v in env.items() if v is not None}


def run(*args, code=0, says=(), **env):
    done = subprocess.run([WINNOW, *args], cwd=work, env=environment(**env), capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, timeout=110)
    said.append(done.stdout + done.stderr)
    assert done.returncode == code, f"{args}: exit {done.returncode}, not {code}\n{done.stderr}"
    for text in [says] if isinstance(says, str) else says:
        assert text in done.stderr, f"{args}: does not say {text!r}:\n{done.stderr}"
    return done.stdout


def tree(folder):
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def rules(*inputs, out, code=0, **env):
    """The documents that a small stage makes of inputs."""
    shutil.rmtree(work / out, ignore_errors=True)
    run("dedup", *inputs, "-o", out, "--threads", "2", code=code, **env)
    return tree(work / out / "documents")


def lines(shard, count):
    text = "The river rises in the hills north of the town, and its waters have turned mills for a long time."
    return "".join(json.dumps({"id": f"{shard}-{i}", "text": f"{text} It was measured {i} times at {shard}."}) + "\n"
                   for i in range(count)).encode()


def set_up():
    corpus = work / "local"
    files = {"one.jsonl": lines("one", 3000), "sub/two.jsonl.gz": gzip.compress(lines("two", 900)),
             "sub/n\u00efne +%&=#?.jsonl": lines("nine", 40), "three.ndjson": lines("three", 20)}
    for name, data in files.items():
        (corpus / name).parent.mkdir(parents=True, exist_ok=True)
        (corpus / name).write_bytes(data)
        store.put(f"corpus/{name}", data)
    store.put("corpus/readme.md", b"# none of ours\n")
    store.put("corpus/_set/apart.jsonl", lines("apart", 3))
    store.put("corpus/sub/", b"")
    store.put("corpus/empty.jsonl", b"")
    (corpus / "empty.jsonl").write_bytes(b"")
    (work / "home").mkdir()
    parquet_input()


def parquet_input():
    """Of more than a few windows: digits that cannot be packed to nothing."""
    digits = random.Random(7)
    with open(work / "digits.jsonl", "w", encoding="ascii") as f:
        for i in range(5000):
            f.write(json.dumps({"id": str(i), "text": f"{digits.getrandbits(1600):x}", "n": i}) + "\n")
    run("dedup", "digits.jsonl", "-o", "as-parquet", "--output-format", "parquet")
    data = (work / "as-parquet/documents/digits.parquet").read_bytes()
    assert len(data) > 1_000_000
    (work / "table.parquet").write_bytes(data)
    store.put("tables/table.parquet", data)


def test_s3():
    want = rules("local", out="of-files")
    assert len(want) == 5, list(want)
    assert rules("s3://plain/corpus", out="of-s3") == want
    assert rules("s3://plain/corpus/", out="of-s3") == want
    assert rules("s3://cut/corpus", out="of-s3") == want
    assert rules("s3://busy/corpus", out="of-s3") == want
    assert rules("s3://norange/corpus", out="of-s3") == want
    assert rules("s3://public/corpus", out="of-s3", AWS_ACCESS_KEY_ID=None, AWS_SECRET_ACCESS_KEY=None) == want
    some = rules("local/sub/*.gz", "local/one.jsonl", out="of-files")
    assert rules("s3://plain/corpus/sub/*.gz", "s3://plain/corpus/one.jsonl", out="of-s3") == some
    run("count", "s3://plain/corpus", says=("readme.md (.md is not read)", "apart.jsonl (a name that begins with _)"))
    store.session = SESSION
    run("count", "s3://plain/corpus", AWS_SESSION_TOKEN=SESSION)
    run("count", "s3://plain/corpus", code=1, says="AWS_SESSION_TOKEN")
    store.session = None


def test_keys():
    none = {"AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None}
    run("count", "s3://plain/corpus", code=1, says="may not be read without keys", **none)
    run("count", "s3://plain/corpus", code=1, says=("SignatureDoesNotMatch", "AWS_SECRET_ACCESS_KEY"),
        AWS_SECRET_ACCESS_KEY="another")
    run("count", "s3://plain/corpus", code=2, says="go together", AWS_SECRET_ACCESS_KEY=None)
    aws = work / "home/.aws"
    aws.mkdir()
    (aws / "credentials").write_text(f"[other]\naws_access_key_id = x\n[tests]\naws_access_key_id={ACCESS}\n"
                                     f"aws_secret_access_key = {SECRET}\n")
    (aws / "config").write_text(f"[profile tests]\nregion = eu-west-1\nendpoint_url = {store.url}\ns3 =\n  region = no\n")
    run("count", "s3://plain/corpus", AWS_PROFILE="tests", AWS_ENDPOINT_URL=None, **none)
    run("count", "s3://plain/corpus", code=2, says="the profile nobody", AWS_PROFILE="nobody", **none)
    for code, remedy in (("RequestTimeTooSkewed", "set it"), ("ExpiredToken", "get a new one")):
        store.refusal = code
        run("count", "s3://plain/corpus", code=1, says=(code, remedy))
    store.refusal = None
    run("count", "s3://region/corpus", code=1, says="set AWS_REGION=eu-north-1")


def test_hub():
    want = rules("local", out="of-files")
    assert rules("hf://datasets/owner/plain/corpus", out="of-hub") == want
    assert rules("hf://datasets/owner/cut@v1/corpus", out="of-hub") == want
    assert rules("hf://datasets/owner/plain@refs%2Fconvert%2Fparquet/corpus", out="of-hub") == want
    assert rules("hf://datasets/owner/plain/corpus/one.jsonl", out="of-hub") == rules("local/one.jsonl", out="of-files")
    assert rules("hf://datasets/owner/plain/corpus/sub/*.jsonl", out="of-hub") == \
        rules("local/sub/*.jsonl", out="of-files")
    run("count", "hf://datasets/owner/plain/corpus", code=1, says=("look at the name", "set HF_TOKEN"),
        HF_TOKEN=None)
    run("count", "hf://datasets/owner/plain@no/corpus", code=1, says="is not there")
    run("count", "hf://datasets/owner/plain/nothing", code=1, says="is not there")
    run("count", "hf://owner/plain", code=2, says="hf://datasets/OWNER/NAME")
    cached = work / "home/.cache/huggingface"
    cached.mkdir(parents=True)
    (cached / "token").write_text(TOKEN + "\n")
    run("count", "hf://datasets/owner/plain/corpus", HF_TOKEN=None)
    sent = [entry for entry in store.log if entry[1].startswith("/cdn/")]
    assert sent and all(entry[3] is None for entry in sent), "the token went to another server"


def test_web():
    want = rules("local/one.jsonl", out="of-files")
    for nature in ("plain", "cut", "busy", "norange", "nolength", "moved"):
        assert rules(f"{store.url}/web/{nature}/corpus/one.jsonl", out="of-web", AWS_ACCESS_KEY_ID=None,
                     AWS_SECRET_ACCESS_KEY=None) == want, nature
    run("count", f"{store.url}/web/plain/corpus/one.jsonl?key={QUERY}", code=2, says="--files-from")
    (work / "list").write_text(f"{store.url}/web/plain/corpus/one.jsonl?key={QUERY}\n{store.url}/web/plain/corpus/three.ndjson\n")
    assert rules("--files-from", "list", out="of-list") == \
        rules("local/one.jsonl", "local/three.ndjson", out="of-files")
    run("count", f"{store.url}/web/plain/corpus/none.jsonl", code=1, says="is not there (status 404")
    run("count", f"{store.url}/web/plain/corpus/*.jsonl", code=1, says="name each, or give a list")
    run("count", f"{store.url}/web/plain/", code=2, says="names no file")
    run("count", f"http://user:{SECRET}@127.0.0.1/x", code=2, says="has no place")
    run("count", "gs://bucket/x", code=2, says="not read here")
    once = {"WINNOW_STORAGE_TRIES": "1"}
    run("count", "http://127.0.0.1:9/x.jsonl", code=1, says=("cannot be read", "when its server is there"), **once)
    run("count", "http://nowhere.invalid/x.jsonl", code=1, says="is the name right", **once)
    run("count", store.url.replace("http:", "https:") + "/x.jsonl", code=1, says="rather than https://", **once)
    run("count", "s3://plain/corpus", code=1, says=("AWS_ENDPOINT_URL", "rather than https://"),
        AWS_ENDPOINT_URL=store.url.replace("http:", "https:"), **once)
    run("dedup", "local", "-o", "s3://plain/out", code=2, says="outputs are written to folders of this machine")
    run("quality", "local", "--model", "s3://plain/m", "-o", "of-model", code=2, says="only corpora are read from")


def test_broken():
    """What cannot be read is named, the rest is read, and the exit code says so."""
    out = run("count", "local/three.ndjson", "s3://short/corpus/one.jsonl", code=3,
              says=("s3://short/corpus/one.jsonl", "breaks off at byte 50000"))
    assert "\t" in out
    run("count", "s3://changes/corpus/one.jsonl", code=3, says="has changed since it was found")
    run("count", "s3://longer/corpus/three.ndjson", code=3, says="has changed since it was found")
    run("count", "s3://endless/corpus/", code=1, says="a page leads to itself")
    run("count", "hf://datasets/owner/endless/corpus/", code=1, says="a page leads to itself")
    run("count", "hf://datasets/owner/longer/corpus/", code=1, says="goes on at another server")
    run("count", "s3://hangs/corpus/one.jsonl", code=3, says="did not answer in time", WINNOW_STORAGE_SECONDS="0.5",
        WINNOW_STORAGE_TRIES="2")
    run("count", "s3://denied/corpus/one.jsonl", code=3, says="may not be read with the keys")
    run("count", "s3://elsewhere/corpus/one.jsonl", code=3, says="other bytes than it is asked")
    run("count", "s3://denied/corpus/one.jsonl", "--progress", "always", code=3)
    assert "100%" not in said[-1], "what was not read counts as progress"
    for place in ("s3://denied/corpus/", "s3://denied/corpus/**/*.jsonl"):  # listed, not read: nothing is written
        run("dedup", place, "-o", "of-denied", code=1, says="s3://denied/corpus/")
        assert not (work / "of-denied").exists()
    rules("s3://short/corpus", out="of-short", code=3)
    account = json.loads((work / "of-short/stages/01-dedup/stats.json").read_text())
    assert [s["path"] for s in account["bad_shards"]] == ["s3://short/corpus/one.jsonl"], account["bad_shards"]


def test_parquet():
    want = run("count", "table.parquet")
    for place in ("s3://plain/tables/table.parquet", "s3://cut/tables/", "hf://datasets/owner/plain/tables",
                  f"{store.url}/web/plain/tables/table.parquet"):
        assert run("count", place) == want, place
    run("count", "s3://norange/tables/table.parquet", code=3, says="gives no parts of files")
    as_parquet = ("--output-format", "parquet")
    assert rules("s3://plain/tables", *as_parquet, out="of-s3") == rules("table.parquet", *as_parquet, out="of-files")
    asked = [e for e in store.log if e[1] == "/plain/tables/table.parquet" and e[0] == "GET"]
    assert asked and all(e[2] for e in asked), "Parquet is asked for in parts"


def test_again():
    """A run goes on after kill -9; an object that is another one is another input."""
    key = "growing/a.jsonl"
    store.put(key, lines("a", 60000))
    (work / "growing").mkdir()
    (work / "growing/a.jsonl").write_bytes(store.objects[key])
    want = rules("growing", out="of-files")
    command = [WINNOW, "dedup", "s3://plain/growing", "-o", "killed", "--threads", "1"]
    for wait in (0.2, 0.5, 0.9):
        p = subprocess.Popen(command, cwd=work, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(wait)
        p.send_signal(signal.SIGKILL)
        p.wait()
    run(*command[1:])
    assert tree(work / "killed/documents") == want
    run(*command[1:], says="nothing is left to do")
    store.put(key, lines("b", 100))
    run(*command[1:], says="doing anew what was made of other input")
    assert len((work / "killed/documents/a.jsonl").read_bytes().splitlines()) == 100


def test_runs():
    """A run that was put there means its documents; names that are no files' stay inside."""
    rules("local", out="of-files")
    for name, data in tree(work / "of-files").items():
        store.put(f"runs/mine/{name}", data)
    want = run("count", "of-files")
    assert run("count", "s3://plain/runs/mine") == want
    run("count", "s3://plain/runs", code=2, says="run folder within")
    run("count", "s3://plain/runs/**/*.jsonl", code=2)
    del store.objects["runs/mine/_SUCCESS"]
    run("count", "s3://plain/runs/mine", code=2, says="not finished")
    store.put("odd/../../up.jsonl", lines("up", 2))
    store.put("odd//x.jsonl", lines("x", 2))
    store.put("odd/x.jsonl", lines("y", 2))
    got = rules("s3://plain/odd/*", "s3://plain/odd//x.jsonl", out="odd-out")
    assert sum(len(v.splitlines()) for v in got.values()) == 4, got
    got = rules("s3://plain/odd/../../up.jsonl", out="odd-out")
    assert list(got) == ["up.jsonl"]
    assert not (work / "up.jsonl").exists() and not (work.parent / "up.jsonl").exists()


def test_secrets():
    (work / "recipe.yaml").write_text("winnow: 1\ninput: [s3://plain/corpus]\nstages:\n  - rules: {}\n  - dedup: {}\n")
    run("run", "recipe.yaml", "-o", "whole")
    run("report", "whole")
    for secret in SECRETS:
        for text in said:
            assert secret not in text, "a secret was printed"
        for path in work.rglob("*"):
            if path.is_file() and "home" not in path.relative_to(work).parts and path.name != "list":
                assert secret.encode() not in path.read_bytes(), f"a secret stands in {path}"


def main():
    set_up()
    chosen = sys.argv[2:]
    for test in (test_s3, test_keys, test_hub, test_web, test_broken, test_parquet, test_again, test_runs, test_secrets):
        if chosen and test.__name__ not in chosen:
            continue
        start = time.time()
        test()
        print(f"{test.__name__}: ok, {time.time() - start:.1f} s", flush=True)
    shutil.rmtree(work)


main()
