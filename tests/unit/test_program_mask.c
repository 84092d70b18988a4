#include "base/mem.h"
#include "base/rng.h"
#include "program/program.h"
#include "program/program_loop.h"
#include "program/program_mask.h"
#include "program/prox.h"
#include "refine_tokenizer.h"

#include <stdio.h>

static const struct program_grammar_spec CHUNK = {WINNOW_DIALECT_WINNOW, LEVEL_CHUNK, 7, 123, 20};

/* ---- the automaton ---- */

/* 0: not accepted, 1: a whole program that may go on, 2: whole, 3: a beginning. */
static int judge(const struct program_grammar_spec *spec, const char *text)
{
    struct program_grammar *g = program_grammar_new(spec->dialect, spec->level);
    struct program_state s = program_grammar_start(g, spec);
    int result = -1;
    for (const char *c = text; *c != '\0' && result < 0; c++) {
        result = program_grammar_step(g, &s, (uint8_t)*c) ? -1 : 0;
    }
    if (result < 0) {
        enum program_end end = program_grammar_end(g, &s);
        result = end == PROGRAM_MAY_END ? 1 : end == PROGRAM_MUST_END ? 2 : 3;
    }
    program_grammar_free(g);
    return result;
}

static void a_program_is_whole_begun_or_wrong(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int want;
    } CASES[] = {
        {"", 3},
        {" ", 3},
        {"  ", 0},
        {"keep_chunk()", 2},
        {" keep_chunk()", 2},
        {"\nkeep_chunk()", 2},
        {"keep_chunk()\n", 0},
        {"keep_doc()", 0},
        {"remove_lines(line_start=7, line_end=7)", 1},
        {"remove_lines(7, 123)", 1},
        {"remove_lines(7, 123)\n", 1},
        {"remove_lines(7, 123)\n\n", 0},
        {"remove_lines(7, 123)\nkeep", 0},
        {"remove_lines(7, 123)\nremove_lines(8, 9", 3},
        {"remove_lines(6", 3}, /* 60 to 69 */
        {"remove_lines(6,", 0},
        {"remove_lines(0", 0},
        {"remove_lines(07", 0},
        {"remove_lines(12", 3},
        {"remove_lines(123", 3},
        {"remove_lines(124", 0},
        {"remove_lines(1230", 0},
        {"remove_lines(1,", 0},
        {"remove_lines(20, 19)", 0},
        {"remove_lines(20, 2)", 0},
        {"remove_lines(20, 1", 3}, /* 100 to 123 */
        {"remove_lines(20, 100)", 1},
        {"remove_lines(99999999999999999999", 0},
        {"remove_lines(7,8)", 0},
        {"remove_lines(line_start=7, 8)", 0},
        {"remove_str(7, \"a\")", 1},
        {"remove_str(7, 'a')", 1},
        {"remove_str(7, \"a\", all=true)", 1},
        {"remove_str(7, \"\")", 0},
        {"remove_str(7, \"a'b\")", 1},
        {"remove_str(7, \"a\\\"b\\\\\\t\")", 1},
        {"remove_str(7, \"a\\n", 0},
        {"remove_str(7, \"a\n", 0},
        {"remove_str(7, \"12345678901234567890\")", 1},
        {"remove_str(7, \"123456789012345678901", 0},
        {"remove_str(7, \"\xC3\xA9\")", 1},
        {"remove_str(7, \"\xC3\")", 0},
        {"remove_str(7, \"\xC0\x80", 0},
        {"remove_str(7, \"\xED\xA0", 0},
        {"remove_str(7, \"\xF4\x90", 0},
        {"remove_str(7, \"1234567890123456789\xC3", 0}, /* no room for two bytes */
        {"replace_str(line=8, old=\"a\", new=\"\")", 1},
        {"normalize(source_str=\"a\")", 1},
        {"normalize(source_str=\"a\", target_str=\"\", all=true)", 1},
        {"normalize(\"\1\")", 0},
        {"normalize(\1)", 0},
        {"exec(", 0},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        int got = judge(&CHUNK, CASES[i].text);
        if (got != CASES[i].want) {
            fail_msg("%s: %d, expected %d", CASES[i].text, got, CASES[i].want);
        }
    }
}

static void each_dialect_has_its_calls(void **state)
{
    (void)state;
    static const struct {
        int dialect;
        enum program_level level;
        const char *text;
        int want;
    } CASES[] = {
        {WINNOW_DIALECT_WINNOW, LEVEL_DOC, "drop_doc()", 2},
        {WINNOW_DIALECT_WINNOW, LEVEL_DOC, "keep_doc()", 2},
        {WINNOW_DIALECT_WINNOW, LEVEL_DOC, "remove", 0},
        {WINNOW_DIALECT_REFINEX, LEVEL_CHUNK, "keep_all()", 2},
        {WINNOW_DIALECT_REFINEX, LEVEL_CHUNK, "remove_lines(start_line=0, end_line=3)", 1},
        {WINNOW_DIALECT_REFINEX, LEVEL_CHUNK, "remove_str(line=0, del_str=\"x\")", 1},
        {WINNOW_DIALECT_ULTRAX, LEVEL_DOC, "remove_all()", 2},
        {WINNOW_DIALECT_ULTRAX, LEVEL_CHUNK, "remove_lines(0", 0}, /* it counts from 1 */
        {WINNOW_DIALECT_ULTRAX, LEVEL_CHUNK, "remove_lines(1, 4)", 1},
        {WINNOW_DIALECT_ULTRAX, LEVEL_CHUNK, "remove_lines(1, 5)", 0},
        {WINNOW_DIALECT_ULTRAX, LEVEL_CHUNK, "remove_all()", 2},
        {WINNOW_DIALECT_ULTRAX, LEVEL_CHUNK, "remove_lines(1, 4)\nremove_all", 0},
        {WINNOW_DIALECT_ULTRAX, LEVEL_CHUNK, "replace_str(1, 'a', 'b')", 1},
        {WINNOW_DIALECT_PROX, LEVEL_DOC, "drop", 1},
        {WINNOW_DIALECT_PROX, LEVEL_DOC, "drop_doc()", 2},
        {WINNOW_DIALECT_PROX, LEVEL_CHUNK, "untouch_doc()", 2},
        {WINNOW_DIALECT_PROX, LEVEL_CHUNK, "remove_lines(start=0, end=3)", 1},
        {WINNOW_DIALECT_PROX, LEVEL_CHUNK, "normalize(source_str=\"a\\\", target_str=\"\")", 1},
        {WINNOW_DIALECT_PROX, LEVEL_CHUNK, "normalize(source_str=\"a,", 0},
        {WINNOW_DIALECT_PROX, LEVEL_CHUNK, "normalize(source_str=\"a=", 0},
        {WINNOW_DIALECT_PROX, LEVEL_CHUNK, "normalize(source_str=\" \"", 0},
        {WINNOW_DIALECT_PROX, LEVEL_CHUNK, "normalize(source_str='", 0},
    };
    assert_false(program_grammar_has(WINNOW_DIALECT_REFINEX, LEVEL_DOC));
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        struct program_grammar_spec spec = {CASES[i].dialect, CASES[i].level, 0, 3, 20};
        int got = judge(&spec, CASES[i].text);
        if (got != CASES[i].want) {
            fail_msg("%d %s: %d, expected %d", CASES[i].dialect, CASES[i].text, got, CASES[i].want);
        }
    }
}

/* Every number from 0 to 1,300 against every range of a few. */
static void numbers_are_held_to_their_range(void **state)
{
    (void)state;
    static const uint32_t RANGES[][2] = {{0, 0},    {0, 9},     {5, 5},     {7, 12},   {10, 99},
                                         {99, 101}, {100, 999}, {345, 346}, {0, 1234}, {999, 1000}};
    for (size_t r = 0; r < sizeof RANGES / sizeof RANGES[0]; r++) {
        struct program_grammar_spec spec = {WINNOW_DIALECT_WINNOW, LEVEL_CHUNK, RANGES[r][0],
                                            RANGES[r][1], 20};
        for (uint32_t n = 0; n <= 1300; n++) {
            char text[64];
            (void)snprintf(text, sizeof text, "remove_str(%u, \"x\")", n);
            bool in = n >= RANGES[r][0] && n <= RANGES[r][1];
            assert_int_equal(judge(&spec, text), in ? 1 : 0);
        }
    }
}

/* ---- masks ---- */

static const uint32_t STOPS[] = {0, 2};

static struct program_mask *mask_of(const struct tokenizer *t, int dialect,
                                    enum program_level level)
{
    struct program_mask *m;
    struct winnow_error err;
    const struct program_mask_options o = {dialect, level, tokenizer_vocab_size(t), STOPS, 2};
    assert_ok(program_mask_new(t, &o, &m, &err), err);
    return m;
}

static bool bit(const uint64_t *bits, uint32_t id)
{
    return bits[id / 64] >> (id % 64) & 1;
}

/* The slow twin: each token, byte by byte. */
static void assert_mask_is_exact(const struct tokenizer *t, const struct program_grammar *g,
                                 const struct program_row *row, const uint64_t *bits)
{
    enum program_end end = program_grammar_end(g, &row->state);
    for (uint32_t id = 0; id < tokenizer_vocab_size(t); id++) {
        struct program_state s = row->state;
        bool string = s.phase == PHASE_STRING || s.phase == PHASE_ESCAPE;
        struct str bytes = tokenizer_token_bytes(t, id);
        bool may = bytes.len > 0 && !tokenizer_is_special(t, id);
        for (size_t i = 0; i < bytes.len && may; i++) {
            may = program_grammar_step(g, &s, (uint8_t)bytes.ptr[i]) &&
                  !(string && s.phase == PHASE_NUMBER);
        }
        may = may || ((id == STOPS[0] || id == STOPS[1]) && end == PROGRAM_MAY_END);
        if (may != bit(bits, id)) {
            fail_msg("token '%.*s' may %d", STR_ARG(bytes), may);
        }
    }
}

/* Writes a program of random allowed tokens; true where it came to its end. */
static bool write_random(struct program_mask *m, const struct program_grammar_spec *spec,
                         const struct tokenizer *t, struct rng *r, unsigned tokens,
                         struct buf *text)
{
    struct program_row row;
    program_mask_start(m, spec, &row);
    size_t words = token_mask_words(tokenizer_vocab_size(t));
    uint64_t *bits = mem_alloc(words * sizeof *bits);
    struct u32_list may = {0};
    bool ended = false;
    for (unsigned n = 0; n < tokens && !ended; n++) {
        memset(bits, 0, words * sizeof *bits);
        if (program_mask_allowed(&row, bits) == MASK_END) {
            ended = true;
            break;
        }
        may.len = 0;
        for (uint32_t id = 0; id < tokenizer_vocab_size(t); id++) {
            /* Quotes more often, so that strings end. */
            struct str bytes = tokenizer_token_bytes(t, id);
            bool quote = bytes.len > 0 && (bytes.ptr[0] == '"' || bytes.ptr[0] == '\'');
            for (int k = 0; bit(bits, id) && k < (quote ? 12 : 1); k++) {
                u32_list_add(&may, id);
            }
        }
        assert_true(may.len > 0); /* never a dead end */
        uint32_t token = may.ptr[rng_below(r, may.len)];
        ended = token == STOPS[0] || token == STOPS[1];
        if (!ended) {
            program_mask_accept(&row, token);
            buf_add_str(text, tokenizer_token_bytes(t, token));
        }
    }
    u32_list_release(&may);
    mem_free(bits);
    return ended;
}

static void masks_are_those_of_the_slow_twin(void **state)
{
    (void)state;
    struct tokenizer *t = refine_tokenizer();
    struct rng r;
    rng_init(&r, 3, "masks");
    size_t words = token_mask_words(tokenizer_vocab_size(t));
    uint64_t *bits = mem_alloc(words * sizeof *bits);
    for (int dialect = 0; dialect < 4; dialect++) {
        struct program_mask *m = mask_of(t, dialect, LEVEL_CHUNK);
        struct program_grammar *g = program_grammar_new(dialect, LEVEL_CHUNK);
        for (int round = 0; round < 40; round++) {
            uint32_t first = (uint32_t)rng_below(&r, 200);
            struct program_grammar_spec spec = {dialect, LEVEL_CHUNK, first,
                                                first + (uint32_t)rng_below(&r, 50), 12};
            struct program_row row;
            program_mask_start(m, &spec, &row);
            for (int n = 0; n < 40; n++) {
                memset(bits, 0, words * sizeof *bits);
                if (program_mask_allowed(&row, bits) == MASK_END) {
                    break;
                }
                assert_mask_is_exact(t, g, &row, bits);
                uint32_t token;
                do {
                    token = (uint32_t)rng_below(&r, tokenizer_vocab_size(t));
                } while (!bit(bits, token));
                if (token == STOPS[0] || token == STOPS[1]) {
                    break;
                }
                program_mask_accept(&row, token);
            }
        }
        uint64_t asked, found;
        program_mask_counts(m, &asked, &found);
        assert_true(asked > 200 && found > 10); /* within strings, masks are shared */
        program_grammar_free(g);
        program_mask_free(m);
    }
    mem_free(bits);
    tokenizer_free(t);
}

/* What the grammar leaves to the executor. */
static bool fine(const char *reason)
{
    return !reason || strcmp(reason, "the call changes nothing") == 0;
}

static void what_a_mask_allows_parses(void **state)
{
    (void)state;
    struct tokenizer *t = refine_tokenizer();
    struct rng r;
    rng_init(&r, 5, "programs");
    struct arena keep;
    arena_init(&keep, 1 << 14);
    unsigned whole = 0;
    for (int dialect = WINNOW_DIALECT_WINNOW; dialect <= WINNOW_DIALECT_ULTRAX; dialect++) {
        struct program_mask *m = mask_of(t, dialect, LEVEL_CHUNK);
        for (int round = 0; round < 600; round++) {
            struct program_grammar_spec spec = {dialect, LEVEL_CHUNK, 0,
                                                (uint32_t)rng_below(&r, 1500), 24};
            struct buf text = {0};
            bool ended = write_random(m, &spec, t, &r, 90, &text);
            struct program p;
            program_parse((enum winnow_refine_dialect)dialect, buf_str(&text), &keep, &p);
            for (size_t i = 0; i < p.count; i++) {
                bool last = i + 1 == p.count;
                if (!fine(p.calls[i].reason) && (ended || !last)) {
                    fail_msg("%s: %.*s", p.calls[i].reason, STR_ARG(buf_str(&text)));
                }
                assert_true(p.calls[i].reason || p.calls[i].to <= spec.last);
            }
            assert_true(!ended || p.count > 0);
            whole += ended;
            arena_reset(&keep);
            buf_release(&text);
        }
        program_mask_free(m);
    }
    assert_true(whole > 300); /* the test tests something */
    arena_release(&keep);
    tokenizer_free(t);
}

/* The ProX executor neither errs nor passes over a call in silence. */
static void what_a_mask_allows_runs_in_prox(void **state)
{
    (void)state;
    static const char TEXT[] = "a b c d e f g h i j k l m n\none two\nthree four five\nsix";
    struct tokenizer *t = refine_tokenizer();
    struct program_mask *m = mask_of(t, WINNOW_DIALECT_PROX, LEVEL_CHUNK);
    const struct program_grammar_spec spec = {WINNOW_DIALECT_PROX, LEVEL_CHUNK, 0, 3, 24};
    struct rng r;
    rng_init(&r, 6, "prox");
    unsigned whole = 0;
    for (int round = 0; round < 600; round++) {
        struct buf text = {0}, out = {0};
        if (write_random(m, &spec, t, &r, 90, &text)) {
            struct prox_result result;
            struct winnow_error err;
            assert_ok(prox_execute(str_of(TEXT), buf_str(&text), &out, &result, &err), err);
            assert_int_equal(result.errors, 0);
            whole++;
        }
        buf_release(&text);
        buf_release(&out);
    }
    assert_true(whole > 100);
    program_mask_free(m);
    tokenizer_free(t);
}

static void a_document_gets_one_of_two_answers(void **state)
{
    (void)state;
    struct tokenizer *t = refine_tokenizer();
    struct program_mask *m = mask_of(t, WINNOW_DIALECT_WINNOW, LEVEL_DOC);
    const struct program_grammar_spec spec = {WINNOW_DIALECT_WINNOW, LEVEL_DOC, 0, 0, 0};
    struct rng r;
    rng_init(&r, 8, "documents");
    unsigned keep = 0, drop = 0;
    for (int round = 0; round < 100; round++) {
        struct buf text = {0};
        assert_true(write_random(m, &spec, t, &r, 40, &text));
        struct str s = str_trim(buf_str(&text));
        keep += str_is(s, "keep_doc()");
        drop += str_is(s, "drop_doc()");
        buf_release(&text);
    }
    assert_int_equal(keep + drop, 100);
    assert_true(keep > 10 && drop > 10);
    program_mask_free(m);
    tokenizer_free(t);
}

static void a_model_smaller_than_its_tokenizer_is_refused(void **state)
{
    (void)state;
    struct tokenizer *t = refine_tokenizer();
    struct program_mask *m = NULL;
    struct winnow_error err;
    const struct program_mask_options o = {WINNOW_DIALECT_WINNOW, LEVEL_CHUNK, 100, STOPS, 2};
    assert_int_equal(program_mask_new(t, &o, &m, &err), WINNOW_E_FORMAT);
    assert_string_equal(err.text, "the tokenizer has 385 tokens, its model only 100");
    tokenizer_free(t);
}

/* ---- GBNF ---- */

static void the_grammar_is_written_as_gbnf(void **state)
{
    (void)state;
    struct buf out = {0};
    struct program_grammar_spec spec = {WINNOW_DIALECT_REFINEX, LEVEL_CHUNK, 7, 12, 20};
    program_grammar_gbnf(&spec, &out);
    assert_str(buf_str(&out),
               "root ::= [ \\n]? ( alone | call ( \"\\n\" call )* \"\\n\"? )\n"
               "alone ::= \"keep_all()\"\n"
               "call ::= \"remove_lines(start_line=\" named \")\" | \"remove_lines(\" span \")\" | "
               "\"remove_str(line=\" line \", del_str=\" source \")\" | "
               "\"remove_str(\" line \", \" source \")\"\n"
               "named ::= \"1\" named1 | \"7\" named7 | \"8\" named8 | \"9\" named9\n"
               "named1 ::= \"0\" named10 | \"1\" named11 | \"2\" named12\n"
               "named7 ::= \", end_line=\" from7\n"
               "named8 ::= \", end_line=\" from8\n"
               "named9 ::= \", end_line=\" from9\n"
               "named10 ::= \", end_line=\" from10\n"
               "named11 ::= \", end_line=\" from11\n"
               "named12 ::= \", end_line=\" from12\n"
               "span ::= \"1\" span1 | \"7\" span7 | \"8\" span8 | \"9\" span9\n"
               "span1 ::= \"0\" span10 | \"1\" span11 | \"2\" span12\n"
               "span7 ::= \", \" from7\n"
               "span8 ::= \", \" from8\n"
               "span9 ::= \", \" from9\n"
               "span10 ::= \", \" from10\n"
               "span11 ::= \", \" from11\n"
               "span12 ::= \", \" from12\n"
               "from7 ::= \"7\" | \"8\" | \"9\" | \"10\" | \"1\" \"1\" | \"12\"\n"
               "from8 ::= \"8\" | \"9\" | \"10\" | \"1\" \"1\" | \"12\"\n"
               "from9 ::= \"9\" | \"10\" | \"1\" \"1\" | \"12\"\n"
               "from10 ::= \"10\" | \"1\" \"1\" | \"12\"\n"
               "from11 ::= \"11\" | \"12\"\n"
               "from12 ::= \"12\"\n"
               "line ::= \"7\" | \"8\" | \"9\" | \"10\" | \"1\" \"1\" | \"12\"\n"
               "source ::= \"\\\"\" double{1,20} \"\\\"\" | \"'\" single{1,20} \"'\"\n"
               "target ::= \"\\\"\" double{0,20} \"\\\"\" | \"'\" single{0,20} \"'\"\n"
               "double ::= [^\\x00-\\x08\\x0A-\\x1F\\x7F\"\\\\] | escape\n"
               "single ::= [^\\x00-\\x08\\x0A-\\x1F\\x7F'\\\\] | escape\n"
               "escape ::= \"\\\\\" [\\\\\"'t]\n");
    buf_clear(&out);
    spec = (struct program_grammar_spec){WINNOW_DIALECT_WINNOW, LEVEL_DOC, 0, 0, 0};
    program_grammar_gbnf(&spec, &out);
    assert_str(buf_str(&out),
               "root ::= [ \\n]? alone\nalone ::= \"keep_doc()\" | \"drop_doc()\"\n");
    buf_release(&out);
}

static bool holds(const struct buf *text, const char *line)
{
    return str_find(buf_str(text), str_of(line)) != SIZE_MAX;
}

static void lines_of_any_number_are_spelt_digit_by_digit(void **state)
{
    (void)state;
    struct buf out = {0};
    struct program_grammar_spec spec = {WINNOW_DIALECT_ULTRAX, LEVEL_CHUNK, 96, 122, 20};
    program_grammar_gbnf(&spec, &out); /* ultrax counts from 1 */
    assert_true(holds(&out, "\nspan ::= \"1\" span1 | \"9\" span9\n"));
    assert_true(holds(&out, "\nspan1 ::= \"0\" span10 | \"1\" span11 | \"2\" span12\n"));
    assert_true(holds(&out, "\nspan9 ::= \"7\" span97 | \"8\" span98 | \"9\" span99\n"));
    assert_true(holds(&out, "\nspan12 ::= \"0\" span120 | \"1\" span121 | \"2\" span122 | \"3\" "
                            "span123\n"));
    assert_true(holds(&out, "\nnamed97 ::= \", end=\" from97\n"));
    assert_true(holds(&out, "\nfrom98 ::= \"98\" | \"99\" | \"100\" | \"10\" [1-9] | \"1\" \"1\" "
                            "[0-9] | \"12\" [0-2] | \"123\"\n"));
    buf_clear(&out);
    spec.first = 0;
    spec.last = 1000;
    program_grammar_gbnf(&spec, &out);
    assert_true(holds(&out, "\"remove_lines(start=\" line \", end=\" line \")\""));
    assert_false(holds(&out, "span"));
    buf_release(&out);
}

static struct program_loop loop_of(const char *text, size_t piece)
{
    struct program_loop l = {0};
    struct str rest = str_of(text);
    while (rest.len > 0) {
        size_t n = piece < rest.len ? piece : rest.len;
        program_loop_add(&l, str_sub(rest, 0, n));
        rest = str_sub(rest, n, rest.len);
    }
    return l;
}

static void a_call_that_comes_a_third_time_is_a_loop(void **state)
{
    (void)state;
    for (size_t piece = 1; piece < 12; piece++) {
        struct program_loop l = loop_of("\na(1)\n\na(1)\na(2)\na(1)\na(1)\na(3)", piece);
        assert_true(l.found);
        assert_int_equal(l.end, strlen("\na(1)\n\na(1)\na(2)\na(1)"));
        assert_false(loop_of("a(1)\na(1)\na(1)", piece).found); /* not yet whole */
        assert_false(loop_of("\n\n\n\n\n", piece).found);
    }
}

static void cycles_are_loops_and_progress_is_none(void **state)
{
    (void)state;
    for (unsigned cycle = 1; cycle < 40; cycle++) {
        struct buf text = {0};
        for (unsigned i = 0; i < 3 * cycle; i++) {
            buf_addf(&text, "remove_lines(%u, 9)\n", i % cycle);
        }
        struct program_loop l = loop_of(buf_cstr(&text), 7);
        assert_int_equal(l.found, cycle <= PROGRAM_LOOP_CALLS / 2);
        buf_release(&text);
    }
    struct buf text = {0};
    for (unsigned i = 0; i < 3000; i++) {
        buf_addf(&text, "remove_lines(%u, %u)\n", i, i);
    }
    assert_false(loop_of(buf_cstr(&text), 64).found);
    buf_release(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_program_is_whole_begun_or_wrong),
        cmocka_unit_test(each_dialect_has_its_calls),
        cmocka_unit_test(numbers_are_held_to_their_range),
        cmocka_unit_test(masks_are_those_of_the_slow_twin),
        cmocka_unit_test(what_a_mask_allows_parses),
        cmocka_unit_test(what_a_mask_allows_runs_in_prox),
        cmocka_unit_test(a_document_gets_one_of_two_answers),
        cmocka_unit_test(a_model_smaller_than_its_tokenizer_is_refused),
        cmocka_unit_test(the_grammar_is_written_as_gbnf),
        cmocka_unit_test(lines_of_any_number_are_spelt_digit_by_digit),
        cmocka_unit_test(a_call_that_comes_a_third_time_is_a_loop),
        cmocka_unit_test(cycles_are_loops_and_progress_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
