/* rules_words.c -- one scan over the text with a table for ASCII.
 *
 * A class is found for each code point once.  A word starts with a code point
 * that is no space; what it starts with says how it goes on (rules_words.h). */
#include "rules/rules_words.h"

#include "base/hash.h"
#include "base/mem.h"
#include "rules/rules_unicode.h"

#include <strings.h>
#include <utf8proc.h>

enum glyph {
    GLYPH_SPACE,
    GLYPH_LETTER,
    GLYPH_DIGIT,
    GLYPH_CONNECTOR,
    GLYPH_ALONE,  /* a letter of a script without spaces */
    GLYPH_EXTEND, /* marks and format characters */
    GLYPH_OTHER,
};

/* 's' space, 'a' letter, '0' digit, '_' connector, '+' extends, '.' anything else. */
static const char ASCII_CLASSES[129] = "+++++++++sssss++++++++++++++ssss"
                                       "s...............0000000000......"
                                       ".aaaaaaaaaaaaaaaaaaaaaaaaaa...._"
                                       ".aaaaaaaaaaaaaaaaaaaaaaaaaa....+";

static bool is_script_without_spaces(uint32_t code)
{
    return (code >= 0x3041 && code <= 0x309F) ||   /* Hiragana */
           (code >= 0x3400 && code <= 0x9FFF) ||   /* Han */
           (code >= 0xF900 && code <= 0xFAFF) ||   /* Han, compatibility */
           (code >= 0x20000 && code <= 0x3FFFF) || /* Han, further planes */
           (code >= 0x0E01 && code <= 0x0EFF) ||   /* Thai, Lao */
           (code >= 0x1000 && code <= 0x109F) ||   /* Myanmar */
           (code >= 0x1780 && code <= 0x17FF);     /* Khmer */
}

static enum glyph glyph_of_other(uint32_t code)
{
    if (rules_is_space(code)) {
        return GLYPH_SPACE;
    }
    switch (utf8proc_category((utf8proc_int32_t)code)) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
        return is_script_without_spaces(code) ? GLYPH_ALONE : GLYPH_LETTER;
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_NO:
        return GLYPH_DIGIT;
    case UTF8PROC_CATEGORY_PC:
        return GLYPH_CONNECTOR;
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_MC:
    case UTF8PROC_CATEGORY_ME:
    case UTF8PROC_CATEGORY_CF:
    case UTF8PROC_CATEGORY_CC:
        return GLYPH_EXTEND;
    default:
        return GLYPH_OTHER;
    }
}

static enum glyph glyph_of(uint32_t code)
{
    if (code >= 0x80) {
        return glyph_of_other(code);
    }
    switch (ASCII_CLASSES[code]) {
    case 's':
        return GLYPH_SPACE;
    case 'a':
        return GLYPH_LETTER;
    case '0':
        return GLYPH_DIGIT;
    case '_':
        return GLYPH_CONNECTOR;
    case '+':
        return GLYPH_EXTEND;
    default:
        return GLYPH_OTHER;
    }
}

static bool is_wordly(enum glyph c)
{
    return c == GLYPH_LETTER || c == GLYPH_DIGIT || c == GLYPH_CONNECTOR;
}

static bool is_apostrophe(uint32_t code)
{
    return code == '\'' || code == 0x2019;
}

/* Whether code may stand inside a word between glyphs before and after. */
static bool joins(enum glyph before, uint32_t code, enum glyph after)
{
    if (!is_wordly(before) || !is_wordly(after)) {
        return false;
    }
    if (code == '.' || code == '@' || code == '&' || code == 0xB7) {
        return true;
    }
    if (before == GLYPH_LETTER && after == GLYPH_LETTER) {
        return is_apostrophe(code);
    }
    return before == GLYPH_DIGIT && after == GLYPH_DIGIT &&
           (is_apostrophe(code) || code == ',' || code == ':' || code == '/');
}

/* Bytes of the clitic at s[at], an apostrophe with s, m, d, re, ve or ll where
 * a word ends behind it; 0 where there is none. */
static size_t clitic_at(struct str s, size_t at)
{
    static const char *const TAILS[] = {"s", "m", "d", "re", "ve", "ll"};
    uint32_t code;
    size_t n = rules_code_at(s, at, &code);
    if (!is_apostrophe(code)) {
        return 0;
    }
    for (size_t i = 0; i < sizeof TAILS / sizeof TAILS[0]; i++) {
        size_t len = strlen(TAILS[i]), end = at + n + len;
        if (end > s.len || strncasecmp(s.ptr + at + n, TAILS[i], len) != 0) {
            continue;
        }
        if (end == s.len) {
            return end - at;
        }
        (void)rules_code_at(s, end, &code);
        enum glyph after = glyph_of(code);
        return is_wordly(after) || after == GLYPH_EXTEND ? 0 : end - at;
    }
    return 0;
}

/* Bytes of "n't" at s[at] where a word ends behind it, or 0. */
static size_t negation_at(struct str s, size_t at)
{
    uint32_t code;
    if (at + 3 > s.len || (s.ptr[at] | 0x20) != 'n') {
        return 0;
    }
    size_t n = rules_code_at(s, at + 1, &code);
    if (!is_apostrophe(code) || at + 1 + n >= s.len || (s.ptr[at + 1 + n] | 0x20) != 't') {
        return 0;
    }
    size_t end = at + 2 + n;
    if (end < s.len) {
        (void)rules_code_at(s, end, &code);
        enum glyph after = glyph_of(code);
        return is_wordly(after) || after == GLYPH_EXTEND ? 0 : end - at;
    }
    return end - at;
}

/* Goes on with a word of letters, digits and connectors of which the first ends
 * at `at` and was a last; returns where it ends. */
static size_t scan_wordly(struct str text, size_t at, enum glyph last, struct rules_word *w)
{
    while (at < text.len) {
        uint32_t code, next;
        size_t n = rules_code_at(text, at, &code);
        enum glyph c = glyph_of(code);
        if (is_wordly(c)) {
            if ((code | 0x20U) == 'n' && last == GLYPH_LETTER && negation_at(text, at) > 0) {
                break;
            }
            last = c;
            w->alpha |= c == GLYPH_LETTER;
        } else if (c == GLYPH_OTHER && at + n < text.len) {
            size_t m = rules_code_at(text, at + n, &next);
            enum glyph after = glyph_of(next);
            if (!joins(last, code, after) || (is_apostrophe(code) && clitic_at(text, at) > 0)) {
                break;
            }
            w->chars++;
            w->alpha |= after == GLYPH_LETTER;
            n += m;
            last = after;
        } else if (c != GLYPH_EXTEND) {
            break;
        }
        w->chars++;
        at += n;
    }
    return at;
}

/* Where the address ends whose scheme stands before `at` ("://" follows), or
 * `at`: at white space, a bracket or a quote, without the stops before. */
static size_t scan_address(struct str text, size_t at, struct rules_word *w)
{
    if (at + 3 >= text.len || memcmp(text.ptr + at, "://", 3) != 0) {
        return at;
    }
    size_t end = at, kept = at, chars = 0, kept_chars = 0;
    while (end < text.len) {
        uint32_t code;
        size_t n = rules_code_at(text, end, &code);
        if (glyph_of(code) == GLYPH_SPACE || (code < 0x80 && strchr("<>\"'()[]{}", (int)code))) {
            break;
        }
        end += n;
        chars++;
        if (code >= 0x80 || !strchr(".,;:!?", (int)code)) {
            kept = end;
            kept_chars = chars;
        }
    }
    if (kept <= at + 3) { /* nothing but the scheme */
        return at;
    }
    w->chars += (uint32_t)kept_chars;
    return kept;
}

/* Goes on with a word of its own that began with first, which may repeat. */
static size_t scan_other(struct str text, size_t at, uint32_t first, bool repeats,
                         struct rules_word *w)
{
    while (at < text.len) {
        uint32_t code;
        size_t n = rules_code_at(text, at, &code);
        if (glyph_of(code) == GLYPH_EXTEND) {
            repeats = false; /* a dressed code point equals no bare one */
            w->symbol &= rules_is_symbol(code);
        } else if (!repeats || code != first) {
            break;
        }
        w->chars++;
        at += n;
    }
    return at;
}

static bool all_symbols(struct str s)
{
    uint32_t code;
    for (size_t at = 0; at < s.len;) {
        at += rules_code_at(s, at, &code);
        if (!rules_is_symbol(code)) {
            return false;
        }
    }
    return true;
}

/* Whether a word ends just before at. */
static bool follows_word(struct str text, size_t at)
{
    uint32_t code = rules_last_code(str_sub(text, 0, at));
    return at > 0 && is_wordly(glyph_of(code));
}

bool rules_words_next(struct str text, size_t *at, struct rules_word *word)
{
    while (*at < text.len) {
        uint32_t code;
        size_t start = *at, clitic = 0;
        size_t n = rules_code_at(text, start, &code);
        enum glyph c = glyph_of(code);
        *at += n;
        if (c == GLYPH_SPACE) {
            continue;
        }
        *word = (struct rules_word){.start = (uint32_t)start, .chars = 1};
        if (is_wordly(c)) {
            word->alpha = c == GLYPH_LETTER;
            *at = scan_wordly(text, *at, c, word);
            *at = word->alpha ? scan_address(text, *at, word) : *at;
            word->symbol = !word->alpha && all_symbols(str_sub(text, start, *at));
        } else if (is_apostrophe(code) && follows_word(text, start) &&
                   (clitic = clitic_at(text, start)) > 0) {
            *at = start + clitic;
            word->alpha = true;
            word->chars = (uint32_t)(1 + clitic - n);
        } else {
            word->alpha = c == GLYPH_ALONE;
            word->symbol = rules_is_symbol(code);
            *at = scan_other(text, *at, code, c == GLYPH_OTHER, word);
        }
        word->bytes = (uint32_t)(*at - start);
        return true;
    }
    return false;
}

static winnow_status grow(struct rules_words *words, struct winnow_error *err)
{
    size_t cap = words->cap == 0 ? 4096 : words->cap * 2;
    void *items = words->items;
    if (!mem_try_grow(&items, words->cap * sizeof *words->items, cap * sizeof *words->items)) {
        words->items = items;
        return error_set(err, WINNOW_E_NOMEM, "no memory for the %zu words of a document", cap);
    }
    words->items = items;
    words->cap = cap;
    return WINNOW_OK;
}

winnow_status rules_words_split(struct rules_words *words, struct str text,
                                struct winnow_error *err)
{
    words->count = 0;
    if (text.len > UINT32_MAX) {
        return error_set(err, WINNOW_E_LIMIT, "a text of %zu bytes is too long for the rules",
                         text.len);
    }
    size_t at = 0;
    struct rules_word word;
    while (rules_words_next(text, &at, &word)) {
        if (words->count == words->cap) {
            TRY(grow(words, err));
        }
        word.hash = hash64(str_sub(text, word.start, word.start + word.bytes), 0);
        words->items[words->count++] = word;
    }
    return WINNOW_OK;
}

void rules_words_release(struct rules_words *words)
{
    mem_free(words->items);
    *words = (struct rules_words){0};
}
