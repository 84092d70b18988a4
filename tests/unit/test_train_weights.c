/* test_train_weights.c -- what weights do to losses and epochs. */
#include "check.h"
#include "flow/train_weights.h"

#include <math.h>

#define COUNT 4

static const float WEIGHTS[COUNT] = {3, 9, 100, 0};
static const uint32_t TARGETS[COUNT] = {10, 30, 0, 20}; /* nothing can be learnt of the third */

static void near(float x, double y)
{
    assert_true(fabs((double)x - y) < 1e-6);
}

static void weights_are_scaled_to_a_mean_of_one(void **state)
{
    (void)state;
    struct winnow_train_options opt = WINNOW_TRAIN_OPTIONS_INIT;
    struct winnow_error err;
    struct train_factors f;
    assert_int_equal(train_factors_make(&opt, WEIGHTS, TARGETS, COUNT, &f, &err), WINNOW_OK);
    assert_null(f.repeats);
    const double want[COUNT] = {0.75, 2.25, 0, 0};
    for (size_t i = 0; i < COUNT; i++) {
        near(f.loss[i], want[i]);
    }
    train_factors_release(&f);
    opt.weights_as = WINNOW_AS_REPEATS;
    assert_int_equal(train_factors_make(&opt, WEIGHTS, TARGETS, COUNT, &f, &err), WINNOW_OK);
    assert_null(f.loss);
    near(f.repeats[1], 2.25);
    train_factors_release(&f);
    assert_int_equal(train_factors_make(&opt, NULL, TARGETS, COUNT, &f, &err), WINNOW_OK);
    assert_true(!f.loss && !f.repeats);
}

/* A token's share is then its factor over the mean number of tokens a document. */
static void documents_count_alike_whatever_their_length(void **state)
{
    (void)state;
    struct winnow_train_options opt = WINNOW_TRAIN_OPTIONS_INIT;
    struct winnow_error err;
    struct train_factors f;
    opt.mean_of = WINNOW_MEAN_OF_DOCUMENTS;
    assert_int_equal(train_factors_make(&opt, NULL, TARGETS, COUNT, &f, &err), WINNOW_OK);
    for (size_t i = 0; i < COUNT; i++) {
        near(f.loss[i] * (float)TARGETS[i], TARGETS[i] > 0 ? 20 : 0);
    }
    train_factors_release(&f);
    assert_int_equal(train_factors_make(&opt, WEIGHTS, TARGETS, COUNT, &f, &err), WINNOW_OK);
    near(f.loss[0] * 10, 0.75 * 20);
    near(f.loss[1] * 30, 2.25 * 20);
    train_factors_release(&f);
}

static void weights_that_are_all_zero_are_refused(void **state)
{
    (void)state;
    struct winnow_train_options opt = WINNOW_TRAIN_OPTIONS_INIT;
    struct winnow_error err;
    struct train_factors f;
    const float none[COUNT] = {0, 0, 5, 0};
    assert_int_equal(train_factors_make(&opt, none, TARGETS, COUNT, &f, &err), WINNOW_E_FORMAT);
    train_factors_release(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(weights_are_scaled_to_a_mean_of_one),
        cmocka_unit_test(documents_count_alike_whatever_their_length),
        cmocka_unit_test(weights_that_are_all_zero_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
