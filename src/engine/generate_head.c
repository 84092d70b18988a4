/* generate_head.c -- the next token of each row, without its logits in memory.
 *
 * A piece is a chunk of the vocabulary: its logits for all rows, then the best
 * and the second best of each row among the tokens that its mask allows.  The
 * chunks' winners are joined in the order of the vocabulary, and a later token
 * must be better to win, so ties go to the lowest id.
 */
#include "engine/generator_internal.h"

#include <math.h>
#include <string.h>

/* Numbers looked through at once for the place of a maximum. */
#define SPAN 128U

size_t generate_chunks(const struct generator *g)
{
    return (g->e->c.vocab + HEAD_CHUNK - 1) / HEAD_CHUNK;
}

static void offer(struct choice *best, const struct choice *c)
{
    if (c->token == UINT32_MAX) {
        return;
    }
    if (best->token == UINT32_MAX) {
        *best = *c;
    } else if (c->top > best->top) {
        best->second = best->top > c->second ? best->top : c->second;
        best->top = c->top;
        best->token = c->token;
    } else if (c->top > best->second) {
        best->second = c->top;
    }
}

/* The best of x[0..n), whose first is token. */
static struct choice best_of_span(const struct kernels *k, const float *x, size_t n, uint32_t token)
{
    float top = k->max(x, n), second = -INFINITY;
    size_t at = 0;
    while (at + 1 < n && x[at] != top) {
        at++;
    }
    if (at > 0) {
        second = k->max(x, at);
    }
    if (at + 1 < n) {
        float behind = k->max(x + at + 1, n - at - 1);
        second = behind > second ? behind : second;
    }
    return (struct choice){top, second, token + (uint32_t)at};
}

/* Two passes: maxima of spans, then the winning span in full. */
static struct choice best_of_row(const struct kernels *k, const float *x, size_t n, uint32_t token)
{
    size_t won = 0;
    float top = -INFINITY, second = -INFINITY;
    for (size_t at = 0; at < n; at += SPAN) {
        float most = k->max(x + at, n - at < SPAN ? n - at : SPAN);
        if (at == 0 || most > top) {
            second = top;
            top = most;
            won = at;
        } else if (most > second) {
            second = most;
        }
    }
    struct choice c =
        best_of_span(k, x + won, n - won < SPAN ? n - won : SPAN, token + (uint32_t)won);
    c.second = second > c.second ? second : c.second;
    return c;
}

/* The same among tokens whose bit is set. */
static struct choice best_of_bits(const float *x, size_t n, uint32_t token, const uint64_t *bits)
{
    struct choice best = {-INFINITY, -INFINITY, UINT32_MAX};
    for (size_t word = 0; word * 64 < n; word++) {
        for (uint64_t left = bits[token / 64 + word]; left != 0; left &= left - 1) {
            size_t at = word * 64 + (size_t)__builtin_ctzll(left);
            offer(&best, &(struct choice){x[at], -INFINITY, token + (uint32_t)at});
        }
    }
    return best;
}

static const struct step_part *wanted_part(const struct generator *g, size_t i)
{
    return &g->parts[g->wanted[i]];
}

/* Rows from..from + count of those wanted: the last norm, packed. */
static void pack_wanted(const struct generator *g, struct engine_scratch *s, struct tile_span rows)
{
    const struct engine *e = g->e;
    size_t d = e->c.dim;
    for (size_t i = 0; i < rows.count; i++) {
        const struct step_part *p = wanted_part(g, rows.from + i);
        const float *x = e->x + (size_t)(p->first + p->count - 1) * d;
        (void)e->k->rmsnorm(s->rows + i * d, x, e->norm, d, (float)e->c.norm_eps);
    }
    gemm_pack_a_rows(&e->g, s->a, &(struct pack_source){s->rows, d, rows.count, d});
}

static void chunk_piece(void *generator, size_t chunk, uint32_t worker)
{
    struct generator *g = generator;
    const struct engine *e = g->e;
    struct engine_scratch *s = &e->scratch[worker];
    size_t v0 = chunk * HEAD_CHUNK, d = e->c.dim;
    size_t n = e->c.vocab - v0 < HEAD_CHUNK ? e->c.vocab - v0 : HEAD_CHUNK;
    bool one_tile = g->wanted_count <= TILE_MOST, first = generate_first_piece(g, worker);
    for (size_t from = 0; from < g->wanted_count; from += TILE_MOST) {
        size_t left = g->wanted_count - from;
        struct tile_span rows = {from, left < TILE_MOST ? left : TILE_MOST};
        if (first || !one_tile) {
            pack_wanted(g, s, rows);
        }
        gemm_run(&e->g, (struct gemm_shape){rows.count, n, d}, s->a,
                 gemm_at_b(&e->g, e->w_head.forward, v0, d),
                 &(struct gemm_out){s->logits, HEAD_CHUNK, false, NULL});
        for (size_t i = 0; i < rows.count; i++) {
            const struct slot *slot = wanted_part(g, from + i)->slot;
            float *x = s->logits + i * HEAD_CHUNK;
            if (slot->request.temperature > 0) {
                generate_add_chance(x, n, (uint32_t)v0, slot->request.temperature,
                                    generate_sample_key(slot->request.seed, slot->length));
            }
            g->choices[chunk * g->rows + from + i] =
                slot->masked ? best_of_bits(x, n, (uint32_t)v0, slot->bits)
                             : best_of_row(e->k, x, n, (uint32_t)v0);
        }
    }
}

void generate_choose(struct generator *g)
{
    if (g->wanted_count == 0) {
        return;
    }
    size_t chunks = generate_chunks(g);
    generate_run(g, chunks, chunk_piece);
    for (size_t i = 0; i < g->wanted_count; i++) {
        for (size_t c = 1; c < chunks; c++) {
            offer(&g->choices[i], &g->choices[c * g->rows + i]);
        }
    }
}
