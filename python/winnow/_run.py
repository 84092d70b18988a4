"""Stages and recipes: from corpus to corpus."""

import ctypes
import dataclasses
import json
import logging
import os
import threading
from ctypes import byref, c_char_p, c_int

from . import _library
from ._library import Env, Error, List, RunResult, check, lib
from ._options import docstring, identifier, options, signature

log = logging.getLogger("winnow")
_LEVELS = (logging.DEBUG, logging.INFO, logging.WARNING)


@dataclasses.dataclass(frozen=True)
class Result:
    """What a run came to.  documents_in is the sum of kept, removed, aside and bad."""

    documents_in: int
    documents_kept: int
    documents_removed: int
    documents_aside: int
    documents_bad: int
    bytes_in: int
    bytes_kept: int
    inputs_lost: int  #: shards, files and folders that could not be read to their end
    files_skipped: int  #: of no kind that is read
    complete: bool  #: all was done with what could be read
    nothing_to_do: bool  #: an earlier call did all of it
    to_stdout: bool  #: the documents went to the object given as output
    output: "str | None"  #: the run folder


class Surroundings:
    """A struct winnow_env whose callbacks are Python's; must live as long as the call."""

    def __init__(self, progress=None, sink=None, force=False):
        self.cancel = c_int(0)
        self.failure = None  # what a callback raised
        self._kept = {}
        self._progress = progress
        self._sink = sink
        self.env = Env(log=_library.LOG(self._log), variable=_library.VARIABLE(self._variable),
                       cancel=ctypes.pointer(self.cancel), force=force)
        if progress:
            self.env.progress = _library.PROGRESS(self._show)
        if sink:
            self.env.write = _library.WRITE(self._write)

    def _guard(self, action):
        try:
            action()
            return 0
        except BaseException as e:  # it is raised where the call ends
            self.failure = self.failure or e
            self.cancel.value = 1
            return 5  # EIO

    def _log(self, _, level, text):
        self._guard(lambda: log.log(_LEVELS[level], "%s", text.decode("utf-8", "replace")))

    def _show(self, _, p):
        p = p.contents
        self._guard(lambda: self._progress(p.stage.decode(), p.done, p.total, p.unit.decode()))

    def _write(self, _, address, size):
        return self._guard(lambda: self._sink.write(ctypes.string_at(address, size)))

    def _variable(self, _, name):
        value = os.environ.get(name.decode())
        if value is None:
            return None
        self._kept[name] = ctypes.create_string_buffer(os.fsencode(value))
        return ctypes.addressof(self._kept[name])


def _in_thread(surroundings, work):
    """Runs work in a thread, so that Ctrl-C reaches the interpreter meanwhile: then the library is
    asked to stop, leaves everything whole, and KeyboardInterrupt goes on."""
    status = []
    thread = threading.Thread(target=lambda: status.append(work()), name="winnow")
    thread.start()
    try:
        while thread.is_alive():
            thread.join(0.2)
    except BaseException:
        surroundings.cancel.value = 1
        thread.join()
        raise
    if surroundings.failure:
        raise surroundings.failure
    return status[0]


def _finish(result, output):
    return Result(**{name: getattr(result, name) for name, _ in RunResult._fields_}, output=output)


def _do(output, progress, force, options_, function):
    sink = output if hasattr(output, "write") else None
    folder = None if sink or output is None else os.fspath(output)
    surroundings = Surroundings(progress, sink, force)
    text = json.dumps({identifier(k).rstrip("_"): _plain(v) for k, v in options_.items()}).encode()
    target = b"-" if sink else os.fsencode(folder) if folder is not None else None
    error, result = Error(), RunResult()
    status = _in_thread(surroundings, lambda: function(text, target, byref(surroundings.env), byref(result),
                                                       byref(error)))
    done = _finish(result, folder)
    check(status, error, done if done.complete else None)
    return done


def _plain(value):
    """Paths as text, tuples as lists."""
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    return [_plain(v) for v in value] if isinstance(value, (list, tuple)) else value


def stage(command, paths, output, *, progress=None, force=False, **options_):
    """Runs a command from corpus to corpus: "extract", "holdout", "rules", "refine", "dedup", "score", "prune".

    paths: a file, folder or pattern, or several.
    output: the run folder; or something with write(bytes), which gets the documents as JSON lines.
    progress: called with (stage, done, total, unit) now and then; total is 0 where it is not known.
    force: finished results of other options may be replaced.
    options: as on the command line, with "_" for "-": rate="30%", memory="8G", sets=["c4"].
        winnow.stages has a function a command, whose help lists them.

    The same call goes on after an interruption and gives the same bytes.  Messages go to the
    logger "winnow".  Errors are WinnowError: UsageError, FormatError, FileError, LimitError.
    """
    paths = [paths] if isinstance(paths, (str, os.PathLike)) else list(paths)
    items = (c_char_p * max(len(paths), 1))(*[os.fsencode(p) for p in paths])
    listed = List(items, len(paths))
    return _do(output, progress, force, options_,
               lambda text, *rest: lib.winnow_stage(command.encode(), text, byref(listed), *rest))


def run(recipe, output=None, *, progress=None, force=False, **options_):
    """Runs a recipe: the path of its file, or a dict of what would stand there.

    winnow.run({"winnow": 1, "input": ["corpus/"], "output": "runs/x", "stages": [{"rules": {"sets": ["c4"]}}]})

    output stands in for the recipe's; options are those of `winnow run` (limit, dry_run, threads, memory, seed).
    """
    if isinstance(recipe, (str, os.PathLike)):
        return stage("run", [recipe], output, progress=progress, force=force, **options_)
    text = json.dumps(recipe, ensure_ascii=False).encode()
    done = _do(output, progress, force, options_, lambda *rest: lib.winnow_run_text(text, *rest))
    where = done.output if output is not None else recipe.get("output")
    return dataclasses.replace(done, output=where)


class _Stages:
    """A function for each command from corpus to corpus, made from its option table."""

    def __init__(self):
        for table in options():
            if table["stage"] and table["command"] != "run":
                setattr(self, identifier(table["command"]), self._make(table))

    @staticmethod
    def _make(table):
        command = table["command"]

        def function(paths, output, *, progress=None, force=False, **options_):
            return stage(command, paths, output, progress=progress, force=force, **options_)

        function.__name__ = function.__qualname__ = identifier(command)
        function.__module__ = "winnow.stages"
        function.__doc__ = docstring(table)
        function.__signature__ = signature(table)
        return function


stages = _Stages()
