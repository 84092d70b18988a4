/* correct_options.c -- the table of `correct`. */
#include "winnow/correct.h"

#include "option/model_options.h"
#include "option/tables.h"

#define T struct winnow_correct_options

static const char *const RECALL[] = {"ekfac", "gradient", "tfidf", NULL};
static const char *const CORRECTION[] = {"rank", "ascent", "tune", "none", NULL};

static const struct option OPTIONS[] = {
    OPT_OUTPUT(T, output, "FOLDER", "the list influence.jsonl, and the corrected model"),
    OPT_FILE(0, "model", T, model, "the model that says what is unwanted"),
    OPT_FILE(0, "unwanted", T, unwanted,
             "examples of it: texts, prompts with responses, or conversations"),
    OPT_FILE(0, "neutral", T, neutral,
             "text on which the model is to say what it said; a tenth of it only measures"),
    OPT_ENUM(0, "recall", T, recall, RECALL,
             "what says which documents taught it: gradients through the curvature's inverse, "
             "gradients, or shared rare tokens"),
    OPT_ENUM(0, "correction", T, correction, CORRECTION,
             "ranks of influence with neutral text kept, plain gradient ascent, training on the "
             "neutral text, or only the list"),
    OPT_U32(0, "calibration", T, calibration, 1, 100000, "documents that curvature is fitted on"),
    OPT_REAL(0, "damping", T, damping, 1e-6, 1e6,
             "added to the curvature: share of a matrix's mean"),
    OPT_COUNT(0, "top", T, top, 0, 1e12, "documents to unlearn; 0: those that stand out"),
    OPT_COUNT(0, "listed", T, listed, 1, 1e9, "documents in the list"),
    OPT_COUNT(0, "steps", T, steps, 1, 1e9, "of the correction"),
    OPT_COUNT(0, "batch-tokens", T, batch_tokens, 2, 1e9,
              "of a step's documents, and of its neutral text"),
    OPT_REAL(0, "lr", T, lr, 0, 10, "learning rate of the correction"),
    OPT_REAL(0, "keep", T, keep, 0, 1e6, "weight of staying as it was on neutral text"),
    OPT_REAL(0, "sharpness", T, sharpness, 1e-3, 1e3,
             "of the ranks: how soon a pair is far enough"),
    OPT_U32(0, "context", T, context, 8, 65536, "tokens of a passage at most"),
    OPT_ENUM(0, "compute", T, compute, SMALL_MODEL_COMPUTE, "number format of matrix products"),
    OPT_COUNT(0, "limit", T, limit, 0, 1e15, "use the first N documents; 0: all"),
    OPT_TEXT(0, "text-key", T, text_key, "KEY", "key of the text"),
    OPT_TEXT(0, "id-key", T, id_key, "KEY", "key of the id"),
    OPT_END,
};

const struct option_table CORRECT_TABLE = {
    .command = "correct",
    .summary = "from unwanted output to the documents that taught it, and a model without it",
    .usage = "[options] CORPUS... --model MODEL --unwanted FILE -o FOLDER",
    .example =
        "  winnow correct corpus/ --model models/small --unwanted bad.jsonl --correction none \\\n"
        "      -o recalled  # recalled/influence.jsonl: what taught it\n"
        "  winnow correct corpus/ --model models/small --unwanted bad.jsonl \\\n"
        "      --neutral usual.jsonl -o models/corrected\n"
        "  winnow correct corpus/ --model models/small --unwanted bad.jsonl \\\n"
        "      --neutral usual.jsonl --top 50 --keep 8 -o models/careful\n",
    .options = OPTIONS,
    .defaults = &WINNOW_CORRECT_OPTIONS_INIT,
    .size = sizeof(T),
};
