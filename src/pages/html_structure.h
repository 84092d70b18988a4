/* html_structure.h -- what a page's tags say of its lines, taken down while they
 * are made.
 *
 *     struct html_structure *s = html_structure_new();
 *     html_lines(html, &(struct html_options){.structure = s}, &text, &title);
 *     html_structure_end(s, buf_str(&text), &keep, &structure);
 *
 * A stack of open elements of bounded depth and a list of the runs of text between
 * tags, no tree.  Time and memory are proportional to the page, and bounded whatever it holds:
 * STRUCTURE_LINES_MAX lines, STRUCTURE_NODES_MAX nodes, STRUCTURE_DEPTH_MAX open elements, the
 * first bytes of class and id.  What is past a bound counts as its nearest ancestor within.
 */
#ifndef WINNOW_PAGES_HTML_STRUCTURE_H
#define WINNOW_PAGES_HTML_STRUCTURE_H

#include "corpus/page_structure.h"
#include "pages/main_part.h"

struct html_structure;
struct html_structure *html_structure_new(void);
void html_structure_free(struct html_structure *s); /* NULL is fine */

/* What was taken down of the page whose lines are text, without sums; it lives in keep.  False
 * where the page has more than STRUCTURE_LINES_MAX lines, or twice as many runs of text. */
bool html_structure_end(struct html_structure *s, struct str text, struct arena *keep,
                        struct page_structure *out);

/* Marks the lines of out that begin in an element which a selector for this source names. */
void html_structure_mark_main(const struct html_structure *s,
                              const struct main_selectors *selectors, struct str source,
                              struct arena *scratch, struct page_structure *out);

#endif /* WINNOW_PAGES_HTML_STRUCTURE_H */
