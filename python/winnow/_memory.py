"""One text at a time, in memory.  Every object may be used from any number of threads."""

import ctypes
import dataclasses
import json
import math
import os
from ctypes import byref, c_uint32

from . import _library
from ._library import Bytes, Env, Handle, Ids, Score, View, call, lib

DIALECTS = ("winnow", "refinex", "ultrax", "prox")


def _json(options):
    plain = {k: os.fspath(v) if isinstance(v, os.PathLike) else v for k, v in options.items() if v is not None}
    return json.dumps(plain).encode()


def _encode(text):
    return text.encode("utf-8", "surrogatepass") if isinstance(text, str) else bytes(text)


@dataclasses.dataclass(frozen=True)
class RefinedText:
    """What a program made of a text."""

    text: str  #: empty where the document goes
    kept: bool
    changed: bool
    program: str  #: a call a line
    calls: list  #: of dicts: what became of each call, "rejected" with the reason
    lines: int
    lines_removed: int


def _refined(function, *arguments, program=None):
    out = _library.Refined()
    call(function, *arguments, byref(out))
    try:
        said = out.program.get().decode("utf-8", "replace") if program is None else program
        return RefinedText(out.text.get().decode("utf-8", "replace"), out.kept, out.changed, said,
                           json.loads(out.calls.get() or b"[]"), out.lines, out.lines_removed)
    finally:
        lib.winnow_refined_free(byref(out))


def refine(text, program, dialect="winnow"):
    """Executes a program (docs/formats/programs.md) on a text.  What is no call is rejected, not run."""
    if dialect not in DIALECTS:
        raise _library.UsageError(f"dialect: {dialect!r} is none of {', '.join(DIALECTS)}")
    data, calls = _encode(text), _encode(program)
    return _refined("winnow_refine_text", data, len(data), calls, len(calls), DIALECTS.index(dialect),
                    program=program)


class _Opened:
    """An object of the library by the arguments that it was opened with, which is what a pickle of it holds."""

    def __reduce__(self):
        return _open_again, (type(self), self._arguments)


def _open_again(kind, arguments):
    return kind(*arguments[0], **arguments[1])


class Refiner(_Opened):
    """A line model that takes the noise out of texts: Refiner()(text).text

    model: the folder of one that `winnow refiner lines` made; None: the one inside the library.
    drop_below: documents go as a whole whose lines are text with a lower mean probability.
    """

    def __init__(self, model=None, *, drop_below=0.0):
        self._arguments = (model,), {"drop_below": drop_below}
        self._handle = Handle("refiner", _json({"refiner": model, "drop-below": drop_below}), byref(Env()))

    def __call__(self, text):
        data = _encode(text)
        return _refined("winnow_refiner_text", self._handle.ptr, data, len(data))


@dataclasses.dataclass(frozen=True)
class Verdict:
    """What the rules say of a text."""

    kept: bool
    rule: "str | None"  #: the first limit that is broken, "gopher.words_min"
    value: float  #: what was measured there; NaN without a rule
    limit: float
    values: dict  #: "gopher__words": 132.0, for each that was measured
    text: "str | None"  #: with edit=True, where lines were cut: what is left


def _value_names():
    names = []
    while name := lib.winnow_rules_value_name(len(names)):
        names.append(name.decode())
    return names


class Rules(_Opened):
    """The field's heuristic filters: Rules(sets=["gopher", "c4"], gopher_words_min=20)(text)

    Options are those of `winnow rules` that concern one text.
    """

    _names = _value_names()

    def __init__(self, **options):
        self._arguments = (), options
        self._handle = Handle("rules", _json(options))

    def __call__(self, text):
        data, out = _encode(text), _library.RulesResult()
        call("winnow_rules_text", self._handle.ptr, data, len(data), byref(out))
        try:
            values = {name: v for name, v in zip(self._names, out.values) if not math.isnan(v)}
            left = out.text.get().decode("utf-8", "replace") if out.text.ptr else None
            return Verdict(out.kept, out.rule.decode() if out.rule else None, out.value, out.limit, values, left)
        finally:
            lib.winnow_rules_result_free(byref(out))


_usual = None


def rules(text, **options):
    """Measures and judges one text.  With the same options for many, Rules(**options) is faster."""
    global _usual
    if options:
        return Rules(**options)(text)
    _usual = _usual or Rules()
    return _usual(text)


class Scorer(_Opened):
    """Mean NLL of texts under a model, in nats a token: Scorer("model/")(["a text", "another"])

    Options: tokenizer, window, stride, fixed_length, compute ("f32", "bf16", "int8").
    threads, 0 for all processors, share the texts of one call.
    """

    def __init__(self, model, *, threads=0, memory=0, **options):
        self._arguments = (model,), {"threads": threads, "memory": memory, **options}
        self._env = Env(threads=threads, memory_max=memory)
        self._handle = Handle("scorer", _json({"model": model, **options}), byref(self._env))

    def __call__(self, texts):
        """A list of floats; NaN for a text without a scored token."""
        return [score.nll for score in self._score(texts)]

    def with_tokens(self, texts):
        """Pairs of the score and the number of tokens that it is the mean of."""
        return [(score.nll, score.tokens) for score in self._score(texts)]

    def _score(self, texts):
        if isinstance(texts, (str, bytes)):
            raise TypeError("Scorer takes a list of texts")
        data = [_encode(text) for text in texts]
        views = (View * max(len(data), 1))(*[View(d, len(d)) for d in data])
        scores = (Score * max(len(data), 1))()
        call("winnow_scorer_texts", self._handle.ptr, views, len(data), scores)
        return scores[:len(data)]


class Tokenizer(_Opened):
    """Text to ids and back: Tokenizer("tokenizer.json").encode(text)

    path: a tokenizer.json, its folder, or a model.
    """

    def __init__(self, path):
        self._arguments = (path,), {}
        self._handle = Handle("tokenizer", os.fsencode(path))

    def __len__(self):
        return lib.winnow_tokenizer_size(self._handle.ptr)

    def encode(self, text, *, bos_eos=False, specials=False):
        """bos_eos: the tokenizer's own around the text; specials: "<s>" in the text is that token."""
        data, out = _encode(text), Ids()
        call("winnow_tokenizer_ids", self._handle.ptr, data, len(data), bos_eos * 1 + specials * 2, byref(out))
        try:
            return out.ptr[:out.len]
        finally:
            lib.winnow_ids_free(byref(out))

    def decode_bytes(self, ids, *, specials=False):
        ids, out = list(ids), Bytes()
        array = (c_uint32 * max(len(ids), 1))(*ids)
        call("winnow_tokenizer_text", self._handle.ptr, array, len(ids), specials * 2, byref(out))
        try:
            return out.get()
        finally:
            lib.winnow_bytes_free(byref(out))

    def decode(self, ids, *, specials=False):
        """Bytes that are no whole character become U+FFFD."""
        return self.decode_bytes(ids, specials=specials).decode("utf-8", "replace")


@dataclasses.dataclass(frozen=True)
class PageText:
    """A page as a document, or the reason why it is none."""

    kept: bool
    text: str
    document: "dict | None"  #: as `winnow extract` writes it
    reason: "str | None"


def page(data, *, type=None, id=None, **options):
    """The visible lines of a page's bytes: HTML, Markdown or plain text in any charset.

    type: its MIME type; options are those of `winnow extract` that concern one page.
    """
    out = _library.Page()
    data = _encode(data)
    call("winnow_page_text", data, len(data), type.encode() if type else None, id.encode() if id else None,
         _json(options), byref(out))
    try:
        document = json.loads(out.document.get()) if out.kept else None
        return PageText(out.kept, document["text"] if document else "", document,
                        None if out.kept else out.reason.get().decode("utf-8", "replace"))
    finally:
        lib.winnow_page_free(byref(out))
