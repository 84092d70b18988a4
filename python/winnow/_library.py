"""libwinnow.so behind ctypes: structs, functions, errors.

The declarations follow include/winnow/*.h.  ctypes lets go of the interpreter's lock for the
time of each call, so that threads refine, measure and score side by side.
"""

import ctypes
import os
from ctypes import POINTER, Structure, byref
from ctypes import c_bool, c_char, c_char_p, c_double, c_int, c_size_t, c_uint, c_uint32, c_uint64, c_void_p


class WinnowError(Exception):
    """What the library says went wrong, in one sentence.

    `result` is what a stage came to where all was done with what could be read, else None.
    """

    result = None


class UsageError(WinnowError, ValueError):
    """The call makes no sense: a command, an option or a value that is not there."""


class FormatError(WinnowError, ValueError):
    """Input breaks its format, or some of it could not be read."""


class FileError(WinnowError, OSError):
    """The operating system refused."""


class LimitError(WinnowError, MemoryError):
    """A bound that was stated (memory, length) would be passed."""


class Cancelled(WinnowError):
    """The call was asked to stop."""


_ERRORS = {1: UsageError, 2: FormatError, 3: FileError, 4: LimitError, 5: LimitError, 6: Cancelled}


class Error(Structure):
    _fields_ = [("text", c_char * 512)]


class Bytes(Structure):
    _fields_ = [("ptr", c_void_p), ("len", c_size_t)]

    def get(self):
        return ctypes.string_at(self.ptr, self.len) if self.len else b""


class List(Structure):
    _fields_ = [("items", POINTER(c_char_p)), ("count", c_size_t)]


class Progress(Structure):
    _fields_ = [("stage", c_char_p), ("unit", c_char_p), ("done", c_uint64), ("total", c_uint64),
                ("loss", c_double), ("resumed", c_uint64)]


LOG = ctypes.CFUNCTYPE(None, c_void_p, c_int, c_char_p)
PROGRESS = ctypes.CFUNCTYPE(None, c_void_p, POINTER(Progress))
WRITE = ctypes.CFUNCTYPE(c_int, c_void_p, c_void_p, c_size_t)
VARIABLE = ctypes.CFUNCTYPE(c_void_p, c_void_p, c_char_p)


class Env(Structure):
    _fields_ = [("log", LOG), ("progress", PROGRESS), ("write", WRITE), ("variable", VARIABLE),
                ("user", c_void_p), ("threads", c_uint32), ("memory_max", c_uint64), ("seed", c_uint64),
                ("kernels", c_char_p), ("cancel", POINTER(c_int)), ("force", c_bool),
                ("ranks", c_void_p)]


class RunResult(Structure):
    _fields_ = [(name, c_uint64) for name in (
        "documents_in", "documents_kept", "documents_removed", "documents_aside", "documents_bad",
        "bytes_in", "bytes_kept", "inputs_lost", "files_skipped")] + [
        ("complete", c_bool), ("nothing_to_do", c_bool), ("to_stdout", c_bool)]


class Refined(Structure):
    _fields_ = [("kept", c_bool), ("changed", c_bool), ("text", Bytes), ("calls", Bytes), ("program", Bytes),
                ("lines", c_uint64), ("lines_removed", c_uint64),
                ("calls_accepted", c_uint64), ("calls_rejected", c_uint64)]


class RulesResult(Structure):
    _fields_ = [("kept", c_bool), ("rule", c_char_p), ("value", c_double), ("limit", c_double),
                ("count", c_size_t), ("values", c_double * 64), ("text", Bytes)]


class View(Structure):
    _fields_ = [("ptr", c_char_p), ("len", c_size_t)]


class Score(Structure):
    _fields_ = [("nll", c_double), ("tokens", c_uint64)]


class Ids(Structure):
    _fields_ = [("ptr", POINTER(c_uint32)), ("len", c_size_t)]


class Page(Structure):
    _fields_ = [("kept", c_bool), ("reason", Bytes), ("text", Bytes), ("document", Bytes)]


def _open():
    """The library beside this file (a wheel has it), or where WINNOW_LIBRARY says, or the system's."""
    here = os.path.join(os.path.dirname(os.path.abspath(__file__)), "libwinnow.so")
    path = os.environ.get("WINNOW_LIBRARY") or (here if os.path.exists(here) else "libwinnow.so.0.1")
    try:
        return ctypes.CDLL(path)
    except OSError as e:
        raise ImportError(f"libwinnow cannot be loaded: {e}; WINNOW_LIBRARY names it where it lies elsewhere") from e


lib = _open()

_E, _V, _S = POINTER(Error), c_void_p, c_char_p
_FUNCTIONS = {
    "winnow_stage": [_S, _S, POINTER(List), _S, POINTER(Env), POINTER(RunResult), _E],
    "winnow_run_text": [_S, _S, _S, POINTER(Env), POINTER(RunResult), _E],
    "winnow_options_json": [_S, POINTER(Bytes), _E],
    "winnow_refine_text": [_S, c_size_t, _S, c_size_t, c_int, POINTER(Refined), _E],
    "winnow_refiner_open": [_S, POINTER(Env), POINTER(_V), _E],
    "winnow_refiner_text": [_V, _S, c_size_t, POINTER(Refined), _E],
    "winnow_rules_open": [_S, POINTER(_V), _E],
    "winnow_rules_text": [_V, _S, c_size_t, POINTER(RulesResult), _E],
    "winnow_scorer_open": [_S, POINTER(Env), POINTER(_V), _E],
    "winnow_scorer_texts": [_V, POINTER(View), c_size_t, POINTER(Score), _E],
    "winnow_tokenizer_open": [_S, POINTER(_V), _E],
    "winnow_tokenizer_ids": [_V, _S, c_size_t, c_uint, POINTER(Ids), _E],
    "winnow_tokenizer_text": [_V, POINTER(c_uint32), c_size_t, c_uint, POINTER(Bytes), _E],
    "winnow_page_text": [_S, c_size_t, _S, _S, _S, POINTER(Page), _E],
}
for _name, _arguments in _FUNCTIONS.items():
    getattr(lib, _name).argtypes = _arguments
    getattr(lib, _name).restype = c_int
for _name, _argument in {
    "winnow_bytes_free": POINTER(Bytes), "winnow_refined_free": POINTER(Refined),
    "winnow_rules_result_free": POINTER(RulesResult), "winnow_ids_free": POINTER(Ids),
    "winnow_page_free": POINTER(Page), "winnow_refiner_close": _V, "winnow_rules_close": _V,
    "winnow_scorer_close": _V, "winnow_tokenizer_close": _V,
}.items():
    getattr(lib, _name).argtypes = [_argument]
    getattr(lib, _name).restype = None
lib.winnow_version.restype = c_char_p
lib.winnow_rules_value_name.argtypes = [c_size_t]
lib.winnow_rules_value_name.restype = c_char_p
lib.winnow_tokenizer_size.argtypes = [_V]
lib.winnow_tokenizer_size.restype = c_uint32


def check(status, error, result=None):
    """Raises what a status other than 0 says."""
    if status:
        raised = _ERRORS.get(status, WinnowError)(error.text.decode("utf-8", "replace"))
        raised.result = result
        raise raised


def call(name, *arguments):
    """Calls a function that takes a struct winnow_error last."""
    error = Error()
    check(getattr(lib, name)(*arguments, byref(error)), error)


class Handle:
    """An object of the library, closed with the Python object."""

    def __init__(self, kind, *arguments):
        self.close = getattr(lib, f"winnow_{kind}_close")
        self.ptr = c_void_p()
        call(f"winnow_{kind}_open", *arguments, byref(self.ptr))

    def __del__(self):
        if getattr(self, "ptr", None):
            self.close(self.ptr)
            self.ptr = None
