/* rules_repetition.c -- the repetition rules of Gopher (2112.11446, table A1),
 * as datatrove 0.10.1 defines them.
 *
 * Three kinds of piece: paragraphs (cut at two line feeds or more, of the
 * stripped text), lines (cut at one or more), and n-grams of words.  A piece
 * that was there before counts with all its code points.  For n = 2..4 the most
 * frequent n-gram counts as often as it stands (its words joined by blanks; of
 * several, the one that came first), for n = 5..10 every n-gram that was there
 * before counts without blanks, and the search goes on behind it.
 *
 * n-grams are compared by hash.  With word hashes h and an odd base B, prefixes
 * P[i+1] = P[i] B + h[i] modulo 2^64 give the hash of words i..i+n-1 as
 * P[i+n] - P[i] B^n, so each n costs one table access a word.  If no n-gram
 * comes twice then no longer one does, and the rest is 0 without looking. */
#include "base/hash.h"
#include "rules/rules_internal.h"
#include "rules/rules_unicode.h"

#define BASE 0x9DDFEA08EB382D69U

struct repeats {
    size_t pieces, chars; /* that were there before */
    size_t total;
};

static void count_piece(struct rules_gauge *g, struct repeats *r, struct str piece)
{
    const struct rules_count_entry *e = rules_count_add(&g->count, hash64(piece, 0), r->total);
    r->total++;
    if (e->times > 1) {
        r->pieces++;
        r->chars += rules_length(piece);
    }
}

/* Pieces between runs of at least least_feeds line feeds. */
static winnow_status count_pieces(struct rules_gauge *g, struct str text, size_t least_feeds,
                                  struct repeats *r, struct winnow_error *err)
{
    size_t feeds = 0;
    for (size_t i = 0; i < text.len; i++) {
        feeds += text.ptr[i] == '\n';
    }
    TRY(rules_count_start(&g->count, feeds + 1, err));
    size_t start = 0;
    for (size_t at = 0; at < text.len;) {
        const char *feed = memchr(text.ptr + at, '\n', text.len - at);
        if (!feed) {
            break;
        }
        size_t first = (size_t)(feed - text.ptr);
        for (at = first; at < text.len && text.ptr[at] == '\n'; at++) {
        }
        if (at - first >= least_feeds) {
            count_piece(g, r, str_sub(text, start, first));
            start = at;
        }
    }
    count_piece(g, r, str_sub(text, start, text.len));
    return WINNOW_OK;
}

/* base^n modulo 2^64. */
static uint64_t power(uint64_t base, size_t n)
{
    uint64_t p = 1;
    for (size_t i = 0; i < n; i++) {
        p *= base;
    }
    return p;
}

/* Code points of words i..i+n-1. */
static size_t gram_chars(const struct rules_words *words, size_t i, size_t n)
{
    size_t chars = 0;
    for (size_t k = i; k < i + n; k++) {
        chars += words->items[k].chars;
    }
    return chars;
}

static winnow_status top_gram(struct rules_gauge *g, size_t n, size_t *chars,
                              struct winnow_error *err)
{
    const struct rules_words *words = &g->words;
    *chars = 0;
    if (words->count < n) {
        return WINNOW_OK;
    }
    TRY(rules_count_start(&g->count, words->count - n + 1, err));
    uint64_t scale = power(BASE, n), hash = 0, times = 0, first = 0;
    for (size_t i = 0; i < words->count; i++) {
        hash = hash * BASE + words->items[i].hash - (i >= n ? words->items[i - n].hash * scale : 0);
        if (i + 1 < n) {
            continue;
        }
        const struct rules_count_entry *e = rules_count_add(&g->count, hash, i + 1 - n);
        if (e->times > times || (e->times == times && e->first < first)) {
            times = e->times;
            first = e->first;
        }
    }
    *chars = (gram_chars(words, first, n) + n - 1) * times;
    return WINNOW_OK;
}

static winnow_status repeated_grams(struct rules_gauge *g, size_t n, size_t *chars,
                                    struct winnow_error *err)
{
    const struct rules_words *words = &g->words;
    *chars = 0;
    if (words->count < n) {
        return WINNOW_OK;
    }
    TRY(rules_count_start(&g->count, words->count - n + 1, err));
    uint64_t scale = power(BASE, n), hash = 0;
    size_t next = 0; /* n-grams that start before it overlap one that counted */
    for (size_t i = 0; i < words->count; i++) {
        hash = hash * BASE + words->items[i].hash - (i >= n ? words->items[i - n].hash * scale : 0);
        if (i + 1 < next + n) {
            continue;
        }
        size_t start = i + 1 - n;
        const struct rules_count_entry *e = rules_count_add(&g->count, hash, start);
        if (e->times > 1) {
            *chars += gram_chars(words, start, n);
            next = start + n;
        }
    }
    return WINNOW_OK;
}

winnow_status rules_repetition(struct rules_gauge *g, double values[RULES_VALUES],
                               struct winnow_error *err)
{
    double chars = (double)g->chars;
    for (int v = REPETITION_CHARS; v <= REPETITION_DUP_10_GRAM; v++) {
        values[v] = 0;
    }
    values[REPETITION_CHARS] = chars;
    if (g->chars == 0) {
        return WINNOW_OK;
    }
    struct repeats paragraphs = {0}, lines = {0};
    TRY(count_pieces(g, rules_strip_end(rules_strip_start(g->text)), 2, &paragraphs, err));
    TRY(count_pieces(g, g->text, 1, &lines, err));
    values[REPETITION_PARAGRAPHS] = (double)paragraphs.pieces / (double)paragraphs.total;
    values[REPETITION_PARAGRAPH_CHARS] = (double)paragraphs.chars / chars;
    values[REPETITION_LINES] = (double)lines.pieces / (double)lines.total;
    values[REPETITION_LINE_CHARS] = (double)lines.chars / chars;
    size_t found;
    for (size_t n = 2; n <= 4; n++) {
        TRY(top_gram(g, n, &found, err));
        values[REPETITION_TOP_2_GRAM + (n - 2)] = (double)found / chars;
    }
    for (size_t n = 5; n <= 10; n++) {
        TRY(repeated_grams(g, n, &found, err));
        if (found == 0) {
            break;
        }
        values[REPETITION_DUP_5_GRAM + (n - 5)] = (double)found / chars;
    }
    return WINNOW_OK;
}
