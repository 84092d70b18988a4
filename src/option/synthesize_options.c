/* synthesize_options.c -- the table of `synthesize`. */
#include "winnow/synthesize.h"

#include "option/corpus_options.h"
#include "option/model_options.h"
#include "option/server_options.h"
#include "option/tables.h"

#define T struct winnow_synthesize_options

static const char *const ENGINES[] = {"templates", "builtin", "http", NULL};
static const char *const MAKES[] = {"all", "texts", "tasks", NULL};
static const char *const ORIGINALS[] = {"keep", "aside", NULL};

static const struct option OPTIONS[] = {
    OPT_ENUM(0, "engine", T, engine, ENGINES,
             "who writes: rules, a model here, or one in a completion server"),
    OPT_FILE('w', "writer", T, writer, "the model that writes: a folder or a .gguf"),
    OPT_ENUM(0, "make", T, make, MAKES, "texts, tasks (question, choice, cloze, summary), or all"),
    OPT_FILE(0, "prompts", T, prompts, "JSON lines of prompts instead of the built-in ones"),
    OPT_COUNT('n', "documents", T, documents, 0, 1e12,
              "documents to ask for at most; 0: --per-seed for each there is"),
    OPT_COUNT(0, "tokens", T, tokens, 0, 1e15,
              "asking ends once so many tokens were written; 0: no limit"),
    OPT_U32(0, "per-seed", T, per_seed, 1, 100, "prompts that one seed is shown with at most"),
    OPT_TEXT(0, "cluster", T, cluster, "KEY",
             "seeds are drawn evenly over the values of this member, where documents have it"),
    OPT_FILE(0, "attributes", T, attributes,
             "folder of attribute files of this input, of which --cluster is a value"),
    OPT_TEXT(0, "from", T, from, "SOURCE",
             "only documents whose source begins so are seeds, e.g. synthetic/"),
    OPT_U32(0, "seed-tokens", T, seed_tokens, 16, 1000000, "tokens of a seed that are shown"),
    OPT_U32(0, "new-tokens", T, new_tokens, 0, 100000,
            "tokens of an answer at most; 0: 2048 of a text, 512 of a task"),
    OPT_REAL(0, "temperature", T, temperature, 0, 5, "of sampling; 0: the likeliest token"),
    OPT_ENUM(0, "template", T, prompt, TEMPLATE_NAMES, "the model's chat template (auto: its own)"),
    OPT_TEXT(0, "system", T, system, "TEXT", "what the model is told beforehand; empty: nothing"),
    OPT_U32(0, "words-min", T, words_min, 0, 1000000,
            "shorter answers go; 0: 40 words of a text, 5 of a task"),
    OPT_U32(0, "words-max", T, words_max, 0, 1000000,
            "longer answers go; 0: 1500 words of a text, 400 of a task"),
    OPT_SHARE(0, "near", T, near, 0.3, 1,
              "answers go that share so much with their seed or with one before them"),
    OPT_FILES(0, "benchmark", T, benchmarks, "FILE,...",
              "answers that hold items of these go: JSON lines of any task shape, or plain text"),
    OPT_FLAG(0, "benchmarks", T, decontaminate,
             "--no-benchmarks says that there are none to keep out"),
    OPT_ENUM(0, "originals", T, originals, ORIGINALS,
             "what becomes of the documents that were there"),
    OPT_ENUM(0, "compute", T, compute, SMALL_MODEL_COMPUTE, "how the model computes (here)"),
    SERVER_OPTIONS(T),
    OPT_END,
};

const struct option_table SYNTHESIZE_TABLE = {
    .command = "synthesize",
    .summary =
        "make new documents of those that are there: texts and tasks, by a model or by rules",
    .usage = "[--writer MODEL] --benchmark FILE [options] CORPUS... -o FOLDER",
    .example = "  # questions, choices, gaps and summaries by rules, behind the documents\n"
               "  winnow synthesize --make tasks --benchmark eval/ corpus/ -o runs/tasks\n"
               "  winnow explain runs/tasks syn-0123456789abcdef     # its seeds, its prompt, why "
               "it went\n"
               "  # 10,000 texts by a model behind vLLM, SGLang or llama-server; alone\n"
               "  winnow synthesize --make texts --engine http --url http://127.0.0.1:8080 -n 10k "
               "--originals aside --benchmark eval/ corpus/ -o runs/texts\n"
               "  # tasks of those texts, by a model here\n"
               "  winnow synthesize --make tasks --engine builtin --writer my-model/ --per-seed 2 "
               "--benchmark eval/ runs/texts -o runs/both\n",
    .options = OPTIONS,
    .shared = &CORPUS_TABLE,
    .defaults = &WINNOW_SYNTHESIZE_OPTIONS_INIT,
    .size = sizeof(T),
};
