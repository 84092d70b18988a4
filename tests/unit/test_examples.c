/* What one pass gives of each sequence (engine/examples.h) against the gradients of the
 * sequences one by one, which test_engine.c judges by finite differences. */
#include "base/mem.h"
#include "base/rng.h"
#include "check.h"
#include "engine/examples.h"
#include "math/kernels.h"
#include "small_llama.h"

#include <math.h>
#include <stdlib.h>

#define TOKENS 1024U

/* Within a distance. */
#define assert_close(got, want, most)                                                   \
    do {                                                                                \
        double got_ = (got), want_ = (want), most_ = (most);                            \
        if (!(fabs(got_ - want_) <= most_)) {                                           \
            fail_msg("%s = %.9g, expected %.9g (within %g)", #got, got_, want_, most_); \
        }                                                                               \
    } while (0)

struct fixture {
    struct model *m;
    struct pool *pool;
    struct engine *e;
    uint32_t tokens[TOKENS], starts[64], targets[TOKENS];
    struct token_batch b;
    size_t count; /* of weights */
    struct rng rng;
};

static struct model_config full_config(void)
{
    struct model_config c = odd_llama();
    c.tied = false;
    c.qkv_bias = c.out_bias = c.mlp_bias = true;
    return c;
}

/* More vocabulary than a chunk of the head, tied. */
static struct model_config tied_config(void)
{
    struct model_config c = odd_llama();
    c.vocab = 2500;
    c.tied = true;
    return c;
}

static float *draw(struct rng *r, size_t n, double scale)
{
    float *x = malloc(n * sizeof *x);
    for (size_t i = 0; i < n; i++) {
        x[i] = (float)(scale * rng_normal(r));
    }
    return x;
}

static void fill(struct fixture *f, const uint32_t *lengths, size_t count)
{
    uint32_t at = 0;
    for (size_t s = 0; s < count; s++) {
        f->starts[s] = at;
        for (uint32_t i = 0; i < lengths[s]; i++, at++) {
            assert_true(at < TOKENS);
            f->tokens[at] = (uint32_t)rng_below(&f->rng, model_config(f->m)->vocab);
            /* answers only: the last half of each, and nothing behind its end */
            bool target = i >= lengths[s] / 2 && i + 1 < lengths[s];
            f->targets[at] =
                target ? (uint32_t)rng_below(&f->rng, model_config(f->m)->vocab) : BATCH_NO_TARGET;
        }
    }
    f->starts[count] = at;
    f->b = (struct token_batch){f->tokens, f->starts, count, f->targets};
}

static void open_engine(struct fixture *f, const struct model_config *c, uint32_t tokens_max,
                        uint32_t threads, const char *kernels)
{
    struct winnow_error err;
    *f = (struct fixture){0};
    rng_init(&f->rng, 11, "test examples");
    assert_ok(model_new(c, &f->m, &err), err);
    f->count = model_values_count(f->m);
    for (size_t i = 0; i < model_tensor_count(f->m); i++) {
        const struct model_tensor *t = model_tensor_at(f->m, i);
        for (size_t j = 0; j < (size_t)t->rows * t->cols; j++) {
            double x = 0.3 * rng_normal(&f->rng);
            model_data(f->m, t)[j] = (float)(strstr(t->name, "norm") ? 1 + x : x);
        }
    }
    f->pool = pool_new(threads);
    const struct winnow_env env = {.kernels = kernels};
    const struct engine_options opt = {.tokens_max = tokens_max, .gradients = true};
    assert_ok(engine_new(f->m, f->pool, &opt, &env, &f->e, &err), err);
}

static void close_engine(struct fixture *f)
{
    engine_free(f->e);
    pool_free(f->pool);
    model_free(f->m);
}

/* The gradient of sequence s alone. */
static float *alone(struct fixture *f, size_t s, float scale)
{
    struct winnow_error err;
    double nll;
    float *g = calloc(f->count, sizeof *g);
    uint32_t from = f->starts[s], starts[2] = {0, f->starts[s + 1] - from};
    const struct token_batch one = {f->tokens + from, starts, 1, f->targets + from};
    assert_ok(engine_gradient(f->e, &one, scale, g, &nll, NULL, &err), err);
    return g;
}

static double dot(const float *a, const float *b, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        sum += (double)a[i] * (double)b[i];
    }
    return sum;
}

static double hidden_squares(const struct fixture *f, const float *g)
{
    double sum = 0;
    for (size_t i = 0; i < model_tensor_count(f->m); i++) {
        const struct model_tensor *t = model_tensor_at(f->m, i);
        if (tensor_role_is_hidden(t->role)) {
            sum += dot(g + t->offset, g + t->offset, (size_t)t->rows * t->cols);
        }
    }
    return sum;
}

static const uint32_t LENGTHS[] = {5, 1, 0, 70, 33, 150, 2, 8};
#define COUNT (sizeof LENGTHS / sizeof LENGTHS[0])

static void products_are_those_of_single_gradients(const struct model_config *c,
                                                   const char *kernels, uint32_t tokens_max)
{
    struct fixture f;
    struct winnow_error err;
    open_engine(&f, c, tokens_max, 2, kernels);
    fill(&f, LENGTHS, COUNT);
    float *v = draw(&f.rng, f.count, 1), *sum = calloc(f.count, sizeof *sum);
    float *want = calloc(f.count, sizeof *want);
    double dots[COUNT], squares[COUNT], nll[COUNT], all, total = 0;
    const struct example_options opt = {.direction = v};
    const struct example_results out = {.dots = dots, .squares = squares, .nll = nll};
    struct engine_examples *x;
    assert_ok(engine_examples_new(f.e, &opt, &x, &err), err);
    assert_ok(engine_gradient_examples(f.e, &f.b, 0.5F, sum, x, &out, &err), err);
    for (size_t s = 0; s < COUNT; s++) {
        float *g = alone(&f, s, 0.5F);
        double norm = sqrt(dot(g, g, f.count)), length = sqrt(dot(v, v, f.count));
        assert_close(dots[s], dot(g, v, f.count), 1e-5 * norm * length + 1e-12);
        assert_close(squares[s], hidden_squares(&f, g), 1e-5 * norm * norm + 1e-12);
        total += nll[s];
        free(g);
    }
    assert_ok(engine_gradient(f.e, &f.b, 0.5F, want, &all, NULL, &err), err);
    assert_near(total, all, 1e-4 * all);
    double size = sqrt(dot(want, want, f.count));
    for (size_t i = 0; i < f.count; i++) {
        assert_close((double)sum[i], (double)want[i], 1e-5 * size);
    }
    double again[COUNT]; /* without the sum: the same products */
    const struct example_results only = {.dots = again};
    assert_ok(engine_gradient_examples(f.e, &f.b, 0.5F, NULL, x, &only, &err), err);
    for (size_t s = 0; s < COUNT; s++) {
        assert_true(again[s] == dots[s]);
    }
    engine_examples_free(x);
    free(v);
    free(sum);
    free(want);
    close_engine(&f);
}

static void products_equal_explicit_gradients(void **state)
{
    (void)state;
    struct model_config full = full_config(), tied = tied_config();
    for (size_t i = 0; kernels_usable(i); i++) {
        const char *k = kernels_usable(i)->name;
        products_are_those_of_single_gradients(&full, k, 512);
        products_are_those_of_single_gradients(&tied, k, 512);
        products_are_those_of_single_gradients(&tied, k, 160); /* several micro-batches */
    }
}

/* ---- factored ---- */

struct bases {
    float **in, **out;
};

static struct bases draw_bases(struct fixture *f, struct engine_examples *x, uint32_t rank)
{
    const struct model_config *c = model_config(f->m);
    struct bases b = {malloc(c->layers * 4UL * sizeof(float *)),
                      malloc(c->layers * 4UL * sizeof(float *))};
    for (uint32_t i = 0; i < c->layers * 4; i++) {
        struct example_shape s = example_shape(c, i % 4);
        b.in[i] = draw(&f->rng, s.inputs * rank, 0.2);
        b.out[i] = draw(&f->rng, s.outputs * rank, 0.2);
        engine_examples_project(x, i / 4, i % 4, b.in[i], b.out[i]);
    }
    return b;
}

/* P_o' G P_i in double, and the largest of its numbers. */
static double project(const float *g, struct example_shape s, const float *in, const float *out,
                      uint32_t rank, double *f)
{
    double top = 0;
    for (size_t o = 0; o < rank; o++) {
        for (size_t k = 0; k < rank; k++) {
            double sum = 0;
            for (size_t r = 0; r < s.outputs; r++) {
                double row = 0;
                for (size_t j = 0; j < s.inputs; j++) {
                    row += (double)g[r * s.inputs + j] * (double)in[j * rank + k];
                }
                sum += (double)out[r * rank + o] * row;
            }
            f[o * rank + k] = sum;
            top = fabs(sum) > top ? fabs(sum) : top;
        }
    }
    return top;
}

static void factored_sketches_are_projected_gradients(void **state)
{
    (void)state;
    struct fixture f;
    struct winnow_error err;
    struct model_config c = full_config();
    open_engine(&f, &c, 512, 1, NULL);
    fill(&f, LENGTHS, COUNT);
    const struct example_options opt = {.rank = 8};
    struct engine_examples *x;
    assert_ok(engine_examples_new(f.e, &opt, &x, &err), err);
    struct bases bases = draw_bases(&f, x, 8);
    size_t width = engine_examples_width(x);
    assert_int_equal(width, c.layers * 4 * 64);
    float *got = malloc(COUNT * width * sizeof *got), *sum = calloc(f.count, sizeof *sum);
    const struct example_results out = {.sketches = got};
    assert_ok(engine_gradient_examples(f.e, &f.b, 1, sum, x, &out, &err), err);
    assert_true(dot(sum, sum, f.count) > 0);
    for (size_t s = 0; s < COUNT; s++) {
        float *g = alone(&f, s, 1);
        for (uint32_t i = 0; i < c.layers * 4; i++) {
            double want[64];
            size_t at = example_offset(f.m, i / 4, i % 4);
            double top =
                project(g + at, example_shape(&c, i % 4), bases.in[i], bases.out[i], 8, want);
            for (size_t k = 0; k < 64; k++) {
                assert_close((double)got[s * width + i * 64UL + k], want[k], 1e-5 * top + 1e-12);
            }
        }
        free(g);
    }
    for (uint32_t i = 0; i < c.layers * 4; i++) {
        free(bases.in[i]);
        free(bases.out[i]);
    }
    free(bases.in);
    free(bases.out);
    free(got);
    free(sum);
    engine_examples_free(x);
    close_engine(&f);
}

/* ---- hashed ---- */

static float *hashed(struct fixture *f, const struct example_options *opt)
{
    struct winnow_error err;
    struct engine_examples *x;
    assert_ok(engine_examples_new(f->e, opt, &x, &err), err);
    float *got = malloc(f->b.sequences * opt->hashed * sizeof *got);
    const struct example_results out = {.sketches = got};
    assert_ok(engine_gradient_examples(f->e, &f->b, 1, NULL, x, &out, &err), err);
    engine_examples_free(x);
    return got;
}

/* Over many seeds the mean inner product of two sketches is that of the gradients, and its
 * spread what theory says: sqrt((1 + ip^2) / D) of unit vectors. */
static void hashed_sketches_keep_inner_products(void **state)
{
    (void)state;
    struct fixture f;
    struct model_config c = tied_config();
    open_engine(&f, &c, 512, 1, NULL);
    fill(&f, (uint32_t[]){60, 70}, 2);
    float *scale = draw(&f.rng, f.count, 1), *a = alone(&f, 0, 1), *b = alone(&f, 1, 1);
    double ab = 0, aa = 0, bb = 0, mean = 0, square = 0;
    for (size_t i = 0; i < model_tensor_count(f.m); i++) {
        const struct model_tensor *t = model_tensor_at(f.m, i);
        for (size_t j = t->offset;
             tensor_role_is_hidden(t->role) && j < t->offset + (size_t)t->rows * t->cols; j++) {
            double x = (double)a[j] * (double)scale[j], y = (double)b[j] * (double)scale[j];
            ab += x * y;
            aa += x * x;
            bb += y * y;
        }
    }
    enum { SEEDS = 200, DIM = 256 };
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        const struct example_options opt = {.hashed = DIM, .seed = seed, .scale = scale};
        float *got = hashed(&f, &opt);
        double ip = dot(got, got + DIM, DIM) / sqrt(aa * bb);
        mean += ip / SEEDS;
        square += ip * ip / SEEDS;
        free(got);
    }
    double cosine = ab / sqrt(aa * bb), sd = sqrt((1 + cosine * cosine) / DIM);
    assert_close(mean, cosine, 4 * sd / sqrt(SEEDS));
    assert_close(sqrt(square - mean * mean), sd, 0.2 * sd);
    free(scale);
    free(a);
    free(b);
    close_engine(&f);
}

/* ---- the same bits ---- */

static void sketch_all(struct fixture *f, struct example_options opt, float *got)
{
    struct winnow_error err;
    struct engine_examples *x;
    assert_ok(engine_examples_new(f->e, &opt, &x, &err), err);
    if (opt.rank > 0) {
        rng_init(&f->rng, 5, "bases");
        struct bases b = draw_bases(f, x, opt.rank);
        for (uint32_t i = 0; i < model_config(f->m)->layers * 4; i++) {
            free(b.in[i]);
            free(b.out[i]);
        }
        free(b.in);
        free(b.out);
    }
    const struct example_results out = {.sketches = got};
    assert_ok(engine_gradient_examples(f->e, &f->b, 1, NULL, x, &out, &err), err);
    engine_examples_free(x);
}

static void neither_threads_nor_company_change_a_bit(void **state)
{
    (void)state;
    const struct example_options kinds[] = {{.rank = 16}, {.hashed = 512, .seed = 3}};
    struct model_config c = full_config();
    for (size_t k = 0; k < 2; k++) {
        struct fixture f, g;
        open_engine(&f, &c, 512, 1, NULL);
        fill(&f, LENGTHS, COUNT);
        open_engine(&g, &c, 170, 3, NULL); /* other micro-batches, other tiles */
        fill(&g, LENGTHS, COUNT);
        size_t width = kinds[k].hashed ? 512 : c.layers * 4UL * 256;
        float *a = malloc(COUNT * width * sizeof *a), *b = malloc(COUNT * width * sizeof *b);
        sketch_all(&f, kinds[k], a);
        sketch_all(&g, kinds[k], b);
        assert_memory_equal(a, b, COUNT * width * sizeof *a);
        free(a);
        free(b);
        close_engine(&f);
        close_engine(&g);
    }
}

static void states_are_what_the_head_sees(void **state)
{
    (void)state;
    struct fixture f;
    struct winnow_error err;
    struct model_config c = full_config();
    open_engine(&f, &c, 512, 1, NULL);
    fill(&f, LENGTHS, COUNT);
    size_t n = batch_tokens(&f.b), d = c.dim;
    float *x = malloc(n * d * sizeof *x), *logits = malloc(n * c.vocab * sizeof *logits);
    assert_ok(engine_states(f.e, &f.b, x, &err), err);
    assert_ok(engine_logits(f.e, &f.b, logits, &err), err);
    const float *head = model_data_const(f.m, model_find_role(f.m, TENSOR_HEAD, 0));
    for (size_t i = 0; i < n; i++) {
        for (size_t v = 0; v < c.vocab; v += 7) {
            assert_near(dot(x + i * d, head + v * d, d), (double)logits[i * c.vocab + v], 1e-4);
        }
    }
    free(x);
    free(logits);
    close_engine(&f);
}

/* A weight multiplies the gradient of its sequence, and what each sequence lost is told. */
static void weights_multiply_gradients(void **state)
{
    (void)state;
    struct model_config c = MODEL_CONFIG_INIT;
    c.vocab = 40;
    c.dim = 16;
    c.layers = 2;
    c.heads = c.kv_heads = 2;
    c.head_dim = 8;
    c.ffn = 32;
    struct fixture f;
    struct winnow_error err;
    open_engine(&f, &c, 24, 2, NULL); /* several micro-batches */
    fill(&f, (const uint32_t[]){9, 14, 20, 6}, 4);
    static const float WEIGHTS[] = {0.5F, 0, 2, 1};
    float *got = calloc(f.count, sizeof *got), *want = calloc(f.count, sizeof *want);
    double sum, nll[4], total = 0, norm = 0, off = 0;
    f.b.weights = WEIGHTS;
    assert_ok(engine_gradient(f.e, &f.b, 0.25F, got, &sum, nll, &err), err);
    for (size_t s = 0; s < 4; s++) {
        float *g = alone(&f, s, 0.25F * WEIGHTS[s]);
        for (size_t i = 0; i < f.count; i++) {
            want[i] += g[i];
        }
        free(g);
        total += nll[s];
        assert_true(nll[s] > 0);
    }
    for (size_t i = 0; i < f.count; i++) {
        norm += (double)want[i] * (double)want[i];
        off += pow((double)got[i] - (double)want[i], 2);
    }
    assert_true(norm > 0 && sqrt(off / norm) < 1e-5);
    assert_true(fabs(total - sum) < 1e-9 * sum);
    free(got);
    free(want);
    close_engine(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(products_equal_explicit_gradients),
        cmocka_unit_test(factored_sketches_are_projected_gradients),
        cmocka_unit_test(hashed_sketches_keep_inner_products),
        cmocka_unit_test(neither_threads_nor_company_change_a_bit),
        cmocka_unit_test(states_are_what_the_head_sees),
        cmocka_unit_test(weights_multiply_gradients),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
