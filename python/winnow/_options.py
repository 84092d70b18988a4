"""Signatures and docstrings out of the option tables, so that they cannot be out of date."""

import inspect
import json
import keyword
from ctypes import byref

from ._library import Bytes, call, lib

_TYPES = {"flag": bool, "count": int, "size": "int | str", "number": float, "share": "float | str", "text": str,
          "path": str, "address": str, "choice": str, "list": "typing.Sequence[str]",
          "paths": "typing.Sequence[str]"}


def options(command: "str | None" = None):
    """The option table of a command ("prune", "tokenizer train") as a dict, or of all as a list.

    docs/library.md of winnow says what is in it.
    """
    text = Bytes()
    call("winnow_options_json", command.encode() if command is not None else None, byref(text))
    try:
        return json.loads(text.get())
    finally:
        lib.winnow_bytes_free(byref(text))


def rows(table):
    """All rows that winnow.stage() takes as keywords, the command's own first."""
    seen = set()
    for row in table["options"] + table["shared"] + table["common"]:
        if row["name"] not in seen and row["name"] != "output":
            seen.add(row["name"])
            yield row


def identifier(name):
    """An option's name as Python's; one that Python keeps for itself has a _ behind it (from_)."""
    name = name.replace("-", "_")
    return name + "_" if keyword.iskeyword(name) else name


def annotation(row):
    """What a type checker is told of a row, as text."""
    if row["kind"] == "choice":
        return "typing.Literal[" + ", ".join(repr(c) for c in row["choices"]) + "]"
    kind = _TYPES[row["kind"]]
    text = kind if isinstance(kind, str) else kind.__name__
    return f"{text} | None" if row["default"] is None else text


def signature(table):
    """(paths, output, *, option=default, ...)"""
    parameter = inspect.Parameter
    own = [parameter("paths", parameter.POSITIONAL_OR_KEYWORD),
           parameter("output", parameter.POSITIONAL_OR_KEYWORD),
           parameter("progress", parameter.KEYWORD_ONLY, default=None),
           parameter("force", parameter.KEYWORD_ONLY, default=False)]
    return inspect.Signature(own + [
        parameter(identifier(row["name"]), parameter.KEYWORD_ONLY, default=row["default"],
                  annotation=annotation(row)) for row in rows(table)])


def docstring(table):
    """The summary, the command line's examples and a line for each option."""
    lines = [f"{table['summary'][:1].upper()}{table['summary'][1:]}.", "",
             f"`winnow {table['command']} {table['usage']}`; see winnow.stage() for paths and output.", ""]
    for row in rows(table):
        said = "" if row["default"] in (None, False, [], 0) else f" [{row['default']}]"
        choices = f" ({', '.join(row['choices'])})" if row["kind"] == "choice" else ""
        lines.append(f"{identifier(row['name'])}: {row['help']}{choices}{said}")
    return "\n".join(lines) + "\n"
