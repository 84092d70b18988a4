/* scan.c -- the pre-tokenizers of GPT-2, Llama-3 and Qwen2 by hand.
 *
 * A word is a short run of one class of characters, so one table look-up a byte
 * is all that is needed; a regular-expression engine spends most of its time
 * between the words.  The expressions below are the meaning: the tests run them
 * in PCRE2 over random strings and compare.
 *
 *   \s+(?!\S) takes a run of spaces, but leaves its last character to the word
 *   behind it; \s*[\r\n]+ takes a run up to its last line end.
 */
#include "base/utf8.h"
#include "token/tokenizer_internal.h"

#include <assert.h>

static const char *const PATTERNS[] = {
    [SCAN_GPT2] = "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|"
                  "\\s+(?!\\S)|\\s+",
    [SCAN_LLAMA3] = "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}|"
                    " ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
    [SCAN_QWEN2] = "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}|"
                   " ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
};

const char *scan_pattern(enum scan_kind kind)
{
    assert(kind != SCAN_NONE);
    return PATTERNS[kind];
}

enum scan_kind scan_of_pattern(struct str pattern)
{
    for (int k = SCAN_GPT2; k <= SCAN_QWEN2; k++) {
        if (str_is(pattern, PATTERNS[k])) {
            return (enum scan_kind)k;
        }
    }
    return SCAN_NONE;
}

/* A text being scanned. */
struct cursor {
    const uint8_t *classes;
    const char *ptr;
    size_t end;
};

static unsigned wide_class(struct cursor c, size_t at, size_t *len)
{
    uint32_t code = 0;
    *len = utf8_decode((struct str){c.ptr, c.end}, at, &code);
    if (*len == 0) {
        *len = 1;
        return 0;
    }
    return code < CLASSES_SIZE ? c.classes[code] : class_of(code);
}

/* Class and length of the character at `at` < end. */
static inline unsigned class_at(struct cursor c, size_t at, size_t *len)
{
    uint8_t b = (uint8_t)c.ptr[at];
    if (b < 0x80) {
        *len = 1;
        return c.classes[b];
    }
    return wide_class(c, at, len);
}

/* The end of the run of characters of one class (LETTER, NUMBER or 0). */
static inline size_t run_of(struct cursor c, size_t at, unsigned class)
{
    size_t len;
    while (at < c.end && class_at(c, at, &len) == class) {
        at += len;
    }
    return at;
}

/* A run of white space: where it ends, where its last character starts, and
 * where its last line end ends (0: it has none). */
static size_t space_run(struct cursor c, size_t at, size_t *last, size_t *newline)
{
    size_t len;
    *newline = 0;
    *last = at;
    while (at < c.end) {
        unsigned class = class_at(c, at, &len);
        if (!(class & CLASS_SPACE)) {
            break;
        }
        *last = at;
        at += len;
        if (class & CLASS_NEWLINE) {
            *newline = at;
        }
    }
    return at;
}

/* Length of the contraction behind the apostrophe at `at`, or 0.  Without
 * regard to case, U+017F is an s too. */
static size_t contraction(struct cursor c, size_t at, bool any_case)
{
    if (at + 1 >= c.end) {
        return 0;
    }
    uint8_t fold = any_case ? 0x20 : 0;
    uint8_t a = (uint8_t)c.ptr[at + 1];
    if (any_case && a == 0xC5 && at + 2 < c.end && (uint8_t)c.ptr[at + 2] == 0xBF) {
        return 3;
    }
    /* |0x20 turns letters to lower case and makes a letter of nothing else that
     * is compared with below. */
    a |= (a >= 'A' && a <= 'Z') ? fold : 0;
    if (a == 's' || a == 't' || a == 'm' || a == 'd') {
        return 2;
    }
    if (at + 2 >= c.end) {
        return 0;
    }
    uint8_t b = (uint8_t)c.ptr[at + 2];
    b |= (b >= 'A' && b <= 'Z') ? fold : 0;
    bool found = (a == 'r' && b == 'e') || (a == 'v' && b == 'e') || (a == 'l' && b == 'l');
    return found ? 3 : 0;
}

static inline size_t next_gpt2(struct cursor c, size_t at)
{
    size_t len;
    if (c.ptr[at] == '\'') {
        size_t n = contraction(c, at, false);
        if (n > 0) {
            return at + n;
        }
    }
    size_t from = at + (c.ptr[at] == ' ' && at + 1 < c.end);
    unsigned class = class_at(c, from, &len);
    if (!(class & CLASS_SPACE)) {
        return run_of(c, from + len, class);
    }
    size_t last, newline;
    size_t end = space_run(c, at, &last, &newline);
    return end == c.end || last == at ? end : last;
}

/* Line ends that follow a run of symbols. */
static inline size_t skip_newlines(struct cursor c, size_t at)
{
    while (at < c.end && (c.ptr[at] == '\r' || c.ptr[at] == '\n')) {
        at++;
    }
    return at;
}

static inline size_t digits(struct cursor c, size_t at, unsigned most)
{
    size_t len;
    for (unsigned n = 0; n < most && at < c.end && class_at(c, at, &len) == CLASS_NUMBER; n++) {
        at += len;
    }
    return at;
}

static inline size_t next_llama3(struct cursor c, size_t at, unsigned digits_max)
{
    size_t len, next_len = 0;
    if (c.ptr[at] == '\'') {
        size_t n = contraction(c, at, true);
        if (n > 0) {
            return at + n;
        }
    }
    unsigned class = class_at(c, at, &len);
    if (class == CLASS_LETTER) {
        return run_of(c, at + len, CLASS_LETTER);
    }
    if (class == CLASS_NUMBER) {
        return digits(c, at, digits_max);
    }
    unsigned next = at + len < c.end ? class_at(c, at + len, &next_len) : CLASS_SPACE;
    if (next == CLASS_LETTER && !(class & CLASS_NEWLINE)) {
        return run_of(c, at + len + next_len, CLASS_LETTER);
    }
    if (class == 0) {
        return skip_newlines(c, run_of(c, at + len, 0));
    }
    if (c.ptr[at] == ' ' && next == 0) {
        return skip_newlines(c, run_of(c, at + len + next_len, 0));
    }
    size_t last, newline;
    size_t end = space_run(c, at, &last, &newline);
    if (newline > 0) {
        return newline;
    }
    return end == c.end || last == at ? end : last;
}

size_t scan_next(enum scan_kind kind, const uint8_t *classes, struct str s, size_t at)
{
    assert(at < s.len);
    struct cursor c = {classes, s.ptr, s.len};
    switch (kind) {
    case SCAN_GPT2:
        return next_gpt2(c, at);
    case SCAN_LLAMA3:
        return next_llama3(c, at, 3);
    case SCAN_QWEN2:
        return next_llama3(c, at, 1);
    case SCAN_NONE:
        break;
    }
    assert(false);
    return s.len;
}
