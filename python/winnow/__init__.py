"""winnow: raw text to the corpus that trains the better language model, with proof.

    import winnow
    winnow.run("recipe.yaml")                                     # a recipe, resumable
    winnow.stage("prune", "corpus/", "runs/easy", rate="30%", criterion="low")
    winnow.Refiner()(text).text                                   # one text, in memory
    winnow.rules(text).kept
    winnow.Scorer("model/")(texts)
    winnow.Tokenizer("model/").encode(text)
    winnow.Run("runs/x").frame("ledger")                          # a run as a pandas frame
    winnow.apply("rules", frame, sets=["gopher"])                 # a frame through a stage

Everything is libwinnow's; the calls let go of the interpreter's lock.
"""

from ._frames import Run, apply
from ._library import Cancelled, FileError, FormatError, LimitError, UsageError, WinnowError, lib as _lib
from ._memory import PageText, Refiner, RefinedText, Rules, Scorer, Tokenizer, Verdict, page, refine, rules
from ._options import options
from ._run import Result, run, stage, stages

__version__ = _lib.winnow_version().decode()

__all__ = ["Cancelled", "FileError", "FormatError", "LimitError", "PageText", "Refiner", "RefinedText", "Result",
           "Rules", "Run", "Scorer", "Tokenizer", "UsageError", "Verdict", "WinnowError", "apply", "options", "page",
           "refine", "rules", "run", "stage", "stages"]
