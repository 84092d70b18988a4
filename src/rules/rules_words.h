/* rules_words.h -- a text as a sequence of words.
 *
 * The one rule by which the filters count words, in any script:
 *
 *   - White space separates and belongs to no word.
 *   - Letters, digits and connectors (categories L, N, Pc) form a word together
 *     as long as they follow each other; but every Han, Hiragana, Thai, Lao,
 *     Khmer or Myanmar code point is a word of its own, since these scripts
 *     write no spaces.
 *   - Between two of them, . @ & and U+00B7 belong to the word ("e.g", "a@b");
 *     between two letters an apostrophe (U+0027, U+2019) does, between two
 *     digits an apostrophe and , : / do ("o'clock", "3.14", "12:30").
 *   - English clitics are words of their own, as in the Penn Treebank: 's 'm 'd
 *     're 've 'll and n't at the end of a word ("does" "n't").
 *   - Letters with :// behind them begin an address: one word up to white space,
 *     a bracket or a quote, without the stops at its end.
 *   - Marks, format and control characters (M, Cf, Cc) belong to what they
 *     follow.
 *   - Anything else is a word too, by itself, equal ones in a row together
 *     ("...", "--", "("): the filters' shares count punctuation as words.
 *
 * This is Unicode's word segmentation (UAX 29) in its main lines, with what
 * tokenizers of English do beyond it.
 */
#ifndef WINNOW_RULES_RULES_WORDS_H
#define WINNOW_RULES_RULES_WORDS_H

#include "base/error.h"
#include "base/str.h"

struct rules_word {
    uint64_t hash;         /* XXH3 of its bytes */
    uint32_t start, bytes; /* in the text */
    uint32_t chars;        /* code points */
    bool alpha;            /* has a letter */
    bool symbol;           /* has nothing but symbols (rules_is_symbol) */
};

/* All-zero is empty; used again for text after text. */
struct rules_words {
    struct rules_word *items;
    size_t count, cap;
};

/* Replaces what words holds.  WINNOW_E_LIMIT for texts of 4 GiB and more. */
winnow_status rules_words_split(struct rules_words *words, struct str text,
                                struct winnow_error *err);
void rules_words_release(struct rules_words *words);

/* Takes the next word off text from *at on; false at the end.  hash is not set. */
bool rules_words_next(struct str text, size_t *at, struct rules_word *word);

#endif /* WINNOW_RULES_RULES_WORDS_H */
