/* test_subspace.c -- pursuit in the principal directions of target and pool. */
#include "base/mem.h"
#include "base/rng.h"
#include "check.h"
#include "select/subspace.h"

#include <math.h>
#include <string.h>

enum { ROWS = 600, FEW = 16, PARTS = 2, DIM = 256, RANK = 24, WIDTH = PARTS * DIM };

struct fixture {
    struct store_head head, few_head;
    struct store_part parts[PARTS];
    struct store_row rows[ROWS], few_rows[FEW];
    float norms[ROWS * PARTS], few_norms[FEW * PARTS];
    uint16_t data[ROWS * WIDTH], few_data[FEW * WIDTH];
    struct store pool, few;
    struct choice_target target;
    struct winnow_select_options opt;
    struct winnow_env env;
    struct choice_problem p;
};

/* To norm 1 in bf16; its norm. */
static float put(uint16_t *to, const float *x)
{
    double sum = 0;
    for (size_t i = 0; i < DIM; i++) {
        sum += (double)x[i] * (double)x[i];
    }
    for (size_t i = 0; i < DIM; i++) {
        to[i] = vector_bf16((float)((double)x[i] / sqrt(sum)));
    }
    return (float)sqrt(sum);
}

/* A combination of RANK directions of this part, and noise of that length in all of them. */
static void draw_row(struct rng *r, float directions[RANK][DIM], const double *c, double noise,
                     float *out)
{
    for (size_t k = 0; k < DIM; k++) {
        double x = noise * rng_normal(r) / sqrt(DIM);
        for (size_t d = 0; d < RANK; d++) {
            x += c[d] * (double)directions[d][k];
        }
        out[k] = (float)x;
    }
}

/* Rows of few directions among noise; the target's examples are sums of the first planted rows:
 * example q of the rows 4 q to 4 q + 3, without their noise. */
static struct fixture *open_fixture(double noise, uint32_t threads)
{
    struct winnow_error err;
    struct fixture *f = mem_zalloc(sizeof *f);
    struct rng r;
    rng_init(&r, 3, "subspace");
    static float directions[PARTS][RANK][DIM];
    static double c[PARTS][ROWS][RANK];
    for (size_t t = 0; t < PARTS; t++) {
        for (size_t d = 0; d < RANK; d++) {
            for (size_t k = 0; k < DIM; k++) {
                directions[t][d][k] = (float)(rng_normal(&r) / sqrt(DIM));
            }
        }
        f->parts[t].rate = 1 + (double)t;
    }
    float x[DIM];
    for (size_t i = 0; i < ROWS; i++) {
        f->rows[i].key = rng_u64(&r);
        for (size_t t = 0; t < PARTS; t++) {
            for (size_t d = 0; d < RANK; d++) {
                c[t][i][d] = rng_normal(&r) / sqrt(RANK);
            }
            draw_row(&r, directions[t], c[t][i], noise, x);
            f->norms[i * PARTS + t] = put(f->data + (i * PARTS + t) * DIM, x);
        }
    }
    for (size_t q = 0; q < FEW; q++) {
        for (size_t t = 0; t < PARTS; t++) {
            double sum[RANK] = {0};
            for (size_t d = 0; d < RANK; d++) {
                for (size_t i = 4 * q; i < 4 * q + 4; i++) {
                    sum[d] += c[t][i][d];
                }
            }
            draw_row(&r, directions[t], sum, 0, x);
            f->few_norms[q * PARTS + t] = put(f->few_data + (q * PARTS + t) * DIM, x);
        }
    }
    f->head = (struct store_head){.parts = PARTS, .dim = DIM, .rows = ROWS};
    f->few_head = (struct store_head){.parts = PARTS, .dim = DIM, .rows = FEW};
    f->pool = (struct store){
        .head = &f->head, .parts = f->parts, .rows = f->rows, .norms = f->norms, .data = f->data};
    f->few = (struct store){.head = &f->few_head,
                            .parts = f->parts,
                            .rows = f->few_rows,
                            .norms = f->few_norms,
                            .data = f->few_data};
    f->target = (struct choice_target){&f->few, "few"};
    f->opt = WINNOW_SELECT_OPTIONS_INIT;
    f->opt.objective = WINNOW_EACH;
    f->env.seed = 4;
    f->p = (struct choice_problem){.opt = &f->opt,
                                   .pool = &f->pool,
                                   .targets = &f->target,
                                   .target_count = 1,
                                   .budget = 4 * FEW,
                                   .threads = pool_new(threads),
                                   .env = &f->env};
    assert_ok(kernels_pick(NULL, &f->p.k, &err), err);
    return f;
}

static void close_fixture(struct fixture *f)
{
    pool_free(f->p.threads);
    mem_free(f);
}

static void make(struct fixture *f, uint32_t directions, struct choice_rows *rows,
                 struct choice_examples *e, struct subspace *s)
{
    struct winnow_error err;
    f->opt.subspace = directions;
    assert_ok(choice_rows_make(&f->p, &f->pool, FACTORS_STACKED, rows, &err), err);
    assert_ok(choice_examples_make(&f->p, FACTORS_STACKED, e, &err), err);
    assert_ok(subspace_make(&f->p, &rows->rows, e->x, e->count, s, &err), err);
}

static double dot(const float *a, const float *b, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        sum += (double)a[i] * (double)b[i];
    }
    return sum;
}

/* Where rows lie in RANK directions, so many keep every product; fewer keep the largest share. */
static void directions_are_orthonormal_and_keep_what_there_is(void **state)
{
    (void)state;
    struct fixture *f = open_fixture(0, 1);
    struct choice_rows rows;
    struct choice_examples e;
    struct subspace s;
    double before = 0;
    for (uint32_t n = 4; n <= RANK; n += 10) {
        make(f, n, &rows, &e, &s);
        assert_int_equal(s.directions, n);
        for (uint32_t t = 0; t < PARTS; t++) {
            const float *u = s.bases + (size_t)t * n * DIM;
            for (uint32_t a = 0; a < n; a++) {
                for (uint32_t b = 0; b <= a; b++) {
                    assert_near(dot(u + a * DIM, u + b * DIM, DIM), a == b, 1e-4);
                }
            }
        }
        assert_true(s.captured[0] > before + 0.05 && s.captured[0] <= 1 + 1e-9);
        before = s.captured[0];
        if (n == RANK) {
            assert_true(s.captured[0] > 0.999 && s.captured[1] > 0.999);
            static float a[WIDTH], b[WIDTH], p[PARTS * RANK], q[PARTS * RANK];
            for (size_t i = 0; i < 40; i++) {
                vector_rows_expand(&rows.rows, i, a);
                vector_rows_expand(&rows.rows, i + 1, b);
                vector_rows_expand(&s.rows, i, p);
                vector_rows_expand(&s.rows, i + 1, q);
                assert_near(dot(p, q, PARTS * RANK), dot(a, b, WIDTH), 0.02); /* bf16, twice */
                subspace_project(&s, f->p.k, a, q);
                assert_near(dot(p, q, PARTS * RANK), 1, 0.01);
            }
        }
        subspace_release(&s);
        choice_examples_release(&e);
        choice_rows_release(&rows);
    }
    close_fixture(f);
}

/* How many of the first `rows` are chosen. */
static size_t planted(struct fixture *f, uint32_t directions)
{
    struct winnow_error err;
    struct choice c;
    size_t n = 0;
    f->opt.subspace = directions;
    assert_ok(choose(&f->p, &c, &err), err);
    for (size_t i = 0; i < c.count; i++) {
        n += c.picks[i].row < 4 * FEW;
    }
    choice_release(&c);
    return n;
}

static void a_tenth_of_the_numbers_finds_nearly_as_much(void **state)
{
    (void)state;
    struct fixture *f = open_fixture(2.0, 2);
    size_t all = planted(f, 0), few = planted(f, RANK), many = planted(f, 200);
    print_message("of %d planted rows: %zu in all numbers, %zu in %d directions, %zu in 200\n",
                  4 * FEW, all, few, RANK, many);
    assert_true(few >= all * 9 / 10 && few > 4 * FEW / 2); /* chance: 7 */
    assert_true(many >= all * 19 / 20);
    close_fixture(f);
}

static void all_directions_choose_what_none_left_out_does(void **state)
{
    (void)state;
    struct winnow_error err;
    struct fixture *f = open_fixture(0.3, 1);
    struct choice plain, same;
    f->opt.subspace = 0;
    assert_ok(choose(&f->p, &plain, &err), err);
    f->opt.subspace = DIM;
    assert_ok(choose(&f->p, &same, &err), err);
    assert_int_equal(plain.count, same.count);
    for (size_t i = 0; i < plain.count; i++) {
        assert_int_equal(plain.picks[i].row, same.picks[i].row);
    }
    choice_release(&plain);
    choice_release(&same);
    close_fixture(f);
}

static void threads_change_no_bit(void **state)
{
    (void)state;
    struct choice c[2];
    for (uint32_t i = 0; i < 2; i++) {
        struct winnow_error err;
        struct fixture *f = open_fixture(1, 1 + 2 * i);
        f->opt.subspace = 40;
        assert_ok(choose(&f->p, &c[i], &err), err);
        close_fixture(f);
    }
    assert_int_equal(c[0].count, c[1].count);
    assert_memory_equal(c[0].picks, c[1].picks, c[0].count * sizeof *c[0].picks);
    choice_release(&c[0]);
    choice_release(&c[1]);
}

/* No target, rows without a vector, damaged rows, one row. */
static void edges(void **state)
{
    (void)state;
    struct winnow_error err;
    struct fixture *f = open_fixture(1, 1);
    struct choice c;
    f->opt.subspace = 32;
    for (size_t i = 0; i < ROWS; i += 3) {
        f->norms[i * PARTS] = f->norms[i * PARTS + 1] = 0;
        f->data[(i + 1) * WIDTH + 5] = 0x7FC0;
    }
    for (int own = 0; own < 2; own++) {
        f->p.target_count = own ? 0 : 1;
        assert_ok(choose(&f->p, &c, &err), err);
        assert_true(c.count > 0);
        for (size_t i = 0; i < c.count; i++) {
            assert_int_equal(c.picks[i].row % 3, 2);
            assert_true(isfinite(c.picks[i].weight));
        }
        choice_release(&c);
    }
    f->head.rows = 3;
    f->p.budget = 1;
    assert_ok(choose(&f->p, &c, &err), err);
    assert_int_equal(c.count, 1);
    choice_release(&c);
    close_fixture(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(directions_are_orthonormal_and_keep_what_there_is),
        cmocka_unit_test(a_tenth_of_the_numbers_finds_nearly_as_much),
        cmocka_unit_test(all_directions_choose_what_none_left_out_does),
        cmocka_unit_test(threads_change_no_bit),
        cmocka_unit_test(edges),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
