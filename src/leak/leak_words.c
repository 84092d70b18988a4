/* leak_words.c -- texts to words; ASCII by a table, all else by utf8proc. */
#include "leak/leak_words.h"

#include "base/grow.h"
#include "base/mem.h"
#include "base/rng.h"
#include "base/utf8.h"

#include <utf8proc.h>

#define FACTOR         UINT64_C(0xD6E8FEB86659FD93)
#define START          UINT64_C(0x2545F4914F6CDD1D)
#define DECOMPOSED_MAX 32 /* code points that one becomes; 18 is the most there is */

/* 0 separates, APOSTROPHE vanishes, WIDE begins a code point past ASCII. */
enum { APOSTROPHE = 1, WIDE = 2 };

static const unsigned char ASCII[128] = {
    ['\''] = APOSTROPHE, ['0'] = '0', ['1'] = '1', ['2'] = '2', ['3'] = '3', ['4'] = '4',
    ['5'] = '5',         ['6'] = '6', ['7'] = '7', ['8'] = '8', ['9'] = '9', ['a'] = 'a',
    ['b'] = 'b',         ['c'] = 'c', ['d'] = 'd', ['e'] = 'e', ['f'] = 'f', ['g'] = 'g',
    ['h'] = 'h',         ['i'] = 'i', ['j'] = 'j', ['k'] = 'k', ['l'] = 'l', ['m'] = 'm',
    ['n'] = 'n',         ['o'] = 'o', ['p'] = 'p', ['q'] = 'q', ['r'] = 'r', ['s'] = 's',
    ['t'] = 't',         ['u'] = 'u', ['v'] = 'v', ['w'] = 'w', ['x'] = 'x', ['y'] = 'y',
    ['z'] = 'z',

    ['A'] = 'a',         ['B'] = 'b', ['C'] = 'c', ['D'] = 'd', ['E'] = 'e', ['F'] = 'f',
    ['G'] = 'g',         ['H'] = 'h', ['I'] = 'i', ['J'] = 'j', ['K'] = 'k', ['L'] = 'l',
    ['M'] = 'm',         ['N'] = 'n', ['O'] = 'o', ['P'] = 'p', ['Q'] = 'q', ['R'] = 'r',
    ['S'] = 's',         ['T'] = 't', ['U'] = 'u', ['V'] = 'v', ['W'] = 'w', ['X'] = 'x',
    ['Y'] = 'y',         ['Z'] = 'z',
};

struct split {
    struct leak_words *words;
    uint64_t hash;
    uint32_t start, end;
    bool open;
};

static void close_word(struct split *s)
{
    if (s->open) {
        struct leak_words *w = s->words;
        GROW(w->items, w->count, w->cap, 256);
        w->items[w->count++] =
            (struct leak_word){.hash = rng_mix(s->hash), .start = s->start, .end = s->end};
        s->open = false;
    }
}

static void add_code(struct split *s, uint32_t code, size_t start, size_t end)
{
    if (!s->open) {
        s->open = true;
        s->hash = START;
        s->start = (uint32_t)start;
    }
    s->hash = (s->hash ^ code) * FACTOR;
    s->end = (uint32_t)end;
}

static bool stands_alone(uint32_t c)
{
    return (c >= 0x0E00 && c <= 0x0EFF) || (c >= 0x1000 && c <= 0x109F) ||
           (c >= 0x1780 && c <= 0x17FF) || (c >= 0x3040 && c <= 0x30FF) ||
           (c >= 0x3400 && c <= 0x4DBF) || (c >= 0x4E00 && c <= 0x9FFF) ||
           (c >= 0xF900 && c <= 0xFAFF) || (c >= 0x20000 && c <= 0x3FFFF);
}

static bool is_wordly(uint32_t c)
{
    utf8proc_category_t k = utf8proc_category((utf8proc_int32_t)c);
    return (k >= UTF8PROC_CATEGORY_LU && k <= UTF8PROC_CATEGORY_LO) ||
           (k >= UTF8PROC_CATEGORY_ND && k <= UTF8PROC_CATEGORY_NO);
}

static bool is_mark(uint32_t c)
{
    utf8proc_category_t k = utf8proc_category((utf8proc_int32_t)c);
    return (k >= UTF8PROC_CATEGORY_MN && k <= UTF8PROC_CATEGORY_ME) || k == UTF8PROC_CATEGORY_CF;
}

/* A code point past ASCII at start..end. */
static void add_wide(struct split *s, uint32_t code, size_t start, size_t end)
{
    utf8proc_int32_t plain[DECOMPOSED_MAX];
    int boundary = 0;
    if (code == 0x2019 || code == 0x02BC || is_mark(code)) {
        s->end = s->open ? (uint32_t)end : s->end;
        return;
    }
    utf8proc_ssize_t n = utf8proc_decompose_char(
        (utf8proc_int32_t)code, plain, DECOMPOSED_MAX,
        UTF8PROC_COMPAT | UTF8PROC_DECOMPOSE | UTF8PROC_CASEFOLD | UTF8PROC_STRIPMARK, &boundary);
    if (n < 1 || n > DECOMPOSED_MAX || !is_wordly(code)) {
        close_word(s);
        return;
    }
    for (utf8proc_ssize_t i = 0; i < n; i++) {
        uint32_t c = (uint32_t)plain[i];
        if (stands_alone(c)) {
            close_word(s);
        }
        if (is_wordly(c)) {
            add_code(s, c, start, end);
        }
        if (stands_alone(c)) {
            close_word(s);
        }
    }
}

/* One word or gap of ASCII from `at` on, in a loop of its own: it is nearly all there is. */
static size_t add_ascii(struct split *s, struct str text, size_t at)
{
    uint64_t hash = s->open ? s->hash : START;
    size_t first = at;
    while (at < text.len) {
        unsigned char c = (unsigned char)text.ptr[at];
        unsigned char k = c < 128 ? ASCII[c] : WIDE;
        if (k <= WIDE) {
            break;
        }
        hash = (hash ^ k) * FACTOR;
        at++;
    }
    if (at > first) {
        s->start = s->open ? s->start : (uint32_t)first;
        s->open = true;
        s->hash = hash;
        s->end = (uint32_t)at;
    }
    return at;
}

winnow_status leak_words_split(struct leak_words *words, struct str text, struct winnow_error *err)
{
    struct split s = {.words = words};
    words->count = 0;
    if (text.len >= UINT32_MAX) {
        return error_set(err, WINNOW_E_LIMIT, "a text of %zu bytes: 4 GiB are the most", text.len);
    }
    for (size_t at = 0; at < text.len;) {
        at = add_ascii(&s, text, at);
        if (at == text.len) {
            break;
        }
        unsigned char c = (unsigned char)text.ptr[at];
        if (c < 128) {
            if (ASCII[c] != APOSTROPHE) {
                close_word(&s);
            }
            at++;
            continue;
        }
        uint32_t code;
        size_t n = utf8_decode(text, at, &code);
        if (n == 0) { /* no UTF-8: what is no letter */
            close_word(&s);
            at++;
            continue;
        }
        add_wide(&s, code, at, at + n);
        at += n;
    }
    close_word(&s);
    return WINNOW_OK;
}

void leak_words_release(struct leak_words *words)
{
    mem_free(words->items);
    *words = (struct leak_words){0};
}
