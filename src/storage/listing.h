/* listing.h -- what is listed: S3's XML and the hub's JSON, as outside bytes. */
#ifndef WINNOW_STORAGE_LISTING_H
#define WINNOW_STORAGE_LISTING_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/json.h"

struct listed {
    const char *name; /* the key, or the path in the data set */
    uint64_t bytes;
    const char *etag; /* of a hub its hash of the file; "" where it is not said */
};

struct listing {
    struct listed *items;
    size_t count, cap;
    uint64_t bytes;     /* that they take here */
    struct arena *keep; /* of the names */
};

/* One more. */
void listing_add(struct listing *l, const struct listed *item);
void listing_release(struct listing *l);

/* Adds the keys of a page of ListObjectsV2 (asked for with encoding-type=url); next: the token
 * of the page behind it, "" at the end.  WINNOW_E_FORMAT: a clause. */
winnow_status listing_read_s3(struct listing *l, struct str xml, struct buf *next,
                              struct winnow_error *err);

/* Adds the files of a page of a hub's tree. */
winnow_status listing_read_hf(struct listing *l, struct json_parser *parser, struct str json,
                              struct winnow_error *err);

#endif /* WINNOW_STORAGE_LISTING_H */
