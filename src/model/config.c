/* config.c -- which shapes are models, and what they cost.
 *
 * Shapes come from files and options: the bounds here keep every product of them in
 * 64 bits, so no code behind needs to check for overflow.  FLOPs count two for each
 * multiply-add of the products and of attention over the tokens before (n (n + 1) / 2
 * pairs); norms and activations are left out. */
#include "model/config.h"

/* More than any model this engine could serve; keeps all products in 64 bits. */
#define SIZE_LIMIT  (1U << 24)
#define LAYER_LIMIT 4096U

static winnow_status check_size(const char *name, uint32_t value, uint32_t most,
                                struct winnow_error *err)
{
    if (value == 0 || value > most) {
        return error_set(err, WINNOW_E_FORMAT, "model config: %s is %u, not in 1..%u", name, value,
                         most);
    }
    return WINNOW_OK;
}

static winnow_status check_rope(const struct model_config *c, struct winnow_error *err)
{
    if (!(c->rope_base > 1.0 && c->rope_base < 1e12)) {
        return error_set(err, WINNOW_E_FORMAT, "model config: rope base %g makes no sense",
                         c->rope_base);
    }
    if (c->rope_scaling != ROPE_PLAIN && !(c->rope_factor >= 1.0 && c->rope_factor < 1e6)) {
        return error_set(err, WINNOW_E_FORMAT, "model config: rope factor %g makes no sense",
                         c->rope_factor);
    }
    if (c->rope_scaling == ROPE_LLAMA3 &&
        !(c->rope_low > 0.0 && c->rope_high > c->rope_low && c->rope_context > 0)) {
        return error_set(err, WINNOW_E_FORMAT,
                         "model config: llama3 rope scaling needs 0 < low_freq_factor < "
                         "high_freq_factor and an original context");
    }
    return WINNOW_OK;
}

winnow_status model_config_check(const struct model_config *c, struct winnow_error *err)
{
    TRY(check_size("vocab", c->vocab, SIZE_LIMIT, err));
    TRY(check_size("dim", c->dim, SIZE_LIMIT, err));
    TRY(check_size("layers", c->layers, LAYER_LIMIT, err));
    TRY(check_size("heads", c->heads, 1U << 16, err));
    TRY(check_size("kv_heads", c->kv_heads, c->heads, err));
    TRY(check_size("head_dim", c->head_dim, MODEL_HEAD_DIM_MAX, err));
    TRY(check_size("ffn", c->ffn, SIZE_LIMIT, err));
    TRY(check_size("context", c->context, SIZE_LIMIT, err));
    if (c->heads % c->kv_heads != 0) {
        return error_set(err, WINNOW_E_FORMAT,
                         "model config: %u heads cannot share %u key and value heads", c->heads,
                         c->kv_heads);
    }
    if (c->head_dim % 2 != 0) {
        return error_set(err, WINNOW_E_FORMAT, "model config: head_dim %u is odd", c->head_dim);
    }
    if (!(c->norm_eps > 0.0 && c->norm_eps < 1.0)) {
        return error_set(err, WINNOW_E_FORMAT, "model config: norm eps %g makes no sense",
                         c->norm_eps);
    }
    return check_rope(c, err);
}

uint64_t model_config_parameters_hidden(const struct model_config *c)
{
    uint64_t d = c->dim, q = (uint64_t)c->heads * c->head_dim;
    uint64_t kv = (uint64_t)c->kv_heads * c->head_dim, f = c->ffn;
    uint64_t layer = d * (q + 2 * kv) + q * d + 3 * d * f + 2 * d;
    layer += c->qkv_bias ? q + 2 * kv : 0;
    layer += c->out_bias ? d : 0;
    layer += c->mlp_bias ? 2 * f + d : 0;
    return c->layers * layer + d;
}

uint64_t model_config_parameters(const struct model_config *c)
{
    uint64_t table = (uint64_t)c->vocab * c->dim;
    return model_config_parameters_hidden(c) + (c->tied ? table : 2 * table);
}

double model_config_flops(const struct model_config *c, uint64_t n)
{
    double d = c->dim, q = (double)c->heads * c->head_dim, kv = (double)c->kv_heads * c->head_dim;
    double products = c->layers * (d * (q + 2 * kv) + q * d + 3 * d * c->ffn) + d * c->vocab;
    double pairs = (double)n * ((double)n + 1) / 2;
    return 2 * products * (double)n + 4 * q * pairs * c->layers;
}
