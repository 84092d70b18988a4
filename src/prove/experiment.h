/* experiment.h -- what all jobs of a proof share, loaded once and then read-only. */
#ifndef WINNOW_PROVE_EXPERIMENT_H
#define WINNOW_PROVE_EXPERIMENT_H

#include "winnow/prove.h"
#include "winnow/prune.h"

#include "prove/arm_way.h"
#include "prove/draw.h"
#include "prove/yardstick.h"
#include "prune/selector.h"
#include "train/small_model.h"

#define PROVE_ARMS_MAX 16

enum arm_kind {
    ARM_CORPUS,
    ARM_BAND, /* what a selector chooses: a band, or "final" of a stage `select` */
    ARM_RANDOM,
    ARM_MATCHED, /* random, but of the make-up of the first selected arm */
    ARM_WITHOUT, /* the corpus without one of its sources (prove/arm_sources.h) */
};
extern const char *const ARM_KIND_NAMES[];

struct arm {
    const char *name;
    enum arm_kind kind;
    const void *options; /* ARM_BAND: what the selector chooses by */
    uint32_t set;        /* what it is taken from */
    struct arm_way way;  /* how it is trained on */

    struct str without;  /* ARM_WITHOUT: the source that is left out */
    uint32_t source;     /* its number */
    double source_share; /* of the corpus's tokens */
};

/* What bands are cut by: a method with its options, as a stage would get them. */
struct method {
    const struct selector_kind *kind;
    const void *options;
};

struct experiment {
    const struct winnow_prove_options *opt;
    const struct winnow_env *env;

    struct arm arms[PROVE_ARMS_MAX];
    uint32_t arm_count, baseline;
    bool has_bands;
    uint32_t pool; /* the set that bands are cut from */
    struct method method;
    bool shipped; /* the method is a stage's, which has a tokenizer of its own */
    struct selector_traits traits;
    char method_key[33];

    const char *paths[PROVE_ARMS_MAX + 1]; /* of the sets; [0] NULL: the corpus given */
    struct text_set sets[PROVE_ARMS_MAX + 1];
    double prepared[PROVE_ARMS_MAX + 1]; /* FLOPs that went into each set */
    uint32_t set_count;
    struct source_names names;
    struct held_set held, clean;
    struct map excluded; /* keys of held-out texts */
    struct yardstick yard;

    struct tokenizer *tokenizer;
    struct model_config config;
    uint64_t parameters;
    struct packer_options packer;
    uint64_t steps, tokens; /* an arm: tokens is steps * batch_tokens */
    const char *kernels;

    struct arena keep;
};

/* Reads all that the options name; trains the tokenizer where output has none.  stage: the
 * method of a stage, `prune` or `select`, whose options live as long as x; NULL, or without a
 * kind: bands by what the options say. */
winnow_status experiment_init(struct experiment *x, const struct winnow_prove_options *opt,
                              const struct method *stage, const struct winnow_list *paths,
                              const struct winnow_env *env, struct winnow_error *err);
void experiment_release(struct experiment *x);

/* Whether an arm uses the weights of a selection. */
bool experiment_weighs(const struct experiment *x);

/* Bytes of a job: its model and training, the draw that names its documents. */
uint64_t experiment_job_bytes(const struct experiment *x);

/* What an arm's trainer gets. */
void arm_trainer(const struct experiment *x, uint32_t arm, struct trainer_options *out);

/* Hash of everything a job's result depends on beside its seed and arm. */
struct hash128 experiment_key(const struct experiment *x);

#endif /* WINNOW_PROVE_EXPERIMENT_H */
