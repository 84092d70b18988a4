/* explain_detail.c -- what a stage says of a document beside verdict, rule and number.
 *
 * The ledger has it as JSON, which is for programs.  Stages whose words deserve a sentence have
 * one here; members of all others are told as they are called. */
#include "run/explain_internal.h"

#include <inttypes.h>
#include <math.h>

static struct str member(struct json_value object, const char *key)
{
    struct str s = {"", 0};
    (void)json_as_str(json_get(object, key), &s);
    return s;
}

static bool has_rule(const struct entry *e, const char *start)
{
    return e->rule && strncmp(e->rule, start, strlen(start)) == 0;
}

/* ---- decontaminate ---- */

static void add_block(struct explain *x, const char *heading, struct str text)
{
    buf_addf(&x->out, "    %s:\n", heading);
    explain_lines(&x->out, text, 40);
}

/* A benchmark's item and the passage that it was found in, beside each other: what else
 * is in the line is for programs. */
static void add_leak(struct explain *x, struct json_value detail)
{
    uint64_t found = 0;
    (void)json_as_u64(json_get(detail, "found"), &found);
    struct str benchmark = member(detail, "benchmark"), item = member(detail, "item");
    buf_addf(&x->out, "    %.*s, item %.*s", STR_ARG(benchmark), STR_ARG(item));
    if (found > 1) {
        buf_addf(&x->out, ", and %" PRIu64 " others", found - 1);
    }
    buf_add_char(&x->out, '\n');
    add_block(x, "the document", member(detail, "passage"));
    add_block(x, "the item", member(detail, "item_text"));
}

/* ---- language ---- */

static bool is_language(struct json_value detail)
{
    bool reliable;
    return json_kind(json_get(detail, "language")) == JSON_STRING &&
           json_as_bool(json_get(detail, "reliable"), &reliable);
}

static void add_language(struct explain *x, const struct entry *e, struct json_value detail)
{
    struct str code = member(detail, "language");
    bool reliable = false;
    (void)json_as_bool(json_get(detail, "reliable"), &reliable);
    if (str_is(code, "un")) {
        buf_add_text(&x->out, "    its language is not known\n");
        return;
    }
    buf_addf(&x->out, "    its language is %.*s", STR_ARG(code));
    if (!isnan(e->score)) {
        buf_addf(&x->out, " (%.2f)", e->score);
    }
    buf_add_text(&x->out, reliable ? "\n" : "; that is not sure\n");
}

/* ---- all others ---- */

static void add_scalar(struct buf *out, struct json_value v)
{
    struct str s;
    double number;
    bool truth;
    if (json_as_str(v, &s)) {
        buf_add_str(out, s);
    } else if (json_as_double(v, &number)) {
        buf_addf(out, "%.6g", number);
    } else if (json_as_bool(v, &truth)) {
        buf_add_text(out, truth ? "yes" : "no");
    } else {
        buf_add_text(out, json_kind(v) == JSON_NULL ? "none" : "...");
    }
}

static bool is_container(struct json_value v)
{
    return json_kind(v) == JSON_ARRAY || json_kind(v) == JSON_OBJECT;
}

/* "from 0, to 2, in nav.menu" */
static void add_flat(struct buf *out, struct json_value object)
{
    struct json_iter it = json_walk(object);
    const char *comma = "";
    while (json_next(&it)) {
        buf_addf(out, "%s%.*s%s", comma, STR_ARG(it.key), it.key.len > 0 ? " " : "");
        add_scalar(out, it.value);
        comma = ", ";
    }
}

/* A member or element that holds others, in brackets, one behind the other. */
static void add_inner(struct buf *out, struct json_value v)
{
    if (!is_container(v)) {
        add_scalar(out, v);
        return;
    }
    struct json_iter it = json_walk(v);
    const char *comma = "(";
    while (json_next(&it)) {
        buf_addf(out, "%s%.*s%s", comma, STR_ARG(it.key), it.key.len > 0 ? " " : "");
        if (is_container(it.value)) {
            add_flat(out, it.value);
        } else {
            add_scalar(out, it.value);
        }
        comma = "; ";
    }
    buf_add_text(out, *comma == '(' ? "()" : ")");
}

/* An element of a list, a line of its own. */
static void add_element(struct buf *out, struct str name, struct json_value v)
{
    buf_addf(out, "    %.*s: ", STR_ARG(name));
    if (json_kind(v) == JSON_OBJECT) {
        struct json_iter it = json_walk(v);
        const char *comma = "";
        while (json_next(&it)) {
            buf_addf(out, "%s%.*s ", comma, STR_ARG(it.key));
            add_inner(out, it.value);
            comma = ", ";
        }
    } else {
        add_inner(out, v);
    }
    buf_add_char(out, '\n');
}

static void add_members(struct buf *out, struct json_value detail)
{
    struct json_iter it = json_walk(detail);
    const char *comma = "    ";
    while (json_next(&it)) {
        if (!is_container(it.value)) {
            buf_addf(out, "%s%.*s ", comma, STR_ARG(it.key));
            add_scalar(out, it.value);
            comma = ", ";
        }
    }
    if (*comma == ',') {
        buf_add_char(out, '\n');
    }
    it = json_walk(detail);
    while (json_next(&it)) {
        struct json_iter element = json_walk(it.value);
        if (json_kind(it.value) == JSON_OBJECT) {
            add_element(out, it.key, it.value);
        }
        while (json_kind(it.value) == JSON_ARRAY && json_next(&element)) {
            add_element(out, it.key, element.value);
        }
    }
}

static winnow_status add_detail(struct explain *x, const struct entry *e, struct json_value detail,
                                struct winnow_error *err)
{
    if (explain_is_copy(e)) {
        return explain_copy(x, e, detail, err);
    }
    if (has_rule(e, "leak.")) {
        add_leak(x, detail);
    } else if (is_language(detail)) {
        add_language(x, e, detail);
    } else {
        add_members(&x->out, detail);
    }
    return WINNOW_OK;
}

winnow_status explain_detail(struct explain *x, const struct entry *e, struct winnow_error *err)
{
    struct json_value detail = {0};
    if (!e->detail) {
        return WINNOW_OK;
    }
    struct json_parser *parser = json_parser_new();
    winnow_status st = json_parse(parser, str_of(e->detail), &detail, err);
    st = st == WINNOW_OK ? add_detail(x, e, detail, err) : st;
    json_parser_free(parser);
    return st;
}
