#include "check.h"
#include "prove/measures.h"

static void steps_are_read_off_the_learning_curve(void **state)
{
    (void)state;
    const double tokens[] = {0, 100, 200, 400}, values[] = {8, 6, 5, 4};
    assert_near(steps_to_reach(tokens, values, 4, 4), 1, 1e-12);
    assert_near(steps_to_reach(tokens, values, 4, 4.5), 0.75, 1e-12); /* between two points */
    assert_near(steps_to_reach(tokens, values, 4, 5), 0.5, 1e-12);
    assert_near(steps_to_reach(tokens, values, 4, 7), 0.125, 1e-12);
    assert_near(steps_to_reach(tokens, values, 4, 9), 0, 0); /* there before it starts */
    assert_true(isnan(steps_to_reach(tokens, values, 4, 3.9)));
}

static void steps_stop_at_the_first_time_down(void **state)
{
    (void)state;
    const double tokens[] = {0, 10, 20, 30}, values[] = {5, 3, 4, 2};
    assert_near(steps_to_reach(tokens, values, 4, 3), 1.0 / 3, 1e-12);
    assert_near(steps_to_reach(tokens, values, 4, 2.5), (20 + 7.5) / 30, 1e-12);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(steps_are_read_off_the_learning_curve),
        cmocka_unit_test(steps_stop_at_the_first_time_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
