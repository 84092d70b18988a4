#!/usr/bin/env python3
"""Parquet against pyarrow: parquet.py WINNOW

Every type, codec, encoding and page version that pyarrow writes: what winnow reads equals
pyarrow's values, and what winnow writes of it has pyarrow's schema, values and metadata, nested
and null ones included; Polars, DuckDB and Hugging Face datasets, where they are installed, read
ours and are read.  Without pyarrow: skipped (77).
"""
import base64
import datetime as dt
import decimal
import json
import math
import os
import subprocess
import sys
import tempfile

try:
    import pyarrow as pa
    import pyarrow.parquet as pq
except ImportError:
    print("skipped: no pyarrow (pip install pyarrow)")
    sys.exit(77)

T, D = pa.types, decimal.Decimal
ROWS = 700
UNITS = {"s": 0, "ms": 3, "us": 6, "ns": 9}


def some(make):
    return [None if i % 7 == 3 else make(i) for i in range(ROWS)]


def reals(i):
    return [math.nan, math.inf, -math.inf, -0.0, 3.0, 1e-300][i] if i < 6 else (i - 300) * 0.1 * 10.0 ** (i % 30)


def columns():
    inner = pa.struct([("x", pa.float64()), ("y", pa.string())])
    return {
        "id": pa.array([f"d{i}" for i in range(ROWS)]),
        "text": pa.array([f'Document {i} says "hello"\n\tand \\ more \u20ac\U0001f600 \x01' * (i % 5 + 1) for i in range(ROWS)]),
        "large": pa.array(some(lambda i: f"x{i}"), pa.large_string()),
        "category": pa.array(some(lambda i: f"c{i % 4}")).dictionary_encode(),
        "flag": pa.array(some(lambda i: i % 3 == 0)),
        "i8": pa.array(some(lambda i: i % 256 - 128), pa.int8()),
        "u8": pa.array(some(lambda i: i % 256), pa.uint8()),
        "i16": pa.array(some(lambda i: i - 350), pa.int16()),
        "u16": pa.array(some(lambda i: 65535 - i), pa.uint16()),
        "i32": pa.array(some(lambda i: -(2**31) + i), pa.int32()),
        "u32": pa.array(some(lambda i: 2**32 - 1 - i), pa.uint32()),
        "i64": pa.array(some(lambda i: -(2**63) + i), pa.int64()),
        "u64": pa.array(some(lambda i: 2**64 - 1 - i), pa.uint64()),
        "f32": pa.array(some(reals), pa.float32()),
        "f64": pa.array(some(reals), pa.float64()),
        "bytes": pa.array(some(lambda i: bytes([i % 256, 0, 255])[: i % 4])),
        "fixed": pa.array(some(lambda i: i.to_bytes(5, "big")), pa.binary(5)),
        "d9": pa.array(some(lambda i: D(i - 350).scaleb(-2)), pa.decimal128(9, 2)),
        "d38": pa.array(some(lambda i: D((-1) ** i * (10**37 + i)).scaleb(-10)), pa.decimal128(38, 10)),
        "d76": pa.array(some(lambda i: D((-1) ** i * (10**50 + i)).scaleb(-3, decimal.Context(prec=90))), pa.decimal256(76, 3)),
        "date": pa.array(some(lambda i: dt.date(1, 1, 1) + dt.timedelta(days=i * 5000)), pa.date32()),
        "date64": pa.array(some(lambda i: dt.date(1960, 1, 1) + dt.timedelta(days=i)), pa.date64()),
        "time_ms": pa.array(some(lambda i: i * 123400), pa.time32("ms")),
        "time_us": pa.array(some(lambda i: i * 123400001), pa.time64("us")),
        "time_ns": pa.array(some(lambda i: i * 123400000001), pa.time64("ns")),
        "ts_s": pa.array(some(lambda i: -i * 99999), pa.timestamp("s")),
        "ts_ms": pa.array(some(lambda i: -i * 99999999), pa.timestamp("ms", "UTC")),
        "ts_us": pa.array(some(lambda i: (i - 300) * 10**15 // 7), pa.timestamp("us")),
        "ts_ns": pa.array(some(lambda i: (-1) ** i * i * 10**16 // 7), pa.timestamp("ns", "Europe/Paris")),
        "duration": pa.array(some(lambda i: i * 1000), pa.duration("us")),
        "nothing": pa.nulls(ROWS),
        "list": pa.array(some(lambda i: [None if k == 2 else k for k in range(i % 5)]), pa.list_(pa.int64())),
        "lists": pa.array(some(lambda i: [[f"s{k}" for k in range(j)] if j != 2 else None for j in range(i % 4)]), pa.large_list(pa.list_(pa.string()))),
        "struct": pa.array(
            some(lambda i: {"a": i, "b": None if i % 2 else {"c": [{"x": 1.5, "y": str(i)}, None][: i % 3]}}),
            pa.struct([("a", pa.int32()), ("b", pa.struct([("c", pa.list_(inner))]))]),
        ),
        "map": pa.array(some(lambda i: [(f"k{k}", None if k == 1 else k) for k in range(i % 4)]), pa.map_(pa.string(), pa.int32())),
        "int_map": pa.array(some(lambda i: [(k, [str(k)] * k) for k in range(i % 3)]), pa.map_(pa.int32(), pa.list_(pa.string()))),
        "vector": pa.array(some(lambda i: [i, i + 1, i + 2]), pa.list_(pa.float32(), 3)),
    }


def table():
    t = pa.table(columns())
    fields = [f.with_nullable(False) if f.name in ("id", "text") else f for f in t.schema]
    return t.cast(pa.schema(fields, metadata={"note": "kept"}))


def write_all(folder):
    t = table()

    def write(name, tab=t, **how):
        pq.write_table(tab, os.path.join(folder, name + ".parquet"), **how)

    write("groups", row_group_size=100)
    for codec in ("none", "snappy", "gzip", "brotli", "lz4", "zstd"):
        write(codec, compression=codec, row_group_size=400, data_page_size=2000, write_page_index=True, write_page_checksum=True)
    write("pages2", data_page_version="2.0", use_dictionary=False, data_page_size=3000)
    delta = {c: "DELTA_BINARY_PACKED" for c in ("i8", "i16", "i32", "i64", "u8", "u16", "u32", "u64", "date", "ts_us")}
    other = {"text": "DELTA_BYTE_ARRAY", "large": "DELTA_BYTE_ARRAY", "fixed": "DELTA_BYTE_ARRAY", "id": "DELTA_LENGTH_BYTE_ARRAY",
             "f32": "BYTE_STREAM_SPLIT", "f64": "BYTE_STREAM_SPLIT", "flag": "RLE"}
    write("encodings", use_dictionary=False, column_encoding={**delta, **other}, data_page_version="2.0", data_page_size=3000)
    write("int96", use_deprecated_int96_timestamps=True, tab=t.drop_columns(["ts_us"]))
    write("empty", tab=t.slice(0, 0))


def moment(seconds, rest, digits):
    text = (dt.datetime(1970, 1, 1) + dt.timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S").rjust(19, "0")
    return text + (f".{rest:0{digits}d}" if rest else "")


def time_text(t, v):
    if v is None:
        return None
    if T.is_date(t):
        return (dt.date(1970, 1, 1) + dt.timedelta(days=v if T.is_date32(t) else v // 86400000)).isoformat()
    if T.is_duration(t):
        return v
    digits = UNITS[t.unit]
    seconds, rest = divmod(v, 10**digits)
    if T.is_time(t):
        return moment(seconds, rest, digits)[11:]
    return moment(seconds, rest, digits) + ("Z" if t.tz else "")


def expected(t, v):
    if v is None:
        return None
    if T.is_dictionary(t):
        return expected(t.value_type, v)
    if T.is_floating(t):
        return "NaN" if math.isnan(v) else ("Infinity" if v > 0 else "-Infinity") if math.isinf(v) else v
    if T.is_decimal(t):
        return format(v, "f")
    if T.is_binary(t) or T.is_fixed_size_binary(t):
        return {"base64": base64.b64encode(v).decode()}
    if T.is_list(t) or T.is_large_list(t) or T.is_fixed_size_list(t):
        return [expected(t.value_type, x) for x in v]
    if T.is_struct(t):
        return {f.name: expected(f.type, v[f.name]) for f in t}
    if T.is_map(t) and T.is_string(t.key_type):
        return {k: expected(t.item_type, x) for k, x in v}
    if T.is_map(t):
        return [{"key": expected(t.key_type, k), "value": expected(t.item_type, x)} for k, x in v]
    return v


def want_of(column):
    t = column.type
    if not T.is_temporal(t):
        return [expected(t, v) for v in column.to_pylist()]
    ints = column.cast(pa.int32() if t.bit_width == 32 else pa.int64()).to_pylist()
    return [time_text(t, v) for v in ints]


def same(t, got, want):
    if T.is_float32(t) and isinstance(got, float) and isinstance(want, float):
        return pa.scalar(got, pa.float32()) == pa.scalar(want, pa.float32())
    return got == want and (not isinstance(got, float) or math.copysign(1, got) == math.copysign(1, want))


def check_read(winnow, path):
    t = pq.read_table(path)
    # a window over all of them is one pass that changes nothing
    out = subprocess.run([winnow, "dedup", "--unit", "document", "-q", "-o", "-", path], capture_output=True, check=True).stdout
    rows = [json.loads(line) for line in out.splitlines()]
    assert len(rows) == t.num_rows, (path, len(rows), t.num_rows)
    assert not rows or list(rows[0]) == t.column_names, path
    for name in t.column_names:
        for i, want in enumerate(want_of(t[name])):
            got = rows[i][name]
            assert same(t[name].type, got, want), f"{path}: {name}, row {i}: {got!r}, pyarrow has {want!r}"
    return t.num_rows


def check_written(winnow, path, out):
    subprocess.run([winnow, "dedup", "--unit", "document", "-q", "-o", out, path], check=True)
    ours = os.path.join(out, "documents", os.path.basename(path))
    a, b = pq.read_table(path), pq.read_table(ours)
    assert a.schema.equals(b.schema, check_metadata=True), f"{path}: another schema"
    assert str(pq.ParquetFile(path).schema).split("\n")[1:] == str(pq.ParquetFile(ours).schema).split("\n")[1:], path
    for name in a.column_names:
        x, y = a[name].combine_chunks(), b[name].combine_chunks()
        assert x.equals(y) or str(x.to_pylist()) == str(y.to_pylist()), f"{path}: {name} differs"
    pq.ParquetFile(ours, page_checksum_verification=True).read()
    return ours


def check_others(ours, folder, winnow):
    said = []
    try:
        import polars as pl
        frame = pl.read_parquet(ours, columns=["id", "text", "lists", "struct", "d38", "ts_ns"])
        assert frame.height == ROWS and frame["text"][9] == table()["text"][9].as_py()
        path = os.path.join(folder, "polars.parquet")
        frame.select("id", "text", "lists").write_parquet(path)
        check_read(winnow, path)
        said.append("polars")
    except ImportError:
        pass
    try:
        import duckdb
        got = duckdb.sql(f"select count(*), count(distinct id), sum(len(lists)) from read_parquet('{ours}')").fetchall()[0]
        assert got[0] == ROWS and got[1] == ROWS, got
        path = os.path.join(folder, "duckdb.parquet")
        duckdb.sql(f"""copy (select id, text, "list", "struct", d38, "map" from read_parquet('{ours}')) to '{path}'""")
        check_read(winnow, path)
        said.append("duckdb")
    except ImportError:
        pass
    try:
        import datasets
        rows = [{"id": str(i), "text": f"text {i}", "tags": ["a"] * (i % 3), "meta": {"n": i}} for i in range(50)]
        path = os.path.join(folder, "datasets.parquet")
        datasets.Dataset.from_list(rows).to_parquet(path)
        mine = check_written(winnow, path, os.path.join(folder, "out-datasets"))
        assert datasets.Dataset.from_parquet(mine, cache_dir=folder).to_list() == rows
        said.append("datasets")
    except ImportError:
        pass
    return said


def main():
    winnow = os.path.abspath(sys.argv[1])
    with tempfile.TemporaryDirectory() as folder:
        write_all(folder)
        names = sorted(n for n in os.listdir(folder) if n.endswith(".parquet"))
        for name in names:
            path = os.path.join(folder, name)
            if name != "empty.parquet":
                check_read(winnow, path)
                check_written(winnow, path, os.path.join(folder, "out-" + name[:-8]))
        said = check_others(os.path.join(folder, "out-groups", "documents", "groups.parquet"), folder, winnow)
    print(f"{len(names)} files of pyarrow {pa.__version__}, {len(columns())} columns: read and written as they are; also: {', '.join(said) or 'no other reader'}")


main()
