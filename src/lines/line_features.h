/* line_features.h -- what the line model sees of a page.
 *
 * A page is cut at "\n".  Lines without a letter or digit are not shown to the
 * model.  Of each other line it sees
 *
 *   - hashed n-grams in three groups, each an index into one table of vectors:
 *     words; pairs of neighbouring words; the first and last three bytes of
 *     words and the line's shape.  Of a line of more than LINE_HEAD + LINE_TAIL
 *     words only the first LINE_HEAD and the last LINE_TAIL are read for these;
 *   - where the page's structure is known, two groups more and LINE_STRUCTURE numbers
 *     (line_structure.h);
 *   - LINE_DENSE numbers of about 0..1: length, characters, punctuation, case,
 *     stop words, place in the page, how often the line (digits aside) and its
 *     shape recur in the page, how many of its words the page's first line and
 *     its long lines share, and what kind of page it is.
 *
 * Digits are all alike and letters are folded to lower case (ASCII only).
 * The functions are deterministic and the same on every machine; changing them
 * means a new LINE_FEATURES_VERSION, which model files name.
 */
#ifndef WINNOW_LINES_LINE_FEATURES_H
#define WINNOW_LINES_LINE_FEATURES_H

#include "base/arena.h"
#include "lines/line_structure.h"

#define LINE_FEATURES_VERSION 2U
#define LINE_DENSE            64U
#define LINE_TEXT_GROUPS      3U
#define LINE_GROUPS           (LINE_TEXT_GROUPS + LINE_STRUCTURE_GROUPS)
#define LINE_HEAD             24U
#define LINE_TAIL             8U

/* Lines that are looked at together; the caller reads a longer page in parts. */
#define LINE_PART_MAX 8192U
/* Of the tables that a page takes while its features are made. */
#define LINE_PAGE_TABLES ((size_t)16384 * 9 + 64)

struct line_features {
    size_t count;           /* lines */
    float *dense;           /* count x LINE_DENSE */
    float *structure;       /* count x LINE_STRUCTURE; NULL: it is not known */
    const uint32_t *tokens; /* n-grams of all lines: group after group, line after line */
    const uint32_t *ends;   /* count x LINE_GROUPS: where a line's group ends in tokens;
                             * it begins where the one before it ends */
};

/* Does the line hold a letter or digit? */
bool line_has_words(struct str line);

/* Where a line's structure is found: a row of from, counted from its first; from NULL: nowhere. */
struct line_origin {
    const struct line_structure *from;
    size_t row;
};

/* Features of count <= LINE_PART_MAX lines; n-grams are hashed to 0..rows-1,
 * rows being a power of two.  origins NULL: no structure is known.  Everything lives in keep. */
void line_features_build(const struct str *lines, const struct line_origin *origins, size_t count,
                         uint32_t rows, struct arena *keep, struct line_features *out);

#endif /* WINNOW_LINES_LINE_FEATURES_H */
