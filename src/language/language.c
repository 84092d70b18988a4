/* language.c -- the stage `language`: identify, note, keep or not.
 *
 * Attributes have a key a language, as dolma's have, with its score over the whole text or a
 * line: `"language__en": [[0, 812, 0.97]]`. */
#include "language/language.h"

#include "winnow/language.h"

#include "base/grow.h"
#include "base/json_write.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/sort.h"
#include "base/utf8.h"
#include "language/identify.h"
#include "option/tables.h"

#include <inttypes.h>
#include <math.h>

struct tally {
    uint64_t in, kept, bytes;
};

struct language {
    const struct winnow_language_options *opt;
    struct language_identifier *identifier;
    struct map codes; /* to places in tallies */
    struct tally *tallies;
    size_t tally_cap;
    uint64_t documents;
};

/* ---- a document ---- */

/* One line of the text, from..to in code points. */
struct line_guess {
    struct language_guess best;
    size_t from, to;
};

struct worker {
    struct language_scratch *scratch;
    struct line_guess *lines;
    size_t line_count, line_cap;
};

static void add_whole(const struct language_guesses *g, size_t chars, struct buf *out)
{
    for (size_t i = 0; i < g->count; i++) {
        buf_addf(out, "%s\"language__%s\": [[0, %zu, %.4g]]", out->len > 0 ? ", " : "",
                 g->best[i].code, chars, g->best[i].score);
    }
    buf_addf(out, "%s\"language__reliable\": [[0, %zu, %d]]", out->len > 0 ? ", " : "", chars,
             g->reliable);
}

static int by_code_and_place(const void *a, const void *b)
{
    const struct line_guess *x = a, *y = b;
    int order = strcmp(x->best.code, y->best.code);
    return order != 0 ? order : x->from < y->from ? -1 : x->from > y->from;
}

static void find_lines(const struct language *l, struct worker *w, struct str text)
{
    struct str rest = text, line;
    size_t at = 0;
    w->line_count = 0;
    while (str_next_line(&rest, &line)) {
        struct language_guesses g;
        size_t chars = utf8_count(line);
        language_identify(l->identifier, w->scratch, line, &g);
        if (g.count > 0) {
            GROW(w->lines, w->line_count, w->line_cap, 64);
            w->lines[w->line_count++] = (struct line_guess){g.best[0], at, at + chars};
        }
        at += chars + 1;
    }
    sort(w->lines, w->line_count, sizeof *w->lines, by_code_and_place);
}

static void add_lines(const struct language *l, struct worker *w, struct str text, struct buf *out)
{
    find_lines(l, w, text);
    for (size_t i = 0; i < w->line_count; i++) {
        const struct line_guess *g = &w->lines[i];
        bool same = i > 0 && strcmp(g->best.code, w->lines[i - 1].best.code) == 0;
        if (!same) {
            buf_addf(out, "%s, \"language_line__%s\": [", i > 0 ? "]" : "", g->best.code);
        }
        buf_addf(out, "%s[%zu, %zu, %.4g]", same ? ", " : "", g->from, g->to, g->best.score);
    }
    buf_add_text(out, w->line_count > 0 ? "]" : "");
}

static bool is_kept(const struct winnow_language_options *o, const char *code)
{
    for (size_t i = 0; i < o->keep.count; i++) {
        if (strcmp(o->keep.items[i], code) == 0) {
            return true;
        }
    }
    return o->keep.count == 0;
}

static void judge(const struct winnow_language_options *o, const struct language_guesses *g,
                  struct stage_result *r)
{
    const char *code = g->count > 0 ? g->best[0].code : LANGUAGE_UNKNOWN;
    double score = g->count > 0 ? g->best[0].score : 0;
    if (!is_kept(o, code)) {
        r->rule = g->count > 0 ? "language.other" : "language.unknown";
    } else if (score < o->score_min) {
        r->rule = "language.score";
        r->threshold = o->score_min;
    } else if (o->reliable && !g->reliable) {
        r->rule = "language.unreliable";
    }
    r->verdict = r->rule ? STAGE_REMOVE : STAGE_KEEP;
    r->score = score;
    buf_addf(&r->detail, "\"language\": \"%s\", \"reliable\": %s", code,
             g->reliable ? "true" : "false");
    memcpy(r->carry, code, strlen(code) + 1);
}

static winnow_status identify_document(void *state, void *worker, const struct document *d,
                                       struct stage_result *r, struct winnow_error *err)
{
    (void)err;
    const struct language *l = state;
    struct worker *w = worker;
    struct language_guesses g;
    _Static_assert(LANGUAGE_CODE <= 3 * sizeof r->carry[0], "a code fits");
    language_identify(l->identifier, w->scratch, d->text, &g);
    if (l->opt->annotate) {
        add_whole(&g, utf8_count(d->text), &r->attributes[0]);
    }
    if (l->opt->lines) {
        add_lines(l, w, d->text, &r->attributes[0]);
    }
    judge(l->opt, &g, r);
    r->carry[3] = d->text.len;
    return WINNOW_OK;
}

/* ---- shares ---- */

static struct tally *tally_of(struct language *l, struct str code)
{
    bool is_new = false;
    uint64_t *at = map_put(&l->codes, code, &is_new);
    if (is_new) {
        *at = l->codes.count - 1;
        GROW(l->tallies, *at, l->tally_cap, 64);
        l->tallies[*at] = (struct tally){0};
    }
    return &l->tallies[*at];
}

static winnow_status count_document(void *state, struct str id, uint64_t ordinal,
                                    struct stage_result *r, struct winnow_error *err)
{
    (void)id;
    (void)ordinal;
    (void)err;
    struct language *l = state;
    struct tally *t = tally_of(l, str_of((const char *)r->carry));
    t->in++;
    t->kept += r->verdict == STAGE_KEEP;
    t->bytes += r->carry[3];
    l->documents++;
    return WINNOW_OK;
}

/* A code, NUL, and its tally; the documents are their sum. */
static void tell_tallies(const void *state, struct buf *out)
{
    const struct language *l = state;
    for (size_t i = 0; i < l->codes.count; i++) {
        buf_add_str(out, l->codes.entries[i].key);
        buf_add_char(out, '\0');
        buf_add(out, &l->tallies[l->codes.entries[i].value], sizeof *l->tallies);
    }
}

static winnow_status hear_tallies(void *state, struct str told, struct winnow_error *err)
{
    struct language *l = state;
    while (told.len > 0) {
        size_t len = str_find(told, (struct str){"", 1});
        struct tally t;
        if (len == SIZE_MAX || told.len - len - 1 < sizeof t) {
            return error_set(err, WINNOW_E_INTERNAL, "language: another rank's tallies break off");
        }
        memcpy(&t, told.ptr + len + 1, sizeof t);
        struct tally *mine = tally_of(l, str_sub(told, 0, len));
        mine->in += t.in;
        mine->kept += t.kept;
        mine->bytes += t.bytes;
        l->documents += t.in;
        told = str_sub(told, len + 1 + sizeof t, told.len);
    }
    return WINNOW_OK;
}

static int by_name(const void *a, const void *b)
{
    return str_cmp((*(const struct map_entry *const *)a)->key,
                   (*(const struct map_entry *const *)b)->key);
}

/* {"de": {"in": 3, "kept": 0, "text_bytes": 812}, ...} */
static void note_languages(const struct language *l, struct stage *stage)
{
    struct buf text = {0};
    struct json_writer w = {.out = &text};
    const struct map_entry **order = mem_alloc((l->codes.count + 1) * sizeof *order);
    for (size_t i = 0; i < l->codes.count; i++) {
        order[i] = &l->codes.entries[i];
    }
    sort(order, l->codes.count, sizeof *order, by_name);
    json_open(&w, '{');
    for (size_t i = 0; i < l->codes.count; i++) {
        const struct tally *t = &l->tallies[order[i]->value];
        json_key_str(&w, order[i]->key);
        json_open(&w, '{');
        json_member_u64(&w, "in", t->in);
        json_member_u64(&w, "kept", t->kept);
        json_member_u64(&w, "text_bytes", t->bytes);
        json_close(&w, '}');
    }
    json_close(&w, '}');
    stage_note(stage, "languages", buf_str(&text));
    mem_free(order);
    buf_release(&text);
}

/* ---- the stage ---- */

static void *worker_new(void *state)
{
    struct worker *w = mem_zalloc(sizeof *w);
    w->scratch = language_scratch_new(((struct language *)state)->identifier);
    return w;
}

static void worker_free(void *worker)
{
    struct worker *w = worker;
    language_scratch_free(w->scratch);
    mem_free(w->lines);
    mem_free(w);
}

static winnow_status open_identifier(const struct winnow_language_options *o,
                                     struct language_identifier **out, struct winnow_error *err)
{
    if (o->lines && !o->annotate) {
        return error_set(err, WINNOW_E_USAGE,
                         "--lines notes the language of each line: it needs --annotate");
    }
    if (o->reliable && o->model) {
        return error_set(err, WINNOW_E_USAGE,
                         "--reliable is CLD2's word; of a model ask for --score-min");
    }
    TRY(language_identifier_new(o->model, out, err));
    for (size_t i = 0; i < o->keep.count; i++) {
        TRY(language_check_code(*out, o->keep.items[i], err));
    }
    return WINNOW_OK;
}

static winnow_status language_check(const void *options, const struct stage_plan *plan,
                                    struct winnow_error *err)
{
    (void)plan;
    struct language_identifier *identifier = NULL;
    winnow_status st = open_identifier(options, &identifier, err);
    language_identifier_free(identifier);
    return st;
}

static winnow_status run_pass(struct stage *stage, struct language *l, struct winnow_error *err)
{
    static const char *const ATTRIBUTES[] = {"language", NULL};
    TRY(open_identifier(l->opt, &l->identifier, err));
    struct stage_pass pass = {.name = "language",
                              .verdicts = true,
                              .attributes = l->opt->annotate ? ATTRIBUTES : NULL,
                              .state = l,
                              .worker_new = worker_new,
                              .worker_free = worker_free,
                              .document = identify_document,
                              .decide = count_document,
                              .apart = true,
                              .tell = tell_tallies,
                              .hear = hear_tallies,
                              .scratch_factor = 3,
                              .word_bytes = 64};
    TRY(stage_run_pass(stage, &pass, err));
    if (l->documents == 0 && stage_documents(stage) > 0) { /* an earlier life did the pass */
        pass.name = "count";
        pass.verdicts = false;
        pass.attributes = NULL;
        TRY(stage_run_pass(stage, &pass, err));
    }
    note_languages(l, stage);
    return WINNOW_OK;
}

static winnow_status language_run(struct stage *stage, const void *options,
                                  struct winnow_error *err)
{
    struct language l = {.opt = options};
    winnow_status st = run_pass(stage, &l, err);
    language_identifier_free(l.identifier);
    map_release(&l.codes);
    mem_free(l.tallies);
    return st;
}

/* A document is judged by itself, and counts add up. */
static bool over_ranks(const void *options)
{
    (void)options;
    return true;
}

const struct stage_kind LANGUAGE_STAGE = {
    .table = &LANGUAGE_TABLE,
    .check = language_check,
    .run = language_run,
    .over_ranks = over_ranks,
};
