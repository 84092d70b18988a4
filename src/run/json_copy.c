/* json_copy.c -- a value that was read, written as it was; by a stack, as the house
 * does not recurse.  What lies deeper than JSON_COPY_DEPTH becomes null. */
#include "run/json_copy.h"

static void copy_scalar(struct json_writer *w, struct json_value v)
{
    struct str s;
    bool yes;
    uint64_t whole;
    int64_t negative;
    double number;
    if (json_as_str(v, &s)) {
        json_str(w, s);
    } else if (json_as_bool(v, &yes)) {
        json_bool(w, yes);
    } else if (json_as_u64(v, &whole)) {
        json_u64(w, whole);
    } else if (json_as_i64(v, &negative)) {
        json_i64(w, negative);
    } else if (json_as_double(v, &number)) {
        json_double(w, number);
    } else {
        json_null(w);
    }
}

static bool is_container(struct json_value v)
{
    return json_kind(v) == JSON_OBJECT || json_kind(v) == JSON_ARRAY;
}

void json_copy(struct json_writer *w, struct json_value v)
{
    struct json_iter open[JSON_COPY_DEPTH];
    size_t depth = 0;
    if (!is_container(v)) {
        copy_scalar(w, v);
        return;
    }
    open[depth++] = json_walk(v);
    json_open(w, open[0].object ? '{' : '[');
    while (depth > 0) {
        struct json_iter *it = &open[depth - 1];
        if (!json_next(it)) {
            json_close(w, it->object ? '}' : ']');
            depth--;
            continue;
        }
        if (it->object) {
            json_key_str(w, it->key);
        }
        if (!is_container(it->value) || depth == JSON_COPY_DEPTH) {
            copy_scalar(w, it->value);
            continue;
        }
        open[depth] = json_walk(it->value);
        json_open(w, open[depth].object ? '{' : '[');
        depth++;
    }
}
