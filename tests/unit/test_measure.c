#include "base/json.h"
#include "check.h"
#include "teach/outcome.h"

/* A page as JSON, programs or a text made of it, and the scores. */
static void score_page(const char *page, int dialect, const char *program, const char *text,
                       struct measure_sums *out)
{
    struct arena keep;
    arena_init(&keep, 4096);
    struct json_parser *parser = json_parser_new();
    struct json_value root;
    struct winnow_error err;
    struct pair p;
    struct outcome o;
    assert_ok(json_parse(parser, str_of(page), &root, &err), err);
    assert_ok(pair_read(root, "type", &keep, &p, &err), err);
    if (text) {
        assert_ok(outcome_of_text(p.raw, str_of(text), &keep, &o, &err), err);
    } else {
        const struct program_text one = {0, SIZE_MAX, str_of(program ? program : "")};
        assert_ok(outcome_of_programs(p.raw, dialect, &one, program ? 1 : 0, &keep, &o, &err), err);
    }
    assert_ok(outcome_measure(&p, &o, &keep, out, &err), err);
    json_parser_free(parser);
    arena_release(&keep);
}

static const char PAGE[] =
    "{\"id\": \"a\", \"lines\": [\"Home\", \"|\", \"A cat sat here.\", \"It slept. [edit]\", "
    "\"Share\"], \"label\": [0, -1, 1, 1, 0], \"gold\": \"A cat sat here.\\nIt slept.\"}";

static void a_page_left_alone_keeps_everything(void **state)
{
    (void)state;
    struct measure_sums s;
    score_page(PAGE, WINNOW_DIALECT_WINNOW, NULL, NULL, &s);
    assert_int_equal(s.n[COUNT_LINE_KR], 2);
    assert_int_equal(s.n[COUNT_LINE_KW], 2);
    assert_int_equal(s.n[COUNT_PROGRAMS], 0);
    assert_near(measure_value(MEASURE_LINE_K_F1, &s), 2.0 * 2 / (2 * 2 + 2), 1e-12);
    assert_near(measure_value(MEASURE_LINE_R_F1, &s), 0, 1e-12);
    /* characters: 12 + 14 to keep, 4 + 5 to remove */
    assert_near(measure_value(MEASURE_CHAR_F1, &s), 2.0 * 26 / (2 * 26 + 9), 1e-12);
    assert_near(measure_value(MEASURE_CHAR_LOST, &s), 0, 1e-12);
    /* gold text 12 + 8, result 4 + 1 + 12 + 14 + 5 */
    assert_near(measure_value(MEASURE_TEXT_F1, &s), 2.0 * 20 / (20 + 36), 1e-12);
    assert_true(isnan(measure_value(MEASURE_CALLS, &s)));
    assert_near(measure_value(MEASURE_DOC_KEEP_F1, &s), 1, 1e-12);
    assert_true(isnan(measure_value(MEASURE_DOC_DROP_F1, &s)));
}

static void programs_and_texts_score_alike(void **state)
{
    (void)state;
    struct measure_sums a, b;
    score_page(PAGE, WINNOW_DIALECT_WINNOW,
               "remove_lines(line_start=0, line_end=1)\nremove_str(line=3, str=\" [edit]\")\n"
               "remove_lines(line_start=4, line_end=4)\n",
               NULL, &a);
    score_page(PAGE, WINNOW_DIALECT_WINNOW, NULL, "A cat sat here.\nIt slept.", &b);
    for (enum measure m = MEASURE_LINE_K_F1; m <= MEASURE_TEXT_LOST; m++) {
        assert_near(measure_value(m, &a), measure_value(m, &b), 1e-12);
    }
    assert_near(measure_value(MEASURE_LINE_K_F1, &a), 1, 1e-12);
    assert_near(measure_value(MEASURE_LINE_R_F1, &a), 1, 1e-12);
    assert_near(measure_value(MEASURE_TEXT_F1, &a), 1, 1e-12);
    /* "[edit]" stands in a line to keep: 6 of its characters count as lost */
    assert_near(measure_value(MEASURE_CHAR_LOST, &a), 6.0 / 26, 1e-12);
    assert_int_equal(a.n[COUNT_CALLS], 3);
    assert_int_equal(b.n[COUNT_CALLS], 0);
}

static void calls_are_counted_by_what_became_of_them(void **state)
{
    (void)state;
    struct measure_sums s;
    score_page(PAGE, WINNOW_DIALECT_WINNOW,
               "remove_lines(0, 0)\nremove_lines(0, 0)\nremove_lines(7, 9)\nremove_line(1)\n"
               "remove_str(2, \"dog\")\nkeep_chunk()\n",
               NULL, &s);
    assert_int_equal(s.n[COUNT_CALLS], 6);
    assert_int_equal(s.n[COUNT_CALLS_ILL_FORMED], 1);
    assert_int_equal(s.n[COUNT_CALLS_REJECTED], 3);
    assert_int_equal(s.n[COUNT_CALLS_SILENT], 0);
    /* the released models' language ignores what it does not understand */
    score_page(
        "{\"text\": \"a a a a a a a a a a a a\\nb b b b b b b b b b b b\", \"clean\": \"\"}",
        WINNOW_DIALECT_PROX,
        "untouch_doc()\nnormalize(source_str=\"zebra\")\nhello\nremove_lines(start=0, end=0)", NULL,
        &s);
    assert_int_equal(s.n[COUNT_CALLS], 4);
    assert_int_equal(s.n[COUNT_CALLS_SILENT], 2);
    assert_int_equal(s.n[COUNT_DOC_KW], 1);
}

static void dropping_is_right_where_gold_is_empty(void **state)
{
    (void)state;
    struct measure_sums s, all = {0};
    score_page("{\"text\": \"Spam\\nSpam\", \"drop\": true}", WINNOW_DIALECT_WINNOW, "drop_doc()",
               NULL, &s);
    assert_int_equal(s.n[COUNT_DOC_RR], 1);
    assert_int_equal(s.n[COUNT_LINE_RR], 2);
    measure_add(&all, &s);
    score_page("{\"text\": \"Good\\nSpam\", \"clean\": \"Good\"}", WINNOW_DIALECT_WINNOW,
               "drop_doc()", NULL, &s);
    assert_int_equal(s.n[COUNT_DOC_RW], 1);
    measure_add(&all, &s);
    score_page("{\"text\": \"Good\\nSpam\", \"clean\": \"Good\"}", WINNOW_DIALECT_WINNOW,
               "remove_lines(1, 1)", NULL, &s);
    measure_add(&all, &s);
    assert_near(measure_value(MEASURE_DROPPED, &all), 2.0 / 3, 1e-12);
    assert_near(measure_value(MEASURE_DOC_KEEP_F1, &all), 2.0 / 3, 1e-12);
    assert_near(measure_value(MEASURE_DOC_DROP_F1, &all), 2.0 / 3, 1e-12);
    assert_near(measure_value(MEASURE_LINE_R_F1, &all), 2.0 * 4 / (2 * 4 + 1), 1e-12);
    assert_near(measure_value(MEASURE_LINE_K_F1_PAGE, &all), (1.0 + 0 + 1) / 3, 1e-12);
}

static void intervals_hold_their_value_and_depend_on_the_seed_alone(void **state)
{
    (void)state;
    struct measure_sums pages[40] = {0};
    for (size_t i = 0; i < 40; i++) {
        pages[i].n[COUNT_PAGES] = 1;
        pages[i].n[COUNT_LINE_KR] = 5 + i % 7;
        pages[i].n[COUNT_LINE_KW] = i % 5;
        pages[i].n[COUNT_LINE_RW] = i % 3;
    }
    struct measure_interval a[MEASURE_COUNT], b[MEASURE_COUNT], c[MEASURE_COUNT];
    measure_intervals(pages, 40, 500, 1, a);
    measure_intervals(pages, 40, 500, 1, b);
    measure_intervals(pages, 40, 0, 1, c);
    const struct measure_interval *k = &a[MEASURE_LINE_K_F1];
    assert_true(k->low < k->value && k->value < k->high);
    assert_true(k->high - k->low < 0.1);
    assert_true(k->low == b[MEASURE_LINE_K_F1].low && k->high == b[MEASURE_LINE_K_F1].high);
    assert_true(isnan(c[MEASURE_LINE_K_F1].low));
    assert_true(c[MEASURE_LINE_K_F1].value == k->value);
}

static void assert_refused(const char *json, const char *why)
{
    struct arena keep;
    arena_init(&keep, 4096);
    struct json_parser *parser = json_parser_new();
    struct json_value root;
    struct winnow_error err;
    struct pair p;
    assert_ok(json_parse(parser, str_of(json), &root, &err), err);
    assert_int_equal(pair_read(root, NULL, &keep, &p, &err), WINNOW_E_FORMAT);
    if (!strstr(err.text, why)) {
        fail_msg("'%s' does not say '%s'", err.text, why);
    }
    json_parser_free(parser);
    arena_release(&keep);
}

static void bad_pages_are_refused_with_a_reason(void **state)
{
    (void)state;
    assert_refused("[]", "not a JSON object");
    assert_refused("{\"id\": \"a\"}", "no page");
    assert_refused("{\"lines\": [1]}", "no string");
    assert_refused("{\"lines\": [\"a\\nb\"]}", "line break");
    assert_refused("{\"lines\": [\"a\", \"b\"], \"label\": [1]}", "1 numbers for 2 lines");
    assert_refused("{\"lines\": [\"a\"], \"label\": [\"keep\"]}", "something other than 1");
    assert_refused("{\"lines\": [\"a\"], \"label\": [1000]}", "something other than 1");
    assert_refused(
        "{\"text\": \"a\", \"chunks\": [{\"first\": 2, \"last\": 1, \"program\": \"\"}]}",
        "in order");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_page_left_alone_keeps_everything),
        cmocka_unit_test(programs_and_texts_score_alike),
        cmocka_unit_test(calls_are_counted_by_what_became_of_them),
        cmocka_unit_test(dropping_is_right_where_gold_is_empty),
        cmocka_unit_test(intervals_hold_their_value_and_depend_on_the_seed_alone),
        cmocka_unit_test(bad_pages_are_refused_with_a_reason),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
