#!/usr/bin/env python3
"""winnow reads from moto, a server of others that speaks S3, what it reads from files.

    tests/oracle/storage_moto.py WINNOW

Exit 77, saying so, where no Python has moto and boto3: this one, or that of WINNOW_MOTO.
"""
import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

WINNOW = os.path.abspath(sys.argv[1])
KEYS = {"AWS_ACCESS_KEY_ID": "AKIAOFTESTS", "AWS_SECRET_ACCESS_KEY": "SECRETofTESTS/+", "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1"}
PUT = """
import boto3, pathlib, sys
s3 = boto3.client("s3", endpoint_url=sys.argv[1])
s3.create_bucket(Bucket="corpus")
root = pathlib.Path(sys.argv[2])
for path in root.rglob("*"):
    if path.is_file():
        s3.put_object(Bucket="corpus", Key="a b/" + str(path.relative_to(root)), Body=path.read_bytes())
for path in (root.parent / "many").iterdir():
    s3.put_object(Bucket="corpus", Key="many/" + path.name, Body=path.read_bytes())
part = s3.create_multipart_upload(Bucket="corpus", Key="parts/large.jsonl")["UploadId"]
data = (root / "large.jsonl").read_bytes()
done = []
for n in range(2):
    body = data[:5 << 20] if n == 0 else data[5 << 20:]
    tag = s3.upload_part(Bucket="corpus", Key="parts/large.jsonl", UploadId=part, PartNumber=n + 1, Body=body)["ETag"]
    done.append({"PartNumber": n + 1, "ETag": tag})
s3.complete_multipart_upload(Bucket="corpus", Key="parts/large.jsonl", UploadId=part, MultipartUpload={"Parts": done})
"""


def find_python():
    for python in (os.environ.get("WINNOW_MOTO"), sys.executable):
        if python and subprocess.run([python, "-c", "import moto.server, boto3, flask"], capture_output=True).returncode == 0:
            return python
    print("skipped: no Python with moto and boto3 (pip install 'moto[server]' boto3; WINNOW_MOTO names it)")
    sys.exit(77)


def run(work, env, *args):
    done = subprocess.run([WINNOW, *args, "--threads", "2"], cwd=work, env=env, capture_output=True, text=True)
    assert done.returncode == 0, f"{args}: {done.stderr}"
    return done.stdout


def tree(folder):
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def compare(work, env):
    for address, local in (("s3://corpus/a b", "local"), ("s3://corpus/a b/**/*.jsonl", "local/**/*.jsonl"),
                           ("s3://corpus/parts/large.jsonl", "local/large.jsonl")):
        for out in ("far", "near"):
            shutil.rmtree(work / out, ignore_errors=True)
        run(work, env, "dedup", address, "-o", "far")
        run(work, env, "dedup", local, "-o", "near")
        far = tree(work / "far/documents")
        assert far and far == tree(work / "near/documents"), address
    far, near = (run(work, env, "count", place + "/*77.jsonl") for place in ("s3://corpus/many", "many"))
    assert far == near and "\t10\t" in far, far


def main():
    python = find_python()
    work = pathlib.Path(tempfile.mkdtemp(prefix="winnow-moto-"))
    local = work / "local"
    (local / "s\u00fcb +&=%").mkdir(parents=True)
    for name in ("one.jsonl", "s\u00fcb +&=%/o n e.jsonl"):
        (local / name).write_text(json.dumps({"id": name, "text": f"A short text of {name}."}) + "\n")
    for n in range(1005):  # more than a page of 1,000 keys
        (work / "many").mkdir(exist_ok=True)
        (work / "many" / f"{n:04}.jsonl").write_text(json.dumps({"id": str(n), "text": f"Number {n}."}) + "\n")
    with open(local / "large.jsonl", "w", encoding="utf-8") as f:
        for n in range(60000):
            f.write(json.dumps({"id": f"l{n}", "text": f"Line {n} of a file of more than a part of five megabytes; {n * 7}."}) + "\n")
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    env = {k: v for k, v in os.environ.items() if not k.startswith("AWS_") and "proxy" not in k.lower()}
    env |= KEYS | {"AWS_ENDPOINT_URL": url, "HOME": str(work)}
    server = subprocess.Popen([python, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)], env=env,
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(300):
            try:
                urllib.request.urlopen(url, timeout=5)
                break
            except OSError:
                time.sleep(0.2)
        subprocess.run([python, "-c", PUT, url, str(local)], env=env, check=True)
        compare(work, env)
    finally:
        server.kill()
        server.wait()
        shutil.rmtree(work)
    print("moto: ok")


main()
