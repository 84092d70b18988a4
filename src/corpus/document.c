/* document.c -- the rules for one line (docs/formats/corpus.md).
 *
 * simdjson checks the whole line and unescapes its strings; what it refuses is
 * looked at again only to say why.  Members are found in its tape by position,
 * and the same position finds the bytes (json_span.c), so escaped key names and
 * repeated keys cannot make the two disagree.
 *
 * A key that stands twice is nobody's business unless it is the text's or the
 * id's: Python readers take the last, simdjson the first, and an edit of
 * one would leave the other behind.  Such a line is bad.
 */
#include "corpus/document.h"

#include "base/base64.h"
#include "base/json_span.h"
#include "base/json_write.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "corpus/example.h"
#include "corpus/packing.h"
#include "corpus/page_structure.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <strings.h>

#define KEYS_SHOWN     4U
#define KEY_SHOWN      20U /* bytes */
#define MADE_TEXT_KEPT ((size_t)1 << 20)

struct document_reader {
    struct document_keys keys;
    struct json_parser *json;
    struct buf made_id, made_text;
    char reason[240];
};

/* A member found: its value, its bytes, and whether its name stands twice. */
struct member {
    struct json_value value;
    struct str span;
    bool twice;
};

struct document_reader *document_reader_new(const struct document_keys *keys)
{
    struct document_reader *r = mem_zalloc(sizeof *r);
    if (keys) {
        r->keys = *keys;
    }
    r->json = json_parser_new();
    return r;
}

void document_reader_free(struct document_reader *r)
{
    if (r) {
        json_parser_free(r->json);
        buf_release(&r->made_id);
        buf_release(&r->made_text);
        mem_free(r);
    }
}

/* The member of that name of the object `in`, whose bytes are `bytes`. */
static bool find_name(struct json_value in, struct str bytes, struct str name, bool want_span,
                      struct member *out)
{
    *out = (struct member){0};
    size_t index = 0, found = SIZE_MAX;
    struct json_iter it = json_walk(in);
    while (it.object && json_next(&it)) {
        if (str_eq(it.key, name)) {
            out->twice = found != SIZE_MAX;
            if (!out->twice) {
                found = index;
                out->value = it.value;
            } else {
                break;
            }
        }
        index++;
    }
    if (found == SIZE_MAX) {
        return false;
    }
    if (want_span) {
        out->span = json_span_member(bytes, found);
    }
    return true;
}

/* The same for a name that may be a dotted path, tried whole first. */
static bool find_path(struct json_value in, struct str bytes, const char *path, struct member *out)
{
    struct str left = str_of(path);
    for (;;) {
        if (find_name(in, bytes, left, true, out)) {
            return true;
        }
        size_t dot = str_find(left, STR_LIT("."));
        if (dot == SIZE_MAX || !find_name(in, bytes, str_sub(left, 0, dot), true, out) ||
            json_kind(out->value) != JSON_OBJECT) {
            return false;
        }
        if (out->twice) {
            return true;
        }
        in = out->value;
        bytes = out->span;
        left = str_sub(left, dot + 1, left.len);
    }
}

__attribute__((format(printf, 2, 3))) static struct str say(struct document_reader *r,
                                                            const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(r->reason, sizeof r->reason, fmt, ap);
    va_end(ap);
    size_t len = n < 0 ? 0 : (size_t)n;
    return (struct str){r->reason, len < sizeof r->reason ? len : sizeof r->reason - 1};
}

static const char *kind_name(enum json_kind kind)
{
    static const char *const NAMES[] = {"missing",  "null",     "true or false", "a number",
                                        "a string", "an array", "an object"};
    return NAMES[kind];
}

/* Half of a surrogate pair in an escape: the one cause of refusal that needs a
 * second look to be named. */
static bool has_lone_surrogate(struct str s)
{
    for (size_t i = 0; i + 6 <= s.len; i++) {
        if (s.ptr[i] != '\\') {
            continue;
        }
        if (s.ptr[i + 1] != 'u') {
            i++; /* the escaped character may be a backslash */
            continue;
        }
        char c = s.ptr[i + 2], d = (char)(s.ptr[i + 3] | 0x20);
        bool surrogate = (c == 'd' || c == 'D') && (d == '8' || d == '9' || (d >= 'a' && d <= 'f'));
        if (!surrogate) {
            continue;
        }
        bool high = d == '8' || d == '9' || d == 'a' || d == 'b';
        bool paired = high && i + 12 <= s.len && s.ptr[i + 6] == '\\' && s.ptr[i + 7] == 'u' &&
                      (s.ptr[i + 8] | 0x20) == 'd' && (s.ptr[i + 9] | 0x20) >= 'c' &&
                      (s.ptr[i + 9] | 0x20) <= 'f';
        if (!paired) {
            return true;
        }
        i += 11;
    }
    return false;
}

static bool is_table(const char *shard)
{
    struct str name = packing_cut(str_of(shard));
    if (str_ends(name, STR_LIT(".jsonl"))) { /* as outputs are called (shard_names.c) */
        name.len -= strlen(".jsonl");
    }
    const char *end = name.len > 4 ? name.ptr + name.len - 4 : "";
    return strncasecmp(end, ".csv", 4) == 0 || strncasecmp(end, ".tsv", 4) == 0;
}

/* Why the parser refused the line, in words that help to mend it. */
static struct str refusal(struct document_reader *r, struct str s, const char *shard,
                          const struct winnow_error *why)
{
    if (is_table(shard)) {
        return say(r, "not JSON: tables as CSV or TSV are not read; turn them into JSON lines, "
                      "e.g. with duckdb (COPY ... TO 'x.jsonl') or Python's csv and json");
    }
    size_t valid = utf8_valid_until(s);
    if (valid < s.len) {
        return say(r, "invalid UTF-8 at byte %zu of the line", valid + 1);
    }
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        if (c < 0x20 && c != '\t' && c != '\r') {
            return say(r, "a raw control character 0x%02X at byte %zu of the line", c, i + 1);
        }
    }
    if (has_lone_surrogate(s)) {
        return say(r, "a \\u escape names half of a surrogate pair");
    }
    return say(r, "%s", why->text);
}

static bool find_text(const struct document_reader *r, const struct document *d, struct member *out)
{
    if (r->keys.text) {
        return find_path(d->json, d->raw, r->keys.text, out);
    }
    return find_name(d->json, d->raw, STR_LIT("text"), true, out) ||
           find_name(d->json, d->raw, STR_LIT("raw_content"), true, out) ||
           find_name(d->json, d->raw, STR_LIT("content"), true, out);
}

/* The id as it stands, or made from where the line stands.  False with a reason. */
static bool take_id(struct document_reader *r, struct document *d, const char *shard,
                    struct str *reason)
{
    struct member m;
    bool found = (r->keys.id && find_path(d->json, d->raw, r->keys.id, &m)) ||
                 find_name(d->json, d->raw, STR_LIT("id"), true, &m);
    enum json_kind kind = found ? json_kind(m.value) : JSON_NONE;
    d->id_span = m.span;
    if (found && m.twice) {
        *reason = say(r, "the key of the id stands twice");
        return false;
    }
    if (kind == JSON_STRING && json_as_str(m.value, &d->id) && d->id.len > 0) {
        return true;
    }
    if (kind == JSON_NUMBER) {
        d->id = m.span;
        return true;
    }
    if (kind == JSON_BOOL || kind == JSON_ARRAY || kind == JSON_OBJECT) {
        *reason = say(r, "the id is %s, not a string", kind_name(kind));
        return false;
    }
    buf_clear(&r->made_id);
    buf_addf(&r->made_id, "%s#%" PRIu64, shard, d->line);
    d->id = buf_str(&r->made_id);
    d->id_made = true;
    return true;
}

static void take_metadata(struct document *d)
{
    struct member m;
    if (find_name(d->json, d->raw, STR_LIT("source"), false, &m)) {
        (void)json_as_str(m.value, &d->source);
    }
    if (find_name(d->json, d->raw, STR_LIT("url"), false, &m) && json_as_str(m.value, &d->url)) {
        return;
    }
    if (find_name(d->json, d->raw, STR_LIT("metadata"), false, &m)) {
        (void)json_as_str(json_get(m.value, "url"), &d->url);
    }
}

/* Names the first few keys that are there: one of them mostly is the text's. */
static struct str no_text(struct document_reader *r, const struct document *d)
{
    const char *name = r->keys.text ? r->keys.text : "text";
    const char *shapes = r->keys.text ? "" : ", no \"messages\", no prompt with a response";
    if (!r->keys.text && example_is_broken(d->json)) {
        return say(r, "its messages are no list of objects with \"role\" and \"content\"");
    }
    struct buf keys = {0};
    struct json_iter it = json_walk(d->json);
    size_t n = 0;
    while (n < KEYS_SHOWN && json_next(&it)) {
        struct str key = str_sub(it.key, 0, it.key.len < KEY_SHOWN ? it.key.len : KEY_SHOWN);
        key.len = utf8_valid_until(key); /* a cut may fall into a character */
        buf_addf(&keys, "%s\"%.*s\"", n > 0 ? ", " : "", STR_ARG(key));
        n++;
    }
    struct str reason = n == 0
                            ? say(r, "no key \"%.60s\"%s", name, shapes)
                            : say(r, "no key \"%.60s\"%s" DOCUMENT_KEYS_THERE "%s%s (--text-key)",
                                  name, shapes, buf_cstr(&keys), json_next(&it) ? ", ..." : "");
    buf_release(&keys);
    return reason;
}

/* Of an example; a key that was asked for is the only one. */
static bool make_text(struct document_reader *r, struct document *d)
{
    struct example example;
    if (r->keys.text || !example_find(d->json, &example)) {
        return false;
    }
    if (r->made_text.cap > MADE_TEXT_KEPT) { /* of a long one */
        buf_release(&r->made_text);
    }
    buf_clear(&r->made_text);
    (void)buf_reserve(&r->made_text, 1);
    example_add_text(&example, r->keys.chat, &r->made_text);
    d->text = buf_str(&r->made_text);
    d->example = true;
    return true;
}

static struct str trim_line(struct str s)
{
    if (str_starts(s, STR_LIT("\xEF\xBB\xBF"))) {
        s = str_sub(s, 3, s.len);
    }
    return str_trim(s);
}

winnow_status document_read(struct document_reader *r, struct str line, const char *shard,
                            uint64_t line_number, struct document *d, struct str *reason,
                            struct winnow_error *err)
{
    *d = (struct document){.raw = trim_line(line), .line = line_number};
    *reason = (struct str){NULL, 0};
    winnow_status st = json_parse_padded(r->json, d->raw, &d->json, err);
    if (st == WINNOW_E_FORMAT) {
        *reason = refusal(r, d->raw, shard, err);
        return WINNOW_OK;
    }
    if (st != WINNOW_OK) {
        return st;
    }
    enum json_kind kind = json_kind(d->json);
    if (kind != JSON_OBJECT) {
        *reason = say(r, "the line is %s, not an object", kind_name(kind));
        return WINNOW_OK;
    }
    struct member text;
    bool found = find_text(r, d, &text);
    if (!found && make_text(r, d)) {
        if (take_id(r, d, shard, reason)) {
            take_metadata(d);
        }
    } else if (!found) {
        *reason = no_text(r, d);
    } else if (text.twice) {
        *reason = say(r, "the key of the text stands twice");
    } else if (!json_as_str(text.value, &d->text)) {
        *reason = say(r, "the text is %s, not a string", kind_name(json_kind(text.value)));
    } else if (take_id(r, d, shard, reason)) {
        d->text_span = text.span;
        take_metadata(d);
    }
    return WINNOW_OK;
}

/* Copies raw, putting a made id in: over the empty value that stands there, or
 * as first member.  `from` to `to` of raw only, so that text can be changed too. */
static void add_part(const struct document *d, const char *from, const char *to, struct buf *out)
{
    if (d->id_made && !d->id_span.ptr && from == d->raw.ptr) {
        buf_add_text(out, "{\"id\": ");
        json_quote(out, d->id);
        buf_add_text(out, ", ");
        buf_add(out, from + 1, (size_t)(to - from) - 1);
        return;
    }
    if (d->id_made && d->id_span.ptr >= from && d->id_span.ptr < to) {
        buf_add(out, from, (size_t)(d->id_span.ptr - from));
        json_quote(out, d->id);
        from = d->id_span.ptr + d->id_span.len;
    }
    buf_add(out, from, (size_t)(to - from));
}

/* Somebody else's member of that name is none of ours. */
static bool is_structure(struct json_value v)
{
    return json_kind(v) == JSON_OBJECT && json_kind(json_get(v, "node")) == JSON_ARRAY &&
           json_kind(json_get(v, "parent")) == JSON_ARRAY &&
           json_kind(json_get(v, "kinds")) == JSON_ARRAY;
}

bool document_structure(const struct document *d, struct json_value *out)
{
    struct member m;
    if (!find_name(d->json, d->raw, STR_LIT(STRUCTURE_KEY), false, &m) || m.twice ||
        !is_structure(m.value)) {
        return false;
    }
    *out = m.value;
    return true;
}

static bool is_white(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* The bytes of a member whose value stands at `value`, its key and one comma with it. */
static struct str whole_member(struct str raw, struct str value)
{
    const char *from = value.ptr, *to = value.ptr + value.len;
    while (*--from != ':') {
    }
    while (*--from != '"') { /* the key's end */
    }
    while (*--from != '"') {
    }
    const char *before = from;
    while (is_white(before[-1])) {
        before--;
    }
    if (before[-1] == ',') {
        return (struct str){before - 1, (size_t)(to - before) + 1};
    }
    while (to < raw.ptr + raw.len && is_white(*to)) {
        to++;
    }
    to += *to == ',';
    while (is_white(*to)) {
        to++;
    }
    return (struct str){from, (size_t)(to - from)};
}

/* Where the structure stands in raw, or an empty view. */
static struct str find_structure(const struct document *d)
{
    struct member m;
    if (!find_name(d->json, d->raw, STR_LIT(STRUCTURE_KEY), true, &m) || m.twice ||
        !is_structure(m.value)) {
        return (struct str){NULL, 0};
    }
    struct str all = whole_member(d->raw, m.span);
    bool holds_text = d->text_span.ptr >= all.ptr && d->text_span.ptr < all.ptr + all.len;
    bool holds_id = d->id_span.ptr >= all.ptr && d->id_span.ptr < all.ptr + all.len;
    return holds_text || holds_id ? (struct str){NULL, 0} : all; /* by --text-key or --id-key */
}

/* Raw from `from` to `to` without what lies in gap. */
static void add_around(const struct document *d, const char *from, const char *to, struct str gap,
                       struct buf *out)
{
    if (gap.len > 0 && gap.ptr >= from && gap.ptr < to) {
        add_part(d, from, gap.ptr, out);
        from = gap.ptr + gap.len;
    }
    add_part(d, from, to, out);
}

void document_add(const struct document *d, struct buf *out)
{
    add_part(d, d->raw.ptr, d->raw.ptr + d->raw.len, out);
}

bool document_add_with_text(const struct document *d, struct str new_text, struct buf *out)
{
    struct str gap = find_structure(d);
    const char *text = d->text_span.ptr, *behind = text + d->text_span.len;
    add_around(d, d->raw.ptr, text, gap, out);
    json_quote(out, new_text);
    add_around(d, behind, d->raw.ptr + d->raw.len, gap, out);
    return gap.len > 0;
}

bool document_add_without_structure(const struct document *d, struct buf *out)
{
    struct str gap = find_structure(d);
    if (gap.len > 0) {
        add_around(d, d->raw.ptr, d->raw.ptr + d->raw.len, gap, out);
    }
    return gap.len > 0;
}

void bad_line_add_json(const struct bad_line *bad, const char *shard, struct buf *out)
{
    struct json_writer w = {.out = out};
    json_open(&w, '{');
    json_member_text(&w, "shard", shard);
    json_member_u64(&w, "line", bad->line);
    json_member_u64(&w, "offset", bad->offset);
    json_member_u64(&w, "bytes", bad->bytes);
    json_member_str(&w, "reason", bad->reason);
    if (utf8_valid_until(bad->raw) == bad->raw.len) {
        json_member_str(&w, "raw", bad->raw);
    } else {
        struct buf text = {0};
        buf_add_char(&text, '"');
        base64_add(&text, bad->raw);
        buf_add_char(&text, '"');
        json_member_raw(&w, "raw_base64", buf_str(&text));
        buf_release(&text);
    }
    json_close(&w, '}');
    buf_add_char(out, '\n');
}
