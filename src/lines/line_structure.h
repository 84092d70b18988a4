/* line_structure.h -- what the line model sees of a page's tags.
 *
 * Of each line with a row in the page's structure (corpus/page_structure.h):
 *
 *   - LINE_STRUCTURE numbers of about 0..1: shares of link, text and long text of the elements
 *     around it, its place among siblings and in regard to the deepest element with most of the
 *     long text and to the densest container, how lines with the same path of tags and classes
 *     look, which semantic elements it stands in and how far up, the path to its neighbours;
 *   - hashed tokens in two groups: words of class, id and role of the elements around it, near and
 *     far; tags of these and their combinations.
 *
 * A line without a row has zeros and no tokens: what a page without tags has on all.
 * Changing any of it means a new LINE_FEATURES_VERSION.
 */
#ifndef WINNOW_LINES_LINE_STRUCTURE_H
#define WINNOW_LINES_LINE_STRUCTURE_H

#include "base/arena.h"
#include "lines/structure_page.h"

#define LINE_STRUCTURE        128U
#define LINE_STRUCTURE_GROUPS 2U

struct line_structure {
    size_t first, count;    /* rows of the page's structure */
    float *dense;           /* count x LINE_STRUCTURE */
    const uint32_t *tokens; /* of all rows: group after group, row after row */
    const uint32_t *ends;   /* count x LINE_STRUCTURE_GROUPS: where a group ends in tokens */
};

/* Features of the rows first .. first + count - 1 of a page; tokens are hashed to
 * 0..rows-1, rows being a power of two.  Everything lives in keep. */
void line_structure_build(const struct page_elements *page, size_t first, size_t count,
                          uint32_t rows, struct arena *keep, struct line_structure *out);

#endif /* WINNOW_LINES_LINE_STRUCTURE_H */
