"""Blocks for datatrove's pipelines: winnow's refiner, rules, scores and deduplication between any reader and writer.

    from winnow.datatrove import WinnowRefiner, WinnowRules

    LocalPipelineExecutor(pipeline=[JsonlReader("corpus/"), WinnowRefiner(), WinnowRules(sets=["gopher"]),
                                    JsonlWriter("clean/")], tasks=4).run()

They go to the executor's processes by pickle, options only, and are opened there.
"""

import contextlib
import json
import pathlib
import pickle
import tempfile

from datatrove.pipeline.base import PipelineStep
from datatrove.pipeline.filters.base_filter import BaseFilter
from datatrove.utils.typeshelper import StatHints

from ._frames import Run
from ._library import UsageError
from ._memory import Refiner, Rules, Scorer
from ._run import stage


class WinnowRefiner(BaseFilter):
    """Takes the noise out of each document's text, as `winnow refine` with a line model does."""

    name = "🌾 winnow refine"

    def __init__(self, model=None, drop_below=0.0, exclusion_writer=None):
        super().__init__(exclusion_writer)
        self.refiner = Refiner(model, drop_below=drop_below)

    def filter(self, doc):
        refined = self.refiner(doc.text)
        if not refined.kept:
            return False, "refine"
        if refined.changed:
            self.stat_update("edited")
            self.stat_update("lines_removed", value=refined.lines_removed)
            doc.text = refined.text
        return True


class WinnowRules(BaseFilter):
    """The field's heuristic filters; options as winnow.Rules takes them.

    values: put what was measured into the document's metadata, as "gopher__words" and so on.
    """

    name = "🌾 winnow rules"

    def __init__(self, exclusion_writer=None, values=False, **options):
        super().__init__(exclusion_writer)
        self.rules = Rules(**options)
        self.values = values

    def filter(self, doc):
        verdict = self.rules(doc.text)
        if self.values:
            doc.metadata.update(verdict.values)
        if not verdict.kept:
            return False, verdict.rule
        if verdict.text is not None:
            doc.text = verdict.text
        return True


class WinnowScorer(BaseFilter):
    """Puts the mean NLL under a model into each document's metadata as "winnow__nll"; removes nothing."""

    name = "🌾 winnow score"

    def __init__(self, model, batch_size=64, threads=1, **options):
        super().__init__(None, batch_size)
        self.scorer = Scorer(model, threads=threads, **options)

    def filter(self, doc):
        return self.filter_batch([doc])[0]

    def filter_batch(self, batch):
        for doc, score in zip(batch, self.scorer([doc.text for doc in batch])):
            doc.metadata["winnow__nll"] = score
        return [True] * len(batch)


class WinnowMinhash(PipelineStep):
    """One of each cluster of near-copies, as `winnow dedup --method minhash` finds them.

    run: a folder that keeps the run, with its ledger; None: a temporary one.
    options: of `winnow dedup`: threshold=0.8, keep="longest", ...; method="exact" for equal texts.

    It compares all documents, so it stands in a pipeline of one task, and keeps them on disk meanwhile.
    With more tasks, have them write with JsonlWriter("all/"), call winnow.stage("dedup", "all/", "once/",
    method="minhash"), and read "once/documents" with JsonlReader behind it.
    """

    type = "🫂 - DEDUPS"
    name = "🌾 winnow dedup"

    def __init__(self, run=None, exclusion_writer=None, **options):
        super().__init__()
        self.folder = run
        self.exclusion_writer = exclusion_writer
        self.options = {"method": "minhash", "on_bad": "stop", **options}
        if options.get("unit", "document") != "document":
            raise UsageError("WinnowMinhash takes or leaves whole documents: unit is 'document' here")

    def run(self, data, rank=0, world_size=1):
        if world_size > 1:
            raise UsageError("WinnowMinhash compares all documents and so needs an executor with tasks=1; with more, "
                             "write them with JsonlWriter and call winnow.stage('dedup', ...) once, as its help says")
        with tempfile.TemporaryDirectory(prefix="winnow-") as temporary:
            spool = pathlib.Path(temporary)
            with open(spool / "documents.jsonl", "w") as texts, open(spool / "documents.pickle", "wb") as whole:
                for number, doc in enumerate(data):
                    json.dump({"id": str(number), "text": doc.text, "metadata": {"id": doc.id, **doc.metadata}},
                              texts, default=str)
                    texts.write("\n")
                    pickle.dump(doc, whole)
            yield from self._kept(spool, rank)

    def _kept(self, spool, rank):
        """The documents that stay, in the order in which they came."""
        folder = self.folder or spool / "run"
        with self.track_time("corpus"):
            stage("dedup", spool / "documents.jsonl", folder, **self.options)
        with open(spool / "documents.pickle", "rb") as whole, _writing(self.exclusion_writer) as excluded:
            for line in Run(folder).rows("ledger"):
                doc = pickle.load(whole)
                self.stat_update(StatHints.total)
                if line["verdict"] == "keep":
                    self.stat_update(StatHints.forwarded)
                    self.update_doc_stats(doc)
                    yield doc
                    continue
                self.stat_update(StatHints.dropped)
                if excluded:
                    doc.metadata["filter_reason"] = line["rule"]
                    excluded.write(doc, rank)


def _writing(writer):
    return writer if writer else contextlib.nullcontext()
