/* layout.h -- a Parquet file's footer: its schema, and where the pieces of its columns lie.
 *
 * What is read is apache/parquet-format's parquet.thrift.  Elements of the schema and the
 * key-value metadata keep their bytes as well, so that a file that is written after another
 * has the same types, annotations of which we know nothing included.
 */
#ifndef WINNOW_PARQUET_LAYOUT_H
#define WINNOW_PARQUET_LAYOUT_H

#include "base/arena.h"
#include "base/error.h"
#include "base/str.h"
#include "parquet/parquet.h"
#include "parquet/thrift.h"

enum parquet_type {
    PARQUET_BOOLEAN,
    PARQUET_INT32,
    PARQUET_INT64,
    PARQUET_INT96,
    PARQUET_FLOAT,
    PARQUET_DOUBLE,
    PARQUET_BYTE_ARRAY,
    PARQUET_FIXED,
    PARQUET_GROUP /* no column: it holds others */
};

enum parquet_repetition { PARQUET_REQUIRED, PARQUET_OPTIONAL, PARQUET_REPEATED };

enum parquet_codec {
    PARQUET_PLAIN_BYTES,
    PARQUET_SNAPPY,
    PARQUET_GZIP,
    PARQUET_LZO,
    PARQUET_BROTLI,
    PARQUET_LZ4,
    PARQUET_ZSTD,
    PARQUET_LZ4_RAW
};

enum parquet_encoding {
    PARQUET_PLAIN = 0,
    PARQUET_PLAIN_DICTIONARY = 2,
    PARQUET_RLE = 3,
    PARQUET_BIT_PACKED = 4,
    PARQUET_DELTA_BINARY = 5,
    PARQUET_DELTA_LENGTH = 6,
    PARQUET_DELTA_BYTES = 7,
    PARQUET_RLE_DICTIONARY = 8,
    PARQUET_BYTE_STREAM_SPLIT = 9
};

/* The numbers of ConvertedType and of LogicalType's members. */
enum { CONVERTED_NONE = -1 };
enum parquet_logical {
    LOGICAL_NONE,
    LOGICAL_STRING,
    LOGICAL_MAP,
    LOGICAL_LIST,
    LOGICAL_ENUM,
    LOGICAL_DECIMAL,
    LOGICAL_DATE,
    LOGICAL_TIME,
    LOGICAL_TIMESTAMP,
    LOGICAL_INTEGER = 10,
    LOGICAL_NULL,
    LOGICAL_JSON,
    LOGICAL_BSON,
    LOGICAL_UUID,
    LOGICAL_FLOAT16
};

struct parquet_element {
    enum parquet_type type;
    enum parquet_repetition repetition;
    int32_t length; /* of PARQUET_FIXED */
    int32_t children;
    int converted, logical;
    int32_t scale, precision;
    int unit; /* of times: 3, 6 or 9 digits of a second */
    bool utc; /* of times and timestamps */
    int bits; /* of integers, 0: as the type says */
    bool is_signed;
    struct str name, raw; /* raw: the element as it is written */
};

/* A column's part of a row group. */
struct parquet_chunk {
    uint64_t start; /* of its first page */
    uint64_t values, bytes_raw, bytes_packed;
    enum parquet_type type;
    int codec;
};

struct parquet_group {
    uint64_t first_row, rows;
    struct parquet_chunk *chunks; /* one a leaf, in order */
};

/* All-zero may be released. */
struct parquet_layout {
    struct arena keep;
    struct str footer;
    struct parquet_element *elements; /* the schema from the root, each before its children */
    size_t element_count, leaf_count;
    struct parquet_group *groups;
    size_t group_count;
    uint64_t rows;
    uint64_t data_end; /* where the footer begins */
    struct str pairs;  /* key-value metadata as list elements; pair_count of them */
    size_t pair_count;
};

/* Of an open file.  WINNOW_E_FORMAT: a clause that says what it lacks;
 * WINNOW_E_LIMIT where the footer is more than memory_max (0: none). */
winnow_status parquet_layout_read(struct parquet_layout *out, const struct parquet_file *file,
                                  uint64_t memory_max, struct winnow_error *err);
void parquet_layout_release(struct parquet_layout *l);

/* One element of a schema; in->bad where it makes no sense. */
void parquet_element_read(struct thrift_in *in, struct parquet_element *e);

/* pread(2) to the end; WINNOW_E_FORMAT where the file is shorter. */
winnow_status parquet_pread(const struct parquet_file *file, void *to, size_t len, uint64_t at,
                            struct winnow_error *err);

#endif /* WINNOW_PARQUET_LAYOUT_H */
