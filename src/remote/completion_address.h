/* completion_address.h -- where a server's endpoints are, to send to and to show. */
#ifndef WINNOW_REMOTE_COMPLETION_ADDRESS_H
#define WINNOW_REMOTE_COMPLETION_ADDRESS_H

#include "base/buf.h"
#include "base/error.h"

struct completion_address {
    struct buf endpoint, models;             /* with what is secret in them */
    struct buf endpoint_shown, models_shown; /* without */
    struct buf base;                         /* "http://h:1/v1" */
    struct buf host;                         /* "http://h:1" and what stands before "/v1" */
    struct buf query;                        /* empty, or "?..." */
};

/* "http://h:1", "http://h:1/v1/" and "http://h:1/v1/completions" name the same; a query stays
 * behind.  Makes all but the endpoint. */
winnow_status completion_address_make(struct completion_address *a, const char *given,
                                      struct winnow_error *err);

/* The endpoint: path ("/completions") behind the base, or with root behind the host. */
void completion_address_set(struct completion_address *a, const char *path, bool root);

void completion_address_release(struct completion_address *a);

#endif /* WINNOW_REMOTE_COMPLETION_ADDRESS_H */
