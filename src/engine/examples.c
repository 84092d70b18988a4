/* examples.c -- what one pass gives of each sequence: memory and entry. */
#include "engine/examples.h"

#include "base/mem.h"
#include "engine/examples_internal.h"

#include <assert.h>
#include <string.h>

struct example_shape example_shape(const struct model_config *c, enum example_matrix matrix)
{
    size_t d = c->dim, f = c->ffn, q = (size_t)c->heads * c->head_dim;
    switch (matrix) {
    case EXAMPLE_QKV:
        return (struct example_shape){d, q + 2 * (size_t)c->kv_heads * c->head_dim};
    case EXAMPLE_O:
        return (struct example_shape){q, d};
    case EXAMPLE_GATE_UP:
        return (struct example_shape){d, 2 * f};
    default:
        return (struct example_shape){f, d};
    }
}

size_t example_offset(const struct model *m, uint32_t layer, enum example_matrix matrix)
{
    static const enum tensor_role ROLES[EXAMPLE_MATRICES] = {TENSOR_Q, TENSOR_O, TENSOR_GATE,
                                                             TENSOR_DOWN};
    return model_find_role(m, ROLES[matrix], layer)->offset;
}

/* Pieces of the weight gradients that run together at most: a layer's or the head's. */
static size_t pieces_max(const struct engine *e)
{
    size_t layer = 0;
    for (int i = 0; i < EXAMPLE_MATRICES; i++) {
        struct example_shape s = example_shape(&e->c, (enum example_matrix)i);
        const struct weight_gradient w = {.m = s.outputs, .n = s.inputs};
        layer += weight_gradient_pieces(e, &w);
    }
    const struct weight_gradient head = {.m = e->c.vocab, .n = e->c.dim};
    size_t pieces = weight_gradient_pieces(e, &head);
    return pieces > layer ? pieces : layer;
}

static void *take(char *base, size_t *used, size_t bytes)
{
    char *p = base ? base + *used : NULL;
    *used += (bytes + 63) / 64 * 64;
    return p;
}

/* Lays everything out from base (NULL: only measures) and returns the bytes. */
static size_t plan(struct engine_examples *x, char *base)
{
    const struct engine *e = x->e;
    const struct example_options *o = &x->opt;
    size_t used = 0, t = e->tokens_max, layers = e->c.layers;
    struct example_site *sites = take(base, &used, layers * EXAMPLE_MATRICES * sizeof *sites);
    x->sites = sites;
    x->segments = take(base, &used, t * sizeof *x->segments);
    float *y[EXAMPLE_MATRICES] = {0};
    for (size_t i = 0; o->rank > 0 && i < layers * EXAMPLE_MATRICES; i++) {
        struct example_shape s = example_shape(&e->c, (enum example_matrix)(i % EXAMPLE_MATRICES));
        float **shared = &y[i % EXAMPLE_MATRICES];
        if (i < EXAMPLE_MATRICES) {
            *shared = take(base, &used, t * o->rank * sizeof(float));
        }
        struct example_site site = {.in = take(base, &used, gemm_size_b(&e->g, o->rank, s.inputs)),
                                    .out =
                                        take(base, &used, gemm_size_b(&e->g, o->rank, s.outputs)),
                                    .x = take(base, &used, t * o->rank * sizeof(float)),
                                    .y = *shared};
        if (base) {
            sites[i] = site;
        }
    }
    if (o->direction) {
        x->token_dots = take(base, &used, t * sizeof(float));
        x->partial = take(base, &used, pieces_max(e) * t * 2 * sizeof *x->partial);
    }
    if (o->direction || o->hashed > 0) {
        x->tile_floats = (size_t)(WEIGHT_ROWS + KERNELS_ROWS_MAX) * WEIGHT_COLS;
        x->tiles = take(base, &used, e->threads * x->tile_floats * sizeof(float));
    }
    return used;
}

static void describe(struct engine_examples *x, struct engine *e, const struct example_options *opt)
{
    assert(opt->rank % 8 == 0 && opt->rank <= EXAMPLE_RANK_MAX);
    assert(opt->rank == 0 || opt->hashed == 0);
    *x = (struct engine_examples){.e = e, .opt = *opt};
    size_t square = (size_t)opt->rank * opt->rank;
    x->width = opt->hashed > 0 ? opt->hashed : e->c.layers * EXAMPLE_MATRICES * square;
}

winnow_status engine_examples_new(struct engine *e, const struct example_options *opt,
                                  struct engine_examples **out, struct winnow_error *err)
{
    assert(e->gradients);
    struct engine_examples *x = mem_alloc(sizeof *x);
    describe(x, e, opt);
    x->memory_bytes = plan(x, NULL);
    x->memory = mem_try_alloc_huge(x->memory_bytes);
    if (!x->memory) {
        winnow_status st =
            error_set(err, WINNOW_E_NOMEM, "no memory for %zu MiB of sketches of each sequence",
                      x->memory_bytes >> 20);
        mem_free(x);
        return st;
    }
    (void)plan(x, x->memory);
    *out = x;
    return WINNOW_OK;
}

void engine_examples_free(struct engine_examples *x)
{
    if (!x) {
        return;
    }
    mem_free_huge(x->memory, x->memory_bytes);
    mem_free(x);
}

size_t engine_examples_width(const struct engine_examples *x)
{
    return x->width;
}

void engine_examples_project(struct engine_examples *x, uint32_t layer, enum example_matrix matrix,
                             const float *in, const float *out)
{
    const struct gemm *g = &x->e->g;
    struct example_shape s = example_shape(&x->e->c, matrix);
    struct example_site *site = &x->sites[(size_t)layer * EXAMPLE_MATRICES + matrix];
    uint32_t rank = x->opt.rank;
    gemm_pack_b_cols(g, site->in, &(struct pack_source){in, rank, s.inputs, rank});
    gemm_pack_b_cols(g, site->out, &(struct pack_source){out, rank, s.outputs, rank});
}

static void clear_results(const struct engine_examples *x, size_t sequences)
{
    const struct example_results *out = &x->out;
    for (size_t s = 0; s < sequences; s++) {
        if (out->dots) {
            out->dots[s] = 0;
        }
        if (out->squares) {
            out->squares[s] = 0;
        }
        if (out->nll) {
            out->nll[s] = 0;
        }
    }
    if (out->sketches) {
        memset(out->sketches, 0, sequences * x->width * sizeof(float));
    }
}

winnow_status engine_gradient_examples(struct engine *e, const struct token_batch *b, float scale,
                                       float *gradient, struct engine_examples *x,
                                       const struct example_results *out, struct winnow_error *err)
{
    assert(e->gradients && x->e == e && !(gradient && x->opt.hashed > 0));
    assert(out->sketches || (x->opt.rank == 0 && x->opt.hashed == 0));
    TRY(engine_check_batch(e, b, err));
    engine_pack_weights(e);
    e->scale = scale;
    e->gradient = gradient;
    e->examples = x;
    x->out = *out;
    clear_results(x, b->sequences);
    e->dropping = e->dropout.threshold > 0;
    for (size_t at = 0, first; engine_next_micro(e, b, &at, &first);) {
        if (x->token_dots) {
            memset(x->token_dots, 0, e->t * sizeof *x->token_dots);
        }
        engine_forward(e);
        engine_head_back(e);
        engine_backward(e);
        engine_sum_nll(e, out->nll);
    }
    e->dropping = false;
    e->examples = NULL;
    return WINNOW_OK;
}
