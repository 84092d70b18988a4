/* kmeans.c -- see kmeans.h. */
#include "groups/kmeans.h"

#include "base/mem.h"
#include "base/rng.h"
#include "base/sort.h"
#include "base/state_file.h"

#include <math.h>
#include <string.h>

#define KIND         "winnowKM"
#define GAIN_LEAST   1e-4
#define START_ROWS   32U     /* a cluster, that k-means++ chooses among */
#define NEAR_ENOUGH  0.9999F /* to be no cluster of its own */
#define SAVE_SECONDS 2.0
#define ROUND_BLOCKS 256U /* blocks of rows between two looks at whether to stop */

struct learning {
    const struct kmeans_home *home;
    const struct kmeans_options *opt;
    struct group_rows rows; /* the sample, copied */
    uint16_t *data;
    struct kmeans *m;
    uint32_t *cluster;
    float *cosine;
    uint32_t *order, *starts; /* rows by cluster, in order; where each begins, [k + 1] */
    double before;            /* mean cosine of the iteration before */
    double saved_at;
    uint64_t print; /* of the rows: a state of others is none */
};

void kmeans_release(struct kmeans *m)
{
    mem_free(m->centroids);
    *m = (struct kmeans){.k = 0};
}

/* ---- assigning ---- */

struct assigning {
    const struct group_rows *rows;
    struct group_others centroids;
    struct group_scratch *scratches;
    const struct kernels *k;
    size_t first; /* block of this round */
    uint32_t *cluster;
    float *cosine;
};

static void assign_block(void *ctx, size_t piece, uint32_t worker)
{
    struct assigning *a = ctx;
    struct group_scratch *s = &a->scratches[worker];
    uint32_t at[GROUP_BLOCK];
    size_t from = (a->first + piece) * GROUP_BLOCK, k = a->centroids.count;
    size_t n = a->rows->count - from < GROUP_BLOCK ? a->rows->count - from : GROUP_BLOCK;
    for (size_t i = 0; i < n; i++) {
        at[i] = (uint32_t)(from + i);
        a->cosine[from + i] = -INFINITY;
        a->cluster[from + i] = 0;
    }
    group_block_pack(s, a->rows, a->k, at, n);
    for (size_t c = 0; c < k; c += GROUP_TILE) {
        size_t some = k - c < GROUP_TILE ? k - c : GROUP_TILE;
        group_block_products(s, n, &a->centroids, c, some);
        for (size_t i = 0; i < n; i++) {
            const float *p = s->products + i * GROUP_TILE;
            float best = a->cosine[from + i];
            size_t which = a->cluster[from + i];
            for (size_t j = 0; j < some; j++) {
                which = p[j] > best ? c + j : which;
                best = p[j] > best ? p[j] : best;
            }
            a->cosine[from + i] = best;
            a->cluster[from + i] = (uint32_t)which;
        }
    }
}

/* Of what lies in a mapping, the part that these blocks were. */
static void let_go(const struct group_rows *r, size_t from, size_t to)
{
    if (r->forget && to > from) {
        const uint16_t *first = group_row(r, from), *last = group_row(r, to - 1) + r->dim;
        file_map_forget((struct str){(const char *)first, (size_t)(last - first) * sizeof *first});
    }
}

static winnow_status assign_rounds(const struct kmeans_home *home, struct assigning *a,
                                   const char *progress, struct winnow_error *err)
{
    size_t blocks = (a->rows->count + GROUP_BLOCK - 1) / GROUP_BLOCK;
    for (a->first = 0; a->first < blocks; a->first += ROUND_BLOCKS) {
        size_t n = blocks - a->first < ROUND_BLOCKS ? blocks - a->first : ROUND_BLOCKS;
        pool_run(home->pool, n, assign_block, a);
        size_t to = (a->first + n) * GROUP_BLOCK;
        to = to < a->rows->count ? to : a->rows->count;
        let_go(a->rows, a->first * GROUP_BLOCK, to);
        if (progress) {
            env_progress(home->env, progress, "documents", to, a->rows->count);
        }
        TRY(env_check(home->env, err));
    }
    return WINNOW_OK;
}

static winnow_status assign_all(const struct kmeans_home *home, const struct group_rows *rows,
                                const struct kmeans *m, uint32_t *cluster, float *cosine,
                                const char *progress, struct winnow_error *err)
{
    uint32_t threads = pool_threads(home->pool);
    struct assigning a = {.rows = rows, .k = home->k, .cluster = cluster, .cosine = cosine};
    group_others_pack(&a.centroids, home->k, m->centroids, m->k, m->dim);
    a.scratches = mem_zalloc(threads * sizeof *a.scratches);
    for (uint32_t i = 0; i < threads; i++) {
        group_scratch_init(&a.scratches[i], home->k, m->dim);
    }
    winnow_status st = assign_rounds(home, &a, progress, err);
    for (uint32_t i = 0; i < threads; i++) {
        group_scratch_release(&a.scratches[i]);
    }
    mem_free(a.scratches);
    group_others_release(&a.centroids);
    return st;
}

winnow_status kmeans_assign(const struct kmeans_home *home, const struct group_rows *rows,
                            const struct kmeans *m, uint32_t *cluster, float *cosine,
                            struct winnow_error *err)
{
    return assign_all(home, rows, m, cluster, cosine, "diversify clusters", err);
}

/* ---- the sample ---- */

static size_t sample_rows(size_t rows, const struct kmeans_options *opt)
{
    size_t most = opt->k * (size_t)opt->sample;
    return opt->sample == 0 || most > rows ? rows : most;
}

/* A row of each of n equal stretches of them. */
static void take_sample(struct learning *l, const struct group_rows *from, size_t n)
{
    struct rng r;
    rng_init(&r, l->opt->seed, l->opt->stream);
    size_t dim = from->dim;
    for (size_t i = 0; i < n; i++) {
        size_t low = (size_t)((double)from->count * (double)i / (double)n);
        size_t high = (size_t)((double)from->count * (double)(i + 1) / (double)n);
        size_t at = low + (high > low + 1 ? rng_below(&r, high - low) : 0);
        at = n == from->count ? i : at < from->count ? at : from->count - 1;
        memcpy(l->data + i * dim, group_row(from, at), dim * sizeof *l->data);
        if (i % 4096 == 4095) {
            let_go(from, low > 4096 ? low - 4096 : 0, at + 1);
        }
    }
    l->rows = (struct group_rows){.data = l->data, .dim = dim, .count = n};
}

/* ---- k-means++ ---- */

struct starting {
    const struct learning *l;
    const float *x; /* the centroid that was chosen last */
    double *far;    /* of each row that is chosen among: its distance from the nearest, squared */
    size_t count, step;
};

static void measure_block(void *ctx, size_t piece, uint32_t worker)
{
    (void)worker;
    struct starting *s = ctx;
    const struct group_rows *rows = &s->l->rows;
    size_t from = piece * GROUP_BLOCK;
    size_t to = s->count - from < GROUP_BLOCK ? s->count : from + GROUP_BLOCK;
    for (size_t i = from; i < to; i++) {
        float dot;
        s->l->home->k->dots_bf16(&dot, group_row(rows, i * s->step), s->x, rows->dim, 1, rows->dim);
        double far = 2 - 2 * (double)dot;
        far = far > 1e-6 ? far : 0; /* bf16: a copy is no distance away */
        s->far[i] = far < s->far[i] ? far : s->far[i];
    }
}

/* One of those at hand with a chance in proportion to its distance; where all are copies of
 * centroids, any. */
static size_t draw_far(const struct starting *s, struct rng *r)
{
    double all = 0;
    for (size_t i = 0; i < s->count; i++) {
        all += s->far[i];
    }
    if (!(all > 0)) {
        return rng_below(r, s->count);
    }
    double left = rng_uniform(r) * all;
    size_t last = 0;
    for (size_t i = 0; i < s->count; i++) {
        if (s->far[i] > 0) {
            last = i;
            left -= s->far[i];
            if (left < 0) {
                break;
            }
        }
    }
    return last;
}

static winnow_status start_far(struct learning *l, struct rng *r, struct winnow_error *err)
{
    size_t most = l->opt->k * START_ROWS;
    struct starting s = {.l = l, .count = l->rows.count < most ? l->rows.count : most};
    s.step = s.count > 0 ? l->rows.count / s.count : 1;
    s.far = mem_alloc(s.count * sizeof *s.far);
    for (size_t i = 0; i < s.count; i++) {
        s.far[i] = 4;
    }
    winnow_status st = WINNOW_OK;
    for (size_t c = 0; st == WINNOW_OK && c < l->opt->k; c++) {
        size_t at = draw_far(&s, r);
        s.x = l->m->centroids + c * l->rows.dim;
        group_row_widen(&l->rows, at * s.step, l->m->centroids + c * l->rows.dim);
        pool_run(l->home->pool, (s.count + GROUP_BLOCK - 1) / GROUP_BLOCK, measure_block, &s);
        env_progress(l->home->env, "diversify start", "clusters", c + 1, l->opt->k);
        st = env_check(l->home->env, err);
    }
    mem_free(s.far);
    return st;
}

/* k rows at random, none twice. */
static void start_anywhere(struct learning *l, struct rng *r)
{
    size_t n = l->rows.count;
    uint32_t *all = mem_alloc(n * sizeof *all);
    for (size_t i = 0; i < n; i++) {
        all[i] = (uint32_t)i;
    }
    for (size_t c = 0; c < l->opt->k; c++) {
        size_t other = c + rng_below(r, n - c);
        uint32_t at = all[other];
        all[other] = all[c];
        group_row_widen(&l->rows, at, l->m->centroids + c * l->rows.dim);
    }
    mem_free(all);
}

/* ---- an iteration ---- */

static void sort_by_cluster(struct learning *l)
{
    size_t n = l->rows.count, k = l->m->k;
    memset(l->starts, 0, (k + 1) * sizeof *l->starts);
    for (size_t i = 0; i < n; i++) {
        l->starts[l->cluster[i] + 1]++;
    }
    for (size_t c = 0; c < k; c++) {
        l->starts[c + 1] += l->starts[c];
    }
    for (size_t i = 0; i < n; i++) {
        l->order[l->starts[l->cluster[i]]++] = (uint32_t)i;
    }
    for (size_t c = k; c > 0; c--) { /* each has moved to where the next begins */
        l->starts[c] = l->starts[c - 1];
    }
    l->starts[0] = 0;
}

static void scale_to_one(float *x, const double *sum, size_t dim)
{
    double squares = 0;
    for (size_t i = 0; i < dim; i++) {
        squares += sum[i] * sum[i];
    }
    double norm = sqrt(squares);
    for (size_t i = 0; norm > 1e-12 && i < dim; i++) { /* rows that cancel leave it as it was */
        x[i] = (float)(sum[i] / norm);
    }
}

static void move_cluster(void *ctx, size_t c, uint32_t worker)
{
    (void)worker;
    struct learning *l = ctx;
    size_t dim = l->rows.dim;
    uint32_t from = l->starts[c], to = l->starts[c + 1];
    if (from == to) {
        return;
    }
    double *sum = mem_zalloc(dim * sizeof *sum);
    for (uint32_t i = from; i < to; i++) {
        const uint16_t *row = group_row(&l->rows, l->order[i]);
        for (size_t d = 0; d < dim; d++) {
            uint32_t bits = (uint32_t)row[d] << 16;
            float x;
            memcpy(&x, &bits, sizeof x);
            sum[d] += (double)x;
        }
    }
    scale_to_one(l->m->centroids + c * dim, sum, dim);
    mem_free(sum);
}

struct distant {
    float cosine;
    uint32_t row;
};

static int by_distance(const void *pa, const void *pb)
{
    const struct distant *a = pa, *b = pb;
    if (a->cosine < b->cosine || a->cosine > b->cosine) {
        return a->cosine < b->cosine ? -1 : 1;
    }
    return (a->row > b->row) - (a->row < b->row);
}

/* Empty clusters take the rows that are farthest from their centroids. */
static void fill_empty(struct learning *l)
{
    size_t n = l->rows.count, next = 0, empty = 0;
    for (size_t c = 0; c < l->m->k; c++) {
        empty += l->starts[c] == l->starts[c + 1];
    }
    if (empty == 0) {
        return;
    }
    struct distant *all = mem_alloc(n * sizeof *all);
    for (size_t i = 0; i < n; i++) {
        all[i] = (struct distant){l->cosine[i], (uint32_t)i};
    }
    sort(all, n, sizeof *all, by_distance);
    for (size_t c = 0; c < l->m->k && next < n; c++) {
        if (l->starts[c] == l->starts[c + 1] && all[next].cosine < NEAR_ENOUGH) {
            group_row_widen(&l->rows, all[next++].row, l->m->centroids + c * l->rows.dim);
        }
    }
    mem_free(all);
}

static double mean_cosine(const struct learning *l)
{
    double sum = 0;
    for (size_t i = 0; i < l->rows.count; i++) {
        sum += (double)l->cosine[i];
    }
    return sum / (double)l->rows.count;
}

/* ---- going on ---- */

struct state_head {
    uint64_t k, dim, rows, print;
    uint64_t iterations;
    double before;
};

static winnow_status save(struct learning *l, struct winnow_error *err)
{
    const struct state_head head = {l->m->k,  l->m->dim,        l->rows.count,
                                    l->print, l->m->iterations, l->before};
    const struct str parts[] = {
        state_part(&head, sizeof head),
        state_part(l->m->centroids, l->m->k * l->m->dim * sizeof(float)),
    };
    l->saved_at = env_seconds();
    return l->opt->path ? state_file_write(l->opt->path, KIND, parts, 2, err) : WINNOW_OK;
}

/* What a killed call wrote down, if it is of these rows. */
static bool resume(struct learning *l)
{
    struct state_file f;
    struct state_head head;
    struct winnow_error ignored; /* what cannot be read is begun anew */
    if (!l->opt->path || !file_exists(l->opt->path) ||
        state_file_open(l->opt->path, KIND, &f, &ignored) != WINNOW_OK) {
        return false;
    }
    bool good = state_file_take(&f, &head, sizeof head) && head.k == l->m->k &&
                head.dim == l->m->dim && head.rows == l->rows.count && head.print == l->print &&
                state_file_take(&f, l->m->centroids, head.k * head.dim * sizeof(float)) &&
                f.left.len == 0;
    state_file_close(&f);
    if (good) {
        l->m->iterations = (uint32_t)head.iterations;
        l->before = head.before;
    }
    return good;
}

static winnow_status iterate(struct learning *l, bool *done, struct winnow_error *err)
{
    struct kmeans *m = l->m;
    TRY(assign_all(l->home, &l->rows, m, l->cluster, l->cosine, NULL, err));
    sort_by_cluster(l);
    m->cosine = mean_cosine(l);
    *done = m->iterations >= l->opt->iterations ||
            (m->iterations > 1 && m->cosine - l->before < GAIN_LEAST);
    if (*done) {
        return WINNOW_OK;
    }
    l->before = m->cosine;
    pool_run(l->home->pool, m->k, move_cluster, l);
    fill_empty(l);
    m->iterations++;
    env_progress(l->home->env, "diversify k-means", "iterations", m->iterations,
                 l->opt->iterations);
    return env_seconds() - l->saved_at < SAVE_SECONDS ? WINNOW_OK : save(l, err);
}

static winnow_status learn(struct learning *l, struct winnow_error *err)
{
    struct rng r;
    rng_init(&r, l->opt->seed ^ rng_mix(l->rows.count), l->opt->stream);
    l->print =
        hash64((struct str){(const char *)l->data, l->rows.count * l->rows.dim * 2}, l->opt->seed);
    if (!resume(l)) {
        l->m->iterations = 0;
        l->before = -1;
        if (l->opt->random_start) {
            start_anywhere(l, &r);
        } else {
            TRY(start_far(l, &r, err));
        }
        TRY(save(l, err));
    }
    for (bool done = false; !done;) {
        winnow_status st = iterate(l, &done, err);
        if (st == WINNOW_E_CANCELLED) {
            struct winnow_error ignored; /* the cancellation is what is told */
            (void)save(l, &ignored);
        }
        TRY(st);
    }
    return WINNOW_OK;
}

winnow_status kmeans_train(const struct kmeans_home *home, const struct group_rows *rows,
                           const struct kmeans_options *opt, struct kmeans *out,
                           struct winnow_error *err)
{
    size_t n = sample_rows(rows->count, opt);
    struct learning l = {.home = home, .opt = opt, .m = out};
    *out = (struct kmeans){.k = opt->k, .dim = rows->dim, .sampled = n};
    l.data = mem_try_alloc((n + 1) * rows->dim * sizeof *l.data);
    out->centroids = mem_try_alloc(opt->k * rows->dim * sizeof *out->centroids);
    l.cluster = mem_try_alloc((n + 1) * sizeof *l.cluster);
    l.cosine = mem_try_alloc((n + 1) * sizeof *l.cosine);
    l.order = mem_try_alloc((n + 1) * sizeof *l.order);
    l.starts = mem_try_alloc((opt->k + 1) * sizeof *l.starts);
    winnow_status st = WINNOW_OK;
    if (!l.data || !out->centroids || !l.cluster || !l.cosine || !l.order || !l.starts) {
        st = error_set(err, WINNOW_E_NOMEM,
                       "no memory for k-means over %zu documents of %zu numbers: lower --sample", n,
                       rows->dim);
    }
    if (st == WINNOW_OK) {
        take_sample(&l, rows, n);
        st = learn(&l, err);
    }
    mem_free(l.data);
    mem_free(l.cluster);
    mem_free(l.cosine);
    mem_free(l.order);
    mem_free(l.starts);
    return st;
}

uint64_t kmeans_bytes(size_t rows, size_t dim, const struct kmeans_options *opt, uint32_t threads)
{
    uint64_t n = sample_rows(rows, opt), k = opt->k;
    uint64_t scratch = (uint64_t)GROUP_BLOCK * (2 * dim + GROUP_TILE) * sizeof(float);
    return n * (2 * dim + 12) + 2 * k * dim * sizeof(float) + k * START_ROWS * sizeof(double) +
           threads * scratch;
}
