/* transport.h -- HTTP exchanges side by side, in whatever order they end.
 *
 * Over libcurl's multi interface (transport_curl.c); a build without libcurl
 * has transport_none.c, whose transport_open() says so.  A transport belongs to
 * one thread.  Redirects are not followed, proxies and credentials of the
 * environment are not looked for, only http and https are spoken.
 */
#ifndef WINNOW_REMOTE_TRANSPORT_H
#define WINNOW_REMOTE_TRANSPORT_H

#include "base/buf.h"
#include "base/error.h"

struct transport_options {
    uint32_t exchanges;         /* slots: at most so many are under way */
    double connect_seconds_max; /* until the connection stands */
    double seconds_max;         /* until the last byte of the answer */
    size_t response_bytes_max;
    const char *authorization; /* "Bearer ...", or NULL */
    const char *proxy;         /* NULL: none */
};

enum transport_failure {
    TRANSPORT_ANSWERED, /* status and body hold */
    TRANSPORT_TIMEOUT,
    TRANSPORT_TOO_LARGE,
    TRANSPORT_BROKEN,   /* no connection, or cut off; reason says which */
    TRANSPORT_HOPELESS, /* trying again cannot help: bad certificate, malformed URL */
};

struct transport_response {
    uint32_t slot;
    enum transport_failure failure;
    int status;           /* 200 */
    double retry_after;   /* seconds the server asks to wait; < 0: it does not say */
    struct str body;      /* valid until the slot is used again */
    const char *location; /* where a 3xx points to, "" elsewhere; valid like body */
    const char *reason;   /* of the failure, "" where answered; static */
};

struct transport;

winnow_status transport_open(const struct transport_options *opt, struct transport **out,
                             struct winnow_error *err);
void transport_close(struct transport *t);

/* Starts an exchange in a slot that has none under way: POST of body as JSON, or
 * GET where body.ptr is NULL.  url and body are borrowed until the exchange ends. */
winnow_status transport_send(struct transport *t, uint32_t slot, const char *url, struct str body,
                             struct winnow_error *err);

/* Moves data for at most seconds; *got says whether an exchange has ended. */
winnow_status transport_wait(struct transport *t, double seconds, struct transport_response *out,
                             bool *got, struct winnow_error *err);

#endif /* WINNOW_REMOTE_TRANSPORT_H */
