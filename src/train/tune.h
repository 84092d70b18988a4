/* tune.h -- trains a model on prompts and answers: all of its weights, or LoRA
 * adapters on them.
 *
 * Only the tokens of answers have a loss, and what else was given a target.  Examples are shuffled
 * anew in every epoch (a seed and the epoch's number), packed whole into steps of at most
 * batch_tokens, and a step is the mean over the targets in it.  At equal
 * distances the loss of held-out examples is measured, and what stays at the end
 * are the weights with the lowest one.
 *
 * One call is one training: it goes on from the checkpoint in its folder where
 * there is one, and ends in the same bits as a call that was never interrupted.
 */
#ifndef WINNOW_TRAIN_TUNE_H
#define WINNOW_TRAIN_TUNE_H

#include "token/tokenizer.h"
#include "train/loop.h"
#include "train/lora.h"

/* Examples one behind the other.  All-zero is empty. */
struct tune_example {
    size_t end;       /* of its tokens; it starts where the one before ends */
    uint32_t targets; /* how many of them have one */
};
struct tune_examples {
    struct u32_list tokens, targets; /* as in a batch (engine/batch.h) */
    struct tune_example *items;
    size_t count, cap;
    uint32_t longest;
};
void tune_examples_release(struct tune_examples *e);

/* Copies an example: prompt tokens, then those of the answer, at least one. */
void tune_examples_add(struct tune_examples *e, const uint32_t *tokens, uint32_t count,
                       uint32_t prompt);

/* Of the example added last: a position of its prompt, not the last one, is to predict
 * this, whatever token follows there. */
void tune_examples_target(struct tune_examples *e, uint32_t position, uint32_t target);

struct tune_options {
    struct trainer_options trainer; /* steps and tokens_max are set by tune() */
    const struct tune_examples *held_out;
    double warmup;      /* share of the steps */
    uint32_t lora_rank; /* 0: all weights */
    double lora_alpha;
    uint64_t batch_tokens; /* at least the longest example */
    uint64_t tokens;       /* budget of all steps; 0: epochs */
    double epochs;
    uint64_t seed;
    uint32_t points;     /* how often held-out examples are measured after the start; 0: never */
    const char *folder;  /* of the checkpoint, which exists; NULL: none is kept */
    double save_seconds; /* between two checkpoints at least */
    const char *stage;   /* name for progress; NULL: silent */
    /* Called once the adapters hold their last values, to write them; may be NULL. */
    winnow_status (*adapter)(void *ctx, const struct lora *l, struct winnow_error *err);
    void *ctx;
};

struct tune_point {
    uint64_t step;
    double loss; /* of the held-out examples; NaN without any */
};

struct tune_result {
    float *losses; /* of each step */
    uint64_t steps, tokens, targets;
    uint64_t trained; /* numbers that were moved */
    struct tune_point *curve;
    size_t curve_count;
    size_t best; /* which point of the curve stayed; the last where nothing is held out */
    double epochs, flops;
};
void tune_result_release(struct tune_result *r);

/* m holds the weights to start from, and those that stay.  WINNOW_E_FORMAT where
 * examples hold less than a step. */
winnow_status tune(struct model *m, struct pool *pool, const struct tune_examples *train,
                   const struct tune_options *opt, const struct winnow_env *env,
                   struct tune_result *out, struct winnow_error *err);

#endif /* WINNOW_TRAIN_TUNE_H */
