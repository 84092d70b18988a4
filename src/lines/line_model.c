/* line_model.c -- sizes, layout and memory of a line model.
 *
 * All weights but the n-gram table lie in one array in the order of lay_out(), each
 * tensor from a cache line on: optimizer, checkpoint and file walk the table of
 * tensors and need no list of their own.  Matrices are packed for products after each
 * change; training packs them a second time for the way back. */
#include "lines/line_model.h"

#include "base/mem.h"
#include "base/rng.h"
#include "base/round.h"
#include "lines/line_model_internal.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>

#define ROPE_BASE 1000.0 /* windows are short */

winnow_status line_config_check(const struct line_config *c, struct winnow_error *err)
{
    const struct {
        const char *name;
        uint32_t value, multiple, max;
    } sizes[] = {
        {"rows", c->rows, 16, 1U << 22},         {"embed", c->embed, 16, LINE_DIM_MAX},
        {"hidden", c->hidden, 16, LINE_DIM_MAX}, {"dim", c->dim, 16, LINE_DIM_MAX},
        {"ffn", c->ffn, 16, 4 * LINE_DIM_MAX},   {"layers", c->layers, 1, LINE_LAYERS_MAX},
        {"head_dim", c->head_dim, 16, 256},
    };
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        if (sizes[i].value == 0 || sizes[i].value > sizes[i].max ||
            sizes[i].value % sizes[i].multiple != 0) {
            return error_set(err, WINNOW_E_FORMAT, "%s is %u; it must be a multiple of %u up to %u",
                             sizes[i].name, sizes[i].value, sizes[i].multiple, sizes[i].max);
        }
    }
    if ((c->rows & (c->rows - 1)) != 0 || c->dim % c->head_dim != 0) {
        return error_set(err, WINNOW_E_FORMAT,
                         "rows must be a power of two and dim a multiple of head_dim");
    }
    if (!(c->keep_above >= 0 && c->keep_above <= 1)) {
        return error_set(err, WINNOW_E_FORMAT, "keep_above must be in 0..1");
    }
    const struct line_calibration *k = &c->calibration;
    if (!(k->alone_scale > 0 && k->alone_scale <= 100 && fabs(k->alone_bias) <= 100 &&
          k->tagged_scale > 0 && k->tagged_scale <= 100 && fabs(k->tagged_bias) <= 100 &&
          k->path_share >= 0 && k->path_share <= 1 && k->page_share >= 0 && k->page_share <= 1)) {
        return error_set(err, WINNOW_E_FORMAT,
                         "calibration: scales must be above 0, biases in -100..100, and "
                         "path_share and page_share in 0..1");
    }
    return WINNOW_OK;
}

static size_t add_tensor(struct line_model *m, const char *name, uint32_t rows, uint32_t cols)
{
    assert(m->tensor_count < LINE_TENSORS_MAX);
    struct line_tensor *t = &m->tensors[m->tensor_count++];
    (void)snprintf(t->name, sizeof t->name, "%s", name);
    t->at = m->weight_count;
    t->rows = rows;
    t->cols = cols;
    t->decays = rows > LINE_TAPS; /* matrices; vectors neither decay nor start at random */
    m->weight_count += round_up((size_t)rows * cols, 16);
    return t->at;
}

static struct line_matrix add_matrix(struct line_model *m, const char *name, uint32_t out,
                                     uint32_t in)
{
    return (struct line_matrix){.at = add_tensor(m, name, out, in), .out = out, .in = in};
}

static void add_layer(struct line_model *m, uint32_t index)
{
    struct line_layer *l = &m->layers[index];
    uint32_t d = m->c.dim;
    char name[32];
    (void)snprintf(name, sizeof name, "layers.%u.norm1", index);
    l->norm1 = add_tensor(m, name, 1, d);
    (void)snprintf(name, sizeof name, "layers.%u.qkv", index);
    l->qkv = add_matrix(m, name, 3 * d, d);
    (void)snprintf(name, sizeof name, "layers.%u.out", index);
    l->out = add_matrix(m, name, d, d);
    (void)snprintf(name, sizeof name, "layers.%u.norm2", index);
    l->norm2 = add_tensor(m, name, 1, d);
    (void)snprintf(name, sizeof name, "layers.%u.up", index);
    l->up = add_matrix(m, name, 2 * m->c.ffn, d);
    (void)snprintf(name, sizeof name, "layers.%u.down", index);
    l->down = add_matrix(m, name, d, m->c.ffn);
}

static void lay_out(struct line_model *m)
{
    uint32_t d = m->c.dim;
    m->encoder_in = add_matrix(m, "encoder.in", 2 * m->c.hidden, m->columns);
    m->encoder_out = add_matrix(m, "encoder.out", d, m->c.hidden);
    m->taps = add_tensor(m, "encoder.taps", LINE_TAPS, d);
    m->page = add_tensor(m, "page.token", 1, d);
    m->page_in = add_matrix(m, "page.in", d, d);
    for (uint32_t i = 0; i < m->c.layers; i++) {
        add_layer(m, i);
    }
    m->norm = add_tensor(m, "norm", 1, d);
    m->head = add_tensor(m, "head", 1, d);
    m->bias = add_tensor(m, "bias", 1, 1);
}

static void fill_rope(struct line_model *m)
{
    uint32_t half = m->c.head_dim / 2;
    for (uint32_t t = 0; t < LINE_ROWS_MAX; t++) {
        for (uint32_t i = 0; i < half; i++) {
            double angle = t / pow(ROPE_BASE, (double)i / half);
            m->rope_cos[t * half + i] = (float)cos(angle);
            m->rope_sin[t * half + i] = (float)sin(angle);
        }
    }
}

/* Calls each for every matrix. */
static void each_matrix(struct line_model *m,
                        void (*each)(struct line_model *m, struct line_matrix *w))
{
    each(m, &m->encoder_in);
    each(m, &m->encoder_out);
    each(m, &m->page_in);
    for (uint32_t i = 0; i < m->c.layers; i++) {
        each(m, &m->layers[i].qkv);
        each(m, &m->layers[i].out);
        each(m, &m->layers[i].up);
        each(m, &m->layers[i].down);
    }
}

static void alloc_packed(struct line_model *m, struct line_matrix *w)
{
    w->forward = mem_alloc(gemm_size_b(&m->gemm, w->out, w->in));
    if (m->training) {
        w->backward = mem_alloc(gemm_size_b(&m->gemm, w->in, w->out));
    }
}

static void pack_matrix(struct line_model *m, struct line_matrix *w)
{
    const struct pack_source s = {line_at(m, w->at), w->in, w->out, w->in};
    gemm_pack_b_rows(&m->gemm, w->forward, &s);
    if (m->training) {
        gemm_pack_b_cols(&m->gemm, w->backward, &s);
    }
}

static void free_packed(struct line_model *m, struct line_matrix *w)
{
    (void)m;
    mem_free(w->forward);
    mem_free(w->backward);
}

void line_model_pack(struct line_model *m)
{
    each_matrix(m, pack_matrix);
}

winnow_status line_model_layout(const struct line_config *c, const char *kernels, bool training,
                                enum gemm_type type, struct line_model **out,
                                struct winnow_error *err)
{
    TRY(line_config_check(c, err));
    const struct kernels *k = NULL;
    TRY(kernels_pick(kernels, &k, err));
    struct line_model *m = mem_zalloc(sizeof *m);
    m->c = *c;
    m->gemm = (struct gemm){k, type};
    m->columns = LINE_GROUPS * c->embed + LINE_DENSE + LINE_STRUCTURE;
    m->heads = c->dim / c->head_dim;
    m->training = training;
    lay_out(m);
    size_t table = (size_t)c->rows * c->embed * sizeof(float);
    m->weights = mem_try_alloc(m->weight_count * sizeof(float));
    m->table = mem_try_alloc(table);
    if (!m->weights || !m->table) {
        size_t bytes = table + m->weight_count * sizeof(float);
        line_model_free(m);
        return error_set(err, WINNOW_E_NOMEM, "no memory for the %zu bytes of a line model", bytes);
    }
    memset(m->weights, 0, m->weight_count * sizeof(float));
    memset(m->table, 0, table);
    size_t angles = (size_t)LINE_ROWS_MAX * c->head_dim / 2;
    m->rope_cos = mem_alloc(angles * sizeof(float));
    m->rope_sin = mem_alloc(angles * sizeof(float));
    fill_rope(m);
    each_matrix(m, alloc_packed);
    *out = m;
    return WINNOW_OK;
}

static void free_set(struct line_model *m)
{
    if (!m) {
        return;
    }
    each_matrix(m, free_packed);
    mem_free(m->weights);
    mem_free(m->table);
    mem_free(m->rope_cos);
    mem_free(m->rope_sin);
    mem_free(m);
}

void line_model_free(struct line_model *m)
{
    if (m) {
        free_set(m->alone);
    }
    free_set(m);
}

winnow_status line_model_give_alone(struct line_model *m, struct line_model *alone,
                                    struct winnow_error *err)
{
    const struct line_config *a = &m->c, *b = &alone->c;
    if (a->rows != b->rows || a->embed != b->embed || a->hidden != b->hidden || a->dim != b->dim ||
        a->layers != b->layers || a->ffn != b->ffn || a->head_dim != b->head_dim) {
        return error_set(err, WINNOW_E_FORMAT,
                         "the model for lines alone has other sizes (rows, embed, hidden, dim, "
                         "layers, ffn) than this one");
    }
    free_set(m->alone);
    m->alone = alone;
    if (alone->alone) { /* of two sets the one for lines alone */
        m->alone = alone->alone;
        alone->alone = NULL;
        free_set(alone);
    }
    return WINNOW_OK;
}

static void fill_normal(float *w, size_t n, double deviation, struct rng *r)
{
    for (size_t i = 0; i < n; i++) {
        w[i] = (float)(deviation * rng_normal(r));
    }
}

winnow_status line_model_new(const struct line_config *c, uint64_t seed, const char *kernels,
                             bool bf16, struct line_model **out, struct winnow_error *err)
{
    struct line_model *m = NULL;
    TRY(line_model_layout(c, kernels, true, bf16 ? GEMM_BF16 : GEMM_F32, &m, err));
    struct rng r;
    rng_init(&r, seed, "lines.weights");
    for (size_t i = 0; i < m->tensor_count; i++) {
        const struct line_tensor *t = &m->tensors[i];
        if (t->decays) {
            fill_normal(line_at(m, t->at), (size_t)t->rows * t->cols, 1 / sqrt((double)t->cols),
                        &r);
        }
    }
    for (uint32_t i = 0; i < c->layers; i++) { /* what is added to x starts small */
        struct line_layer *l = &m->layers[i];
        float shrink = 1.0F / sqrtf(2.0F * (float)c->layers);
        m->gemm.k->scale(line_at(m, l->out.at), shrink, (size_t)l->out.out * l->out.in);
        m->gemm.k->scale(line_at(m, l->down.at), shrink, (size_t)l->down.out * l->down.in);
        for (uint32_t j = 0; j < c->dim; j++) {
            line_at(m, l->norm1)[j] = 1;
            line_at(m, l->norm2)[j] = 1;
        }
    }
    for (uint32_t j = 0; j < c->dim; j++) {
        line_at(m, m->norm)[j] = 1;
    }
    line_model_pack(m);
    *out = m;
    return WINNOW_OK;
}

const struct line_config *line_model_config(const struct line_model *m)
{
    return &m->c;
}

static size_t set_parameters(const struct line_model *m)
{
    size_t n = (size_t)m->c.rows * m->c.embed;
    for (size_t i = 0; i < m->tensor_count; i++) {
        n += (size_t)m->tensors[i].rows * m->tensors[i].cols;
    }
    return n;
}

/* For a line: two a weight.  Of the table a line adds up a few rows, which is left out. */
double line_model_flops(const struct line_model *m)
{
    return 2.0 * (double)(set_parameters(m) - (size_t)m->c.rows * m->c.embed);
}

size_t line_model_parameters(const struct line_model *m)
{
    return m->alone ? 2 * set_parameters(m) : set_parameters(m);
}
