/* small_llama.h -- the shape of a model that trains in no time. */
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

#endif /* WINNOW_TESTS_SMALL_LLAMA_H */
