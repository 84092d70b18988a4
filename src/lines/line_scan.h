/* line_scan.h -- one pass over a line: its words, counts and shape. */
#ifndef WINNOW_LINES_LINE_SCAN_H
#define WINNOW_LINES_LINE_SCAN_H

#include "lines/line_features.h"

#define LINE_WORDS (LINE_HEAD + LINE_TAIL)

struct line_word {
    uint32_t hash, prefix, suffix;
    bool stop; /* one of the commonest words of English */
    bool capital;
};

/* What a byte can be. */
enum byte_kind {
    BYTE_SPACE,
    BYTE_LOWER,
    BYTE_UPPER,
    BYTE_DIGIT,
    BYTE_PUNCT,
    BYTE_KINDS,
};

struct line_scan {
    struct line_word words[LINE_WORDS]; /* the first LINE_HEAD, then the last ones, in order */
    uint32_t shown;                     /* of them */
    uint32_t word_count;                /* in the whole line */
    uint32_t stop_count, capital_count;
    uint32_t bytes, indent;
    uint32_t kinds[BYTE_KINDS];
    uint32_t high; /* bytes past ASCII */
    uint32_t commas, bars, quotes, parens, braces, code, money;
    bool at_sign, link, copyright;
    char first, last; /* not white space; quotes and brackets at the end passed over */
    bool ellipsis;
    uint32_t hash;  /* of the words, digits alike */
    uint32_t shape; /* of the kinds of its first bytes, runs being one */
};

void line_scan(struct str line, struct line_scan *out);

/* Spreads a hash over all bits. */
static inline uint32_t line_mix(uint32_t h)
{
    h ^= h >> 16;
    h *= 0x7FEB352DU;
    h ^= h >> 15;
    h *= 0x846CA68BU;
    return h ^ (h >> 16);
}

#endif /* WINNOW_LINES_LINE_SCAN_H */
