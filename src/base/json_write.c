/* json_write.c -- JSON as it is written: a few words of state and no tree.
 *
 * before_value() knows from two flags whether a comma, a line break or nothing
 * comes next; everything else only adds text.  Numbers are the shortest that read
 * back as they were, so that a file read and written again keeps its bytes. */
#include "base/json_write.h"

#include "base/utf8.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static void new_line(struct json_writer *w)
{
    if (w->pretty) {
        buf_add_char(w->out, '\n');
        for (unsigned i = 0; i < w->depth; i++) {
            buf_add(w->out, "  ", 2);
        }
    }
}

static void before_value(struct json_writer *w)
{
    if (w->after_key) {
        w->after_key = false;
        return;
    }
    if (w->comma) {
        buf_add_text(w->out, w->pretty ? "," : ", ");
    }
    if (w->depth > 0) {
        new_line(w);
    }
}

void json_open(struct json_writer *w, char bracket)
{
    assert(bracket == '{' || bracket == '[');
    before_value(w);
    buf_add_char(w->out, bracket);
    w->depth++;
    w->comma = false;
}

void json_close(struct json_writer *w, char bracket)
{
    bool empty = !w->comma;
    assert((bracket == '}' || bracket == ']') && w->depth > 0 && !w->after_key);
    w->depth--;
    if (!empty) {
        new_line(w);
    }
    buf_add_char(w->out, bracket);
    w->comma = true;
}

void json_key_str(struct json_writer *w, struct str key)
{
    assert(!w->after_key); /* a key without a value */
    before_value(w);
    json_quote(w->out, key);
    buf_add(w->out, ": ", 2);
    w->after_key = true;
}

void json_key(struct json_writer *w, const char *key)
{
    json_key_str(w, str_of(key));
}

void json_str(struct json_writer *w, struct str s)
{
    before_value(w);
    json_quote(w->out, s);
    w->comma = true;
}

void json_text(struct json_writer *w, const char *text)
{
    json_str(w, str_of(text));
}

void json_raw(struct json_writer *w, struct str json)
{
    before_value(w);
    buf_add_str(w->out, json);
    w->comma = true;
}

void json_u64(struct json_writer *w, uint64_t v)
{
    before_value(w);
    buf_addf(w->out, "%" PRIu64, v);
    w->comma = true;
}

void json_i64(struct json_writer *w, int64_t v)
{
    before_value(w);
    buf_addf(w->out, "%" PRId64, v);
    w->comma = true;
}

void json_double(struct json_writer *w, double v)
{
    if (!isfinite(v)) {
        json_null(w);
        return;
    }
    /* %g drops zeros at the end, and every number of up to 15 digits comes back
     * as it was: no fewer digits need to be tried. */
    char text[40];
    for (int digits = 15; digits <= 17; digits++) {
        (void)snprintf(text, sizeof text, "%.*g", digits, v);
        if (strtod(text, NULL) == v) {
            break;
        }
    }
    before_value(w);
    buf_add_text(w->out, text);
    w->comma = true;
}

void json_bool(struct json_writer *w, bool v)
{
    json_raw(w, v ? STR_LIT("true") : STR_LIT("false"));
}

void json_null(struct json_writer *w)
{
    json_raw(w, STR_LIT("null"));
}

void json_member_open(struct json_writer *w, const char *key, char bracket)
{
    json_key(w, key);
    json_open(w, bracket);
}

void json_member_str(struct json_writer *w, const char *key, struct str s)
{
    json_key(w, key);
    json_str(w, s);
}

void json_member_text(struct json_writer *w, const char *key, const char *text)
{
    json_key(w, key);
    json_text(w, text);
}

void json_member_u64(struct json_writer *w, const char *key, uint64_t v)
{
    json_key(w, key);
    json_u64(w, v);
}

void json_member_i64(struct json_writer *w, const char *key, int64_t v)
{
    json_key(w, key);
    json_i64(w, v);
}

void json_member_double(struct json_writer *w, const char *key, double v)
{
    json_key(w, key);
    json_double(w, v);
}

void json_member_bool(struct json_writer *w, const char *key, bool v)
{
    json_key(w, key);
    json_bool(w, v);
}

void json_member_null(struct json_writer *w, const char *key)
{
    json_key(w, key);
    json_null(w);
}

void json_member_raw(struct json_writer *w, const char *key, struct str json)
{
    json_key(w, key);
    json_raw(w, json);
}

void json_escape(struct buf *out, unsigned char c)
{
    switch (c) {
    case '"':
        buf_add(out, "\\\"", 2);
        break;
    case '\\':
        buf_add(out, "\\\\", 2);
        break;
    case '\n':
        buf_add(out, "\\n", 2);
        break;
    case '\r':
        buf_add(out, "\\r", 2);
        break;
    case '\t':
        buf_add(out, "\\t", 2);
        break;
    default:
        buf_addf(out, "\\u%04x", c);
    }
}

static void quote_valid(struct buf *out, struct str s)
{
    buf_add_char(out, '"');
    size_t from = 0;
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        if (c < 0x20 || c == '"' || c == '\\' || c == 0x7F) {
            buf_add(out, s.ptr + from, i - from);
            json_escape(out, c);
            from = i + 1;
        }
    }
    if (from < s.len) { /* s.ptr may be NULL */
        buf_add(out, s.ptr + from, s.len - from);
    }
    buf_add_char(out, '"');
}

void json_quote(struct buf *out, struct str s)
{
    if (utf8_valid_until(s) == s.len) {
        quote_valid(out, s);
        return;
    }
    struct buf repaired = {0};
    (void)utf8_add_repaired(&repaired, s);
    quote_valid(out, buf_str(&repaired));
    buf_release(&repaired);
}
