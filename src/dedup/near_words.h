/* near_words.h -- a text as the words by which near-copies are found.
 *
 * The words are, in the main, those of datatrove's MinHash (FineWeb), which lower-cases,
 * takes off diacritics, makes 0 of every number and white space of all punctuation:
 *
 *   - Letters, marks and digits that follow each other are a word; all else separates.
 *   - Letters are case-folded and decomposed (NFD), marks that do not space (Mn) dropped.
 *     Hangul syllables stay whole.
 *   - A run of decimal digits, with . or , between digits, is one "0"; or digits are letters,
 *     where numbers count.
 *   - Each Han, Hiragana, Katakana, Thai, Lao, Khmer and Myanmar code point is a word of its
 *     own: these scripts write no spaces, and no dictionary is asked.
 *
 * A shingle is n words in a row, as they stand there joined by one space, and its hash is the
 * XXH3 of these bytes.  A text of fewer than n words is one shingle; one without words none.
 */
#ifndef WINNOW_DEDUP_NEAR_WORDS_H
#define WINNOW_DEDUP_NEAR_WORDS_H

#include "base/buf.h"
#include "base/error.h"

/* What becomes of each code point; some 256 KB, read by all threads. */
struct near_alphabet;
struct near_alphabet *near_alphabet_new(bool numbers_count);
void near_alphabet_free(struct near_alphabet *a);

/* All-zero is empty; used again for text after text. */
struct near_words {
    struct buf text;  /* the words, each with a space behind it */
    uint32_t *starts; /* of the words in text, and one more for the end */
    size_t count, cap;
};

/* Replaces what words holds.  WINNOW_E_LIMIT for texts of 1 GiB and more. */
winnow_status near_words_split(const struct near_alphabet *a, struct str text,
                               struct near_words *words, struct winnow_error *err);
void near_words_release(struct near_words *words);

/* How many shingles of n words there are, and the i-th of them as bytes. */
size_t near_words_shingles(const struct near_words *words, uint32_t n);
struct str near_words_shingle(const struct near_words *words, uint32_t n, size_t i);

#endif /* WINNOW_DEDUP_NEAR_WORDS_H */
