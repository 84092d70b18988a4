/* lora.h -- trains low-rank additions to a model's matrices instead of the
 * matrices (Hu et al. 2021, "LoRA", 2106.09685, section 4).
 *
 *     W' = W + s B A      A: rank x inputs, B: outputs x rank, s = alpha / rank
 *
 * for q, k, v, o, gate, up and down of every layer.  W' is put into the model
 * before each step, so that the engine computes with plain weights and gives the
 * whole dW'; then dB = s dW' A' and dA = s B' dW', exactly.  Between updates the
 * model therefore is the merged one: it can be scored, generated from and saved
 * as it is.  B starts at 0, A uniform in +-1/sqrt(inputs).
 *
 * The interface is that of trainer.h, and so are its promises: the same bits for
 * any number of threads, and whether or not it was saved and loaded in between.
 */
#ifndef WINNOW_TRAIN_LORA_H
#define WINNOW_TRAIN_LORA_H

#include "train/trainer.h"

struct lora_options {
    uint32_t rank; /* at least 1, at most the smaller side of every matrix */
    double alpha;
    uint64_t seed;                  /* of A */
    struct trainer_options trainer; /* its weight_decay is on A and B */
};

struct lora;

/* Bytes that lora_new() takes, the model's own not counted. */
uint64_t lora_memory(const struct model_config *c, const struct lora_options *opt,
                     uint32_t threads);

winnow_status lora_new(struct model *m, struct pool *pool, const struct lora_options *opt,
                       const struct winnow_env *env, struct lora **out, struct winnow_error *err);
void lora_free(struct lora *l); /* NULL is fine; the model stays merged */

winnow_status lora_add(struct lora *l, const struct token_batch *b, uint64_t targets_total,
                       struct winnow_error *err);
winnow_status lora_update(struct lora *l, struct trainer_result *out, struct winnow_error *err);

/* For the training loop, which may free it. */
struct learner lora_learner(struct lora *l);

uint64_t lora_steps(const struct lora *l);
double lora_flops(const struct lora *l);
struct engine *lora_engine(struct lora *l);

/* Numbers of all A and B, and where they lie: an adapter a matrix. */
size_t lora_count(const struct lora *l);
float *lora_values(struct lora *l);
struct lora_adapter {
    const struct model_tensor *tensor;
    size_t a, b; /* places of A and B among lora_values() */
};
size_t lora_adapter_count(const struct lora *l);
const struct lora_adapter *lora_adapter_at(const struct lora *l, size_t i);

/* To be called after lora_values() were changed: merges them into the model. */
void lora_merge(struct lora *l);

/* The gradient of what was added since the last update, laid out as
 * lora_values(); for tests. */
void lora_gradient(struct lora *l, float *out);

/* A, B, both moments and the step: docs/formats/checkpoint.md.  The model's own
 * weights are not in it; loading needs the model that lora_new() was given. */
winnow_status lora_save(const struct lora *l, const char *path, struct winnow_error *err);
winnow_status lora_load(struct lora *l, const char *path, struct winnow_error *err);

/* adapter_config.json and adapter_model.safetensors as HF's peft reads them.
 * base names the model they belong to. */
winnow_status lora_write_adapter(const struct lora *l, const char *folder, const char *base,
                                 struct winnow_error *err);

#endif /* WINNOW_TRAIN_LORA_H */
