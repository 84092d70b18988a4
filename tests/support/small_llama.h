/* small_llama.h -- shapes of models that are done in no time. */
#ifndef WINNOW_TESTS_SMALL_LLAMA_H
#define WINNOW_TESTS_SMALL_LLAMA_H

#include "model/config.h"

static inline struct model_config small_llama(void)
{
    struct model_config c = MODEL_CONFIG_INIT;
    c.vocab = 64;
    c.dim = 32;
    c.layers = 2;
    c.heads = 2;
    c.kv_heads = 1;
    c.head_dim = 16;
    c.ffn = 48;
    return c;
}

/* Sizes that are multiples of nothing; grouped heads. */
static inline struct model_config odd_llama(void)
{
    struct model_config c = MODEL_CONFIG_INIT;
    c.vocab = 37;
    c.dim = 18;
    c.layers = 2;
    c.heads = 4;
    c.kv_heads = 2;
    c.head_dim = 6;
    c.ffn = 29;
    c.context = 64;
    return c;
}

#endif /* WINNOW_TESTS_SMALL_LLAMA_H */
