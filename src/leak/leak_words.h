/* leak_words.h -- a text as the words by which texts are compared.
 *
 * A word is letters and digits (Unicode categories L and N) that follow each other, in
 * lower case (full case folding), in compatibility form and without marks: "Ⅸ", "É" and
 * "é" are "ix", "e" and "e".  Apostrophes vanish ("don't" is "dont"); everything else
 * stands between words and counts for nothing.  A code point of a script that is written
 * without spaces (Han, Kana, Thai, Lao, Khmer, Myanmar) is a word of its own.
 *
 * Words are known by 64-bit hashes, runs of n words ("grams") by a polynomial over them,
 * so that the next gram of a text costs two products.
 */
#ifndef WINNOW_LEAK_LEAK_WORDS_H
#define WINNOW_LEAK_LEAK_WORDS_H

#include "base/error.h"
#include "base/str.h"

struct leak_word {
    uint64_t hash;
    uint32_t start, end; /* bytes of the text */
};

/* All-zero is empty; used again for text after text. */
struct leak_words {
    struct leak_word *items;
    size_t count, cap;
};

/* Replaces what words holds.  WINNOW_E_LIMIT for texts of 4 GiB and more. */
winnow_status leak_words_split(struct leak_words *words, struct str text, struct winnow_error *err);
void leak_words_release(struct leak_words *words);

/* A gram that moves along. */
struct leak_roll {
    uint64_t value, top; /* top: the base to the power n - 1 */
};
#define LEAK_BASE UINT64_C(0x9E3779B97F4A7C15)

static inline struct leak_roll leak_roll_start(uint32_t n)
{
    struct leak_roll r = {0, 1};
    for (uint32_t i = 1; i < n; i++) {
        r.top *= LEAK_BASE;
    }
    return r;
}

/* Takes a word in; the one that was taken in n words before goes out by leak_roll_out(). */
static inline void leak_roll_in(struct leak_roll *r, uint64_t word)
{
    r->value = r->value * LEAK_BASE + word;
}

static inline void leak_roll_out(struct leak_roll *r, uint64_t word)
{
    r->value -= word * r->top;
}

#endif /* WINNOW_LEAK_LEAK_WORDS_H */
