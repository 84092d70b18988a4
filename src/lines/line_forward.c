/* line_forward.c -- verdicts of a window's lines.
 *
 * One thread, one window: n lines, T = n + 1 rows.  Attention takes whole
 * matrices of T x T probabilities, which are at most 513 x 513 a head. */
#include "base/mem.h"
#include "lines/line_model_internal.h"

#include <assert.h>
#include <math.h>

static float *floats(size_t rows, size_t cols)
{
    return mem_alloc(rows * cols * sizeof(float));
}

static uint32_t larger(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

/* In training every layer keeps its own; otherwise all share the first one's. */
static void alloc_layer(struct line_pass *p, uint32_t i, bool training)
{
    const struct line_config *c = &p->m->c;
    struct line_layer_pass *l = &p->layers[i];
    if (i > 0 && !training) {
        *l = p->layers[0];
        return;
    }
    l->x_in = floats(LINE_ROWS_MAX, c->dim);
    l->x_mid = floats(LINE_ROWS_MAX, c->dim);
    l->r1 = floats(LINE_ROWS_MAX, 1);
    l->r2 = floats(LINE_ROWS_MAX, 1);
    l->qkv = floats(LINE_ROWS_MAX, (size_t)3 * c->dim);
    l->probs = floats((size_t)p->m->heads * LINE_ROWS_MAX, LINE_ROWS_MAX);
    l->mixed = floats(LINE_ROWS_MAX, c->dim);
    l->gates = floats(LINE_ROWS_MAX, (size_t)2 * c->ffn);
}

static void free_layer(struct line_layer_pass *l)
{
    mem_free(l->x_in);
    mem_free(l->x_mid);
    mem_free(l->r1);
    mem_free(l->r2);
    mem_free(l->qkv);
    mem_free(l->probs);
    mem_free(l->mixed);
    mem_free(l->gates);
}

struct line_pass *line_pass_new_for(const struct line_model *m, bool training)
{
    const struct line_config *c = &m->c;
    struct line_pass *p = mem_zalloc(sizeof *p);
    p->m = m;
    p->z = floats(LINE_WINDOW, m->columns);
    p->gates = floats(LINE_WINDOW, (size_t)2 * c->hidden);
    p->hidden = floats(LINE_WINDOW, c->hidden);
    p->e = floats(LINE_WINDOW, c->dim);
    p->mean = floats(1, c->dim);
    for (uint32_t i = 0; i < c->layers; i++) {
        alloc_layer(p, i, training);
    }
    p->x_out = floats(LINE_ROWS_MAX, c->dim);
    p->r = floats(LINE_ROWS_MAX, 1);
    uint32_t wide = larger(larger(3 * c->dim, 2 * c->ffn), larger(2 * c->hidden, m->columns));
    p->rows = floats(LINE_ROWS_MAX, larger(c->dim, larger(c->ffn, c->hidden)));
    p->wide = floats(LINE_ROWS_MAX, wide);
    uint32_t edge = larger(LINE_ROWS_MAX, wide);
    p->pack_a = mem_alloc(gemm_size_a(&m->gemm, edge, edge));
    p->pack_b = mem_alloc(gemm_size_b(&m->gemm, edge, edge));
    if (training) {
        p->dx = floats(LINE_ROWS_MAX, c->dim);
        p->drows = floats(LINE_ROWS_MAX, larger(c->dim, larger(c->ffn, c->hidden)));
        p->dwide = floats(LINE_ROWS_MAX, wide);
        p->de = floats(LINE_WINDOW, c->dim);
        p->dprobs = floats(LINE_ROWS_MAX, LINE_ROWS_MAX);
        p->dz = floats(LINE_WINDOW, m->columns);
    }
    return p;
}

struct line_pass *line_pass_new(const struct line_model *m)
{
    return line_pass_new_for(m, false);
}

void line_pass_free(struct line_pass *p)
{
    if (!p) {
        return;
    }
    for (uint32_t i = 0; i < p->m->c.layers && (i == 0 || p->dx); i++) {
        free_layer(&p->layers[i]);
    }
    float *const all[] = {p->z,    p->gates, p->hidden, p->e,     p->mean, p->x_out,  p->r, p->rows,
                          p->wide, p->dx,    p->drows,  p->dwide, p->de,   p->dprobs, p->dz};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        mem_free(all[i]);
    }
    mem_free(p->pack_a);
    mem_free(p->pack_b);
    mem_free(p);
}

void line_multiply(struct line_pass *p, const struct line_matrix *w, const float *x, size_t rows,
                   float *y, bool add)
{
    const struct gemm *g = &p->m->gemm;
    gemm_pack_a_rows(g, p->pack_a, &(struct pack_source){x, w->in, rows, w->in});
    gemm_run(g, (struct gemm_shape){rows, w->out, w->in}, p->pack_a, w->forward,
             &(struct gemm_out){.c = y, .stride = w->out, .add = add});
}

float line_group_scale(uint32_t tokens)
{
    return tokens > 0 ? 1.0F / sqrtf((float)tokens) : 0.0F;
}

/* z of each line: the groups' sums, then the dense features, then the structure's. */
static void gather(struct line_pass *p, const struct line_features *f, size_t from)
{
    const struct line_model *m = p->m;
    uint32_t embed = m->c.embed;
    for (size_t i = 0; i < p->n; i++) {
        float *z = p->z + i * m->columns;
        const uint32_t *ends = f->ends + (from + i) * LINE_GROUPS;
        uint32_t at = from + i > 0 ? ends[-1] : 0; /* where the line before ends */
        for (uint32_t g = 0; g < LINE_GROUPS; g++, z += embed) {
            memset(z, 0, embed * sizeof *z);
            float scale = line_group_scale(ends[g] - at);
            for (; at < ends[g]; at++) {
                m->gemm.k->axpy(z, scale, m->table + (size_t)f->tokens[at] * embed, embed);
            }
        }
        memcpy(z, f->dense + (from + i) * LINE_DENSE, LINE_DENSE * sizeof *z);
        z += LINE_DENSE;
        if (f->structure) {
            memcpy(z, f->structure + (from + i) * LINE_STRUCTURE, LINE_STRUCTURE * sizeof *z);
        } else {
            memset(z, 0, LINE_STRUCTURE * sizeof *z);
        }
    }
}

/* e of each line, and x of the first layer from it.  Row 0 of x is the page: the mean
 * of its lines, so that each line sees in one step what kind of page it is on.  A line
 * gets a weighted part of its LINE_TAPS neighbours (a convolution over lines), which
 * tells a list from a paragraph before attention begins. */
static void encode(struct line_pass *p, float *x)
{
    const struct line_model *m = p->m;
    const struct kernels *k = m->gemm.k;
    size_t d = m->c.dim, h = m->c.hidden, n = p->n;
    line_multiply(p, &m->encoder_in, p->z, n, p->gates, false);
    for (size_t i = 0; i < n; i++) {
        const float *g = p->gates + i * 2 * h;
        k->swiglu(p->hidden + i * h, g, g + h, h);
    }
    line_multiply(p, &m->encoder_out, p->hidden, n, p->e, false);
    memset(p->mean, 0, d * sizeof(float));
    for (size_t i = 0; i < n; i++) {
        k->axpy(p->mean, 1.0F / (float)n, p->e + i * d, d);
    }
    line_multiply(p, &m->page_in, p->mean, 1, x, false);
    k->add(x, line_at(m, m->page), d);
    const float *taps = line_at(m, m->taps);
    for (size_t i = 0; i < n; i++) {
        float *row = x + (i + 1) * d;
        memcpy(row, p->e + i * d, d * sizeof(float));
        for (size_t t = 0; t < LINE_TAPS; t++) {
            if (i + t < LINE_TAPS / 2 || i + t - LINE_TAPS / 2 >= n) {
                continue;
            }
            const float *e = p->e + (i + t - LINE_TAPS / 2) * d, *tap = taps + t * d;
            for (size_t j = 0; j < d; j++) {
                row[j] += tap[j] * e[j];
            }
        }
    }
}

/* Rows of s become exp(scale * s) over their sum. */
static void softmax_rows(const struct kernels *k, float *s, size_t n, float scale)
{
    for (size_t i = 0; i < n; i++, s += n) {
        k->scale(s, scale, n);
        float top = k->max(s, n);
        k->exp_scale(s, n, top, 1.0F / k->sum_exp(s, n, top));
    }
}

static void attend(struct line_pass *p, struct line_layer_pass *l)
{
    const struct line_model *m = p->m;
    const struct gemm *g = &m->gemm;
    size_t d = m->c.dim, hd = m->c.head_dim, rows = p->n + 1U, half = hd / 2;
    for (size_t t = 0; t < rows; t++) {
        for (size_t h = 0; h < 2 * (size_t)m->heads; h++) { /* queries and keys */
            g->k->rope(l->qkv + t * 3 * d + h * hd, m->rope_cos + t * half, m->rope_sin + t * half,
                       half);
        }
    }
    for (size_t h = 0; h < m->heads; h++) {
        const float *q = l->qkv + h * hd;
        float *probs = l->probs + h * rows * rows;
        gemm_pack_a_rows(g, p->pack_a, &(struct pack_source){q, 3 * d, rows, hd});
        gemm_pack_b_rows(g, p->pack_b, &(struct pack_source){q + d, 3 * d, rows, hd});
        gemm_run(g, (struct gemm_shape){rows, rows, hd}, p->pack_a, p->pack_b,
                 &(struct gemm_out){.c = probs, .stride = rows});
        softmax_rows(g->k, probs, rows, 1.0F / sqrtf((float)hd));
        gemm_pack_a_rows(g, p->pack_a, &(struct pack_source){probs, rows, rows, rows});
        gemm_pack_b_cols(g, p->pack_b, &(struct pack_source){q + 2 * d, 3 * d, rows, hd});
        gemm_run(g, (struct gemm_shape){rows, hd, rows}, p->pack_a, p->pack_b,
                 &(struct gemm_out){.c = l->mixed + h * hd, .stride = d});
    }
}

static void layer_forward(struct line_pass *p, uint32_t index, float *x_next)
{
    const struct line_model *m = p->m;
    const struct line_layer *w = &m->layers[index];
    const struct kernels *k = m->gemm.k;
    struct line_layer_pass *l = &p->layers[index];
    size_t d = m->c.dim, f = m->c.ffn, rows = p->n + 1U;
    for (size_t t = 0; t < rows; t++) {
        l->r1[t] =
            k->rmsnorm(p->rows + t * d, l->x_in + t * d, line_at(m, w->norm1), d, LINE_NORM_EPS);
    }
    line_multiply(p, &w->qkv, p->rows, rows, l->qkv, false);
    attend(p, l);
    memcpy(l->x_mid, l->x_in, rows * d * sizeof(float));
    line_multiply(p, &w->out, l->mixed, rows, l->x_mid, true);
    for (size_t t = 0; t < rows; t++) {
        l->r2[t] =
            k->rmsnorm(p->rows + t * d, l->x_mid + t * d, line_at(m, w->norm2), d, LINE_NORM_EPS);
    }
    line_multiply(p, &w->up, p->rows, rows, l->gates, false);
    for (size_t t = 0; t < rows; t++) {
        const float *g = l->gates + t * 2 * f;
        k->swiglu(p->rows + t * f, g, g + f, f);
    }
    memcpy(x_next, l->x_mid, rows * d * sizeof(float));
    line_multiply(p, &w->down, p->rows, rows, x_next, true);
}

void line_forward(struct line_pass *p, const struct line_features *f, size_t from, size_t n,
                  float *logits)
{
    const struct line_model *m = p->m;
    assert(n > 0 && n <= LINE_WINDOW && from + n <= f->count);
    p->n = (uint32_t)n;
    gather(p, f, from);
    encode(p, p->layers[0].x_in);
    for (uint32_t i = 0; i < m->c.layers; i++) {
        bool last = i + 1 == m->c.layers;
        layer_forward(p, i, last ? p->x_out : p->layers[i + 1].x_in);
    }
    size_t d = m->c.dim;
    for (size_t t = 0; t <= n; t++) {
        p->r[t] =
            m->gemm.k->rmsnorm(p->rows, p->x_out + t * d, line_at(m, m->norm), d, LINE_NORM_EPS);
        if (t > 0) {
            logits[t - 1] = m->gemm.k->dot(p->rows, line_at(m, m->head), d) + *line_at(m, m->bias);
        }
    }
}

/* Long parts are read in windows that overlap, of which the lines in the middle count:
 *
 *     |<- margin ->|<---------- own --------->|<- margin ->|
 *                                  |<- margin ->|<---------- own ...
 *
 * so every line is judged with at least LINE_MARGIN lines on both sides, where there
 * are so many. */
bool line_window_at(size_t lines, size_t index, struct line_window *out)
{
    const size_t stride = LINE_WINDOW - 2 * LINE_MARGIN;
    size_t from = index * stride;
    if (index == 0 ? lines == 0 : from + 2 * LINE_MARGIN >= lines) {
        return false;
    }
    size_t end = from + LINE_WINDOW < lines ? from + LINE_WINDOW : lines;
    out->from = from;
    out->count = end - from;
    out->own_from = index == 0 ? 0 : from + LINE_MARGIN;
    out->own_to = end == lines ? lines : end - LINE_MARGIN;
    return true;
}

void line_pass_run(struct line_pass *p, const struct line_features *f, float *logits)
{
    float window[LINE_WINDOW];
    struct line_window w;
    for (size_t i = 0; line_window_at(f->count, i, &w); i++) {
        line_forward(p, f, w.from, w.count, window);
        memcpy(logits + w.own_from, window + (w.own_from - w.from),
               (w.own_to - w.own_from) * sizeof(float));
    }
}
