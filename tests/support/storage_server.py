"""A server of objects, hub and web in one, and its faults: what tests/fault/storage.py reads from.

What S3, a Hugging Face hub and a plain web server answer is written here from their
documentation, signatures included (SigV4, over hmac), so that what the client sends is judged by
something else.  Each bucket or first folder of a path has a nature of its own:

    plain     as it should be                  public    the same, without a signature
    cut       every answer breaks off after some bytes
    busy      every second request is a 503 with Retry-After
    short     breaks off at the same byte for ever
    changes   is another object after its first bytes
    hangs     answers nothing
    norange   knows no ranges                  nolength  nor lengths
    denied    403
    moved     is at plain, by a redirect       elsewhere bytes of another place than asked for
    region    lies in another region           endless   its lists have no end
    longer    is longer than it says, after a while
"""
import datetime
import hashlib
import hmac
import http.server
import json
import os
import re
import threading
import time
import urllib.parse
import xml.sax.saxutils

SHA = "0123456789abcdef0123456789abcdef01234567"
PAGE = 2  # entries of a list, so that small lists have pages
CUT = 50_000


def sign(secret, *parts):
    key = ("AWS4" + secret).encode()
    for part in parts:
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return key


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    # ---- what is asked

    def do_HEAD(self):
        self.answer()

    def do_GET(self):
        self.answer()

    def answer(self):
        store = self.server.store
        url = urllib.parse.urlsplit(self.path)
        parts = url.path.lstrip("/").split("/")
        with store.lock:
            store.log.append((self.command, self.path, self.headers.get("Range"), self.headers.get("Authorization")))
        if parts[0] == "api":
            return self.hub_api(parts, url)
        if parts[0] == "datasets":
            return self.hub_file(parts)
        nature, key = parts[0], urllib.parse.unquote("/".join(parts[1:]))
        if nature in ("cdn", "web"):
            return self.object(parts[1], "/".join(urllib.parse.unquote(p) for p in parts[2:]))
        query = dict(urllib.parse.parse_qsl(url.query, keep_blank_values=True))
        if not self.signed(nature, url):
            return
        if nature == "region":
            return self.head(301, {"x-amz-bucket-region": "eu-north-1", "Content-Length": "0"})
        if nature not in store.natures:
            return self.error(404, "NoSuchBucket")
        if query.get("list-type") == "2":
            return self.list(nature, query)
        self.object(nature, key)

    # ---- S3

    def signed(self, bucket, url):
        given = self.headers.get("Authorization")
        store = self.server.store
        if given is None:
            if bucket == "public" or store.keys is None:
                return True
            self.error(403, "AccessDenied")
            return False
        m = re.fullmatch(r"AWS4-HMAC-SHA256 Credential=([^/]+)/(\d{8})/([^/]+)/s3/aws4_request, "
                         r"SignedHeaders=([a-z0-9;-]+), Signature=([0-9a-f]{64})", given)
        if not m or store.keys is None or m[1] != store.keys[0]:
            self.error(403, "InvalidAccessKeyId")
            return False
        names = m[4].split(";")
        if store.session and self.headers.get("x-amz-security-token") != store.session:
            self.error(403, "InvalidToken")
            return False
        if store.refusal:
            self.error(403, store.refusal)
            return False
        query = "&".join(sorted(p if "=" in p else p + "=" for p in url.query.split("&") if p))
        canonical = "\n".join([self.command, url.path, query,
                               *(f"{n}:{self.headers[n].strip()}" for n in names), "",
                               m[4], self.headers["x-amz-content-sha256"]])
        when = self.headers["x-amz-date"]
        text = "\n".join(["AWS4-HMAC-SHA256", when, f"{m[2]}/{m[3]}/s3/aws4_request",
                          hashlib.sha256(canonical.encode()).hexdigest()])
        key = sign(store.keys[1], m[2], m[3], "s3", "aws4_request")
        good = hmac.new(key, text.encode(), hashlib.sha256).hexdigest() == m[5]
        now = datetime.datetime.now(datetime.timezone.utc)
        then = datetime.datetime.strptime(when, "%Y%m%dT%H%M%SZ").replace(tzinfo=datetime.timezone.utc)
        if not good or abs((now - then).total_seconds()) > 900 or "host" not in names:
            self.error(403, "SignatureDoesNotMatch")
            return False
        return True

    def list(self, bucket, query):
        store = self.server.store
        keys = [k for k in sorted(store.keys_of(bucket), key=lambda k: k.encode()) if k.startswith(query["prefix"])]
        start = int(query.get("continuation-token", "0-!").split("-")[0])
        some, more = keys[start:start + PAGE], len(keys) > start + PAGE
        quote = urllib.parse.quote_plus
        text = ['<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult>',
                f"<IsTruncated>{'true' if more or bucket == 'endless' else 'false'}</IsTruncated>"]
        for key in some:
            data = store.read(bucket, key)
            etag = xml.sax.saxutils.escape(store.etag(data), {'"': "&quot;"})
            text.append(f"<Contents><Key>{quote(key, safe='/')}</Key><Size>{len(data)}</Size>"
                        f"<ETag>{etag}</ETag><Owner><ID>Key</ID></Owner></Contents>")
        more = more or bucket == "endless"
        start = 0 if bucket == "endless" else start
        if more:  # a token of bytes that have to be encoded
            text.append(f"<NextContinuationToken>{start + PAGE}-a+b/c=</NextContinuationToken>")
        self.text(200, "".join(text) + "</ListBucketResult>")

    # ---- the hub

    def hub_allowed(self):
        token = self.server.store.token
        if token and self.headers.get("Authorization") != f"Bearer {token}":
            self.text(401, "{}")
            return False
        return True

    def hub_api(self, parts, url):
        store = self.server.store
        if not self.hub_allowed():
            return
        bucket, what = parts[3], parts[4]
        if bucket not in store.natures:
            return self.text(404, "{}")
        if what == "revision":
            known = parts[5] in ("main", "v1", "refs%2Fconvert%2Fparquet")
            return self.text(200, json.dumps({"sha": SHA})) if known else self.text(404, "{}")
        folder = urllib.parse.unquote("/".join(parts[6:]))
        keys = sorted(k for k in store.keys_of(bucket) if not folder or k.startswith(folder + "/"))
        if not keys or parts[5] != SHA:
            return self.text(404, "{}")
        query = dict(urllib.parse.parse_qsl(url.query))
        start = int(query.get("cursor", "0"))
        items = [{"type": "directory", "oid": "1", "size": 0, "path": "sub"}]
        for key in keys[start:start + PAGE]:
            data = store.read(bucket, key)
            item = {"type": "file", "oid": hashlib.sha1(data).hexdigest(), "size": len(data), "path": key}
            if store.large(key):
                item["lfs"] = {"oid": hashlib.sha256(data).hexdigest(), "size": len(data), "pointerSize": 130}
            items.append(item)
        more = {}
        if bucket == "endless":
            more["Link"] = f'<{store.url}{self.path}>; rel="next"'
        elif bucket == "longer":
            more["Link"] = f'<{store.url}.evil.invalid{self.path}>; rel="next"'
        elif len(keys) > start + PAGE:
            more["Link"] = f'<{store.url}{url.path}?recursive=true&cursor={start + PAGE}>; rel="next"'
        self.text(200, json.dumps(items), more)

    def hub_file(self, parts):
        store = self.server.store
        bucket, key = parts[2], urllib.parse.unquote("/".join(parts[5:]))
        if not self.hub_allowed():
            return
        if parts[4] != SHA or key not in store.keys_of(bucket):
            return self.text(404, "")
        data = store.read(bucket, key)
        if store.large(key):
            other = store.url.replace("127.0.0.1", "localhost")
            return self.head(302, {"Location": f"{other}/cdn/{bucket}/{urllib.parse.quote(key)}",
                                   "X-Repo-Commit": SHA, "X-Linked-Size": str(len(data)), "Content-Length": "0",
                                   "X-Linked-ETag": f'"{hashlib.sha256(data).hexdigest()}"'})
        self.object(bucket, key, f'"{hashlib.sha1(data).hexdigest()}"')

    # ---- bytes

    def object(self, nature, key, etag=None):
        store = self.server.store
        with store.lock:
            count = store.counts[self.command, nature, key] = store.counts.get((self.command, nature, key), 0) + 1
        asked = self.headers.get("Range")
        if nature == "hangs" and self.command == "GET":
            time.sleep(store.hang)
            self.close_connection = True
            return None
        if nature == "busy" and count % 2 == 1:
            return self.head(503, {"Retry-After": "0", "Content-Length": "0"})
        if nature == "denied" and self.command == "GET":
            return self.error(403, "AccessDenied")
        if nature == "moved":
            return self.head(302, {"Location": f"/web/plain/{urllib.parse.quote(key)}", "Content-Length": "0"})
        data = store.read(nature, key)
        if data is None:
            return self.error(404, "NoSuchKey")
        if nature == "longer":
            return self.longer(data)
        etag = etag or store.etag(data)
        if nature == "changes" and self.command == "GET" and asked != "bytes=0-0":
            etag = f'"{count}"' if count > 1 else etag
        ranged = re.fullmatch(r"bytes=(\d+)-(\d*)", asked or "") if nature not in ("norange", "nolength") else None
        head = {"ETag": etag, "Content-Length": str(len(data))}
        if nature == "nolength":
            head = {}
            self.close_connection = True
        body, status = data, 200
        if ranged:
            first = int(ranged[1])
            last = min(int(ranged[2] or len(data) - 1), len(data) - 1)
            if first >= len(data):
                return self.head(416, {"Content-Range": f"bytes */{len(data)}", "Content-Length": "0"})
            if nature == "elsewhere":
                first, last = 0, last - first
            body, status = data[first:last + 1], 206
            head |= {"Content-Range": f"bytes {first}-{last}/{len(data)}", "Content-Length": str(len(body))}
        self.head(status, head)
        if self.command == "HEAD":
            return None
        end = len(body)
        if nature in ("cut", "changes", "elsewhere"):
            end = min(CUT, end)
        if nature == "short" and ranged and int(ranged[1]) >= CUT:
            end = 0
        elif nature == "short":
            end = min(CUT, end)
        try:
            self.wfile.write(body[:end])
            self.wfile.flush()
        except OSError:
            self.close_connection = True
        if end < len(body):
            self.close_connection = True
        return None

    def longer(self, data):
        cut = data.index(b"\n", 400) + 1
        if self.command == "HEAD":
            return self.head(200, {"Content-Length": str(cut)})
        self.close_connection = True
        self.head(200, {})
        for part in (data[:cut], data[cut:]):
            self.wfile.write(part)
            self.wfile.flush()
            time.sleep(0.5)
        return None

    def head(self, status, headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def text(self, status, text, more=None):
        body = text.encode()
        self.head(status, {"Content-Length": str(len(body)), **(more or {})})
        if self.command != "HEAD":
            self.wfile.write(body)

    def error(self, status, code):
        # as servers do, it echoes what it was sent
        echo = xml.sax.saxutils.escape(str(self.headers.get("Authorization")))
        self.text(status, f"<Error><Code>{code}</Code><Message>{echo}</Message></Error>")


class Store:
    """Objects in memory: put("plain", "a/b.jsonl", data).  All natures have the same ones."""

    natures = ("plain", "public", "cut", "busy", "short", "changes", "hangs", "norange", "nolength",
               "denied", "moved", "elsewhere", "region", "endless", "longer")

    def __init__(self, keys=None, session=None, token=None, hang=30):
        self.keys, self.session, self.token, self.hang = keys, session, token, hang
        self.refusal = None  # what every signed request is answered with
        self.lock = threading.Lock()
        self.log, self.counts, self.objects = [], {}, {}
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.handle_error = lambda *_: None  # clients that leave are no news
        self.server.store = self
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def put(self, key, data):
        self.objects[key] = data

    def keys_of(self, _bucket):
        return list(self.objects)

    def read(self, _bucket, key):
        return self.objects.get(key)

    def large(self, key):
        return len(self.objects[key]) > 20_000

    @staticmethod
    def etag(data):
        return f'"{hashlib.md5(data).hexdigest()}"'
