/* refiner_options.c -- the tables of `refiner eval` and `refiner train`. */
#include "winnow/refine.h"
#include "winnow/refiner.h"

#include "option/model_options.h"
#include "option/tables.h"

#define E struct winnow_refiner_eval_options

static const struct option EVAL[] = {
    OPT_FILE('p', "programs", E, programs, "what came out: JSON lines of id and program"),
    OPT_FILES(0, "cleaned", E, cleaned, "CORPUS,...",
              "what came out: documents with the ids of the pages, from any tool"),
    OPT_ENUM(0, "dialect", E, dialect, DIALECT_NAMES, "the language that the programs are in"),
    OPT_TEXT(0, "name", E, name, "TEXT", "what is measured, for table and results"),
    OPT_TEXT(0, "by", E, by, "KEY", "scores for each value of this key, too"),
    OPT_FILE(0, "tokenizer", E, tokenizer, "count tokens with it (default: words and signs)"),
    OPT_U32(0, "bootstrap", E, bootstrap, 0, 100000, "draws of pages for the intervals; 0: none"),
    OPT_COUNT(0, "limit", E, limit, 0, 1e12, "read the first N pages; 0: all"),
    OPT_OUTPUT(E, output, "FILE", "results as JSON (default: on standard output)"),
    OPT_END,
};

const struct option_table REFINER_EVAL_TABLE = {
    .command = "refiner eval",
    .summary = "measure what a refiner, or any other tool, made of labelled pages",
    .usage = "[options] PAGES... [--programs FILE | --cleaned CORPUS]",
    .example =
        "  # pages.jsonl: {\"id\", \"lines\" or \"text\", \"gold\" and/or \"label\", \"type\"}\n"
        "  winnow refiner eval pages.jsonl -o keep-all.json          # nothing removed\n"
        "  winnow refiner eval pages.jsonl --programs programs.jsonl -o scores.json\n"
        "  winnow refiner eval pages.jsonl --cleaned jusText.jsonl --name jusText\n",
    .options = EVAL,
    .defaults = &WINNOW_REFINER_EVAL_OPTIONS_INIT,
    .size = sizeof(E),
};

#undef E
#define T struct winnow_refiner_train_options

static const char *const LEVELS[] = {"chunk", "doc", "both", NULL};
static const char *const SAVES[] = {"f32", "bf16", NULL};
static const char *const GIVEN[] = {"winnow", "refinex", "ultrax", NULL};

static const struct option TRAIN[] = {
    OPT_OUTPUT(T, output, "FOLDER", "the model folder"),
    OPT_FILE(0, "model", T, base, "what to start from: model folder or .gguf (default: nothing)"),
    OPT_U32(0, "lora-rank", T, lora_rank, 0, 4096,
            "train adapters of that rank; 0: all weights of the model"),
    OPT_REAL(0, "lora-alpha", T, lora_alpha, 1e-3, 1e6, "an adapter counts alpha / rank"),
    OPT_FILE(0, "tokenizer", T, tokenizer,
             "from scratch: tokenizer.json or its folder (default: one is trained)"),
    OPT_ENUM(0, "template", T, prompt, TEMPLATE_NAMES, "how prompts are framed"),
    OPT_ENUM(0, "level", T, level, LEVELS, "programs for chunks, documents, or both"),
    OPT_ENUM(0, "dialect", T, dialect, GIVEN, "of the programs that pages come with"),
    OPT_FLAG(0, "prefer-text", T, prefer_text, "derive from clean texts even where labels are"),
    OPT_U32(0, "chunk-tokens", T, chunk_tokens, 16, 1000000, "tokens of a chunk's lines at most"),
    OPT_ENUM(0, "long-lines", T, long_lines, LONG_LINE_NAMES, "lines longer than a chunk"),
    OPT_U32(0, "answer-tokens", T, answer_tokens, 8, 1000000, "leave out longer programs"),
    OPT_FLAG(0, "verdicts", T, verdicts,
             "a verdict at each line's end, too, for refine --one-pass"),
    OPT_SHARE(0, "removal-max", T, removal_max, 0, 1,
              "leave out pages of which a larger share of the characters goes"),
    OPT_SHARE(0, "derivable-min", T, derivable_min, 0, 1,
              "leave out pages of whose clean text deletions reach less"),
    OPT_SHARE(0, "holdout", T, holdout, 0, 0.9, "pages whose loss chooses what stays"),
    OPT_FILES(0, "validate", T, validate, "PAGES,...", "use these pages for that instead"),
    OPT_COUNT(0, "tokens", T, tokens, 0, 1e15, "to train on, prompts included; 0: epochs"),
    OPT_REAL(0, "epochs", T, epochs, 0.001, 1e6, "passes over the examples"),
    OPT_U32(0, "points", T, points, 0, 10000, "how often the held-out loss is measured"),
    OPT_HOW(OPTION_REAL, "checkpoint", T, checkpoint, 0, 1e6, "X",
            "seconds between two checkpoints at least"),
    OPT_COUNT(0, "limit", T, limit, 0, 1e12, "read the first N pages; 0: all"),
    OPT_ENUM(0, "save", T, save, SAVES, "numbers in model.safetensors"),
    SMALL_MODEL_OPTIONS(T),
    OPT_END,
};

const struct option_table REFINER_TRAIN_TABLE = {
    .command = "refiner train",
    .summary = "teach a model to write programs, from pages and what is to be left of them",
    .usage = "[options] PAGES... -o FOLDER",
    .example = "  # pages.jsonl: {\"id\", \"text\", \"clean\"}, {\"id\", \"lines\", \"label\"} or\n"
               "  # {\"id\", \"text\", \"program\"}\n"
               "  winnow refiner train pages.jsonl --model smollm2.gguf --lora-rank 16 --lr 5e-4 "
               "-o refiner\n"
               "  winnow refiner train pages.jsonl --model smollm2.gguf --lr 3e-5 -o refiner  # "
               "all weights\n"
               "  winnow refiner train pages.jsonl --lr 2e-3 --epochs 20 -o small             # "
               "from scratch\n",
    .options = TRAIN,
    .defaults = &WINNOW_REFINER_TRAIN_OPTIONS_INIT,
    .size = sizeof(T),
};
