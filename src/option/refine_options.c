/* refine_options.c -- the table of `refine`. */
#include "winnow/refine.h"

#include "option/corpus_options.h"
#include "option/model_options.h"
#include "option/server_options.h"
#include "option/tables.h"

static const char *const ENGINES[] = {"builtin", "http", NULL};
static const char *const LEVELS[] = {"chunk", "doc", "both", NULL};

static const struct option OPTIONS[] = {
    OPT_FILE('p', "programs", struct winnow_refine_options, programs,
             "programs written elsewhere: JSON lines of id and program"),
    OPT_FILE('r', "refiner", struct winnow_refine_options, refiner,
             "the model that writes them: a folder, a .gguf, or builtin (the default)"),
    OPT_ENUM(0, "engine", struct winnow_refine_options, engine, ENGINES,
             "where it runs: here, or in a completion server"),
    OPT_ENUM(0, "dialect", struct winnow_refine_options, dialect, DIALECT_NAMES,
             "the language that the programs are in"),
    OPT_ENUM(0, "level", struct winnow_refine_options, level, LEVELS,
             "ask about whole documents, about chunks of them, or both"),
    OPT_ENUM(0, "template", struct winnow_refine_options, prompt, TEMPLATE_NAMES,
             "the refiner's chat template (auto: the model's)"),
    OPT_TEXT(0, "system", struct winnow_refine_options, system, "TEXT",
             "what the refiner is told beforehand; empty: nothing"),
    OPT_U32(0, "chunk-tokens", struct winnow_refine_options, chunk_tokens, 16, 1000000,
            "lines of a chunk, in tokens of the refiner"),
    OPT_U32(0, "new-tokens", struct winnow_refine_options, new_tokens, 4, 100000,
            "a chunk's program, in tokens at most"),
    OPT_ENUM(0, "long-lines", struct winnow_refine_options, long_lines, LONG_LINE_NAMES,
             "lines longer than a chunk: leave them alone, show them, or show their start"),
    OPT_FLAG(0, "grammar", struct winnow_refine_options, grammar,
             "let the refiner write nothing but programs"),
    OPT_FLAG(0, "one-pass", struct winnow_refine_options, one_pass,
             "take verdicts on lines from one pass of a refiner that was taught them"),
    OPT_SHARE(0, "keep-above", struct winnow_refine_options, keep_above, 0, 1,
              "with --one-pass: lines less likely to stay go"),
    OPT_SHARE(0, "drop-below", struct winnow_refine_options, drop_below, 0, 1,
              "line models: documents whose lines are less likely to be text go; 0: none"),
    OPT_ENUM(0, "compute", struct winnow_refine_options, compute, SMALL_MODEL_COMPUTE,
             "how the model computes (here)"),
    SERVER_OPTIONS(struct winnow_refine_options),
    OPT_END,
};

const struct option_table REFINE_TABLE = {
    .command = "refine",
    .summary = "give each document its own program: drop it, remove lines, mend strings",
    .usage = "[--refiner MODEL | --programs FILE] [options] CORPUS... -o FOLDER",
    .example = "  # the built-in line model: navigation, footers and the like go\n"
               "  winnow refine corpus/ -o runs/refined\n"
               "  # and pages that are little else go as a whole\n"
               "  winnow refine --drop-below 0.3 corpus/ -o runs/refined\n"
               "  # a small language model writes programs, and they are executed\n"
               "  winnow refine --refiner my-refiner/ corpus/ -o runs/refined\n"
               "  winnow explain runs/refined a       # each call, accepted or rejected and why\n"
               "  # the same model judges lines instead, if it was trained with --verdicts\n"
               "  winnow refine --refiner my-refiner/ --one-pass corpus/ -o runs/judged\n"
               "  # first which documents stay, then what is cut from them, by two models\n"
               "  winnow refine --level doc --refiner doc-lm/ corpus/ -o - |\n"
               "    winnow refine --level chunk --refiner chunk-lm/ - -o runs/refined\n"
               "  # the same model behind vLLM, SGLang or llama-server, e.g. on a GPU\n"
               "  winnow refine --engine http --url http://127.0.0.1:8080 --refiner my-refiner/ "
               "corpus/ -o runs/refined\n"
               "  # programs of an earlier run, or written elsewhere: {\"id\": \"a\", \"program\": "
               "\"remove_lines(0, 2)\"}\n"
               "  winnow refine --programs runs/refined/stages/01-refine/state/programs.jsonl "
               "corpus/ -o runs/again\n"
               "  # what a released ProX model wrote, executed as GAIR's code does\n"
               "  winnow refine --dialect prox --programs prox.jsonl.gz corpus/ -o runs/prox\n",
    .options = OPTIONS,
    .shared = &CORPUS_TABLE,
    .defaults = &WINNOW_REFINE_OPTIONS_INIT,
    .size = sizeof(struct winnow_refine_options),
};
