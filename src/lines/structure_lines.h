/* structure_lines.h -- the numbers and the tokens of one line (line_structure.h). */
#ifndef WINNOW_LINES_STRUCTURE_LINES_H
#define WINNOW_LINES_STRUCTURE_LINES_H

#include "lines/line_structure.h"

/* Writes LINE_STRUCTURE numbers; of a line without a row none. */
void structure_line_numbers(const struct page_elements *p, size_t line, float *out);

/* Tokens of one line at most. */
#define STRUCTURE_TOKENS_MAX 96U

/* Writes the line's tokens, group after group, and returns how many; ends: of each group. */
size_t structure_line_tokens(const struct page_elements *p, size_t line, uint32_t rows,
                             uint32_t *out, uint32_t ends[LINE_STRUCTURE_GROUPS]);

#endif /* WINNOW_LINES_STRUCTURE_LINES_H */
