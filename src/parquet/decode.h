/* decode.h -- the levels and the values of a page, one at a time, in every encoding of
 * apache/parquet-format's Encodings.md.
 *
 * A value is a view of its plain form: little-endian numbers, the bytes of a string.  It holds
 * until the next one; where it lies in the page or its dictionary, as long as these.
 */
#ifndef WINNOW_PARQUET_DECODE_H
#define WINNOW_PARQUET_DECODE_H

#include "base/buf.h"
#include "parquet/layout.h"

/* Runs of repeated and of packed small numbers ("RLE / bit-packing hybrid"). */
struct hybrid {
    const unsigned char *at, *end;
    unsigned width;
    uint64_t repeated, packed; /* values left of the run at hand */
    uint32_t value;            /* of the repeated ones */
    uint64_t bit;              /* of the packed ones, from at */
};

void hybrid_start(struct hybrid *h, struct str bytes, unsigned width);
/* The old packing of levels, from the highest bit down, without runs. */
bool hybrid_next(struct hybrid *h, uint32_t *v);

struct delta {
    const unsigned char *at, *end;
    uint64_t left, value, least;
    uint64_t in_block, in_mini; /* values left of both */
    uint32_t block, minis, mini;
    const unsigned char *widths;
    uint64_t bit;
    bool first;
};

struct values {
    enum parquet_encoding encoding;
    enum parquet_type type;
    size_t length; /* of a value, 0: each says it */
    const unsigned char *at, *end;
    const struct str *dictionary;
    size_t dictionary_count;
    struct hybrid index;
    struct delta lengths, prefixes;
    uint64_t bit, count, n; /* booleans; of byte streams: values in all, given so far */
    struct buf built;       /* what lies nowhere as a whole; the caller's to release */
    char number[16];
};

/* page: what stands behind the levels; count: values that are there.  Clauses are
 * WINNOW_E_FORMAT. */
winnow_status values_start(struct values *v, enum parquet_encoding encoding, struct str page,
                           uint64_t count, struct winnow_error *err);
bool values_next(struct values *v, struct str *out);

#endif /* WINNOW_PARQUET_DECODE_H */
