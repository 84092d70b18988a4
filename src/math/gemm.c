/* gemm.c -- products out of packed panels.
 *
 * The classic form (Goto, van de Geijn 2008): A in panels of up to gemm_rows rows,
 * B in panels of gemm_cols columns, both with k running slowest, so that a tile
 * kernel reads both factors in order and keeps its part of C in registers.
 * Measured (bench/bench_gemm.c): cutting k so that a panel of B fits the first
 * cache costs more in reading and writing C than it saves, since a tile needs
 * only a few bytes a cycle from the second-level cache.  So k is cut only where
 * a panel of B would fill that cache too.  A caller's tile (about 128 tokens by
 * one weight matrix) has its A there as well, hence no further levels of
 * blocking.
 */
#include "math/gemm.h"

#include "base/round.h"

#include <assert.h>

#define GEMM_DEPTH 2048U

size_t gemm_steps(const struct gemm *g, size_t k)
{
    assert(g->type != GEMM_INT8);
    return g->type == GEMM_BF16 ? (k + 1) / 2 : k;
}

static uint32_t at_most(size_t left, uint32_t most)
{
    return left < most ? (uint32_t)left : most;
}

static size_t int8_blocks(size_t k)
{
    return (k + KERNELS_BLOCK - 1) / KERNELS_BLOCK;
}

/* Words of 4 bytes that a row takes in a packed factor. */
static size_t words_a(const struct gemm *g, size_t k)
{
    return g->type == GEMM_INT8 ? kernels_block_steps(k) + 2 * int8_blocks(k) : gemm_steps(g, k);
}

static size_t words_b(const struct gemm *g, size_t k)
{
    return g->type == GEMM_INT8 ? kernels_block_steps(k) + int8_blocks(k) : gemm_steps(g, k);
}

/* Panels equally high, since a low one takes nearly as long as one of twice its
 * height (32 rows are 11 + 11 + 10, not 14 + 14 + 4). */
uint32_t gemm_panel_rows(const struct gemm *g, size_t m)
{
    size_t panels = (m + g->k->gemm_rows - 1) / g->k->gemm_rows;
    return (uint32_t)((m + panels - 1) / panels);
}

size_t gemm_size_a(const struct gemm *g, size_t m, size_t k)
{
    return round_up(round_up(m, g->k->gemm_rows) * words_a(g, k) * 4, 64);
}

size_t gemm_size_b(const struct gemm *g, size_t n, size_t k)
{
    return round_up(round_up(n, g->k->gemm_cols) * words_b(g, k) * 4, 64);
}

void gemm_pack_rows(const struct gemm *g, void *dst, uint32_t width, const struct pack_source *s)
{
    assert(g->type != GEMM_INT8);
    if (g->type == GEMM_BF16) {
        g->k->pack_rows_bf16(dst, width, s);
    } else {
        g->k->pack_rows_f32(dst, width, s);
    }
}

void gemm_pack_cols(const struct gemm *g, void *dst, uint32_t width, const struct pack_source *s)
{
    assert(g->type != GEMM_INT8);
    if (g->type == GEMM_BF16) {
        g->k->pack_cols_bf16(dst, width, s);
    } else {
        g->k->pack_cols_f32(dst, width, s);
    }
}

/* Rows of A, no more than fit the panels of `rows`. */
static void pack_a(const struct gemm *g, void *dst, uint32_t rows, const struct pack_source *s)
{
    if (g->type == GEMM_INT8) {
        g->k->pack_a_int8(dst, rows, s);
    } else {
        gemm_pack_rows(g, dst, rows, s);
    }
}

void gemm_pack_a_rows(const struct gemm *g, void *dst, const struct pack_source *s)
{
    pack_a(g, dst, gemm_panel_rows(g, s->rows), s);
}

void gemm_pack_a_part(const struct gemm *g, void *dst, const struct gemm_part *part,
                      const struct pack_source *s)
{
    size_t rows = gemm_panel_rows(g, part->m), words = words_a(g, part->k);
    assert(part->m0 % rows == 0 && part->m0 + s->rows <= part->m);
    assert(part->k0 % GEMM_PART == 0 && part->k0 + s->cols <= part->k);
    uint32_t *to = (uint32_t *)dst + part->m0 * words + rows * words_a(g, part->k0);
    for (size_t r = 0; r < s->rows; r += rows, to += rows * words) {
        const float *src = s->src + r * s->stride;
        struct pack_source panel = {src, s->stride, at_most(s->rows - r, (uint32_t)rows), s->cols};
        pack_a(g, to, (uint32_t)rows, &panel);
    }
}

void gemm_pack_a_cols(const struct gemm *g, void *dst, const struct pack_source *s)
{
    gemm_pack_cols(g, dst, gemm_panel_rows(g, s->cols), s);
}

void gemm_pack_b_rows(const struct gemm *g, void *dst, const struct pack_source *s)
{
    if (g->type == GEMM_INT8) {
        g->k->pack_b_int8(dst, s);
    } else {
        gemm_pack_rows(g, dst, g->k->gemm_cols, s);
    }
}

void gemm_pack_b_cols(const struct gemm *g, void *dst, const struct pack_source *s)
{
    gemm_pack_cols(g, dst, g->k->gemm_cols, s);
}

const void *gemm_at_b(const struct gemm *g, const void *b, size_t n0, size_t k)
{
    return (const uint32_t *)b + n0 * words_b(g, k);
}

/* What the first piece of k is added to; the next ones are added to C. */
static const float *base_of(const struct gemm_out *out)
{
    if (!out->add) {
        return NULL;
    }
    return out->base ? out->base : out->c;
}

typedef void tile_fn(const struct gemm_tile *t);

static tile_fn *tile_of(const struct gemm *g)
{
    switch (g->type) {
    case GEMM_F32:
        return g->k->tile_f32;
    case GEMM_BF16:
        return g->k->tile_bf16;
    default:
        return g->k->tile_int8;
    }
}

/* The next panel of B while this one is worked on: each tile of it fetches the
 * lines behind those of the tile before, as long as there are any.  With few rows
 * of A a panel comes from memory, and would otherwise be waited for. */
static const void *next_panel(const struct gemm_tile *t, size_t panel, size_t steps, size_t tile)
{
    size_t from = tile * steps * 64;
    return from < panel ? (const char *)t->b + panel + from : NULL;
}

void gemm_run(const struct gemm *g, struct gemm_shape s, const void *a, const void *b,
              const struct gemm_out *out)
{
    gemm_run_top(g, s, s.m, a, b, out);
}

void gemm_run_top(const struct gemm *g, struct gemm_shape s, size_t rows, const void *a,
                  const void *b, const struct gemm_out *out)
{
    tile_fn *tile = tile_of(g);
    uint32_t high = gemm_panel_rows(g, s.m), cols = g->k->gemm_cols;
    size_t a_words = words_a(g, s.k), b_words = words_b(g, s.k);
    /* In int8 k is short and is never cut. */
    size_t depth = g->type == GEMM_INT8 ? kernels_block_steps(s.k) : a_words;
    size_t each = g->type == GEMM_INT8 ? depth : GEMM_DEPTH;
    struct gemm_tile t = {.a_step = high, .b_step = cols, .c_step = out->stride};
    const float *base = base_of(out);
    for (size_t k0 = 0; k0 < depth; k0 += each, base = out->c) {
        t.k = depth - k0 < each ? depth - k0 : each;
        for (size_t n0 = 0; n0 < s.n; n0 += cols) {
            t.n = at_most(s.n - n0, cols);
            t.b = (const uint32_t *)b + n0 * b_words + k0 * cols;
            for (size_t m0 = 0; m0 < rows; m0 += high) {
                t.m = at_most(rows - m0, high);
                t.a = (const uint32_t *)a + m0 * a_words + k0 * high;
                t.c = out->c + m0 * out->stride + n0;
                t.base = base ? base + m0 * out->stride + n0 : NULL;
                t.ahead = next_panel(&t, b_words * cols * sizeof(uint32_t), t.k, m0 / high);
                tile(&t);
            }
        }
    }
}

void gemm_run_views(const struct gemm *g, struct gemm_shape s, struct gemm_view a,
                    struct gemm_view b, const struct gemm_out *out)
{
    tile_fn *tile = tile_of(g);
    uint32_t rows = g->k->gemm_rows, cols = g->k->gemm_cols;
    struct gemm_tile t = {
        .k = gemm_steps(g, s.k), .a_step = a.step, .b_step = b.step, .c_step = out->stride};
    const float *base = base_of(out);
    for (size_t n0 = 0, j = 0; n0 < s.n; n0 += cols, j++) {
        t.n = at_most(s.n - n0, cols);
        t.b = (const uint32_t *)b.ptr + j * b.panel;
        for (size_t m0 = 0, i = 0; m0 < s.m; m0 += rows, i++) {
            t.m = at_most(s.m - m0, rows);
            t.a = (const uint32_t *)a.ptr + i * a.panel;
            t.c = out->c + m0 * out->stride + n0;
            t.base = base ? base + m0 * out->stride + n0 : NULL;
            tile(&t);
        }
    }
}
