/* derive_program.c -- from lines and spans that go to the text of a program.
 *
 * Arguments have no names: every token of a program is a pass through the model
 * that learns to write it.
 *
 * Spans of a line are written from right to left, each against the line as the
 * calls before it left it.  A span whose text stands there only once is a
 * remove_str; another one takes as many pieces around it as make it the only one
 * (at most the whole line, which stands there once) and is a replace_str. */
#include "program/edit.h"
#include "program/program_quote.h"
#include "teach/derive_internal.h"

#include <inttypes.h>

/* Whether s[from..to) is the only place of its text, as edit.c counts places. */
static bool only_place(struct str s, size_t from, size_t to)
{
    struct str needle = str_sub(s, from, to);
    return str_find(s, needle) == from && str_find(str_sub(s, to, s.len), needle) == SIZE_MAX;
}

/* One more word to the left of from, or to the right of to. */
static size_t widen_left(struct str s, size_t from)
{
    while (from > 0 && s.ptr[from - 1] == ' ') {
        from--;
    }
    while (from > 0 && s.ptr[from - 1] != ' ') {
        from--;
    }
    return from;
}

static size_t widen_right(struct str s, size_t to)
{
    while (to < s.len && s.ptr[to] == ' ') {
        to++;
    }
    while (to < s.len && s.ptr[to] != ' ') {
        to++;
    }
    return to;
}

static void add_edit(struct str line, uint32_t number, size_t from, size_t to, struct buf *out)
{
    size_t left = from, right = to;
    for (bool to_left = true; !only_place(line, left, right); to_left = !to_left) {
        if ((to_left && left > 0) || right == line.len) {
            left = widen_left(line, left);
        } else {
            right = widen_right(line, right);
        }
    }
    if (left == from && right == to) {
        buf_addf(out, "remove_str(%" PRIu32 ", ", number);
        program_add_quoted(out, str_sub(line, from, to));
    } else {
        buf_addf(out, "replace_str(%" PRIu32 ", ", number);
        program_add_quoted(out, str_sub(line, left, right));
        buf_add_text(out, ", ");
        struct buf target = {0};
        buf_add_str(&target, str_sub(line, left, from));
        buf_add_str(&target, str_sub(line, to, right));
        program_add_quoted(out, buf_str(&target));
        buf_release(&target);
    }
    buf_add_text(out, ")\n");
}

/* The edits of one line, given in order. */
static void add_edits(struct str line, const struct derived_edit *edits, size_t count,
                      struct buf *out)
{
    struct buf now = {0};
    buf_add_str(&now, line);
    for (size_t i = count; i-- > 0;) {
        size_t from = edits[i].from, to = edits[i].to;
        add_edit(buf_str(&now), edits[i].line, from, to, out);
        memmove(now.ptr + from, now.ptr + to, now.len - to);
        now.len -= to - from;
    }
    buf_release(&now);
}

/* The first edit of a line that is not before `line`. */
static size_t first_edit(const struct derived *d, size_t line)
{
    size_t low = 0, high = d->edit_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (d->edits[middle].line < line) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

void derived_program(const struct derived *d, size_t first, size_t last, struct buf *out)
{
    size_t start = out->len;
    size_t edit = first_edit(d, first);
    for (size_t i = first; i <= last;) {
        if (!d->keep[i]) {
            size_t end = i;
            while (end < last && !d->keep[end + 1]) {
                end++;
            }
            buf_addf(out, "remove_lines(%zu, %zu)\n", i, end);
            i = end + 1;
            continue;
        }
        while (edit < d->edit_count && d->edits[edit].line < i) {
            edit++;
        }
        size_t n = 0;
        while (edit + n < d->edit_count && d->edits[edit + n].line == i) {
            n++;
        }
        if (n > 0) {
            add_edits(d->lines[i], d->edits + edit, n, out);
        }
        i++;
    }
    if (out->len == start) {
        buf_add_text(out, "keep_chunk()\n");
    }
}

winnow_status derived_execute(const struct derived *d, struct str raw, struct buf *out,
                              struct winnow_error *err)
{
    struct arena scratch;
    arena_init(&scratch, (size_t)1 << 16);
    struct buf text = {0};
    derived_program(d, 0, d->count - 1, &text);
    struct program p;
    program_parse(WINNOW_DIALECT_WINNOW, buf_str(&text), &scratch, &p);
    struct edit e;
    winnow_status st = edit_start(&e, raw, &scratch, err);
    if (st == WINNOW_OK) {
        edit_apply(&e, &p, 0, e.count - 1);
        edit_result(&e, out);
    }
    for (size_t i = 0; st == WINNOW_OK && i < p.count; i++) {
        if (p.calls[i].reason) {
            st = error_set(err, WINNOW_E_INTERNAL, "line %" PRIu32 " of the program: %s",
                           p.calls[i].number, p.calls[i].reason);
        }
    }
    if (st == WINNOW_OK && p.truncated) {
        st = error_set(err, WINNOW_E_INTERNAL, "the program is longer than may be");
    }
    buf_release(&text);
    arena_release(&scratch);
    return st;
}
