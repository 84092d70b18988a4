#include "base/rng.h"
#include "check.h"
#include "program/edit.h"

#include <stdio.h>

#define PAGE "Home | About\nThe cat sat.\nThe dog sat. The dog ran.\n[edit]\nEnd. [1]"

static const struct {
    const char *program, *want;
    const char *reason; /* of the last call; NULL: accepted */
} CASES[] = {
    {"", PAGE, NULL},
    {"keep_doc()", PAGE, NULL},
    {"keep_chunk()", PAGE, NULL},
    {"remove_lines(line_start=0, line_end=0)",
     "The cat sat.\nThe dog sat. The dog ran.\n[edit]\nEnd. [1]", NULL},
    {"remove_lines(0, 0)", "The cat sat.\nThe dog sat. The dog ran.\n[edit]\nEnd. [1]", NULL},
    {"remove_lines(line_end=3, line_start=1)", "Home | About\nEnd. [1]", NULL},
    {"  remove_lines( 0 , 4 )  # all of it", "", NULL},
    {"remove_lines(0, 5)", PAGE, "the lines are not of this chunk"},
    {"remove_lines(0, 99999999999999999999)", PAGE, "a line number is too large"},
    {"remove_lines(3, 1)", PAGE, "the range ends before it starts"},
    {"remove_lines(0, 1", PAGE, "the call is cut off"},
    {"remove_lines(0,", PAGE, "the call is cut off"},
    {"remove_lines(0)", PAGE, "an argument is missing"},
    {"remove_lines(0, 1, 2)", PAGE, "too many arguments"},
    {"remove_lines(0, 0); remove_lines(1, 1)", PAGE, "something follows the call"},
    {"remove_lines(start=0, end=1)", PAGE, "an argument of that name is not known"},
    {"remove_lines(line_start=0, 1)", PAGE, "an argument without a name follows a named one"},
    {"remove_lines(0, line_start=0)", PAGE, "an argument is given twice"},
    {"remove_lines(-1, 0)", PAGE, "a line number is missing"},
    {"remove_lines(0, 0)\nremove_lines(0, 0)",
     "The cat sat.\nThe dog sat. The dog ran.\n[edit]\nEnd. [1]", "the lines are already removed"},
    {"normalize(\"cat\", \"cow\")",
     "Home | About\nThe cow sat.\nThe dog sat. The dog ran.\n[edit]\nEnd. [1]", NULL},
    {"normalize(source_str=\" [1]\")",
     "Home | About\nThe cat sat.\nThe dog sat. The dog ran.\n[edit]\nEnd.", NULL},
    {"normalize(\"sat\", \"lay\")", PAGE, "the string is there more than once"},
    {"normalize(\"sat\", \"lay\", all=true)",
     "Home | About\nThe cat lay.\nThe dog lay. The dog ran.\n[edit]\nEnd. [1]", NULL},
    {"normalize(\"bird\", \"x\")", PAGE, "the string is not there"},
    {"normalize(\"\", \"x\")", PAGE, "an empty string is nowhere"},
    {"normalize(\"cat\", \"cat\")", PAGE, "the call changes nothing"},
    {"normalize(\"cat\", \"a\\nb\")", PAGE, "a string reaches past its line"},
    {"normalize(\"cat\\q\", \"\")", PAGE, "a string holds an unknown escape"},
    {"normalize(\"cat, \"\")", PAGE, "a comma is missing"},
    {"normalize(\"cat", PAGE, "a string is not closed"},
    {"remove_str(2, \"The dog \")", PAGE, "the string is there more than once"},
    {"remove_str(2, \"The dog \", all=true)",
     "Home | About\nThe cat sat.\nsat. ran.\n[edit]\nEnd. [1]", NULL},
    {"remove_str(2, 'dog sat. The ')", "Home | About\nThe cat sat.\nThe dog ran.\n[edit]\nEnd. [1]",
     NULL},
    {"remove_str(9, \"x\")", PAGE, "the line is not of this chunk"},
    {"remove_lines(2, 2)\nremove_str(2, \"ran\")", "Home | About\nThe cat sat.\n[edit]\nEnd. [1]",
     "the line is already removed"},
    {"replace_str(1, \"cat\", \"\\\"c, a\\\\t\\\"\")",
     "Home | About\nThe \"c, a\\t\" sat.\nThe dog sat. The dog ran.\n[edit]\nEnd. [1]", NULL},
    {"replace_str(0, \"|\", \"\")\nreplace_str(0, \"Home  About\", \"x\")",
     "x\nThe cat sat.\nThe dog sat. The dog ran.\n[edit]\nEnd. [1]", NULL},
    {"exec('rm -rf /')", PAGE, "no such call"},
    {"```python", PAGE, "not a call"},
    {"remove_lines", PAGE, "an opening parenthesis is missing"},
};

static const char *run(enum winnow_refine_dialect dialect, struct str text, struct str program,
                       struct buf *out, struct edit *e, struct arena *keep)
{
    struct winnow_error err;
    struct program p;
    program_parse(dialect, program, keep, &p);
    assert_ok(edit_start(e, text, keep, &err), err);
    edit_apply(e, &p, 0, e->count - 1);
    buf_clear(out);
    edit_result(e, out);
    return p.count > 0 ? p.calls[p.count - 1].reason : NULL;
}

static void each_call_is_accepted_or_has_its_reason(void **state)
{
    (void)state;
    struct arena keep;
    arena_init(&keep, 1 << 16);
    struct buf out = {0};
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        struct edit e;
        const char *reason =
            run(WINNOW_DIALECT_WINNOW, STR_LIT(PAGE), str_of(CASES[i].program), &out, &e, &keep);
        const char *want = CASES[i].reason;
        if ((reason == NULL) != (want == NULL) || (want && strcmp(reason, want) != 0)) {
            fail_msg("%s\nreason: %s", CASES[i].program, reason ? reason : "(accepted)");
        }
        if (!str_is(buf_str(&out), CASES[i].want)) {
            fail_msg("%s\ngave\n%.*s", CASES[i].program, STR_ARG(buf_str(&out)));
        }
        arena_reset(&keep);
    }
    buf_release(&out);
    arena_release(&keep);
}

static void a_chunk_owns_its_lines_only(void **state)
{
    (void)state;
    struct arena keep;
    arena_init(&keep, 1 << 16);
    struct program p;
    struct edit e;
    struct winnow_error err;
    program_parse(WINNOW_DIALECT_WINNOW,
                  STR_LIT("remove_lines(0, 1)\nnormalize(\"sat\", \"lay\")\nremove_lines(3, 3)"),
                  &keep, &p);
    assert_ok(edit_start(&e, STR_LIT(PAGE), &keep, &err), err);
    edit_apply(&e, &p, 2, 4);
    assert_string_equal(p.calls[0].reason, "the lines are not of this chunk");
    assert_null(p.calls[1].reason); /* once in lines 2..4 */
    assert_null(p.calls[2].reason);
    struct buf out = {0};
    edit_result(&e, &out);
    assert_str(buf_str(&out), "Home | About\nThe cat sat.\nThe dog lay. The dog ran.\nEnd. [1]");
    buf_release(&out);
    arena_release(&keep);
}

static void part_of_a_document_cannot_drop_it(void **state)
{
    (void)state;
    struct arena keep;
    arena_init(&keep, 1 << 16);
    struct program p;
    struct edit e;
    struct winnow_error err;
    struct buf out = {0};
    program_parse(WINNOW_DIALECT_WINNOW, STR_LIT("drop_doc()"), &keep, &p);
    assert_ok(edit_start(&e, STR_LIT("a\nb\nc"), &keep, &err), err);
    edit_apply(&e, &p, 0, 1);
    assert_string_equal(p.calls[0].reason, "a chunk's program may not drop the document");
    assert_false(e.dropped);
    program_parse(WINNOW_DIALECT_ULTRAX, STR_LIT("remove_all()"), &keep, &p);
    edit_apply(&e, &p, 0, 1);
    assert_null(p.calls[0].reason);
    assert_false(e.dropped);
    edit_result(&e, &out);
    assert_str(buf_str(&out), "c");
    buf_release(&out);
    arena_release(&keep);
}

static void other_dialects_have_their_own_names_and_numbers(void **state)
{
    (void)state;
    struct arena keep;
    arena_init(&keep, 1 << 16);
    struct buf out = {0};
    struct edit e;
    assert_null(run(WINNOW_DIALECT_REFINEX, STR_LIT("a\nb\nc"), STR_LIT("remove_lines(1, 1)"), &out,
                    &e, &keep));
    assert_str(buf_str(&out), "a\nc");
    assert_null(run(WINNOW_DIALECT_ULTRAX, STR_LIT("a\nb\nc"), STR_LIT("remove_lines(1, 1)"), &out,
                    &e, &keep));
    assert_str(buf_str(&out), "b\nc");
    assert_string_equal(
        run(WINNOW_DIALECT_ULTRAX, STR_LIT("a"), STR_LIT("remove_lines(0, 1)"), &out, &e, &keep),
        "line numbers start at 1");
    assert_null(run(WINNOW_DIALECT_ULTRAX, STR_LIT("it's"), STR_LIT("replace_str(1,'it\\'s','x')"),
                    &out, &e, &keep));
    assert_str(buf_str(&out), "x");
    assert_string_equal(
        run(WINNOW_DIALECT_ULTRAX, STR_LIT("a"), STR_LIT("add_line(1, 1, 'x')"), &out, &e, &keep),
        "a program may not add lines");
    assert_null(run(WINNOW_DIALECT_ULTRAX, STR_LIT("a"), STR_LIT("remove_all()"), &out, &e, &keep));
    assert_true(e.dropped);
    buf_release(&out);
    arena_release(&keep);
}

static const char *const PIECES[] = {"remove_lines(",
                                     "normalize(",
                                     "remove_str(",
                                     "replace_str(",
                                     "0",
                                     "1",
                                     "7",
                                     "99999999999",
                                     ", ",
                                     ")",
                                     "\n",
                                     "\"",
                                     "a",
                                     "b",
                                     "\\",
                                     "'",
                                     "line_start=",
                                     "all=true",
                                     "drop_doc()",
                                     " ",
                                     "#",
                                     "=",
                                     "\xc3\xa9",
                                     "\"a\"",
                                     "\"b\"",
                                     "\"\""};

static void random_program(struct rng *r, struct buf *out)
{
    buf_clear(out);
    size_t n = (size_t)rng_below(r, 40);
    for (size_t i = 0; i < n; i++) {
        buf_add_text(out, PIECES[rng_below(r, sizeof PIECES / sizeof PIECES[0])]);
    }
}

/* With calls that only remove, what is left is a subsequence of the text. */
static bool is_subsequence(struct str part, struct str whole)
{
    size_t at = 0;
    for (size_t i = 0; i < whole.len && at < part.len; i++) {
        at += part.ptr[at] == whole.ptr[i];
    }
    return at == part.len;
}

static void any_program_on_any_text_stays_within_it(void **state)
{
    (void)state;
    struct arena keep;
    arena_init(&keep, 1 << 16);
    struct buf out = {0}, program = {0}, text = {0};
    struct rng r;
    rng_init(&r, 1, "programs");
    for (int round = 0; round < 20000; round++) {
        random_program(&r, &program);
        buf_clear(&text);
        size_t n = (size_t)rng_below(&r, 30);
        for (size_t i = 0; i < n; i++) {
            buf_add_char(&text, "ab \n"[rng_below(&r, 4)]);
        }
        struct edit e;
        (void)run(WINNOW_DIALECT_WINNOW, buf_str(&text), buf_str(&program), &out, &e, &keep);
        uint64_t newlines = e.lines_removed < e.count ? e.lines_removed : e.count - 1;
        assert_true(out.len <= text.len + e.bytes_added);
        assert_true(e.changed || str_eq(buf_str(&out), buf_str(&text)));
        assert_true(newlines <= text.len + 1);
        if (e.bytes_added == 0) {
            assert_true(is_subsequence(buf_str(&out), buf_str(&text)));
        }
        arena_reset(&keep);
    }
    buf_release(&out);
    buf_release(&program);
    buf_release(&text);
    arena_release(&keep);
}

static void hostile_programs_are_bounded(void **state)
{
    (void)state;
    struct arena keep;
    arena_init(&keep, 1 << 16);
    struct buf out = {0}, program = {0}, text = {0};
    for (int i = 0; i < 20000; i++) { /* 1 MB of calls that double the line */
        buf_add_text(&program, "normalize(\"aaaaaaaa\", \"aaaaaaaaaaaaaaaa\", all=true)\n");
    }
    buf_add_text(&text, "aaaaaaaaaaaaaaaa");
    struct program p;
    struct edit e;
    struct winnow_error err;
    program_parse(WINNOW_DIALECT_WINNOW, buf_str(&program), &keep, &p);
    assert_true(p.truncated);
    assert_int_equal(p.count, PROGRAM_CALLS_MAX);
    assert_ok(edit_start(&e, buf_str(&text), &keep, &err), err);
    edit_apply(&e, &p, 0, 0);
    edit_result(&e, &out);
    assert_true(out.len < 4U << 20);
    assert_string_equal(p.calls[p.count - 1].reason, "the program costs too much");
    buf_release(&out);
    buf_release(&program);
    buf_release(&text);
    arena_release(&keep);
}

static void a_program_cut_at_any_byte_loses_its_last_call_at_most(void **state)
{
    (void)state;
    static const char PROGRAM[] = "remove_lines(line_start=0, line_end=0)\n"
                                  "replace_str(1, \"cat\", \"a \\\"cat\\\", 'so' to say\")\n"
                                  "normalize(source_str=' [1]', target_str=\"\")\n"
                                  "remove_lines(4294967296, 18446744073709551615)\n"
                                  "remove_str(3, \"[\\\\edit]\")";
    struct arena keep;
    arena_init(&keep, 1 << 16);
    struct buf out = {0};
    for (size_t cut = 0; cut < sizeof PROGRAM; cut++) {
        struct str text = {PROGRAM, cut};
        struct program p;
        program_parse(WINNOW_DIALECT_WINNOW, text, &keep, &p);
        size_t whole = 0;
        for (size_t i = 0; i < cut; i++) {
            whole += PROGRAM[i] == '\n';
        }
        assert_true(p.count >= whole && p.count <= whole + 1);
        for (size_t i = 0; i < whole; i++) {
            assert_true((p.calls[i].reason == NULL) == (i != 3)); /* 3: the numbers are too large */
        }
        struct edit e;
        (void)run(WINNOW_DIALECT_WINNOW, STR_LIT(PAGE), text, &out, &e, &keep);
        assert_true(out.len <= sizeof PAGE + 32);
        arena_reset(&keep);
    }
    buf_release(&out);
    arena_release(&keep);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_call_is_accepted_or_has_its_reason),
        cmocka_unit_test(a_chunk_owns_its_lines_only),
        cmocka_unit_test(part_of_a_document_cannot_drop_it),
        cmocka_unit_test(other_dialects_have_their_own_names_and_numbers),
        cmocka_unit_test(any_program_on_any_text_stays_within_it),
        cmocka_unit_test(a_program_cut_at_any_byte_loses_its_last_call_at_most),
        cmocka_unit_test(hostile_programs_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
