/* refine.c -- the stage `refine`: find a document's programs, execute them, say
 * of every call what became of it. */
#include "flow/refine.h"

#include "base/env.h"
#include "base/file.h"
#include "base/mem.h"
#include "option/refine_options.h"
#include "refine/edit.h"
#include "refine/program_file.h"
#include "refine/prox.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>

#define CALLS_IN_LEDGER 64U /* of one document; the counts cover all */

struct refine_state {
    const struct winnow_refine_options *opt;
    struct program_file *programs;
};

struct refine_worker {
    struct arena scratch;
    struct buf joined; /* prox: all chunks' outputs */
};

static void *worker_new(void *state)
{
    (void)state;
    struct refine_worker *w = mem_zalloc(sizeof *w);
    arena_init(&w->scratch, (size_t)1 << 20);
    return w;
}

static void worker_free(void *worker)
{
    struct refine_worker *w = worker;
    arena_release(&w->scratch);
    buf_release(&w->joined);
    mem_free(w);
}

static const char *const NO_PROGRAM = "refine.no_program";
static const char *const DROPPED = "refine.drop_doc";
static const char *const EMPTIED = "refine.nothing_left";
static const char *const EDITED = "refine.edited";

/* How many calls were accepted and rejected so far, and the list being written. */
struct call_log {
    struct json_writer json;
    uint32_t accepted, rejected, written;
};

static void log_call(struct call_log *log, const struct program_call *c)
{
    log->accepted += c->reason == NULL;
    log->rejected += c->reason != NULL;
    if (log->written++ >= CALLS_IN_LEDGER) {
        return;
    }
    struct json_writer *w = &log->json;
    json_open(w, '{');
    json_key(w, "call");
    json_text(w, program_op_name(c->op));
    json_key(w, "line");
    json_u64(w, c->number);
    if (c->op == PROGRAM_REMOVE_LINES && !c->reason) {
        json_key(w, "from");
        json_u64(w, c->from);
        json_key(w, "to");
        json_u64(w, c->to);
    }
    if (c->reason) {
        json_key(w, "rejected");
        json_text(w, c->reason);
    } else if (c->matches > 0) {
        json_key(w, "matches");
        json_u64(w, c->matches);
    }
    json_close(w, '}');
}

static void run_chunk(struct edit *e, enum program_dialect dialect, const struct program_text *t,
                      struct call_log *log)
{
    struct program p;
    program_parse(dialect, t->text, e->keep, &p);
    size_t last = t->last < e->count ? t->last : e->count - 1;
    if (t->first < e->count) {
        edit_apply(e, &p, t->first, last);
    }
    for (size_t i = 0; i < p.count; i++) {
        if (t->first >= e->count && !p.calls[i].reason) {
            p.calls[i].reason = "the chunk lies behind the document";
        }
        log_call(log, &p.calls[i]);
    }
    if (p.truncated) {
        log_call(log, &(struct program_call){.reason = "the rest of the program was not read"});
    }
}

static winnow_status run_strict(const struct refine_state *s, struct refine_worker *w,
                                const struct document *d, const struct program_text *programs,
                                size_t count, struct stage_result *r, struct winnow_error *err)
{
    struct edit e;
    TRY(edit_start(&e, d->text, &w->scratch, err));
    buf_add_text(&r->detail, "\"calls\": ");
    struct call_log log = {.json = {.out = &r->detail}};
    json_open(&log.json, '[');
    for (size_t i = 0; i < count; i++) {
        run_chunk(&e, (enum program_dialect)s->opt->dialect, &programs[i], &log);
    }
    json_close(&log.json, ']');
    buf_addf(&r->detail, ", \"accepted\": %u, \"rejected\": %u", log.accepted, log.rejected);
    if (e.dropped) {
        r->verdict = STAGE_REMOVE;
        r->rule = DROPPED;
    } else if (e.changed) {
        edit_result(&e, &r->text);
        bool empty = str_trim(buf_str(&r->text)).len == 0;
        r->verdict = empty ? STAGE_REMOVE : STAGE_EDIT;
        r->rule = empty ? EMPTIED : EDITED;
    }
    return WINNOW_OK;
}

static void judge_prox(const struct document *d, const struct prox_result *p,
                       struct stage_result *r)
{
    static const char *const NAMES[] = {"processed", "reverted", "dropped"};
    buf_addf(&r->detail,
             "\"program\": \"%s\", \"errors\": %u, \"lines_removed\": %u, \"edits\": %u, "
             "\"ignored\": %u, \"no_ops\": %u",
             NAMES[p->verdict], p->errors, p->removed, p->edits, p->ignored, p->no_ops);
    if (p->verdict == PROX_DROPPED) {
        r->verdict = STAGE_REMOVE;
        r->rule = DROPPED;
        r->score = (double)p->words_after;
    } else if (!str_eq(buf_str(&r->text), d->text)) {
        r->verdict = STAGE_EDIT;
        r->rule = EDITED;
    }
}

static winnow_status run_prox(struct refine_worker *w, const struct document *d,
                              const struct program_text *programs, size_t count,
                              struct stage_result *r, struct winnow_error *err)
{
    buf_clear(&w->joined);
    for (size_t i = 0; i < count; i++) {
        buf_add_text(&w->joined, i > 0 ? "\n" : "");
        buf_add_str(&w->joined, programs[i].text);
    }
    struct prox_result result;
    winnow_status st = prox_execute(d->text, buf_str(&w->joined), &r->text, &result, err);
    if (st != WINNOW_OK && st != WINNOW_E_NOMEM) { /* a document or program of no use: kept */
        buf_clear(&r->text);
        buf_add_text(&r->detail, "\"program\": \"refused\", \"reason\": ");
        json_quote(&r->detail, str_of(err->text));
        return WINNOW_OK;
    }
    if (st == WINNOW_OK) {
        judge_prox(d, &result, r);
    }
    return st;
}

static winnow_status refine_document(void *state, void *worker, const struct document *d,
                                     struct stage_result *r, struct winnow_error *err)
{
    const struct refine_state *s = state;
    struct refine_worker *w = worker;
    const struct program_text *programs = NULL;
    size_t count = program_file_find(s->programs, d->id, &programs);
    if (count == 0) {
        r->rule = NO_PROGRAM;
        return WINNOW_OK;
    }
    arena_reset(&w->scratch);
    if (s->opt->dialect == WINNOW_DIALECT_PROX) {
        return run_prox(w, d, programs, count, r, err);
    }
    return run_strict(s, w, d, programs, count, r, err);
}

static winnow_status refine_check(const void *options, const struct stage_plan *plan,
                                  struct winnow_error *err)
{
    (void)plan;
    const struct winnow_refine_options *opt = options;
    if (!opt->programs) {
        return error_set(err, WINNOW_E_USAGE,
                         "--programs FILE is needed: JSON lines of \"id\" and \"program\"");
    }
    if (!file_exists(opt->programs)) {
        return error_set(err, WINNOW_E_IO, "no file of programs at %s", opt->programs);
    }
    return WINNOW_OK;
}

static winnow_status refine_run(struct stage *stage, const void *options, struct winnow_error *err)
{
    struct refine_state s = {.opt = options};
    const struct winnow_env *env = stage_env(stage);
    TRY(program_file_open(s.opt->programs, env->memory_max, &s.programs, err));
    const struct stage_pass pass = {.name = "refine",
                                    .verdicts = true,
                                    .state = &s,
                                    .worker_new = worker_new,
                                    .worker_free = worker_free,
                                    .document = refine_document};
    winnow_status st = stage_run_pass(stage, &pass, err);
    stage_note_double(stage, "programs", (double)program_file_documents(s.programs));
    program_file_close(s.programs);
    return st;
}

const struct stage_kind REFINE_STAGE = {
    .table = &REFINE_TABLE,
    .check = refine_check,
    .run = refine_run,
};
