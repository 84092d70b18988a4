/* option_help.c -- a table of options as `winnow help` shows it. */
#include "option/option.h"

void option_add_value(const struct option *o, struct buf *out)
{
    if (o->kind == OPTION_ENUM) {
        buf_add_char(out, ' ');
        for (int i = 0; o->choices[i]; i++) {
            buf_addf(out, "%s%s", i > 0 ? "|" : "", o->choices[i]);
        }
    } else if (o->value) {
        buf_addf(out, " %s", o->value);
    }
}

void option_add_default(const struct option_table *table, const struct option *o, struct buf *out)
{
    struct buf text = {0};
    struct json_writer w = {.out = &text};
    option_write_value(o, table->defaults, &w);
    struct str s = buf_str(&text);
    bool nothing = str_is(s, "null") || str_is(s, "[]") || str_is(s, "false") || str_is(s, "0");
    if (!nothing) {
        buf_addf(out, " [%.*s]", STR_ARG(s));
    }
    buf_release(&text);
}

void option_help(const struct option_table *table, const struct option_table *before,
                 struct buf *out)
{
    const size_t column = 30;
    for (const struct option *o = table->options; o->kind != OPTION_END; o++) {
        size_t from = out->len;
        if (o->letter && !(before && option_has_letter(before, o->letter))) {
            buf_addf(out, "  -%c, --%s", o->letter, o->name);
        } else {
            buf_addf(out, "      --%s", o->name);
        }
        option_add_value(o, out);
        if (out->len - from + 2 > column) {
            buf_add_char(out, '\n');
            from = out->len;
        }
        while (out->len - from < column) {
            buf_add_char(out, ' ');
        }
        buf_add_text(out, o->help);
        option_add_default(table, o, out);
        buf_add_char(out, '\n');
    }
}
