/* address.h -- what an address says: s3://BUCKET/KEY, hf://datasets/OWNER/NAME@REV/PATH, and
 * http(s)://HOST/PATH, which is taken as it is.
 *
 * Keys and paths are bytes, of which '/' is one like others; in a URL they are percent-encoded
 * but for what RFC 3986 calls unreserved, as AWS wants it where it is signed. */
#ifndef WINNOW_STORAGE_ADDRESS_H
#define WINNOW_STORAGE_ADDRESS_H

#include "base/buf.h"
#include "base/error.h"

enum address_kind { ADDRESS_FILE, ADDRESS_S3, ADDRESS_WEB, ADDRESS_HF };

/* By its scheme; all else is a file's path. */
enum address_kind address_kind_of(const char *path);

struct s3_address {
    struct str bucket, key; /* key "" for the whole bucket */
};
winnow_status s3_address_read(const char *text, struct s3_address *out, struct winnow_error *err);

struct hf_address {
    struct str repo;           /* OWNER/NAME */
    struct str revision, path; /* "" where none is given; a revision is still encoded */
};
winnow_status hf_address_read(const char *text, struct hf_address *out, struct winnow_error *err);

/* An address of the web: no blanks or control characters, a host, and no name or password. */
winnow_status web_address_check(const char *text, struct winnow_error *err);

/* Appends text percent-encoded; slashes: they stay. */
void address_encode(struct str text, bool slashes, struct buf *out);

/* Appends it decoded; plus: '+' is a blank, as S3 writes keys in listings.  What is no
 * code stays as it is. */
void address_decode(struct str text, bool plus, struct buf *out);

#endif /* WINNOW_STORAGE_ADDRESS_H */
