#include "base/rng.h"
#include "check.h"
#include "prove/stats.h"

static void t_quantiles_are_those_of_the_tables(void **state)
{
    (void)state;
    assert_near(stats_t_quantile(0.95, 1), 12.706204736432095, 1e-9);
    assert_near(stats_t_quantile(0.95, 2), 4.302652729911275, 1e-9);
    assert_near(stats_t_quantile(0.95, 4), 2.7764451051977987, 1e-9);
    assert_near(stats_t_quantile(0.95, 9), 2.2621571627409915, 1e-9);
    assert_near(stats_t_quantile(0.99, 30), 2.7499956535672255, 1e-9);
    assert_near(stats_t_quantile(0.95, 1e6), 1.959966, 1e-5);
}

static void t_distribution_has_its_closed_forms(void **state)
{
    (void)state;
    const double pi = acos(-1);
    for (double t = -20; t <= 20; t += 0.37) {
        assert_near(stats_t_cdf(t, 1), 0.5 + atan(t) / pi, 1e-12);
        assert_near(stats_t_cdf(t, 2), 0.5 + t / (2 * sqrt(2 + t * t)), 1e-12);
    }
    assert_near(stats_t_cdf((double)INFINITY, 3), 1, 0);
}

static void paired_t_agrees_with_hand_calculation(void **state)
{
    (void)state;
    const double d[] = {0.1, 0.2, 0.3, 0.4, 0.5};
    struct stats_paired r = stats_paired_t(d, 5);
    /* mean .3, sd .158114, se .0707107, t = 4.242641; p by R: 0.01324 */
    assert_near(r.mean, 0.3, 1e-12);
    assert_near(r.low, 0.3 - 2.7764451051977987 * 0.07071067811865475, 1e-9);
    assert_near(r.p, 0.0132357, 1e-5);
    const double same[] = {0.5, 0.5};
    assert_true(isnan(stats_paired_t(same, 2).p)); /* tied items tell nothing of the spread */
    const double none[] = {0, 0, 0};
    assert_near(stats_paired_t(none, 3).p, 1, 0);
    assert_true(isnan(stats_paired_t(d, 1).p));
}

static void holm_corrects_step_by_step(void **state)
{
    (void)state;
    const double p[] = {0.01, 0.04, 0.03, (double)NAN, 0.005};
    double out[5];
    stats_holm(p, 5, out);
    assert_near(out[4], 0.02, 1e-12);
    assert_near(out[0], 0.03, 1e-12);
    assert_near(out[2], 0.06, 1e-12);
    assert_near(out[1], 0.06, 1e-12); /* .04 alone, but never below the one before */
    assert_true(isnan(out[3]));
}

static void paired_t_rejects_true_nulls_at_its_rate(void **state)
{
    (void)state;
    struct rng r;
    rng_init(&r, 5, "null");
    int rejected = 0;
    for (int i = 0; i < 4000; i++) {
        double d[5];
        for (int k = 0; k < 5; k++) {
            d[k] = rng_normal(&r);
        }
        struct stats_paired s = stats_paired_t(d, 5);
        rejected += s.p < 0.05;
        assert_int_equal(s.p<0.05, s.low> 0 || s.high < 0);
    }
    assert_true(rejected > 145 && rejected < 255); /* 200 +- 4 sd */
}

static void quantiles_interpolate(void **state)
{
    (void)state;
    double x[] = {4, 1, 3, 2};
    stats_sort(x, 4);
    assert_near(stats_quantile(x, 4, 0), 1, 0);
    assert_near(stats_quantile(x, 4, 1), 4, 0);
    assert_near(stats_quantile(x, 4, 0.5), 2.5, 1e-15);
    assert_near(stats_quantile(x, 1, 0.3), 1, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(t_quantiles_are_those_of_the_tables),
        cmocka_unit_test(t_distribution_has_its_closed_forms),
        cmocka_unit_test(paired_t_agrees_with_hand_calculation),
        cmocka_unit_test(holm_corrects_step_by_step),
        cmocka_unit_test(paired_t_rejects_true_nulls_at_its_rate),
        cmocka_unit_test(quantiles_interpolate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
