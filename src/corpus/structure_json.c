/* structure_json.c -- a page's structure as JSON and back: docs/formats/structure.md.
 *
 * A column a property: differences to the line or element before are small and alike, so that
 * a packed document with its structure is a half larger than without, where rows of plain
 * numbers double it.  What is read is outside bytes: numbers are checked against each other and
 * against the text before anybody counts on them. */
#include "base/hash.h"
#include "base/json_write.h"
#include "base/utf8.h"
#include "corpus/page_structure.h"

#include <inttypes.h>
#include <stdio.h>

#define NO_NODE (-1) /* as a node's number */
#define WHOLE   (-1) /* as a count of characters: all of the line's */

/* ---- writing ---- */

/* Numbers being written.  Zeros wait for a number behind them: those at the end are left out, and
 * so is a column of nothing else. */
struct column_out {
    struct buf *out;
    const char *name;
    size_t zeros;
    bool open;
};

static char *write_number(char *at, int64_t v)
{
    char digits[20];
    size_t n = 0;
    uint64_t rest = v < 0 ? (uint64_t)-v : (uint64_t)v;
    if (v < 0) {
        *at++ = '-';
    }
    do {
        digits[n++] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest > 0);
    while (n > 0) {
        *at++ = digits[--n];
    }
    return at;
}

static void put_waiting(struct column_out *c)
{
    if (!c->open) {
        buf_addf(c->out, ",\"%s\":[", c->name);
        c->open = true;
    } else {
        buf_add_char(c->out, ',');
    }
    for (; c->zeros > 0; c->zeros--) {
        buf_add_text(c->out, "0,");
    }
}

static void put(struct column_out *c, int64_t v)
{
    if (v == 0) {
        c->zeros++;
        return;
    }
    put_waiting(c);
    char *start = buf_reserve(c->out, 24);
    c->out->len += (size_t)(write_number(start, v) - start);
}

static void end_column(struct column_out *c)
{
    buf_add_text(c->out, c->open ? "]" : "");
}

/* A column that says by its length how many there are: no zero is left out. */
static void end_whole_column(struct column_out *c)
{
    if (c->zeros > 0) {
        c->zeros--;
        put_waiting(c);
        buf_add_char(c->out, '0');
    } else if (!c->open) {
        buf_addf(c->out, ",\"%s\":[", c->name);
        c->open = true;
    }
    end_column(c);
}

static int64_t node_number(const struct structure_line *l)
{
    return l->node == STRUCTURE_NONE ? NO_NODE : (int64_t)l->node;
}

static int64_t share_of(const struct structure_line *l, uint32_t chars)
{
    return chars > 0 && chars == l->end - l->start ? WHOLE : (int64_t)chars;
}

static void write_lines(const struct page_structure *s, struct buf *out)
{
    struct column_out node = {out, "node", 0, false}, link = {out, "link", 0, false};
    struct column_out bold = {out, "bold", 0, false}, hidden = {out, "hidden", 0, false};
    int64_t before = 0;
    for (size_t i = 0; i < s->line_count; i++) {
        int64_t number = node_number(&s->lines[i]);
        put(&node, number - before);
        before = number;
    }
    end_whole_column(&node);
    for (size_t i = 0; i < s->line_count; i++) {
        put(&link, share_of(&s->lines[i], s->lines[i].link));
    }
    end_column(&link);
    for (size_t i = 0; i < s->line_count; i++) {
        put(&bold, share_of(&s->lines[i], s->lines[i].bold));
    }
    end_column(&bold);
    for (size_t i = 0; i < s->line_count; i++) {
        put(&hidden, s->lines[i].hidden);
    }
    end_column(&hidden);
}

static void write_nodes(const struct page_structure *s, struct arena *scratch, struct buf *out)
{
    struct column_out parent = {out, "parent", 0, false}, kind = {out, "kind", 0, false};
    struct column_out index = {out, "index", 0, false};
    int64_t *next = ARENA_NEW(scratch, int64_t, s->node_count); /* index that is expected */
    for (size_t i = 0; i < s->node_count; i++) {
        put(&parent, (int64_t)i - (int64_t)s->nodes[i].parent);
    }
    end_whole_column(&parent);
    for (size_t i = 0; i < s->node_count; i++) {
        put(&kind, (int64_t)s->nodes[i].kind);
    }
    end_column(&kind);
    put(&index, 0); /* the page's */
    for (size_t i = 1; i < s->node_count; i++) {
        const struct structure_node *n = &s->nodes[i];
        put(&index, (int64_t)n->index - next[n->parent]);
        next[n->parent] = (int64_t)n->index + 1;
    }
    end_column(&index);
}

static void write_kinds(const struct page_structure *s, struct buf *out)
{
    buf_add_text(out, ",\"kinds\":[");
    for (size_t i = 0; i < s->kind_count; i++) {
        const struct structure_kind *k = &s->kinds[i];
        buf_add_text(out, i > 0 ? ",[" : "[");
        json_quote(out, k->tag);
        if (k->words.len + k->role.len > 0) {
            buf_add_char(out, ',');
            json_quote(out, k->words);
        }
        if (k->role.len > 0) {
            buf_add_char(out, ',');
            json_quote(out, k->role);
        }
        buf_add_char(out, ']');
    }
    buf_add_char(out, ']');
}

/* Runs of main lines, where there are any. */
static void write_main(const struct page_structure *s, struct buf *out)
{
    size_t runs = 0;
    for (size_t i = 0; i < s->line_count; i++) {
        size_t first = i;
        while (i < s->line_count && s->lines[i].main) {
            i++;
        }
        if (i > first) {
            buf_addf(out, "%s[%zu,%zu]", runs++ > 0 ? "," : ",\"main\":[", first, i);
        }
    }
    buf_add_text(out, runs > 0 ? "]" : "");
}

static void text_mark(struct str text, char out[17])
{
    (void)snprintf(out, 17, "%016" PRIx64, hash64(text, 0));
}

void structure_write(const struct page_structure *s, struct str text, struct arena *scratch,
                     struct buf *out)
{
    char mark[17];
    text_mark(text, mark);
    buf_addf(out, "{\"text\":\"%s\"", mark);
    write_lines(s, out);
    write_nodes(s, scratch, out);
    write_kinds(s, out);
    write_main(s, out);
    buf_add_char(out, '}');
}

/* ---- reading ---- */

/* The numbers of a column, one after another; 0 behind its end. */
struct column_in {
    struct json_iter it;
    bool wrong; /* one of them is no number, or out of range */
};

static struct column_in read_column(struct json_value structure, const char *name)
{
    struct json_value column = json_get(structure, name);
    enum json_kind kind = json_kind(column);
    return (struct column_in){json_walk(column), kind != JSON_NONE && kind != JSON_ARRAY};
}

static int64_t next_number(struct column_in *c, int64_t least, int64_t most)
{
    int64_t v = 0;
    if (json_next(&c->it)) {
        c->wrong |= !json_as_i64(c->it.value, &v) || v < least || v > most;
    }
    return c->wrong ? 0 : v;
}

/* Well formed, and no longer than what it is of. */
static bool is_read(struct column_in *c)
{
    return !c->wrong && !json_next(&c->it);
}

static uint32_t count_of(int64_t share, uint32_t chars)
{
    return share == WHOLE ? chars : (uint32_t)share;
}

static bool read_lines(struct json_value value, struct str text, struct page_structure *out)
{
    struct column_in node = read_column(value, "node"), link = read_column(value, "link");
    struct column_in bold = read_column(value, "bold"), hidden = read_column(value, "hidden");
    int64_t number = 0, nodes = (int64_t)out->node_count;
    uint64_t at = 0;
    for (size_t i = 0; i < out->line_count; i++) {
        size_t end = str_find(text, STR_LIT("\n"));
        end = end == SIZE_MAX ? text.len : end;
        uint64_t chars = utf8_count(str_sub(text, 0, end));
        number += next_number(&node, -nodes, nodes);
        if (number < NO_NODE || number >= nodes || at + chars >= UINT32_MAX) {
            return false;
        }
        struct structure_line *l = &out->lines[i];
        *l = (struct structure_line){.start = (uint32_t)at,
                                     .end = (uint32_t)(at + chars),
                                     .node = number == NO_NODE ? STRUCTURE_NONE : (uint32_t)number};
        l->link = count_of(next_number(&link, WHOLE, (int64_t)chars), (uint32_t)chars);
        l->bold = count_of(next_number(&bold, WHOLE, (int64_t)chars), (uint32_t)chars);
        l->hidden = next_number(&hidden, 0, 1) != 0;
        at += chars + 1;
        text = str_sub(text, end < text.len ? end + 1 : end, text.len);
    }
    return is_read(&node) && is_read(&link) && is_read(&bold) && is_read(&hidden);
}

/* No deeper than ours are: walks from a node to the page are bounded by it. */
static bool read_nodes(struct json_value value, struct arena *keep, struct page_structure *out)
{
    struct column_in parent = read_column(value, "parent"), kind = read_column(value, "kind");
    struct column_in index = read_column(value, "index");
    uint16_t *depth = ARENA_NEW(keep, uint16_t, out->node_count);
    int64_t *next = ARENA_NEW(keep, int64_t, out->node_count);
    for (size_t i = 0; i < out->node_count; i++) {
        int64_t at = (int64_t)i;
        struct structure_node *n = &out->nodes[i];
        n->parent = (uint32_t)(at - next_number(&parent, i > 0, at));
        n->kind = (uint32_t)next_number(&kind, 0, (int64_t)out->kind_count - 1);
        int64_t place = next_number(&index, -(int64_t)UINT32_MAX, i > 0 ? UINT32_MAX : 0);
        if (i > 0) {
            place += next[n->parent];
            depth[i] = (uint16_t)(depth[n->parent] + 1);
            next[n->parent] = place + 1;
        }
        if (place < 0 || place >= UINT32_MAX || depth[i] > STRUCTURE_DEPTH_MAX || parent.wrong) {
            return false;
        }
        n->index = (uint32_t)place;
    }
    return is_read(&parent) && is_read(&kind) && is_read(&index);
}

/* The next string of a row, empty behind its end. */
static bool read_text(struct json_iter *it, struct str *out)
{
    *out = (struct str){"", 0};
    return !json_next(it) || json_as_str(it->value, out);
}

static bool read_kinds(struct json_value kinds, struct page_structure *out)
{
    size_t i = 0;
    for (struct json_iter it = json_walk(kinds); json_next(&it); i++) {
        struct structure_kind *k = &out->kinds[i];
        struct json_iter row = json_walk(it.value);
        if (json_kind(it.value) != JSON_ARRAY || !read_text(&row, &k->tag) ||
            !read_text(&row, &k->words) || !read_text(&row, &k->role)) {
            return false;
        }
    }
    return true;
}

static bool read_main(struct json_value runs, struct page_structure *out)
{
    if (json_kind(runs) == JSON_NONE) {
        return true;
    }
    uint64_t at = 0, first, behind;
    for (struct json_iter it = json_walk(runs); json_next(&it);) {
        struct json_iter row = json_walk(it.value);
        if (!json_next(&row) || !json_as_u64(row.value, &first) || !json_next(&row) ||
            !json_as_u64(row.value, &behind) || first < at || first > behind ||
            behind > out->line_count) {
            return false;
        }
        for (at = first; at < behind; at++) {
            out->lines[at].main = true;
        }
    }
    return json_kind(runs) == JSON_ARRAY;
}

/* Whether it is of this text, as far as it says. */
static bool is_of_text(struct json_value value, struct str text)
{
    char mark[17];
    struct str said;
    struct json_value member = json_get(value, "text");
    if (json_kind(member) == JSON_NONE) {
        return true;
    }
    text_mark(text, mark);
    return json_as_str(member, &said) && str_is(said, mark);
}

bool structure_read(struct json_value value, struct str text, struct arena *keep,
                    struct page_structure *out, const char **reason)
{
    struct json_value lines = json_get(value, "node"), nodes = json_get(value, "parent");
    struct json_value kinds = json_get(value, "kinds");
    *out = (struct page_structure){0};
    *reason = "it has no arrays \"node\", \"parent\" and \"kinds\"";
    if (json_kind(lines) != JSON_ARRAY || json_kind(nodes) != JSON_ARRAY ||
        json_kind(kinds) != JSON_ARRAY) {
        return false;
    }
    out->line_count = json_count(lines);
    out->node_count = json_count(nodes);
    out->kind_count = json_count(kinds);
    *reason = "it has too many lines or elements, or none";
    if (out->line_count > STRUCTURE_LINES_MAX || out->node_count == 0 ||
        out->node_count > STRUCTURE_NODES_MAX || out->kind_count == 0 ||
        out->kind_count > STRUCTURE_NODES_MAX) {
        return false;
    }
    *reason = "it was made of another text";
    if (out->line_count != str_count_lines(text) || !is_of_text(value, text)) {
        return false;
    }
    out->lines = ARENA_NEW(keep, struct structure_line, out->line_count);
    out->nodes = ARENA_NEW(keep, struct structure_node, out->node_count);
    out->kinds = ARENA_NEW(keep, struct structure_kind, out->kind_count);
    *reason = "a number or a name in it is not what it must be";
    return read_kinds(kinds, out) && read_nodes(value, keep, out) && read_lines(value, text, out) &&
           read_main(json_get(value, "main"), out);
}
