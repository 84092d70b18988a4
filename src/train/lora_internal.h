/* lora_internal.h -- adapters' state, for lora.c and lora_file.c. */
#ifndef WINNOW_TRAIN_LORA_INTERNAL_H
#define WINNOW_TRAIN_LORA_INTERNAL_H

#include "math/kernels.h"
#include "train/lora.h"
#include "train/step.h"

struct adapter_place {
    struct lora_adapter adapter;
    size_t base; /* of its matrix among lora.base */
};

struct lora {
    struct model *model;
    struct pool *pool;
    struct engine *engine;
    struct lora_options opt;
    const struct kernels *k;
    uint64_t steps;
    double flops;

    struct adapter_place *adapters;
    size_t adapter_count;
    double *squares; /* of the gradient, an adapter each */

    size_t memory_bytes;
    float *base;                      /* the matrices as they were; the rest lies behind */
    float *whole;                     /* gradient of all of the model's weights */
    float *values, *gradient, *m, *v; /* count each */
    size_t count, gradient_count;

    struct step_sums pending; /* added since the last update */
    struct adamw_step step_now;
};

#endif /* WINNOW_TRAIN_LORA_INTERNAL_H */
