/* page_structure.c -- sums over nodes, and the JSON form.
 *
 * A node's parent has a smaller number, so sums are folded from the last node to
 * the first, without a stack.  The JSON is read as outside bytes: numbers are
 * checked against each other before anybody counts on them. */
#include "corpus/page_structure.h"

#include "base/hash.h"
#include "base/json_write.h"
#include "base/utf8.h"

#include <assert.h>

bool structure_is_long(struct str line, uint32_t chars, uint32_t link)
{
    static const char *const ENDS[] = {"\xE2\x80\x9D", "\xE3\x80\x82", "\xEF\xBC\x81",
                                       "\xEF\xBC\x9F", "\xE2\x80\xA6"};
    if (chars < STRUCTURE_LONG || link * 5ULL >= chars * 2ULL) {
        return false;
    }
    for (size_t i = 0; i < line.len; i++) {
        char c = line.ptr[i];
        if (c == '.' || c == '!' || c == '?' || c == '"') {
            return true;
        }
        for (size_t k = 0; (unsigned char)c >= 0xE2 && k < sizeof ENDS / sizeof ENDS[0]; k++) {
            if (line.len - i >= 3 && memcmp(line.ptr + i, ENDS[k], 3) == 0) {
                return true;
            }
        }
    }
    return false;
}

struct str structure_class(const struct structure_kind *k)
{
    const char *id = k->words.len > 0 ? memchr(k->words.ptr, '#', k->words.len) : NULL;
    return id ? str_sub(k->words, 0, (size_t)(id - k->words.ptr)) : k->words;
}

static void sum_lines(struct page_structure *s, struct str text)
{
    struct str line;
    for (size_t i = 0; i < s->line_count && str_next_line(&text, &line); i++) {
        struct structure_line *l = &s->lines[i];
        uint32_t chars = l->end - l->start;
        l->is_long = structure_is_long(line, chars, l->link);
        if (l->node == STRUCTURE_NONE || chars == 0) {
            continue;
        }
        struct structure_node *n = &s->nodes[l->node];
        n->text += chars;
        n->link += l->link;
        n->lines++;
        n->long_text += l->is_long ? chars : 0;
    }
}

/* What siblings of one tag and class have in common. */
static uint64_t signature(const struct page_structure *s, const struct structure_node *n)
{
    const struct structure_kind *k = &s->kinds[n->kind];
    return hash64(structure_class(k), hash64(k->tag, n->parent));
}

/* How many of a node's siblings are like it, itself included: a table of counts, open
 * addressing, since a list of 65,536 items is no reason to look at each pair. */
static void count_same(struct page_structure *s, struct arena *scratch)
{
    struct slot {
        uint64_t hash;
        uint32_t count;
    };
    size_t size = 64;
    while (size < 2 * s->node_count) {
        size *= 2;
    }
    struct slot *slots = ARENA_NEW(scratch, struct slot, size);
    uint32_t *where = ARENA_NEW(scratch, uint32_t, s->node_count + 1);
    for (size_t i = 0; i < s->node_count; i++) {
        uint64_t hash = signature(s, &s->nodes[i]);
        size_t at = hash & (size - 1);
        while (slots[at].count > 0 && slots[at].hash != hash) {
            at = (at + 1) & (size - 1);
        }
        slots[at].hash = hash;
        slots[at].count++;
        where[i] = (uint32_t)at;
    }
    for (size_t i = 0; i < s->node_count; i++) {
        s->nodes[i].same = slots[where[i]].count;
    }
}

void structure_sum(struct page_structure *s, struct str text, struct arena *scratch)
{
    sum_lines(s, text);
    for (size_t i = s->node_count; i-- > 1;) {
        const struct structure_node *n = &s->nodes[i];
        assert(n->parent < i);
        struct structure_node *p = &s->nodes[n->parent];
        p->text += n->text;
        p->link += n->link;
        p->lines += n->lines;
        p->long_text += n->long_text;
    }
    count_same(s, scratch);
}

/* ---- writing ---- */

static char *write_number(char *at, uint32_t v)
{
    char digits[10];
    size_t n = 0;
    do {
        digits[n++] = (char)('0' + v % 10);
        v /= 10;
    } while (v > 0);
    while (n > 0) {
        *at++ = digits[--n];
    }
    return at;
}

static char *write_numbers(char *at, const uint32_t *numbers, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        *at++ = ',';
        at = write_number(at, numbers[i]);
    }
    return at;
}

#define NUMBER_BYTES 11U /* with its comma */

static void write_line(const struct structure_line *l, struct buf *out)
{
    char *start = buf_reserve(out, 6 * NUMBER_BYTES + 4), *at = start;
    const uint32_t rest[] = {l->link, l->bold, l->hidden};
    size_t shown = l->hidden ? 3 : l->bold > 0 ? 2 : l->link > 0;
    *at++ = '[';
    at = write_number(at, l->start);
    at = write_numbers(at, &l->end, 1);
    if (l->node == STRUCTURE_NONE) {
        *at++ = ',';
        *at++ = '-';
        *at++ = '1';
    } else {
        at = write_numbers(at, &l->node, 1);
    }
    at = write_numbers(at, rest, shown);
    *at++ = ']';
    out->len += (size_t)(at - start);
}

static void write_node(const struct structure_node *n, struct buf *out)
{
    char *start = buf_reserve(out, 3 * NUMBER_BYTES + 4), *at = start;
    const uint32_t rest[] = {n->kind, n->index};
    *at++ = '[';
    at = write_number(at, n->parent);
    at = write_numbers(at, rest, n->index > 0 ? 2 : n->kind > 0);
    *at++ = ']';
    out->len += (size_t)(at - start);
}

static void write_kind(const struct structure_kind *k, struct buf *out)
{
    buf_add_char(out, '[');
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

static void comma_before(size_t i, struct buf *out)
{
    if (i > 0) {
        buf_add_char(out, ',');
    }
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

void structure_write(const struct page_structure *s, struct buf *out)
{
    buf_add_text(out, "{\"lines\":[");
    for (size_t i = 0; i < s->line_count; i++) {
        comma_before(i, out);
        write_line(&s->lines[i], out);
    }
    buf_add_text(out, "],\"nodes\":[");
    for (size_t i = 0; i < s->node_count; i++) {
        comma_before(i, out);
        write_node(&s->nodes[i], out);
    }
    buf_add_text(out, "],\"kinds\":[");
    for (size_t i = 0; i < s->kind_count; i++) {
        comma_before(i, out);
        write_kind(&s->kinds[i], out);
    }
    buf_add_char(out, ']');
    write_main(s, out);
    buf_add_char(out, '}');
}

/* ---- reading ---- */

/* The next number of a row, 0 behind its end. */
static bool read_u32(struct json_iter *it, uint32_t *out)
{
    uint64_t v = 0;
    if (json_next(it) && (!json_as_u64(it->value, &v) || v >= UINT32_MAX)) {
        return false;
    }
    *out = (uint32_t)v;
    return true;
}

/* A node's number, or -1. */
static bool read_node_number(struct json_iter *it, size_t nodes, uint32_t *out)
{
    int64_t v = 0;
    if (!json_next(it) || !json_as_i64(it->value, &v) || v < -1 || v >= (int64_t)nodes) {
        return false;
    }
    *out = v < 0 ? STRUCTURE_NONE : (uint32_t)v;
    return true;
}

static bool read_line(struct json_value row, size_t nodes, struct structure_line *out)
{
    struct json_iter it = json_walk(row);
    uint32_t hidden = 0;
    if (json_kind(row) != JSON_ARRAY || !read_u32(&it, &out->start) || !read_u32(&it, &out->end) ||
        !read_node_number(&it, nodes, &out->node) || !read_u32(&it, &out->link) ||
        !read_u32(&it, &out->bold) || !read_u32(&it, &hidden)) {
        return false;
    }
    out->hidden = hidden != 0;
    uint32_t chars = out->end - out->start;
    return out->start <= out->end && out->link <= chars && out->bold <= chars;
}

/* The next string of a row, empty behind its end. */
static bool read_text(struct json_iter *it, struct str *out)
{
    *out = (struct str){"", 0};
    return !json_next(it) || json_as_str(it->value, out);
}

static bool read_node(struct json_value row, size_t index, size_t kinds, struct structure_node *out)
{
    struct json_iter it = json_walk(row);
    return json_kind(row) == JSON_ARRAY && read_u32(&it, &out->parent) &&
           (index == 0 ? out->parent == 0 : out->parent < index) && read_u32(&it, &out->kind) &&
           out->kind < kinds && read_u32(&it, &out->index);
}

static bool read_kind(struct json_value row, struct structure_kind *out)
{
    struct json_iter it = json_walk(row);
    return json_kind(row) == JSON_ARRAY && read_text(&it, &out->tag) &&
           read_text(&it, &out->words) && read_text(&it, &out->role);
}

/* No deeper than ours are: walks from a node to the page are bounded by it. */
static bool depth_is_bounded(const struct page_structure *s, struct arena *keep)
{
    uint16_t *depth = ARENA_NEW(keep, uint16_t, s->node_count + 1);
    for (size_t i = 1; i < s->node_count; i++) {
        depth[i] = (uint16_t)(depth[s->nodes[i].parent] + 1);
        if (depth[i] > STRUCTURE_DEPTH_MAX) {
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
    uint32_t at = 0;
    for (struct json_iter it = json_walk(runs); json_next(&it);) {
        struct json_iter row = json_walk(it.value);
        uint32_t first, behind;
        if (!read_u32(&row, &first) || !read_u32(&row, &behind) || first < at || first > behind ||
            behind > out->line_count) {
            return false;
        }
        for (at = first; at < behind; at++) {
            out->lines[at].main = true;
        }
    }
    return json_kind(runs) == JSON_ARRAY;
}

bool structure_read(struct json_value value, struct arena *keep, struct page_structure *out,
                    const char **reason)
{
    struct json_value lines = json_get(value, "lines"), nodes = json_get(value, "nodes");
    struct json_value kinds = json_get(value, "kinds");
    *out = (struct page_structure){0};
    *reason = "it has no arrays \"lines\", \"nodes\" and \"kinds\"";
    if (json_kind(lines) != JSON_ARRAY || json_kind(nodes) != JSON_ARRAY ||
        json_kind(kinds) != JSON_ARRAY) {
        return false;
    }
    out->line_count = json_count(lines);
    out->node_count = json_count(nodes);
    out->kind_count = json_count(kinds);
    *reason = "it has too many lines or nodes, or none";
    if (out->line_count > STRUCTURE_LINES_MAX || out->node_count == 0 ||
        out->node_count > STRUCTURE_NODES_MAX || out->kind_count > STRUCTURE_NODES_MAX) {
        return false;
    }
    out->lines = ARENA_NEW(keep, struct structure_line, out->line_count + 1);
    out->nodes = ARENA_NEW(keep, struct structure_node, out->node_count);
    out->kinds = ARENA_NEW(keep, struct structure_kind, out->kind_count + 1);
    *reason = "a row is not what it must be";
    size_t i = 0;
    for (struct json_iter it = json_walk(lines); json_next(&it); i++) {
        if (!read_line(it.value, out->node_count, &out->lines[i])) {
            return false;
        }
    }
    i = 0;
    for (struct json_iter it = json_walk(nodes); json_next(&it); i++) {
        if (!read_node(it.value, i, out->kind_count, &out->nodes[i])) {
            return false;
        }
    }
    i = 0;
    for (struct json_iter it = json_walk(kinds); json_next(&it); i++) {
        if (!read_kind(it.value, &out->kinds[i])) {
            return false;
        }
    }
    return read_main(json_get(value, "main"), out) && depth_is_bounded(out, keep);
}

bool structure_cut_to_main(struct page_structure *s, struct str text, struct buf *out)
{
    size_t kept = 0;
    uint32_t at = 0;
    struct str line;
    for (size_t i = 0; i < s->line_count && str_next_line(&text, &line); i++) {
        struct structure_line l = s->lines[i];
        if (!l.main) {
            continue;
        }
        if (kept > 0) {
            buf_add_char(out, '\n');
        }
        buf_add_str(out, line);
        uint32_t chars = l.end - l.start;
        l.start = at;
        l.end = at + chars;
        at = l.end + 1;
        s->lines[kept++] = l;
    }
    s->line_count = kept;
    return kept > 0;
}

bool structure_fits(const struct page_structure *s, struct str text)
{
    uint64_t at = 0;
    size_t i = 0;
    if (s->line_count != str_count_lines(text)) {
        return false;
    }
    for (; i < s->line_count; i++) {
        size_t end = str_find(text, STR_LIT("\n"));
        end = end == SIZE_MAX ? text.len : end;
        uint64_t chars = utf8_count(str_sub(text, 0, end));
        if (s->lines[i].start != at || s->lines[i].end != at + chars) {
            return false;
        }
        at += chars + 1;
        text = str_sub(text, end < text.len ? end + 1 : end, text.len);
    }
    return true;
}

enum structure_state structure_of_document(const struct document *d, struct arena *keep,
                                           struct page_structure *out)
{
    struct json_value value;
    const char *reason = NULL;
    if (!document_structure(d, &value)) {
        return STRUCTURE_ABSENT;
    }
    if (!structure_read(value, keep, out, &reason) || !structure_fits(out, d->text)) {
        return STRUCTURE_STALE;
    }
    structure_sum(out, d->text, keep);
    return STRUCTURE_READ;
}
