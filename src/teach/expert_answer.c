/* expert_answer.c -- reads what an expert says, and makes one program of three.
 *
 * Merging: lines that any program removes go; strings are looked for in the lines
 * that stay, and become spans there, joined where they overlap; a line of which
 * spans leave only blanks goes whole.  Spans of a line do not depend on the order
 * of the programs, so neither does the result. */
#include "base/sort.h"
#include "program/program_grammar.h"
#include "teach/answer_line.h"
#include "teach/expert.h"

#include <assert.h>

/* ---- reading ---- */

const char *expert_read_score(enum expert_question q, struct str answer, uint32_t *score)
{
    struct str label =
        q == EXPERT_EDUCATION ? STR_LIT("Educational score:") : STR_LIT("Extraction score:");
    struct str line = answer_bare(answer_last_line(answer), STR_LIT(ANSWER_MARKS));
    if (!str_starts(line, label)) {
        return "the last line is not the score";
    }
    struct str value = answer_bare(str_sub(line, label.len, line.len), STR_LIT(ANSWER_MARKS));
    if (value.len == 0 || value.ptr[0] < '0' || value.ptr[0] > '5') {
        return "the score is no number from 0 to 5";
    }
    struct str rest = answer_bare(str_sub(value, 1, value.len), STR_LIT(ANSWER_MARKS));
    if (rest.len > 0 && !str_is(rest, ".") && !str_is(rest, "/5")) {
        return "the score is no number from 0 to 5";
    }
    *score = (uint32_t)(value.ptr[0] - '0');
    return NULL;
}

bool expert_needs_format(uint32_t education)
{
    return education == 2;
}

enum expert_verdict expert_judge(uint32_t education, uint32_t format)
{
    return education >= 3 || (education == 2 && format >= 4) ? EXPERT_KEEP : EXPERT_DROP;
}

/* What stands between the only two fences of a text. */
static const char *find_block(struct str answer, struct str *block)
{
    size_t fences = 0, at = 0, end = 0;
    for (struct str rest = answer, line; str_next_line(&rest, &line);) {
        struct str trimmed = str_trim(line);
        if (!str_starts(trimmed, STR_LIT("```"))) {
            continue;
        }
        fences++;
        if (fences == 1) {
            at = (size_t)(rest.ptr - answer.ptr);
        } else if (fences == 2) {
            end = (size_t)(line.ptr - answer.ptr);
            if (trimmed.len != 3) {
                return "the block has no end";
            }
        }
    }
    if (fences != 2) {
        return fences == 0   ? "no block between fences"
               : fences == 1 ? "the block has no end"
                             : "more than one block";
    }
    *block = str_sub(answer, at, end);
    return NULL;
}

static const char *check_call(const struct program_call *c, size_t calls)
{
    if (c->reason) {
        return c->reason;
    }
    switch (c->op) {
    case PROGRAM_KEEP_CHUNK:
        return calls > 1 ? "keep_chunk() beside other calls" : NULL;
    case PROGRAM_REMOVE_LINES:
    case PROGRAM_NORMALIZE:
        return NULL;
    default:
        return "a call that the question does not offer";
    }
}

const char *expert_read_program(struct str answer, struct arena *keep, struct program *out)
{
    struct str block;
    *out = (struct program){0};
    const char *reason = find_block(answer_without_thoughts(answer), &block);
    if (reason) {
        return reason;
    }
    program_parse(WINNOW_DIALECT_WINNOW, block, keep, out);
    if (out->count == 0) {
        return "the block is empty";
    }
    if (out->truncated) {
        return "the program is longer than may be";
    }
    for (size_t i = 0; i < out->count && !reason; i++) {
        reason = check_call(&out->calls[i], out->count);
    }
    return reason;
}

/* ---- merging ---- */

void expert_start(struct str text, struct arena *keep, struct derived *d)
{
    *d = (struct derived){.count = str_count_lines(text)};
    d->lines = ARENA_NEW(keep, struct str, d->count);
    d->keep = ARENA_NEW(keep, bool, d->count);
    struct str rest = {text.ptr ? text.ptr : "", text.len};
    for (size_t i = 0; i < d->count; i++) {
        const char *newline = i + 1 < d->count ? memchr(rest.ptr, '\n', rest.len) : NULL;
        size_t len = newline ? (size_t)(newline - rest.ptr) : rest.len;
        d->lines[i] = str_sub(rest, 0, len);
        d->keep[i] = true;
        rest = str_sub(rest, newline ? len + 1 : len, rest.len);
    }
}

static bool remove_lines(struct derived *d, size_t first, size_t last, const struct program_call *c)
{
    if (c->from > c->to || c->from < first || c->to > last) {
        return false;
    }
    for (size_t i = c->from; i <= c->to; i++) {
        d->keep[i] = false;
    }
    return true;
}

/* Spans being collected; items grow in the arena. */
struct spans {
    struct derived_edit *items;
    size_t count, cap;
    struct arena *keep;
};

static void spans_grow(struct spans *s)
{
    size_t cap = s->cap ? 2 * s->cap : 32;
    struct derived_edit *grown = ARENA_NEW(s->keep, struct derived_edit, cap);
    if (s->count > 0) {
        memcpy(grown, s->items, s->count * sizeof *grown);
    }
    s->items = grown;
    s->cap = cap;
}

static void spans_add(struct spans *s, struct derived_edit e)
{
    if (s->count == s->cap) {
        spans_grow(s);
    }
    s->items[s->count++] = e;
}

/* Every place of a string, as spans where its line stays; false where there is
 * none, or more than one without `all`. */
static bool find_string(const struct derived *d, size_t first, size_t last,
                        const struct program_call *c, struct spans *s)
{
    size_t before = s->count, places = 0;
    if (c->target.len > 0 || str_trim(c->source).len == 0 || c->source.len > PROGRAM_STRING_BYTES) {
        return false;
    }
    for (size_t i = first; i <= last; i++) {
        size_t at = 0, found;
        while ((found = str_find(str_sub(d->lines[i], at, d->lines[i].len), c->source)) !=
               SIZE_MAX) {
            const struct derived_edit e = {(uint32_t)i, at + found, at + found + c->source.len};
            at = e.to;
            places++;
            if (d->keep[i]) {
                spans_add(s, e);
            }
        }
    }
    bool good = places == 1 || (places > 1 && c->all);
    s->count = good ? s->count : before;
    return good;
}

static int compare_spans(const void *a, const void *b)
{
    const struct derived_edit *x = a, *y = b;
    if (x->line != y->line) {
        return x->line < y->line ? -1 : 1;
    }
    return x->from != y->from ? (x->from < y->from ? -1 : 1) : (x->to > y->to) - (x->to < y->to);
}

/* Joins spans that overlap or touch. */
static void join_spans(struct spans *s)
{
    if (s->count > 0) {
        sort(s->items, s->count, sizeof *s->items, compare_spans);
    }
    size_t n = 0;
    for (size_t i = 0; i < s->count; i++) {
        struct derived_edit *before = n > 0 ? &s->items[n - 1] : NULL;
        if (before && before->line == s->items[i].line && s->items[i].from <= before->to) {
            before->to = s->items[i].to > before->to ? s->items[i].to : before->to;
        } else {
            s->items[n++] = s->items[i];
        }
    }
    s->count = n;
}

/* Whether spans i..end-1, all of one line, leave only blanks of it. */
static bool leaves_blanks(struct str line, const struct derived_edit *edits, size_t count)
{
    size_t at = 0;
    for (size_t i = 0; i <= count; i++) {
        size_t to = i < count ? edits[i].from : line.len;
        if (str_trim(str_sub(line, at, to)).len > 0) {
            return false;
        }
        at = i < count ? edits[i].to : to;
    }
    return true;
}

/* Lines that are nothing but spans go whole, and their spans with them. */
static void drop_blank_lines(struct derived *d, struct spans *s)
{
    size_t n = 0;
    for (size_t i = 0; i < s->count;) {
        size_t end = i;
        while (end < s->count && s->items[end].line == s->items[i].line) {
            end++;
        }
        uint32_t line = s->items[i].line;
        if (leaves_blanks(d->lines[line], s->items + i, end - i)) {
            d->keep[line] = false;
        } else {
            memmove(s->items + n, s->items + i, (end - i) * sizeof *s->items);
            n += end - i;
        }
        i = end;
    }
    s->count = n;
}

static double removed_share(const struct derived *d, size_t first, size_t last)
{
    size_t all = 0, gone = 0;
    for (size_t i = first; i <= last; i++) {
        all += d->lines[i].len;
        gone += d->keep[i] ? 0 : d->lines[i].len;
    }
    for (size_t i = 0; i < d->edit_count; i++) {
        gone += d->edits[i].to - d->edits[i].from;
    }
    return all > 0 ? (double)gone / (double)all : 0;
}

/* Lines first: what becomes of a string depends on whether its line stays. */
static void merge_lines(struct derived *d, size_t first, size_t last, const struct program *p,
                        struct expert_merge *m)
{
    for (size_t k = 0; k < p->count; k++) {
        const struct program_call *c = &p->calls[k];
        m->calls += c->op != PROGRAM_KEEP_CHUNK;
        m->rejected += c->op == PROGRAM_REMOVE_LINES && !remove_lines(d, first, last, c);
    }
}

static void merge_strings(const struct derived *d, size_t first, size_t last,
                          const struct program *p, struct spans *spans, struct expert_merge *m)
{
    for (size_t k = 0; k < p->count; k++) {
        const struct program_call *c = &p->calls[k];
        m->rejected += c->op == PROGRAM_NORMALIZE && !find_string(d, first, last, c, spans);
    }
}

void expert_merge(struct derived *d, const struct chunk *c, const struct program *programs,
                  size_t count, struct arena *keep, struct expert_merge *m, struct buf *out)
{
    size_t first = c->first, last = c->last;
    assert(first <= last && last < d->count);
    struct spans spans = {.keep = keep};
    spans_grow(&spans); /* no calculating with NULL where there is no span */
    *m = (struct expert_merge){0};
    for (size_t i = 0; i < count; i++) {
        merge_lines(d, first, last, &programs[i], m);
    }
    for (size_t i = 0; i < count; i++) {
        merge_strings(d, first, last, &programs[i], &spans, m);
    }
    join_spans(&spans);
    drop_blank_lines(d, &spans);
    d->edits = spans.items;
    d->edit_count = spans.count;
    m->removed = removed_share(d, first, last);
    derived_program(d, first, last, out);
}
