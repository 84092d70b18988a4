/* belongs.c -- see belongs.h. */
#include "option/belongs.h"

static bool is_default(const struct option *o, const struct option_table *table, const void *values)
{
    struct buf a = {0}, b = {0};
    struct json_writer x = {.out = &a}, y = {.out = &b};
    option_write_value(o, values, &x);
    option_write_value(o, table->defaults, &y);
    bool same = str_eq(buf_str(&a), buf_str(&b));
    buf_release(&a);
    buf_release(&b);
    return same;
}

winnow_status option_belong(const struct option_table *table, const void *values,
                            const char *const *names, const char *to, struct winnow_error *err)
{
    struct buf said = {0};
    size_t count = 0;
    winnow_status st = WINNOW_OK;
    for (size_t i = 0; names[i]; i++) {
        const struct option *o = option_find(table, str_of(names[i]));
        if (o && !is_default(o, table, values)) {
            buf_addf(&said, "%s--%s", count++ > 0 ? ", " : "", names[i]);
        }
    }
    if (count > 0) {
        st = error_set(err, WINNOW_E_USAGE, "%s belong%s to %s: leave %s away, or say that",
                       buf_cstr(&said), count > 1 ? "" : "s", to, count > 1 ? "them" : "it");
    }
    buf_release(&said);
    return st;
}
