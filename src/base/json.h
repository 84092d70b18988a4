/* json.h -- reads JSON (simdjson's DOM form, which checks the whole text).
 *
 * A parser owns the memory of what it parsed last: values and the strings in
 * them hold until the next parse or json_parser_free().  Objects keep their
 * keys in order, double ones included; json_get() gives the first.
 */
#ifndef WINNOW_BASE_JSON_H
#define WINNOW_BASE_JSON_H

#include "base/error.h"
#include "base/str.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Bytes that must be readable behind a text given to json_parse_padded(). */
#define JSON_PADDING 64U

enum json_kind {
    JSON_NONE, /* what a failed look-up gives */
    JSON_NULL,
    JSON_BOOL,
    JSON_NUMBER,
    JSON_STRING,
    JSON_ARRAY,
    JSON_OBJECT
};

struct json_value {
    const void *document;
    size_t index;
};

struct json_parser;
struct json_parser *json_parser_new(void);
void json_parser_free(struct json_parser *p);

/* WINNOW_E_FORMAT with simdjson's reason; nesting is bounded at 1,024.
 * json_parse() copies the text; json_parse_padded() reads in place, text.ptr
 * having JSON_PADDING readable bytes behind text.len. */
winnow_status json_parse(struct json_parser *p, struct str text, struct json_value *root,
                         struct winnow_error *err);
winnow_status json_parse_padded(struct json_parser *p, struct str text, struct json_value *root,
                                struct winnow_error *err);

enum json_kind json_kind(struct json_value v);

/* Each false where the value is of another kind (or out of range). */
bool json_as_str(struct json_value v, struct str *out);
bool json_as_bool(struct json_value v, bool *out);
bool json_as_double(struct json_value v, double *out);
bool json_as_i64(struct json_value v, int64_t *out);
bool json_as_u64(struct json_value v, uint64_t *out);

/* The member named key of an object; document NULL where there is none. */
struct json_value json_get(struct json_value object, const char *key);
struct json_value json_get_str(struct json_value object, struct str key);

/* Walks arrays and objects:
 *     struct json_iter it = json_walk(v);
 *     while (json_next(&it)) { it.key (objects), it.value }
 */
struct json_iter {
    const void *document;
    size_t at, end;
    bool object;
    struct str key;
    struct json_value value;
};
struct json_iter json_walk(struct json_value container);
bool json_next(struct json_iter *it);

/* Members of an array or object. */
size_t json_count(struct json_value container);

#ifdef __cplusplus
}
#endif

#endif /* WINNOW_BASE_JSON_H */
