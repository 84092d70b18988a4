/* edit.c -- executes programs on one document.
 *
 * The document is a table of views, one a line.  A removal marks, a string edit
 * puts a new view in; the text is joined once, at the end.  So line numbers
 * never shift while programs run, and an edit costs its line, not the text. */
#include "program/edit.h"

#include <assert.h>

#define WORK_PER_BYTE 64U
#define WORK_LEAST    ((uint64_t)4 << 20)
#define COPY_COST     4U

winnow_status edit_start(struct edit *e, struct str text, struct arena *keep,
                         struct winnow_error *err)
{
    *e = (struct edit){.keep = keep, .work_left = WORK_PER_BYTE * text.len + WORK_LEAST};
    size_t count = str_count_lines(text);
    e->lines = arena_try_alloc(keep, count, sizeof *e->lines);
    if (!e->lines) {
        return error_set(err, WINNOW_E_NOMEM, "no memory to edit a document of %zu lines", count);
    }
    struct str rest = text;
    for (; e->count + 1 < count; e->count++) {
        const char *newline = memchr(rest.ptr, '\n', rest.len);
        size_t len = (size_t)(newline - rest.ptr);
        e->lines[e->count].now = str_sub(rest, 0, len);
        rest = str_sub(rest, len + 1, rest.len);
    }
    e->lines[e->count++].now = rest;
    return WINNOW_OK;
}

static bool work(struct edit *e, uint64_t amount)
{
    if (amount > e->work_left) {
        return false;
    }
    e->work_left -= amount;
    return true;
}

/* Places of needle in line, not overlapping, at most two unless all. */
static uint32_t count_matches(struct str line, struct str needle, bool all)
{
    uint32_t n = 0;
    for (size_t at; (at = str_find(line, needle)) != SIZE_MAX; n++) {
        if (!all && n == 1) {
            return 2;
        }
        line = str_sub(line, at + needle.len, line.len);
    }
    return n;
}

static const char *replace_in_line(struct edit *e, struct edit_line *line, uint32_t matches,
                                   const struct program_call *c)
{
    size_t len = line->now.len - matches * c->source.len + matches * c->target.len;
    if (!work(e, COPY_COST * (uint64_t)len)) {
        return "the program costs too much";
    }
    char *copy = arena_try_alloc(e->keep, len + 1, 1);
    if (!copy) {
        return "no memory for the edited line";
    }
    size_t used = 0;
    struct str rest = line->now;
    for (uint32_t i = 0; i < matches; i++) {
        size_t at = str_find(rest, c->source);
        memcpy(copy + used, rest.ptr, at);
        used += at;
        if (c->target.len > 0) {
            memcpy(copy + used, c->target.ptr, c->target.len);
        }
        used += c->target.len;
        rest = str_sub(rest, at + c->source.len, rest.len);
    }
    if (rest.len > 0) {
        memcpy(copy + used, rest.ptr, rest.len);
    }
    assert(used + rest.len == len);
    line->now = (struct str){copy, len};
    e->bytes_removed += matches * c->source.len;
    e->bytes_added += matches * c->target.len;
    e->changed = true;
    return NULL;
}

/* How often the needle stands in lines first..last that are still there. */
static const char *find_in_lines(struct edit *e, size_t first, size_t last, struct program_call *c)
{
    uint64_t found = 0;
    for (size_t i = first; i <= last; i++) {
        const struct edit_line *line = &e->lines[i];
        if (line->removed) {
            continue;
        }
        if (!work(e, line->now.len + 1)) {
            return "the program costs too much";
        }
        found += count_matches(line->now, c->source, c->all);
        if (found > 1 && !c->all) {
            return "the string is there more than once";
        }
    }
    return found == 0 ? "the string is not there" : NULL;
}

/* Two passes: what is rejected must not have changed anything. */
static const char *edit_string(struct edit *e, size_t first, size_t last, struct program_call *c)
{
    const char *reason = find_in_lines(e, first, last, c);
    for (size_t i = first; !reason && i <= last; i++) {
        struct edit_line *line = &e->lines[i];
        uint32_t n = line->removed ? 0 : count_matches(line->now, c->source, true);
        if (n == 0) {
            continue;
        }
        reason = replace_in_line(e, line, n, c);
        c->matches += reason ? 0 : n;
    }
    return reason;
}

static const char *remove_lines(struct edit *e, struct program_call *c)
{
    for (size_t i = c->from; i <= c->to; i++) {
        c->matches += !e->lines[i].removed;
        e->lines[i].removed = true;
    }
    e->lines_removed += c->matches;
    e->changed = e->changed || c->matches > 0;
    return c->matches == 0 ? "the lines are already removed" : NULL;
}

static const char *edit_one_line(struct edit *e, struct program_call *c, size_t first, size_t last)
{
    if (c->from < first || c->from > last) {
        return "the line is not of this chunk";
    }
    if (e->lines[c->from].removed) {
        return "the line is already removed";
    }
    return edit_string(e, c->from, c->from, c);
}

/* A program for part of a document has no say over the rest of it. */
static const char *drop(struct edit *e, struct program_call *c, size_t first, size_t last)
{
    if (first == 0 && last + 1 == e->count) {
        e->dropped = true;
        return NULL;
    }
    if (c->op == PROGRAM_DROP_DOC) {
        return "a chunk's program may not drop the document";
    }
    c->from = (uint32_t)first;
    c->to = (uint32_t)last;
    return remove_lines(e, c);
}

static const char *execute(struct edit *e, struct program_call *c, size_t first, size_t last)
{
    switch (c->op) {
    case PROGRAM_DROP_DOC:
    case PROGRAM_REMOVE_ALL:
        return drop(e, c, first, last);
    case PROGRAM_KEEP_DOC:
    case PROGRAM_KEEP_CHUNK:
        return NULL;
    case PROGRAM_REMOVE_LINES:
        if (c->from < first || c->to > last) {
            return "the lines are not of this chunk";
        }
        return remove_lines(e, c);
    case PROGRAM_NORMALIZE:
        return edit_string(e, first, last, c);
    case PROGRAM_REMOVE_STR:
    case PROGRAM_REPLACE_STR:
        return edit_one_line(e, c, first, last);
    case PROGRAM_NONE:
    case PROGRAM_ADD_LINE:
    case PROGRAM_OPS:
        break;
    }
    return "not a call"; /* the parser lets none through */
}

void edit_apply(struct edit *e, struct program *p, size_t first, size_t last)
{
    assert(first <= last && last < e->count);
    for (size_t i = 0; i < p->count; i++) {
        struct program_call *c = &p->calls[i];
        if (!c->reason) {
            e->work_left += WORK_PER_BYTE * (c->source.len + c->target.len);
            c->reason = execute(e, c, first, last);
        }
    }
}

void edit_result(const struct edit *e, struct buf *out)
{
    bool first = true;
    for (size_t i = 0; i < e->count; i++) {
        if (e->lines[i].removed) {
            continue;
        }
        if (!first) {
            buf_add_char(out, '\n');
        }
        buf_add_str(out, e->lines[i].now);
        first = false;
    }
}
