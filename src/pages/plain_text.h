/* plain_text.h -- the visible lines of text and Markdown files. */
#ifndef WINNOW_PAGES_PLAIN_TEXT_H
#define WINNOW_PAGES_PLAIN_TEXT_H

#include "base/buf.h"

/* Appends s (UTF-8) with '\n' as line end whatever it had, without control
 * characters, space at the ends of lines, blank lines at both ends and more
 * than one blank line in a row.  Markdown also loses its front matter and its
 * comments, and gives its title (front matter, else first heading). */
void plain_text_lines(struct str s, struct buf *text);
void markdown_lines(struct str s, struct buf *text, struct buf *title);

#endif /* WINNOW_PAGES_PLAIN_TEXT_H */
