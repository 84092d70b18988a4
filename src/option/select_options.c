/* select_options.c -- the table of `select`. */
#include "winnow/select.h"

#include "option/corpus_options.h"
#include "option/tables.h"

#define T struct winnow_select_options

static const char *const METHODS[] = {"gtp",      "top-k",  "round-robin", "rds",     "projection",
                                      "facility", "random", "loss-drop",   "shapley", NULL};
static const char *const OBJECTIVES[] = {"mean", "each", NULL};

static const struct option OPTIONS[] = {
    OPT_ENUM(0, "method", T, method, METHODS, "how to choose"),
    OPT_FILE(0, "features", T, features, "vectors of this corpus, as winnow features made them"),
    OPT_FILES(0, "target", T, targets, "FILE",
              "examples of what is wanted; several files share the budget equally"),
    OPT_FILES(0, "target-features", T, target_features, "PATH",
              "the same as vectors (winnow features --like)"),
    OPT_TEXT(0, "budget", T, budget, "N", "documents to choose: a number, or a share (5%)"),
    OPT_ENUM(0, "objective", T, objective, OBJECTIVES,
             "pursue each example of the target, or their mean"),
    OPT_U32(0, "subspace", T, subspace, 0, 65536,
            "pursue in that many principal directions of target and pool a checkpoint; 0: in all"),
    OPT_REAL(0, "copy", T, copy, 0.5, 1, "cosine above which a document is a chosen one's copy"),
    OPT_FLAG(0, "no-floor", T, no_floor, "pursue what cannot be told from noise, too"),
    OPT_FLAG(0, "match-length", T, match_length, "random: as long as the target's examples"),
    OPT_FILE(0, "model", T, model, "loss-drop: a model, which is warmed on the target"),
    OPT_U32(0, "lora-rank", T, lora_rank, 1, 1024, "loss-drop: of the adapters that warm it"),
    OPT_REAL(0, "tune-epochs", T, tune_epochs, 0.01, 1000, "loss-drop: passes over the target"),
    OPT_REAL(0, "tune-lr", T, tune_lr, 1e-7, 1, "loss-drop: learning rate at its top"),
    OPT_FILE(0, "scores", T, scores, "shapley: attributes, as train --value writes them"),
    OPT_TEXT(0, "score-name", T, score_name, "NAME", "shapley: of the score among them"),
    OPT_U32(0, "partition", T, partition, 10, 100000,
            "facility: documents that are compared with each other"),
    OPT_END,
};

const struct option_table SELECT_TABLE = {
    .command = "select",
    .summary = "choose the documents that a target asks for, by their vectors",
    .usage = "[options] CORPUS... -o FOLDER",
    .example =
        "  winnow select pool.jsonl --features vectors/pool --target few.jsonl --budget 5% \\\n"
        "      -o runs/chosen\n"
        "  winnow select pool.jsonl --features vectors/pool --method top-k --target few.jsonl \\\n"
        "      --budget 1000 -o runs/top\n"
        "  winnow select pool.jsonl --features vectors/pool --budget 10% -o runs/own  # for all\n"
        "  winnow select pool.jsonl --method shapley --scores models/valued/value -o runs/worth\n"
        "  winnow select pool.jsonl --method random --budget 5% -o runs/random\n",
    .options = OPTIONS,
    .shared = &CORPUS_TABLE,
    .defaults = &WINNOW_SELECT_OPTIONS_INIT,
    .size = sizeof(T),
};
