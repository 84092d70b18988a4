/* test_report.c -- the page: escaping, numbers, and a parser's opinion of it. */
#include "winnow/report.h"

#include "base/file.h"
#include "base/utf8.h"
#include "check.h"
#include "report/plot.h"
#include "report/report_text.h"

#include <gumbo.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const char *escaped(struct buf *out, struct str s)
{
    buf_clear(out);
    html_str(out, s);
    return buf_cstr(out);
}

static void markup_in_text_comes_out_as_text(void **state)
{
    (void)state;
    struct buf out = {0};
    assert_string_equal(escaped(&out, STR_LIT("</pre><script>'\"&amp;</script>")),
                        "&lt;/pre&gt;&lt;script&gt;&#39;&quot;&amp;amp;&lt;/script&gt;");
    buf_release(&out);
}

static void control_characters_become_their_pictures(void **state)
{
    (void)state;
    struct buf out = {0};
    assert_string_equal(escaped(&out, STR_LIT("a\0b\x1B\x7F\t\n")),
                        "a\xE2\x90\x80"
                        "b\xE2\x90\x9B\xE2\x90\xA1\t\n");
    assert_string_equal(escaped(&out, STR_LIT("\xC2\x85\xEF\xBF\xBF")), "\xEF\xBF\xBD\xEF\xBF\xBD");
    buf_release(&out);
}

static void bytes_that_are_no_utf8_become_replacement_characters(void **state)
{
    (void)state;
    struct buf out = {0};
    assert_string_equal(escaped(&out, STR_LIT("\xFF<\xC3")), "\xEF\xBF\xBD&lt;\xEF\xBF\xBD");
    buf_release(&out);
}

static void an_excerpt_is_cut_between_code_points(void **state)
{
    (void)state;
    struct buf out = {0};
    html_excerpt(&out, STR_LIT("\xC3\xA4\xC3\xB6\xC3\xBC"), 2);
    assert_string_equal(buf_cstr(&out), "\xC3\xA4\xC3\xB6\xE2\x80\xA6");
    buf_clear(&out);
    html_excerpt(&out, STR_LIT("\xC3\xA4\xC3\xB6"), 2);
    assert_string_equal(buf_cstr(&out), "\xC3\xA4\xC3\xB6");
    buf_release(&out);
}

static void numbers_are_written_as_people_read_them(void **state)
{
    (void)state;
    assert_string_equal(number_count(1234567).text, "1,234,567");
    assert_string_equal(number_count(999).text, "999");
    assert_string_equal(number_count(-1000).text, "\xE2\x88\x92"
                                                  "1,000");
    assert_string_equal(number_short(1234567).text, "1.23M");
    assert_string_equal(number_short(999.6).text, "1.00k");
    assert_string_equal(number_tick(20000).text, "20k");
    assert_string_equal(number_tick(1250000).text, "1.25M");
    assert_string_equal(number_tick(100).text, "100");
    assert_string_equal(number_bytes(57e6).text, "57.0 MB");
    assert_string_equal(number_signed(0.05, 3).text, "+0.050");
    assert_string_equal(number_signed(-0.00001, 3).text, "0.000");
    assert_string_equal(number_flops(3.1e12).text, "3.10\xC3\x97"
                                                   "10\xC2\xB9\xC2\xB2");
    assert_string_equal(number_flops(9.999e12).text, "1.00\xC3\x97"
                                                     "10\xC2\xB9\xC2\xB3");
    assert_string_equal(number_share(0.5).text, "50.0 %");
    assert_string_equal(number_seconds(75.2).text, "75.2 s");
    assert_string_equal(number_seconds(605).text, "10 min 05 s");
}

static void what_is_no_number_is_a_dash(void **state)
{
    (void)state;
    const double nan_value = (double)NAN;
    assert_string_equal(number_count(nan_value).text, "\xE2\x80\x93");
    assert_string_equal(number_real((double)INFINITY, 2).text, "\xE2\x80\x93");
    assert_string_equal(number_flops(-1).text, "\xE2\x80\x93");
    assert_string_equal(number_share(nan_value).text, "\xE2\x80\x93");
}

static void figures_of_odd_data_are_drawn_or_left_out(void **state)
{
    (void)state;
    struct buf out = {0};
    const double nan_value = (double)NAN;
    const double x[] = {0, 1, 2}, flat[] = {3, 3, 3}, none[] = {nan_value, nan_value, nan_value};
    const struct plot_axes axes = {.title = "t", .x_label = "x", .y_label = "y"};
    struct plot_series s = {.name = STR_LIT("s"), .count = 3, .x = x, .y = flat};
    plot_lines(&out, &axes, &s, 1);
    assert_true(str_find(buf_str(&out), STR_LIT("<circle")) != SIZE_MAX);
    assert_true(str_find(buf_str(&out), STR_LIT("nan")) == SIZE_MAX);
    buf_clear(&out);
    s.y = none;
    plot_lines(&out, &axes, &s, 1);
    assert_true(str_find(buf_str(&out), STR_LIT("<circle")) == SIZE_MAX);
    assert_true(str_find(buf_str(&out), STR_LIT("nan")) == SIZE_MAX);
    buf_clear(&out);
    const double zero[] = {0, 0};
    const struct plot_histogram h = {.title = "h",
                                     .x_label = "x",
                                     .low = 0,
                                     .width = 1,
                                     .count = 2,
                                     .all = zero,
                                     .kept = zero,
                                     .edge_low = nan_value};
    plot_histogram(&out, &h);
    assert_int_equal(out.len, 0);
    buf_release(&out);
}

/* What a browser's parser finds in the page. */
struct findings {
    size_t scripts, handlers, addresses, sections;
};

static void look_at_element(const GumboElement *e, struct findings *f)
{
    f->scripts += e->tag == GUMBO_TAG_SCRIPT || e->tag == GUMBO_TAG_IMG ||
                  e->tag == GUMBO_TAG_IFRAME || e->tag == GUMBO_TAG_LINK;
    f->sections += e->tag == GUMBO_TAG_SECTION;
    for (unsigned i = 0; i < e->attributes.length; i++) {
        const GumboAttribute *a = e->attributes.data[i];
        f->handlers += strncmp(a->name, "on", 2) == 0;
        f->addresses +=
            strcmp(a->name, "src") == 0 || (strcmp(a->name, "href") == 0 && a->value[0] != '#');
    }
}

static void look(const GumboNode *root, struct findings *f)
{
    const GumboNode *stack[4096];
    size_t depth = 0;
    stack[depth++] = root;
    while (depth > 0) {
        const GumboNode *node = stack[--depth];
        if (node->type != GUMBO_NODE_ELEMENT) {
            continue;
        }
        look_at_element(&node->v.element, f);
        for (unsigned i = 0; i < node->v.element.children.length; i++) {
            assert_true(depth < sizeof stack / sizeof *stack);
            stack[depth++] = node->v.element.children.data[i];
        }
    }
}

/* The hand-made run's documents try to break out of their elements. */
/* Two seeds: losses of 4 to 5 nats, intervals from -5 to 18. */
static void wide_intervals_leave_the_means_their_axis(void **state)
{
    (void)state;
    static const double X[] = {1, 2}, Y[] = {5, 4}, LOW[] = {-5, -4}, HIGH[] = {18, 12};
    const struct plot_series wide = {
        .name = STR_LIT("a"), .count = 2, .x = X, .y = Y, .low = LOW, .high = HIGH};
    const struct plot_axes axes = {.title = "t", .x_label = "x", .y_label = "nats"};
    struct buf out = {0};
    plot_lines(&out, &axes, &wide, 1);
    assert_non_null(strstr(buf_cstr(&out), ">4.0<"));
    assert_non_null(strstr(buf_cstr(&out), ">5.0<"));
    assert_null(strstr(buf_cstr(&out), ">7.0<"));
    assert_null(strstr(buf_cstr(&out), ">10<"));
    const char *band = strstr(buf_cstr(&out), "class=\"band"), *d = strstr(band, "d=\"M");
    double x, y;
    assert_int_equal(sscanf(d + 4, "%lf %lf", &x, &y), 2);
    assert_near(y, 24, 0.1); /* the frame's top */
    buf_release(&out);
}

/* Close to 0 the axis ends there. */
static void no_axis_of_losses_goes_below_zero(void **state)
{
    (void)state;
    static const double X[] = {1, 2}, Y[] = {2, 0.1}, LOW[] = {-3, -3}, HIGH[] = {3, 3};
    const struct plot_series low = {
        .name = STR_LIT("a"), .count = 2, .x = X, .y = Y, .low = LOW, .high = HIGH};
    const struct plot_axes axes = {.title = "t", .x_label = "x", .y_label = "nats"};
    struct buf out = {0};
    plot_lines(&out, &axes, &low, 1);
    assert_non_null(strstr(buf_cstr(&out), ">0.0<"));
    assert_null(strstr(buf_cstr(&out), "\xE2\x88\x92")); /* a minus */
    assert_null(strstr(buf_cstr(&out), ">-"));
    buf_release(&out);
}

static void the_page_parses_without_error_and_holds_nothing_foreign(void **state)
{
    (void)state;
    struct winnow_error err;
    struct winnow_env env = {0};
    struct buf page = {0};
    char path[] = "/tmp/winnow-report-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    (void)close(fd);
    struct winnow_report_options opt = WINNOW_REPORT_OPTIONS_INIT;
    opt.run = "tests/golden/report-full/run";
    opt.output = path;
    assert_ok(winnow_report(&opt, &env, &err), err);
    assert_ok(file_read(path, (size_t)1 << 24, &page, &err), err);
    (void)unlink(path);
    GumboOutput *parsed = gumbo_parse_with_options(&kGumboDefaultOptions, page.ptr, page.len);
    assert_int_equal(parsed->errors.length, 0);
    struct findings f = {0};
    look(parsed->root, &f);
    gumbo_destroy_output(&kGumboDefaultOptions, parsed);
    assert_int_equal(f.scripts, 0);
    assert_int_equal(f.handlers, 0);
    assert_int_equal(f.addresses, 0);
    assert_int_equal(f.sections, 10);
    assert_int_equal(utf8_valid_until(buf_str(&page)), page.len);
    buf_release(&page);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(markup_in_text_comes_out_as_text),
        cmocka_unit_test(control_characters_become_their_pictures),
        cmocka_unit_test(bytes_that_are_no_utf8_become_replacement_characters),
        cmocka_unit_test(an_excerpt_is_cut_between_code_points),
        cmocka_unit_test(numbers_are_written_as_people_read_them),
        cmocka_unit_test(what_is_no_number_is_a_dash),
        cmocka_unit_test(wide_intervals_leave_the_means_their_axis),
        cmocka_unit_test(no_axis_of_losses_goes_below_zero),
        cmocka_unit_test(figures_of_odd_data_are_drawn_or_left_out),
        cmocka_unit_test(the_page_parses_without_error_and_holds_nothing_foreign),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
