#include "check.h"
#include "prove/arm_way.h"
#include "prove/draw.h"

#include <math.h>

static struct arena keep;

static struct arm_way read_way(const char *name, const char *want_base)
{
    struct winnow_error err;
    struct arm_way w;
    const char *base;
    assert_ok(arm_way_read(name, &keep, &base, &w, &err), err);
    assert_string_equal(base, want_base);
    return w;
}

static void names_say_what_is_taken_and_how_it_is_trained_on(void **state)
{
    (void)state;
    arena_init(&keep, 256);
    struct arm_way w = read_way("medium-by-source", "medium-by-source");
    assert_int_equal(w.sampling.sampler, WINNOW_UNIFORM);
    assert_true(isnan(w.dropout) && w.repeat == 0);
    assert_near(arm_way_passes(&w), 1, 0);
    w = read_way("repeat:4", "before");
    assert_near(w.repeat, 4, 0);
    w = read_way("clean+repeat:16+dropout:0.1", "clean");
    assert_near(w.repeat, 16, 0);
    assert_near(w.dropout, 0.1, 1e-12);
    w = read_way("repeat:2+dropout:0", "before");
    assert_near(w.dropout, 0, 0);
    w = read_way("before+lfr:random", "before");
    assert_int_equal(w.sampling.sampler, WINNOW_LFR);
    assert_int_equal(w.sampling.focus, WINNOW_FOCUS_RANDOM);
    assert_near(arm_way_passes(&w), 4, 1e-12);
    w = read_way("without:wiki+lfr:random", "without:wiki");
    assert_int_equal(w.sampling.focus, WINNOW_FOCUS_RANDOM);
    w = read_way("before+reweight:extremes:0.4", "before");
    assert_int_equal(w.sampling.curve, WINNOW_EXTREMES);
    assert_near(w.sampling.temperature, 0.4, 1e-12);
    arena_release(&keep);
}

static void what_is_no_way_is_refused(void **state)
{
    (void)state;
    static const char *const BAD[] = {"before+",
                                      "before+nothing",
                                      "repeat:",
                                      "repeat:0",
                                      "repeat:4x",
                                      "before+lfr:harder",
                                      "before+dropout",
                                      "before+dropout:-1",
                                      "before+repeat:4+",
                                      "before++lfr",
                                      "before+uniform:hard",
                                      "+lfr",
                                      "+"};
    arena_init(&keep, 256);
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        struct winnow_error err;
        struct arm_way w;
        const char *base;
        assert_int_equal(arm_way_read(BAD[i], &keep, &base, &w, &err), WINNOW_E_USAGE);
        assert_non_null(strstr(err.text, BAD[i]));
    }
    arena_release(&keep);
}

/* K passes need a K-th of the tokens, and never less. */
static void passes_share_the_tokens(void **state)
{
    (void)state;
    arena_init(&keep, 256);
    struct arm_way one = read_way("before", "before"), three = read_way("repeat:3", "before");
    assert_int_equal(arm_way_tokens(&one, 1000), 1000);
    assert_int_equal(arm_way_tokens(&three, 1000), 334);
    arena_release(&keep);
}

/* The first documents, in the order of their draw, that hold enough. */
static void a_cut_leaves_the_first_documents(void **state)
{
    (void)state;
    struct text_set set = {0};
    for (uint32_t i = 0; i < 6; i++) {
        for (uint32_t k = 0; k < 10; k++) {
            u32_list_add(&set.docs.tokens, k);
        }
        token_docs_end(&set.docs);
    }
    const struct packer_options packing = {0, 1, 32, 64, 0, NULL}; /* two more a document */
    uint32_t items[6] = {4, 2, 5, 0, 1, 3};
    struct arm_draw d = {.items = items, .count = 6, .tokens = 72};
    arm_draw_cut(&d, &set, &packing, 25);
    assert_int_equal(d.count, 3);
    assert_int_equal(d.tokens, 36);
    assert_int_equal(d.items[2], 5);
    arm_draw_cut(&d, &set, &packing, 1000);
    assert_int_equal(d.count, 3);
    token_docs_release(&set.docs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_say_what_is_taken_and_how_it_is_trained_on),
        cmocka_unit_test(what_is_no_way_is_refused),
        cmocka_unit_test(passes_share_the_tokens),
        cmocka_unit_test(a_cut_leaves_the_first_documents),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
