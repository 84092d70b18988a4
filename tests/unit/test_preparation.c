#include "base/file.h"
#include "check.h"
#include "prove/preparation.h"
#include "scratch.h"

static double cost_of(struct scratch *s, const char *corpus)
{
    struct winnow_error err;
    double flops = -1;
    assert_ok(preparation_flops(scratch_path(s, corpus), &flops, &err), err);
    return flops;
}

static void stages_up_to_the_corpus_count(void **state)
{
    (void)state;
    struct scratch s;
    scratch_open(&s);
    scratch_write(&s, "run/stages/01-refine/stats.json", str_of("{\"notes\": {\"flops\": 5}}"));
    scratch_write(&s, "run/stages/02-dedup/stats.json", str_of("{\"notes\": {}}"));
    scratch_write(&s, "run/stages/03-prune/stats.json",
                  str_of("{\"notes\": {\"edge_low\": 1, \"flops\": 1000}}"));
    scratch_write(&s, "run/stages/04-rules/documents/a.jsonl", str_of("")); /* not finished */
    assert_near(cost_of(&s, "run/stages/01-refine/documents"), 5, 0);
    assert_near(cost_of(&s, "run/stages/01-refine/documents/"), 5, 0);
    assert_near(cost_of(&s, "run/stages/02-dedup/documents"), 5, 0);
    assert_near(cost_of(&s, "run/stages/03-prune/documents"), 1005, 0);
    assert_near(cost_of(&s, "run/documents"), 1005, 0);
    assert_near(cost_of(&s, "run"), 1005, 0);
    scratch_close(&s);
}

static void a_corpus_without_a_run_costs_nothing(void **state)
{
    (void)state;
    struct scratch s;
    scratch_open(&s);
    scratch_write(&s, "documents/a.jsonl", str_of(""));
    assert_near(cost_of(&s, "documents"), 0, 0);
    assert_near(cost_of(&s, "documents/a.jsonl"), 0, 0);
    assert_near(cost_of(&s, "nothing"), 0, 0);
    struct winnow_error err;
    double flops = -1;
    assert_ok(preparation_flops("documents", &flops, &err), err);
    assert_near(flops, 0, 0);
    scratch_close(&s);
}

static void broken_counts_are_named(void **state)
{
    (void)state;
    struct scratch s;
    struct winnow_error err;
    double flops = -1;
    scratch_open(&s);
    scratch_write(&s, "run/stages/01-refine/stats.json", str_of("{\"notes\": "));
    assert_int_not_equal(preparation_flops(scratch_path(&s, "run"), &flops, &err), WINNOW_OK);
    assert_non_null(strstr(err.text, "01-refine/stats.json"));
    scratch_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stages_up_to_the_corpus_count),
        cmocka_unit_test(a_corpus_without_a_run_costs_nothing),
        cmocka_unit_test(broken_counts_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
