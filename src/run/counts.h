/* counts.h -- what a stage counts: of a shard while it runs, of all at its end.
 *
 * Every item of the input is counted once, so that
 *     in = kept + removed + aside + bad
 * can be checked; a stage whose sum does not hold has lost something.
 */
#ifndef WINNOW_RUN_COUNTS_H
#define WINNOW_RUN_COUNTS_H

#include "base/error.h"
#include "base/json.h"
#include "base/json_write.h"
#include "base/map.h"

enum count_field {
    COUNT_IN,
    COUNT_KEPT,
    COUNT_EDITED,
    COUNT_REMOVED,
    COUNT_ASIDE,
    COUNT_BAD,
    COUNT_COPIES, /* written beside the first of a kept document; no part of the sum */
    COUNT_FIELDS
};
enum count_reason {
    REASON_REMOVED,
    REASON_ASIDE,
    REASON_EDITED,
    REASON_BAD,
    REASON_KEPT,        /* what would have decided, where a stage only notes it */
    REASON_DROPPED_KEY, /* no reason: members of documents that an edit made untrue */
    COUNT_REASONS
};

/* The rule of a kept document whose edit could not be made: its text is made of messages or a
 * prompt and its response. */
#define EXAMPLE_NOT_EDITED "example_not_edited"

/* All-zero is empty. */
struct counts {
    uint64_t documents[COUNT_FIELDS];
    uint64_t bytes[COUNT_FIELDS];      /* of lines; edited: not used */
    uint64_t text_bytes[COUNT_FIELDS]; /* of texts; edited and bad: not used */
    struct map reasons[COUNT_REASONS];
    /* Documents by their source, in and kept: of the first COUNT_SOURCES_MAX sources
     * in the order of the input.  Sources that begin with the same COUNT_SOURCE_BYTES
     * bytes are one. */
    struct map sources_in, sources_kept;
};
#define COUNT_SOURCES_MAX  1000U
#define COUNT_SOURCE_BYTES ((size_t)1 << 10)

void counts_release(struct counts *c);
void counts_add(struct counts *c, const struct counts *other);
void counts_reason(struct counts *c, enum count_reason kind, struct str reason);

/* n documents of the source came in and came to field. */
void counts_source(struct counts *c, struct str source, uint64_t n, enum count_field field);

/* As members of the object w has open: "documents", "bytes", "text_bytes",
 * "reasons" and its sisters and "sources", sorted by name. */
void counts_write(const struct counts *c, struct json_writer *w);

/* Adds what counts_write() wrote; WINNOW_E_FORMAT where it is no such object. */
winnow_status counts_read(struct counts *c, struct json_value object, struct winnow_error *err);

/* WINNOW_E_INTERNAL with both sides of the sum unless it holds. */
winnow_status counts_check(const struct counts *c, const char *stage, struct winnow_error *err);

#endif /* WINNOW_RUN_COUNTS_H */
