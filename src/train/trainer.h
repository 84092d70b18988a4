/* trainer.h -- trains a model: AdamW (or Muon and AdamW), warm-up and cosine,
 * clipping by norm.
 *
 *     struct trainer_options opt = TRAINER_OPTIONS_INIT;
 *     opt.steps = 500;  opt.lr = 3e-3;
 *     TRY(trainer_new(model, pool, &opt, env, &t, err));
 *     while (trainer_steps(t) < opt.steps) {
 *         ... fill batch ...
 *         TRY(trainer_step(t, &batch, &result, err));
 *     }
 *
 * The same model, batches and options give the same weights bit for bit,
 * whatever the number of threads, and whether or not the run was saved and
 * loaded in between.  Several trainers, each with its own model and pool, may
 * run in different threads at once (see engine.h).
 */
#ifndef WINNOW_TRAIN_TRAINER_H
#define WINNOW_TRAIN_TRAINER_H

#include "train/learner.h"

enum trainer_optimizer {
    TRAINER_ADAMW,
    TRAINER_MUON, /* for the hidden matrices (train/muon.h), AdamW for all else */
    TRAINER_SGD,  /* the rate times the gradient */
};

struct trainer_options {
    enum engine_compute compute;
    uint32_t tokens_max; /* of a micro-batch: engine_options.tokens_max */
    uint64_t steps;      /* length of the schedule */
    uint64_t warmup;     /* steps of linear rise */
    double lr;           /* at the top */
    double lr_end;       /* share of lr left at the last step (cosine between) */
    double beta1, beta2, eps;
    double weight_decay; /* decoupled; matrices only, not norms and biases */
    double clip;         /* largest norm of the whole gradient; 0: none */
    enum trainer_optimizer optimizer;
    double momentum; /* Muon's */
    /* The last steps over whose weights the mean is taken, which the model has when the
     * schedule is done; 0: none.  Before that the model has the weights of its step. */
    uint64_t average;
    double dropout; /* rate while training (engine/dropout.h); 0: none */
    uint64_t dropout_seed;
    bool losses_first; /* for engine_weigh_by(): engine_options.losses_first */
};

#define TRAINER_OPTIONS_INIT                                                           \
    {                                                                                  \
        .compute = ENGINE_F32, .steps = 1000, .warmup = 50, .lr = 1e-3, .lr_end = 0.1, \
        .beta1 = 0.9, .beta2 = 0.95, .eps = 1e-8, .weight_decay = 0.1, .clip = 1.0,    \
        .optimizer = TRAINER_ADAMW, .momentum = 0.95                                   \
    }

struct trainer;

/* Bytes that trainer_new() takes, the model's own not counted. */
uint64_t trainer_memory(const struct model_config *c, const struct trainer_options *opt,
                        uint32_t threads);

/* Trains the weights of m in place.  Model and pool must outlive the trainer. */
winnow_status trainer_new(struct model *m, struct pool *pool, const struct trainer_options *opt,
                          const struct winnow_env *env, struct trainer **out,
                          struct winnow_error *err);
void trainer_free(struct trainer *t);

/* One update from the mean loss over the batch, which may be larger than
 * tokens_max (its gradient is then summed over micro-batches). */
winnow_status trainer_step(struct trainer *t, const struct token_batch *b,
                           struct trainer_result *out, struct winnow_error *err);

/* The same in pieces, for batches that do not come whole: add any number of
 * times, then update once.  targets_total is the number of targets in all
 * pieces of this update, known beforehand. */
winnow_status trainer_add(struct trainer *t, const struct token_batch *b, uint64_t targets_total,
                          struct winnow_error *err);
winnow_status trainer_update(struct trainer *t, struct trainer_result *out,
                             struct winnow_error *err);

/* The learning rate of a step, 1 being the first: a linear rise over the warm-up,
 * then a cosine down to lr_end of lr. */
double trainer_rate(const struct trainer_options *o, uint64_t step);

/* For the training loop, which may free it. */
struct learner trainer_learner(struct trainer *t);

/* AdamW's second moment of each weight (as many as model_values_count()), corrected for its
 * start at 0.  False, and nothing is written, where there is none: before the first step, and
 * of Muon. */
bool trainer_moments(const struct trainer *t, float *out);
const struct model *trainer_model(const struct trainer *t);

/* trainer_add() with products of each sequence's gradient (engine/examples.h); nll: sums. */
struct engine_examples;
winnow_status trainer_add_examples(struct trainer *t, const struct token_batch *b,
                                   uint64_t targets_total, struct engine_examples *x, double *dots,
                                   double *nll, struct winnow_error *err);

/* Adds scale * the summed divergence from the teacher's logits, as engine_gradient_divergence(),
 * beside what trainer_add() adds; it has no part in the step's loss. */
winnow_status trainer_add_divergence(struct trainer *t, const struct token_batch *b, float scale,
                                     float *teacher, double *sum, struct winnow_error *err);

/* Numbers as many as weights, each times what the optimizer multiplies a gradient by: for AdamW
 * 1 / (sqrt(v) + eps), for SGD 1.  False, and nothing is done, where that is not known: before the
 * first step of AdamW, and of Muon. */
bool trainer_precondition(const struct trainer *t, float *x);

/* The factor that a gradient of this norm is clipped by. */
double trainer_clipped(const struct trainer *t, double norm);

/* The learning rate of the step after those done. */
double trainer_next_rate(const struct trainer *t);

uint64_t trainer_steps(const struct trainer *t);  /* done so far */
double trainer_flops(const struct trainer *t);    /* spent so far */
struct engine *trainer_engine(struct trainer *t); /* e.g. for engine_nll() between steps */

/* A checkpoint (docs/formats/checkpoint.md): weights, optimizer state, step.
 * Loading needs a trainer of the same config and the same options; another one,
 * or a damaged file, is WINNOW_E_FORMAT. */
winnow_status trainer_save(const struct trainer *t, const char *path, struct winnow_error *err);
winnow_status trainer_load(struct trainer *t, const char *path, struct winnow_error *err);

#endif /* WINNOW_TRAIN_TRAINER_H */
