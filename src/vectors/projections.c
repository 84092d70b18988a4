/* projections.c -- orthogonal iteration over the gradients of some texts, matrix by matrix. */
#include "vectors/projections.h"

#include "base/arena.h"
#include "base/env.h"
#include "base/mem.h"
#include "base/rng.h"
#include "base/state_file.h"
#include "math/gemm.h"

#include <math.h>
#include <string.h>

#define KIND      "winnowPJ"
#define EPS       1e-10 /* beside square roots of second moments */
#define SIDES_MAX (EXAMPLE_RANK_MAX + PROJECTIONS_SPARE)

void projections_release(struct projections *p)
{
    mem_free(p->values);
    mem_free(p->places);
    *p = (struct projections){0};
}

static winnow_status make(const struct model_config *c, uint32_t rank, struct projections *p,
                          struct winnow_error *err)
{
    *p = (struct projections){.layers = c->layers, .rank = rank};
    p->places = mem_alloc((size_t)c->layers * EXAMPLE_MATRICES * sizeof *p->places);
    for (size_t i = 0; i < (size_t)c->layers * EXAMPLE_MATRICES; i++) {
        struct example_shape s = example_shape(c, (enum example_matrix)(i % EXAMPLE_MATRICES));
        p->places[i] = p->count;
        p->count += (s.inputs + s.outputs) * rank;
    }
    p->values = mem_try_alloc(p->count * sizeof *p->values);
    return p->values ? WINNOW_OK
                     : error_set(err, WINNOW_E_NOMEM, "no memory for projections of %zu MiB",
                                 p->count * sizeof *p->values >> 20);
}

/* ---- fitting ---- */

/* One matrix: its directions so far, and what a pass adds up. */
struct side {
    float *q, *sum; /* [n][width] */
    float *scale;   /* [n] */
    size_t n;
};

struct matrix {
    struct side in, out;
};

struct fitting {
    struct gemm g;
    uint32_t width; /* directions that are iterated */
    struct matrix *matrices;
    size_t count;
    const uint32_t *starts; /* of the texts */
    double *squares;        /* [texts] of the gradient, all matrices together */
    bool measuring;         /* the first pass, in which squares are found on the way */
    float *x, *y;           /* a text's tokens, scaled */
    float *t, *a, *b;       /* [T][width], [widest][width] */
    void *pack_a, *pack_b;
    struct arena *keep;
};

/* out[rows][width] = m[rows][n] q[n][width] */
static void times(const struct fitting *f, const float *m, size_t rows, size_t n, const float *q,
                  float *out)
{
    gemm_pack_a_rows(&f->g, f->pack_a, &(struct pack_source){m, n, rows, n});
    gemm_pack_b_cols(&f->g, f->pack_b, &(struct pack_source){q, f->width, n, f->width});
    gemm_run(&f->g, (struct gemm_shape){rows, f->width, n}, f->pack_a, f->pack_b,
             &(struct gemm_out){out, f->width, false, NULL});
}

/* out[n][width] = m[rows][n]' p[rows][width] */
static void transposed_times(const struct fitting *f, const float *m, size_t rows, size_t n,
                             const float *p, float *out)
{
    gemm_pack_a_cols(&f->g, f->pack_a, &(struct pack_source){m, n, rows, n});
    gemm_pack_b_cols(&f->g, f->pack_b, &(struct pack_source){p, f->width, rows, f->width});
    gemm_run(&f->g, (struct gemm_shape){n, f->width, rows}, f->pack_a, f->pack_b,
             &(struct gemm_out){out, f->width, false, NULL});
}

static void scale_rows(const float *from, size_t rows, size_t n, const float *scale, float *to)
{
    for (size_t r = 0; r < rows; r++) {
        for (size_t i = 0; i < n; i++) {
            to[r * n + i] = from[r * n + i] * scale[i];
        }
    }
}

/* side.sum += weight * M N' N M' side.q, for the tokens M of this side and N of the other. */
static void add_power(const struct fitting *f, const struct side *side, const float *m,
                      const float *other, size_t n_other, size_t rows, float weight)
{
    times(f, m, rows, side->n, side->q, f->t);
    transposed_times(f, other, rows, n_other, f->t, f->a);
    times(f, other, rows, n_other, f->a, f->t);
    transposed_times(f, m, rows, side->n, f->t, f->b);
    for (size_t i = 0; i < side->n * f->width; i++) {
        side->sum[i] += weight * f->b[i];
    }
}

/* |G'q|^2 over random directions is |G|^2 on the mean. */
static double estimate_square(const struct fitting *f, const struct matrix *m, size_t rows)
{
    double sum = 0;
    times(f, f->y, rows, m->out.n, m->out.q, f->t);
    transposed_times(f, f->x, rows, m->in.n, f->t, f->b);
    for (size_t i = 0; i < m->in.n * f->width; i++) {
        sum += (double)f->b[i] * (double)f->b[i];
    }
    return sum * (double)m->out.n / f->width; /* orthonormal columns */
}

static void look(void *ctx, const struct example_view *v)
{
    struct fitting *f = ctx;
    struct matrix *m = &f->matrices[(size_t)v->layer * EXAMPLE_MATRICES + v->matrix];
    for (size_t s = 0; s < v->sequences; s++) {
        size_t from = v->starts[s], rows = v->starts[s + 1] - from;
        double *square = &f->squares[v->which[s]];
        scale_rows(v->x + from * v->inputs, rows, v->inputs, m->in.scale, f->x);
        scale_rows(v->y + from * v->outputs, rows, v->outputs, m->out.scale, f->y);
        double own = *square;
        if (f->measuring) { /* all matrices together are not known yet */
            own = estimate_square(f, m, rows);
            *square += own;
        }
        float weight = own > 0 && isfinite(own) ? (float)(1 / own) : 0;
        add_power(f, &m->in, f->x, f->y, m->out.n, rows, weight);
        add_power(f, &m->out, f->y, f->x, m->in.n, rows, weight);
    }
}

/* ---- a pass's end: Rayleigh and Ritz ---- */

/* Gram and Schmidt, twice; a column that vanishes becomes 0. */
static void orthonormalise(float *q, size_t n, size_t width)
{
    for (size_t a = 0; a < width; a++) {
        double before = 0, sum = 0;
        for (size_t i = 0; i < n; i++) {
            before += (double)q[i * width + a] * (double)q[i * width + a];
        }
        for (size_t b = 0; b < 2 * a; b++) {
            double dot = 0;
            for (size_t i = 0; i < n; i++) {
                dot += (double)q[i * width + a] * (double)q[i * width + b % a];
            }
            for (size_t i = 0; i < n; i++) {
                q[i * width + a] -= (float)dot * q[i * width + b % a];
            }
        }
        for (size_t i = 0; i < n; i++) {
            sum += (double)q[i * width + a] * (double)q[i * width + a];
        }
        double scale = sum > 1e-10 * before && sum > 0 ? 1 / sqrt(sum) : 0;
        for (size_t i = 0; i < n; i++) {
            q[i * width + a] *= (float)scale;
        }
    }
}

/* Turns rows and columns p and q of h so that h[p][q] becomes 0, and columns of v along. */
static void jacobi_turn(double *h, double *v, size_t n, size_t p, size_t q)
{
    double x = h[p * n + q];
    if (x == 0) {
        return;
    }
    double theta = (h[q * n + q] - h[p * n + p]) / (2 * x);
    double t = (theta >= 0 ? 1 : -1) / (fabs(theta) + sqrt(theta * theta + 1));
    double c = 1 / sqrt(t * t + 1), s = t * c;
    for (size_t i = 0; i < n; i++) {
        double a = h[i * n + p], b = h[i * n + q];
        h[i * n + p] = c * a - s * b;
        h[i * n + q] = s * a + c * b;
    }
    for (size_t i = 0; i < n; i++) {
        double a = h[p * n + i], b = h[q * n + i];
        h[p * n + i] = c * a - s * b;
        h[q * n + i] = s * a + c * b;
        a = v[i * n + p];
        b = v[i * n + q];
        v[i * n + p] = c * a - s * b;
        v[i * n + q] = s * a + c * b;
    }
}

/* Eigenvectors of h[n][n] (symmetric, destroyed) into the columns of v, by Jacobi's turns. */
static void jacobi(double *h, double *v, size_t n)
{
    for (size_t i = 0; i < n * n; i++) {
        v[i] = i % (n + 1) == 0;
    }
    for (int sweep = 0; sweep < 30; sweep++) {
        double off = 0, all = 0;
        for (size_t i = 0; i < n * n; i++) {
            all += h[i] * h[i];
            off += i % (n + 1) == 0 ? 0 : h[i] * h[i];
        }
        if (!(off > 1e-20 * all)) {
            return;
        }
        for (size_t p = 0; p < n; p++) {
            for (size_t q = p + 1; q < n; q++) {
                jacobi_turn(h, v, n, p, q);
            }
        }
    }
}

/* From q and sum = C q to the next q, its columns by falling eigenvalue. */
static void turn(struct side *side, size_t width)
{
    double h[SIDES_MAX * SIDES_MAX] = {0}, v[SIDES_MAX * SIDES_MAX];
    for (size_t i = 0; i < side->n; i++) {
        for (size_t a = 0; a < width; a++) {
            for (size_t b = 0; b < width; b++) {
                h[a * width + b] +=
                    (double)side->q[i * width + a] * (double)side->sum[i * width + b];
            }
        }
    }
    for (size_t a = 0; a < width; a++) {
        for (size_t b = 0; b < a; b++) {
            h[a * width + b] = h[b * width + a] = (h[a * width + b] + h[b * width + a]) / 2;
        }
    }
    jacobi(h, v, width);
    size_t order[SIDES_MAX];
    for (size_t a = 0; a < width; a++) {
        size_t at = a;
        for (; at > 0 && h[order[at - 1] * (width + 1)] < h[a * (width + 1)]; at--) {
            order[at] = order[at - 1];
        }
        order[at] = a;
    }
    for (size_t i = 0; i < side->n; i++) {
        float *row = side->sum + i * width;
        for (size_t a = 0; a < width; a++) {
            double x = 0;
            for (size_t b = 0; b < width; b++) {
                x += (double)row[b] * v[b * width + order[a]];
            }
            side->q[i * width + a] = (float)x;
        }
    }
    orthonormalise(side->q, side->n, width);
}

/* ---- scaling ---- */

/* v[outputs][inputs] as out[] times in[]: scales are one over the square roots. */
static void factor_moments(const float *v, size_t outputs, size_t inputs, float *out, float *in)
{
    double total = 0;
    double *rows = mem_zalloc(outputs * sizeof *rows),
           *columns = mem_zalloc(inputs * sizeof *columns);
    for (size_t o = 0; o < outputs; o++) {
        for (size_t i = 0; i < inputs; i++) {
            double x = (double)v[o * inputs + i];
            rows[o] += x;
            columns[i] += x;
            total += x;
        }
    }
    double root = sqrt(total > 0 ? total : 1);
    for (size_t o = 0; o < outputs; o++) {
        out[o] = (float)(1 / (sqrt(rows[o] / root) + EPS));
    }
    for (size_t i = 0; i < inputs; i++) {
        in[i] = (float)(1 / (sqrt(columns[i] / root) + EPS));
    }
    mem_free(rows);
    mem_free(columns);
}

void moments_scale(const float *v, size_t count, float *out)
{
    for (size_t i = 0; i < count; i++) {
        out[i] = 1 / (sqrtf(v[i]) + (float)EPS);
    }
}

/* ---- the whole ---- */

static void open_side(struct fitting *f, struct side *s, size_t n, struct rng *r)
{
    s->n = n;
    s->q = ARENA_NEW(f->keep, float, n * f->width);
    s->sum = ARENA_NEW(f->keep, float, n * f->width);
    s->scale = ARENA_NEW(f->keep, float, n);
    for (size_t i = 0; i < n * f->width; i++) {
        s->q[i] = (float)rng_normal(r);
    }
    orthonormalise(s->q, n, f->width);
    for (size_t i = 0; i < n; i++) {
        s->scale[i] = 1;
    }
}

static void open_fitting(struct fitting *f, const struct engine *e, uint32_t longest,
                         const float *moments)
{
    const struct model_config *c = model_config(engine_model(e));
    struct rng r;
    rng_init(&r, 0, "projections");
    f->count = (size_t)c->layers * EXAMPLE_MATRICES;
    f->matrices = ARENA_NEW(f->keep, struct matrix, f->count);
    size_t widest = 0;
    for (size_t i = 0; i < f->count; i++) {
        enum example_matrix which = (enum example_matrix)(i % EXAMPLE_MATRICES);
        struct example_shape s = example_shape(c, which);
        open_side(f, &f->matrices[i].in, s.inputs, &r);
        open_side(f, &f->matrices[i].out, s.outputs, &r);
        if (moments) {
            size_t at = example_offset(engine_model(e), (uint32_t)(i / EXAMPLE_MATRICES), which);
            factor_moments(moments + at, s.outputs, s.inputs, f->matrices[i].out.scale,
                           f->matrices[i].in.scale);
        }
        widest = s.inputs > widest ? s.inputs : widest;
        widest = s.outputs > widest ? s.outputs : widest;
    }
    f->x = ARENA_NEW(f->keep, float, longest *widest);
    f->y = ARENA_NEW(f->keep, float, longest *widest);
    f->t = ARENA_NEW(f->keep, float, (size_t)longest * f->width);
    f->a = ARENA_NEW(f->keep, float, widest * f->width);
    f->b = ARENA_NEW(f->keep, float, widest * f->width);
    size_t most = widest > longest ? widest : longest;
    f->pack_a = ARENA_NEW(
        f->keep, char, gemm_size_a(&f->g, widest, longest) + gemm_size_a(&f->g, longest, widest));
    f->pack_b = ARENA_NEW(f->keep, char, gemm_size_b(&f->g, f->width, most));
}

static winnow_status run_passes(struct fitting *f, struct engine *e,
                                const struct token_batch *texts, const struct winnow_env *env,
                                struct winnow_error *err)
{
    const struct example_options opt = {.look = look, .ctx = f};
    struct engine_examples *x;
    TRY(engine_examples_new(e, &opt, &x, err));
    winnow_status st = WINNOW_OK;
    for (uint32_t pass = 0; st == WINNOW_OK && pass < PROJECTION_PASSES; pass++) {
        const struct example_results none = {0};
        f->measuring = pass == 0;
        for (size_t i = 0; i < f->count; i++) {
            struct matrix *m = &f->matrices[i];
            memset(m->in.sum, 0, m->in.n * f->width * sizeof(float));
            memset(m->out.sum, 0, m->out.n * f->width * sizeof(float));
        }
        st = env_check(env, err);
        st = st == WINNOW_OK ? engine_gradient_examples(e, texts, 1, NULL, x, &none, err) : st;
        for (size_t i = 0; i < f->count; i++) {
            turn(&f->matrices[i].in, f->width);
            turn(&f->matrices[i].out, f->width);
        }
    }
    engine_examples_free(x);
    return st;
}

static void copy_side(const struct side *s, uint32_t width, uint32_t rank, float *to)
{
    for (size_t i = 0; i < s->n; i++) {
        for (uint32_t k = 0; k < rank; k++) {
            *to++ = k < width ? s->q[i * width + k] * s->scale[i] : 0;
        }
    }
}

winnow_status projections_fit(struct engine *e, const struct token_batch *texts, uint32_t rank,
                              const float *moments, const struct winnow_env *env,
                              struct projections *out, struct winnow_error *err)
{
    const struct model_config *c = model_config(engine_model(e));
    struct fitting f = {.width = rank + PROJECTIONS_SPARE};
    struct arena keep;
    winnow_status st = make(c, rank, out, err);
    TRY(st);
    st = kernels_pick(env->kernels, &f.g.k, err);
    f.g.type = GEMM_F32;
    for (size_t i = 0; i < EXAMPLE_MATRICES; i++) { /* no more directions than there are */
        struct example_shape s = example_shape(c, (enum example_matrix)i);
        size_t least = s.inputs < s.outputs ? s.inputs : s.outputs;
        f.width = f.width < least ? f.width : (uint32_t)least;
    }
    uint32_t longest = 1;
    for (size_t s = 0; s < texts->sequences; s++) {
        uint32_t n = texts->starts[s + 1] - texts->starts[s];
        longest = n > longest ? n : longest;
    }
    arena_init(&keep, (size_t)1 << 20);
    f.keep = &keep;
    f.squares = mem_zalloc((texts->sequences + 1) * sizeof *f.squares);
    if (st == WINNOW_OK) {
        open_fitting(&f, e, longest, moments);
        st = run_passes(&f, e, texts, env, err);
    }
    for (size_t i = 0; st == WINNOW_OK && i < f.count; i++) {
        float *to = out->values + out->places[i];
        copy_side(&f.matrices[i].in, f.width, rank, to);
        copy_side(&f.matrices[i].out, f.width, rank, to + f.matrices[i].in.n * rank);
    }
    mem_free(f.squares);
    arena_release(&keep);
    return st;
}

void projections_use(const struct projections *p, const struct model_config *c,
                     struct engine_examples *x)
{
    for (uint32_t i = 0; i < p->layers * EXAMPLE_MATRICES; i++) {
        enum example_matrix which = (enum example_matrix)(i % EXAMPLE_MATRICES);
        const float *in = p->values + p->places[i];
        engine_examples_project(x, i / EXAMPLE_MATRICES, which, in,
                                in + example_shape(c, which).inputs * p->rank);
    }
}

uint64_t projections_hash(const struct projections *p)
{
    uint64_t h = hash64((struct str){(const char *)p->values, p->count * sizeof *p->values}, 0);
    return h > 0 ? h : 1;
}

winnow_status projections_save(const struct projections *p, const char *path,
                               struct winnow_error *err)
{
    const uint32_t head[2] = {p->layers, p->rank};
    const struct str parts[] = {state_part(head, sizeof head),
                                state_part(p->values, p->count * sizeof *p->values)};
    return state_file_write(path, KIND, parts, 2, err);
}

winnow_status projections_load(const char *path, const struct model_config *c, uint32_t rank,
                               struct projections *out, struct winnow_error *err)
{
    struct state_file f;
    uint32_t head[2];
    *out = (struct projections){0};
    TRY(state_file_open(path, KIND, &f, err));
    winnow_status st = make(c, rank, out, err);
    if (st == WINNOW_OK && (!state_file_take(&f, head, sizeof head) || head[0] != c->layers ||
                            head[1] != rank || f.left.len != out->count * sizeof *out->values ||
                            !state_file_take(&f, out->values, out->count * sizeof *out->values))) {
        st = error_set(err, WINNOW_E_FORMAT, "%s holds projections of another model", path);
    }
    state_file_close(&f);
    return st;
}
