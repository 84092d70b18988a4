/* Clusters, near-copies, densities and choices, against plain twins that do the same in doubles,
 * one row at a time. */
#include "base/mem.h"
#include "base/rng.h"
#include "check.h"
#include "groups/alike.h"
#include "groups/choose_rows.h"
#include "groups/density.h"
#include "vectors/ngrams.h"
#include "vectors/vector_rows.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { DIM = 37, TOPICS = 9 };

struct rows {
    uint16_t *data;
    struct group_rows rows;
    size_t n;
};

static double number(const struct rows *r, size_t i, size_t k)
{
    uint32_t bits = (uint32_t)r->data[i * DIM + k] << 16;
    float x;
    memcpy(&x, &bits, sizeof x);
    return (double)x;
}

static double twin_dot(const struct rows *r, size_t a, size_t b)
{
    double sum = 0;
    for (size_t k = 0; k < DIM; k++) {
        sum += number(r, a, k) * number(r, b, k);
    }
    return sum;
}

/* Rows around TOPICS directions; every seventh is nearly its neighbour. */
static struct rows make_rows(size_t n, double noise)
{
    struct rows r = {.data = mem_zalloc(n * DIM * sizeof *r.data), .n = n};
    struct rng rng, topic;
    rng_init(&rng, 5, "rows");
    for (size_t i = 0; i < n; i++) {
        float x[DIM], before[DIM];
        double squares = 0;
        rng_init(&topic, i % TOPICS, "topic");
        for (size_t k = 0; k < DIM; k++) {
            x[k] = (float)(rng_normal(&topic) + noise * rng_normal(&rng));
            before[k] = i > 0 ? (float)number(&r, i - 1, k) : 0;
        }
        if (i % 7 == 6) {
            for (size_t k = 0; k < DIM; k++) {
                x[k] = before[k] + 0.01F * (float)rng_normal(&rng);
            }
        }
        for (size_t k = 0; k < DIM; k++) {
            squares += (double)x[k] * (double)x[k];
        }
        for (size_t k = 0; k < DIM; k++) {
            r.data[i * DIM + k] = vector_bf16((float)((double)x[k] / sqrt(squares)));
        }
    }
    r.rows = (struct group_rows){.data = r.data, .dim = DIM, .count = n};
    return r;
}

static struct kmeans_home home_of(uint32_t threads)
{
    static const struct winnow_env ENV = {.threads = 1};
    struct kmeans_home home = {.pool = pool_new(threads), .env = &ENV};
    struct winnow_error err;
    assert_int_equal(kernels_pick(NULL, &home.k, &err), WINNOW_OK);
    return home;
}

/* ---- k-means ---- */

static void assignment_is_that_of_the_twin(void **state)
{
    (void)state;
    struct rows r = make_rows(700, 0.6);
    struct kmeans_home home = home_of(1);
    const struct kmeans_options opt = {.k = 30, .iterations = 12, .seed = 3, .stream = "t"};
    struct kmeans m;
    struct winnow_error err;
    uint32_t cluster[700];
    float cosine[700];
    assert_ok(kmeans_train(&home, &r.rows, &opt, &m, &err), err);
    assert_ok(kmeans_assign(&home, &r.rows, &m, cluster, cosine, &err), err);
    for (size_t i = 0; i < r.n; i++) {
        double best = -2, own = 0;
        for (size_t c = 0; c < opt.k; c++) {
            double sum = 0;
            for (size_t k = 0; k < DIM; k++) {
                sum += number(&r, i, k) * (double)m.centroids[c * DIM + k];
            }
            best = sum > best ? sum : best;
            own = c == cluster[i] ? sum : own;
        }
        assert_true(own > best - 1e-5);
        assert_true(fabs(own - (double)cosine[i]) < 1e-5);
    }
    kmeans_release(&m);
    pool_free(home.pool);
    mem_free(r.data);
}

/* A further step by the twin moves nothing far: what was found is a fixed point. */
static void centroids_are_means_of_their_rows(void **state)
{
    (void)state;
    struct rows r = make_rows(600, 0.1);
    struct kmeans_home home = home_of(2);
    const struct kmeans_options opt = {.k = TOPICS, .iterations = 50, .seed = 1, .stream = "t"};
    struct kmeans m;
    struct winnow_error err;
    uint32_t cluster[600];
    float cosine[600];
    assert_ok(kmeans_train(&home, &r.rows, &opt, &m, &err), err);
    assert_ok(kmeans_assign(&home, &r.rows, &m, cluster, cosine, &err), err);
    for (size_t c = 0; c < opt.k; c++) {
        double sum[DIM] = {0}, squares = 0, dot = 0;
        for (size_t i = 0; i < r.n; i++) {
            for (size_t k = 0; k < DIM && cluster[i] == c; k++) {
                sum[k] += number(&r, i, k);
            }
        }
        for (size_t k = 0; k < DIM; k++) {
            squares += sum[k] * sum[k];
            dot += sum[k] * (double)m.centroids[c * DIM + k];
        }
        assert_true(squares == 0 || dot / sqrt(squares) > 0.999);
    }
    assert_true(m.cosine > 0.9); /* topics that lie apart are found */
    kmeans_release(&m);
    pool_free(home.pool);
    mem_free(r.data);
}

static void threads_do_not_show(void **state)
{
    (void)state;
    struct rows r = make_rows(1500, 0.8);
    struct kmeans m[2];
    struct winnow_error err;
    for (uint32_t t = 0; t < 2; t++) {
        struct kmeans_home home = home_of(t == 0 ? 1 : 3);
        const struct kmeans_options opt = {
            .k = 40, .iterations = 9, .sample = 20, .seed = 8, .stream = "t"};
        assert_ok(kmeans_train(&home, &r.rows, &opt, &m[t], &err), err);
        pool_free(home.pool);
    }
    assert_int_equal(m[0].sampled, 800);
    assert_memory_equal(m[0].centroids, m[1].centroids, 40 * DIM * sizeof(float));
    kmeans_release(&m[0]);
    kmeans_release(&m[1]);
    mem_free(r.data);
}

/* Equal rows: one cluster has them all, none is damaged, nothing ends in a loop. */
static void equal_rows_are_one_cluster(void **state)
{
    (void)state;
    struct rows r = make_rows(300, 0.5);
    for (size_t i = 1; i < r.n; i++) {
        memcpy(r.data + i * DIM, r.data, DIM * sizeof *r.data);
    }
    struct kmeans_home home = home_of(2);
    const struct kmeans_options opt = {.k = 17, .iterations = 20, .seed = 1, .stream = "t"};
    struct kmeans m;
    struct winnow_error err;
    uint32_t cluster[300];
    float cosine[300];
    assert_ok(kmeans_train(&home, &r.rows, &opt, &m, &err), err);
    assert_ok(kmeans_assign(&home, &r.rows, &m, cluster, cosine, &err), err);
    for (size_t i = 0; i < r.n; i++) {
        assert_int_equal(cluster[i], cluster[0]);
        assert_true(fabsf(cosine[i] - 1) < 0.01F);
    }
    kmeans_release(&m);
    pool_free(home.pool);
    mem_free(r.data);
}

/* As many clusters as rows: each row that is unlike the others has its own. */
static void as_many_clusters_as_rows(void **state)
{
    (void)state;
    struct rows r = make_rows(40, 2);
    struct kmeans_home home = home_of(1);
    const struct kmeans_options opt = {.k = 40, .iterations = 20, .seed = 1, .stream = "t"};
    struct kmeans m;
    struct winnow_error err;
    assert_ok(kmeans_train(&home, &r.rows, &opt, &m, &err), err);
    assert_true(m.cosine > 0.98);
    kmeans_release(&m);
    pool_free(home.pool);
    mem_free(r.data);
}

static void a_broken_off_training_goes_on_to_the_same(void **state)
{
    (void)state;
    struct rows r = make_rows(900, 0.9);
    struct kmeans_home home = home_of(1);
    char path[] = "/tmp/winnow-groups-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(close(fd), 0);
    assert_int_equal(unlink(path), 0);
    struct kmeans_options opt = {.k = 25, .iterations = 14, .seed = 2, .stream = "t"};
    struct kmeans whole, part, rest;
    struct winnow_error err;
    assert_ok(kmeans_train(&home, &r.rows, &opt, &whole, &err), err);
    struct winnow_env env = {.threads = 1};
    home.env = &env;
    opt.path = path;
    opt.iterations = 0; /* writes down where it starts, and ends */
    assert_ok(kmeans_train(&home, &r.rows, &opt, &part, &err), err);
    assert_int_equal(access(path, R_OK), 0);
    opt.iterations = 14;
    opt.random_start = true; /* what is gone on from was begun otherwise */
    assert_ok(kmeans_train(&home, &r.rows, &opt, &rest, &err), err);
    assert_memory_equal(whole.centroids, rest.centroids, 25 * DIM * sizeof(float));
    kmeans_release(&whole);
    kmeans_release(&part);
    kmeans_release(&rest);
    (void)unlink(path);
    pool_free(home.pool);
    mem_free(r.data);
}

/* ---- near-copies ---- */

static void check_alike(bool easy, size_t n, size_t k)
{
    struct rows r = make_rows(n, 0.7);
    struct kmeans_home home = home_of(3);
    uint32_t *cluster = mem_alloc(n * sizeof *cluster);
    float *cosine = mem_alloc(n * sizeof *cosine);
    struct rng rng;
    struct alike a;
    struct winnow_error err;
    rng_init(&rng, 4, "clusters");
    for (size_t i = 0; i < n; i++) { /* of no k-means, and with ties */
        cluster[i] = (uint32_t)((i / 7) % k);
        cosine[i] = (float)rng_below(&rng, 50) / 50;
    }
    const struct alike_options opt = {.k = k, .easy = easy};
    assert_ok(alike_find(&home, &r.rows, cluster, cosine, &opt, &a, &err), err);
    for (size_t i = 0; i < n; i++) {
        double best = -1;
        for (size_t j = 0; j < n; j++) {
            bool first = cosine[j] < cosine[i] || cosine[j] > cosine[i]
                             ? (cosine[j] < cosine[i]) != easy
                             : j < i;
            if (j != i && cluster[j] == cluster[i] && first) {
                double dot = twin_dot(&r, i, j);
                best = dot > best ? dot : best;
            }
        }
        assert_true(fabs(best - (double)a.cosine[i]) < 1e-5);
        if (best > -1) {
            assert_int_equal(cluster[a.nearest[i]], cluster[i]);
            assert_true(fabs(twin_dot(&r, i, a.nearest[i]) - best) < 1e-5);
        } else {
            assert_int_equal(a.nearest[i], ALIKE_NONE);
        }
    }
    alike_release(&a);
    mem_free(cluster);
    mem_free(cosine);
    pool_free(home.pool);
    mem_free(r.data);
}

static void near_copies_are_those_of_the_twin(void **state)
{
    (void)state;
    check_alike(false, 900, 4); /* clusters of more than a block, and of more than a tile */
    check_alike(true, 900, 1);
    check_alike(false, 130, 60);
}

/* ---- densities ---- */

static void dense_rows_are_told_from_sparse_ones(void **state)
{
    (void)state;
    struct rows r = make_rows(800, 0.05);
    for (size_t i = 0; i < r.n; i++) { /* topic 0 has few rows */
        if (i % TOPICS == 0 && i > 40) {
            memcpy(r.data + i * DIM, r.data + (i - 1) * DIM, DIM * sizeof *r.data);
        }
    }
    struct kmeans_home home = home_of(1), wide = home_of(3);
    float one[800], two[800];
    struct winnow_error err;
    assert_ok(density_find(&home, &r.rows, 1, one, &err), err);
    assert_ok(density_find(&wide, &r.rows, 1, two, &err), err);
    assert_memory_equal(one, two, sizeof one);
    assert_true(one[9] < one[11] / 3); /* 5 of its kind against 88 */
    pool_free(home.pool);
    pool_free(wide.pool);
    mem_free(r.data);
}

/* ---- choices ---- */

static void quotas_are_even_where_clusters_have_enough(void **state)
{
    (void)state;
    const size_t sizes[] = {100, 3, 50, 0, 7};
    size_t quota[5];
    share_out(sizes, 5, 40, 1, quota);
    assert_int_equal(quota[0], 15);
    assert_int_equal(quota[1], 3);
    assert_int_equal(quota[2], 15);
    assert_int_equal(quota[3], 0);
    assert_int_equal(quota[4], 7);
    share_out(sizes, 5, 16, 0, quota);
    assert_int_equal(quota[0], 10);
    assert_int_equal(quota[2], 5);
    assert_int_equal(quota[0] + quota[1] + quota[2] + quota[3] + quota[4], 16);
    share_out(sizes, 5, 160, 1, quota);
    assert_memory_equal(quota, sizes, sizeof sizes);
}

static void quotas_always_come_to_the_budget(void **state)
{
    (void)state;
    struct rng r;
    rng_init(&r, 6, "quotas");
    for (int turn = 0; turn < 300; turn++) {
        size_t sizes[30], quota[30], all = 0, given = 0, k = 1 + rng_below(&r, 30);
        for (size_t c = 0; c < k; c++) {
            sizes[c] = rng_below(&r, 1 + rng_below(&r, 500));
            all += sizes[c];
        }
        size_t budget = all > 0 ? rng_below(&r, all + 1) : 0;
        share_out(sizes, k, budget, rng_uniform(&r), quota);
        for (size_t c = 0; c < k; c++) {
            assert_true(quota[c] <= sizes[c]);
            given += quota[c];
        }
        assert_int_equal(given, budget);
    }
}

/* Of two kinds of rows, as many each, the one of a third of the density is drawn about as often
 * as 1 / density says while few are drawn. */
static void sparse_rows_are_drawn_more_often(void **state)
{
    (void)state;
    enum { N = 20000 };
    float *density = mem_alloc(N * sizeof *density);
    uint64_t *draws = mem_alloc(N * sizeof *draws);
    unsigned char *fate = mem_alloc(N);
    size_t kept[2] = {0, 0};
    for (size_t i = 0; i < N; i++) {
        density[i] = i % 2 ? 0.3F : 0.1F;
        draws[i] = rng_mix(i + 77);
    }
    choose_sparse(density, draws, N, 1000, fate);
    for (size_t i = 0; i < N; i++) {
        kept[i % 2] += fate[i] == ROW_KEPT;
    }
    assert_int_equal(kept[0] + kept[1], 1000);
    assert_true(kept[0] > 700 && kept[0] < 790);
    mem_free(density);
    mem_free(draws);
    mem_free(fate);
}

static void least_numbers_stay_and_ties_go_by_draws(void **state)
{
    (void)state;
    const float number[] = {0.5F, 0.1F, 0.5F, 0.9F, 0.5F, 0.2F};
    const uint64_t draws[] = {9, 1, 3, 1, 5, 1};
    unsigned char fate[6] = {ROW_KEPT, ROW_KEPT, ROW_KEPT, ROW_KEPT, ROW_KEPT, ROW_NOT_DRAWN};
    double last = choose_least(number, draws, 6, 3, ROW_PROTOTYPE, fate);
    const unsigned char expect[6] = {ROW_PROTOTYPE, ROW_KEPT, ROW_KEPT,
                                     ROW_PROTOTYPE, ROW_KEPT, ROW_NOT_DRAWN};
    assert_memory_equal(fate, expect, 6);
    assert_true(last > 0.49 && last < 0.51);
}

static void entropy_is_that_of_shares(void **state)
{
    (void)state;
    const size_t even[] = {5, 5, 5, 5}, one[] = {0, 12, 0};
    assert_true(fabs(entropy_of(even, 4) - 2) < 1e-12);
    assert_true(fabs(entropy_of(one, 3)) < 1e-12);
}

/* ---- n-grams ---- */

enum { TEXTS = 6, WORDS = 12 };

/* Text t holds word w that often. */
static const uint32_t TIMES[TEXTS][WORDS] = {
    {3, 1, 1, 0, 0, 0, 2, 1, 0, 0, 0, 1}, {3, 1, 0, 0, 1, 0, 2, 1, 0, 0, 0, 1},
    {0, 0, 0, 4, 4, 1, 0, 0, 1, 0, 0, 1}, {1, 0, 0, 0, 0, 0, 0, 0, 0, 9, 1, 1},
    {0, 2, 0, 2, 0, 2, 0, 2, 0, 2, 0, 1}, {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1},
};

static double twin_weight(size_t t, size_t w)
{
    double having = 0;
    for (size_t i = 0; i < TEXTS; i++) {
        having += TIMES[i][w] > 0;
    }
    double rare = log((TEXTS + 1) / (having + 0.5)) * (having + 1) / (having + 5);
    return TIMES[t][w] > 0 ? (1 + log((double)TIMES[t][w])) * rare : 0;
}

/* The text, each other time in capitals. */
static void write_text(size_t t, struct buf *text)
{
    for (size_t w = 0; w < WORDS; w++) {
        for (uint32_t i = 0; i < TIMES[t][w]; i++) {
            buf_add_text(text, i % 2 ? "Wort" : "wort");
            buf_addf(text, "%zu, ", w);
        }
    }
}

static void read_text(const struct ngrams_shape *shape, size_t t, struct ngrams_scratch *scratch)
{
    struct buf text = {0};
    struct winnow_error err;
    uint32_t words;
    bool cut;
    write_text(t, &text);
    assert_ok(ngrams_read(shape, buf_str(&text), scratch, &words, &cut, &err), err);
    assert_false(cut);
    buf_release(&text);
}

static double cosine_of(const float *a, const float *b, size_t n)
{
    double dot = 0, aa = 0, bb = 0;
    for (size_t k = 0; k < n; k++) {
        dot += (double)a[k] * (double)b[k];
        aa += (double)a[k] * (double)a[k];
        bb += (double)b[k] * (double)b[k];
    }
    return dot / sqrt(aa * bb);
}

static double twin_cosine(size_t a, size_t b)
{
    double dot = 0, aa = 0, bb = 0;
    for (size_t w = 0; w < WORDS; w++) {
        dot += twin_weight(a, w) * twin_weight(b, w);
        aa += twin_weight(a, w) * twin_weight(a, w);
        bb += twin_weight(b, w) * twin_weight(b, w);
    }
    return dot / sqrt(aa * bb);
}

/* The cosines of the vectors are those of the texts' weights, word by word. */
static void ngrams_compare_as_their_words_do(void **state)
{
    (void)state;
    const struct ngrams_shape shape = {.dim = 16384, .words = 1};
    struct ngrams_scratch *scratch = ngrams_scratch_new();
    struct ngrams_counts counts;
    struct u32_list buckets = {0};
    float *x = mem_alloc(TEXTS * shape.dim * sizeof *x);
    ngrams_counts_init(&counts);
    for (size_t t = 0; t < TEXTS; t++) {
        read_text(&shape, t, scratch);
        buckets.len = 0;
        ngrams_buckets(scratch, &buckets);
        ngrams_count(&counts, buckets.ptr, buckets.len);
    }
    for (size_t t = 0; t < TEXTS; t++) {
        read_text(&shape, t, scratch);
        ngrams_vector(&shape, &counts, scratch, x + t * shape.dim);
    }
    for (size_t i = 0; i < (size_t)TEXTS * TEXTS; i++) {
        size_t a = i / TEXTS, b = i % TEXTS;
        double got = cosine_of(x + a * shape.dim, x + b * shape.dim, shape.dim);
        assert_true(fabs(got - twin_cosine(a, b)) < 0.03);
    }
    mem_free(x);
    u32_list_release(&buckets);
    ngrams_counts_release(&counts);
    ngrams_scratch_free(scratch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(assignment_is_that_of_the_twin),
        cmocka_unit_test(centroids_are_means_of_their_rows),
        cmocka_unit_test(threads_do_not_show),
        cmocka_unit_test(equal_rows_are_one_cluster),
        cmocka_unit_test(as_many_clusters_as_rows),
        cmocka_unit_test(a_broken_off_training_goes_on_to_the_same),
        cmocka_unit_test(near_copies_are_those_of_the_twin),
        cmocka_unit_test(dense_rows_are_told_from_sparse_ones),
        cmocka_unit_test(quotas_are_even_where_clusters_have_enough),
        cmocka_unit_test(quotas_always_come_to_the_budget),
        cmocka_unit_test(sparse_rows_are_drawn_more_often),
        cmocka_unit_test(least_numbers_stay_and_ties_go_by_draws),
        cmocka_unit_test(entropy_is_that_of_shares),
        cmocka_unit_test(ngrams_compare_as_their_words_do),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
