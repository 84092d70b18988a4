/* html.h -- the visible lines of an HTML page.
 *
 * One line for each piece of text between block boundaries, white space
 * collapsed, no blank lines; <pre> keeps its own lines and spaces.  Scripts,
 * styles, templates, comments, drawings, <noscript> and the head are gone;
 * character references are resolved.  Style sheets are not evaluated: what only
 * CSS hides counts as visible.
 */
#ifndef WINNOW_PAGES_HTML_H
#define WINNOW_PAGES_HTML_H

#include "base/buf.h"
#include "pages/html_structure.h"

struct html_options {
    bool rows; /* a table row is one line, " | " between cells; else each cell is a line */
    bool xml;  /* XHTML that is read as XML: CDATA sections are text, <x/> has no content */
    struct html_structure *structure; /* takes down what the tags say of the lines; NULL: nobody */
};

/* Appends the lines of html, which must be UTF-8 (charset.h), to text, '\n'
 * between them and none at the end, and the first <title> to title.  Takes any
 * bytes, in time proportional to them, with no memory but the two buffers (and the structure's). */
void html_lines(struct str html, const struct html_options *opt, struct buf *text,
                struct buf *title);

#endif /* WINNOW_PAGES_HTML_H */
