/* prove.h -- which corpus trains the better model, at equal compute. */
#ifndef WINNOW_PROVE_H
#define WINNOW_PROVE_H

#include "winnow/train.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Arms are named by texts:
 *
 *     "NAME=PATH"             a corpus
 *     "low" "medium" "high"   the band of the pool by a reference model that each seed
 *                             trains anew
 *     "medium-by-source"      the same of each source's own scores; low and high too
 *     "random"                a random subset of the pool with as many tokens as the
 *                             smallest other arm that is selected from it
 *     "before"                the first corpus given (paths)
 *     "before+lfr"            a way to train on it: a sampler of `train` with its choice behind a
 *                             colon, repeat:K (a K-th of the documents K times) or dropout:SHARE;
 *                             several, and of NAME=PATH as NAME+lfr=PATH
 *     "repeat:4"              before+repeat:4
 *     "final+weights"         in a recipe that ends in select: losses times the weights of what
 *                             is chosen; final alone trains on it without them
 *     "final+copies"          documents as often in an epoch as their weights say
 *
 * Every arm trains the same model on the same number of tokens in the same
 * order (documents that two arms share come in the same relative order).
 */
struct winnow_prove_options {
    struct winnow_small_model model;
    double dropout;          /* while training; arms may say their own */
    const char *output;      /* results.json, tokenizer.json, jobs/ */
    struct winnow_list arms; /* NULL items: before, medium, random */
    const char *baseline;    /* NULL: the first arm */
    const char *tokenizer;   /* NULL: one is trained on the first corpus, once */
    const char *primary;     /* measure named before the run: clean, raw, macro, cloze, blimp */
    const char *pool;        /* what bands are cut from, a path; NULL: `before` */
    double rate;             /* of the bands */
    uint32_t seeds;
    uint64_t tokens;           /* an arm */
    uint64_t reference_tokens; /* 0: as tokens */
    uint32_t fixed_length;     /* of the reference's score */
    uint64_t document_tokens;  /* of a document in training at most */
    bool fixed_pool;           /* smaller corpora repeat instead of being refused */
    double pool_share;         /* fixed pool: share of the tokens that the unpruned pool holds */
    double heldout_share;
    struct winnow_list heldout; /* paths of documents held out already; else by hash from before */
    struct winnow_list clean;   /* paths of clean held-out text; else what clean_rules lets pass */
    const char *clean_rules;    /* a rule set's name ("gopher"), "none" */
    uint64_t eval_tokens;       /* of held-out text that is measured */
    uint32_t eval_bytes;        /* of one document */
    uint32_t cloze_items;       /* a domain; 0: none */
    struct winnow_list tasks;   /* files of BLiMP and other tasks */
    uint64_t task_limit;        /* items a task */
    uint32_t curve_points;
    uint32_t bootstrap;  /* replicates */
    uint64_t load_bytes; /* text held in memory at most; of larger corpora a sample */
    const char *text_key, *id_key;
};
#define WINNOW_PROVE_OPTIONS_INIT                                       \
    (WINNOW_NEW(winnow_prove_options){.model = WINNOW_PROOF_MODEL_INIT, \
                                      .rate = 0.5,                      \
                                      .seeds = 5,                       \
                                      .tokens = 1000000,                \
                                      .fixed_length = 256,              \
                                      .document_tokens = 2048,          \
                                      .pool_share = 1,                  \
                                      .heldout_share = 0.05,            \
                                      .clean_rules = "gopher",          \
                                      .eval_tokens = 400000,            \
                                      .eval_bytes = 2048,               \
                                      .cloze_items = 200,               \
                                      .task_limit = 50,                 \
                                      .curve_points = 6,                \
                                      .bootstrap = 2000,                \
                                      .load_bytes = (uint64_t)512 << 20})

struct winnow_prove_result {
    uint32_t seeds, arms;
    uint64_t parameters, steps;
    uint32_t jobs_done, jobs_found; /* run now, taken over from before */
    double flops;
    bool complete; /* all was done with what could be read, whatever the status */
};

/* Runs what has not been run yet and writes results.json.  Jobs, one a seed and
 * arm, run side by side, one thread each; results do not depend on how many.
 * After an interruption the same call goes on.  *result is filled in where all was done
 * (`complete`).  WINNOW_E_USAGE also where a corpus is too small for what is asked. */
WINNOW_API winnow_status winnow_prove(const struct winnow_prove_options *opt,
                                      const struct winnow_list *paths, const struct winnow_env *env,
                                      struct winnow_prove_result *result, struct winnow_error *err);

#ifdef __cplusplus
}
#endif

#endif /* WINNOW_PROVE_H */
