/* line_backward.c -- gradients of a window, from what line_forward() left.
 *
 * dX of a step is written over dX of the next one in p->dx; gates become their
 * own gradients in place. */
#include "lines/line_model_internal.h"

#include <math.h>

/* dx (+)= dy w */
static void multiply_back(struct line_pass *p, const struct line_matrix *w, const float *dy,
                          size_t rows, float *dx)
{
    const struct gemm *g = &p->m->gemm;
    gemm_pack_a_rows(g, p->pack_a, &(struct pack_source){dy, w->out, rows, w->out});
    gemm_run(g, (struct gemm_shape){rows, w->in, w->out}, p->pack_a, w->backward,
             &(struct gemm_out){.c = dx, .stride = w->in});
}

/* dw += dy' x */
static void gradient(struct line_pass *p, const struct line_matrix *w, const float *dy,
                     const float *x, size_t rows, float *grads)
{
    const struct gemm *g = &p->m->gemm;
    gemm_pack_a_cols(g, p->pack_a, &(struct pack_source){dy, w->out, rows, w->out});
    gemm_pack_b_cols(g, p->pack_b, &(struct pack_source){x, w->in, rows, w->in});
    gemm_run(g, (struct gemm_shape){w->out, w->in, rows}, p->pack_a, p->pack_b,
             &(struct gemm_out){.c = grads + w->at, .stride = w->in, .add = true});
}

/* The gradient through a norm of x into p->dx, beside what goes past it. */
static void norm_back(struct line_pass *p, const float *x, const float *r, size_t norm,
                      float *grads)
{
    const struct line_model *m = p->m;
    size_t d = m->c.dim;
    for (size_t t = 0; t <= p->n; t++) {
        const struct norm_back step = {.dx = p->dx + t * d,
                                       .dw = grads + norm,
                                       .base = p->dx + t * d,
                                       .dy = p->drows + t * d,
                                       .x = x + t * d,
                                       .w = line_at(m, norm),
                                       .r = r[t]};
        m->gemm.k->rmsnorm_back(&step, d);
    }
}

static void norm_again(struct line_pass *p, const float *x, const float *r, size_t norm)
{
    size_t d = p->m->c.dim;
    for (size_t t = 0; t <= p->n; t++) {
        p->m->gemm.k->rmsnorm_again(p->rows + t * d, x + t * d, line_at(p->m, norm), d, r[t]);
    }
}

static void feed_forward_back(struct line_pass *p, uint32_t index, float *grads)
{
    const struct line_layer *w = &p->m->layers[index];
    struct line_layer_pass *l = &p->layers[index];
    size_t f = p->m->c.ffn, rows = p->n + 1U;
    multiply_back(p, &w->down, p->dx, rows, p->drows);
    for (size_t t = 0; t < rows; t++) {
        float *g = l->gates + t * 2 * f;
        p->m->gemm.k->swiglu_back(p->rows + t * f, g, g + f, p->drows + t * f, f);
    }
    gradient(p, &w->down, p->dx, p->rows, rows, grads);
    multiply_back(p, &w->up, l->gates, rows, p->drows);
    norm_again(p, l->x_mid, l->r2, w->norm2);
    gradient(p, &w->up, l->gates, p->rows, rows, grads);
    norm_back(p, l->x_mid, l->r2, w->norm2, grads);
}

/* One head: p->drows holds the gradient of mixed; into p->dwide (T x 3d). */
static void head_back(struct line_pass *p, const struct line_layer_pass *l, size_t head)
{
    const struct line_model *m = p->m;
    const struct gemm *g = &m->gemm;
    size_t d = m->c.dim, hd = m->c.head_dim, rows = p->n + 1U;
    const float *q = l->qkv + head * hd, *probs = l->probs + head * rows * rows;
    const float *dmixed = p->drows + head * hd;
    float *dq = p->dwide + head * hd;
    const struct gemm_shape tall = {rows, hd, rows};
    const struct pack_source by_rows = {dmixed, d, rows, hd};
    gemm_pack_a_cols(g, p->pack_a, &(struct pack_source){probs, rows, rows, rows});
    gemm_pack_b_cols(g, p->pack_b, &by_rows);
    gemm_run(g, tall, p->pack_a, p->pack_b, &(struct gemm_out){.c = dq + 2 * d, .stride = 3 * d});
    gemm_pack_a_rows(g, p->pack_a, &by_rows);
    gemm_pack_b_rows(g, p->pack_b, &(struct pack_source){q + 2 * d, 3 * d, rows, hd});
    gemm_run(g, (struct gemm_shape){rows, rows, hd}, p->pack_a, p->pack_b,
             &(struct gemm_out){.c = p->dprobs, .stride = rows});
    float scale = 1.0F / sqrtf((float)hd);
    for (size_t t = 0; t < rows; t++) {
        float *ds = p->dprobs + t * rows;
        const float *row = probs + t * rows;
        float delta = g->k->dot(ds, row, rows);
        for (size_t j = 0; j < rows; j++) {
            ds[j] = row[j] * (ds[j] - delta) * scale;
        }
    }
    const struct pack_source ds = {p->dprobs, rows, rows, rows};
    gemm_pack_a_rows(g, p->pack_a, &ds);
    gemm_pack_b_cols(g, p->pack_b, &(struct pack_source){q + d, 3 * d, rows, hd});
    gemm_run(g, tall, p->pack_a, p->pack_b, &(struct gemm_out){.c = dq, .stride = 3 * d});
    gemm_pack_a_cols(g, p->pack_a, &ds);
    gemm_pack_b_cols(g, p->pack_b, &(struct pack_source){q, 3 * d, rows, hd});
    gemm_run(g, tall, p->pack_a, p->pack_b, &(struct gemm_out){.c = dq + d, .stride = 3 * d});
}

static void attention_back(struct line_pass *p, uint32_t index, float *grads)
{
    const struct line_model *m = p->m;
    const struct line_layer *w = &m->layers[index];
    struct line_layer_pass *l = &p->layers[index];
    size_t d = m->c.dim, hd = m->c.head_dim, half = hd / 2, rows = p->n + 1U;
    multiply_back(p, &w->out, p->dx, rows, p->drows);
    gradient(p, &w->out, p->dx, l->mixed, rows, grads);
    for (size_t h = 0; h < m->heads; h++) {
        head_back(p, l, h);
    }
    for (size_t t = 0; t < rows; t++) {
        for (size_t h = 0; h < 2 * (size_t)m->heads; h++) {
            m->gemm.k->rope_back(p->dwide + t * 3 * d + h * hd, m->rope_cos + t * half,
                                 m->rope_sin + t * half, half);
        }
    }
    norm_again(p, l->x_in, l->r1, w->norm1);
    gradient(p, &w->qkv, p->dwide, p->rows, rows, grads);
    multiply_back(p, &w->qkv, p->dwide, rows, p->drows);
    norm_back(p, l->x_in, l->r1, w->norm1, grads);
}

static void head_layer_back(struct line_pass *p, const float *dlogits, float *grads)
{
    const struct line_model *m = p->m;
    const struct kernels *k = m->gemm.k;
    size_t d = m->c.dim, rows = p->n + 1U;
    norm_again(p, p->x_out, p->r, m->norm);
    memset(p->dx, 0, rows * d * sizeof(float));
    memset(p->drows, 0, rows * d * sizeof(float));
    for (size_t i = 0; i < p->n; i++) {
        k->axpy(grads + m->head, dlogits[i], p->rows + (i + 1) * d, d);
        k->axpy(p->drows + (i + 1) * d, dlogits[i], line_at(m, m->head), d);
        grads[m->bias] += dlogits[i];
    }
    norm_back(p, p->x_out, p->r, m->norm, grads);
}

/* From p->dx, the gradient of the first layer's input, to p->de. */
static void taps_back(struct line_pass *p, float *grads)
{
    const struct line_model *m = p->m;
    const struct kernels *k = m->gemm.k;
    size_t d = m->c.dim, n = p->n;
    const float *taps = line_at(m, m->taps);
    k->add(grads + m->page, p->dx, d);
    gradient(p, &m->page_in, p->dx, p->mean, 1, grads);
    multiply_back(p, &m->page_in, p->dx, 1, p->drows); /* of the mean */
    for (size_t i = 0; i < n; i++) {
        float *de = p->de + i * d;
        memcpy(de, p->dx + (i + 1) * d, d * sizeof(float));
        k->axpy(de, 1.0F / (float)n, p->drows, d);
    }
    for (size_t i = 0; i < n; i++) {
        for (size_t t = 0; t < LINE_TAPS; t++) {
            if (i + t < LINE_TAPS / 2 || i + t - LINE_TAPS / 2 >= n) {
                continue;
            }
            size_t from = i + t - LINE_TAPS / 2;
            const float *dx = p->dx + (i + 1) * d, *e = p->e + from * d, *tap = taps + t * d;
            float *de = p->de + from * d, *dtap = grads + m->taps + t * d;
            for (size_t j = 0; j < d; j++) {
                de[j] += tap[j] * dx[j];
                dtap[j] += e[j] * dx[j];
            }
        }
    }
}

static void encoder_back(struct line_pass *p, float *grads, float *dz)
{
    const struct line_model *m = p->m;
    size_t h = m->c.hidden, n = p->n, sums = (size_t)LINE_GROUPS * m->c.embed;
    multiply_back(p, &m->encoder_out, p->de, n, p->drows);
    for (size_t i = 0; i < n; i++) {
        float *g = p->gates + i * 2 * h;
        m->gemm.k->swiglu_back(p->rows + i * h, g, g + h, p->drows + i * h, h);
    }
    gradient(p, &m->encoder_out, p->de, p->rows, n, grads);
    gradient(p, &m->encoder_in, p->gates, p->z, n, grads);
    multiply_back(p, &m->encoder_in, p->gates, n, p->dz);
    for (size_t i = 0; i < n; i++) {
        memcpy(dz + i * sums, p->dz + i * m->columns, sums * sizeof(float));
    }
}

void line_backward(struct line_pass *p, const float *dlogits, float *grads, float *dz)
{
    head_layer_back(p, dlogits, grads);
    for (uint32_t i = p->m->c.layers; i-- > 0;) {
        feed_forward_back(p, i, grads);
        attention_back(p, i, grads);
    }
    taps_back(p, grads);
    encoder_back(p, grads, dz);
}
