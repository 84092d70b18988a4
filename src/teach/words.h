/* words.h -- a text as the pieces by which two texts are laid beside each other.
 *
 * A piece is a run of ASCII letters, digits and other characters below U+2E80
 * that are not ASCII; a character from there on (Han, kana, Hangul, emoji); or
 * any other ASCII character that is not white space, by itself.
 * Pieces of equal bytes get equal numbers.
 */
#ifndef WINNOW_TEACH_WORDS_H
#define WINNOW_TEACH_WORDS_H

#include "base/map.h"

/* Takes the next piece off text from *at on; false at the end. */
bool words_next(struct str text, size_t *at, struct str *piece);

/* Characters (code points) that are no ASCII white space: how much text it is. */
uint64_t words_chars(struct str text);

/* Whether there is a letter or digit, or any character that is not ASCII. */
bool words_any(struct str text);

/* The number of a piece, a line or the like; equal texts have equal numbers. */
uint32_t words_number(struct map *numbers, struct str text);

#endif /* WINNOW_TEACH_WORDS_H */
