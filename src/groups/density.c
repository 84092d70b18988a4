/* density.c -- see density.h.  Two sweeps: one counts, one reads.  Counts are whole numbers, so
 * the order in which threads add to them does not show. */
#include "groups/density.h"

#include "base/mem.h"
#include "base/rng.h"

#include <math.h>

#define DIRECTIONS   (DENSITY_SKETCHES * DENSITY_JOINED)
#define ROUND_BLOCKS 256U

_Static_assert(DIRECTIONS <= GROUP_TILE, "a block's projections are one tile");

struct sketching {
    const struct kmeans_home *home;
    const struct group_rows *rows;
    struct group_others directions;
    float shifts[DIRECTIONS];
    uint32_t *counts; /* [DENSITY_SKETCHES][DENSITY_BUCKETS] */
    struct group_scratch *scratches;
    size_t first;
    float *density; /* NULL: count */
};

static size_t bucket(const struct sketching *s, const float *p, size_t sketch)
{
    uint64_t hash = sketch;
    for (size_t j = 0; j < DENSITY_JOINED; j++) {
        size_t at = sketch * DENSITY_JOINED + j;
        int32_t step = (int32_t)floorf((p[at] + s->shifts[at]) / (float)DENSITY_WIDTH);
        hash = rng_mix(hash * UINT64_C(0x9E3779B97F4A7C15) + (uint64_t)(int64_t)step);
    }
    return sketch * DENSITY_BUCKETS + (size_t)(hash % DENSITY_BUCKETS);
}

static void sketch_block(void *ctx, size_t piece, uint32_t worker)
{
    struct sketching *s = ctx;
    struct group_scratch *scratch = &s->scratches[worker];
    uint32_t at[GROUP_BLOCK] = {0};
    size_t from = (s->first + piece) * GROUP_BLOCK;
    size_t n = s->rows->count - from < GROUP_BLOCK ? s->rows->count - from : GROUP_BLOCK;
    for (size_t i = 0; i < n; i++) {
        at[i] = (uint32_t)(from + i);
    }
    group_block_pack(scratch, s->rows, s->home->k, at, n);
    group_block_products(scratch, n, &s->directions, 0, DIRECTIONS);
    for (size_t i = 0; i < n; i++) {
        uint64_t sum = 0;
        for (size_t k = 0; k < DENSITY_SKETCHES; k++) {
            uint32_t *count = &s->counts[bucket(s, scratch->products + i * GROUP_TILE, k)];
            if (s->density) {
                sum += *count;
            } else {
                (void)__atomic_fetch_add(count, 1, __ATOMIC_RELAXED);
            }
        }
        if (s->density) {
            s->density[from + i] = (float)((double)sum / DENSITY_SKETCHES / (double)s->rows->count);
        }
    }
}

static winnow_status sweep(struct sketching *s, float *density, struct winnow_error *err)
{
    size_t blocks = (s->rows->count + GROUP_BLOCK - 1) / GROUP_BLOCK;
    s->density = density;
    for (s->first = 0; s->first < blocks; s->first += ROUND_BLOCKS) {
        size_t n = blocks - s->first < ROUND_BLOCKS ? blocks - s->first : ROUND_BLOCKS;
        pool_run(s->home->pool, n, sketch_block, s);
        if (s->rows->forget) {
            size_t last = s->rows->count - 1;
            group_rows_forget(s->rows, (s->rows->which ? s->rows->which[last] : last) + 1);
        }
        env_progress(s->home->env, density ? "diversify densities" : "diversify sketches", "blocks",
                     s->first + n, blocks);
        TRY(env_check(s->home->env, err));
    }
    return WINNOW_OK;
}

static void draw_directions(struct sketching *s, uint64_t seed)
{
    struct rng r;
    size_t dim = s->rows->dim;
    float *x = mem_alloc(DIRECTIONS * dim * sizeof *x);
    rng_init(&r, seed, "diversify density");
    for (size_t i = 0; i < DIRECTIONS * dim; i++) {
        x[i] = (float)rng_normal(&r);
    }
    for (size_t i = 0; i < DIRECTIONS; i++) {
        s->shifts[i] = (float)(rng_uniform(&r) * DENSITY_WIDTH);
    }
    group_others_pack(&s->directions, s->home->k, x, DIRECTIONS, dim);
    mem_free(x);
}

winnow_status density_find(const struct kmeans_home *home, const struct group_rows *rows,
                           uint64_t seed, float *density, struct winnow_error *err)
{
    uint32_t threads = pool_threads(home->pool);
    struct sketching *s = mem_zalloc(sizeof *s);
    s->home = home;
    s->rows = rows;
    s->counts = mem_zalloc((size_t)DENSITY_SKETCHES * DENSITY_BUCKETS * sizeof *s->counts);
    s->scratches = mem_zalloc(threads * sizeof *s->scratches);
    for (uint32_t i = 0; i < threads; i++) {
        group_scratch_init(&s->scratches[i], home->k, rows->dim);
    }
    draw_directions(s, seed);
    winnow_status st = sweep(s, NULL, err);
    st = st == WINNOW_OK ? sweep(s, density, err) : st;
    for (uint32_t i = 0; i < threads; i++) {
        group_scratch_release(&s->scratches[i]);
    }
    group_others_release(&s->directions);
    mem_free(s->scratches);
    mem_free(s->counts);
    mem_free(s);
    return st;
}

uint64_t density_bytes(size_t dim, uint32_t threads)
{
    uint64_t scratch = (uint64_t)GROUP_BLOCK * (2 * dim + GROUP_TILE) * sizeof(float);
    return (uint64_t)DENSITY_SKETCHES * DENSITY_BUCKETS * sizeof(uint32_t) +
           2 * (uint64_t)DIRECTIONS * dim * sizeof(float) + threads * scratch;
}
