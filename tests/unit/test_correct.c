/* Curvature, influence and corrections against plain computation on tiny models. */
#include "base/mem.h"
#include "base/rng.h"
#include "check.h"
#include "correct/kfac.h"
#include "correct/kfac_internal.h"
#include "math/eigen.h"
#include "scratch.h"
#include "train/unlearn.h"

#include <string.h>

enum { VOCAB = 40, DOCUMENTS = 6, LENGTH = 14, TOKENS = DOCUMENTS * LENGTH };

/* ---- eigenvectors ---- */

static void check_eigen(size_t n, size_t rank, bool identity)
{
    struct rng r;
    rng_init(&r, n, "eigen");
    double *a = mem_zalloc((4 * n * n + n + eigen_scratch(n)) * sizeof *a), *b = a + n * n;
    double *q = b + n * n, *factor = q + n * n, *w = factor + n * n, *scratch = w + n;
    for (size_t i = 0; i < n * rank; i++) {
        factor[i] = rng_normal(&r);
    }
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < n; j++) {
            for (size_t k = 0; k < rank; k++) {
                b[i * n + j] += factor[i * rank + k] * factor[j * rank + k];
            }
            b[i * n + j] = identity ? i == j : b[i * n + j];
        }
    }
    memcpy(a, b, n * n * sizeof *a);
    assert_true(eigen_symmetric(a, n, w, q, scratch));
    double size = 1;
    for (size_t i = 0; i < n; i++) {
        size = fmax(size, fabs(w[i]));
    }
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < n; j++) {
            double turned = 0, length = 0;
            for (size_t k = 0; k < n; k++) {
                turned += b[j * n + k] * q[i * n + k];
                length += q[i * n + k] * q[j * n + k];
            }
            assert_true(fabs(turned - w[i] * q[i * n + j]) < 1e-12 * size);
            assert_true(fabs(length - (i == j)) < 1e-12);
        }
    }
    mem_free(a);
}

static void eigenvectors_turn_matrices_to_their_values(void **state)
{
    (void)state;
    static const size_t SIZES[] = {1, 2, 3, 17, 60};
    for (size_t i = 0; i < 5; i++) {
        check_eigen(SIZES[i], SIZES[i], false);
        check_eigen(SIZES[i], (SIZES[i] + 3) / 4, false); /* most values are 0 */
        check_eigen(SIZES[i], 1, true);
    }
    double bad[4] = {1, (double)NAN, (double)NAN, 1}, w[2], q[4], scratch[4];
    assert_false(eigen_symmetric(bad, 2, w, q, scratch));
}

/* ---- a tiny model and its documents ---- */

struct world {
    struct model *m;
    struct pool *pool;
    struct engine *e;
    size_t count;
    uint32_t tokens[TOKENS], starts[DOCUMENTS + 1];
};

static struct model_config shape_of(uint32_t ffn)
{
    struct model_config c = MODEL_CONFIG_INIT;
    c.vocab = VOCAB;
    c.dim = 16;
    c.layers = 2;
    c.heads = 2;
    c.kv_heads = 1;
    c.head_dim = 8;
    c.ffn = ffn;
    c.context = 64;
    return c;
}

static void open_world(struct world *w, uint32_t ffn, uint32_t threads, bool gradients)
{
    struct model_config c = shape_of(ffn);
    struct winnow_error err;
    const struct winnow_env env = {0};
    struct rng r;
    *w = (struct world){.pool = pool_new(threads)};
    assert_ok(model_new(&c, &w->m, &err), err);
    model_init_random(w->m, 5);
    w->count = model_values_count(w->m);
    for (size_t i = 0; i < w->count; i++) {
        model_values(w->m)[i] *= 3; /* sharper than at the start */
    }
    rng_init(&r, 3, "world");
    for (size_t i = 0; i < TOKENS; i++) {
        w->tokens[i] = (uint32_t)rng_below(&r, VOCAB);
    }
    for (uint32_t s = 0; s <= DOCUMENTS; s++) {
        w->starts[s] = s * LENGTH;
    }
    const struct engine_options opt = {.tokens_max = 256, .gradients = gradients};
    assert_ok(engine_new(w->m, w->pool, &opt, &env, &w->e, &err), err);
}

static void close_world(struct world *w)
{
    engine_free(w->e);
    model_free(w->m);
    pool_free(w->pool);
}

static const uint32_t ONE[2] = {0, LENGTH};

static bool next_document(void *ctx, size_t i, struct token_batch *out)
{
    const struct world *w = ctx;
    *out = (struct token_batch){.tokens = w->tokens + i * LENGTH, .starts = ONE, .sequences = 1};
    return i < DOCUMENTS;
}

static void fit_world(struct world *w, struct kfac *k)
{
    struct winnow_error err;
    const struct winnow_env env = {0};
    const struct kfac_documents documents = {w, next_document, DOCUMENTS};
    assert_ok(kfac_fit(w->e, w->pool, &documents, 11, &env, k, &err), err);
}

/* ---- curvature ---- */

/* What the model says on document i, drawn as kfac_fit.c says. */
static void draw_targets(struct world *w, size_t i, uint32_t *out)
{
    struct winnow_error err;
    float logits[LENGTH * VOCAB];
    struct token_batch b;
    struct rng r;
    assert_true(next_document(w, i, &b));
    assert_ok(engine_logits(w->e, &b, logits, &err), err);
    rng_init(&r, rng_mix(11 + i), "curvature");
    for (size_t t = 0; t + 1 < LENGTH; t++) {
        double p[VOCAB], sum = 0, u;
        for (size_t v = 0; v < VOCAB; v++) {
            p[v] = exp((double)logits[t * VOCAB + v]);
            sum += p[v];
        }
        u = rng_uniform(&r) * sum;
        for (out[t] = 0; out[t] + 1 < VOCAB && u >= p[out[t]]; out[t]++) {
            u -= p[out[t]];
        }
    }
    out[LENGTH - 1] = BATCH_NO_TARGET;
}

struct grams {
    const struct world *w;
    enum example_matrix matrix;
    struct example_shape shape;
    double *in, *out; /* of layer 1 */
};

static void add_grams(void *ctx, const struct example_view *v)
{
    struct grams *g = ctx;
    if (v->layer != 1 || v->matrix != g->matrix) {
        return;
    }
    for (size_t t = 0; t < v->starts[v->sequences]; t++) {
        const float *x = v->x + t * v->inputs, *y = v->y + t * v->outputs;
        for (size_t i = 0; i < v->inputs * v->inputs; i++) {
            g->in[i] += (double)x[i / v->inputs] * (double)x[i % v->inputs];
        }
        for (size_t i = 0; i < v->outputs * v->outputs; i++) {
            g->out[i] += (double)y[i / v->outputs] * (double)y[i % v->outputs];
        }
    }
}

/* Vectors of each block are orthonormal and leave nothing beside the diagonal. */
static void check_side(const struct kfac_side *s, const double *gram)
{
    for (size_t b = 0; b < s->blocks; b++) {
        struct kfac_span span = kfac_span(s, b);
        double size = 0;
        for (size_t i = 0; i < span.n; i++) {
            size = fmax(size, gram[(span.from + i) * (s->n + 1)]);
        }
        for (size_t i = 0; i < span.n; i += 1 + span.n / 20) {
            for (size_t j = 0; j < span.n; j += 1 + span.n / 20) {
                double product = 0, turned = 0;
                for (size_t k = 0; k < span.n; k++) {
                    double x = (double)span.vectors[i * span.n + k];
                    product += x * (double)span.vectors[j * span.n + k];
                    for (size_t l = 0; l < span.n; l++) {
                        turned += x * gram[(span.from + k) * s->n + span.from + l] *
                                  (double)span.vectors[j * span.n + l];
                    }
                }
                assert_true(fabs(product - (i == j)) < 1e-5);
                assert_true(i == j || fabs(turned) < 2e-5 * size * (double)span.n);
            }
        }
    }
}

/* out[o][i] = qs[o] m qa[i]' in the blocks' coordinates; back: the way back. */
static void turn_matrix(const struct kfac_matrix *k, const double *m, bool back, double *out)
{
    size_t in = k->in.n, outputs = k->out.n;
    double *half = mem_zalloc(outputs * in * sizeof *half);
    memset(out, 0, outputs * in * sizeof *out);
    for (size_t b = 0; b < k->out.blocks; b++) {
        struct kfac_span s = kfac_span(&k->out, b);
        for (size_t r = 0; r < s.n * s.n; r++) {
            size_t to = back ? r % s.n : r / s.n, from = back ? r / s.n : r % s.n;
            for (size_t c = 0; c < in; c++) {
                half[(s.from + to) * in + c] += (double)s.vectors[r] * m[(s.from + from) * in + c];
            }
        }
    }
    for (size_t b = 0; b < k->in.blocks; b++) {
        struct kfac_span s = kfac_span(&k->in, b);
        for (size_t r = 0; r < s.n * s.n; r++) {
            size_t to = back ? r % s.n : r / s.n, from = back ? r / s.n : r % s.n;
            for (size_t o = 0; o < outputs; o++) {
                out[o * in + s.from + to] += (double)s.vectors[r] * half[o * in + s.from + from];
            }
        }
    }
    mem_free(half);
}

/* Of one matrix of layer 1: squares of explicit gradients along the vectors. */
static void check_curvature(struct world *w, const struct kfac *k, enum example_matrix matrix,
                            const struct grams *g)
{
    const struct kfac_matrix *m = &k->matrices[EXAMPLE_MATRICES + matrix];
    size_t n = g->shape.inputs * g->shape.outputs, place = example_offset(w->m, 1, matrix);
    double *squares = mem_zalloc(3 * n * sizeof *squares), *one = squares + n, *turned = one + n;
    float *gradient = mem_alloc(w->count * sizeof *gradient);
    uint32_t targets[LENGTH];
    for (size_t i = 0; i < DOCUMENTS; i++) {
        struct winnow_error err;
        struct token_batch b;
        double nll;
        draw_targets(w, i, targets);
        assert_true(next_document(w, i, &b));
        b.targets = targets;
        memset(gradient, 0, w->count * sizeof *gradient);
        assert_ok(engine_gradient(w->e, &b, 1, gradient, &nll, NULL, &err), err);
        for (size_t j = 0; j < n; j++) {
            one[j] = (double)gradient[place + j];
        }
        turn_matrix(m, one, false, turned);
        for (size_t j = 0; j < n; j++) {
            squares[j] += turned[j] * turned[j] / (DOCUMENTS * (LENGTH - 1));
        }
    }
    double size = 0;
    for (size_t j = 0; j < n; j++) {
        size = fmax(size, squares[j]);
    }
    for (size_t j = 0; j < n; j++) {
        assert_true(fabs(squares[j] - (double)m->curvature[j]) < 1e-4 * size);
    }
    mem_free(squares);
    mem_free(gradient);
}

/* What comes out of the inverse is what went in where the curvature is applied again. */
static void check_inverse(struct world *w, const struct kfac *k, enum example_matrix matrix)
{
    const struct kfac_matrix *m = &k->matrices[EXAMPLE_MATRICES + matrix];
    size_t n = m->in.n * m->out.n, place = example_offset(w->m, 1, matrix);
    const struct kernels *kernels;
    struct winnow_error err;
    struct rng r;
    float *v = mem_alloc(2 * w->count * sizeof *v), *before = v + w->count;
    double *x = mem_alloc(3 * n * sizeof *x), *turned = x + n, *back = turned + n, mean = 0;
    rng_init(&r, 7, "inverse");
    for (size_t i = 0; i < w->count; i++) {
        before[i] = v[i] = (float)rng_normal(&r);
    }
    assert_ok(kernels_pick(NULL, &kernels, &err), err);
    kfac_precondition(k, w->m, 0.1, w->pool, kernels, v);
    for (size_t i = 0; i < n; i++) {
        x[i] = (double)v[place + i];
        mean += (double)m->curvature[i] / (double)n;
    }
    turn_matrix(m, x, false, turned);
    for (size_t i = 0; i < n; i++) {
        turned[i] *= (double)m->curvature[i] + 0.1 * mean;
    }
    turn_matrix(m, turned, true, back);
    for (size_t i = 0; i < n; i++) {
        assert_near(back[i], (double)before[place + i], 2e-4);
    }
    const struct model_tensor *embed = model_find_role(w->m, TENSOR_EMBED, 0);
    assert_true(v[embed->offset] == 0 && v[embed->offset + 5] == 0);
    mem_free(v);
    mem_free(x);
}

static void curvature_is_that_of_explicit_gradients(void **state)
{
    (void)state;
    static const uint32_t FFN[] = {32, 352}; /* the second's gate and up make two blocks */
    for (size_t wide = 0; wide < 2; wide++) {
        struct world w;
        struct kfac k;
        open_world(&w, FFN[wide], 1, true);
        fit_world(&w, &k);
        for (int i = 0; i < EXAMPLE_MATRICES; i++) {
            struct grams g = {.w = &w, .matrix = (enum example_matrix)i};
            if (wide && i != EXAMPLE_GATE_UP) {
                continue;
            }
            struct model_config c = shape_of(FFN[wide]);
            g.shape = example_shape(&c, g.matrix);
            g.in = mem_zalloc(g.shape.inputs * g.shape.inputs * sizeof *g.in);
            g.out = mem_zalloc(g.shape.outputs * g.shape.outputs * sizeof *g.out);
            const struct example_options look = {.look = add_grams, .ctx = &g};
            const struct example_results none = {0};
            struct engine_examples *x;
            struct winnow_error err;
            assert_ok(engine_examples_new(w.e, &look, &x, &err), err);
            for (size_t d = 0; d < DOCUMENTS; d++) {
                uint32_t targets[LENGTH];
                struct token_batch b;
                draw_targets(&w, d, targets);
                assert_true(next_document(&w, d, &b));
                b.targets = targets;
                assert_ok(engine_gradient_examples(w.e, &b, 1, NULL, x, &none, &err), err);
            }
            engine_examples_free(x);
            const struct kfac_matrix *m = &k.matrices[EXAMPLE_MATRICES + i];
            assert_int_equal(m->out.blocks, wide ? 2 : 1);
            check_side(&m->in, g.in);
            check_side(&m->out, g.out);
            check_curvature(&w, &k, g.matrix, &g);
            check_inverse(&w, &k, g.matrix);
            mem_free(g.in);
            mem_free(g.out);
        }
        kfac_release(&k);
        close_world(&w);
    }
}

static void curvature_is_the_same_on_threads_and_in_its_file(void **state)
{
    (void)state;
    struct world one, two;
    struct kfac k, l, read, other;
    struct winnow_error err;
    struct model_config c = shape_of(32), wrong = shape_of(64);
    open_world(&one, 32, 1, true);
    open_world(&two, 32, 2, true);
    fit_world(&one, &k);
    fit_world(&two, &l);
    assert_memory_equal(k.values, l.values, k.count * sizeof *k.values);
    struct scratch scratch;
    scratch_open(&scratch);
    const char *file = scratch_path(&scratch, "curvature.bin");
    assert_ok(kfac_save(&k, file, &err), err);
    assert_ok(kfac_load(file, &c, &read, &err), err);
    assert_memory_equal(k.values, read.values, k.count * sizeof *k.values);
    assert_int_equal(kfac_load(file, &wrong, &other, &err), WINNOW_E_FORMAT);
    kfac_release(&other);
    kfac_release(&read);
    kfac_release(&k);
    kfac_release(&l);
    scratch_close(&scratch);
    close_world(&one);
    close_world(&two);
}

/* ---- divergence ---- */

static double divergence(struct world *w, const struct token_batch *b, const float *teacher)
{
    struct winnow_error err;
    float logits[2 * LENGTH * VOCAB];
    double sum = 0;
    engine_weights_changed(w->e);
    assert_ok(engine_logits(w->e, b, logits, &err), err);
    for (size_t t = 0; t < 2 * LENGTH; t++) {
        double p = 0, q = 0;
        if (t % LENGTH == LENGTH - 1) { /* nothing to predict */
            continue;
        }
        for (size_t v = 0; v < VOCAB; v++) {
            p += exp((double)teacher[t * VOCAB + v]);
            q += exp((double)logits[t * VOCAB + v]);
        }
        for (size_t v = 0; v < VOCAB; v++) {
            double lp = (double)teacher[t * VOCAB + v] - log(p);
            sum += exp(lp) * (lp - (double)logits[t * VOCAB + v] + log(q));
        }
    }
    return sum;
}

static void divergence_and_its_gradient_are_those_of_differences(void **state)
{
    (void)state;
    struct world w;
    struct winnow_error err;
    struct rng r;
    float teacher[2 * LENGTH * VOCAB], spent[2 * LENGTH * VOCAB];
    open_world(&w, 32, 1, true);
    const struct token_batch b = {.tokens = w.tokens, .starts = w.starts, .sequences = 2};
    float *gradient = mem_zalloc(2 * w.count * sizeof *gradient), *step = gradient + w.count;
    double sum;
    assert_ok(engine_logits(w.e, &b, teacher, &err), err);
    memcpy(spent, teacher, sizeof spent);
    assert_ok(engine_gradient_divergence(w.e, &b, 0.5F, spent, gradient, &sum, &err), err);
    assert_true(fabs(sum) < 1e-4); /* from itself */
    for (size_t i = 0; i < w.count; i++) {
        assert_true(fabsf(gradient[i]) < 1e-5F);
    }
    rng_init(&r, 2, "teacher");
    for (size_t i = 0; i < 2 * LENGTH * VOCAB; i++) {
        teacher[i] += (float)rng_normal(&r);
    }
    memcpy(spent, teacher, sizeof spent);
    memset(gradient, 0, w.count * sizeof *gradient);
    assert_ok(engine_gradient_divergence(w.e, &b, 0.5F, spent, gradient, &sum, &err), err);
    assert_near(sum, divergence(&w, &b, teacher), 1e-4);
    for (int direction = 0; direction < 3; direction++) {
        double slope = 0, up, down, size = 1e-3;
        float *weights = model_values(w.m);
        for (size_t i = 0; i < w.count; i++) {
            step[i] = (float)(size * rng_normal(&r));
            slope += (double)gradient[i] * (double)step[i];
            weights[i] += step[i];
        }
        up = divergence(&w, &b, teacher);
        for (size_t i = 0; i < w.count; i++) {
            weights[i] -= 2 * step[i];
        }
        down = divergence(&w, &b, teacher);
        for (size_t i = 0; i < w.count; i++) {
            weights[i] += step[i];
        }
        assert_true(fabs((up - down) / 2 - 2 * slope) < 0.02 * fabs(2 * slope) + 1e-3);
    }
    mem_free(gradient);
    close_world(&w);
}

/* ---- corrections ---- */

struct lesson {
    struct world *w;
    struct world *old;
    struct token_batch pairs, neutral;
    double sharpness, keep;
};

static winnow_status give(void *ctx, uint64_t step, struct unlearn_batch *out,
                          struct winnow_error *err)
{
    (void)step;
    (void)err;
    const struct lesson *l = ctx;
    *out = (struct unlearn_batch){l->pairs, l->neutral};
    return WINNOW_OK;
}

/* Mean log-likelihood of sequence s. */
static double said(struct engine *e, const struct world *w, size_t s)
{
    struct winnow_error err;
    float nll[LENGTH];
    double sum = 0;
    const struct token_batch b = {.tokens = w->tokens + s * LENGTH, .starts = ONE, .sequences = 1};
    assert_ok(engine_nll(e, &b, nll, &err), err);
    for (size_t t = 0; t < LENGTH; t++) {
        sum -= (double)nll[t] / (LENGTH - 1);
    }
    return sum;
}

/* The loss as its definition says: pairs of the first four sequences, the last two are neutral. */
static double plain_loss(struct lesson *l, struct engine *e, enum unlearn_loss kind)
{
    struct world *w = l->w, here = *w;
    double loss = 0;
    here.e = e;
    engine_weights_changed(e);
    if (kind == UNLEARN_TUNE) {
        return -(said(e, w, 4) + said(e, w, 5)) / 2;
    }
    for (size_t p = 0; p < 2; p++) {
        double bad = said(e, w, 2 * p) - said(l->old->e, w, 2 * p);
        double good = said(e, w, 2 * p + 1) - said(l->old->e, w, 2 * p + 1);
        loss += kind == UNLEARN_ASCENT ? said(e, w, 2 * p) / 2
                                       : log1p(exp(-l->sharpness * (good - bad))) / 2;
    }
    if (kind == UNLEARN_RANK) {
        struct winnow_error err;
        float teacher[2 * LENGTH * VOCAB];
        assert_ok(engine_logits(l->old->e, &l->neutral, teacher, &err), err);
        loss += l->keep * divergence(&here, &l->neutral, teacher) / (2 * (LENGTH - 1));
    }
    return loss;
}

static void check_correction(enum unlearn_loss kind)
{
    struct world w, old;
    struct winnow_error err;
    const struct winnow_env env = {0};
    struct rng r;
    open_world(&w, 32, 1, true);
    open_world(&old, 32, 1, false);
    rng_init(&r, 4, "moved");
    for (size_t i = 0; i < w.count; i++) { /* some way from the old model */
        model_values(w.m)[i] += (float)(0.03 * rng_normal(&r));
    }
    struct lesson l = {
        .w = &w,
        .old = &old,
        .pairs = {.tokens = w.tokens, .starts = w.starts, .sequences = 4},
        .neutral = {.tokens = w.tokens + 4 * LENGTH, .starts = w.starts, .sequences = 2},
        .sharpness = 1.5,
        .keep = 3};
    struct trainer_options how = TRAINER_OPTIONS_INIT;
    how.optimizer = TRAINER_SGD;
    how.lr = 1;
    how.lr_end = 1;
    how.warmup = 0;
    how.weight_decay = 0;
    how.clip = 0;
    how.tokens_max = 256;
    struct trainer *t;
    struct unlearner *u;
    assert_ok(trainer_new(w.m, w.pool, &how, &env, &t, &err), err);
    const struct unlearn_options opt = {
        .loss = kind, .sharpness = l.sharpness, .keep = l.keep, .next = give, .ctx = &l};
    assert_ok(unlearner_new(t, old.e, &opt, &u, &err), err);
    const struct learner learner = unlearner_learner(u);
    const struct sampler sampler = unlearner_sampler(u);
    struct sampler_batch b;
    struct trainer_result result;
    bool more;
    float *before = mem_alloc(2 * w.count * sizeof *before), *gradient = before + w.count;
    double loss = plain_loss(&l, trainer_engine(t), kind);
    memcpy(before, model_values(w.m), w.count * sizeof *before);
    assert_ok(sampler.next(sampler.state, &b, &more, &err), err);
    assert_ok(learner.kind->add(learner.of, &b.batch, batch_targets(&b.batch), NULL, &err), err);
    assert_ok(learner.kind->update(learner.of, &result, &err), err);
    assert_near(result.loss, loss, 1e-4);
    for (size_t i = 0; i < w.count; i++) {
        gradient[i] = before[i] - model_values(w.m)[i];
    }
    for (int direction = 0; direction < 3; direction++) {
        double slope = 0, up, down;
        float *weights = model_values(w.m);
        for (size_t i = 0; i < w.count; i++) {
            float step = (float)(1e-3 * rng_normal(&r));
            slope += (double)gradient[i] * (double)step;
            weights[i] = before[i] + step;
        }
        up = plain_loss(&l, trainer_engine(t), kind);
        for (size_t i = 0; i < w.count; i++) {
            weights[i] = 2 * before[i] - weights[i];
        }
        down = plain_loss(&l, trainer_engine(t), kind);
        assert_true(fabs((up - down) / 2 - slope) < 0.02 * fabs(slope) + 1e-4);
    }
    mem_free(before);
    unlearner_free(u);
    trainer_free(t);
    close_world(&w);
    close_world(&old);
}

static void gradients_of_corrections_are_those_of_their_losses(void **state)
{
    (void)state;
    check_correction(UNLEARN_RANK);
    check_correction(UNLEARN_ASCENT);
    check_correction(UNLEARN_TUNE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(eigenvectors_turn_matrices_to_their_values),
        cmocka_unit_test(curvature_is_that_of_explicit_gradients),
        cmocka_unit_test(curvature_is_the_same_on_threads_and_in_its_file),
        cmocka_unit_test(divergence_and_its_gradient_are_those_of_differences),
        cmocka_unit_test(gradients_of_corrections_are_those_of_their_losses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
