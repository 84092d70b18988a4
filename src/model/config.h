/* config.h -- the shape of a Llama-family model. */
#ifndef WINNOW_MODEL_CONFIG_H
#define WINNOW_MODEL_CONFIG_H

#include "base/error.h"

#define MODEL_NO_TOKEN UINT32_MAX

enum rope_scaling {
    ROPE_PLAIN,
    ROPE_LINEAR, /* positions divided by rope_factor */
    ROPE_LLAMA3, /* long wavelengths divided by rope_factor, with a smooth passage */
};

struct model_config {
    uint32_t vocab;
    uint32_t dim;
    uint32_t layers;
    uint32_t heads;
    uint32_t kv_heads; /* heads is a multiple of it */
    uint32_t head_dim; /* even, at most MODEL_HEAD_DIM_MAX */
    uint32_t ffn;
    uint32_t context;  /* the longest sequence it was made for */
    uint32_t bos, eos; /* MODEL_NO_TOKEN: none */

    double norm_eps;
    double rope_base;
    enum rope_scaling rope_scaling;
    double rope_factor;         /* ROPE_LINEAR, ROPE_LLAMA3 */
    double rope_low, rope_high; /* ROPE_LLAMA3: low_freq_factor, high_freq_factor */
    uint32_t rope_context;      /* ROPE_LLAMA3: original_max_position_embeddings */

    bool tied;     /* the head is the embedding */
    bool qkv_bias; /* on q, k and v (Qwen2, or attention_bias) */
    bool out_bias; /* on o_proj (attention_bias) */
    bool mlp_bias; /* on gate, up and down */
};

#define MODEL_HEAD_DIM_MAX 256U

#define MODEL_CONFIG_INIT                                                                         \
    {                                                                                             \
        .context = 2048, .bos = MODEL_NO_TOKEN, .eos = MODEL_NO_TOKEN, .norm_eps = 1e-5,          \
        .rope_base = 10000.0, .rope_factor = 1.0, .rope_low = 1.0, .rope_high = 4.0, .tied = true \
    }

/* WINNOW_E_FORMAT with what is wrong: zero sizes, heads that do not divide,
 * sizes whose product passes what a file or memory could hold. */
winnow_status model_config_check(const struct model_config *c, struct winnow_error *err);

/* Numbers in all tensors; without the embedding (and untied head) those that a
 * token is multiplied with. */
uint64_t model_config_parameters(const struct model_config *c);
uint64_t model_config_parameters_hidden(const struct model_config *c);

/* Floating-point operations of one forward pass over a sequence of n tokens,
 * head included, counting 2 a multiply-add and causal attention as the half
 * square it is.  A training step costs three times as much. */
double model_config_flops(const struct model_config *c, uint64_t n);

#endif /* WINNOW_MODEL_CONFIG_H */
