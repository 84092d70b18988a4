/* mime.h -- media types as the WHATWG MIME Sniffing Standard reads them. */
#ifndef WINNOW_PAGES_MIME_H
#define WINNOW_PAGES_MIME_H

#include "base/str.h"

/* The value of a Content-Type field taken apart: "text/html; charset=x".  Of
 * several types in a list the last counts that is one.  Empty where nothing is
 * said; views of value. */
void mime_parse(struct str value, struct str *mime, struct str *charset);

/* Whether two media types are the same but for case. */
bool mime_is(struct str mime, const char *type);

/* Whether bytes without a type begin as HTML does. */
bool mime_sniffs_html(struct str bytes);

#endif /* WINNOW_PAGES_MIME_H */
