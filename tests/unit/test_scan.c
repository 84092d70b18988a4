/* The hand-written scanners, judged by PCRE2. */
#include "check.h"
#include "random_text.h"
#include "token/tokenizer_internal.h"

/* Characters that PCRE2's version of Unicode puts in the class that utf8proc's
 * does: newer ones may be letters to one and unassigned to the other. */
static void find_agreed(uint8_t *agreed, size_t size)
{
    struct regex_scratch *scratch = regex_scratch_new();
    struct regex *letter = NULL, *number = NULL;
    struct winnow_error err;
    assert_ok(regex_new(STR_LIT("\\p{L}"), &letter, &err), err);
    assert_ok(regex_new(STR_LIT("\\p{N}"), &number, &err), err);
    for (uint32_t code = 0; code < size; code++) {
        char bytes[4];
        size_t start, end;
        if (code < 0xD800 || code >= 0xE000) {
            struct str s = {bytes, utf8_encode(code, bytes)};
            unsigned class = regex_find(letter, scratch, s, 0, &start, &end)   ? CLASS_LETTER
                             : regex_find(number, scratch, s, 0, &start, &end) ? CLASS_NUMBER
                                                                               : 0;
            agreed[code] = class == (class_of(code) & (CLASS_LETTER | CLASS_NUMBER));
        }
    }
    regex_free(letter);
    regex_free(number);
    regex_scratch_free(scratch);
}

static bool all_agreed(struct str text, const uint8_t *agreed)
{
    for (size_t at = 0; at < text.len;) {
        uint32_t code = 0;
        at += utf8_decode(text, at, &code);
        if (!agreed[code]) {
            return false;
        }
    }
    return true;
}

static void judge_scanner(enum scan_kind kind, struct str text, const uint8_t *classes,
                          const struct regex *judge, struct regex_scratch *scratch)
{
    for (size_t at = 0; at < text.len;) {
        size_t start = 0, end = 0;
        assert_true(regex_find(judge, scratch, text, at, &start, &end));
        assert_int_equal(start, at);
        size_t got = scan_next(kind, classes, text, at);
        if (got != end) {
            fail_msg("%d: '%.*s': a word of %zu bytes at %zu should have %zu", (int)kind,
                     STR_ARG(text), got - at, at, end - at);
        }
        at = end;
    }
}

static void scanners_cut_as_their_expressions_do(void **state)
{
    (void)state;
    static uint8_t classes[CLASSES_SIZE], agreed[0x20000];
    classes_fill(classes);
    find_agreed(agreed, sizeof agreed);
    struct regex_scratch *scratch = regex_scratch_new();
    struct buf text = {0};
    struct winnow_error err;
    for (int kind = SCAN_GPT2; kind <= SCAN_QWEN2; kind++) {
        struct regex *judge = NULL;
        assert_ok(regex_new(str_of(scan_pattern((enum scan_kind)kind)), &judge, &err), err);
        size_t judged = 0;
        struct rng r;
        rng_init(&r, 1, "scan");
        for (size_t round = 0; round < 20000; round++) {
            random_text(&r, 1 + round % 24, &text);
            if (all_agreed(buf_str(&text), agreed)) {
                judge_scanner((enum scan_kind)kind, buf_str(&text), classes, judge, scratch);
                judged++;
            }
        }
        assert_true(judged > 15000);
        regex_free(judge);
    }
    buf_release(&text);
    regex_scratch_free(scratch);
}

static void classes_agree_with_the_regex_engine(void **state)
{
    (void)state;
    static const struct {
        const char *pattern;
        unsigned class;
    } CASES[] = {{"\\p{L}", CLASS_LETTER}, {"\\p{N}", CLASS_NUMBER}, {"\\s", CLASS_SPACE}};
    struct regex_scratch *scratch = regex_scratch_new();
    struct winnow_error err;
    for (size_t i = 0; i < 3; i++) {
        struct regex *judge = NULL;
        assert_ok(regex_new(str_of(CASES[i].pattern), &judge, &err), err);
        size_t differ = 0;
        for (uint32_t code = 0; code < 0x110000; code++) {
            char bytes[4];
            size_t start, end;
            if (code >= 0xD800 && code < 0xE000) {
                continue;
            }
            struct str s = {bytes, utf8_encode(code, bytes)};
            bool in = regex_find(judge, scratch, s, 0, &start, &end);
            differ += in != ((class_of(code) & CASES[i].class) != 0);
        }
        /* utf8proc and PCRE2 follow different versions of Unicode; each new one
         * adds letters by the thousand, but no kind of space. */
        assert_true(differ < 10000 && (differ == 0 || CASES[i].class != CLASS_SPACE));
        regex_free(judge);
    }
    regex_scratch_free(scratch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scanners_cut_as_their_expressions_do),
        cmocka_unit_test(classes_agree_with_the_regex_engine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
