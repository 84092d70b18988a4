/* pair.c -- a JSON line to a page and what is known of it; all of it copied.
 *
 * Several names are taken for one thing (lines, raw, text; clean, gold), as data sets
 * differ.  What is there but wrong is refused: a label too few would shift all. */
#include "teach/pair.h"

#include "base/buf.h"

#include <inttypes.h>

static struct str copy(struct arena *keep, struct str s)
{
    return (struct str){arena_strndup(keep, s.ptr, s.len), s.len};
}

static winnow_status join_lines(struct json_value lines, struct arena *keep, struct str *out,
                                struct winnow_error *err)
{
    struct buf text = {0};
    winnow_status st = WINNOW_OK;
    size_t n = 0;
    for (struct json_iter it = json_walk(lines); st == WINNOW_OK && json_next(&it); n++) {
        struct str line;
        if (!json_as_str(it.value, &line)) {
            st = error_set(err, WINNOW_E_FORMAT, "\"lines\" holds something that is no string");
        } else if (line.len > 0 && memchr(line.ptr, '\n', line.len)) {
            st = error_set(err, WINNOW_E_FORMAT, "member %zu of \"lines\" holds a line break", n);
        } else {
            if (n > 0) {
                buf_add_char(&text, '\n');
            }
            buf_add_str(&text, line);
        }
    }
    *out = copy(keep, (struct str){text.len > 0 ? text.ptr : "", text.len});
    buf_release(&text);
    return st;
}

static winnow_status read_raw(struct json_value root, struct arena *keep, struct pair *out,
                              struct winnow_error *err)
{
    struct json_value lines = json_get(root, "lines");
    struct str text;
    if (json_kind(lines) == JSON_ARRAY) {
        TRY(join_lines(lines, keep, &out->raw, err));
    } else if (json_as_str(json_get(root, "raw"), &text) ||
               json_as_str(json_get(root, "text"), &text)) {
        out->raw = copy(keep, text);
    } else {
        return error_set(err, WINNOW_E_FORMAT,
                         "no page: an array \"lines\", or a string \"raw\" or \"text\" is needed");
    }
    out->lines = str_count_lines(out->raw);
    return WINNOW_OK;
}

static winnow_status read_labels(struct json_value labels, struct arena *keep, struct pair *out,
                                 struct winnow_error *err)
{
    if (json_kind(labels) == JSON_NONE || json_kind(labels) == JSON_NULL) {
        return WINNOW_OK;
    }
    size_t count = json_kind(labels) == JSON_ARRAY ? json_count(labels) : 0;
    if (count != out->lines) {
        return error_set(err, WINNOW_E_FORMAT,
                         "\"label\" has %zu numbers for %zu lines of the page", count, out->lines);
    }
    int8_t *values = arena_try_alloc(keep, count, sizeof *values);
    if (!values) {
        return error_set(err, WINNOW_E_NOMEM, "no memory for %zu labels", count);
    }
    size_t n = 0;
    for (struct json_iter it = json_walk(labels); json_next(&it); n++) {
        int64_t v;
        if (!json_as_i64(it.value, &v) || v < INT8_MIN || v > INT8_MAX) {
            return error_set(err, WINNOW_E_FORMAT,
                             "\"label\" holds something other than 1 (keep), "
                             "0 (remove), 2 or -1 (undecided)");
        }
        values[n] = (int8_t)v;
    }
    out->labels = values;
    return WINNOW_OK;
}

static winnow_status read_chunk(struct json_value v, struct arena *keep, struct program_text *out,
                                struct winnow_error *err)
{
    uint64_t first, last;
    struct str text;
    if (!json_as_u64(json_get(v, "first"), &first) || !json_as_u64(json_get(v, "last"), &last) ||
        !json_as_str(json_get(v, "program"), &text) || first > last) {
        return error_set(err, WINNOW_E_FORMAT,
                         "a chunk needs whole numbers \"first\" and \"last\" in order and a string "
                         "\"program\"");
    }
    *out = (struct program_text){(size_t)first, (size_t)last, copy(keep, text)};
    return WINNOW_OK;
}

static winnow_status read_programs(struct json_value root, struct arena *keep, struct pair *out,
                                   struct winnow_error *err)
{
    struct json_value chunks = json_get(root, "chunks");
    struct str text;
    bool whole = json_as_str(json_get(root, "program"), &text);
    size_t count = whole ? 1 : json_kind(chunks) == JSON_ARRAY ? json_count(chunks) : 0;
    struct program_text *programs = arena_try_alloc(keep, count + 1, sizeof *programs);
    if (!programs) {
        return error_set(err, WINNOW_E_NOMEM, "no memory for %zu programs", count);
    }
    out->programs = programs;
    if (whole) {
        programs[out->program_count++] = (struct program_text){0, SIZE_MAX, copy(keep, text)};
        return WINNOW_OK;
    }
    for (struct json_iter it = json_walk(chunks); count > 0 && json_next(&it);) {
        TRY(read_chunk(it.value, keep, &programs[out->program_count++], err));
    }
    return WINNOW_OK;
}

winnow_status pair_read(struct json_value root, const char *group, struct arena *keep,
                        struct pair *out, struct winnow_error *err)
{
    *out = (struct pair){.id = STR_LIT(""), .group = STR_LIT("")};
    struct str text;
    if (json_kind(root) != JSON_OBJECT) {
        return error_set(err, WINNOW_E_FORMAT, "not a JSON object");
    }
    if (json_as_str(json_get(root, "id"), &text)) {
        out->id = copy(keep, text);
    }
    if (group && json_as_str(json_get(root, group), &text)) {
        out->group = copy(keep, text);
    }
    TRY(read_raw(root, keep, out, err));
    if (json_as_str(json_get(root, "clean"), &text) || json_as_str(json_get(root, "gold"), &text)) {
        out->clean = copy(keep, text);
    }
    TRY(read_labels(json_get(root, "label"), keep, out, err));
    (void)json_as_bool(json_get(root, "drop"), &out->drop);
    return read_programs(root, keep, out, err);
}
