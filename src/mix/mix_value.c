/* mix_value.c -- what groups are called by and copies rise with, wherever it stands. */
#include "mix/mix_value.h"

#include "base/json_write.h"

#include <inttypes.h>
#include <math.h>

struct json_value mix_member(struct json_value object, const char *path)
{
    struct str left = str_of(path);
    for (;;) {
        struct json_value v = json_get_str(object, left);
        size_t dot = str_find(left, STR_LIT("."));
        if (json_kind(v) != JSON_NONE || dot == SIZE_MAX) {
            return v;
        }
        object = json_get_str(object, str_sub(left, 0, dot));
        if (json_kind(object) != JSON_OBJECT) {
            return (struct json_value){0};
        }
        left = str_sub(left, dot + 1, left.len);
    }
}

/* Of [[start, end, value], ...] the first value; anything else is itself. */
static struct json_value first_span(struct json_value v)
{
    struct json_iter spans = json_walk(v);
    if (json_kind(v) != JSON_ARRAY || !json_next(&spans) || json_kind(spans.value) != JSON_ARRAY) {
        return v;
    }
    struct json_iter it = json_walk(spans.value);
    struct json_value last = {0};
    for (int i = 0; i < 3 && json_next(&it); i++) {
        last = i == 2 ? it.value : last;
    }
    return last;
}

struct json_value mix_attribute(struct json_value row, const char *name)
{
    struct json_value attributes = json_get(row, "attributes");
    if (json_kind(attributes) == JSON_OBJECT) {
        struct json_value v = mix_member(attributes, name);
        if (json_kind(v) != JSON_NONE) {
            return first_span(v);
        }
    }
    return first_span(mix_member(row, name));
}

bool mix_name(struct json_value v, struct buf *scratch, struct str *out)
{
    uint64_t whole;
    int64_t below;
    double number;
    bool truth;
    if (json_as_str(v, out)) {
        return out->len > 0;
    }
    buf_clear(scratch);
    if (json_as_u64(v, &whole)) {
        buf_addf(scratch, "%" PRIu64, whole);
    } else if (json_as_i64(v, &below)) {
        buf_addf(scratch, "%" PRId64, below);
    } else if (json_as_bool(v, &truth)) {
        buf_add_text(scratch, truth ? "true" : "false");
    } else if (json_as_double(v, &number)) {
        struct json_writer w = {.out = scratch};
        json_double(&w, number);
    } else {
        return false;
    }
    *out = buf_str(scratch);
    return true;
}

double mix_number(struct json_value v)
{
    double number;
    bool truth;
    if (json_as_bool(v, &truth)) {
        return truth ? 1 : 0;
    }
    return json_as_double(v, &number) && isfinite(number) ? number : (double)NAN;
}
