/* model.c -- the tensor table and the memory behind it.
 *
 * The table is the only list of tensors: readers, writers, gradients, optimizer
 * and checkpoints walk it.  q, k and v follow each other without a gap, and so
 * do gate and up and their biases, because the engine multiplies each such
 * group as one matrix.
 */
#include "model/model.h"

#include "base/hash.h"
#include "base/mem.h"
#include "base/rng.h"
#include "base/round.h"
#include "model/model_internal.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>

#define ALIGN 16U /* numbers */

/* What each role is called; the %s of a layer tensor's prefix is added. */
static const char *const ROLE_NAMES[TENSOR_ROLES] = {
    [TENSOR_EMBED] = "model.embed_tokens.weight",
    [TENSOR_NORM1] = "input_layernorm.weight",
    [TENSOR_Q] = "self_attn.q_proj.weight",
    [TENSOR_K] = "self_attn.k_proj.weight",
    [TENSOR_V] = "self_attn.v_proj.weight",
    [TENSOR_Q_BIAS] = "self_attn.q_proj.bias",
    [TENSOR_K_BIAS] = "self_attn.k_proj.bias",
    [TENSOR_V_BIAS] = "self_attn.v_proj.bias",
    [TENSOR_O] = "self_attn.o_proj.weight",
    [TENSOR_O_BIAS] = "self_attn.o_proj.bias",
    [TENSOR_NORM2] = "post_attention_layernorm.weight",
    [TENSOR_GATE] = "mlp.gate_proj.weight",
    [TENSOR_UP] = "mlp.up_proj.weight",
    [TENSOR_GATE_BIAS] = "mlp.gate_proj.bias",
    [TENSOR_UP_BIAS] = "mlp.up_proj.bias",
    [TENSOR_DOWN] = "mlp.down_proj.weight",
    [TENSOR_DOWN_BIAS] = "mlp.down_proj.bias",
    [TENSOR_NORM] = "model.norm.weight",
    [TENSOR_HEAD] = "lm_head.weight",
};

struct shape {
    uint32_t rows, cols; /* rows 0: the model has no such tensor; cols 1: a vector */
};

static struct shape role_shape(const struct model_config *c, enum tensor_role role)
{
    uint32_t q = c->heads * c->head_dim, kv = c->kv_heads * c->head_dim;
    switch (role) {
    case TENSOR_EMBED:
        return (struct shape){c->vocab, c->dim};
    case TENSOR_HEAD:
        return (struct shape){c->tied ? 0 : c->vocab, c->dim};
    case TENSOR_NORM1:
    case TENSOR_NORM2:
    case TENSOR_NORM:
        return (struct shape){c->dim, 1};
    case TENSOR_Q:
        return (struct shape){q, c->dim};
    case TENSOR_K:
    case TENSOR_V:
        return (struct shape){kv, c->dim};
    case TENSOR_Q_BIAS:
        return (struct shape){c->qkv_bias ? q : 0, 1};
    case TENSOR_K_BIAS:
    case TENSOR_V_BIAS:
        return (struct shape){c->qkv_bias ? kv : 0, 1};
    case TENSOR_O:
        return (struct shape){c->dim, q};
    case TENSOR_O_BIAS:
        return (struct shape){c->out_bias ? c->dim : 0, 1};
    case TENSOR_GATE:
    case TENSOR_UP:
        return (struct shape){c->ffn, c->dim};
    case TENSOR_GATE_BIAS:
    case TENSOR_UP_BIAS:
        return (struct shape){c->mlp_bias ? c->ffn : 0, 1};
    case TENSOR_DOWN:
        return (struct shape){c->dim, c->ffn};
    case TENSOR_DOWN_BIAS:
        return (struct shape){c->mlp_bias ? c->dim : 0, 1};
    case TENSOR_ROLES:
        break;
    }
    return (struct shape){0, 0};
}

bool tensor_role_is_hidden(enum tensor_role role)
{
    switch (role) {
    case TENSOR_Q:
    case TENSOR_K:
    case TENSOR_V:
    case TENSOR_O:
    case TENSOR_GATE:
    case TENSOR_UP:
    case TENSOR_DOWN:
        return true;
    default:
        return false;
    }
}

static bool role_is_vector(enum tensor_role role)
{
    return role != TENSOR_EMBED && role != TENSOR_HEAD && !tensor_role_is_hidden(role);
}

/* Whether the tensor continues the one before it as further rows of one matrix. */
static bool continues_group(enum tensor_role role)
{
    return role == TENSOR_K || role == TENSOR_V || role == TENSOR_UP || role == TENSOR_K_BIAS ||
           role == TENSOR_V_BIAS || role == TENSOR_UP_BIAS;
}

/* Adds the tensor of that role, unless the model has none. */
static void add_tensor(struct model *m, enum tensor_role role, uint32_t layer)
{
    struct shape shape = role_shape(&m->config, role);
    if (shape.rows == 0) {
        return;
    }
    if (!continues_group(role)) {
        m->values_count = round_up(m->values_count, ALIGN);
    }
    struct model_tensor *t = &m->tensors[m->tensor_count++];
    *t = (struct model_tensor){.role = role,
                               .layer = layer,
                               .rows = shape.rows,
                               .cols = shape.cols,
                               .vector = role_is_vector(role),
                               .offset = m->values_count};
    if (role == TENSOR_EMBED || role >= TENSOR_NORM) {
        (void)snprintf(t->name, sizeof t->name, "%s", ROLE_NAMES[role]);
    } else {
        (void)snprintf(t->name, sizeof t->name, "model.layers.%u.%s", layer, ROLE_NAMES[role]);
    }
    m->values_count += (size_t)shape.rows * shape.cols;
}

static void fill_table(struct model *m)
{
    add_tensor(m, TENSOR_EMBED, 0);
    for (uint32_t layer = 0; layer < m->config.layers; layer++) {
        for (enum tensor_role role = TENSOR_NORM1; role < TENSOR_NORM; role++) {
            add_tensor(m, role, layer);
        }
    }
    add_tensor(m, TENSOR_NORM, 0);
    add_tensor(m, TENSOR_HEAD, 0);
}

winnow_status model_new_table(const struct model_config *config, struct model **out,
                              struct winnow_error *err)
{
    TRY(model_config_check(config, err));
    struct model *m = mem_zalloc(sizeof *m);
    m->config = *config;
    m->tensors = mem_zalloc((3 + (size_t)config->layers * (TENSOR_NORM - TENSOR_NORM1)) *
                            sizeof *m->tensors);
    fill_table(m);
    *out = m;
    return WINNOW_OK;
}

float *model_try_values(const struct model *m, struct winnow_error *err)
{
    float *values = m->values_count > SIZE_MAX / 8
                        ? NULL
                        : mem_try_alloc_huge(m->values_count * sizeof *m->values);
    if (!values) {
        (void)error_set(err, WINNOW_E_NOMEM, "model: no memory for weights of %zu MiB",
                        m->values_count / ((size_t)1 << 18));
    }
    return values;
}

winnow_status model_new(const struct model_config *config, struct model **out,
                        struct winnow_error *err)
{
    struct model *m = NULL;
    TRY(model_new_table(config, &m, err));
    m->values = model_try_values(m, err);
    if (!m->values) {
        model_free(m);
        return WINNOW_E_NOMEM;
    }
    *out = m;
    return WINNOW_OK;
}

void model_free(struct model *m)
{
    if (!m) {
        return;
    }
    model_release_file(m);
    mem_free_huge(m->values, m->values_count * sizeof *m->values);
    mem_free(m->tensors);
    mem_free(m);
}

static void init_matrix(float *w, size_t n, double deviation, struct rng *r)
{
    for (size_t i = 0; i < n; i++) {
        w[i] = (float)(deviation * rng_normal(r));
    }
}

/* GPT-2's: deviation 0.02, less for what is added to the residual stream, whose variance
 * would grow with the number of layers.  Each tensor has a stream of its own, so that a
 * change of one shape leaves the others as they were. */
void model_init_random(struct model *m, uint64_t seed)
{
    double residual = 1.0 / sqrt(2.0 * m->config.layers);
    for (size_t i = 0; i < m->tensor_count; i++) {
        const struct model_tensor *t = &m->tensors[i];
        float *w = model_data(m, t);
        size_t n = (size_t)t->rows * t->cols;
        struct rng r;
        rng_init(&r, seed, t->name);
        if (!t->vector) {
            bool to_stream = t->role == TENSOR_O || t->role == TENSOR_DOWN;
            init_matrix(w, n, to_stream ? 0.02 * residual : 0.02, &r);
            continue;
        }
        bool norm = t->role == TENSOR_NORM || t->role == TENSOR_NORM1 || t->role == TENSOR_NORM2;
        for (size_t j = 0; j < n; j++) {
            w[j] = norm ? 1.0F : 0.0F;
        }
    }
}

const struct model_config *model_config(const struct model *m)
{
    return &m->config;
}

size_t model_tensor_count(const struct model *m)
{
    return m->tensor_count;
}

const struct model_tensor *model_tensor_at(const struct model *m, size_t i)
{
    assert(i < m->tensor_count);
    return &m->tensors[i];
}

const struct model_tensor *model_find(const struct model *m, struct str name)
{
    for (size_t i = 0; i < m->tensor_count; i++) {
        if (str_is(name, m->tensors[i].name)) {
            return &m->tensors[i];
        }
    }
    return NULL;
}

const struct model_tensor *model_find_role(const struct model *m, enum tensor_role role,
                                           uint32_t layer)
{
    for (size_t i = 0; i < m->tensor_count; i++) {
        if (m->tensors[i].role == role && m->tensors[i].layer == layer) {
            return &m->tensors[i];
        }
    }
    return NULL;
}

float *model_data(struct model *m, const struct model_tensor *t)
{
    return model_values(m) + t->offset;
}

const float *model_data_const(const struct model *m, const struct model_tensor *t)
{
    if (model_in_file(m)) {
        assert(t->vector);
        return m->bound[t - m->tensors].vector;
    }
    return m->values + t->offset;
}

const float *model_rows(const struct model *m, const struct model_tensor *t, size_t first,
                        size_t count, float *spare)
{
    if (model_in_file(m)) {
        model_read_bound(m, t, first, count, spare);
        return spare;
    }
    return m->values + t->offset + first * t->cols;
}

float *model_values(struct model *m)
{
    assert(m->values);
    return m->values;
}

const float *model_values_const(const struct model *m)
{
    assert(m->values);
    return m->values;
}

size_t model_values_count(const struct model *m)
{
    return m->values_count;
}

/* The numbers as they would lie in memory, gaps included. */
static uint64_t hash_numbers(const struct model *m, uint64_t seed)
{
    static const float GAP[ALIGN] = {0};
    struct hash64_stream *h = hash64_stream_new(seed);
    size_t at = 0;
    for (size_t i = 0; i < m->tensor_count; i++) {
        const struct model_tensor *t = &m->tensors[i];
        size_t each = t->vector ? t->rows : 1;
        float *spare = mem_alloc(t->cols * sizeof *spare);
        hash64_stream_add(h, (struct str){(const char *)GAP, (t->offset - at) * sizeof *GAP});
        for (size_t row = 0; row < t->rows; row += each) {
            const float *x = t->vector ? model_data_const(m, t) : model_rows(m, t, row, 1, spare);
            hash64_stream_add(h, (struct str){(const char *)x, each * t->cols * sizeof *x});
        }
        at = t->offset + (size_t)t->rows * t->cols;
        model_rows_done(m, t, 0, t->rows);
        mem_free(spare);
    }
    uint64_t value = hash64_stream_value(h);
    hash64_stream_free(h);
    return value;
}

/* Through the table, not over the struct's bytes, which hold padding. */
uint64_t model_hash(const struct model *m)
{
    const struct model_config *c = &m->config;
    double shape[] = {c->vocab,        c->dim,
                      c->layers,       c->heads,
                      c->kv_heads,     c->head_dim,
                      c->ffn,          c->norm_eps,
                      c->rope_base,    c->rope_factor,
                      c->rope_low,     c->rope_high,
                      c->rope_context, (double)c->rope_scaling,
                      c->tied};
    return hash_numbers(m, hash64((struct str){(const char *)shape, sizeof shape}, 0));
}
