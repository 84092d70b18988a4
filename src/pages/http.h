/* http.h -- a stored HTTP response: its status, its type, its body as text. */
#ifndef WINNOW_PAGES_HTTP_H
#define WINNOW_PAGES_HTTP_H

#include "base/buf.h"

struct http_response {
    unsigned status;
    struct str mime;    /* "text/html", as written; empty where not said */
    struct str charset; /* likewise */
    struct str body;    /* view of the message, or of the scratch buffers */
};

/* Scratch of http_parse(); all-zero to start with. */
struct http_scratch {
    struct buf chunks, unpacked[2];
    char reason[128];
};
void http_scratch_release(struct http_scratch *s);

/* Takes a message apart, undoes chunked transfer and gzip, deflate, zstd
 * or brotli encoding.  Bodies that do not have the coding their header states (crawlers undo
 * it and leave the header) are taken as they are.  NULL, or why it cannot be read,
 * valid as long as the scratch; a body is never let grow past body_max. */
const char *http_parse(struct str message, size_t body_max, struct http_scratch *scratch,
                       struct http_response *out);

/* Whether a body begins like gzip or zstd, whatever its header says. */
bool http_is_packed(struct str body);

/* Undoes gzip and zstd that nothing but the first bytes tells of.  NULL, or why not;
 * *body may lie in the scratch then. */
const char *http_unpack(struct str *body, size_t body_max, struct http_scratch *scratch);

#endif /* WINNOW_PAGES_HTTP_H */
