/* thrift.h -- Thrift's compact protocol, as far as Parquet's footers and page headers need it.
 *
 * Bytes come from outside: whatever makes no sense sets `bad`, after which every call gives
 * zeroes and loops end.  Lists say no more elements than bytes are left, so that what a caller
 * makes room for is bounded by the file.
 *
 *     struct thrift_field f = {0};
 *     while (thrift_next(&in, &f)) {
 *         switch (f.id) { case 1: n = thrift_i64(&in, &f); break; default: thrift_skip(&in, &f); }
 *     }
 */
#ifndef WINNOW_PARQUET_THRIFT_H
#define WINNOW_PARQUET_THRIFT_H

#include "base/buf.h"

enum thrift_type {
    THRIFT_STOP,
    THRIFT_TRUE,
    THRIFT_FALSE,
    THRIFT_BYTE,
    THRIFT_I16,
    THRIFT_I32,
    THRIFT_I64,
    THRIFT_DOUBLE,
    THRIFT_BINARY,
    THRIFT_LIST,
    THRIFT_SET,
    THRIFT_MAP,
    THRIFT_STRUCT,
    THRIFT_UUID
};

struct thrift_in {
    const unsigned char *at, *end;
    bool bad;
    bool cut; /* bad because the bytes end */
};

/* Of a struct: start it zeroed. */
struct thrift_field {
    int32_t id;
    enum thrift_type type;
};

bool thrift_next(struct thrift_in *in, struct thrift_field *f);
void thrift_skip(struct thrift_in *in, const struct thrift_field *f);

/* Values of a field; one of another type sets bad. */
int64_t thrift_int(struct thrift_in *in, const struct thrift_field *f);
bool thrift_bool(struct thrift_in *in, const struct thrift_field *f);
struct str thrift_binary(struct thrift_in *in, const struct thrift_field *f);
bool thrift_struct(struct thrift_in *in, const struct thrift_field *f);
/* The number of elements, each of type element, as fields of id 0. */
uint32_t thrift_list(struct thrift_in *in, const struct thrift_field *f,
                     struct thrift_field *element);

/* ---- writing ---- */

/* A struct that is being written; the last id that was. */
struct thrift_out {
    struct buf *out;
    int32_t last;
};

void thrift_put_int(struct thrift_out *t, int32_t id, enum thrift_type type, int64_t v);
void thrift_put_bool(struct thrift_out *t, int32_t id, bool v);
void thrift_put_binary(struct thrift_out *t, int32_t id, struct str s);
/* Opens a list; its elements follow as they are. */
void thrift_put_list(struct thrift_out *t, int32_t id, enum thrift_type element, size_t count);
/* Opens a struct: what is given is for its fields, until thrift_end(). */
struct thrift_out thrift_put_struct(struct thrift_out *t, int32_t id);
void thrift_end(struct thrift_out *t);
/* Elements of lists. */
void thrift_element_int(struct buf *out, int64_t v);
void thrift_element_binary(struct buf *out, struct str s);

#endif /* WINNOW_PARQUET_THRIFT_H */
