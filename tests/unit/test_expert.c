/* What an expert's answers become. */
#include "base/utf8.h"
#include "check.h"
#include "program/edit.h"
#include "teach/expert.h"

#include <stdlib.h>

static void scores_are_read_strictly(void **state)
{
    (void)state;
    static const struct {
        const char *answer;
        int want; /* -1: none */
    } cases[] = {
        {"Because.\nEducational score: 3", 3},
        {"Because.\n\n**Educational score: 5**\n\n", 5},
        {"Educational score: 0", 0},
        {"Educational score: **2**", 2},
        {"Educational score: 4/5", 4},
        {"Educational score: 4.", 4},
        {"<think>Educational score: 1\n```</think>\nEducational score: 4", 4},
        {"Educational score: 3\nI hope this helps.", -1},
        {"Educational score: 6", -1},
        {"Educational score: -1", -1},
        {"Educational score: 3.5", -1},
        {"Educational score: 33", -1},
        {"Educational score: N", -1},
        {"Educational score:", -1},
        {"Extraction score: 3", -1},
        {"The educational score: 3", -1},
        {"", -1},
        {"\n\n", -1},
        {"***", -1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint32_t score = 99;
        const char *reason = expert_read_score(EXPERT_EDUCATION, str_of(cases[i].answer), &score);
        if (cases[i].want < 0) {
            assert_non_null(reason);
        } else if (reason || (int)score != cases[i].want) {
            fail_msg("'%s': %u, %s", cases[i].answer, score, reason ? reason : "read");
        }
    }
    uint32_t score;
    assert_null(expert_read_score(EXPERT_FORMAT, STR_LIT("x\nExtraction score: 4"), &score));
    assert_int_equal(score, 4);
}

static void the_verdict_follows_the_paper(void **state)
{
    (void)state;
    for (uint32_t education = 0; education <= 5; education++) {
        for (uint32_t format = 0; format <= 5; format++) {
            bool keep = education >= 3 || (education == 2 && format >= 4);
            assert_int_equal(expert_judge(education, format), keep ? EXPERT_KEEP : EXPERT_DROP);
            bool same = expert_judge(education, 0) == expert_judge(education, 5);
            assert_int_equal(expert_needs_format(education), !same);
        }
    }
}

static void a_program_stands_between_two_fences(void **state)
{
    (void)state;
    static const struct {
        const char *answer;
        size_t calls; /* 0: unread */
    } cases[] = {
        {"Menu.\n```\nremove_lines(line_start=0, line_end=1)\n```\n", 1},
        {"```python\n# a menu\nremove_lines(0, 1) # here\n\nnormalize('x')\n```", 2},
        {"  ```\nkeep_chunk()\n  ```", 1},
        {"<think>```\nkeep_chunk()\n```</think>```\nremove_lines(1, 1)\n```", 1},
        {"remove_lines(0, 1)", 0},
        {"```\nremove_lines(0, 1)", 0},
        {"```\nremove_lines(0, 1)\n```\nor\n```\nkeep_chunk()\n```", 0},
        {"```\n```", 0},
        {"```\n# nothing\n```", 0},
        {"```\nremove_lines(0 1)\n```", 0},
        {"```\nremove_lines(2, 1)\n```", 0},
        {"```\nkeep_chunk()\nremove_lines(0, 1)\n```", 0},
        {"```\ndrop_doc()\n```", 0},
        {"```\nremove_str(0, 'x')\n```", 0},
        {"```\nimport os\n```", 0},
        {"", 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct arena keep;
        struct program p;
        arena_init(&keep, 4096);
        const char *reason = expert_read_program(str_of(cases[i].answer), &keep, &p);
        if (cases[i].calls == 0 ? reason == NULL : reason || p.count != cases[i].calls) {
            fail_msg("'%s': %s, %zu calls", cases[i].answer, reason ? reason : "read", p.count);
        }
        arena_release(&keep);
    }
}

static const char *const PAGE = "Home | About\n"                              /* 0 */
                                "Login\n"                                     /* 1 */
                                "Bees\n"                                      /* 2 */
                                "They fly (http://a.b/c) far. http://a.b/c\n" /* 3 */
                                "http://a.b/c\n"                              /* 4 */
                                "And back. Share this Tweet\n"                /* 5 */
                                "(c) 2020";                                   /* 6 */

struct merged {
    struct arena keep;
    struct derived lines;
    struct expert_merge m;
    struct buf program;
};

static void merge(struct merged *x, size_t first, size_t last, const char *const programs[3])
{
    struct program p[3];
    *x = (struct merged){0};
    arena_init(&x->keep, 4096);
    expert_start(str_of(PAGE), &x->keep, &x->lines);
    for (size_t i = 0; i < 3; i++) {
        program_parse(WINNOW_DIALECT_WINNOW, str_of(programs[i]), &x->keep, &p[i]);
    }
    expert_merge(&x->lines, &(struct chunk){.first = first, .last = last}, p, 3, &x->keep, &x->m,
                 &x->program);
}

static void merged_release(struct merged *x)
{
    buf_release(&x->program);
    arena_release(&x->keep);
}

/* Executes the merged program, every call of which must be accepted. */
static void execute(struct merged *x, size_t first, size_t last, struct buf *out)
{
    struct program p;
    struct edit e;
    struct winnow_error err;
    program_parse(WINNOW_DIALECT_WINNOW, buf_str(&x->program), &x->keep, &p);
    assert_ok(edit_start(&e, str_of(PAGE), &x->keep, &err), err);
    edit_apply(&e, &p, first, last);
    for (size_t i = 0; i < p.count; i++) {
        if (p.calls[i].reason) {
            fail_msg("%.*s: %s", STR_ARG(buf_str(&x->program)), p.calls[i].reason);
        }
    }
    buf_clear(out);
    edit_result(&e, out);
}

static void three_programs_become_one(void **state)
{
    (void)state;
    struct merged x;
    struct buf out = {0};
    merge(&x, 0, 6,
          (const char *const[]){"remove_lines(0, 1)\nremove_lines(1, 1)",
                                "normalize(' (http://a.b/c)')\nnormalize(' http://a.b/c')\n"
                                "normalize('http://a.b/c', all=true)",
                                "remove_lines(6, 6)\nnormalize(' Share this')\n"
                                "normalize('this Tweet')\nnormalize('2020')"});
    assert_int_equal(x.m.calls, 9);
    assert_int_equal(x.m.rejected, 0);
    execute(&x, 0, 6, &out);
    assert_str(buf_str(&out), "Bees\nThey fly far.\nAnd back.");
    /* Line 4 was nothing but an address: it goes whole. */
    assert_true(str_find(buf_str(&x.program), STR_LIT("remove_lines(4, 4)\n")) != SIZE_MAX);
    assert_near(x.m.removed, 1 - (4 + 13 + 9) / (double)(strlen(PAGE) - 6), 1e-12);
    merged_release(&x);
    buf_release(&out);
}

static void calls_that_do_not_fit_are_rejected_and_counted(void **state)
{
    (void)state;
    struct merged x;
    struct buf out = {0};
    merge(&x, 2, 4,
          (const char *const[]){"remove_lines(1, 2)\nremove_lines(4, 5)\nremove_lines(9, 9)",
                                "normalize('http://a.b/c')\n" /* three places */
                                "normalize('nowhere')\nnormalize('Share')\nnormalize(' ')",
                                "normalize('Bees', 'Wasps')"});
    assert_int_equal(x.m.calls, 8);
    assert_int_equal(x.m.rejected, 8);
    assert_str(buf_str(&x.program), "keep_chunk()\n");
    assert_near(x.m.removed, 0, 0);
    execute(&x, 2, 4, &out);
    assert_str(buf_str(&out), PAGE);
    merged_release(&x);
    buf_release(&out);
}

static void questions_hold_what_they_are_about(void **state)
{
    (void)state;
    struct buf out = {0};
    expert_ask_document(EXPERT_EDUCATION, STR_LIT("a\xC3\xA9z"), 2, &out); /* not half an e */
    assert_true(str_ends(buf_str(&out), STR_LIT("\n[doc]\na\n[/doc]")));
    assert_true(str_find(buf_str(&out), STR_LIT("\nEducational score: N\n")) != SIZE_MAX);
    buf_clear(&out);
    expert_ask_document(EXPERT_FORMAT, STR_LIT("abc"), 3, &out);
    assert_true(str_ends(buf_str(&out), STR_LIT("\n[doc]\nabc\n[/doc]")));
    const struct chunk_options cut = {100, LONG_LINES_SKIP, LINE_NUMBERS_BRACKETS};
    struct chunker *chunker = chunker_new(NULL, &cut);
    struct chunk_list chunks = {0};
    chunker_cut(chunker, str_of(PAGE), &chunks);
    for (size_t q = EXPERT_OF_DOCUMENT; q < EXPERT_QUESTIONS; q++) {
        buf_clear(&out);
        expert_ask_chunk((enum expert_question)q, &chunks.items[0], &out);
        assert_true(str_find(buf_str(&out), STR_LIT("\n[000]Home | About\n[001]Login\n")) !=
                    SIZE_MAX);
        assert_int_equal(utf8_valid_until(buf_str(&out)), out.len);
    }
    chunk_list_release(&chunks);
    chunker_free(chunker);
    buf_release(&out);
}

/* The examples in the prompts are what they teach: programs that fit their lines. */
static void examples_execute(void **state)
{
    (void)state;
    const struct chunk none = {.last = 0};
    struct buf out = {0};
    size_t examples = 0;
    for (size_t q = EXPERT_OF_DOCUMENT; q < EXPERT_QUESTIONS; q++) {
        buf_clear(&out);
        expert_ask_chunk((enum expert_question)q, &none, &out);
        struct str rest = buf_str(&out);
        size_t at;
        while ((at = str_find(rest, STR_LIT("\nExample "))) != SIZE_MAX) {
            rest = str_sub(rest, at + 1, rest.len);
            size_t end = str_find(rest, STR_LIT("\n\n"));
            struct str example = str_sub(rest, 0, end);
            size_t doc = str_find(example, STR_LIT("[doc]\n")) + 6;
            struct str lines = str_sub(example, doc, str_find(example, STR_LIT("\n[/doc]")));
            struct buf text = {0};
            size_t first = SIZE_MAX, last = 0;
            for (struct str left = lines, line; str_next_line(&left, &line);) {
                last = (size_t)atoi(line.ptr + 1);
                for (size_t i = 0; first == SIZE_MAX && i < last; i++) {
                    buf_add_char(&text, '\n'); /* lines before the chunk */
                }
                buf_add_text(&text, first == SIZE_MAX ? "" : "\n");
                first = first == SIZE_MAX ? last : first;
                buf_add_str(&text, str_sub(line, 5, line.len));
            }
            struct arena keep;
            struct program p;
            struct derived d;
            struct expert_merge m;
            struct buf program = {0};
            arena_init(&keep, 4096);
            const char *reason = expert_read_program(
                str_sub(example, str_find(example, STR_LIT("[/doc]")), example.len), &keep, &p);
            if (reason) {
                fail_msg("%.*s: %s", STR_ARG(example), reason);
            }
            expert_start(buf_str(&text), &keep, &d);
            expert_merge(&d, &(struct chunk){.first = first, .last = last}, &p, 1, &keep, &m,
                         &program);
            if (m.rejected > 0) {
                fail_msg("%.*s: a call does not fit", STR_ARG(example));
            }
            examples++;
            buf_release(&program);
            buf_release(&text);
            arena_release(&keep);
        }
    }
    assert_int_equal(examples, 4 + 3 + 3);
    buf_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scores_are_read_strictly),
        cmocka_unit_test(the_verdict_follows_the_paper),
        cmocka_unit_test(a_program_stands_between_two_fences),
        cmocka_unit_test(three_programs_become_one),
        cmocka_unit_test(calls_that_do_not_fit_are_rejected_and_counted),
        cmocka_unit_test(questions_hold_what_they_are_about),
        cmocka_unit_test(examples_execute),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
