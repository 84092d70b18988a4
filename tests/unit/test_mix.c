/* test_mix.c -- targets of groups, copies by quantile, and lines in the order of their keys. */
#include "base/mem.h"
#include "base/rng.h"
#include "base/sort.h"
#include "check.h"
#include "mix/mix_plan.h"
#include "mix/mix_value.h"
#include "run/arrange_buckets.h"
#include "scratch.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- targets ---- */

static void put(struct mix_groups *g, const char *name, uint64_t units)
{
    size_t number = mix_groups_number(g, str_of(name));
    struct mix_group *group = &g->items[number];
    group->units = units;
    group->documents = units > 0;
}

static void add(struct winnow_list *list, const char **items, size_t n)
{
    *list = (struct winnow_list){items, n};
}

static double target(const struct mix_groups *g, const char *name)
{
    return mix_groups_find(g, str_of(name))->target;
}

static void plan(struct mix_groups *g, const struct winnow_mix_options *opt, struct mix_budget *b)
{
    struct winnow_error err;
    assert_ok(mix_wishes_check(opt, &err), err);
    assert_ok(mix_wishes_apply(opt, 1, g, &err), err);
    b->budget = (double)opt->tokens;
    mix_plan_targets(opt, g, b);
}

static void without_wishes_all_is_written_once(void **state)
{
    (void)state;
    struct winnow_mix_options opt = WINNOW_MIX_OPTIONS_INIT;
    struct mix_groups g = {0};
    struct mix_budget b;
    put(&g, "a", 700);
    put(&g, "b", 300);
    plan(&g, &opt, &b);
    assert_near(target(&g, "a"), 700, 1e-12);
    assert_near(target(&g, "b"), 300, 1e-12);
    assert_near(b.reached, 1000, 1e-12);
    mix_groups_release(&g);
}

static void weights_are_shares_and_star_is_all_others_by_size(void **state)
{
    (void)state;
    struct winnow_mix_options opt = WINNOW_MIX_OPTIONS_INIT;
    struct mix_groups g = {0};
    struct mix_budget b;
    const char *weights[] = {"a=2", "*=2"};
    put(&g, "a", 1000);
    put(&g, "b", 300);
    put(&g, "c", 100);
    add(&opt.weights, weights, 2);
    opt.tokens = 800;
    plan(&g, &opt, &b);
    assert_near(target(&g, "a"), 400, 1e-12);
    assert_near(target(&g, "b"), 300, 1e-12);
    assert_near(target(&g, "c"), 100, 1e-12);
    mix_groups_release(&g);
}

static void what_a_limit_keeps_away_goes_to_the_others(void **state)
{
    (void)state;
    struct winnow_mix_options opt = WINNOW_MIX_OPTIONS_INIT;
    struct mix_groups g = {0};
    struct mix_budget b;
    const char *weights[] = {"a=1", "b=1", "c=2"}, *caps[] = {"b=50"};
    put(&g, "a", 1000);
    put(&g, "b", 1000);
    put(&g, "c", 10); /* at most 4 epochs: 40 */
    add(&opt.weights, weights, 3);
    add(&opt.caps, caps, 1);
    opt.tokens = 400;
    plan(&g, &opt, &b);
    assert_near(target(&g, "c"), 40, 1e-12);
    assert_near(target(&g, "b"), 50, 1e-12);
    assert_near(target(&g, "a"), 310, 1e-12);
    assert_near(b.reached, 400, 1e-12);
    mix_groups_release(&g);
}

static void epochs_come_first_and_a_budget_may_be_out_of_reach(void **state)
{
    (void)state;
    struct winnow_mix_options opt = WINNOW_MIX_OPTIONS_INIT;
    struct mix_groups g = {0};
    struct mix_budget b;
    const char *epochs[] = {"a=2.5"};
    put(&g, "a", 100);
    put(&g, "b", 100);
    add(&opt.epochs, epochs, 1);
    opt.tokens = 100000;
    plan(&g, &opt, &b);
    assert_near(target(&g, "a"), 250, 1e-12);
    assert_near(target(&g, "b"), 400, 1e-12);
    assert_near(b.reached, 650, 1e-12);
    assert_false(b.over_fixed);
    opt.tokens = 100;
    plan(&g, &opt, &b);
    assert_true(b.over_fixed);
    assert_near(target(&g, "b"), 0, 1e-12);
    mix_groups_release(&g);
}

/* ---- copies ---- */

static double sum_over(const struct winnow_mix_options *opt, double epochs, uint32_t *most)
{
    double cuts[MIX_COPIES_MAX], mean = 0;
    uint32_t base = 0;
    size_t n = mix_plan_cuts(opt, epochs, &base, cuts);
    mean = base;
    for (size_t i = 0; i < n; i++) {
        assert_true(cuts[i] >= 0 && cuts[i] < 1);
        assert_true(i == 0 || cuts[i] >= cuts[i - 1]);
        assert_true(cuts[i] >= opt->upsample_drop * (opt->upsample != NULL));
        mean += 1 - cuts[i];
    }
    *most = base + (uint32_t)n;
    return mean;
}

static void the_mean_of_copies_is_the_epochs(void **state)
{
    (void)state;
    static const double EPOCHS[] = {0, 0.01, 0.3, 0.999, 1, 1.7, 2, 3.99, 4};
    struct winnow_mix_options opt = WINNOW_MIX_OPTIONS_INIT;
    uint32_t most;
    for (size_t i = 0; i < sizeof EPOCHS / sizeof *EPOCHS; i++) {
        opt.upsample = NULL;
        assert_near(sum_over(&opt, EPOCHS[i], &most), EPOCHS[i], 1e-8);
        assert_int_equal(most, (uint32_t)ceil(EPOCHS[i] - 1e-8));
        opt.upsample = "q";
        for (double power = 0.05; power < 21; power *= 3) {
            for (double drop = 0; drop < 0.5; drop += 0.4) {
                opt.upsample_power = power;
                opt.upsample_drop = drop;
                assert_near(sum_over(&opt, EPOCHS[i], &most), EPOCHS[i], 1e-6);
                assert_true(most <= opt.upsample_max);
            }
        }
    }
}

/* The slow twin: the curve itself, rounded, by quantile. */
static void a_linear_curve_gives_the_copies_that_rounding_says(void **state)
{
    (void)state;
    struct winnow_mix_options opt = WINNOW_MIX_OPTIONS_INIT;
    double cuts[MIX_COPIES_MAX];
    uint32_t base;
    opt.upsample = "q";
    opt.upsample_max = 100;
    size_t n = mix_plan_cuts(&opt, 1.5, &base, cuts);
    double c = 0.5 / cuts[0]; /* copies(q) = c q is 1/2 at the first cut */
    for (double q = 0.0005; q < 1; q += 0.001) {
        uint32_t copies = base;
        for (size_t i = 0; i < n; i++) {
            copies += q >= cuts[i];
        }
        assert_int_equal(copies, (uint32_t)floor(c * q + 0.5));
    }
}

static void places_are_ordered_by_score_then_draw_then_ordinal(void **state)
{
    (void)state;
    struct mix_place cuts[] = {{5, 10, 3}, {7, 0, 0}};
    const struct mix_group g = {.base = 1, .cuts = cuts, .cut_count = 2};
    const struct {
        struct mix_place at;
        uint32_t copies;
    } cases[] = {{{4, 99, 99}, 1}, {{5, 9, 99}, 1}, {{5, 10, 2}, 1}, {{5, 10, 3}, 2},
                 {{5, 11, 0}, 2},  {{6, 0, 0}, 2},  {{7, 0, 0}, 3}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(mix_plan_copies(&g, &cases[i].at), cases[i].copies);
    }
}

/* ---- values ---- */

static void check_value(const char *json, const char *path, const char *name, double number)
{
    struct json_parser *p = json_parser_new();
    struct json_value root;
    struct winnow_error err;
    struct buf scratch = {0};
    struct str got = {"", 0};
    assert_ok(json_parse(p, str_of(json), &root, &err), err);
    struct json_value v = mix_attribute(root, path);
    assert_int_equal(mix_name(v, &scratch, &got), name != NULL);
    if (name) {
        assert_str(got, name);
    }
    assert_true(isnan(number) ? isnan(mix_number(v)) : mix_number(v) == number);
    buf_release(&scratch);
    json_parser_free(p);
}

static void a_value_is_found_wherever_stages_put_it(void **state)
{
    (void)state;
    check_value("{\"attributes\":{\"q\":[[0,12,0.5]]}}", "q", "0.5", 0.5);
    check_value("{\"attributes\":{\"q\":7}}", "q", "7", 7);
    check_value("{\"attributes\":{\"c\":[[0,2,\"x\"]]}}", "c", "x", (double)NAN);
    check_value("{\"meta\":{\"site\":\"a.b\"}}", "meta.site", "a.b", (double)NAN);
    check_value("{\"meta.site\":\"whole\",\"meta\":{\"site\":1}}", "meta.site", "whole",
                (double)NAN);
    check_value("{\"t\":true}", "t", "true", 1);
    check_value("{\"n\":-3}", "n", "-3", -3);
    check_value("{\"n\":18446744073709551615}", "n", "18446744073709551615",
                18446744073709551615.0);
    check_value("{\"n\":null,\"a\":[],\"o\":{}}", "n", NULL, (double)NAN);
    check_value("{\"a\":[]}", "a", NULL, (double)NAN);
    check_value("{\"a\":[[]]}", "a", NULL, (double)NAN);
    check_value("{\"s\":\"\"}", "s", NULL, (double)NAN);
    check_value("{}", "a.b.c", NULL, (double)NAN);
}

/* ---- buckets ---- */

struct taken {
    struct bucket_item *items;
    size_t count;
};

static winnow_status take(void *ctx, const struct bucket_item *item, struct winnow_error *err)
{
    (void)err;
    struct taken *t = ctx;
    struct bucket_item *to = &t->items[t->count++];
    *to = *item;
    char *line = mem_alloc(item->line.len + 1);
    memcpy(line, item->line.ptr, item->line.len);
    to->line.ptr = line;
    return WINNOW_OK;
}

static int by_key(const void *a, const void *b)
{
    const struct bucket_item *x = a, *y = b;
    if (x->high != y->high) {
        return x->high < y->high ? -1 : 1;
    }
    return x->low < y->low ? -1 : x->low > y->low;
}

static void check_buckets(size_t n, size_t longest, uint64_t memory, uint64_t foretold)
{
    struct scratch s;
    struct buckets *b = NULL;
    struct winnow_error err;
    struct rng r;
    scratch_open(&s);
    rng_init(&r, n + memory, "buckets");
    struct bucket_item *want = mem_zalloc((n + 1) * sizeof *want);
    struct taken got = {.items = mem_zalloc((n + 1) * sizeof *want)};
    assert_ok(buckets_new(&b, n, foretold, memory, s.dir, &err), err);
    for (size_t i = 0; i < n; i++) {
        size_t len = i == n / 2 ? longest : (size_t)rng_below(&r, 200);
        char *line = mem_alloc(len + 1);
        memset(line, 'a' + (int)(i % 26), len);
        want[i] = (struct bucket_item){rng_u64(&r), rng_below(&r, 3), (uint32_t)i, {line, len}};
        want[i].high = i % 7 == 0 ? want[i / 2].high : want[i].high;
        assert_ok(buckets_add(b, &want[i], &err), err);
    }
    assert_ok(buckets_each(b, take, &got, &err), err);
    assert_int_equal(got.count, n);
    sort(want, n, sizeof *want, by_key);
    for (size_t i = 0; i < n; i++) {
        assert_true(got.items[i].high == want[i].high && got.items[i].low == want[i].low);
        bool same = got.items[i].number == want[i].number;
        if (same) { /* of equal keys any may come first */
            assert_true(str_eq(got.items[i].line, want[i].line));
        } else {
            assert_true((i > 0 && by_key(&want[i - 1], &want[i]) == 0) ||
                        (i + 1 < n && by_key(&want[i], &want[i + 1]) == 0));
        }
    }
    for (size_t i = 0; i < n; i++) {
        mem_free((void *)(uintptr_t)got.items[i].line.ptr);
        mem_free((void *)(uintptr_t)want[i].line.ptr);
    }
    mem_free(want);
    mem_free(got.items);
    buckets_free(b);
    scratch_close(&s);
}

static void lines_come_in_the_order_of_their_keys(void **state)
{
    (void)state;
    check_buckets(0, 0, 1 << 20, 0);
    check_buckets(1, 5, 1 << 20, 5);
    check_buckets(3000, 100, 64 << 20, 300000);         /* all in memory */
    check_buckets(3000, 100, 40 << 10, 300000);         /* many buckets */
    check_buckets(3000, 2 << 20, 200 << 10, 2400000);   /* one line larger than memory */
    check_buckets(3000, 100, 40 << 10, 10);             /* much more than was foretold */
    check_buckets(20, 100, 1 << 10, UINT64_C(1) << 40); /* much less */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_wishes_all_is_written_once),
        cmocka_unit_test(weights_are_shares_and_star_is_all_others_by_size),
        cmocka_unit_test(what_a_limit_keeps_away_goes_to_the_others),
        cmocka_unit_test(epochs_come_first_and_a_budget_may_be_out_of_reach),
        cmocka_unit_test(the_mean_of_copies_is_the_epochs),
        cmocka_unit_test(a_linear_curve_gives_the_copies_that_rounding_says),
        cmocka_unit_test(places_are_ordered_by_score_then_draw_then_ordinal),
        cmocka_unit_test(a_value_is_found_wherever_stages_put_it),
        cmocka_unit_test(lines_come_in_the_order_of_their_keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
