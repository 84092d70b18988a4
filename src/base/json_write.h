/* json_write.h -- JSON text, piece by piece, into a buffer.
 *
 *     struct json_writer w = {.out = &buf};
 *     json_open(&w, '{');
 *     json_member_u64(&w, "docs", 3);
 *     json_key(&w, "sizes");  write_sizes(&w);
 *     json_close(&w, '}');
 *
 * Commas come by themselves.  Numbers are written so that reading gives the
 * same double back, in the fewest of 1..17 digits that do; what JSON has no
 * number for (NaN, infinities) becomes null.
 */
#ifndef WINNOW_BASE_JSON_WRITE_H
#define WINNOW_BASE_JSON_WRITE_H

#include "base/buf.h"

struct json_writer {
    struct buf *out;
    bool pretty; /* two spaces a level, for files that people read */
    unsigned depth;
    bool comma; /* a value stands before */
    bool after_key;
};

void json_open(struct json_writer *w, char bracket);
void json_close(struct json_writer *w, char bracket);
void json_key(struct json_writer *w, const char *key);
void json_key_str(struct json_writer *w, struct str key);
void json_str(struct json_writer *w, struct str s);
void json_text(struct json_writer *w, const char *text);
void json_u64(struct json_writer *w, uint64_t v);
void json_i64(struct json_writer *w, int64_t v);
void json_double(struct json_writer *w, double v);
void json_bool(struct json_writer *w, bool v);
void json_null(struct json_writer *w);

/* Text that is JSON already. */
void json_raw(struct json_writer *w, struct str json);

/* A member of the object that is open: its key and its value. */
void json_member_open(struct json_writer *w, const char *key, char bracket);
void json_member_str(struct json_writer *w, const char *key, struct str s);
void json_member_text(struct json_writer *w, const char *key, const char *text);
void json_member_u64(struct json_writer *w, const char *key, uint64_t v);
void json_member_i64(struct json_writer *w, const char *key, int64_t v);
void json_member_double(struct json_writer *w, const char *key, double v);
void json_member_bool(struct json_writer *w, const char *key, bool v);
void json_member_null(struct json_writer *w, const char *key);
void json_member_raw(struct json_writer *w, const char *key, struct str json);

/* The string with its quotes, outside of any writer.  Bytes that are not UTF-8
 * become U+FFFD, so that the result always is JSON. */
void json_quote(struct buf *out, struct str s);

/* What stands for a byte that a string cannot hold as it is: a control, a quote, a backslash. */
void json_escape(struct buf *out, unsigned char c);

#endif /* WINNOW_BASE_JSON_WRITE_H */
