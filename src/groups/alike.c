/* alike.c -- see alike.h.  A piece of work is a block of rows of one cluster against all before
 * them, so a large cluster keeps all threads busy, and its result does not depend on them. */
#include "groups/alike.h"

#include "base/mem.h"
#include "base/sort.h"
#include "base/state_file.h"

#include <math.h>
#include <string.h>

#define KIND         "winnowAL"
#define ROUND_BLOCKS 64U /* of rows, between two looks at whether to stop */

void alike_release(struct alike *a)
{
    mem_free(a->cosine);
    mem_free(a->nearest);
    *a = (struct alike){.windowed = 0};
}

struct placed {
    uint32_t cluster, row;
    float cosine;
};

/* Rows first..first + n - 1 of the order are compared with from.. on. */
struct block {
    uint32_t from, first, n;
};

struct comparing {
    const struct kmeans_home *home;
    const struct group_rows *rows;
    struct placed *order;
    struct block *blocks;
    size_t block_count, block_cap, first; /* first: of this round */
    struct group_scratch *scratches;
    struct group_others *others; /* a worker each */
    float **wide;                /* [GROUP_TILE][dim], a worker each */
    struct alike *out;
};

static int hard_first(const void *pa, const void *pb)
{
    const struct placed *a = pa, *b = pb;
    if (a->cluster != b->cluster) {
        return a->cluster < b->cluster ? -1 : 1;
    }
    if (a->cosine < b->cosine || a->cosine > b->cosine) {
        return a->cosine < b->cosine ? -1 : 1;
    }
    return (a->row > b->row) - (a->row < b->row);
}

static int easy_first(const void *pa, const void *pb)
{
    const struct placed *a = pa, *b = pb;
    return a->cluster == b->cluster && (a->cosine < b->cosine || a->cosine > b->cosine)
               ? -hard_first(pa, pb)
               : hard_first(pa, pb);
}

/* ---- blocks ---- */

static void add_blocks(struct comparing *c, uint32_t start, uint32_t end)
{
    for (uint32_t at = start; at < end; at += GROUP_BLOCK) {
        if (c->block_count == c->block_cap) {
            size_t cap = c->block_cap > 0 ? 2 * c->block_cap : 1024;
            c->blocks =
                mem_realloc(c->blocks, c->block_cap * sizeof *c->blocks, cap * sizeof *c->blocks);
            c->block_cap = cap;
        }
        uint32_t from = at - start > ALIKE_WINDOW ? at - ALIKE_WINDOW : start;
        uint32_t n = end - at < GROUP_BLOCK ? end - at : GROUP_BLOCK;
        c->blocks[c->block_count++] = (struct block){from, at, n};
    }
    c->out->windowed += end - start > ALIKE_WINDOW ? end - start : 0;
}

static void make_blocks(struct comparing *c)
{
    uint32_t n = (uint32_t)c->rows->count;
    for (uint32_t at = 0, start = 0; at <= n; at++) {
        if (at == n || c->order[at].cluster != c->order[start].cluster) {
            add_blocks(c, start, at);
            start = at;
        }
    }
}

/* The others from..from + n - 1 of the order, all before the row of the block at `last`. */
static void take_products(const struct comparing *c, const struct group_scratch *s,
                          const struct block *b, uint32_t from, uint32_t n)
{
    for (uint32_t i = 0; i < b->n; i++) {
        uint32_t row = c->order[b->first + i].row, most = b->first + i - from;
        const float *p = s->products + (size_t)i * GROUP_TILE;
        float best = c->out->cosine[row];
        for (uint32_t j = 0; j < n && j < most; j++) {
            if (p[j] > best) {
                best = p[j];
                c->out->nearest[row] = c->order[from + j].row;
            }
        }
        c->out->cosine[row] = best;
    }
}

static void compare_block(void *ctx, size_t piece, uint32_t worker)
{
    struct comparing *c = ctx;
    const struct block *b = &c->blocks[c->first + piece];
    struct group_scratch *s = &c->scratches[worker];
    uint32_t at[GROUP_BLOCK], end = b->first + b->n;
    for (uint32_t i = 0; i < b->n; i++) {
        at[i] = c->order[b->first + i].row;
    }
    group_block_pack(s, c->rows, c->home->k, at, b->n);
    for (uint32_t from = b->from; from + 1 < end; from += GROUP_TILE) {
        uint32_t n = end - from < GROUP_TILE ? end - from : GROUP_TILE;
        for (uint32_t j = 0; j < n; j++) {
            group_row_widen(c->rows, c->order[from + j].row,
                            c->wide[worker] + (size_t)j * c->rows->dim);
        }
        group_others_pack(&c->others[worker], c->home->k, c->wide[worker], GROUP_TILE,
                          c->rows->dim);
        group_block_products(s, b->n, &c->others[worker], 0, n);
        take_products(c, s, b, from, n);
    }
}

static winnow_status compare(struct comparing *c, struct winnow_error *err)
{
    uint64_t done = 0;
    for (c->first = 0; c->first < c->block_count; c->first += ROUND_BLOCKS) {
        size_t n =
            c->block_count - c->first < ROUND_BLOCKS ? c->block_count - c->first : ROUND_BLOCKS;
        pool_run(c->home->pool, n, compare_block, c);
        for (size_t i = 0; i < n; i++) {
            done += c->blocks[c->first + i].n;
        }
        if (c->rows->forget) {
            size_t last = c->rows->count - 1;
            group_rows_forget(c->rows, (c->rows->which ? c->rows->which[last] : last) + 1);
        }
        env_progress(c->home->env, "diversify near-copies", "documents", done, c->rows->count);
        TRY(env_check(c->home->env, err));
    }
    return WINNOW_OK;
}

static winnow_status compare_all(struct comparing *c, struct winnow_error *err)
{
    uint32_t threads = pool_threads(c->home->pool);
    size_t dim = c->rows->dim;
    c->scratches = mem_zalloc(threads * sizeof *c->scratches);
    c->others = mem_zalloc(threads * sizeof *c->others);
    c->wide = mem_zalloc(threads * sizeof(float *));
    for (uint32_t i = 0; i < threads; i++) {
        group_scratch_init(&c->scratches[i], c->home->k, dim);
        c->wide[i] = mem_zalloc(GROUP_TILE * dim * sizeof(float));
    }
    winnow_status st = compare(c, err);
    for (uint32_t i = 0; i < threads; i++) {
        group_scratch_release(&c->scratches[i]);
        group_others_release(&c->others[i]);
        mem_free(c->wide[i]);
    }
    mem_free(c->scratches);
    mem_free(c->others);
    mem_free((void *)c->wide);
    return st;
}

/* ---- what is kept of it ---- */

static winnow_status save(const struct alike *a, size_t n, uint64_t print, const char *path,
                          struct winnow_error *err)
{
    const uint64_t head[3] = {n, print, a->windowed};
    const struct str parts[] = {state_part(head, sizeof head),
                                state_part(a->cosine, n * sizeof *a->cosine),
                                state_part(a->nearest, n * sizeof *a->nearest)};
    return path ? state_file_write(path, KIND, parts, 3, err) : WINNOW_OK;
}

static bool load(struct alike *a, size_t n, uint64_t print, const char *path)
{
    struct state_file f;
    struct winnow_error ignored; /* what cannot be read is made anew */
    uint64_t head[3];
    if (!path || !file_exists(path) || state_file_open(path, KIND, &f, &ignored) != WINNOW_OK) {
        return false;
    }
    bool good = state_file_take(&f, head, sizeof head) && head[0] == n && head[1] == print &&
                state_file_take(&f, a->cosine, n * sizeof *a->cosine) &&
                state_file_take(&f, a->nearest, n * sizeof *a->nearest) && f.left.len == 0;
    for (size_t i = 0; good && i < n; i++) {
        good = a->nearest[i] < n || a->nearest[i] == ALIKE_NONE;
    }
    a->windowed = good ? head[2] : 0;
    state_file_close(&f);
    return good;
}

winnow_status alike_find(const struct kmeans_home *home, const struct group_rows *rows,
                         const uint32_t *cluster, const float *cosine,
                         const struct alike_options *opt, struct alike *out,
                         struct winnow_error *err)
{
    size_t n = rows->count;
    struct comparing c = {.home = home, .rows = rows, .out = out};
    out->cosine = mem_try_alloc((n + 1) * sizeof *out->cosine);
    out->nearest = mem_try_alloc((n + 1) * sizeof *out->nearest);
    c.order = mem_try_alloc((n + 1) * sizeof *c.order);
    winnow_status st = out->cosine && out->nearest && c.order
                           ? WINNOW_OK
                           : error_set(err, WINNOW_E_NOMEM,
                                       "no memory to compare %zu documents with each other", n);
    uint64_t print = st == WINNOW_OK
                         ? hash64(state_part(cluster, n * sizeof *cluster),
                                  hash64(state_part(cosine, n * sizeof *cosine), opt->easy))
                         : 0;
    if (st == WINNOW_OK && !load(out, n, print, opt->path)) {
        for (size_t i = 0; i < n; i++) {
            out->cosine[i] = -1;
            out->nearest[i] = ALIKE_NONE;
            c.order[i] = (struct placed){cluster[i], (uint32_t)i, cosine[i]};
        }
        sort(c.order, n, sizeof *c.order, opt->easy ? easy_first : hard_first);
        make_blocks(&c);
        st = compare_all(&c, err);
        st = st == WINNOW_OK ? save(out, n, print, opt->path, err) : st;
    }
    mem_free(c.order);
    mem_free(c.blocks);
    return st;
}
