/* near_words.c -- see near_words.h.
 *
 * What a code point becomes is looked up: one table for ASCII and one for the rest of the
 * first plane, made once from utf8proc.  Code points that fold into several, and those of
 * other planes, ask it each time. */
#include "dedup/near_words.h"

#include "base/grow.h"
#include "base/mem.h"
#include "base/utf8.h"

#include <utf8proc.h>

#define TABLE_CODES 0x10000U
#define TEXT_MAX    ((size_t)1 << 30)

/* In a table: kind << 24 | the code point that it becomes. */
enum kind {
    KIND_SEPARATOR,
    KIND_LETTER,
    KIND_DIGIT,
    KIND_DROPPED, /* a mark: belongs to the word and is not written */
    KIND_ALONE,   /* a word by itself */
    KIND_MANY,    /* becomes several code points */
};

struct near_alphabet {
    bool numbers_count;
    uint32_t codes[TABLE_CODES];
};

static bool in_ranges(uint32_t code, const uint32_t (*ranges)[2], size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (code >= ranges[i][0] && code <= ranges[i][1]) {
            return true;
        }
    }
    return false;
}

static bool writes_no_spaces(uint32_t code)
{
    static const uint32_t RANGES[][2] = {
        {0x0E00, 0x0EFF}, {0x1000, 0x109F},   {0x1780, 0x17FF},   {0x2E80, 0x2FDF},
        {0x3005, 0x3007}, {0x3040, 0x30FF},   {0x31F0, 0x31FF},   {0x3400, 0x4DBF},
        {0x4E00, 0x9FFF}, {0xA9E0, 0xA9FF},   {0xAA60, 0xAA7F},   {0xF900, 0xFAFF},
        {0xFF66, 0xFF9D}, {0x1B000, 0x1B16F}, {0x20000, 0x323AF},
    };
    return in_ranges(code, RANGES, sizeof RANGES / sizeof *RANGES);
}

static enum kind kind_of(uint32_t code)
{
    switch (utf8proc_category((utf8proc_int32_t)code)) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
    case UTF8PROC_CATEGORY_MC:
    case UTF8PROC_CATEGORY_NL:
        return writes_no_spaces(code) ? KIND_ALONE : KIND_LETTER;
    case UTF8PROC_CATEGORY_ND:
        return KIND_DIGIT;
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_ME:
        return KIND_DROPPED;
    default:
        return KIND_SEPARATOR;
    }
}

/* Case-folded, decomposed, without marks that do not space; out has room for 8. */
static size_t fold(uint32_t code, uint32_t out[8])
{
    utf8proc_int32_t parts[8];
    int boundary = 0;
    if (code >= 0xAC00 && code <= 0xD7A3) { /* Hangul */
        out[0] = code;
        return 1;
    }
    utf8proc_ssize_t n = utf8proc_decompose_char((utf8proc_int32_t)code, parts, 8,
                                                 UTF8PROC_CASEFOLD | UTF8PROC_DECOMPOSE, &boundary);
    size_t count = 0;
    for (utf8proc_ssize_t i = 0; n <= 8 && i < n; i++) {
        if (utf8proc_category(parts[i]) != UTF8PROC_CATEGORY_MN) {
            out[count++] = (uint32_t)parts[i];
        }
    }
    if (count == 0) {
        out[count++] = code;
    }
    return count;
}

static uint32_t entry_of(uint32_t code, bool numbers_count)
{
    enum kind kind = kind_of(code);
    kind = kind == KIND_DIGIT && numbers_count ? KIND_LETTER : kind;
    uint32_t parts[8] = {code};
    if (kind == KIND_LETTER || kind == KIND_ALONE) {
        kind = fold(code, parts) > 1 ? KIND_MANY : kind;
    } else if (kind == KIND_DIGIT) {
        parts[0] = '0';
    }
    return (uint32_t)kind << 24 | parts[0];
}

struct near_alphabet *near_alphabet_new(bool numbers_count)
{
    struct near_alphabet *a = mem_alloc(sizeof *a);
    a->numbers_count = numbers_count;
    for (uint32_t code = 0; code < TABLE_CODES; code++) {
        a->codes[code] = entry_of(code, numbers_count);
    }
    return a;
}

void near_alphabet_free(struct near_alphabet *a)
{
    mem_free(a);
}

void near_words_release(struct near_words *words)
{
    buf_release(&words->text);
    mem_free(words->starts);
    *words = (struct near_words){0};
}

/* ---- splitting ---- */

struct writer {
    struct near_words *words;
    char *to;
    size_t len;
    bool in_word, digit; /* the last character written was a number's 0 */
};

static void begin_word(struct writer *w)
{
    struct near_words *words = w->words;
    if (words->count == words->cap) {
        GROW(words->starts, words->count, words->cap, 1024);
    }
    words->starts[words->count++] = (uint32_t)w->len;
    w->in_word = true;
}

static void end_word(struct writer *w)
{
    if (w->in_word) {
        w->to[w->len++] = ' ';
        w->in_word = w->digit = false;
    }
}

static void put_letter(struct writer *w, uint32_t code)
{
    if (!w->in_word) {
        begin_word(w);
    }
    if (code < 0x80) {
        w->to[w->len++] = (char)code;
    } else {
        w->len += utf8_encode(code, w->to + w->len);
    }
    w->digit = false;
}

static void put_digit(struct writer *w)
{
    if (!w->digit) {
        put_letter(w, '0');
        w->digit = true;
    }
}

static bool digit_at(struct str text, size_t at)
{
    return at < text.len && text.ptr[at] >= '0' && text.ptr[at] <= '9';
}

static void put_other(const struct near_alphabet *a, struct writer *w, uint32_t code)
{
    uint32_t entry = code < TABLE_CODES ? a->codes[code] : entry_of(code, a->numbers_count);
    uint32_t parts[8];
    switch ((enum kind)(entry >> 24)) {
    case KIND_SEPARATOR:
        end_word(w);
        break;
    case KIND_LETTER:
        put_letter(w, entry & 0xFFFFFFU);
        break;
    case KIND_DIGIT:
        put_digit(w);
        break;
    case KIND_DROPPED:
        break;
    case KIND_ALONE:
        end_word(w);
        put_letter(w, entry & 0xFFFFFFU);
        end_word(w);
        break;
    case KIND_MANY:
        for (size_t i = 0, n = fold(code, parts); i < n; i++) {
            put_letter(w, parts[i]);
        }
        break;
    }
}

/* From an ASCII character on, as long as there are more. */
static size_t put_ascii(const struct near_alphabet *a, struct writer *w, struct str text, size_t at)
{
    for (; at < text.len && (unsigned char)text.ptr[at] < 0x80; at++) {
        uint32_t entry = a->codes[(unsigned char)text.ptr[at]];
        enum kind kind = (enum kind)(entry >> 24);
        if (kind == KIND_LETTER) {
            if (!w->in_word) {
                begin_word(w);
            }
            w->to[w->len++] = (char)entry;
            w->digit = false;
        } else if (kind == KIND_DIGIT) {
            put_digit(w);
        } else {
            bool point = text.ptr[at] == '.' || text.ptr[at] == ',';
            if (!(point && w->digit && digit_at(text, at + 1))) {
                end_word(w);
            }
        }
    }
    return at;
}

winnow_status near_words_split(const struct near_alphabet *a, struct str text,
                               struct near_words *words, struct winnow_error *err)
{
    if (text.len >= TEXT_MAX) {
        return error_set(err, WINNOW_E_LIMIT, "a text of %zu bytes is too long to be compared",
                         text.len);
    }
    buf_clear(&words->text);
    words->count = 0;
    /* What folds into several code points doubles at most, and so does a word of three bytes
     * with its space. */
    struct writer w = {.words = words, .to = buf_reserve(&words->text, 2 * text.len + 16)};
    for (size_t at = 0; at < text.len;) {
        at = put_ascii(a, &w, text, at);
        if (at < text.len) {
            uint32_t code;
            size_t n = utf8_decode(text, at, &code);
            put_other(a, &w, n > 0 ? code : ' '); /* documents are checked; be exact anyway */
            at += n > 0 ? n : 1;
        }
    }
    end_word(&w);
    assert(w.len <= 2 * text.len + 16);
    words->text.len = w.len;
    GROW(words->starts, words->count, words->cap, 1024);
    words->starts[words->count] = (uint32_t)w.len;
    return WINNOW_OK;
}

/* ---- shingles ---- */

size_t near_words_shingles(const struct near_words *words, uint32_t n)
{
    return words->count == 0 ? 0 : words->count <= n ? 1 : words->count - n + 1;
}

struct str near_words_shingle(const struct near_words *words, uint32_t n, size_t i)
{
    size_t end = i + n < words->count ? i + n : words->count;
    uint32_t from = words->starts[i], to = words->starts[end];
    return (struct str){words->text.ptr + from, to - from - 1}; /* without its last space */
}
