/* json_words.c -- walks arrays and objects by a stack of their iterators. */
#include "parquet/json_words.h"

#include "base/grow.h"
#include "base/json_write.h"
#include "base/mem.h"
#include "parquet/leaf_text.h"

static void add_scalar(struct json_value v, struct buf *out)
{
    struct json_writer w = {.out = out};
    bool flag;
    int64_t i;
    uint64_t u;
    double d;
    struct str s;
    if (json_as_str(v, &s)) {
        leaf_quote(s, out);
    } else if (json_as_bool(v, &flag)) {
        json_bool(&w, flag);
    } else if (json_as_i64(v, &i)) {
        json_i64(&w, i);
    } else if (json_as_u64(v, &u)) {
        json_u64(&w, u);
    } else if (json_as_double(v, &d)) {
        json_double(&w, d);
    } else {
        json_null(&w);
    }
}

static bool is_container(struct json_value v)
{
    return json_kind(v) == JSON_ARRAY || json_kind(v) == JSON_OBJECT;
}

void json_words(struct json_value v, struct buf *out)
{
    struct json_iter *stack = NULL;
    size_t depth = 0, cap = 0;
    bool first = true;
    struct str s;
    if (json_as_str(v, &s)) {
        buf_add_str(out, s);
        return;
    }
    for (struct json_value at = v;;) {
        if (is_container(at)) {
            GROW(stack, depth, cap, 16);
            stack[depth++] = json_walk(at);
            buf_add_char(out, json_kind(at) == JSON_OBJECT ? '{' : '[');
            first = true;
        } else {
            add_scalar(at, out);
            first = false;
        }
        while (depth > 0 && !json_next(&stack[depth - 1])) {
            buf_add_char(out, stack[--depth].object ? '}' : ']');
            first = false;
        }
        if (depth == 0) {
            break;
        }
        buf_add_text(out, first ? "" : ", ");
        if (stack[depth - 1].object) {
            leaf_quote(stack[depth - 1].key, out);
            buf_add_text(out, ": ");
        }
        at = stack[depth - 1].value;
    }
    mem_free(stack);
}
