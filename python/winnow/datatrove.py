"""Blocks for datatrove's pipelines: winnow's refiner, rules and scores between any reader and writer.

    from winnow.datatrove import WinnowRefiner, WinnowRules

    LocalPipelineExecutor(pipeline=[JsonlReader("corpus/"), WinnowRefiner(), WinnowRules(sets=["gopher"]),
                                    JsonlWriter("clean/")], tasks=4).run()

They go to the executor's processes by pickle, options only, and are opened there.
"""

from datatrove.pipeline.filters.base_filter import BaseFilter

from ._memory import Refiner, Rules, Scorer


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
