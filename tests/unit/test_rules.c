/* test_rules.c -- the filters against cases, against a slow plain twin on made
 * texts, and at the edges of their limits. */
#include "base/file.h"
#include "base/rng.h"
#include "base/utf8.h"
#include "check.h"
#include "rules/rules.h"
#include "rules/rules_unicode.h"
#include "rules/rules_words.h"

#include <stdio.h>
#include <stdlib.h>

static const unsigned ALL =
    RULES_GOPHER | RULES_REPETITION | RULES_C4 | RULES_FINEWEB | RULES_COMPLETE;
static const struct winnow_rules_limits LIMITS = WINNOW_RULES_LIMITS_INIT;

static void measure(struct rules_gauge *g, struct str text, double values[RULES_VALUES])
{
    struct winnow_error err;
    assert_ok(rules_measure(g, ALL, &LIMITS, text, values, &err), err);
}

/* ---- tests/cases/rules.txt ---- */

static void unescape(struct str s, struct buf *out)
{
    buf_clear(out);
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] != '\\' || i + 1 == s.len) {
            buf_add_char(out, s.ptr[i]);
            continue;
        }
        char c = s.ptr[++i];
        if (c == 'u') {
            char *end;
            utf8_add(out, (uint32_t)strtoul(s.ptr + i + 2, &end, 16));
            i = (size_t)(end - s.ptr);
        } else {
            buf_add_char(out, c == 'n' ? '\n' : c == 'r' ? '\r' : c == 't' ? '\t' : c);
        }
    }
}

static void answer(struct rules_gauge *g, struct str what, struct str text, struct buf *out)
{
    double values[RULES_VALUES];
    buf_clear(out);
    measure(g, text, values);
    if (str_is(what, "words")) {
        struct rules_word w;
        for (size_t at = 0; rules_words_next(text, &at, &w);) {
            buf_add_text(out, out->len ? "|" : "");
            buf_add_str(out, str_sub(text, w.start, w.start + w.bytes));
            assert_int_equal(w.chars, utf8_count(str_sub(text, w.start, w.start + w.bytes)));
        }
        return;
    }
    if (str_is(what, "sentences")) {
        buf_addf(out, "%zu", rules_sentences(text));
        return;
    }
    if (str_is(what, "c4")) {
        buf_add_str(out, rules_c4_text(g));
        return;
    }
    for (int v = 0; v < RULES_VALUES; v++) {
        if (str_is(what, rules_value_info((enum rules_value)v)->name)) {
            buf_addf(out, "%.17g", values[v]);
            return;
        }
    }
    fail_msg("no value '%.*s'", STR_ARG(what));
}

static void each_case_of_the_file_holds(void **state)
{
    (void)state;
    struct winnow_error err;
    struct buf file = {0}, text = {0}, want = {0}, got = {0};
    assert_ok(file_read("tests/cases/rules.txt", 1 << 20, &file, &err), err);
    struct rules_gauge *g = rules_gauge_new();
    size_t cases = 0;
    struct str rest = buf_str(&file), line, expected;
    while (str_next_line(&rest, &line)) {
        if (line.len == 0 || line.ptr[0] == '#') {
            continue;
        }
        const char *blank = memchr(line.ptr, ' ', line.len);
        size_t cut = blank ? (size_t)(blank - line.ptr) : line.len;
        unescape(str_sub(line, blank ? cut + 1 : cut, line.len), &text);
        answer(g, str_sub(line, 0, cut), buf_str(&text), &got);
        assert_true(str_next_line(&rest, &expected) && expected.ptr[0] == '=');
        unescape(str_sub(expected, expected.len > 1 ? 2 : 1, expected.len), &want);
        bool number = strtod(buf_cstr(&want), NULL) != 0 && strchr(buf_cstr(&want), '|') == NULL;
        if (!str_eq(buf_str(&got), buf_str(&want)) &&
            !(number && strtod(buf_cstr(&got), NULL) == strtod(buf_cstr(&want), NULL))) {
            fail_msg("%.*s: got '%s', expected '%s'", STR_ARG(line), buf_cstr(&got),
                     buf_cstr(&want));
        }
        cases++;
    }
    assert_true(cases > 40);
    rules_gauge_free(g);
    buf_release(&file);
    buf_release(&text);
    buf_release(&want);
    buf_release(&got);
}

/* ---- the plain twin: pieces compared byte by byte, each with all before ---- */

#define TWIN_WORDS 400

struct twin {
    struct str words[TWIN_WORDS];
    size_t count;
};

static void twin_words(struct twin *t, struct str text)
{
    struct rules_word w;
    t->count = 0;
    for (size_t at = 0; rules_words_next(text, &at, &w);) {
        assert_true(t->count < TWIN_WORDS);
        t->words[t->count++] = str_sub(text, w.start, w.start + w.bytes);
    }
}

static bool same_gram(const struct twin *t, size_t a, size_t b, size_t n)
{
    for (size_t k = 0; k < n; k++) {
        if (!str_eq(t->words[a + k], t->words[b + k])) {
            return false;
        }
    }
    return true;
}

static size_t twin_chars(const struct twin *t, size_t i, size_t n)
{
    size_t chars = 0;
    for (size_t k = i; k < i + n; k++) {
        chars += utf8_count(t->words[k]);
    }
    return chars;
}

static size_t twin_top(const struct twin *t, size_t n)
{
    size_t best = 0, chars = 0;
    for (size_t i = 0; i + n <= t->count; i++) {
        size_t times = 0;
        for (size_t j = 0; j + n <= t->count; j++) {
            times += same_gram(t, i, j, n);
        }
        if (times > best) {
            best = times;
            chars = (twin_chars(t, i, n) + n - 1) * times;
        }
    }
    return chars;
}

static size_t twin_repeated(const struct twin *t, size_t n)
{
    size_t seen[TWIN_WORDS], count = 0, chars = 0;
    for (size_t i = 0; i + n <= t->count;) {
        bool before = false;
        for (size_t k = 0; k < count; k++) {
            before |= same_gram(t, i, seen[k], n);
        }
        if (before) {
            chars += twin_chars(t, i, n);
            i += n;
        } else {
            seen[count++] = i++;
        }
    }
    return chars;
}

static void twin_lines(struct str text, double *share_lines, double *share_chars)
{
    struct str seen[TWIN_WORDS], line;
    size_t count = 0, repeated = 0, chars = 0, start = 0;
    for (size_t i = 0; i <= text.len; i++) {
        if (i < text.len && text.ptr[i] != '\n') {
            continue;
        }
        line = str_sub(text, start, i);
        while (i + 1 < text.len && text.ptr[i + 1] == '\n') {
            i++;
        }
        start = i + 1;
        bool before = false;
        for (size_t k = 0; k < count; k++) {
            before |= str_eq(seen[k], line);
        }
        assert_true(count < TWIN_WORDS);
        seen[count++] = line;
        repeated += before;
        chars += before ? utf8_count(line) : 0;
    }
    *share_lines = (double)repeated / (double)count;
    *share_chars = (double)chars / (double)utf8_count(text);
}

/* Few different words, so that n-grams come again; lines too. */
static void make_text(struct rng *r, struct buf *out)
{
    static const char *const PIECES[] = {
        "a",  "bb", "\u00e9t\u00e9", "the",        "...", "-", "x1", "b.",
        "\n", "\n", "\n\n",          "of the land"};
    buf_clear(out);
    size_t kinds = 2 + (size_t)rng_below(r, rng_below(r, 2) ? 3 : 11);
    size_t n = (size_t)rng_below(r, 70);
    for (size_t i = 0; i < n; i++) {
        buf_add_text(out, PIECES[rng_below(r, kinds)]);
        buf_add_text(out, rng_below(r, 12) ? " " : "");
    }
    if (rng_below(r, 2)) {
        size_t half = out->len / 2;
        while (half > 0 && ((unsigned char)out->ptr[half] & 0xC0U) == 0x80) {
            half--;
        }
        (void)buf_reserve(out, half);
        buf_add_str(out, str_sub(buf_str(out), 0, half));
    }
    buf_add_char(out, 'z'); /* never empty */
}

static void repetition_equals_the_plain_twin_on_made_texts(void **state)
{
    (void)state;
    struct rules_gauge *g = rules_gauge_new();
    struct buf text = {0};
    static struct twin t;
    double values[RULES_VALUES], lines, line_chars;
    size_t with_repeats = 0;
    for (uint64_t seed = 0; seed < 400; seed++) {
        struct rng r;
        rng_init(&r, seed, "rules");
        make_text(&r, &text);
        measure(g, buf_str(&text), values);
        twin_words(&t, buf_str(&text));
        double chars = (double)utf8_count(buf_str(&text));
        for (size_t n = 2; n <= 4; n++) {
            assert_true(values[REPETITION_TOP_2_GRAM + n - 2] == (double)twin_top(&t, n) / chars);
        }
        for (size_t n = 5; n <= 10; n++) {
            double want = (double)twin_repeated(&t, n) / chars;
            assert_true(values[REPETITION_DUP_5_GRAM + n - 5] == want);
            with_repeats += n == 10 && want > 0;
        }
        twin_lines(buf_str(&text), &lines, &line_chars);
        assert_true(values[REPETITION_LINES] == lines);
        assert_true(values[REPETITION_LINE_CHARS] == line_chars);
    }
    assert_true(with_repeats > 20); /* else the twin saw nothing */
    rules_gauge_free(g);
    buf_release(&text);
}

/* ---- limits ---- */

static void a_limit_breaks_only_beyond_itself(void **state)
{
    (void)state;
    double values[RULES_VALUES] = {0};
    values[GOPHER_WORDS] = 50;
    values[GOPHER_WORD_LENGTH] = 10;
    values[GOPHER_HASH_RATIO] = 0.1;
    values[GOPHER_ALPHA_WORDS] = 0.8;
    values[GOPHER_STOP_WORDS] = 2;
    assert_null(rules_judge(RULES_GOPHER, &LIMITS, values));
    values[GOPHER_HASH_RATIO] = nextafter(0.1, 1);
    assert_string_equal(rules_judge(RULES_GOPHER, &LIMITS, values)->name, "gopher.hash_ratio_max");
    values[GOPHER_WORDS] = 49;
    assert_string_equal(rules_judge(RULES_GOPHER, &LIMITS, values)->name, "gopher.words_min");
    assert_null(rules_judge(RULES_FINEWEB, &LIMITS,
                            (double[RULES_VALUES]){
                                [FINEWEB_LINES] = 1,
                                [FINEWEB_TERMINAL_LINES] = (double)NAN,
                            }));
}

static void each_limit_can_be_turned_off_and_moved(void **state)
{
    (void)state;
    struct winnow_rules_limits limits = WINNOW_RULES_LIMITS_INIT;
    struct rules_gauge *g = rules_gauge_new();
    double values[RULES_VALUES];
    measure(g, STR_LIT("Five words of text here."), values);
    const struct rules_limit *broken = rules_judge(RULES_GOPHER, &limits, values);
    assert_string_equal(broken->name, "gopher.words_min");
    assert_true(rules_limit_of(broken, &limits) == 50);
    limits.gopher_words_min = 5;
    limits.gopher_stop_words_min = 1;
    assert_null(rules_judge(RULES_GOPHER, &limits, values));
    limits.gopher_words_min = 6;
    assert_non_null(rules_judge(RULES_GOPHER, &limits, values));
    limits.gopher_words_min = 0;
    assert_null(rules_judge(RULES_GOPHER, &limits, values));
    rules_gauge_free(g);
}

static void empty_and_blank_texts_leave_without_a_division_by_nothing(void **state)
{
    (void)state;
    struct rules_gauge *g = rules_gauge_new();
    double values[RULES_VALUES];
    measure(g, STR_LIT(""), values);
    assert_string_equal(rules_judge(RULES_GOPHER, &LIMITS, values)->name, "gopher.words_min");
    assert_string_equal(rules_judge(RULES_REPETITION, &LIMITS, values)->name,
                        "gopher-repetition.chars_min");
    assert_string_equal(rules_judge(RULES_C4, &LIMITS, values)->name, "c4.sentences_min");
    assert_string_equal(rules_judge(RULES_FINEWEB, &LIMITS, values)->name, "fineweb.lines_min");
    measure(g, STR_LIT(" \n\n\t"), values);
    assert_null(rules_judge(RULES_REPETITION, &LIMITS, values));
    assert_string_equal(rules_judge(RULES_FINEWEB, &LIMITS, values)->name, "fineweb.lines_min");
    rules_gauge_free(g);
}

static void bytes_that_are_no_utf8_are_one_character_each(void **state)
{
    (void)state;
    struct rules_gauge *g = rules_gauge_new();
    double values[RULES_VALUES];
    measure(g, STR_LIT("ab\xFF\xFE cd\xE2\x80"), values);
    assert_true(values[REPETITION_CHARS] == 9);
    assert_true(rules_last_code(STR_LIT("a\x80\x80\x80\x80\x80")) == UTF8_REPLACEMENT);
    rules_gauge_free(g);
}

static void attributes_span_the_text_in_code_points(void **state)
{
    (void)state;
    struct rules_gauge *g = rules_gauge_new();
    struct buf out = {0};
    double values[RULES_VALUES];
    measure(g, STR_LIT(""), values);
    rules_add_attributes(RULES_FINEWEB, values, 0, &out);
    assert_str(buf_str(&out),
               "\"fineweb__lines\":[[0,0,0]],\"fineweb__terminal_lines\":[[0,0,null]],"
               "\"fineweb__short_lines\":[[0,0,null]],\"fineweb__dup_line_chars\":[[0,0,null]],"
               "\"fineweb__newlines\":[[0,0,null]]");
    buf_clear(&out);
    measure(g, STR_LIT("\u00e9. Is\n\n"), values);
    rules_add_attributes(RULES_FINEWEB, values, 7, &out);
    assert_true(str_starts(buf_str(&out), STR_LIT("\"fineweb__lines\":[[0,7,1]],")));
    assert_true(
        str_ends(buf_str(&out), STR_LIT("\"fineweb__newlines\":[[0,7,0.6666666666666666]]")));
    rules_gauge_free(g);
    buf_release(&out);
}

static void sets_are_known_by_their_names(void **state)
{
    (void)state;
    assert_int_equal(rules_set_of(STR_LIT("gopher-repetition")), RULES_REPETITION);
    assert_int_equal(rules_set_of(STR_LIT("gofer")), 0);
    assert_string_equal(rules_set_name(RULES_C4), "c4");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_case_of_the_file_holds),
        cmocka_unit_test(repetition_equals_the_plain_twin_on_made_texts),
        cmocka_unit_test(a_limit_breaks_only_beyond_itself),
        cmocka_unit_test(each_limit_can_be_turned_off_and_moved),
        cmocka_unit_test(empty_and_blank_texts_leave_without_a_division_by_nothing),
        cmocka_unit_test(bytes_that_are_no_utf8_are_one_character_each),
        cmocka_unit_test(attributes_span_the_text_in_code_points),
        cmocka_unit_test(sets_are_known_by_their_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
