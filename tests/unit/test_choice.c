/* Methods over a small pool whose right answers are known: copies, groups, norms. */
#include "base/env.h"
#include "base/mem.h"
#include "base/rng.h"
#include "check.h"
#include "select/choice.h"
#include "select/facility_location.h"

#include <stdlib.h>
#include <string.h>

enum { GROUPS = 40, COPIES = 5, ROWS = GROUPS * COPIES, DIM = 128, FEW = 6 };

struct fixture {
    struct store_head head, few_head;
    struct store_part part;
    struct store_row rows[ROWS], few_rows[FEW];
    float norms[ROWS], few_norms[FEW];
    uint16_t data[ROWS * DIM], few_data[FEW * DIM];
    struct store pool, few;
    struct pool *threads;
    const struct kernels *k;
};

static void put(uint16_t *to, const float *x)
{
    double sum = 0;
    for (size_t i = 0; i < DIM; i++) {
        sum += (double)x[i] * (double)x[i];
    }
    for (size_t i = 0; i < DIM; i++) {
        to[i] = vector_bf16((float)((double)x[i] / sqrt(sum)));
    }
}

/* Groups of near copies; target example q is near group q, the last half of it in two. */
static struct fixture *open_fixture(uint32_t threads)
{
    struct winnow_error err;
    struct fixture *f = mem_zalloc(sizeof *f);
    struct rng r;
    float centres[GROUPS][DIM], x[DIM];
    rng_init(&r, 3, "choice");
    for (size_t g = 0; g < GROUPS; g++) {
        for (size_t i = 0; i < DIM; i++) {
            centres[g][i] = (float)rng_normal(&r);
        }
    }
    for (size_t row = 0; row < ROWS; row++) {
        for (size_t i = 0; i < DIM; i++) {
            x[i] = centres[row / COPIES][i] + 0.05F * (float)rng_normal(&r);
        }
        put(f->data + row * DIM, x);
        f->norms[row] = (float)(0.5 + rng_uniform(&r));
        f->rows[row] = (struct store_row){
            .id = row, .key = row * 77, .ordinal = row, .tokens = (uint32_t)(10 + row % 90)};
    }
    for (size_t q = 0; q < FEW; q++) {
        for (size_t i = 0; i < DIM; i++) {
            x[i] = centres[q][i] + 0.6F * centres[q + FEW][i] + 0.1F * (float)rng_normal(&r);
        }
        put(f->few_data + q * DIM, x);
        f->few_norms[q] = 1;
        f->few_rows[q] = (struct store_row){.id = q, .ordinal = q, .tokens = 50};
    }
    f->head = (struct store_head){.parts = 1, .dim = DIM, .rows = ROWS};
    f->few_head = (struct store_head){.parts = 1, .dim = DIM, .rows = FEW};
    f->pool = (struct store){
        .head = &f->head, .parts = &f->part, .rows = f->rows, .norms = f->norms, .data = f->data};
    f->few = (struct store){.head = &f->few_head,
                            .parts = &f->part,
                            .rows = f->few_rows,
                            .norms = f->few_norms,
                            .data = f->few_data};
    f->threads = pool_new(threads);
    assert_ok(kernels_pick(NULL, &f->k, &err), err);
    return f;
}

static void close_fixture(struct fixture *f)
{
    pool_free(f->threads);
    mem_free(f);
}

static void run(struct fixture *f, struct winnow_select_options opt, size_t budget,
                struct choice *out)
{
    struct winnow_error err;
    const struct winnow_env env = {.seed = 4};
    const struct choice_target target = {&f->few, "few"};
    const struct choice_problem p = {
        .opt = &opt,
        .pool = &f->pool,
        .targets = &target,
        .target_count = opt.method == WINNOW_FACILITY ? 0 : 1,
        .budget = budget,
        .threads = f->threads,
        .k = f->k,
        .env = &env,
    };
    assert_ok(choose(&p, out, &err), err);
    double sum = 0;
    for (size_t i = 0; i < out->count; i++) {
        assert_true(out->picks[i].row < ROWS);
        for (size_t j = 0; j < i; j++) {
            assert_true(out->picks[i].row != out->picks[j].row);
        }
        sum += out->picks[i].weight;
    }
    assert_near(sum, (double)out->count, 1e-9);
}

static struct winnow_select_options method(int m)
{
    struct winnow_select_options opt = WINNOW_SELECT_OPTIONS_INIT;
    opt.method = m;
    opt.objective = WINNOW_EACH;
    return opt;
}

static size_t distinct_groups(const struct choice *c)
{
    bool seen[GROUPS] = {0};
    size_t n = 0;
    for (size_t i = 0; i < c->count; i++) {
        n += !seen[c->picks[i].row / COPIES];
        seen[c->picks[i].row / COPIES] = true;
    }
    return n;
}

static void pursuit_takes_one_of_each_group_where_top_k_takes_copies(void **state)
{
    (void)state;
    struct fixture *f = open_fixture(1);
    struct choice gtp, top, turns;
    struct winnow_select_options opt = method(WINNOW_GTP);
    run(f, opt, 12, &gtp);
    run(f, method(WINNOW_TOP_K), 12, &top);
    run(f, method(WINNOW_ROUND_ROBIN), 12, &turns);
    assert_int_equal(gtp.count, 12);
    assert_int_equal(distinct_groups(&gtp), 12); /* all that the target is made of */
    for (size_t i = 0; i < 12; i++) {
        assert_true(gtp.picks[i].row / COPIES < 12);
    }
    assert_int_equal(top.count, 12);
    assert_in_range(distinct_groups(&top), 1, 8);
    assert_in_range(distinct_groups(&turns), 6, 8);
    choice_release(&gtp);
    choice_release(&top);
    choice_release(&turns);
    close_fixture(f);
}

static void rounds_fill_a_budget_beyond_the_target(void **state)
{
    (void)state;
    struct fixture *f = open_fixture(2);
    struct choice c;
    struct winnow_select_options opt = method(WINNOW_GTP);
    opt.copy = 1;
    run(f, opt, 60, &c);
    assert_int_equal(c.count, 60);
    assert_true(c.rounds > 1);
    choice_release(&c);
    opt.copy = 0.9; /* groups are copies now: 40 there are */
    run(f, opt, 60, &c);
    assert_true(c.count <= GROUPS);
    assert_int_equal(c.count, distinct_groups(&c));
    assert_true(c.exhausted && c.copies > 0);
    choice_release(&c);
    opt = method(WINNOW_GTP);
    opt.objective = WINNOW_TARGET_MEAN;
    run(f, opt, 10, &c);
    assert_int_equal(c.count, 10);
    choice_release(&c);
    close_fixture(f);
}

/* Lengths of gradients do not matter: only what they point to. */
static void a_longer_gradient_is_no_better_one(void **state)
{
    (void)state;
    static const int METHODS[] = {WINNOW_GTP, WINNOW_TOP_K, WINNOW_ROUND_ROBIN};
    for (size_t m = 0; m < 3; m++) {
        struct fixture *f = open_fixture(1);
        struct choice a, b;
        run(f, method(METHODS[m]), 15, &a);
        for (size_t i = 0; i < ROWS; i += 3) {
            f->norms[i] *= 10;
        }
        run(f, method(METHODS[m]), 15, &b);
        assert_int_equal(a.count, b.count);
        for (size_t i = 0; i < a.count; i++) {
            assert_int_equal(a.picks[i].row, b.picks[i].row);
        }
        choice_release(&a);
        choice_release(&b);
        close_fixture(f);
    }
}

static void rows_without_a_vector_are_never_chosen(void **state)
{
    (void)state;
    for (int m = WINNOW_GTP; m <= WINNOW_FACILITY; m++) {
        struct fixture *f = open_fixture(1);
        struct choice c;
        for (size_t i = 0; i < ROWS; i++) {
            f->norms[i] = i % COPIES == 2 ? f->norms[i] : 0;
        }
        run(f, method(m), 30, &c);
        assert_in_range(c.count, 1, GROUPS);
        for (size_t i = 0; i < c.count; i++) {
            assert_int_equal(c.picks[i].row % COPIES, 2);
        }
        choice_release(&c);
        close_fixture(f);
    }
}

/* Bytes of a store may have been damaged where no norm tells. */
static void rows_that_are_no_numbers_are_never_chosen(void **state)
{
    (void)state;
    static const int METHODS[] = {WINNOW_GTP, WINNOW_TOP_K, WINNOW_ROUND_ROBIN, WINNOW_FACILITY};
    static const uint16_t BAD[] = {0x7FC0, 0xFF80, 0x7F00}; /* of bf16: NaN, -inf, 1.7e38 */
    for (size_t m = 0; m < 4; m++) {
        struct fixture *f = open_fixture(1);
        struct choice c;
        for (size_t i = 0; i < ROWS; i += 2) {
            f->data[i * DIM + i % DIM] = BAD[METHODS[m] == WINNOW_FACILITY ? i / 2 % 3 : 0];
        }
        run(f, method(METHODS[m]), 30, &c);
        assert_in_range(c.count, 1, 30);
        for (size_t i = 0; i < c.count; i++) {
            assert_int_equal(c.picks[i].row % 2, 1);
            assert_true(isfinite(c.picks[i].weight) && isfinite(c.picks[i].gain));
        }
        choice_release(&c);
        close_fixture(f);
    }
}

/* A drawn choice fills its budget from what is sound, however much of a partition is not. */
static void damaged_rows_take_no_share_of_a_drawn_budget(void **state)
{
    (void)state;
    struct fixture *f = open_fixture(1);
    struct winnow_select_options opt = method(WINNOW_FACILITY);
    struct choice c;
    opt.partition = 20;
    for (size_t i = 0; i < ROWS; i++) {
        f->data[i * DIM] = i % 10 > 0 ? 0x7FC0 : f->data[i * DIM];
    }
    run(f, opt, ROWS, &c);
    assert_int_equal(c.count, ROWS / 10);
    choice_release(&c);
    run(f, opt, ROWS / 20, &c);
    assert_int_equal(c.count, ROWS / 20);
    for (size_t i = 0; i < c.count; i++) {
        assert_int_equal(c.picks[i].row % 10, 0);
    }
    choice_release(&c);
    close_fixture(f);
}

/* Where one pursuit does, the rounds and shards around it change nothing. */
static void one_shard_is_the_pursuit_itself(void **state)
{
    (void)state;
    enum { M = 6 };
    struct fixture *f = open_fixture(2);
    struct winnow_error err;
    struct winnow_select_options opt = method(WINNOW_GTP);
    const struct winnow_env env = {.seed = 4};
    const struct choice_target target = {&f->few, "few"};
    const struct choice_problem p = {.opt = &opt,
                                     .pool = &f->pool,
                                     .targets = &target,
                                     .target_count = 1,
                                     .budget = M,
                                     .threads = f->threads,
                                     .k = f->k,
                                     .env = &env};
    struct choice_rows rows;
    struct choice_examples e;
    struct choice c;
    struct pursuit plain;
    opt.objective = WINNOW_TARGET_MEAN;
    assert_ok(choose(&p, &c, &err), err);
    assert_ok(choice_rows_make(&p, &f->pool, FACTORS_STACKED, &rows, &err), err);
    assert_ok(choice_examples_make(&p, FACTORS_STACKED, &e, &err), err);
    float mean[DIM] = {0};
    double size = 0;
    for (size_t k = 0; k < DIM; k++) {
        for (size_t i = 0; i < e.count; i++) {
            mean[k] += e.x[i * e.width + k];
        }
        size += (double)mean[k] * (double)mean[k];
    }
    uint32_t which[ROWS];
    bool taken[ROWS] = {0};
    for (size_t i = 0; i < ROWS; i++) {
        which[i] = (uint32_t)i;
    }
    for (size_t k = 0; k < DIM; k++) {
        mean[k] *= (float)(1 / sqrt(size));
    }
    struct pursuit_options way = PURSUIT_OPTIONS_INIT;
    way.copy = opt.copy;
    way.floor = pursuit_noise_floor(ROWS, DIM);
    const struct pursuit_problem problem = {.rows = &rows.rows,
                                            .which = which,
                                            .n = ROWS,
                                            .targets = mean,
                                            .count = 1,
                                            .budget = M,
                                            .taken = taken};
    assert_ok(pursuit_run(&problem, &way, f->k, f->threads, &env, &plain, &err), err);
    assert_int_equal(c.rounds, 1);
    assert_int_equal(c.count, M);
    assert_int_equal(plain.count, M);
    double sum = 0;
    for (size_t i = 0; i < M; i++) {
        sum += plain.atoms[i].weight;
    }
    for (size_t i = 0; i < M; i++) { /* one is sorted by gain, the other by weight */
        double weight = -1;
        for (size_t j = 0; j < M; j++) {
            weight = plain.atoms[j].row == c.picks[i].row ? plain.atoms[j].weight : weight;
        }
        assert_near(c.picks[i].weight, weight * M / sum, 1e-6);
    }
    assert_near(c.curve[0].residual, plain.residual, 1e-9);
    pursuit_release(&plain);
    choice_release(&c);
    choice_rows_release(&rows);
    choice_examples_release(&e);
    close_fixture(f);
}

static void random_rows_have_the_targets_lengths(void **state)
{
    (void)state;
    struct fixture *f = open_fixture(1);
    struct choice plain, matched;
    struct winnow_select_options opt = method(WINNOW_RANDOM);
    run(f, opt, 30, &plain);
    opt.match_length = true;
    run(f, opt, 30, &matched);
    assert_int_equal(plain.count, 30);
    assert_int_equal(matched.count, 30);
    double off[2] = {0};
    for (size_t i = 0; i < 30; i++) {
        off[0] += fabs((double)f->rows[plain.picks[i].row].tokens - 50) / 30;
        off[1] += fabs((double)f->rows[matched.picks[i].row].tokens - 50) / 30;
    }
    assert_true(off[1] < 16 && off[1] < 0.8 * off[0]);
    choice_release(&plain);
    choice_release(&matched);
    close_fixture(f);
}

/* ---- facility location ---- */

static void lazy_greedy_is_greedy(void **state)
{
    (void)state;
    enum { N = 60 };
    struct rng r;
    rng_init(&r, 5, "facility");
    for (int trial = 0; trial < 20; trial++) {
        static float s[N * N];
        uint32_t a[N], b[N];
        double g[N], h[N];
        for (size_t i = 0; i < N; i++) {
            for (size_t j = 0; j <= i; j++) { /* ties, and copies in the last trials */
                double x = i == j ? 1 : floor(rng_uniform(&r) * 8) / 8;
                s[i * N + j] = s[j * N + i] = (float)(trial > 15 && i / 2 == j / 2 ? 1 : x);
            }
        }
        facility_greedy(s, N, a, g);
        facility_greedy_naive(s, N, b, h);
        for (size_t i = 0; i < N; i++) {
            assert_int_equal(a[i], b[i]);
            assert_true(g[i] == h[i]);
            assert_true(i == 0 || g[i] <= g[i - 1]); /* submodular */
        }
    }
}

static double value(const float *s, size_t n, unsigned set)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        float best = 0;
        for (size_t j = 0; j < n; j++) {
            best = set >> j & 1U && s[j * n + i] > best ? s[j * n + i] : best;
        }
        sum += (double)best;
    }
    return sum;
}

static void greedy_is_near_the_best_of_all(void **state)
{
    (void)state;
    enum { N = 12, K = 3 };
    struct rng r;
    rng_init(&r, 6, "facility");
    for (int trial = 0; trial < 30; trial++) {
        float s[N * N];
        uint32_t order[N];
        double gains[N], best = 0, greedy = 0;
        for (size_t i = 0; i < (size_t)N * N; i++) {
            s[i] = (float)rng_uniform(&r);
        }
        facility_greedy(s, N, order, gains);
        for (size_t i = 0; i < K; i++) {
            greedy += gains[i];
        }
        for (unsigned set = 0; set < 1U << N; set++) {
            unsigned members = 0;
            for (size_t j = 0; j < N; j++) {
                members += set >> j & 1U;
            }
            double v = members == K ? value(s, N, set) : 0;
            best = v > best ? v : best;
        }
        assert_near(greedy, value(s, N, 1U << order[0] | 1U << order[1] | 1U << order[2]), 1e-5);
        assert_true(greedy >= (1 - exp(-1)) * best && greedy <= best + 1e-5);
    }
}

/* A row adds no less to few than to more, and a copy of what is there adds nothing. */
static void what_a_row_adds_never_grows(void **state)
{
    (void)state;
    enum { N = 10 };
    struct rng r;
    rng_init(&r, 8, "facility");
    for (int trial = 0; trial < 200; trial++) {
        float s[N * N];
        for (size_t i = 0; i < N; i++) {
            for (size_t j = 0; j <= i; j++) {
                s[i * N + j] = s[j * N + i] = (float)(i == j ? 1 : rng_uniform(&r));
            }
        }
        memcpy(s + 1 * N, s, N * sizeof *s); /* row 1 is row 0 */
        for (size_t i = 0; i < N; i++) {
            s[i * N + 1] = s[i * N];
        }
        unsigned more = (unsigned)rng_below(&r, 1U << N),
                 few = more & (unsigned)rng_below(&r, 1U << N);
        unsigned row = 1U << rng_below(&r, N);
        double of_few = value(s, N, few | row) - value(s, N, few);
        assert_true(of_few >= value(s, N, more | row) - value(s, N, more) - 1e-12);
        assert_true(value(s, N, more | 3U) == value(s, N, (more & ~2U) | 1U));
        uint32_t order[N];
        double gains[N];
        facility_greedy(s, N, order, gains);
        for (size_t i = 0; i < N; i++) {
            assert_true(order[i] != 1 || gains[i] == 0);
        }
    }
}

/* Of 20 rows one is drawn again and again: by 1 + g + g^2 / 2, g its gain over the mean gain. */
static void chance_follows_the_gains(void **state)
{
    (void)state;
    enum { N = 20, DRAWS = 4000 };
    struct fixture *f = open_fixture(1);
    for (size_t i = N; i < ROWS; i++) {
        f->norms[i] = 0;
    }
    const struct winnow_select_options opt = method(WINNOW_FACILITY);
    struct choice_problem p = {
        .opt = &opt, .pool = &f->pool, .budget = N, .threads = f->threads, .k = f->k};
    struct winnow_error err;
    struct choice c;
    size_t seen[N] = {0};
    double gain[N], mean = 0, share = 0;
    for (uint64_t seed = 0; seed <= DRAWS; seed++) {
        const struct winnow_env env = {.seed = seed};
        p.env = &env;
        p.budget = seed == 0 ? N : 1;
        assert_ok(choose(&p, &c, &err), err);
        for (size_t i = 0; i < c.count && seed == 0; i++) {
            gain[c.picks[i].row] = c.picks[i].gain;
            mean += c.picks[i].gain / N;
        }
        assert_int_equal(c.count, p.budget);
        seen[c.picks[0].row] += seed > 0;
        choice_release(&c);
    }
    for (size_t i = 0; i < N; i++) {
        double g = gain[i] / mean;
        share += 1 + g + g * g / 2;
    }
    for (size_t i = 0; i < N; i++) {
        double g = gain[i] / mean, expected = (1 + g + g * g / 2) / share;
        double sd = sqrt(expected * (1 - expected) / DRAWS);
        assert_near((double)seen[i] / DRAWS, expected, 4 * sd);
    }
    close_fixture(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pursuit_takes_one_of_each_group_where_top_k_takes_copies),
        cmocka_unit_test(rounds_fill_a_budget_beyond_the_target),
        cmocka_unit_test(a_longer_gradient_is_no_better_one),
        cmocka_unit_test(rows_without_a_vector_are_never_chosen),
        cmocka_unit_test(rows_that_are_no_numbers_are_never_chosen),
        cmocka_unit_test(damaged_rows_take_no_share_of_a_drawn_budget),
        cmocka_unit_test(one_shard_is_the_pursuit_itself),
        cmocka_unit_test(random_rows_have_the_targets_lengths),
        cmocka_unit_test(lazy_greedy_is_greedy),
        cmocka_unit_test(greedy_is_near_the_best_of_all),
        cmocka_unit_test(what_a_row_adds_never_grows),
        cmocka_unit_test(chance_follows_the_gains),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
