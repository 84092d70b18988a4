/* prove_options.c -- the table of `prove`. */
#include "winnow/prove.h"

#include "option/model_options.h"
#include "option/tables.h"

#define T struct winnow_prove_options

static const struct option OPTIONS[] = {
    OPT_OUTPUT(T, output, "FOLDER", "where results go; a run has its own"),
    OPT_NAMED(0, "arms", T, arms, "ARM,...",
              "before, random, matched, low, medium, high, these as medium-by-source, NAME=PATH; "
              "repeat:K; without:SOURCE, the corpus without that source, without:* for each; each "
              "with ways to train behind it: +lfr, +reweight:linupper, +repeat:K, "
              "+dropout:SHARE; in a recipe also names of stages and final, of select with its "
              "weights as +weights or +copies (default: before, medium, random; in a recipe: the "
              "first stage, final, random)"),
    OPT_SHARE(0, "dropout", T, dropout, 0, 0.9, "of what each layer adds, while training; 0: none"),
    OPT_TEXT(0, "baseline", T, baseline, "ARM",
             "what the others are compared with (default: first)"),
    OPT_TEXT(
        0, "primary", T, primary, "MEASURE",
        "the measure that decides, named before the run: raw, clean, macro, cloze, or a task's "
        "(default: clean, or raw where no text is called clean)"),
    OPT_U32(0, "seeds", T, seeds, 1, 1000,
            "repetitions, each with its own split, models and order"),
    OPT_COUNT(0, "tokens", T, tokens, 1, 1e15, "that each arm trains on"),
    OPT_SHARE(0, "rate", T, rate, 0.001, 1, "share of the pool in a band"),
    OPT_FILE(0, "pool", T, pool, "corpus that bands are cut from (default: the one given)"),
    OPT_COUNT(0, "reference-tokens", T, reference_tokens, 0, 1e15,
              "that the reference trains on; 0: as an arm"),
    OPT_U32(0, "fixed-length", T, fixed_length, 0, 65536,
            "score the first N tokens, length taken out; 0: whole documents"),
    OPT_COUNT(0, "document-tokens", T, document_tokens, 0, 1e12,
              "train on the first N tokens of a document; 0: all"),
    OPT_FLAG(0, "fixed-pool", T, fixed_pool,
             "the second regime: a pool of fixed size, smaller corpora repeat"),
    OPT_SHARE(0, "pool-share", T, pool_share, 0.001, 1,
              "fixed pool: tokens of the whole pool, as share of --tokens"),
    OPT_FILE(0, "tokenizer", T, tokenizer,
             "tokenizer.json or its folder (default: trained on the corpus given)"),
    OPT_SHARE(0, "heldout-share", T, heldout_share, 0, 0.9,
              "documents held out, by hash of their text"),
    OPT_FILES(0, "heldout", T, heldout, "PATH,...", "documents held out already, instead"),
    OPT_TEXT(0, "clean-rules", T, clean_rules, "SETS",
             "rules that held-out text called clean passes, as gopher,fineweb; or none"),
    OPT_FILES(0, "clean", T, clean, "PATH,...", "clean held-out text, instead"),
    OPT_COUNT(0, "eval-tokens", T, eval_tokens, 100, 1e12,
              "of held-out text to measure with, about"),
    OPT_U32(0, "eval-bytes", T, eval_bytes, 64, 1e9, "of one held-out document at most"),
    OPT_U32(0, "cloze-items", T, cloze_items, 0, 1000000, "made a domain; 0: none"),
    OPT_FILES(0, "tasks", T, tasks, "FILE,...", "tasks to measure with too, e.g. blimp.jsonl.zst"),
    OPT_COUNT(0, "task-limit", T, task_limit, 0, 1e9, "items a task; 0: all"),
    OPT_U32(0, "curve-points", T, curve_points, 0, 64, "of the learning curve"),
    OPT_U32(0, "bootstrap", T, bootstrap, 10, 1000000, "draws for intervals"),
    OPT_SIZE(0, "load-bytes", T, load_bytes, 0, 1e15,
             "text of one corpus to hold; of larger ones a sample; 0: no bound"),
    OPT_TEXT(0, "text-key", T, text_key, "KEY", "key of the text"),
    OPT_TEXT(0, "id-key", T, id_key, "KEY", "key of the id"),
    SMALL_MODEL_OPTIONS(T),
    OPT_END,
};

const struct option_table PROVE_TABLE = {
    .command = "prove",
    .summary = "which corpus trains the better model, at equal compute",
    .usage = "[options] CORPUS... -o FOLDER",
    .example =
        "  winnow prove corpus/ -o proof                      # before, medium band, random\n"
        "  winnow prove --arms before,after=clean/ corpus/ -o proof\n"
        "  winnow prove --arms random,low,medium,high --tokens 6M corpus/ -o proof\n"
        "  winnow prove --arms before,repeat:4,repeat:16 corpus/ -o proof1   # how often it bears\n"
        "  winnow prove --arms repeat:4,before+lfr,before+lfr:random corpus/ -o proof3\n"
        "  winnow prove --fixed-pool --pool-share 25% corpus/ -o proof2   # documents repeat\n",
    .options = OPTIONS,
    .defaults = &WINNOW_PROVE_OPTIONS_INIT,
    .size = sizeof(T),
};
