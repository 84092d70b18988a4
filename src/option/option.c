/* option.c -- reads, writes and explains values through a table over a struct.
 *
 * A row has the offset of its field and a kind; store() and option_write_value() are the
 * only functions that turn kinds into C types.  Command line, recipe and JSON share
 * them, so a value means the same everywhere.
 *
 * Whole numbers are read as integers first: seeds use all 64 bits, which a double
 * would round.  Values never stand in messages about unknown options, as they may be
 * keys (--api-key=...). */
#include "option/option.h"

#include "base/url.h"
#include "option/near_name.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

const struct option *option_find(const struct option_table *table, struct str name)
{
    for (const struct option *o = table->options; o->kind != OPTION_END; o++) {
        if (str_is(name, o->name)) {
            return o;
        }
        if (o->kind == OPTION_FLAG && str_starts(name, STR_LIT("no-")) &&
            str_is(str_sub(name, 3, name.len), o->name)) {
            return o;
        }
    }
    return NULL;
}

/* Levenshtein distance of short names; longer ones are no typing slips. */
static size_t edit_distance(struct str a, struct str b)
{
    size_t row[64];
    if (a.len >= 64 || b.len >= 64) {
        return SIZE_MAX;
    }
    for (size_t j = 0; j <= b.len; j++) {
        row[j] = j;
    }
    for (size_t i = 1; i <= a.len; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b.len; j++) {
            size_t swap = diagonal + (a.ptr[i - 1] != b.ptr[j - 1]);
            size_t gap = (row[j] < row[j - 1] ? row[j] : row[j - 1]) + 1;
            diagonal = row[j];
            row[j] = swap < gap ? swap : gap;
        }
    }
    return row[b.len];
}

const char *option_nearest(const struct option_table *table, struct str name, size_t *distance)
{
    const char *best = NULL;
    size_t best_distance = name.len / 3 + 2;
    for (const struct option *o = table->options; o->kind != OPTION_END; o++) {
        size_t d = edit_distance(name, str_of(o->name));
        if (d < best_distance) {
            best_distance = d;
            best = o->name;
        }
    }
    if (distance) {
        *distance = best_distance;
    }
    return best;
}

void option_list_add(struct winnow_list *list, struct str item, struct arena *keep)
{
    /* Lists are short: a fresh array a time keeps them in the arena. */
    const char **items = ARENA_NEW(keep, const char *, list->count + 1);
    if (list->count > 0) {
        memcpy(items, list->items, list->count * sizeof *items);
    }
    items[list->count] = arena_strndup(keep, item.ptr, item.len);
    list->items = items;
    list->count++;
}

/* "8M", "1.5G", "50%", "0.3": the number times its suffix; false otherwise. */
static bool parse_number(const struct option *o, struct str value, double *out)
{
    char text[64];
    if (value.len == 0 || value.len >= sizeof text) {
        return false;
    }
    memcpy(text, value.ptr, value.len);
    text[value.len] = '\0';
    char *end = NULL;
    errno = 0;
    double v = strtod(text, &end);
    if (errno != 0 || end == text || !isfinite(v) || strpbrk(text, "xXpP")) {
        return false;
    }
    if (*end != '\0' && end[1] == '\0') {
        static const char SUFFIXES[] = "kmgt";
        const char *at = strchr(SUFFIXES, *end | 0x20);
        if (*end == '%' && o->kind == OPTION_SHARE) {
            v /= 100;
        } else if (at && (o->kind == OPTION_COUNT || o->kind == OPTION_SIZE)) {
            v *= pow(o->kind == OPTION_SIZE ? 1024.0 : 1000.0, (double)(at - SUFFIXES + 1));
        } else {
            return false;
        }
        end++;
    }
    *out = v;
    return *end == '\0';
}

static bool is_whole(const struct option *o)
{
    return o->kind == OPTION_COUNT || o->kind == OPTION_U32 || o->kind == OPTION_SIZE;
}

/* Whole numbers past 2^53 (seeds) must not go through a double. */
static bool parse_whole(struct str value, uint64_t *out)
{
    char text[32];
    if (value.len == 0 || value.len >= sizeof text || value.ptr[0] < '0' || value.ptr[0] > '9') {
        return false;
    }
    memcpy(text, value.ptr, value.len);
    text[value.len] = '\0';
    char *end = NULL;
    errno = 0;
    *out = strtoull(text, &end, 10);
    return errno == 0 && *end == '\0';
}

/* Behind a share that only makes sense as so many per cent. */
static const char *percent_meant(const struct option *o, struct str value, double v, char say[64])
{
    if (o->kind != OPTION_SHARE || str_ends(value, STR_LIT("%")) || !(v > 1) || v > 100 ||
        v / 100 < o->min || v / 100 > o->max) {
        return "";
    }
    (void)snprintf(say, 64, "; for %.6g %% write %.6g%% or %.6g", v, v, v / 100);
    return say;
}

/* An end of a range; whole ones in all their digits, the largest as 64 bits hold it. */
static const char *limit_text(const struct option *o, double v, char say[32])
{
    if (is_whole(o) && v >= 0x1p64) {
        (void)snprintf(say, 32, "%llu", (unsigned long long)UINT64_MAX);
    } else {
        (void)snprintf(say, 32, is_whole(o) ? "%.0f" : "%.15g", v);
    }
    return say;
}

static winnow_status set_number(const struct option *o, unsigned char *at, struct str value,
                                struct winnow_error *err)
{
    double v = 0;
    uint64_t whole = 0;
    bool exact = is_whole(o) && parse_whole(value, &whole);
    if (exact) {
        v = (double)whole;
    } else if (!parse_number(o, value, &v) || (is_whole(o) && v != floor(v))) {
        if (o->kind == OPTION_SIZE) {
            return error_set(err, WINNOW_E_USAGE,
                             "%s: '%.*s' is no size; sizes are bytes, or end in K, M, G or T, as "
                             "in 8G",
                             o->name, STR_ARG(value));
        }
        return error_set(err, WINNOW_E_USAGE, "%s: '%.*s' is not a %s", o->name, STR_ARG(value),
                         is_whole(o) ? "whole number" : "number");
    }
    if (v < o->min || v > o->max) {
        char say[64], min[32], max[32];
        return error_set(err, WINNOW_E_USAGE, "%s: '%.*s' is not between %s and %s%s", o->name,
                         STR_ARG(value), limit_text(o, o->min, min), limit_text(o, o->max, max),
                         percent_meant(o, value, v, say));
    }
    if (!exact && is_whole(o)) {
        whole = (uint64_t)v;
    }
    if (o->kind == OPTION_U32) {
        uint32_t small = (uint32_t)whole;
        memcpy(at, &small, sizeof small);
    } else if (is_whole(o)) {
        memcpy(at, &whole, sizeof whole);
    } else {
        memcpy(at, &v, sizeof v);
    }
    return WINNOW_OK;
}

static winnow_status set_flag(const struct option *o, unsigned char *at, struct str name,
                              struct str value, struct winnow_error *err)
{
    bool on = true;
    if (str_is(value, "false") || str_is(value, "no") || str_is(value, "off")) {
        on = false;
    } else if (!(value.len == 0 || str_is(value, "true") || str_is(value, "yes") ||
                 str_is(value, "on"))) {
        return error_set(err, WINNOW_E_USAGE, "%s: '%.*s' is neither true nor false", o->name,
                         STR_ARG(value));
    }
    if (!str_is(name, o->name)) { /* --no-x */
        on = !on;
    }
    memcpy(at, &on, sizeof on);
    return WINNOW_OK;
}

static winnow_status set_enum(const struct option *o, unsigned char *at, struct str value,
                              struct winnow_error *err)
{
    struct buf known = {0};
    for (int i = 0; o->choices[i]; i++) {
        if (str_is(value, o->choices[i])) {
            memcpy(at, &i, sizeof i);
            buf_release(&known);
            return WINNOW_OK;
        }
        buf_addf(&known, "%s%s", i > 0 ? ", " : "", o->choices[i]);
    }
    winnow_status st = error_set(err, WINNOW_E_USAGE, "%s: '%.*s' is none of %s", o->name,
                                 STR_ARG(value), buf_cstr(&known));
    buf_release(&known);
    return st;
}

static void set_list(unsigned char *at, struct str value, struct arena *keep)
{
    struct winnow_list list;
    memcpy(&list, at, sizeof list);
    while (value.len > 0) {
        const char *comma = memchr(value.ptr, ',', value.len);
        size_t len = comma ? (size_t)(comma - value.ptr) : value.len;
        struct str item = str_trim(str_sub(value, 0, len));
        if (item.len > 0) {
            option_list_add(&list, item, keep);
        }
        value = str_sub(value, comma ? len + 1 : len, value.len);
    }
    memcpy(at, &list, sizeof list);
}

/* Checked here, before anything of a command is written. */
static winnow_status set_address(const struct option *o, unsigned char *at, struct str value,
                                 struct arena *keep, struct winnow_error *err)
{
    winnow_status st =
        o->kind == OPTION_URL ? url_check_server(value, err) : url_check_proxy(value, err);
    if (st != WINNOW_OK) {
        return error_wrap(err, st, "%s", o->name);
    }
    const char *text = arena_strndup(keep, value.ptr, value.len);
    memcpy(at, &text, sizeof text);
    return WINNOW_OK;
}

/* Whether a member of the list names something on another machine: "s3://x", "after=https://y". */
static bool has_address(struct str list)
{
    size_t at = str_find(list, STR_LIT("://"));
    size_t from = at < list.len ? at : 0;
    while (from > 0 && (isalnum((unsigned char)list.ptr[from - 1]) || list.ptr[from - 1] == '+')) {
        from--;
    }
    bool begins = from == 0 || list.ptr[from - 1] == ',' || list.ptr[from - 1] == '=';
    return at < list.len && at - from > 1 && begins;
}

/* Names of files and folders.  An address would become a folder of that name, with what is
 * secret in it; an empty name is mostly a variable that was not set, and would mean this folder. */
static winnow_status check_place(const struct option *o, struct str value, struct winnow_error *err)
{
    static const char *const PLACES[] = {"PATH", "FILE", "FOLDER", NULL};
    bool place = o->kind == OPTION_FILES || o->kind == OPTION_NAMED;
    for (size_t i = 0; o->value && PLACES[i]; i++) {
        place = place || strcmp(o->value, PLACES[i]) == 0;
    }
    bool storage = str_starts(value, STR_LIT("s3://")) || str_starts(value, STR_LIT("hf://"));
    if (place && storage && strcmp(o->name, "output") == 0) {
        return error_set(err, WINNOW_E_USAGE,
                         "%s: '%.*s' is an address, and outputs are written to folders of this "
                         "machine: name one, and upload it with your storage's own tool",
                         o->name, STR_ARG(value));
    }
    if (place && storage) {
        return error_set(err, WINNOW_E_USAGE,
                         "%s: '%.*s' is an address, and only corpora are read from storage: name "
                         "a file or folder of this machine, fetched with your storage's own tool",
                         o->name, STR_ARG(value));
    }
    if (place && has_address(value)) {
        return error_set(err, WINNOW_E_USAGE,
                         "%s: '%.*s' is an address, and only files on this machine are read and "
                         "written: name a place here, and fetch or upload with curl, aws s3 or "
                         "huggingface-cli",
                         o->name, STR_ARG(value));
    }
    return place && value.len == 0 && !option_is_list(o)
               ? error_set(err, WINNOW_E_USAGE,
                           "%s: the name is empty; was a variable of the shell not set?", o->name)
               : WINNOW_OK;
}

static winnow_status store(const struct option *o, void *target, struct str name, struct str value,
                           struct arena *keep, struct winnow_error *err)
{
    unsigned char *at = (unsigned char *)target + o->offset;
    switch (o->kind) {
    case OPTION_FLAG:
        return set_flag(o, at, name, value, err);
    case OPTION_ENUM:
        return set_enum(o, at, value, err);
    case OPTION_LIST:
    case OPTION_FILES:
    case OPTION_NAMED:
        TRY(check_place(o, value, err));
        set_list(at, value, keep);
        return WINNOW_OK;
    case OPTION_TEXT:
    case OPTION_FILE: {
        TRY(check_place(o, value, err));
        const char *text = arena_strndup(keep, value.ptr, value.len);
        memcpy(at, &text, sizeof text);
        return WINNOW_OK;
    }
    case OPTION_URL:
    case OPTION_PROXY:
        return set_address(o, at, value, keep, err);
    case OPTION_COUNT:
    case OPTION_U32:
    case OPTION_SIZE:
    case OPTION_REAL:
    case OPTION_SHARE:
        return set_number(o, at, value, err);
    case OPTION_END:
        break;
    }
    return error_set(err, WINNOW_E_INTERNAL, "option '%s' is of no kind", o->name);
}

winnow_status option_set(const struct option_table *table, void *target, struct str name,
                         struct str value, struct arena *keep, struct winnow_error *err)
{
    const struct option *o = option_find(table, name);
    if (!o) {
        const struct option_set set = {.table = table};
        const char *near = near_option(&set, 1, name);
        return error_set(err, WINNOW_E_USAGE, "%s has no option '%.*s'%s%s%s", table->command,
                         STR_ARG(name), near ? "; did you mean '" : "", near ? near : "",
                         near ? "'?" : "");
    }
    return store(o, target, name, value, keep, err);
}

/* One argument of the command line, taken apart. */
struct argument {
    const struct option *option;
    const struct option_set *set; /* where it was found */
    struct str name, value;
    bool has_value;
};

static bool find_argument(const struct option_set *sets, size_t n, struct argument *a)
{
    for (size_t i = 0; i < n; i++) {
        a->option = option_find(sets[i].table, a->name);
        a->set = &sets[i];
        if (a->option) {
            return true;
        }
    }
    return false;
}

static bool find_letter(const struct option_set *sets, size_t n, char letter, struct argument *a)
{
    for (size_t i = 0; i < n; i++) {
        for (const struct option *o = sets[i].table->options; o->kind != OPTION_END; o++) {
            if (o->letter == letter) {
                a->option = o;
                a->set = &sets[i];
                a->name = str_of(o->name);
                return true;
            }
        }
    }
    return false;
}

static bool split_argument(const struct option_set *sets, size_t n, const char *arg,
                           struct argument *a)
{
    *a = (struct argument){0};
    if (arg[1] != '-') { /* -r 0.5 or -r0.5 */
        if (!find_letter(sets, n, arg[1], a)) {
            return false;
        }
        a->has_value = arg[2] != '\0';
        a->value = str_of(arg + 2);
        return a->option->kind != OPTION_FLAG || !a->has_value;
    }
    const char *equals = strchr(arg, '=');
    a->name = str_of(arg + 2);
    if (equals) {
        a->name.len = (size_t)(equals - arg - 2);
        a->value = str_of(equals + 1);
        a->has_value = true;
    }
    return find_argument(sets, n, a);
}

static winnow_status unknown_argument(const struct option_set *sets, size_t n, const char *arg,
                                      struct winnow_error *err)
{
    struct str name = str_of(arg + (arg[1] == '-' ? 2 : 1));
    const char *equals = memchr(name.ptr, '=', name.len);
    if (equals) {
        name.len = (size_t)(equals - name.ptr);
    }
    /* Without its value, which may be a secret. */
    int shown = (int)(name.ptr + name.len - arg);
    const char *near = near_option(sets, n, name);
    if (near) {
        return error_set(err, WINNOW_E_USAGE, "unknown option '%.*s'; did you mean --%s?", shown,
                         arg, near);
    }
    return error_set(err, WINNOW_E_USAGE, "unknown option '%.*s'; `winnow help %s` lists them",
                     shown, arg, sets[0].table->command);
}

uint64_t option_bit(const struct option_table *table, const char *name)
{
    for (const struct option *o = table->options; o->kind != OPTION_END; o++) {
        if (strcmp(o->name, name) == 0 && o - table->options < 64) {
            return (uint64_t)1 << (o - table->options);
        }
    }
    return 0;
}

winnow_status option_parse(const struct option_set *sets, size_t n, int argc,
                           const char *const *argv, struct winnow_list *paths, struct arena *keep,
                           struct winnow_error *err)
{
    bool only_paths = false;
    for (int i = 1; i < argc; i++) {
        const char *arg = argv[i];
        if (only_paths || arg[0] != '-' || arg[1] == '\0') {
            option_list_add(paths, str_of(arg), keep);
            continue;
        }
        if (strcmp(arg, "--") == 0) {
            only_paths = true;
            continue;
        }
        struct argument a;
        if (!split_argument(sets, n, arg, &a)) {
            return unknown_argument(sets, n, arg, err);
        }
        if (a.option->kind != OPTION_FLAG && !a.has_value) {
            if (i + 1 >= argc) {
                return error_set(err, WINNOW_E_USAGE, "option '%s' needs a value", arg);
            }
            a.value = str_of(argv[++i]);
        }
        TRY(store(a.option, a.set->values, a.name, a.value, keep, err));
        if (a.set->given) {
            *a.set->given |= option_bit(a.set->table, a.option->name);
        }
    }
    return WINNOW_OK;
}

static bool is_address(const struct option *o)
{
    return o->kind == OPTION_URL || o->kind == OPTION_PROXY;
}

static void write_text(const struct option *o, const char *text, struct json_writer *w)
{
    if (!text) {
        json_null(w);
    } else if (is_address(o)) {
        struct buf shown = {0};
        url_redact(str_of(text), &shown);
        json_str(w, buf_str(&shown));
        buf_release(&shown);
    } else {
        json_text(w, text);
    }
}

bool option_has_secret(const struct option_table *table, const void *values)
{
    for (const struct option *o = table->options; o->kind != OPTION_END; o++) {
        const char *v = NULL;
        if (is_address(o)) {
            memcpy(&v, (const unsigned char *)values + o->offset, sizeof v);
        }
        if (v && url_has_secret(str_of(v))) {
            return true;
        }
    }
    return false;
}

static void write_list(struct winnow_list list, struct json_writer *w)
{
    json_open(w, '[');
    for (size_t i = 0; i < list.count; i++) {
        json_text(w, list.items[i]);
    }
    json_close(w, ']');
}

void option_write_value(const struct option *o, const void *values, struct json_writer *w)
{
    const unsigned char *at = (const unsigned char *)values + o->offset;
    switch (o->kind) {
    case OPTION_FLAG: {
        bool v;
        memcpy(&v, at, sizeof v);
        json_bool(w, v);
        break;
    }
    case OPTION_U32: {
        uint32_t v;
        memcpy(&v, at, sizeof v);
        json_u64(w, v);
        break;
    }
    case OPTION_COUNT:
    case OPTION_SIZE: {
        uint64_t v;
        memcpy(&v, at, sizeof v);
        json_u64(w, v);
        break;
    }
    case OPTION_REAL:
    case OPTION_SHARE: {
        double v;
        memcpy(&v, at, sizeof v);
        json_double(w, v);
        break;
    }
    case OPTION_TEXT:
    case OPTION_FILE:
    case OPTION_URL:
    case OPTION_PROXY: {
        const char *v;
        memcpy(&v, at, sizeof v);
        write_text(o, v, w);
        break;
    }
    case OPTION_ENUM: {
        int v;
        memcpy(&v, at, sizeof v);
        json_text(w, o->choices[v]);
        break;
    }
    case OPTION_LIST:
    case OPTION_FILES:
    case OPTION_NAMED: {
        struct winnow_list v;
        memcpy(&v, at, sizeof v);
        write_list(v, w);
        break;
    }
    case OPTION_END:
        break;
    }
}

void option_write_json(const struct option_table *table, const void *values, struct json_writer *w)
{
    for (const struct option *o = table->options; o->kind != OPTION_END; o++) {
        json_key(w, o->name);
        option_write_value(o, values, w);
    }
}

void option_write_key(const struct option_table *table, const void *values, struct json_writer *w)
{
    for (const struct option *o = table->options; o->kind != OPTION_END; o++) {
        if (!o->how) {
            json_key(w, o->name);
            option_write_value(o, values, w);
        }
    }
}

bool option_is_list(const struct option *o)
{
    return o->kind == OPTION_LIST || o->kind == OPTION_FILES || o->kind == OPTION_NAMED;
}

/* The path in a member of a list, or NULL: "after=clean/" names one, "before" does not. */
static const char *path_in(const struct option *o, const char *item)
{
    const char *equals = strchr(item, '=');
    if (o->kind == OPTION_FILES) {
        return item;
    }
    return o->kind == OPTION_NAMED && equals && equals[1] ? equals + 1 : NULL;
}

winnow_status option_each_path(const struct option_table *table, const void *values,
                               winnow_status (*each)(void *ctx, const struct option *o,
                                                     const char *path, struct winnow_error *err),
                               void *ctx, struct winnow_error *err)
{
    for (const struct option *o = table->options; o->kind != OPTION_END; o++) {
        const unsigned char *at = (const unsigned char *)values + o->offset;
        const char *one = NULL;
        struct winnow_list list = {0};
        if (o->kind == OPTION_FILE) {
            memcpy(&one, at, sizeof one);
            TRY(one ? each(ctx, o, one, err) : WINNOW_OK);
        } else if (option_is_list(o)) {
            memcpy(&list, at, sizeof list);
        }
        for (size_t i = 0; i < list.count; i++) {
            const char *path = path_in(o, list.items[i]);
            TRY(path ? each(ctx, o, path, err) : WINNOW_OK);
        }
    }
    return WINNOW_OK;
}

bool option_has_letter(const struct option_table *table, char letter)
{
    const struct option *o = table->options;
    while (o->kind != OPTION_END && o->letter != letter) {
        o++;
    }
    return o->kind != OPTION_END;
}
