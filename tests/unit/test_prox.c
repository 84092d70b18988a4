/* Each row is a measured behaviour of the published executor. */
#include "check.h"
#include "program/prox.h"

#include <stdio.h>

/* Six lines of twelve words, "L0w0 L0w1 ..." and so on. */
static void six_lines(struct buf *out)
{
    for (int line = 0; line < 6; line++) {
        for (int word = 0; word < 12; word++) {
            buf_addf(out, "%sL%dw%d", word > 0 ? " " : "", line, word);
        }
        buf_add_text(out, line < 5 ? "\n" : "");
    }
}

struct row {
    const char *program;
    unsigned errors;
    enum prox_verdict verdict;
    const char *kept; /* the lines that are left, as digits */
};

static const struct row ROWS[] = {
    {"", 0, PROX_PROCESSED, "012345"},
    {"garbage", 0, PROX_PROCESSED, "012345"},
    {"untouch_doc()", 0, PROX_PROCESSED, "012345"},
    {"keep_chunk()", 0, PROX_PROCESSED, "012345"},
    {"remove_lines(0, 1)", 1, PROX_PROCESSED, "012345"},
    {"remove_lines(0, 1)\nremove_lines(2, 3)", 2, PROX_REVERTED, "012345"},
    {"remove_lines(end=1, start=0)", 0, PROX_PROCESSED, "012345"},
    {"remove_lines(start=3, end=1)", 0, PROX_PROCESSED, "012345"},
    {"remove_lines(start=-1, end=1)", 0, PROX_PROCESSED, "2345"},
    {"remove_lines(start=4, end=99)", 1, PROX_PROCESSED, "0123"},
    {"remove_lines(start=50, end=99)\nremove_lines(start=0, end=0)", 1, PROX_PROCESSED, "12345"},
    {"remove_lines(start=50, end=60)\nremove_lines(start=70, end=80)\n"
     "remove_lines(start=0, end=0)",
     2, PROX_REVERTED, "012345"},
    {"remove_lines(start=50, end=60)\nremove_lines(start=61, end=80)\n"
     "remove_lines(start=0, end=0)",
     1, PROX_PROCESSED, "12345"},
    {"remove_lines(start=0, end=12", 1, PROX_PROCESSED, "2345"},
    {"remove_lines(start=0, end=4", 2, PROX_REVERTED, "012345"},
    {"remove_lines(start=0, end", 2, PROX_REVERTED, "012345"},
    {"remove_lines(\nremove_lines(\nremove_lines(all=True)", 4, PROX_DROPPED, ""},
    {" remove_lines(start=0, end=0)", 0, PROX_PROCESSED, "12345"},
    {"untouch_doc()\n remove_lines(start=0, end=0)", 0, PROX_PROCESSED, "012345"},
    {"```python\nremove_lines(start=0, end=0) # why\n```", 0, PROX_PROCESSED, "12345"},
    {"remove_lines(start=0, end=0)\r", 0, PROX_PROCESSED, "12345"},
    {"remove_lines(start=0, end=0) remove_lines(start=2, end=2)", 0, PROX_PROCESSED, "12345"},
    {"remove_lines(start=0, end=0); remove_lines(start=2, end=2)", 0, PROX_PROCESSED, "12345"},
    {"remove_lines(start=0.0, end=1)", 1, PROX_PROCESSED, "012345"},
    {"remove_lines(start=\"0\", end=1)", 1, PROX_PROCESSED, "012345"},
    {"remove_lines(start=0)", 1, PROX_PROCESSED, "012345"},
    {"remove_lines(start=0_1, end=+1)", 0, PROX_PROCESSED, "02345"},
    {"remove_lines(start= 0 , end=000)", 0, PROX_PROCESSED, "12345"},
    {"remove_lines(start=\xd9\xa1, end=\xd9\xa2)", 0, PROX_PROCESSED, "0345"}, /* Arabic-Indic */
    {"remove_lines(start=0__1, end=1)", 1, PROX_PROCESSED, "012345"},
    {"remove_linesXYZ(start=0,end=0)", 0, PROX_PROCESSED, "12345"},
    {"remove_lines(start=0, end=20000000)", 1, PROX_DROPPED, ""},
    {"remove_lines(start=0, end=99999999999999999999999)", 1, PROX_DROPPED, ""},
    {"remove_lines(all=True)", 0, PROX_DROPPED, ""},
};

static void assert_kept(const struct row *row, const struct buf *out)
{
    struct buf want = {0}, all = {0};
    six_lines(&all);
    struct str rest = buf_str(&all), line;
    for (char digit = '0'; str_next_line(&rest, &line); digit++) {
        if (strchr(row->kept, digit)) {
            buf_add_text(&want, want.len > 0 ? "\n" : "");
            buf_add_str(&want, line);
        }
    }
    if (!str_eq(buf_str(out), buf_str(&want))) {
        fail_msg("%s\ngave\n%.*s", row->program, STR_ARG(buf_str(out)));
    }
    buf_release(&want);
    buf_release(&all);
}

static void line_removal_has_every_measured_quirk(void **state)
{
    (void)state;
    struct buf text = {0}, out = {0};
    six_lines(&text);
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        struct prox_result r;
        struct winnow_error err;
        buf_clear(&out);
        assert_ok(prox_execute(buf_str(&text), str_of(ROWS[i].program), &out, &r, &err), err);
        if (r.errors != ROWS[i].errors || r.verdict != ROWS[i].verdict) {
            fail_msg("%s: %u errors, verdict %d", ROWS[i].program, r.errors, (int)r.verdict);
        }
        assert_kept(&ROWS[i], &out);
    }
    buf_release(&text);
    buf_release(&out);
}

#define TAIL " one two three four five six seven eight nine ten"

static const struct {
    const char *text, *program, *want;
    unsigned errors, no_ops;
} EDITS[] = {
    {"Click here now" TAIL, "normalize(source_str=\"Click here\", target_str=\"\")", " now" TAIL, 0,
     0},
    {"a,b c" TAIL, "normalize(source_str=\"a,b\", target_str=\"x\")", "a,b c" TAIL, 0, 1},
    {"see http://x/z?a=b end" TAIL, "normalize(source_str=\"http://x/z?a=b\", target_str=\"\")",
     "see =b end" TAIL, 0, 0},
    {"go (see) on" TAIL, "normalize(source_str=\"(see)\", target_str=\"\")", "go ) on" TAIL, 0, 0},
    {"a 'q' b" TAIL, "normalize(source_str='q')", "a  b" TAIL, 0, 0},
    {"a q b" TAIL, "normalize(source_str='q')", "a q b" TAIL, 0, 1},
    {"X here" TAIL, "normalize(source_str=\"X\", target_str=\"a\\nb\")", "a\\nb here" TAIL, 0, 0},
    {"a \"q\" b" TAIL, "normalize(source_str=\"\\\"q\\\"\", target_str=\"Z\")", "a \"q\" b" TAIL, 0,
     1},
    {"a b" TAIL, "normalize(target_str=\"b\", source_str=\"Z\")", "a Z" TAIL, 0, 0},
    {"a b" TAIL, "normalize(source_str=\"b\", target_str=\"Z\" )", "a Z\" " TAIL, 0, 0},
    {"a b" TAIL, "normalize(source_str=\" \", target_str=\"\")", "a b" TAIL, 0, 1},
    {"a b" TAIL, "normalize(source_str=\"\", target_str=\"Z\")", "a b" TAIL, 0, 1},
    {"a b" TAIL, "normalizeX(source_str=\"b\", target_str=\"Z\")", "a Z" TAIL, 0, 0},
    {"a b" TAIL, "normalize()", "a b" TAIL, 1, 0},
    {"a b" TAIL, "normalize", "a b" TAIL, 1, 0},
    {"b a b" TAIL, "normalize(source_str=\"b\", target_str=\"Z\")", "Z a Z" TAIL, 0, 0},
};

static void replacement_has_every_measured_quirk(void **state)
{
    (void)state;
    struct buf out = {0};
    for (size_t i = 0; i < sizeof EDITS / sizeof EDITS[0]; i++) {
        struct prox_result r;
        struct winnow_error err;
        buf_clear(&out);
        assert_ok(prox_execute(str_of(EDITS[i].text), str_of(EDITS[i].program), &out, &r, &err),
                  err);
        if (!str_is(buf_str(&out), EDITS[i].want) || r.errors != EDITS[i].errors ||
            r.no_ops != EDITS[i].no_ops) {
            fail_msg("%s\ngave '%.*s', %u errors, %u without effect", EDITS[i].program,
                     STR_ARG(buf_str(&out)), r.errors, r.no_ops);
        }
    }
    buf_release(&out);
}

static void words(struct buf *out, int n)
{
    buf_clear(out);
    for (int i = 0; i < n; i++) {
        buf_add_text(out, i == 10 ? "\nw" : i > 0 ? " w" : "w");
    }
}

static void a_document_is_dropped_at_its_last_twentieth(void **state)
{
    (void)state;
    static const struct {
        int kept, all;
        enum prox_verdict verdict;
    } CASES[] = {{11, 220, PROX_DROPPED}, {11, 219, PROX_PROCESSED}, {10, 12, PROX_DROPPED}};
    struct buf text = {0}, out = {0};
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        buf_clear(&text);
        for (int w = 0; w < CASES[i].all; w++) {
            buf_add_text(&text, w == 0 ? "w" : w == CASES[i].kept ? "\nw" : " w");
        }
        struct prox_result r;
        struct winnow_error err;
        assert_ok(
            prox_execute(buf_str(&text), STR_LIT("remove_lines(start=1, end=1)"), &out, &r, &err),
            err);
        assert_int_equal(r.verdict, CASES[i].verdict);
    }
    words(&text, 10);
    struct prox_result r;
    struct winnow_error err;
    assert_ok(prox_execute(buf_str(&text), STR_LIT("untouch_doc()"), &out, &r, &err), err);
    assert_int_equal(r.verdict, PROX_DROPPED);
    assert_int_equal(prox_execute(STR_LIT(" \n"), STR_LIT(""), &out, &r, &err), WINNOW_E_FORMAT);
    buf_release(&text);
    buf_release(&out);
}

static void a_program_cannot_make_a_text_explode(void **state)
{
    (void)state;
    struct buf program = {0}, out = {0};
    for (int i = 0; i < 64; i++) {
        buf_add_text(&program, "normalize(source_str=\"a\", target_str=\"aaaaaaaa\")\n");
    }
    struct prox_result r;
    struct winnow_error err;
    assert_int_equal(prox_execute(STR_LIT("a" TAIL), buf_str(&program), &out, &r, &err),
                     WINNOW_E_LIMIT);
    buf_release(&program);
    buf_release(&out);
}

static void drop_anywhere_drops(void **state)
{
    (void)state;
    assert_true(prox_drops(STR_LIT("drop_doc()")));
    assert_true(prox_drops(STR_LIT(" do not drop ")));
    assert_false(prox_drops(STR_LIT("DROP")));
    assert_false(prox_drops(STR_LIT("")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(line_removal_has_every_measured_quirk),
        cmocka_unit_test(replacement_has_every_measured_quirk),
        cmocka_unit_test(a_document_is_dropped_at_its_last_twentieth),
        cmocka_unit_test(a_program_cannot_make_a_text_explode),
        cmocka_unit_test(drop_anywhere_drops),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
