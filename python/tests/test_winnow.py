"""The binding against the program: what Python says of a text is what a run says of the document."""

import inspect
import io
import json
import math
import os
import pathlib
import subprocess
import tempfile
import threading
import time
import unittest

import winnow

PAGE = ("Home | About | Contact\nThe boats lay in the harbour, and the people of the town knew that they would not "
        "sail.\nLog in\nCopyright 2024 Example Inc. All rights reserved.\n")
PROGRAM = os.environ.get("WINNOW_PROGRAM")


def page_of(i):
    menu = ["Home | About | Contact", "Log in", "Next page >>", "Copyright 2024 Example Inc. All rights reserved."]
    lines = []
    for k in range(8):
        lines += [menu[(i + k) % 4],
                  f"The {i + k} boats that lay in the harbour had been there since the spring, and the people of the "
                  f"town have long known that number {k} would not sail with them."]
    return "\n".join(lines)


class Case(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.path = pathlib.Path(self.folder.name)
        self.texts = {f"d{i}": page_of(i) for i in range(30)}
        self.corpus = self.path / "in.jsonl"
        self.corpus.write_text("".join(json.dumps({"id": i, "text": t, "n": 1}) + "\n" for i, t in self.texts.items()))

    def documents(self, command, **options):
        out = io.BytesIO()
        winnow.stage(command, self.corpus, out, **options)
        return {d["id"]: d["text"] for d in map(json.loads, out.getvalue().splitlines())}


class Stages(Case):
    def test_a_stage_fills_a_folder_and_is_done_once(self):
        first = winnow.stage("dedup", self.corpus, self.path / "run", spaces=True)
        self.assertEqual((first.documents_in, first.documents_kept, first.nothing_to_do), (30, 30, False))
        self.assertEqual(first.output, str(self.path / "run"))
        self.assertTrue((self.path / "run" / "_SUCCESS").exists())
        self.assertTrue(winnow.stages.dedup([self.corpus], self.path / "run", spaces=True).nothing_to_do)

    def test_python_and_the_program_write_the_same_bytes(self):
        if not PROGRAM:
            self.skipTest("WINNOW_PROGRAM names no program")
        steps = (("rules", {"sets": ["gopher"], "gopher_words_min": 20}), ("refine", {}), ("dedup", {"method": "minhash"}))
        for form in ("as-input", "parquet"):
            ours = theirs = self.corpus
            for command, options in steps:
                py, sh = self.path / f"py-{form}-{command}", self.path / f"sh-{form}-{command}"
                winnow.stage(command, ours, py, output_format=form, threads=2, **options)
                said = [f"--{k.replace('_', '-')}={','.join(v) if isinstance(v, list) else v}" for k, v in options.items()]
                subprocess.run([PROGRAM, command, "-q", *said, "--output-format", form, theirs, "-o", sh], check=True)
                names = sorted(p.relative_to(sh) for p in sh.rglob("*") if p.is_file())
                self.assertTrue(len(names) > 5)
                for name in names:
                    if name.name not in ("timings.json", "ledger.db", "input.json"):
                        same = (py / name).read_bytes().replace(b"/py-", b"/sh-")  # recipe.yaml says where it is
                        self.assertEqual(same, (sh / name).read_bytes(), name)
                ours, theirs = py, sh

    def test_a_recipe_from_a_file_and_from_a_dict(self):
        recipe = {"winnow": 1, "input": [str(self.corpus)], "output": str(self.path / "a"), "seed": 7,
                  "stages": [{"dedup": None}, {"rules": {"sets": ["gopher"], "gopher-words-min": 5}}]}
        done = winnow.run(recipe)
        self.assertEqual((done.documents_in, done.output), (30, str(self.path / "a")))
        (self.path / "r.yaml").write_text(
            f"winnow: 1\ninput: [{self.corpus}]\nseed: 7\nstages:\n  - dedup:\n"
            "  - rules: {sets: [gopher], gopher-words-min: 5}\n")
        again = winnow.run(self.path / "r.yaml", self.path / "b", memory="1G")
        self.assertEqual(again.documents_kept, done.documents_kept)
        self.assertTrue((self.path / "b" / "report.html").exists())

    def test_errors_are_the_programs_sentences(self):
        for options, sentence in (({"rat": 1}, "prune has no option 'rat'; did you mean 'rate'?"),
                                  ({"rate": 2}, "rate: '2' is not between 0.0001 and 1"),
                                  ({"criterion": "best"}, "criterion: 'best' is none of")):
            with self.assertRaises(winnow.UsageError) as raised:
                winnow.stage("prune", self.corpus, self.path / "x", **options)
            self.assertIn(sentence, str(raised.exception))
        with self.assertRaisesRegex(winnow.UsageError, "no command 'prun'"):
            winnow.stage("prun", self.corpus, self.path / "x")
        with self.assertRaises(ValueError):
            winnow.stage("rules", [], self.path / "x")
        with self.assertRaises(winnow.WinnowError):
            winnow.stage("rules", self.path / "missing", self.path / "x")

    def test_input_that_cannot_be_read_is_told_with_the_result(self):
        with open(self.corpus, "a") as f:
            f.write("no document\n")
        with self.assertRaises(winnow.FormatError):
            winnow.stage("dedup", self.corpus, self.path / "stop", on_bad="stop")
        self.assertEqual(winnow.stage("dedup", self.corpus, self.path / "go").documents_bad, 1)

    def test_what_a_callback_raises_ends_the_call(self):
        class Full:
            def write(self, data):
                raise RuntimeError("no more")

        with self.assertRaisesRegex(RuntimeError, "no more"):
            winnow.stage("dedup", self.corpus, Full())

    def test_messages_go_to_the_logger_and_progress_to_the_function(self):
        seen = []
        with self.assertLogs("winnow", "DEBUG") as logs:
            winnow.stage("rules", self.corpus, io.BytesIO(), sets=["gopher"], progress=lambda *a: seen.append(a))
        self.assertIn("are not kept", "".join(logs.output))
        self.assertTrue(all(len(a) == 4 for a in seen))


class Tables(Case):
    def test_signatures_come_from_the_tables(self):
        parameters = inspect.signature(winnow.stages.prune).parameters
        self.assertEqual(parameters["rate"].default, 0.5)
        self.assertEqual(parameters["criterion"].annotation, "typing.Literal['medium', 'low', 'high']")
        self.assertIn("text_key", parameters)
        self.assertIn("from_", inspect.signature(winnow.stages.synthesize).parameters)
        self.assertIn("share of the pool that is kept", winnow.stages.prune.__doc__)
        names = {t["command"] for t in winnow.options()}
        self.assertLessEqual({"run", "refine", "tokenizer train", "prove"}, names)
        with self.assertRaises(winnow.UsageError):
            winnow.options("nothing")

    def test_every_stage_takes_its_own_defaults(self):
        for table in winnow.options():
            if table["stage"] and table["command"] not in ("run", "score", "prune", "select", "decontaminate", "quality", "synthesize", "blocklist"):  # which want models, vectors, benchmarks, lists
                given = {r["name"].replace("-", "_"): r["default"] for r in table["options"] + table["shared"]
                         if r["name"] != "output"}
                done = winnow.stage(table["command"], self.corpus if table["command"] != "extract" else self.page(),
                                    self.path / table["command"], **given)
                self.assertTrue(done.complete, table["command"])

    def page(self):
        (self.path / "pages").mkdir()
        (self.path / "pages" / "a.html").write_text("<p>One<p>Two")
        return self.path / "pages"


class Memory(Case):
    def test_the_refiner_says_what_the_stage_says(self):
        refined = self.documents("refine")
        refiner = winnow.Refiner()
        changed = 0
        for i, text in self.texts.items():
            one = refiner(text)
            self.assertEqual(one.text if one.kept else None, refined.get(i))
            self.assertEqual(winnow.refine(text, one.program).text, one.text)
            changed += one.changed
        self.assertGreater(changed, 0)

    def test_programs_are_executed_and_told_call_by_call(self):
        done = winnow.refine(PAGE, 'remove_lines(0, 0)\nremove_str(1, "dog")\nsing()')
        self.assertTrue(done.kept and done.changed)
        self.assertEqual(done.lines_removed, 1)
        self.assertEqual([("rejected" in c) for c in done.calls], [False, True, True])
        self.assertFalse(winnow.refine(PAGE, "drop_doc()").kept)
        with self.assertRaises(winnow.UsageError):
            winnow.refine(PAGE, "", dialect="latin")

    def test_the_rules_judge_as_the_stage_does(self):
        kept = self.documents("rules", sets=["gopher"], gopher_words_min=190)
        rules = winnow.Rules(sets=["gopher"], gopher_words_min=190)
        verdicts = {i: rules(text) for i, text in self.texts.items()}
        self.assertEqual({i for i, v in verdicts.items() if v.kept}, set(kept))
        short = winnow.rules("Too short.")
        self.assertEqual((short.kept, short.rule, short.limit), (False, "gopher.words_min", 50))
        self.assertEqual(short.values["gopher__words"], short.value)
        self.assertNotIn("c4__lines", rules(PAGE).values)
        with self.assertRaises(winnow.UsageError):
            winnow.Rules(sets=["gofer"])

    def test_scores_and_tokens(self):
        if not PROGRAM:
            self.skipTest("WINNOW_PROGRAM names no program, which trains the model")
        model = self.path / "model"
        subprocess.run([PROGRAM, "train", "-q", self.corpus, "-o", model, "--tokens", "2048", "--vocab", "300", "--dim",
                        "16", "--layers", "1", "--heads", "1", "--context", "64", "--epochs-max", "100"], check=True,
                       stdout=subprocess.DEVNULL)
        texts = list(self.texts.values())
        one, two = winnow.Scorer(model, threads=1)(texts), winnow.Scorer(model, threads=2)(texts)
        self.assertEqual(one, two)
        self.assertTrue(all(0 < s < 10 for s in one))
        run = self.path / "scored"
        winnow.stages.score(self.corpus, run, model=model)
        lines = (run / "stages/01-score/attributes/nll/in.jsonl").read_text().splitlines()
        self.assertEqual([json.loads(line)["attributes"]["winnow__nll"][0][2] for line in lines], one)
        self.assertTrue(math.isnan(winnow.Scorer(model)([""])[0]))
        self.assertEqual(winnow.Scorer(model)([]), [])
        with self.assertRaises(winnow.WinnowError):
            winnow.Scorer(self.path / "none")

        tokenizer = winnow.Tokenizer(model)
        ids = tokenizer.encode("Grüße <|endoftext|> 🙂")
        self.assertEqual(tokenizer.decode(ids), "Grüße <|endoftext|> 🙂")
        self.assertLess(len(tokenizer.encode("a<|endoftext|>b", specials=True)), len(tokenizer.encode("a<|endoftext|>b")))
        self.assertTrue(max(ids) < len(tokenizer))
        with self.assertRaises(winnow.FormatError):
            tokenizer.decode([len(tokenizer)])

    def test_pages(self):
        page = winnow.page(b"<title>T</title><p>Gr\xfc\xdfe<p>Two &amp; three", type="text/html; charset=latin1")
        self.assertEqual(page.text, "Grüße\nTwo & three")
        self.assertEqual(page.document["metadata"]["title"], "T")
        self.assertEqual(winnow.page(b"x", type="image/png").reason, "mime")

    def test_any_text_will_do(self):
        for text in ("", "\0", "a\0b", "\n" * 1000, "x" * 100000):
            self.assertIsNotNone(winnow.Refiner()(text))
            self.assertIsNotNone(winnow.rules(text))
        for text in ("\ud800", b"\xff\xfe"):  # no document to a stage either
            for call in (winnow.Refiner(), winnow.rules):
                with self.assertRaises(winnow.FormatError):
                    call(text)

    def test_threads_share_an_object_and_the_interpreter_runs_meanwhile(self):
        refiner, rules = winnow.Refiner(), winnow.Rules()
        text = "\n".join(self.texts.values())
        want, wrong = refiner(text), []

        def work():
            for _ in range(3):
                wrong.append(refiner(text) != want or not rules(text).values)

        threads = [threading.Thread(target=work) for _ in range(4)]
        for t in threads:
            t.start()
        ticks = 0
        while any(t.is_alive() for t in threads):
            time.sleep(0.001)
            ticks += 1
        for t in threads:
            t.join()
        self.assertEqual(wrong, [False] * 12)
        self.assertGreater(ticks, 3)


class Frames(Case):
    def setUp(self):
        super().setUp()
        try:
            import pyarrow
        except ImportError as e:
            self.skipTest(f"no tables here: {e}")
        self.arrow = pyarrow
        self.texts = {i: t if n % 3 else t[:900] for n, (i, t) in enumerate(self.texts.items())}
        self.corpus.write_text("".join(json.dumps({"id": i, "text": t, "n": 1}) + "\n" for i, t in self.texts.items()))

    def both(self, command, **options):
        """A run of lines and one of Parquet; the same call as documents."""
        for name, form in (("lines", "jsonl.zst"), ("tables", "parquet")):
            winnow.stage(command, self.corpus, self.path / name, output_format=form, **options)
            yield winnow.Run(self.path / name)

    def test_a_run_is_read_as_the_program_wrote_it(self):
        kept = self.documents("rules", sets=["gopher"], gopher_words_min=190)
        self.assertTrue(0 < len(kept) < len(self.texts))
        rules = winnow.Rules(sets=["gopher"], gopher_words_min=190)
        for run in self.both("rules", sets=["gopher"], gopher_words_min=190):
            self.assertEqual(run.stages, ["01-rules"])
            self.assertEqual({r["id"]: r["text"] for r in run.rows()}, kept)
            removed = list(run.rows("removed", "01-rules"))
            self.assertEqual({r["id"] for r in removed} | set(kept), set(self.texts))
            self.assertTrue(all(r["winnow"]["rule"] == "gopher.words_min" for r in removed))
            ledger = run.arrow("ledger", 1, attributes=True)
            self.assertEqual(ledger.num_rows, run.stats()["documents"]["in"])
            for table in ("documents", "removed", "ledger"):
                noted = run.arrow(table, attributes=True)
                words = dict(zip(noted["id"].to_pylist(), noted["gopher__words"].to_pylist()))
                self.assertEqual(words, {i: rules(self.texts[i]).values["gopher__words"] for i in words})

    def test_what_is_not_there_is_told(self):
        with self.assertRaisesRegex(winnow.FileError, "is no run folder"):
            winnow.Run(self.path)
        for run in self.both("dedup"):
            with self.assertRaisesRegex(winnow.UsageError, "'lost' is none of documents, removed"):
                run.arrow("lost")
            with self.assertRaisesRegex(winnow.UsageError, "stage: 2 is none of 01-dedup"):
                run.arrow(stage=2)
            self.assertEqual(run.arrow("removed").num_rows, 0)
            (run.path / "_SUCCESS").unlink()
            with self.assertRaisesRegex(winnow.FileError, "is not finished"):
                run.arrow()

    def test_columns_of_several_types_are_text(self):
        self.corpus.write_text('{"id":"a","text":"one","n":1}\n{"id":"b","text":"two","n":{"x":[]}}\n')
        for run in self.both("dedup"):
            self.assertEqual([json.loads(n) for n in run.arrow()["n"].to_pylist()], [1, {"x": []}])

    def test_documents_that_were_arranged_are_not_joined_by_order(self):
        winnow.stage("mix", self.corpus, self.path / "mix")
        run = winnow.Run(self.path / "mix")
        self.assertEqual({r["id"] for r in run.rows()}, set(self.texts))
        with self.assertRaisesRegex(winnow.FormatError, "join frames by their ids"):
            list(run.rows(attributes=True))

    def test_a_frame_through_a_stage(self):
        kept = self.documents("rules", sets=["gopher"], gopher_words_min=190)
        table = self.arrow.table({"id": list(self.texts), "text": list(self.texts.values()), "n": range(len(self.texts))})
        frames = [table]
        for module, make in (("pandas", lambda m: table.to_pandas()), ("polars", lambda m: m.from_arrow(table)),
                             ("datasets", lambda m: m.Dataset(table))):
            try:
                frames.append(make(__import__(module)))
            except ImportError:
                pass
        for frame in frames:
            out = winnow.apply("rules", frame, sets=["gopher"], gopher_words_min=190)
            self.assertIs(type(out), type(frame))
            rows = out.to_list() if hasattr(out, "to_list") else self.arrow.table(out).to_pylist()
            self.assertEqual({r["id"]: r["text"] for r in rows}, kept)
            self.assertEqual([list(self.texts)[r["n"]] for r in rows], [r["id"] for r in rows])
        winnow.apply("dedup", table, self.path / "kept-run")
        self.assertEqual(winnow.Run(self.path / "kept-run").arrow().num_rows, len(self.texts))
        self.assertEqual(winnow.apply("rules", table.slice(0, 0)).num_rows, 0)
        with self.assertRaisesRegex(winnow.UsageError, "cannot be a table of Parquet"):
            winnow.apply("rules", self.arrow.table({"text": ["x"], "m": self.arrow.array([{}], self.arrow.struct([]))}))
        for wrong in ([], table["text"], table.schema):
            with self.assertRaisesRegex(winnow.UsageError, f"not {type(wrong).__name__}: winnow.stage takes files"):
                winnow.apply("rules", wrong)


class Elsewhere(Case):
    def test_objects_go_to_other_processes(self):
        import pickle
        rules = pickle.loads(pickle.dumps(winnow.Rules(sets=["gopher"], gopher_words_min=3)))
        self.assertTrue(rules("The boats of the town have long been there, and that is known.").kept)
        self.assertEqual(pickle.loads(pickle.dumps(winnow.Refiner()))(PAGE), winnow.Refiner()(PAGE))

    def test_datatrove_runs_the_blocks_to_what_the_stages_write(self):
        out = self.path / "out"
        try:  # datatrove and what it wants for this
            from datatrove.executor import LocalPipelineExecutor
            from datatrove.pipeline.readers import JsonlReader
            from datatrove.pipeline.writers.jsonl import JsonlWriter
            from winnow.datatrove import WinnowRefiner, WinnowRules
            pipeline = [JsonlReader(str(self.path), glob_pattern="*.jsonl"), WinnowRefiner(),
                        WinnowRules(sets=["gopher"], gopher_words_min=190, values=True),
                        JsonlWriter(str(out), output_filename="${rank}.jsonl", compression=None)]
        except ImportError as e:
            self.skipTest(f"no datatrove here: {e}")
        LocalPipelineExecutor(pipeline=pipeline, logging_dir=str(self.path / "logs"), tasks=1).run()
        got = {d["id"]: d["text"] for d in map(json.loads, (out / "00000.jsonl").read_text().splitlines())}
        clean = io.BytesIO()
        winnow.stage("refine", self.corpus, self.path / "refined")
        winnow.stage("rules", self.path / "refined" / "documents", clean, sets=["gopher"], gopher_words_min=190)
        self.assertEqual(got, {d["id"]: d["text"] for d in map(json.loads, clean.getvalue().splitlines())})
        self.assertTrue(got and got != self.texts)

    def test_datatrove_leaves_one_of_each_as_the_stage_does(self):
        try:
            from datatrove.data import Document
            from winnow.datatrove import WinnowMinhash
        except ImportError as e:
            self.skipTest(f"no datatrove here: {e}")
        documents = [Document(text=t, id=i, metadata={"n": k}) for k, (i, t) in enumerate(self.texts.items())]
        documents += [Document(text=d.text + " Once more.", id=d.id + "+", metadata={"n": -1}) for d in documents[:9]]
        near = self.path / "near.jsonl"
        near.write_text("".join(json.dumps({"id": d.id, "text": d.text}) + "\n" for d in documents))
        clean = io.BytesIO()
        winnow.stage("dedup", near, clean, method="minhash", threshold=0.9)
        want = [json.loads(line)["id"] for line in clean.getvalue().splitlines()]
        block = WinnowMinhash(self.path / "kept-run", threshold=0.9)
        got = list(block.run(iter(documents)))
        self.assertEqual([d.id for d in got], want)
        self.assertTrue(0 < len(got) < len(documents))
        self.assertTrue(all(d.metadata["n"] >= 0 for d in got if not d.id.endswith("+")))
        with self.assertRaisesRegex(winnow.UsageError, "tasks=1"):
            list(block.run(iter(documents), 0, 2))
        with self.assertRaisesRegex(winnow.FormatError, "documents.jsonl.*surrogate"):
            list(WinnowMinhash().run(iter([Document(text="\ud800", id="x")])))


class Interrupt(Case):
    def test_an_interrupt_leaves_the_run_to_be_gone_on_with(self):
        big = self.path / "big.jsonl"
        with open(big, "w") as f:
            for i in range(20000):
                f.write(json.dumps({"id": f"d{i}", "text": page_of(i)}) + "\n")
        script = ("import sys, winnow\n"
                  "try:\n"
                  f"    winnow.stage('rules', {str(big)!r}, {str(self.path / 'run')!r}, threads=1, "
                  "progress=lambda *a: print(*a, flush=True))\n"
                  "except KeyboardInterrupt:\n"
                  "    sys.exit(77)\n")
        import signal
        import sys
        process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
        process.stdout.readline()  # it is at work
        process.send_signal(signal.SIGINT)
        process.communicate()
        self.assertIn(process.returncode, (77, 0))
        done = winnow.stage("rules", big, self.path / "run")
        self.assertEqual(done.documents_in, 20000)


if __name__ == "__main__":
    unittest.main()
