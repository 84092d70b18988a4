/* derive_line.c -- one raw line to one clean line by deleting spans.
 *
 * First with pieces and runs of white space as units, so that a program names
 * words rather than letters; then, where white space counts, with characters. */
#include "base/grow.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "teach/derive_internal.h"
#include "teach/words.h"

void derive_edit_add(struct derive_edits *e, uint32_t line, size_t from, size_t to)
{
    if (from == to) {
        return;
    }
    if (e->count > 0 && e->items[e->count - 1].line == line && e->items[e->count - 1].to == from) {
        e->items[e->count - 1].to = to;
        return;
    }
    GROW(e->items, e->count, e->cap, 64);
    e->items[e->count++] = (struct derived_edit){line, from, to};
}

static bool white(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

void derive_cut(struct str line, uint32_t number, size_t from, size_t to,
                struct derive_edits *edits)
{
    size_t before = from;
    while (before > 0 && white(line.ptr[before - 1])) {
        before--;
    }
    if (before == 0) {
        while (to < line.len && white(line.ptr[to])) {
            to++;
        }
    }
    derive_edit_add(edits, number, before, to);
}

/* A line as units one behind the other: unit i is bytes ends[i - 1]..ends[i]. */
struct units {
    uint32_t *numbers;
    size_t *ends;
    size_t count;
};

static size_t next_unit(struct str s, size_t at, bool characters)
{
    uint32_t code;
    size_t end = at;
    if (characters) {
        size_t n = utf8_decode(s, at, &code);
        return at + (n > 0 ? n : 1);
    }
    while (end < s.len && white(s.ptr[end])) {
        end++;
    }
    struct str piece;
    if (end == at) {
        (void)words_next(s, &end, &piece);
    }
    return end;
}

static winnow_status cut_units(struct str line, bool characters, struct map *map, struct units *out,
                               struct winnow_error *err)
{
    /* a unit has at least one byte */
    out->numbers = mem_try_alloc((line.len + 1) * sizeof *out->numbers);
    out->ends = mem_try_alloc((line.len + 1) * sizeof *out->ends);
    if (!out->numbers || !out->ends) {
        return error_set(err, WINNOW_E_NOMEM, "no memory to align a line of %zu bytes", line.len);
    }
    for (size_t at = 0; at < line.len; out->count++) {
        size_t end = next_unit(line, at, characters);
        out->numbers[out->count] = words_number(map, str_sub(line, at, end));
        out->ends[out->count] = end;
        at = end;
    }
    return WINNOW_OK;
}

static void units_release(struct units *u)
{
    mem_free(u->numbers);
    mem_free(u->ends);
}

/* The units of the raw line that have no partner, where all clean ones have. */
static bool take_spans(const struct units *u, const uint32_t *match, size_t clean_count,
                       uint32_t number, struct derive_edits *edits)
{
    size_t matched = 0;
    for (size_t i = 0; i < u->count; i++) {
        matched += match[i] != ALIGN_NONE;
    }
    if (matched != clean_count) {
        return false;
    }
    for (size_t i = 0; i < u->count; i++) {
        if (match[i] == ALIGN_NONE) {
            derive_edit_add(edits, number, i > 0 ? u->ends[i - 1] : 0, u->ends[i]);
        }
    }
    return true;
}

/* What aligning two lines holds. */
struct unit_pair {
    struct map map;
    struct units raw, clean;
    uint32_t *match;
};

static winnow_status align_units(struct unit_pair *p, struct str raw, struct str clean,
                                 bool characters, struct winnow_error *err)
{
    TRY(cut_units(raw, characters, &p->map, &p->raw, err));
    TRY(cut_units(clean, characters, &p->map, &p->clean, err));
    p->match = mem_try_alloc((p->raw.count + 1) * sizeof *p->match);
    if (!p->match) {
        return error_set(err, WINNOW_E_NOMEM, "no memory to align a line of %zu bytes", raw.len);
    }
    bool longest;
    return align((struct align_side){p->raw.numbers, p->raw.count},
                 (struct align_side){p->clean.numbers, p->clean.count}, (uint32_t)p->map.count,
                 p->match, &longest, err);
}

static winnow_status try_units(struct str raw, struct str clean, bool characters, uint32_t number,
                               struct derive_edits *edits, bool *done, struct winnow_error *err)
{
    struct unit_pair p = {0};
    winnow_status st = align_units(&p, raw, clean, characters, err);
    if (st == WINNOW_OK) {
        *done = take_spans(&p.raw, p.match, p.clean.count, number, edits);
    }
    mem_free(p.match);
    units_release(&p.raw);
    units_release(&p.clean);
    map_release(&p.map);
    return st;
}

static bool blank(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (!white(s.ptr[i])) {
            return false;
        }
    }
    return true;
}

/* Where white space does not count, an edit that only takes white space is none. */
static void drop_blank_edits(struct str raw, size_t first, struct derive_edits *edits)
{
    size_t n = first;
    for (size_t i = first; i < edits->count; i++) {
        const struct derived_edit *e = &edits->items[i];
        if (!blank(str_sub(raw, e->from, e->to))) {
            edits->items[n++] = *e;
        }
    }
    edits->count = n;
}

winnow_status derive_line(struct str raw, struct str clean, uint32_t number, bool spaces,
                          struct derive_edits *edits, bool *done, struct winnow_error *err)
{
    size_t first = edits->count;
    *done = str_eq(raw, clean);
    if (*done) {
        return WINNOW_OK;
    }
    TRY(try_units(raw, clean, false, number, edits, done, err));
    if (*done && !spaces) {
        drop_blank_edits(raw, first, edits);
    }
    return *done || !spaces ? WINNOW_OK : try_units(raw, clean, true, number, edits, done, err);
}
