/* sigv4.h -- AWS Signature Version 4 of a request, in the header Authorization. */
#ifndef WINNOW_STORAGE_SIGV4_H
#define WINNOW_STORAGE_SIGV4_H

#include "base/buf.h"

#include <time.h>

struct sigv4_header {
    const char *name, *value; /* the name in small letters, the value without blanks around it */
};

struct sigv4_request {
    const char *method;
    struct str path, query; /* encoded, as they are sent; "" is no query */
    const struct sigv4_header *headers;
    size_t header_count;
    const char *payload; /* its SHA-256 in hexadecimal, or UNSIGNED-PAYLOAD */
};

struct sigv4_key {
    const char *access, *secret, *region, *service;
    time_t when;
};

/* Appends "AWS4-HMAC-SHA256 Credential=..., SignedHeaders=..., Signature=...". */
void sigv4_authorization(const struct sigv4_key *key, const struct sigv4_request *r,
                         struct buf *out);

/* "20150830T123600Z", for x-amz-date. */
void sigv4_date(time_t when, char out[17]);

void sigv4_sha256(struct str bytes, char out[65]);

#endif /* WINNOW_STORAGE_SIGV4_H */
