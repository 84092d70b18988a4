#!/usr/bin/env python3
"""Prints winnow/__init__.pyi: what a type checker and an editor see, the stages' options included.

The wheel gets it when it is built, so that it always fits the library in it:

    PYTHONPATH=python WINNOW_LIBRARY=build/release/install/libwinnow.so python/make_stubs.py
"""

import winnow
from winnow import _options

HEAD = '''\
# Made by python/make_stubs.py from the option tables.
import os
import pathlib
import typing

_Frame = typing.TypeVar("_Frame")
_Table = typing.Literal["documents", "removed", "aside", "bad", "ledger"]
Path = str | os.PathLike[str]
Paths = Path | typing.Sequence[Path]
Progress = typing.Callable[[str, int, int, str], object]

class Sink(typing.Protocol):
    def write(self, data: bytes, /) -> object: ...

class WinnowError(Exception):
    result: Result | None
class UsageError(WinnowError, ValueError): ...
class FormatError(WinnowError, ValueError): ...
class FileError(WinnowError, OSError): ...
class LimitError(WinnowError, MemoryError): ...
class Cancelled(WinnowError): ...

class Result:
    documents_in: int
    documents_kept: int
    documents_removed: int
    documents_aside: int
    documents_bad: int
    bytes_in: int
    bytes_kept: int
    inputs_lost: int
    files_skipped: int
    complete: bool
    nothing_to_do: bool
    to_stdout: bool
    output: str | None

class RefinedText:
    text: str
    kept: bool
    changed: bool
    program: str
    calls: list[dict[str, typing.Any]]
    lines: int
    lines_removed: int

class Verdict:
    kept: bool
    rule: str | None
    value: float
    limit: float
    values: dict[str, float]
    text: str | None

class PageText:
    kept: bool
    text: str
    document: dict[str, typing.Any] | None
    reason: str | None

class Refiner:
    def __init__(self, model: Path | None = None, *, drop_below: float = 0.0) -> None: ...
    def __call__(self, text: str | bytes) -> RefinedText: ...

class Scorer:
    def __init__(self, model: Path, *, threads: int = 0, memory: int = 0, tokenizer: Path | None = None,
                 window: int = 0, stride: int = 0, fixed_length: int = 0,
                 compute: typing.Literal["f32", "bf16", "int8"] = "f32") -> None: ...
    def __call__(self, texts: typing.Iterable[str | bytes]) -> list[float]: ...
    def with_tokens(self, texts: typing.Iterable[str | bytes]) -> list[tuple[float, int]]: ...

class Tokenizer:
    def __init__(self, path: Path) -> None: ...
    def __len__(self) -> int: ...
    def encode(self, text: str | bytes, *, bos_eos: bool = False, specials: bool = False) -> list[int]: ...
    def decode_bytes(self, ids: typing.Iterable[int], *, specials: bool = False) -> bytes: ...
    def decode(self, ids: typing.Iterable[int], *, specials: bool = False) -> str: ...

class Run:
    path: pathlib.Path
    stages: list[str]
    def __init__(self, path: Path) -> None: ...
    def stats(self, stage: str | int | None = None) -> dict[str, typing.Any]: ...
    def rows(self, table: _Table = "documents", stage: str | int | None = None, *,
             attributes: bool = False) -> typing.Iterator[dict[str, typing.Any]]: ...
    def arrow(self, table: _Table = "documents", stage: str | int | None = None, *,
              attributes: bool = False) -> typing.Any: ...
    def frame(self, table: _Table = "documents", stage: str | int | None = None, *,
              attributes: bool = False) -> typing.Any: ...

__version__: str
def apply(command: str, frame: _Frame, output: Path | None = None, *, progress: Progress | None = None,
          force: bool = False, **options: typing.Any) -> _Frame: ...
def options(command: str | None = None) -> typing.Any: ...
def refine(text: str | bytes, program: str | bytes,
           dialect: typing.Literal["winnow", "refinex", "ultrax", "prox"] = "winnow") -> RefinedText: ...
def page(data: str | bytes, *, type: str | None = None, id: str | None = None, **options: typing.Any) -> PageText: ...
def stage(command: str, paths: Paths, output: Path | Sink | None, *, progress: Progress | None = None,
          force: bool = False, **options: typing.Any) -> Result: ...
def run(recipe: Path | dict[str, typing.Any], output: Path | Sink | None = None, *,
        progress: Progress | None = None, force: bool = False, **options: typing.Any) -> Result: ...
'''


def parameters(rows, indent):
    return [f"{indent}{_options.identifier(r['name'])}: {_options.annotation(r)} = {r['default']!r}," for r in rows]


def write():
    lines = [HEAD]
    rules = [r for r in winnow.options("rules")["options"] if r["name"] not in ("filter", "annotate")]
    lines += ["class Rules:", "    def __init__(", "        self, *,", *parameters(rules, "        "), "    ) -> None: ...",
              "    def __call__(self, text: str | bytes) -> Verdict: ...", "",
              "def rules(", "    text: str | bytes, *,", *parameters(rules, "    "), ") -> Verdict: ...", "",
              "class _Stages:"]
    for table in winnow.options():
        if table["stage"] and table["command"] != "run":
            lines += ["    @staticmethod", f"    def {_options.identifier(table['command'])}(",
                      "        paths: Paths, output: Path | Sink, *, progress: Progress | None = None, force: bool = False,",
                      *parameters(_options.rows(table), "        "), "    ) -> Result:",
                      f"        \"\"\"{table['summary']}\"\"\""]
    return "\n".join([*lines, "", "stages: _Stages", ""])


print(write(), end="")
