/* charset.h -- bytes of an unknown or declared charset to UTF-8.
 *
 * In order: a byte order mark; what the HTTP header said; what the page says of
 * itself (<meta>, XML declaration); UTF-8 where the bytes are UTF-8; what
 * uchardet makes of them; windows-1252.  Labels mean what browsers take them for,
 * unknown ones nothing.  Declarations that the bytes disprove are passed over: any
 * other charset for what is UTF-8 beyond ASCII, UTF-8 for bytes without one valid
 * sequence beyond ASCII.  What cannot be converted becomes U+FFFD.
 */
#ifndef WINNOW_PAGES_CHARSET_H
#define WINNOW_PAGES_CHARSET_H

#include "base/buf.h"

/* One a worker: keeps the converter and the detector between pages. */
struct charset;
struct charset *charset_new(void);
void charset_free(struct charset *c);

struct charset_page {
    struct str bytes;
    struct str declared; /* by an outer header; empty where there is none */
    bool markup;         /* look for <meta> and <?xml */
};

/* The page in UTF-8: a view of its own bytes where nothing had to change, else
 * of memory that holds until the next call.  *name is what the charset was taken
 * for: the Encoding Standard's name in lower case, as long valid.  False where the
 * page is in an encoding that browsers refuse to decode (ISO-2022-KR, HZ). */
bool charset_to_utf8(struct charset *c, const struct charset_page *page, struct str *utf8,
                     const char **name);

/* Whether the page may be UTF-16, and NULs in it no sign of a binary file. */
bool charset_may_be_wide(const struct charset_page *page);

#endif /* WINNOW_PAGES_CHARSET_H */
