/* secrets.h -- what a server must not be quoted with.
 *
 * Servers and proxies echo what they were sent: a key in "invalid key ...", an
 * address in a page of their own.  What they say goes into messages, stores and
 * reports, so the secrets that were sent are looked for in it first, as they are,
 * percent-decoded and, for a proxy's password, in base64 (as HTTP sends it).
 */
#ifndef WINNOW_REMOTE_SECRETS_H
#define WINNOW_REMOTE_SECRETS_H

#include "base/buf.h"
#include "base/str.h"

#define SECRETS_MAX 48U

/* All-zero is none. */
struct secrets {
    struct buf items[SECRETS_MAX];
    bool sure[SECRETS_MAX];
    size_t count;
};

/* key: NULL for none; proxy: NULL for none. */
void secrets_add_server(struct secrets *s, const char *key, const char *url, const char *proxy);
void secrets_release(struct secrets *s);

enum secrets_which {
    SECRETS_ALL, /* every value of a query, too: for messages */
    SECRETS_SURE /* keys and passwords of eight bytes and more: for answers, whose text counts */
};

/* Appends text with "***" in their places. */
void secrets_hide(const struct secrets *s, struct str text, enum secrets_which which,
                  struct buf *out);

bool secrets_within(const struct secrets *s, struct str text);

#endif /* WINNOW_REMOTE_SECRETS_H */
