/* model.h -- a model's weights: named tensors.
 *
 * Weights are f32, the master copy from which an engine makes whatever packed
 * form it computes with.  They lie in memory, in one allocation that training
 * changes; or in the model's file (model_open() in model_file.h), from which an
 * engine that only computes packs them without that copy.
 *
 * Names and shapes are those of HF transformers:
 *
 *     model.embed_tokens.weight                       vocab x dim
 *     model.layers.N.input_layernorm.weight           dim
 *     model.layers.N.self_attn.q_proj.weight          heads * head_dim x dim
 *     model.layers.N.self_attn.k_proj.weight          kv_heads * head_dim x dim
 *     model.layers.N.self_attn.v_proj.weight          kv_heads * head_dim x dim
 *     model.layers.N.self_attn.{q,k,v}_proj.bias      (qkv_bias)
 *     model.layers.N.self_attn.o_proj.weight          dim x heads * head_dim
 *     model.layers.N.self_attn.o_proj.bias            (out_bias)
 *     model.layers.N.post_attention_layernorm.weight  dim
 *     model.layers.N.mlp.gate_proj.weight             ffn x dim
 *     model.layers.N.mlp.up_proj.weight               ffn x dim
 *     model.layers.N.mlp.down_proj.weight             dim x ffn
 *     model.layers.N.mlp.{gate,up,down}_proj.bias     (mlp_bias)
 *     model.norm.weight                               dim
 *     lm_head.weight                                  vocab x dim (only when not tied)
 *
 * A matrix is stored row by row, rows being outputs.  Rotary embedding pairs
 * element i of a head with element i + head_dim / 2 (HF's order; GGUF's Llama
 * files interleave the rows of q and k; model_source.h puts them in this order).
 */
#ifndef WINNOW_MODEL_MODEL_H
#define WINNOW_MODEL_MODEL_H

#include "base/str.h"
#include "model/config.h"

/* What a tensor is; layer tensors come layer by layer in this order. */
enum tensor_role {
    TENSOR_EMBED,
    TENSOR_NORM1,
    TENSOR_Q,
    TENSOR_K,
    TENSOR_V,
    TENSOR_Q_BIAS,
    TENSOR_K_BIAS,
    TENSOR_V_BIAS,
    TENSOR_O,
    TENSOR_O_BIAS,
    TENSOR_NORM2,
    TENSOR_GATE,
    TENSOR_UP,
    TENSOR_GATE_BIAS,
    TENSOR_UP_BIAS,
    TENSOR_DOWN,
    TENSOR_DOWN_BIAS,
    TENSOR_NORM,
    TENSOR_HEAD,
    TENSOR_ROLES
};

/* A matrix of a layer: neither embedding nor head, nor a vector. */
bool tensor_role_is_hidden(enum tensor_role role);

struct model_tensor {
    char name[64];
    enum tensor_role role;
    uint32_t layer;      /* 0 where the role has none */
    uint32_t rows, cols; /* a vector has cols 1 */
    bool vector;         /* one dimension in files; also: no weight decay */
    size_t offset;       /* of its first number among model_values() */
};

struct model;

/* All weights zero.  WINNOW_E_FORMAT for a config that makes no sense,
 * WINNOW_E_NOMEM where it does not fit. */
winnow_status model_new(const struct model_config *config, struct model **out,
                        struct winnow_error *err);
void model_free(struct model *m);

/* Norms 1, biases 0, matrices normal with standard deviation 0.02, those that
 * write to the residual stream (o, down) divided by sqrt(2 layers). */
void model_init_random(struct model *m, uint64_t seed);

const struct model_config *model_config(const struct model *m);

size_t model_tensor_count(const struct model *m);
const struct model_tensor *model_tensor_at(const struct model *m, size_t i);

/* NULL where the model has no such tensor. */
const struct model_tensor *model_find(const struct model *m, struct str name);
const struct model_tensor *model_find_role(const struct model *m, enum tensor_role role,
                                           uint32_t layer);

/* A tensor's numbers: of a model in memory, or of a vector. */
float *model_data(struct model *m, const struct model_tensor *t);
const float *model_data_const(const struct model *m, const struct model_tensor *t);

/* All of it as one array, in the order of the table; gaps of up to 15 numbers
 * between tensors are zero and stay so.  q, k and v of a layer follow each other
 * without a gap, and so do gate and up, and the biases of both.  Gradients and
 * optimizer state have the same layout.  Only of a model in memory. */
float *model_values(struct model *m);
const float *model_values_const(const struct model *m);
size_t model_values_count(const struct model *m);

/* Rows of a matrix, wherever the model lies: a view of its memory, or spare
 * (count * cols numbers), filled from the file.  Behind the last row of q come
 * those of k, then v; behind gate's those of up. */
const float *model_rows(const struct model *m, const struct model_tensor *t, size_t first,
                        size_t count, float *spare);

/* ---- models in their file ---- */

bool model_in_file(const struct model *m);

/* These rows are not needed again soon: their pages need not stay mapped. */
void model_rows_done(const struct model *m, const struct model_tensor *t, size_t first,
                     size_t count);

/* Whether none of these rows of the file holds NaN or infinity, in any order
 * within a head; and the sentence of WINNOW_E_FORMAT, naming the tensor, for who
 * found one that does.  Of a model in memory that was seen to when it was read. */
bool model_rows_finite(const struct model *m, const struct model_tensor *t, size_t first,
                       size_t count);
winnow_status model_check_numbers(const struct model *m, struct winnow_error *err);

/* Reads everything into memory, where it is checked in the same way, and closes
 * the file.  On failure the model is as it was. */
winnow_status model_take_in(struct model *m, struct winnow_error *err);

/* XXH3 over config and weights, for ledgers and resumption. */
uint64_t model_hash(const struct model *m);

#endif /* WINNOW_MODEL_MODEL_H */
