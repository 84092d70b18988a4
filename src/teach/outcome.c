/* outcome.c -- a page after its program, or after any tool, beside what was wanted.
 *
 * Our own programs say which lines went.  Of other tools only the text is there: it is
 * aligned with the page (teach/derive.h), and lines that deletions leave are kept.  Gold
 * texts are turned into labels the same way, so all tools are judged by one measure. */
#include "teach/outcome.h"

#include "program/edit.h"
#include "program/prox.h"
#include "teach/words.h"

static winnow_status start(size_t count, struct arena *keep, struct outcome *out,
                           struct winnow_error *err)
{
    *out = (struct outcome){.count = count};
    out->kept = arena_try_alloc(keep, count, sizeof *out->kept);
    out->left = arena_try_alloc(keep, count, sizeof *out->left);
    if (!out->kept || !out->left) {
        return error_set(err, WINNOW_E_NOMEM, "no memory for a document of %zu lines", count);
    }
    return WINNOW_OK;
}

/* The text that a finished buffer holds, copied. */
static struct str keep_text(struct buf *text, struct arena *keep)
{
    struct str copy = {arena_strndup(keep, text->len > 0 ? text->ptr : "", text->len), text->len};
    buf_release(text);
    return copy;
}

static void run_chunk(struct edit *e, enum winnow_refine_dialect dialect,
                      const struct program_text *t, struct outcome *out)
{
    struct program p;
    program_parse(dialect, t->text, e->keep, &p);
    size_t last = t->last < e->count ? t->last : e->count - 1;
    if (t->first < e->count) {
        edit_apply(e, &p, t->first, last);
    }
    out->calls += p.count + p.truncated;
    out->ill_formed += p.rejected + p.truncated;
    size_t refused = t->first >= e->count ? p.count : 0; /* behind the document: all of them */
    for (size_t i = 0; t->first < e->count && i < p.count; i++) {
        refused += p.calls[i].reason != NULL;
    }
    out->rejected += refused - p.rejected;
}

static winnow_status run_strict(struct str raw, enum winnow_refine_dialect dialect,
                                const struct program_text *programs, size_t count,
                                struct arena *keep, struct outcome *out, struct winnow_error *err)
{
    struct edit e;
    TRY(edit_start(&e, raw, keep, err));
    TRY(start(e.count, keep, out, err));
    for (size_t i = 0; i < count; i++) {
        run_chunk(&e, dialect, &programs[i], out);
    }
    struct buf text = {0};
    if (!e.dropped) {
        edit_result(&e, &text);
    }
    for (size_t i = 0; i < e.count; i++) {
        out->kept[i] = !e.dropped && !e.lines[i].removed;
        out->left[i] = out->kept[i] ? words_chars(e.lines[i].now) : 0;
    }
    out->text = keep_text(&text, keep);
    return WINNOW_OK;
}

/* Lines of a prox program that are no calls but mean "leave it". */
static uint64_t count_keeps(struct str program, uint64_t *calls)
{
    uint64_t keeps = 0;
    struct str line;
    while (str_next_line(&program, &line)) {
        line = str_trim(line);
        *calls += line.len > 0;
        keeps += str_starts(line, STR_LIT("untouch_doc")) || str_starts(line, STR_LIT("keep_"));
    }
    return keeps;
}

static winnow_status run_prox(struct str raw, const struct program_text *programs, size_t count,
                              struct arena *keep, struct outcome *out, struct winnow_error *err)
{
    struct buf joined = {0}, text = {0};
    for (size_t i = 0; i < count; i++) {
        buf_add_text(&joined, i > 0 ? "\n" : "");
        buf_add_str(&joined, programs[i].text);
    }
    struct prox_result r = {0};
    winnow_status st = prox_execute(raw, buf_str(&joined), &text, &r, err);
    uint64_t calls = 0, keeps = count_keeps(buf_str(&joined), &calls);
    buf_release(&joined);
    if (st == WINNOW_E_NOMEM) {
        buf_release(&text);
        return st;
    }
    bool refused = st != WINNOW_OK;
    st = outcome_of_text(raw, refused ? raw : buf_str(&text), keep, out, err);
    buf_release(&text);
    out->calls = calls;
    out->ill_formed = r.errors;
    out->rejected = refused ? calls : 0;
    out->silent = refused ? 0 : r.no_ops + (r.ignored > keeps ? r.ignored - keeps : 0);
    return st;
}

winnow_status outcome_of_programs(struct str raw, int dialect, const struct program_text *programs,
                                  size_t count, struct arena *keep, struct outcome *out,
                                  struct winnow_error *err)
{
    if (dialect == WINNOW_DIALECT_PROX && count > 0) {
        TRY(run_prox(raw, programs, count, keep, out, err));
    } else {
        enum winnow_refine_dialect d = dialect == WINNOW_DIALECT_PROX
                                           ? WINNOW_DIALECT_WINNOW
                                           : (enum winnow_refine_dialect)dialect;
        TRY(run_strict(raw, d, programs, count, keep, out, err));
    }
    out->has_program = count > 0;
    return WINNOW_OK;
}

winnow_status outcome_of_text(struct str raw, struct str text, struct arena *keep,
                              struct outcome *out, struct winnow_error *err)
{
    const struct derive_options opt = {.spaces = false};
    struct derived d;
    TRY(derive_pair(raw, text, &opt, keep, &d, err));
    TRY(start(d.count, keep, out, err));
    for (size_t i = 0; i < d.count; i++) {
        out->kept[i] = d.keep[i];
        out->left[i] = d.keep[i] ? words_chars(d.lines[i]) : 0;
    }
    for (size_t i = 0; i < d.edit_count; i++) {
        const struct derived_edit *e = &d.edits[i];
        out->left[e->line] -= words_chars(str_sub(d.lines[e->line], e->from, e->to));
    }
    out->text = (struct str){arena_strndup(keep, text.len > 0 ? text.ptr : "", text.len), text.len};
    return WINNOW_OK;
}

/* 1 where the gold text keeps a line, 0 where not, -1 where no words are. */
static winnow_status labels_from_text(struct str raw, struct str clean, struct arena *keep,
                                      const int8_t **out, struct winnow_error *err)
{
    const struct derive_options opt = {.spaces = false};
    struct derived d;
    TRY(derive_pair(raw, clean, &opt, keep, &d, err));
    int8_t *labels = arena_try_alloc(keep, d.count, 1);
    if (!labels) {
        return error_set(err, WINNOW_E_NOMEM, "no memory for a document of %zu lines", d.count);
    }
    for (size_t i = 0; i < d.count; i++) {
        labels[i] = words_any(d.lines[i]) ? d.keep[i] : -1;
    }
    *out = labels;
    return WINNOW_OK;
}

static bool keeps_a_line(const struct pair *p)
{
    for (size_t i = 0; p->labels && i < p->lines; i++) {
        if (p->labels[i] == 1) {
            return true;
        }
    }
    return false;
}

winnow_status outcome_beside_gold(const struct pair *p, const struct outcome *o, struct arena *keep,
                                  struct measure_page *out, struct winnow_error *err)
{
    if (!p->drop && !p->clean.ptr && !p->labels) {
        return error_set(err, WINNOW_E_FORMAT,
                         "nothing is known of the page: a string \"clean\" or \"gold\", an array "
                         "\"label\" or \"drop\": true is needed");
    }
    *out = (struct measure_page){.labels = p->labels,
                                 .gold = p->drop ? STR_LIT("") : p->clean,
                                 .kept = o->kept,
                                 .left = o->left,
                                 .result = o->text};
    struct str *lines = arena_try_alloc(keep, p->lines, sizeof *lines);
    if (!lines) {
        return error_set(err, WINNOW_E_NOMEM, "no memory for a document of %zu lines", p->lines);
    }
    struct str rest = p->raw;
    for (size_t i = 0; i < p->lines; i++) {
        const char *newline = rest.len > 0 ? memchr(rest.ptr, '\n', rest.len) : NULL;
        size_t len = newline ? (size_t)(newline - rest.ptr) : rest.len;
        lines[i] = str_sub(rest, 0, len);
        rest = str_sub(rest, newline ? len + 1 : len, rest.len);
    }
    out->lines = lines;
    out->count = p->lines;
    if (p->drop || !p->labels) {
        TRY(labels_from_text(p->raw, out->gold, keep, &out->labels, err));
    }
    out->gold_drops = out->gold.ptr ? words_chars(out->gold) == 0 : !keeps_a_line(p);
    return WINNOW_OK;
}

winnow_status outcome_measure(const struct pair *p, const struct outcome *o, struct arena *keep,
                              struct measure_sums *out, struct winnow_error *err)
{
    struct measure_page page;
    TRY(outcome_beside_gold(p, o, keep, &page, err));
    measure_page(&page, keep, out);
    out->n[COUNT_PROGRAMS] = o->has_program;
    out->n[COUNT_CALLS] = o->calls;
    out->n[COUNT_CALLS_ILL_FORMED] = o->ill_formed;
    out->n[COUNT_CALLS_REJECTED] = o->rejected;
    out->n[COUNT_CALLS_SILENT] = o->silent;
    return WINNOW_OK;
}
