/* derive.c -- which lines and spans of a raw text go.
 *
 * Three looks, each at what the one before left open: lines that are alike,
 * pieces between them, and, where white space counts and the result is not yet
 * the clean text, the first raw line for each clean one that holds its characters
 * in order (which finds deletions whenever deletions suffice). */
#include "teach/derive.h"

#include "base/mem.h"
#include "base/utf8.h"
#include "teach/derive_internal.h"
#include "teach/words.h"

#include <assert.h>

/* Deriving from one pair. */
struct deriving {
    const struct derive_options *opt;
    struct derive_text raw, clean;
    struct derived *out;
    struct arena *keep;
    struct derive_edits edits;
    uint32_t *raw_at, *clean_at; /* lines that take part: not blank unless white space counts */
    uint32_t *match;             /* of the lines that take part */
    size_t raw_count, clean_count;
};

winnow_status derive_split(struct str text, struct arena *keep, struct derive_text *out,
                           struct winnow_error *err)
{
    out->count = str_count_lines(text);
    out->lines = arena_try_alloc(keep, out->count, sizeof *out->lines);
    if (!out->lines || out->count > ALIGN_MAX) {
        return error_set(err, WINNOW_E_NOMEM, "no memory for a document of %zu lines", out->count);
    }
    struct str rest = text;
    for (size_t i = 0; i < out->count; i++) {
        const char *newline = rest.len > 0 ? memchr(rest.ptr, '\n', rest.len) : NULL;
        size_t len = newline ? (size_t)(newline - rest.ptr) : rest.len;
        out->lines[i] = str_sub(rest, 0, len);
        rest = str_sub(rest, newline ? len + 1 : len, rest.len);
    }
    return WINNOW_OK;
}

/* The line as it is compared: byte for byte, or with its pieces one blank apart. */
static struct str comparable(struct str line, bool spaces, struct buf *out)
{
    if (spaces) {
        return line;
    }
    buf_clear(out);
    bool gap = false;
    for (size_t i = 0; i < line.len; i++) {
        bool white = line.ptr[i] == ' ' || (line.ptr[i] >= '\t' && line.ptr[i] <= '\r');
        if (!white && gap && out->len > 0) {
            buf_add_char(out, ' ');
        }
        if (!white) {
            buf_add_char(out, line.ptr[i]);
        }
        gap = white;
    }
    return buf_str(out);
}

/* Numbers of the lines that take part, and their places. */
static winnow_status number_lines(const struct derive_text *t, bool spaces, struct map *map,
                                  uint32_t **at, struct align_side *out, struct winnow_error *err)
{
    *at = mem_try_alloc(t->count * sizeof **at);
    uint32_t *numbers = mem_try_alloc(t->count * sizeof *numbers);
    out->items = numbers;
    if (!*at || !numbers) {
        return error_set(err, WINNOW_E_NOMEM, "no memory for a document of %zu lines", t->count);
    }
    struct buf text = {0};
    for (size_t i = 0; i < t->count; i++) {
        struct str line = comparable(t->lines[i], spaces, &text);
        if (spaces || line.len > 0) {
            (*at)[out->count] = (uint32_t)i;
            numbers[out->count++] = words_number(map, line);
        }
    }
    buf_release(&text);
    return WINNOW_OK;
}

static winnow_status match_lines(struct deriving *p, struct winnow_error *err)
{
    struct map map = {0};
    struct align_side a = {0}, b = {0};
    bool longest = true;
    winnow_status st = number_lines(&p->raw, p->opt->spaces, &map, &p->raw_at, &a, err);
    if (st == WINNOW_OK) {
        st = number_lines(&p->clean, p->opt->spaces, &map, &p->clean_at, &b, err);
    }
    if (st == WINNOW_OK && !(p->match = mem_try_alloc((a.count + 1) * sizeof *p->match))) {
        st = error_set(err, WINNOW_E_NOMEM, "no memory for a document of %zu lines", a.count);
    }
    if (st == WINNOW_OK) {
        st = align(a, b, (uint32_t)map.count, p->match, &longest, err);
    }
    p->raw_count = a.count;
    p->clean_count = b.count;
    p->out->bounded = p->out->bounded || !longest;
    union {
        const uint32_t *read;
        void *own;
    } items[2] = {{a.items}, {b.items}};
    mem_free(items[0].own);
    mem_free(items[1].own);
    map_release(&map);
    return st;
}

/* ---- the second look: pieces between two lines that are alike ---- */

struct piece {
    uint32_t line; /* among those that take part */
    uint32_t from, to;
    uint32_t chars;
};

struct pieces {
    struct piece *items;
    uint32_t *numbers;
    size_t count, cap;
};

/* Lines first..end-1 of those that take part, on each side. */
struct gap {
    size_t raw, raw_end, clean, clean_end;
    struct pieces a, b;
    uint32_t *match;
    size_t *clean_line_pieces; /* how many pieces each clean line has */
};

static void pieces_release(struct pieces *p)
{
    mem_free(p->items);
    mem_free(p->numbers);
}

static bool pieces_grow(struct pieces *p)
{
    size_t cap = p->cap ? 2 * p->cap : 256;
    struct piece *items = mem_try_alloc(cap * sizeof *items);
    uint32_t *numbers = mem_try_alloc(cap * sizeof *numbers);
    if (!items || !numbers) {
        mem_free(items);
        mem_free(numbers);
        return false;
    }
    if (p->count > 0) {
        memcpy(items, p->items, p->count * sizeof *items);
        memcpy(numbers, p->numbers, p->count * sizeof *numbers);
    }
    pieces_release(p);
    p->items = items;
    p->numbers = numbers;
    p->cap = cap;
    return true;
}

static winnow_status cut_pieces(struct str line, uint32_t number, struct map *map,
                                struct pieces *out, struct winnow_error *err)
{
    struct str piece;
    for (size_t at = 0; words_next(line, &at, &piece); out->count++) {
        if (out->count == out->cap && !pieces_grow(out)) {
            return error_set(err, WINNOW_E_NOMEM, "no memory to align %zu words", out->count);
        }
        out->items[out->count] = (struct piece){number, (uint32_t)(at - piece.len), (uint32_t)at,
                                                (uint32_t)words_chars(piece)};
        out->numbers[out->count] = words_number(map, piece);
    }
    return WINNOW_OK;
}

static winnow_status align_gap(const struct deriving *p, struct gap *g, struct winnow_error *err)
{
    struct map map = {0};
    winnow_status st = WINNOW_OK;
    for (size_t i = g->raw; st == WINNOW_OK && i < g->raw_end; i++) {
        st = cut_pieces(p->raw.lines[p->raw_at[i]], (uint32_t)i, &map, &g->a, err);
    }
    g->clean_line_pieces =
        mem_try_alloc((g->clean_end - g->clean + 1) * sizeof *g->clean_line_pieces);
    for (size_t i = g->clean; st == WINNOW_OK && i < g->clean_end; i++) {
        size_t before = g->b.count;
        st = cut_pieces(p->clean.lines[p->clean_at[i]], (uint32_t)i, &map, &g->b, err);
        if (g->clean_line_pieces) {
            g->clean_line_pieces[i - g->clean] = g->b.count - before;
        }
    }
    g->match = mem_try_alloc((g->a.count + 1) * sizeof *g->match);
    if (st == WINNOW_OK && (!g->match || !g->clean_line_pieces)) {
        st = error_set(err, WINNOW_E_NOMEM, "no memory to align %zu words", g->a.count);
    }
    bool longest = true;
    if (st == WINNOW_OK) {
        st = align((struct align_side){g->a.numbers, g->a.count},
                   (struct align_side){g->b.numbers, g->b.count}, (uint32_t)map.count, g->match,
                   &longest, err);
    }
    p->out->bounded = p->out->bounded || !longest;
    map_release(&map);
    return st;
}

/* What the alignment says of the pieces first..end-1 of one raw line. */
struct line_share {
    uint64_t chars, matched;
    size_t pieces_matched;
    uint32_t clean_line; /* that its first partner is of, or ALIGN_NONE */
    bool one_line;       /* all partners are of that line */
};

static struct line_share measure_line(const struct gap *g, size_t first, size_t end)
{
    struct line_share s = {.clean_line = ALIGN_NONE, .one_line = true};
    for (size_t i = first; i < end; i++) {
        s.chars += g->a.items[i].chars;
        if (g->match[i] == ALIGN_NONE) {
            continue;
        }
        uint32_t line = g->b.items[g->match[i]].line;
        s.clean_line = s.clean_line == ALIGN_NONE ? line : s.clean_line;
        s.one_line = s.one_line && line == s.clean_line;
        s.matched += g->a.items[i].chars;
        s.pieces_matched++;
    }
    return s;
}

/* The partner of the nearest piece before (at) i that has one, plus 1; 0: none. */
static size_t partner_before(const struct gap *g, size_t i)
{
    while (i > 0 && g->match[i - 1] == ALIGN_NONE) {
        i--;
    }
    return i > 0 ? (size_t)g->match[i - 1] + 1 : 0;
}

static size_t partner_behind(const struct gap *g, size_t i)
{
    while (i < g->a.count && g->match[i] == ALIGN_NONE) {
        i++;
    }
    return i < g->a.count ? g->match[i] : g->b.count;
}

/* Runs of pieces without partner go where the clean text has nothing instead. */
static void cut_runs(struct deriving *p, const struct gap *g, size_t first, size_t end)
{
    uint32_t number = p->raw_at[g->a.items[first].line];
    struct str line = p->raw.lines[number];
    for (size_t i = first; i < end;) {
        size_t run = i;
        while (run < end && g->match[run] == ALIGN_NONE) {
            run++;
        }
        if (run > i && partner_before(g, i) == partner_behind(g, run)) {
            derive_cut(line, number, g->a.items[i].from, g->a.items[run - 1].to, &p->edits);
        }
        i = run + 1;
    }
}

static winnow_status judge_gap_line(struct deriving *p, const struct gap *g, size_t first,
                                    size_t end, struct winnow_error *err)
{
    uint32_t number = p->raw_at[g->a.items[first].line];
    struct line_share s = measure_line(g, first, end);
    bool holds = s.pieces_matched > 0 && s.one_line &&
                 s.pieces_matched == g->clean_line_pieces[s.clean_line - g->clean];
    p->out->keep[number] = holds || (s.matched > 0 && 2 * s.matched >= s.chars);
    if (!p->out->keep[number]) {
        return WINNOW_OK;
    }
    p->out->covered_chars += s.matched;
    bool done = false;
    if (holds) {
        struct str clean = p->clean.lines[p->clean_at[s.clean_line]];
        TRY(derive_line(p->raw.lines[number], clean, number, p->opt->spaces, &p->edits, &done,
                        err));
    }
    if (!done) {
        cut_runs(p, g, first, end);
    }
    return WINNOW_OK;
}

static size_t bytes_of(const struct derive_text *t, const uint32_t *at, size_t from, size_t to)
{
    size_t sum = 0;
    for (size_t i = from; i < to; i++) {
        sum += t->lines[at[i]].len;
    }
    return sum;
}

static winnow_status fill_gap(struct deriving *p, struct gap g, struct winnow_error *err)
{
    if (g.raw == g.raw_end || g.clean == g.clean_end) {
        return WINNOW_OK;
    }
    if (bytes_of(&p->raw, p->raw_at, g.raw, g.raw_end) > DERIVE_GAP_MAX ||
        bytes_of(&p->clean, p->clean_at, g.clean, g.clean_end) > DERIVE_GAP_MAX) {
        p->out->bounded = true;
        return WINNOW_OK;
    }
    winnow_status st = align_gap(p, &g, err);
    for (size_t i = 0; st == WINNOW_OK && i < g.a.count;) {
        size_t end = i;
        while (end < g.a.count && g.a.items[end].line == g.a.items[i].line) {
            end++;
        }
        st = judge_gap_line(p, &g, i, end, err);
        i = end;
    }
    pieces_release(&g.a);
    pieces_release(&g.b);
    mem_free(g.match);
    mem_free(g.clean_line_pieces);
    return st;
}

/* Goes through the lines that are alike and the gaps before, between and behind. */
static winnow_status fill_plan(struct deriving *p, struct winnow_error *err)
{
    struct gap g = {0};
    for (size_t i = 0; i <= p->raw_count; i++) {
        if (i < p->raw_count && p->match[i] == ALIGN_NONE) {
            continue;
        }
        g.raw_end = i;
        g.clean_end = i < p->raw_count ? p->match[i] : p->clean_count;
        TRY(fill_gap(p, g, err));
        if (i < p->raw_count) {
            uint32_t number = p->raw_at[i];
            p->out->keep[number] = true;
            p->out->covered_chars += words_chars(p->raw.lines[number]);
        }
        g = (struct gap){.raw = i + 1, .clean = g.clean_end + 1};
    }
    return WINNOW_OK;
}

static bool is_blank(struct str line)
{
    return str_trim(line).len == 0;
}

/* A blank line stays where the line before it does and one behind it does. */
static void place_blanks(struct derived *d)
{
    size_t last = d->count;
    while (last > 0 && (is_blank(d->lines[last - 1]) || !d->keep[last - 1])) {
        last--;
    }
    bool before = false;
    for (size_t i = 0; i < d->count; i++) {
        if (is_blank(d->lines[i])) {
            d->keep[i] = before && i < last;
        } else {
            before = d->keep[i];
        }
    }
}

/* ---- the third look ---- */

/* Whether line holds the characters of clean in order. */
static bool holds_in_order(struct str line, struct str clean)
{
    size_t at = 0;
    for (size_t i = 0; i < line.len && at < clean.len;) {
        uint32_t a, b;
        size_t n = utf8_decode(line, i, &a), m = utf8_decode(clean, at, &b);
        if (n > 0 && n == m && a == b) {
            at += m;
        }
        i += n > 0 ? n : 1;
    }
    return at == clean.len;
}

static winnow_status first_fit(struct deriving *p, bool *found, struct winnow_error *err)
{
    struct derived *d = p->out;
    size_t at = 0;
    p->edits.count = 0;
    *found = true;
    memset(d->keep, 0, d->count * sizeof *d->keep);
    for (size_t i = 0; i < p->clean.count && *found; i++) {
        while (at < d->count && !holds_in_order(d->lines[at], p->clean.lines[i])) {
            at++;
        }
        *found = at < d->count;
        if (*found) {
            TRY(derive_line(d->lines[at], p->clean.lines[i], (uint32_t)at, true, &p->edits, found,
                            err));
            d->keep[at++] = true;
        }
    }
    d->covered_chars = d->clean_chars;
    return WINNOW_OK;
}

/* ---- all of it ---- */

static void take_edits(struct deriving *p)
{
    struct derived *d = p->out;
    d->edit_count = p->edits.count;
    d->edits = ARENA_NEW(p->keep, struct derived_edit, d->edit_count + 1);
    if (d->edit_count > 0) {
        memcpy(d->edits, p->edits.items, d->edit_count * sizeof *d->edits);
    }
}

static void count_removed(struct derived *d)
{
    d->removed_chars = 0;
    for (size_t i = 0; i < d->count; i++) {
        d->removed_chars += d->keep[i] ? 0 : words_chars(d->lines[i]);
    }
    for (size_t i = 0; i < d->edit_count; i++) {
        const struct derived_edit *e = &d->edits[i];
        d->removed_chars += words_chars(str_sub(d->lines[e->line], e->from, e->to));
    }
}

/* The same text: byte for byte, or piece by piece. */
static bool same_text(struct str a, struct str b, bool spaces)
{
    if (spaces) {
        return str_eq(a, b);
    }
    size_t at = 0, bt = 0;
    struct str x, y;
    for (;;) {
        bool more = words_next(a, &at, &x);
        if (more != words_next(b, &bt, &y)) {
            return false;
        }
        if (!more || !str_eq(x, y)) {
            return !more;
        }
    }
}

/* Executes the program and compares.  A program that breaks a bound of the
 * executor is not exact, that is all. */
static bool check(const struct derived *d, struct str raw, struct str clean, bool spaces)
{
    struct buf text = {0};
    struct winnow_error unused;
    bool same = derived_execute(d, raw, &text, &unused) == WINNOW_OK &&
                same_text(buf_str(&text), clean, spaces);
    buf_release(&text);
    return same;
}

static winnow_status derive(struct deriving *p, struct str raw, struct str clean,
                            struct winnow_error *err)
{
    struct derived *d = p->out;
    TRY(match_lines(p, err));
    TRY(fill_plan(p, err));
    if (!p->opt->spaces) {
        place_blanks(d);
    }
    take_edits(p);
    d->exact = check(d, raw, clean, p->opt->spaces);
    if (d->exact || !p->opt->spaces) {
        return WINNOW_OK;
    }
    bool *first = ARENA_NEW(p->keep, bool, d->count);
    memcpy(first, d->keep, d->count * sizeof *first);
    struct derived before = *d;
    bool found;
    TRY(first_fit(p, &found, err));
    take_edits(p);
    d->exact = found && check(d, raw, clean, true);
    if (!d->exact) {
        *d = before;
        d->keep = first;
    }
    return WINNOW_OK;
}

static winnow_status start(struct str raw, struct arena *keep, struct derive_text *lines,
                           struct derived *out, struct winnow_error *err)
{
    *out = (struct derived){0};
    TRY(derive_split(raw, keep, lines, err));
    out->lines = lines->lines;
    out->count = lines->count;
    out->keep = arena_try_alloc(keep, out->count, sizeof *out->keep);
    if (!out->keep) {
        return error_set(err, WINNOW_E_NOMEM, "no memory for a document of %zu lines", out->count);
    }
    out->raw_chars = words_chars(raw);
    return WINNOW_OK;
}

winnow_status derive_pair(struct str raw, struct str clean, const struct derive_options *opt,
                          struct arena *keep, struct derived *out, struct winnow_error *err)
{
    struct deriving p = {.opt = opt, .out = out, .keep = keep};
    TRY(start(raw, keep, &p.raw, out, err));
    out->clean_chars = words_chars(clean);
    winnow_status st = derive_split(clean, keep, &p.clean, err);
    if (st == WINNOW_OK) {
        st = derive(&p, raw, clean, err);
    }
    mem_free(p.raw_at);
    mem_free(p.clean_at);
    mem_free(p.match);
    mem_free(p.edits.items);
    if (st == WINNOW_OK) {
        count_removed(out);
    }
    return st;
}

winnow_status derive_labels(struct str raw, const int8_t *labels, struct arena *keep,
                            struct derived *out, struct winnow_error *err)
{
    struct derive_text lines;
    TRY(start(raw, keep, &lines, out, err));
    bool before = false;
    for (size_t i = 0; i < out->count; i++) { /* what stands before */
        before = labels[i] == 0 || labels[i] == 1 ? labels[i] == 1 : before;
        out->keep[i] = before;
    }
    bool behind = false;
    for (size_t i = out->count; i-- > 0;) { /* and behind */
        behind = labels[i] == 0 || labels[i] == 1 ? labels[i] == 1 : behind;
        out->keep[i] = out->keep[i] && behind;
    }
    place_blanks(out);
    count_removed(out);
    out->clean_chars = out->covered_chars = out->raw_chars - out->removed_chars;
    out->exact = true;
    return WINNOW_OK;
}

double derived_removal(const struct derived *d)
{
    return d->raw_chars > 0 ? (double)d->removed_chars / (double)d->raw_chars : 0;
}

double derived_share(const struct derived *d)
{
    return d->clean_chars > 0 ? (double)d->covered_chars / (double)d->clean_chars : 1;
}

bool derived_drops(const struct derived *d)
{
    return d->removed_chars == d->raw_chars;
}
