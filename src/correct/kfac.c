/* kfac.c -- factors in memory, what their inverse does to a matrix, and their file. */
#include "correct/kfac.h"

#include "base/mem.h"
#include "base/state_file.h"
#include "correct/kfac_internal.h"

#include <string.h>

#define KIND "winnowKF"

void kfac_release(struct kfac *k)
{
    mem_free_huge(k->values, k->count * sizeof *k->values);
    mem_free(k->matrices);
    *k = (struct kfac){0};
}

static size_t plan_side(struct kfac_side *s, size_t n)
{
    size_t blocks = (n + KFAC_BLOCK - 1) / KFAC_BLOCK, block = (n + blocks - 1) / blocks;
    size_t last = n - (blocks - 1) * block;
    *s = (struct kfac_side){.n = n, .block = block, .blocks = blocks};
    return (blocks - 1) * block * block + last * last;
}

static void place_matrix(struct kfac_matrix *m, struct example_shape s, float *base, size_t *at)
{
    size_t in = plan_side(&m->in, s.inputs), out = plan_side(&m->out, s.outputs);
    if (base) {
        m->in.vectors = base + *at;
        m->out.vectors = m->in.vectors + in;
        m->curvature = m->out.vectors + out;
    }
    *at += in + out + s.inputs * s.outputs;
}

static size_t numbers(const struct model_config *c)
{
    size_t count = 0;
    for (size_t i = 0; i < EXAMPLE_MATRICES; i++) {
        struct kfac_matrix m;
        place_matrix(&m, example_shape(c, (enum example_matrix)i), NULL, &count);
    }
    return count * c->layers;
}

winnow_status kfac_make(const struct model_config *c, struct kfac *out, struct winnow_error *err)
{
    size_t matrices = (size_t)c->layers * EXAMPLE_MATRICES, at = 0;
    *out = (struct kfac){.layers = c->layers, .count = numbers(c)};
    out->values = mem_try_alloc_huge(out->count * sizeof *out->values);
    if (!out->values) {
        out->count = 0;
        return error_set(err, WINNOW_E_NOMEM, "no memory for curvature of %zu MiB",
                         numbers(c) * sizeof *out->values >> 20);
    }
    out->matrices = mem_zalloc(matrices * sizeof *out->matrices);
    for (size_t i = 0; i < matrices; i++) {
        struct example_shape s = example_shape(c, (enum example_matrix)(i % EXAMPLE_MATRICES));
        place_matrix(&out->matrices[i], s, out->values, &at);
    }
    return WINNOW_OK;
}

struct kfac_span kfac_span(const struct kfac_side *s, size_t i)
{
    size_t from = i * s->block, n = s->n - from < s->block ? s->n - from : s->block;
    return (struct kfac_span){from, n, s->vectors + i * s->block * s->block};
}

/* ---- products ---- */

static size_t most(size_t a, size_t b)
{
    return a > b ? a : b;
}

static size_t packed_bytes(const struct gemm *g, size_t rows, bool left)
{
    size_t n = KFAC_BLOCK;
    return left ? most(most(gemm_size_a(g, rows, n), gemm_size_a(g, n, rows)), gemm_size_a(g, n, n))
                : most(gemm_size_b(g, n, rows), gemm_size_b(g, n, n));
}

struct kfac_scratch *kfac_scratch_new(const struct gemm *g, size_t rows, uint32_t threads)
{
    struct kfac_scratch *s = mem_zalloc(threads * sizeof *s);
    for (uint32_t i = 0; i < threads; i++) {
        s[i] = (struct kfac_scratch){
            .a = mem_alloc(packed_bytes(g, rows, true)),
            .b = mem_alloc(packed_bytes(g, rows, false)),
            .one = mem_alloc((size_t)KFAC_BLOCK * KFAC_BLOCK * sizeof(float)),
            .two = mem_alloc((size_t)KFAC_BLOCK * KFAC_BLOCK * sizeof(float))};
    }
    return s;
}

void kfac_scratch_free(struct kfac_scratch *s, uint32_t threads)
{
    for (uint32_t i = 0; s && i < threads; i++) {
        mem_free(s[i].a);
        mem_free(s[i].b);
        mem_free(s[i].one);
        mem_free(s[i].two);
    }
    mem_free(s);
}

/* Gram matrices and curvature of fitting are these numbers already; what comes on top are a
 * document's tokens, its logits, and each worker's scratch with an eigensystem in doubles. */
uint64_t kfac_memory(const struct model_config *c, uint32_t context, uint32_t threads)
{
    size_t wide = 0;
    for (size_t i = 0; i < EXAMPLE_MATRICES; i++) {
        struct example_shape s = example_shape(c, (enum example_matrix)i);
        wide = most(wide, s.inputs + s.outputs);
    }
    uint64_t block = (uint64_t)KFAC_BLOCK * KFAC_BLOCK;
    uint64_t worker = block * (2 * sizeof(float) + 2 * sizeof(double)) +
                      2 * (uint64_t)most(context, KFAC_BLOCK) * KFAC_BLOCK * sizeof(float);
    return numbers(c) * sizeof(float) + threads * worker +
           (uint64_t)context * (wide + c->vocab) * sizeof(float);
}

void kfac_product(const struct gemm *g, const struct kfac_scratch *s, struct kfac_factor a,
                  struct kfac_factor b, struct gemm_shape shape, const struct gemm_out *out)
{
    struct pack_source left = {a.from, a.stride, a.columns ? shape.k : shape.m,
                               a.columns ? shape.m : shape.k};
    struct pack_source right = {b.from, b.stride, b.columns ? shape.k : shape.n,
                                b.columns ? shape.n : shape.k};
    (a.columns ? gemm_pack_a_cols : gemm_pack_a_rows)(g, s->a, &left);
    (b.columns ? gemm_pack_b_cols : gemm_pack_b_rows)(g, s->b, &right);
    gemm_run(g, shape, s->a, s->b, out);
}

/* ---- the inverse ---- */

struct inverting {
    const struct kfac_matrix *m;
    struct gemm g;
    struct kfac_scratch *scratch;
    float damping;
    float *v; /* the matrix */
};

static double mean_curvature(const struct kfac_matrix *m)
{
    double sum = 0;
    size_t n = m->in.n * m->out.n;
    for (size_t i = 0; i < n; i++) {
        sum += (double)m->curvature[i];
    }
    return sum / (double)n;
}

static void invert_block(void *ctx, size_t piece, uint32_t worker)
{
    const struct inverting *t = ctx;
    const struct kfac_scratch *s = &t->scratch[worker];
    struct kfac_span o = kfac_span(&t->m->out, piece / t->m->in.blocks);
    struct kfac_span i = kfac_span(&t->m->in, piece % t->m->in.blocks);
    size_t stride = t->m->in.n;
    float *v = t->v + o.from * stride + i.from;
    const float *curvature = t->m->curvature + o.from * stride + i.from;
    const struct gemm_out one = {s->one, i.n, false, NULL}, two = {s->two, i.n, false, NULL};
    kfac_product(&t->g, s, (struct kfac_factor){v, stride, false},
                 (struct kfac_factor){i.vectors, i.n, false}, (struct gemm_shape){o.n, i.n, i.n},
                 &one);
    kfac_product(&t->g, s, (struct kfac_factor){o.vectors, o.n, false},
                 (struct kfac_factor){s->one, i.n, true}, (struct gemm_shape){o.n, i.n, o.n}, &two);
    for (size_t r = 0; r < o.n; r++) {
        for (size_t c = 0; c < i.n; c++) {
            s->two[r * i.n + c] /= curvature[r * stride + c] + t->damping;
        }
    }
    kfac_product(&t->g, s, (struct kfac_factor){s->two, i.n, false},
                 (struct kfac_factor){i.vectors, i.n, true}, (struct gemm_shape){o.n, i.n, i.n},
                 &one);
    kfac_product(&t->g, s, (struct kfac_factor){o.vectors, o.n, true},
                 (struct kfac_factor){s->one, i.n, true}, (struct gemm_shape){o.n, i.n, o.n},
                 &(struct gemm_out){v, stride, false, NULL});
}

/* What is no matrix of a layer becomes 0: tensors come by offset. */
static void clear_others(const struct model *m, float *v)
{
    for (size_t i = 0; i < model_tensor_count(m); i++) {
        const struct model_tensor *t = model_tensor_at(m, i);
        if (!tensor_role_is_hidden(t->role)) {
            memset(v + t->offset, 0, (size_t)t->rows * t->cols * sizeof *v);
        }
    }
}

void kfac_precondition(const struct kfac *k, const struct model *m, double damping,
                       struct pool *pool, const struct kernels *kernels, float *v)
{
    struct inverting t = {.g = {kernels, GEMM_F32}};
    t.scratch = kfac_scratch_new(&t.g, KFAC_BLOCK, pool_threads(pool));
    for (size_t i = 0; i < (size_t)k->layers * EXAMPLE_MATRICES; i++) {
        t.m = &k->matrices[i];
        t.v = v + example_offset(m, (uint32_t)(i / EXAMPLE_MATRICES),
                                 (enum example_matrix)(i % EXAMPLE_MATRICES));
        double mean = mean_curvature(t.m);
        t.damping = (float)(mean > 0 ? damping * mean : 1); /* a matrix that nothing reaches */
        pool_run(pool, t.m->in.blocks * t.m->out.blocks, invert_block, &t);
    }
    kfac_scratch_free(t.scratch, pool_threads(pool));
    clear_others(m, v);
}

/* ---- the file ---- */

winnow_status kfac_save(const struct kfac *k, const char *path, struct winnow_error *err)
{
    const uint64_t head[2] = {k->layers, k->count};
    const struct str parts[] = {state_part(head, sizeof head),
                                state_part(&k->targets, sizeof k->targets),
                                state_part(k->values, k->count * sizeof *k->values)};
    return state_file_write(path, KIND, parts, 3, err);
}

winnow_status kfac_load(const char *path, const struct model_config *c, struct kfac *out,
                        struct winnow_error *err)
{
    struct state_file f;
    uint64_t head[2];
    *out = (struct kfac){0};
    TRY(state_file_open(path, KIND, &f, err));
    winnow_status st = kfac_make(c, out, err);
    if (st == WINNOW_OK &&
        (!state_file_take(&f, head, sizeof head) || head[0] != out->layers ||
         head[1] != out->count || !state_file_take(&f, &out->targets, sizeof out->targets) ||
         !state_file_take(&f, out->values, out->count * sizeof *out->values))) {
        st = error_set(err, WINNOW_E_FORMAT, "%s holds the curvature of another model", path);
    }
    state_file_close(&f);
    return st;
}
