/* generate_attention.c -- causal attention over pages of keys and values.
 *
 * A block of queries meets the keys page by page, each row's softmax is taken,
 * and the block's P meets the values page by page, the sums of one page going on
 * from those of the page before (gemm_tile.from).  So each number is the sum of
 * the same products in the same order as in attention.c, whatever the size of a
 * page and however many queries are in a block, and has its bits; the tests
 * hold that.
 *
 * The queries of a block share a kv head: one query of all its heads while
 * decoding, a run of queries of one head while a prompt is read.
 */
#include "engine/generator_internal.h"

#include <math.h>

struct block {
    const float *q;
    float *out;
    size_t q_stride, out_stride; /* from row to row */
    size_t rows;
    size_t first, more; /* keys that row 0 sees, and each next one more */
    size_t kv_head;
};

/* Cuts one part.  A few queries go one by one with all heads of a kv head. */
static void cut_part(struct generator *g, uint32_t part)
{
    const struct model_config *c = &g->e->c;
    const struct step_part *p = &g->parts[part];
    if (p->count <= c->heads / c->kv_heads) {
        for (uint32_t h = 0; h < c->kv_heads; h++) {
            g->pieces[g->piece_count++] = (struct attention_piece){part, h, 0, p->count, true};
        }
        return;
    }
    for (uint32_t from = 0; from < p->count; from += g->block) {
        uint32_t count = p->count - from < g->block ? p->count - from : g->block;
        for (uint32_t h = 0; h < c->heads; h++) {
            g->pieces[g->piece_count++] = (struct attention_piece){part, h, from, count, false};
        }
    }
}

size_t generate_pieces_max(const struct generator *g)
{
    return (size_t)g->e->c.heads * (g->rows + g->step_tokens / g->block + 1);
}

void generate_cut_attention(struct generator *g)
{
    g->piece_count = 0;
    for (uint32_t i = 0; i < g->part_count; i++) {
        cut_part(g, i);
    }
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

static void run_tile(const struct generator *g, const struct gemm_tile *t)
{
    if (g->cache.shape.g.type == GEMM_F32) {
        g->cache.shape.g.k->tile_f32(t);
    } else {
        g->cache.shape.g.k->tile_bf16(t);
    }
}

static void fetch(const char *p, size_t bytes)
{
    for (size_t i = 0; i < bytes; i += 64) {
        __builtin_prefetch(p + i);
    }
}

/* While one query meets the keys of a page, its values and the next page's keys
 * come from memory: there is less to compute than to read. */
static void fetch_ahead(const struct generator *g, const struct slot *slot, const struct block *b,
                        size_t page)
{
    const struct kv_cache *c = &g->cache;
    size_t keys = c->value_offset, values = c->head_bytes - c->value_offset;
    fetch(kv_cache_values(c, slot->pages[page], g->layer, b->kv_head), values);
    if (page + 1 < slot->page_count) {
        fetch(kv_cache_keys(c, slot->pages[page + 1], g->layer, b->kv_head), keys);
    }
}

/* scores[row][key] = Q K' for all keys that the last row sees. */
static void block_scores(const struct generator *g, const struct generate_scratch *s,
                         const struct slot *slot, const struct block *b)
{
    const struct gemm *m = &g->cache.shape.g;
    size_t rows = m->k->gemm_rows, cols = m->k->gemm_cols, h = g->cache.shape.head_dim;
    size_t depth = gemm_steps(m, h), page = g->cache.shape.page_tokens;
    size_t seen = b->first + (b->rows - 1) * b->more;
    gemm_pack_rows(m, s->query, (uint32_t)rows,
                   &(struct pack_source){b->q, b->q_stride, b->rows, h});
    struct gemm_tile t = {.k = depth, .a_step = rows, .b_step = cols, .c_step = g->keys_max};
    for (size_t key = 0; key < seen; key += cols) {
        const uint32_t *keys =
            kv_cache_keys(&g->cache, slot->pages[key / page], g->layer, b->kv_head);
        if (b->more == 0 && key % page == 0) {
            fetch_ahead(g, slot, b, key / page);
        }
        t.b = keys + key % page * depth;
        t.n = (uint32_t)least(seen - key, cols);
        for (size_t i = 0; i < b->rows; i += rows) {
            t.m = (uint32_t)least(b->rows - i, rows);
            t.a = (const uint32_t *)s->query + i * depth;
            t.c = s->scores + i * g->keys_max + key;
            run_tile(g, &t);
        }
    }
}

/* out = P V */
static void block_values(const struct generator *g, const struct generate_scratch *s,
                         const struct slot *slot, const struct block *b)
{
    const struct gemm *m = &g->cache.shape.g;
    size_t rows = m->k->gemm_rows, cols = m->k->gemm_cols, h = g->cache.shape.head_dim;
    size_t page = g->cache.shape.page_tokens, seen = b->first + (b->rows - 1) * b->more;
    size_t depth = gemm_steps(m, seen);
    struct gemm_tile t = {
        .a_step = rows, .b_step = g->cache.shape.head_pad, .c_step = b->out_stride};
    for (size_t key = 0; key < seen; key += page) {
        const uint32_t *values =
            kv_cache_values(&g->cache, slot->pages[key / page], g->layer, b->kv_head);
        t.k = gemm_steps(m, least(seen - key, page));
        for (size_t i = 0; i < b->rows; i += rows) {
            t.m = (uint32_t)least(b->rows - i, rows);
            t.a = (const uint32_t *)s->p + i * depth + gemm_steps(m, key) * rows;
            for (size_t at = 0; at < h; at += cols) {
                t.n = (uint32_t)least(h - at, cols);
                t.b = values + at;
                t.c = b->out + i * b->out_stride + at;
                t.from = key > 0 ? t.c : NULL;
                run_tile(g, &t);
            }
        }
    }
}

static void attend(const struct generator *g, const struct generate_scratch *s,
                   const struct slot *slot, const struct block *b)
{
    const struct gemm *m = &g->cache.shape.g;
    size_t seen = b->first + (b->rows - 1) * b->more;
    block_scores(g, s, slot, b);
    m->k->softmax_rows(
        s->scores, &(struct softmax_rows){.stride = g->keys_max,
                                          .rows = b->rows,
                                          .cols = seen,
                                          .first = b->first,
                                          .more = b->more,
                                          .scale = 1.0F / sqrtf((float)g->cache.shape.head_dim)});
    gemm_pack_rows(m, s->p, m->k->gemm_rows,
                   &(struct pack_source){s->scores, g->keys_max, b->rows, seen});
    block_values(g, s, slot, b);
}

/* One query and all heads of a kv head, block by block of heads. */
static void attend_group(const struct generator *g, const struct generate_scratch *s,
                         const struct step_part *part, size_t kv_head, size_t query)
{
    const struct engine *e = g->e;
    const struct engine_layer *l = &e->layers[g->layer];
    size_t group = e->c.heads / e->c.kv_heads, h = e->c.head_dim, token = part->first + query;
    for (size_t i = 0; i < group; i += g->block) {
        size_t at = (kv_head * group + i) * h;
        struct block b = {.q = l->qkv + token * e->s + at,
                          .out = l->attended + token * e->q + at,
                          .q_stride = h,
                          .out_stride = h,
                          .rows = least(group - i, g->block),
                          .first = part->from + query + 1,
                          .more = 0,
                          .kv_head = kv_head};
        attend(g, s, part->slot, &b);
    }
}

void generate_attention_piece(void *generator, size_t piece, uint32_t worker)
{
    const struct generator *g = generator;
    const struct engine *e = g->e;
    const struct engine_layer *l = &e->layers[g->layer];
    const struct generate_scratch *s = &g->scratch[worker];
    const struct attention_piece *p = &g->pieces[piece];
    const struct step_part *part = &g->parts[p->part];
    if (p->grouped) {
        for (size_t i = 0; i < p->count; i++) {
            attend_group(g, s, part, p->head, i);
        }
        return;
    }
    size_t token = part->first + p->query, at = (size_t)p->head * e->c.head_dim;
    struct block b = {.q = l->qkv + token * e->s + at,
                      .out = l->attended + token * e->q + at,
                      .q_stride = e->s,
                      .out_stride = e->q,
                      .rows = p->count,
                      .first = part->from + p->query + 1,
                      .more = 1,
                      .kv_head = p->head / (e->c.heads / e->c.kv_heads)};
    attend(g, s, part->slot, &b);
}
