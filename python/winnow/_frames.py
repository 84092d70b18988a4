"""Runs as tables, and tables through stages.  pandas, pyarrow and Polars are wanted only by what gives or takes theirs."""

import gzip
import json
import os
import pathlib
import tempfile

from ._library import FileError, FormatError, UsageError
from ._run import stage as _stage

_TABLES = ("documents", "removed", "aside", "bad", "ledger")
_ENDED = {"documents": ("keep", "edit"), "removed": ("remove",), "aside": ("aside",)}


def _arrow():
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as e:
        raise UsageError("tables need pyarrow: pip install pyarrow") from e
    return pyarrow


def _open(path):
    if path.suffix == ".gz":
        return gzip.open(path, "rb")
    return _arrow().input_stream(str(path), compression="zstd" if path.suffix == ".zst" else None)


def _lines(path):
    """A shard's rows as dicts."""
    if path.suffix == ".parquet":
        with _arrow().parquet.ParquetFile(path) as f:
            for batch in f.iter_batches(batch_size=1000):
                yield from batch.to_pylist()
        return
    rest = b""
    with _open(path) as f:
        while piece := f.read(1 << 20):
            *lines, rest = (rest + piece).split(b"\n")
            yield from map(json.loads, lines)
    if rest:
        yield json.loads(rest)


def _column(values):
    """An Arrow column; what has no type in common is text with JSON in it, as in winnow's Parquet."""
    pa = _arrow()
    try:
        return pa.array(values)
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
        return pa.array([None if v is None else json.dumps(v, ensure_ascii=False) for v in values])


def _table(rows):
    """Rows as an Arrow table, with a column a key in the order in which they come up."""
    rows = list(rows)
    names = dict.fromkeys(name for row in rows for name in row)
    return _arrow().table({name: _column([row.get(name) for row in rows]) for name in names})


def _value(spans):
    """The number of a whole document, or its spans as they are."""
    return spans[0][2] if len(spans) == 1 and spans[0][0] == 0 else spans


class Run:
    """A run folder as tables: Run("runs/x").frame() has its documents, .frame("ledger") what became of each.

    stages: the names of its stages, in order: "01-rules", ...
    """

    def __init__(self, path):
        self.path = pathlib.Path(path)
        mark = self.path / ".winnow"
        words = mark.read_text().split() if mark.is_file() else []
        if words[:2] != ["winnow", "run"]:
            said = f"it is a {words[1]}" if words[:1] == ["winnow"] else "it has no mark of one (.winnow)"
            raise FileError(f"{os.fspath(path)} is no run folder: {said}")
        self.stages = sorted(p.name for p in (self.path / "stages").glob("*") if p.is_dir())

    def __repr__(self):
        return f"winnow.Run({os.fspath(self.path)!r})"

    def stats(self, stage=None):
        """What stats.json says of a stage, the last one unless it is named."""
        return json.loads((self._folder(stage) / "stats.json").read_text())

    def rows(self, table="documents", stage=None, *, attributes=False):
        """The rows of a table as dicts, shard by shard, in the order of the corpus.

        table: "documents", "removed", "aside", "bad" or "ledger".
        stage: "02-prune", or its number from 1; the last one unless it is named.
        attributes: columns more, with what the stage noted of each document: "winnow__ppl", ...
        """
        if table not in _TABLES:
            raise UsageError(f"table: {table!r} is none of {', '.join(_TABLES)}")
        if attributes and table == "bad":
            raise UsageError("table: lines that are no documents have no attributes")
        folder = self._folder(stage)
        for path in self._shards(folder, table):
            rows = _lines(path)
            yield from self._noted(folder, table, path, rows) if attributes else rows

    def arrow(self, table="documents", stage=None, *, attributes=False):
        """The same as a pyarrow.Table.  Shards of Parquet keep their types."""
        pa, folder = _arrow(), self._folder(stage)
        if table in _TABLES and not attributes:
            paths = self._shards(folder, table)
            if paths and all(path.suffix == ".parquet" for path in paths):
                read = [pa.parquet.read_table(path) for path in paths]
                return pa.concat_tables(read, promote_options="permissive")
        return _table(self.rows(table, stage, attributes=attributes))

    def frame(self, table="documents", stage=None, *, attributes=False):
        """The same as a pandas.DataFrame."""
        return self.arrow(table, stage, attributes=attributes).to_pandas()

    def _folder(self, stage):
        if not (self.path / "_SUCCESS").exists():
            raise FileError(f"{os.fspath(self.path)} is not finished: make the same call once more")
        if stage is None:
            stage = len(self.stages)
        name = stage
        if isinstance(stage, int):
            name = self.stages[stage - 1] if 1 <= stage <= len(self.stages) else None
        if name not in self.stages:
            raise UsageError(f"stage: {stage!r} is none of {', '.join(self.stages)}")
        return self.path / "stages" / name

    @staticmethod
    def _shards(folder, table):
        """Files of a stage, in the order that its statistics name them in."""
        stats = json.loads((folder / "stats.json").read_text())
        listed = [folder / table / s["path"] for s in stats["shards"] + stats.get("out", [])
                  if table in s["files"]]
        return [path for path in listed if path.exists()]

    @staticmethod
    def _noted(folder, table, path, rows):
        """Rows of a shard with their attributes, by the ledger, which has a line for each document that came in."""
        shard = path.relative_to(folder / table)
        notes = {}
        for kind in sorted(p for p in (folder / "attributes").glob("*") if (p / shard).exists()):
            notes[kind.name] = _lines(kind / shard)
        wanted = _ENDED.get(table)
        ledger = _lines(folder / "ledger" / shard) if (folder / "ledger" / shard).exists() else ()
        rows = iter(rows)
        for line, *noted in zip(ledger, *notes.values()):
            if wanted and line["verdict"] not in wanted:
                continue
            row = next(rows, None)
            if row is None or str(row.get("id")) != str(line["id"]):
                break
            for note in noted:
                row.update((name, _value(spans)) for name, spans in note["attributes"].items() if spans)
            yield row
        else:
            if next(rows, None) is None:
                return
        raise FormatError(f"{path}: its documents are not those of the ledger, in order (mix and synthesize arrange "
                          "them anew); join frames by their ids instead")


_FRAMES = {"pandas": "DataFrame", "polars": "DataFrame", "pyarrow": "Table", "datasets": "Dataset"}


def _kind(frame):
    module, name = type(frame).__module__.split(".")[0], type(frame).__name__
    bases = [t.__name__ for t in type(frame).__mro__]
    if module not in _FRAMES or _FRAMES[module] not in bases:
        hint = {"LazyFrame": "collect() it", "DatasetDict": "name a split, as in data['train']",
                "IterableDataset": "write it to Parquet first"}.get(name, "winnow.stage takes files")
        raise UsageError("winnow.apply takes a DataFrame of pandas or Polars, an Arrow table or a Dataset, not "
                         f"{name}: {hint}")
    return module


def _to_arrow(frame, kind):
    if kind == "pandas":
        return _arrow().Table.from_pandas(frame)
    if kind == "polars":
        return frame.to_arrow()
    return frame.with_format("arrow")[:] if kind == "datasets" else frame


def _from_arrow(table, kind):
    if kind == "pandas":
        return table.to_pandas()
    if kind == "polars":
        import polars
        return polars.from_arrow(table)
    if kind == "datasets":
        import datasets
        return datasets.Dataset(table)
    return table


def apply(command, frame, output=None, **options):
    """A stage over a frame: winnow.apply("rules", frame, sets=["gopher"]) gives the documents that it keeps.

    frame: a pandas or Polars DataFrame, a pyarrow.Table or a Dataset of Hugging Face's with a column "text"
        (text_key names another); what comes back is of the same kind, with the same columns, and an id where there was none.
    output: a folder that keeps the run, with its ledger; winnow.Run reads it.
    options: as winnow.stage() takes them.

    The frame is written to a file of Parquet and read by the stage, so it costs what that costs.
    """
    kind, pa = _kind(frame), _arrow()
    if len(frame) == 0 and output is None:
        return frame
    with tempfile.TemporaryDirectory(prefix="winnow-") as folder:
        path = os.path.join(folder, "frame.parquet")
        try:
            pa.parquet.write_table(_to_arrow(frame, kind), path, compression="zstd")
        except (pa.ArrowException, UnicodeError, ValueError, TypeError) as e:
            raise UsageError(f"this {type(frame).__name__} cannot be a table of Parquet: {e}") from e
        where = os.path.join(folder, "run") if output is None else output
        _stage(command, path, where, **options)
        return _from_arrow(Run(where).arrow(), kind)
