/* kfac_fit.c -- factors from documents: what goes through the matrices, its eigenvectors, and the
 * squares of gradients along them.
 *
 * Targets are drawn from the model itself: with those of the text the squares would be those of
 * the errors and not the curvature.  Documents go through one by one, so that each is a gradient
 * of its own, and all threads share the blocks of a matrix. */
#include "base/env.h"
#include "base/mem.h"
#include "base/rng.h"
#include "correct/kfac.h"
#include "correct/kfac_internal.h"
#include "math/eigen.h"

#include <math.h>
#include <stdatomic.h>
#include <string.h>

struct fitting {
    struct kfac *k;
    struct engine *e;
    struct pool *pool;
    struct gemm g;
    struct kfac_scratch *scratch;
    const struct kfac_documents *documents;
    uint64_t seed;
    bool squaring; /* the second pass */
    float *logits; /* [context][vocab] */
    uint32_t *targets;
    float *x, *y; /* a document's tokens in the blocks' coordinates */
    size_t room;  /* tokens of them */
    size_t wide;  /* numbers a token of x, or of y, at most */
    /* The matrix in work. */
    const struct example_view *view;
    const struct kfac_matrix *m;
    atomic_bool failed; /* an eigensystem did not settle */
};

/* ---- what goes through a matrix ---- */

/* The side and block of a piece, and the tokens on that side. */
struct sided {
    const struct kfac_side *side;
    struct kfac_span span;
    const float *tokens;
    float *turned;
};
static struct sided side_of(const struct fitting *f, size_t piece)
{
    bool in = piece < f->m->in.blocks;
    const struct kfac_side *side = in ? &f->m->in : &f->m->out;
    return (struct sided){side, kfac_span(side, in ? piece : piece - f->m->in.blocks),
                          in ? f->view->x : f->view->y, in ? f->x : f->y};
}

static void add_gram(void *ctx, size_t piece, uint32_t worker)
{
    const struct fitting *f = ctx;
    struct sided s = side_of(f, piece);
    const struct kfac_factor tokens = {s.tokens + s.span.from, s.side->n, true};
    const struct gemm_shape shape = {s.span.n, s.span.n, f->view->starts[f->view->sequences]};
    kfac_product(&f->g, &f->scratch[worker], tokens, tokens, shape,
                 &(struct gemm_out){s.span.vectors, s.span.n, true, NULL});
}

static void turn_tokens(void *ctx, size_t piece, uint32_t worker)
{
    const struct fitting *f = ctx;
    struct sided s = side_of(f, piece);
    size_t n = s.side->n;
    const struct gemm_shape shape = {f->view->starts[f->view->sequences], s.span.n, s.span.n};
    kfac_product(&f->g, &f->scratch[worker], (struct kfac_factor){s.tokens + s.span.from, n, false},
                 (struct kfac_factor){s.span.vectors, s.span.n, false}, shape,
                 &(struct gemm_out){s.turned + s.span.from, n, false, NULL});
}

static void add_squares(void *ctx, size_t piece, uint32_t worker)
{
    const struct fitting *f = ctx;
    const struct kfac_matrix *m = f->m;
    float *gradient = f->scratch[worker].one;
    struct kfac_span o = kfac_span(&m->out, piece / m->in.blocks);
    struct kfac_span i = kfac_span(&m->in, piece % m->in.blocks);
    const struct gemm_shape shape = {o.n, i.n, f->view->starts[f->view->sequences]};
    kfac_product(&f->g, &f->scratch[worker], (struct kfac_factor){f->y + o.from, m->out.n, true},
                 (struct kfac_factor){f->x + i.from, m->in.n, true}, shape,
                 &(struct gemm_out){gradient, i.n, false, NULL});
    for (size_t r = 0; r < o.n; r++) {
        float *to = m->curvature + (o.from + r) * m->in.n + i.from;
        for (size_t c = 0; c < i.n; c++) {
            to[c] += gradient[r * i.n + c] * gradient[r * i.n + c];
        }
    }
}

static void look(void *ctx, const struct example_view *v)
{
    struct fitting *f = ctx;
    f->view = v;
    f->m = &f->k->matrices[(size_t)v->layer * EXAMPLE_MATRICES + v->matrix];
    size_t sides = f->m->in.blocks + f->m->out.blocks;
    if (!f->squaring) {
        pool_run(f->pool, sides, add_gram, f);
        return;
    }
    pool_run(f->pool, sides, turn_tokens, f);
    pool_run(f->pool, f->m->in.blocks * f->m->out.blocks, add_squares, f);
}

/* ---- documents ---- */

static uint32_t draw(const float *logits, size_t vocab, double u)
{
    double top = -(double)INFINITY, sum = 0;
    for (size_t v = 0; v < vocab; v++) {
        top = (double)logits[v] > top ? (double)logits[v] : top;
    }
    for (size_t v = 0; v < vocab; v++) {
        sum += exp((double)logits[v] - top);
    }
    double left = u * sum;
    for (size_t v = 0; v + 1 < vocab; v++) {
        left -= exp((double)logits[v] - top);
        if (left < 0) {
            return (uint32_t)v;
        }
    }
    return (uint32_t)vocab - 1;
}

static winnow_status make_room(struct fitting *f, size_t tokens, struct winnow_error *err)
{
    size_t vocab = model_config(engine_model(f->e))->vocab;
    if (tokens <= f->room) {
        return WINNOW_OK;
    }
    mem_free(f->logits);
    mem_free(f->targets);
    mem_free(f->x);
    mem_free(f->y);
    kfac_scratch_free(f->scratch, pool_threads(f->pool));
    f->room = tokens;
    f->scratch = kfac_scratch_new(&f->g, tokens, pool_threads(f->pool));
    f->targets = mem_alloc(tokens * sizeof *f->targets);
    f->logits = mem_try_alloc(tokens * vocab * sizeof *f->logits);
    f->x = mem_try_alloc(tokens * f->wide * sizeof *f->x);
    f->y = mem_try_alloc(tokens * f->wide * sizeof *f->y);
    return f->logits && f->x && f->y
               ? WINNOW_OK
               : error_set(err, WINNOW_E_NOMEM,
                           "no memory for the logits of %zu tokens: use a shorter --context",
                           tokens);
}

/* What the model itself would say at each target. */
static winnow_status draw_targets(struct fitting *f, size_t i, const struct token_batch *b,
                                  struct winnow_error *err)
{
    size_t n = batch_tokens(b), vocab = model_config(engine_model(f->e))->vocab;
    struct rng r;
    rng_init(&r, rng_mix(f->seed + i), "curvature");
    TRY(make_room(f, n, err));
    TRY(engine_logits(f->e, b, f->logits, err));
    for (size_t t = 0; t < n; t++) {
        bool scored = batch_target(b, t, n) != BATCH_NO_TARGET;
        f->targets[t] =
            scored ? draw(f->logits + t * vocab, vocab, rng_uniform(&r)) : BATCH_NO_TARGET;
    }
    return WINNOW_OK;
}

static winnow_status pass(struct fitting *f, const struct winnow_env *env, struct winnow_error *err)
{
    const struct example_options opt = {.look = look, .ctx = f};
    const struct example_results none = {0};
    struct engine_examples *x;
    struct token_batch b;
    uint64_t all = 2 * (uint64_t)f->documents->count;
    TRY(engine_examples_new(f->e, &opt, &x, err));
    winnow_status st = WINNOW_OK;
    for (size_t i = 0; st == WINNOW_OK && f->documents->next(f->documents->ctx, i, &b); i++) {
        env_progress(env, "curvature", "documents", i + (f->squaring ? f->documents->count : 0),
                     all);
        st = env_check(env, err);
        st = st == WINNOW_OK ? draw_targets(f, i, &b, err) : st;
        if (st == WINNOW_OK) {
            f->k->targets += f->squaring ? (double)batch_targets(&b) : 0;
            b.targets = f->targets;
            st = engine_gradient_examples(f->e, &b, 1, NULL, x, &none, err);
        }
    }
    engine_examples_free(x);
    return st;
}

/* ---- eigenvectors ---- */

static void find_vectors(void *ctx, size_t piece, uint32_t worker)
{
    (void)worker;
    struct fitting *f = ctx;
    bool in = piece < f->m->in.blocks;
    struct kfac_span s =
        kfac_span(in ? &f->m->in : &f->m->out, in ? piece : piece - f->m->in.blocks);
    double *a = mem_alloc((2 * s.n * s.n + s.n + eigen_scratch(s.n)) * sizeof *a);
    double *vectors = a + s.n * s.n, *values = vectors + s.n * s.n, *scratch = values + s.n;
    for (size_t i = 0; i < s.n * s.n; i++) {
        a[i] = (double)s.vectors[i];
    }
    if (!eigen_symmetric(a, s.n, values, vectors, scratch)) {
        atomic_store(&f->failed, true);
    }
    for (size_t i = 0; i < s.n * s.n; i++) {
        s.vectors[i] = (float)vectors[i];
    }
    mem_free(a);
}

static winnow_status find_all_vectors(struct fitting *f, const struct winnow_env *env,
                                      struct winnow_error *err)
{
    for (size_t i = 0; i < (size_t)f->k->layers * EXAMPLE_MATRICES; i++) {
        TRY(env_check(env, err));
        f->m = &f->k->matrices[i];
        pool_run(f->pool, f->m->in.blocks + f->m->out.blocks, find_vectors, f);
    }
    return !atomic_load(&f->failed)
               ? WINNOW_OK
               : error_set(err, WINNOW_E_INTERNAL,
                           "the curvature of this model has no eigenvectors: its numbers "
                           "are not finite on these documents");
}

static winnow_status fit(struct fitting *f, const struct winnow_env *env, struct winnow_error *err)
{
    const struct model_config *c = model_config(engine_model(f->e));
    TRY(kernels_pick(env->kernels, &f->g.k, err));
    f->g.type = GEMM_F32;
    TRY(kfac_make(c, f->k, err));
    for (size_t i = 0; i < EXAMPLE_MATRICES; i++) {
        struct example_shape s = example_shape(c, (enum example_matrix)i);
        f->wide = s.inputs > f->wide ? s.inputs : f->wide;
        f->wide = s.outputs > f->wide ? s.outputs : f->wide;
    }
    TRY(pass(f, env, err));
    TRY(find_all_vectors(f, env, err));
    f->squaring = true;
    TRY(pass(f, env, err));
    for (size_t i = 0; i < (size_t)f->k->layers * EXAMPLE_MATRICES; i++) {
        struct kfac_matrix *m = &f->k->matrices[i];
        for (size_t n = 0; n < m->in.n * m->out.n; n++) {
            m->curvature[n] = (float)((double)m->curvature[n] / f->k->targets);
        }
    }
    return WINNOW_OK;
}

winnow_status kfac_fit(struct engine *e, struct pool *pool, const struct kfac_documents *documents,
                       uint64_t seed, const struct winnow_env *env, struct kfac *out,
                       struct winnow_error *err)
{
    struct fitting f = {.k = out, .e = e, .pool = pool, .documents = documents, .seed = seed};
    *out = (struct kfac){0};
    winnow_status st = fit(&f, env, err);
    mem_free(f.logits);
    mem_free(f.targets);
    mem_free(f.x);
    mem_free(f.y);
    kfac_scratch_free(f.scratch, pool_threads(pool));
    return st;
}
