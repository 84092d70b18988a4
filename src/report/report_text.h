/* report_text.h -- text for HTML: escaping, and numbers as people read them.
 *
 * Everything that comes from a run folder is written by html_str() or
 * html_text(); only the report's own markup goes into the buffer as it is.
 */
#ifndef WINNOW_REPORT_REPORT_TEXT_H
#define WINNOW_REPORT_REPORT_TEXT_H

#include "base/buf.h"

/* Appends s so that it is text in any element and in any quoted attribute:
 * & < > " ' become references; control characters other than tab and newline
 * become the pictures of Unicode's block 2400; ill-formed UTF-8 becomes U+FFFD. */
void html_str(struct buf *out, struct str s);
void html_text(struct buf *out, const char *text);

/* The first code_points_max code points of s, escaped, with an ellipsis where
 * there was more. */
void html_excerpt(struct buf *out, struct str s, size_t code_points_max);

/* Numbers; all write an en dash for NaN. */
struct number {
    char text[40];
};
struct number number_count(double v);              /* 12,345 */
struct number number_short(double v);              /* 1.23M */
struct number number_tick(double v);               /* the same without zeros at its end: 20k */
struct number number_bytes(double v);              /* 12.3 MB */
struct number number_real(double v, int decimals); /* -1.234 with a true minus sign */
struct number number_signed(double v, int decimals);
struct number number_share(double v); /* 43.2 % */
struct number number_flops(double v); /* 3.1 x 10^12, with superscript digits */
struct number number_seconds(double v);

#endif /* WINNOW_REPORT_REPORT_TEXT_H */
