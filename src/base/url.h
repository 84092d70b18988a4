/* url.h -- addresses without what is secret in them.
 *
 * A password stands before the '@' (userinfo), a key often in the query.  What is
 * shown, logged or kept of an address is url_redact()'s form of it:
 * "http://", three stars, "@host:1/v1?", three stars.
 */
#ifndef WINNOW_BASE_URL_H
#define WINNOW_BASE_URL_H

#include "base/buf.h"
#include "base/error.h"
#include "base/str.h"

/* What url_redact() puts in place of a secret. */
#define URL_REDACTED "***"

struct url_parts {
    struct str scheme;   /* "http", or empty */
    struct str userinfo; /* "user:password", or empty */
    struct str host;     /* "host:8000" */
    struct str path;     /* "/v1", or empty */
    struct str query;    /* behind '?', without a fragment */
    bool has_userinfo, has_query;
};

/* Takes any text apart; parts are views into it. */
void url_split(struct str url, struct url_parts *out);

void url_redact(struct str url, struct buf *out);

/* Whether url_redact() hides something. */
bool url_has_secret(struct str url);

/* Appends text with the userinfo ("scheme://...@") and the query of every address in it hidden:
 * for messages, which may quote what a user or a server wrote. */
void url_redact_text(struct str text, struct buf *out);

/* WINNOW_E_USAGE, without a secret in the sentence, unless it can be the address
 * of a server (http, https, no userinfo) or of a proxy. */
winnow_status url_check_server(struct str url, struct winnow_error *err);
winnow_status url_check_proxy(struct str url, struct winnow_error *err);

#endif /* WINNOW_BASE_URL_H */
