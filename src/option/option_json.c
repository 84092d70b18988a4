/* option_json.c -- JSON to the text that an option is set from, and tables to JSON.
 *
 * Numbers go through text, too: one parser checks bounds and kinds, whoever asks. */
#include "option/option_json.h"

#include "base/json.h"
#include "option/near_name.h"

#include <inttypes.h>
#include <stdio.h>

/* ---- reading ---- */

/* The option of that name, in which set; false where there is none. */
static bool find(const struct option_set *sets, size_t n, struct str name,
                 const struct option_set **set, const struct option **option)
{
    for (size_t i = 0; i < n; i++) {
        *option = option_find(sets[i].table, name);
        *set = &sets[i];
        if (*option) {
            return true;
        }
    }
    return false;
}

static winnow_status unknown(const struct option_set *sets, size_t n, struct str name,
                             struct winnow_error *err)
{
    const char *near = near_option(sets, n, name);
    return error_set(err, WINNOW_E_USAGE, "%s has no option '%.*s'%s%s%s", sets[0].table->command,
                     STR_ARG(name), near ? "; did you mean '" : "", near ? near : "",
                     near ? "'?" : "");
}

/* A number as text, exact for whole ones. */
static struct str number_text(struct json_value v, char text[40])
{
    uint64_t whole;
    double real = 0;
    if (json_as_u64(v, &whole)) {
        (void)snprintf(text, 40, "%" PRIu64, whole);
    } else {
        (void)json_as_double(v, &real);
        (void)snprintf(text, 40, "%.17g", real);
    }
    return str_of(text);
}

/* What stands for v on a command line. */
static winnow_status value_text(const struct option *o, struct json_value v, char text[40],
                                struct str *out, struct winnow_error *err)
{
    bool on, flag = o->kind == OPTION_FLAG;
    switch (json_kind(v)) {
    case JSON_STRING:
        (void)json_as_str(v, out);
        if (out->len > 0 && memchr(out->ptr, '\0', out->len)) {
            return error_set(err, WINNOW_E_USAGE, "%s: a text with a NUL in it", o->name);
        }
        return WINNOW_OK;
    case JSON_BOOL:
        (void)json_as_bool(v, &on);
        *out = on ? STR_LIT("true") : STR_LIT("false");
        return flag ? WINNOW_OK
                    : error_set(err, WINNOW_E_USAGE,
                                "%s: it takes a value, and true or false is "
                                "none",
                                o->name);
    case JSON_NUMBER:
        *out = number_text(v, text);
        return WINNOW_OK;
    case JSON_NONE:
    case JSON_NULL:
    case JSON_ARRAY:
    case JSON_OBJECT:
        break;
    }
    return error_set(err, WINNOW_E_USAGE, "%s: it is one value, neither a list nor an object",
                     o->name);
}

static winnow_status set_items(const struct option *o, void *values, struct json_value v,
                               struct arena *keep, struct winnow_error *err)
{
    char text[40];
    struct str item;
    struct winnow_list list = {0};
    if (json_kind(v) != JSON_ARRAY) {
        TRY(value_text(o, v, text, &item, err));
        option_list_add(&list, item, keep);
    } else {
        for (struct json_iter it = json_walk(v); json_next(&it);) {
            TRY(value_text(o, it.value, text, &item, err));
            option_list_add(&list, item, keep);
        }
    }
    memcpy((unsigned char *)values + o->offset, &list, sizeof list);
    return WINNOW_OK;
}

static winnow_status set_member(const struct option_set *sets, size_t n, struct json_iter *it,
                                struct arena *keep, struct winnow_error *err)
{
    const struct option_set *set = NULL;
    const struct option *o = NULL;
    char text[40];
    struct str value;
    char *name = arena_strndup(keep, it->key.ptr, it->key.len);
    for (char *c = name; *c; c++) {
        *c = *c == '_' ? '-' : *c;
    }
    if (!find(sets, n, str_of(name), &set, &o)) {
        return unknown(sets, n, it->key, err);
    }
    if (json_kind(it->value) == JSON_NULL) {
        return WINNOW_OK;
    }
    if (set->given) {
        *set->given |= option_bit(set->table, o->name);
    }
    if (option_is_list(o)) {
        return set_items(o, set->values, it->value, keep, err);
    }
    TRY(value_text(o, it->value, text, &value, err));
    return option_set(set->table, set->values, str_of(name), value, keep, err);
}

winnow_status option_read_json(const struct option_set *sets, size_t n, struct str json,
                               struct arena *keep, struct winnow_error *err)
{
    if (str_trim(json).len == 0) {
        return WINNOW_OK;
    }
    struct json_parser *parser = json_parser_new();
    struct json_value root;
    winnow_status st = json_parse(parser, json, &root, err);
    if (st != WINNOW_OK) {
        st = error_wrap(err, WINNOW_E_USAGE, "the options of %s are no JSON",
                        sets[0].table->command);
    } else if (json_kind(root) != JSON_OBJECT) {
        st = error_set(err, WINNOW_E_USAGE,
                       "the options of %s are a JSON object, as in {\"limit\": 100}",
                       sets[0].table->command);
    } else {
        struct json_iter it = json_walk(root);
        while (st == WINNOW_OK && json_next(&it)) {
            st = set_member(sets, n, &it, keep, err);
        }
    }
    json_parser_free(parser);
    return st;
}

/* ---- writing ---- */

static const char *kind_name(enum option_kind kind)
{
    static const char *const NAMES[] = {
        [OPTION_END] = "",        [OPTION_FLAG] = "flag",     [OPTION_COUNT] = "count",
        [OPTION_U32] = "count",   [OPTION_SIZE] = "size",     [OPTION_REAL] = "number",
        [OPTION_SHARE] = "share", [OPTION_TEXT] = "text",     [OPTION_FILE] = "path",
        [OPTION_URL] = "address", [OPTION_PROXY] = "address", [OPTION_ENUM] = "choice",
        [OPTION_LIST] = "list",   [OPTION_FILES] = "paths",   [OPTION_NAMED] = "list",
    };
    return NAMES[kind];
}

static bool is_number(enum option_kind kind)
{
    return kind == OPTION_COUNT || kind == OPTION_U32 || kind == OPTION_SIZE ||
           kind == OPTION_REAL || kind == OPTION_SHARE;
}

static void write_row(const struct option_table *table, const struct option *o,
                      struct json_writer *w)
{
    const char letter[2] = {o->letter, '\0'};
    json_open(w, '{');
    json_key(w, "name");
    json_text(w, o->name);
    if (o->letter) {
        json_key(w, "letter");
        json_text(w, letter);
    }
    json_key(w, "kind");
    json_text(w, kind_name(o->kind));
    if (o->value) {
        json_key(w, "value");
        json_text(w, o->value);
    }
    if (is_number(o->kind)) {
        json_key(w, "min");
        json_double(w, o->min);
        json_key(w, "max");
        json_double(w, o->max);
    }
    if (o->kind == OPTION_ENUM) {
        json_key(w, "choices");
        json_open(w, '[');
        for (size_t i = 0; o->choices[i]; i++) {
            json_text(w, o->choices[i]);
        }
        json_close(w, ']');
    }
    json_key(w, "default");
    option_write_value(o, table->defaults, w);
    json_key(w, "help");
    json_text(w, o->help);
    json_close(w, '}');
}

void option_rows_json(const struct option_table *table, struct json_writer *w)
{
    json_open(w, '[');
    for (const struct option *o = table->options; o->kind != OPTION_END; o++) {
        write_row(table, o, w);
    }
    json_close(w, ']');
}
