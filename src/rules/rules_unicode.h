/* rules_unicode.h -- what the filters ask about a code point, and lines.
 *
 * White space and line ends are those of Python's str methods (isspace, strip,
 * splitlines), in which the field's filters were written. */
#ifndef WINNOW_RULES_RULES_UNICODE_H
#define WINNOW_RULES_RULES_UNICODE_H

#include "base/str.h"

/* The code point at s[at] and its length in bytes; a byte that is not UTF-8 is
 * one U+FFFD. */
size_t rules_code_at(struct str s, size_t at, uint32_t *code);

bool rules_is_space(uint32_t code);

/* A character of which no word is made: ASCII punctuation and controls, common
 * CJK punctuation and quotes (the set that CCNet strips), sentence ends. */
bool rules_is_symbol(uint32_t code);

/* Unicode's Sentence_Terminal: . ! ? and their like in other scripts. */
bool rules_is_terminal(uint32_t code);

/* Code points in s, ill-formed bytes counting one each. */
size_t rules_length(struct str s);

/* Without white space at the start, at the end. */
struct str rules_strip_start(struct str s);
struct str rules_strip_end(struct str s);

/* Takes the next line off *rest, as str.splitlines() cuts: at \n, \r, \r\n,
 * \v, \f, U+001C..001E, U+0085, U+2028 and U+2029.  False at the end. */
bool rules_next_line(struct str *rest, struct str *line);

/* Takes the next run of other than white space off *rest (str.split()). */
bool rules_next_piece(struct str *rest, struct str *piece);

/* The last code point of s, or 0 where s is empty. */
uint32_t rules_last_code(struct str s);

#endif /* WINNOW_RULES_RULES_UNICODE_H */
