/* refine_call.c -- programs in memory: executed on a text, or asked of a line model first.
 *
 * What the stage `refine` does to a document without folder, store and ledger; the tests
 * hold both against each other, document by document. */
#include "winnow/refine.h"
#include "winnow/text.h"

#include "base/json_write.h"
#include "base/mem.h"
#include "call/call_internal.h"
#include "lines/line_refiner.h"
#include "option/tables.h"
#include "program/edit.h"
#include "program/prox.h"
#include "refine/refine_lines.h"

#include <string.h>

#define SCRATCH ((size_t)1 << 16)

struct winnow_refiner {
    struct line_model *model;
    struct line_limits limits;
    struct spares readers;
};

void winnow_refined_free(struct winnow_refined *r)
{
    winnow_bytes_free(&r->text);
    winnow_bytes_free(&r->calls);
    winnow_bytes_free(&r->program);
    *r = (struct winnow_refined){0};
}

/* A text on its way. */
struct refining {
    struct str text;
    int dialect;
    struct arena keep;
    struct buf left, calls, program;
    struct json_writer log;
    struct winnow_refined *out;
};

static void log_call(struct refining *r, const struct program_call *c)
{
    struct json_writer *w = &r->log;
    json_open(w, '{');
    json_member_text(w, "call", program_op_name(c->op));
    json_member_u64(w, "line", c->number);
    if (c->op == PROGRAM_REMOVE_LINES && !c->reason) {
        json_member_u64(w, "from", c->from);
        json_member_u64(w, "to", c->to);
    }
    if (c->reason) {
        json_member_text(w, "rejected", c->reason);
    } else {
        json_member_u64(w, "matches", c->matches);
    }
    json_close(w, '}');
    r->out->calls_accepted += c->reason == NULL;
    r->out->calls_rejected += c->reason != NULL;
}

static void run_program(struct refining *r, struct edit *e, struct line_program text)
{
    struct program p;
    program_parse((enum winnow_refine_dialect)r->dialect, text.text, &r->keep, &p);
    edit_apply(e, &p, text.first, text.last < e->count ? text.last : e->count - 1);
    for (size_t i = 0; i < p.count; i++) {
        log_call(r, &p.calls[i]);
    }
    if (p.truncated) {
        log_call(r, &(struct program_call){.reason = "the rest of the program was not read"});
    }
}

static winnow_status run_strict(struct refining *r, const struct line_program *programs,
                                size_t count, struct winnow_error *err)
{
    struct edit e;
    TRY(edit_start(&e, r->text, &r->keep, err));
    for (size_t i = 0; i < count; i++) {
        run_program(r, &e, programs[i]);
    }
    r->out->lines = e.count;
    r->out->lines_removed = e.dropped ? e.count : e.lines_removed;
    r->out->changed = e.changed || e.dropped;
    r->out->kept = !e.dropped;
    if (e.changed && !e.dropped) {
        edit_result(&e, &r->left);
        r->out->kept = str_trim(buf_str(&r->left)).len > 0;
    } else if (!e.dropped) {
        buf_add_str(&r->left, r->text);
    }
    return WINNOW_OK;
}

static winnow_status run_prox(struct refining *r, struct str program, struct winnow_error *err)
{
    static const char *const NAMES[] = {"processed", "reverted", "dropped"};
    struct prox_result p;
    struct json_writer *w = &r->log;
    TRY(prox_execute(r->text, program, &r->left, &p, err));
    json_open(w, '{');
    json_member_text(w, "program", NAMES[p.verdict]);
    json_member_u64(w, "errors", p.errors);
    json_member_u64(w, "edits", p.edits);
    json_member_u64(w, "ignored", p.ignored);
    json_member_u64(w, "no_ops", p.no_ops);
    json_close(w, '}');
    r->out->kept = p.verdict != PROX_DROPPED;
    r->out->changed = !str_eq(buf_str(&r->left), r->text);
    r->out->lines = str_count_lines(r->text);
    r->out->lines_removed = p.removed;
    return WINNOW_OK;
}

static void begin(struct refining *r, struct str text, int dialect, struct winnow_refined *out)
{
    *out = (struct winnow_refined){0};
    *r = (struct refining){.text = text, .dialect = dialect, .out = out};
    r->log = (struct json_writer){.out = &r->calls};
    arena_init(&r->keep, SCRATCH);
    json_open(&r->log, '[');
}

/* Hands over what there is, or nothing where it failed. */
static winnow_status end(struct refining *r, winnow_status st)
{
    if (st == WINNOW_OK) {
        json_close(&r->log, ']');
        if (!r->out->kept) {
            buf_clear(&r->left);
        }
        r->out->text = bytes_take(&r->left);
        r->out->calls = bytes_take(&r->calls);
        r->out->program = bytes_take(&r->program);
    } else {
        *r->out = (struct winnow_refined){0};
    }
    buf_release(&r->left);
    buf_release(&r->calls);
    buf_release(&r->program);
    arena_release(&r->keep);
    return st;
}

winnow_status winnow_refine_text(const char *text, size_t len, const char *program,
                                 size_t program_len, int dialect, struct winnow_refined *out,
                                 struct winnow_error *err)
{
    struct refining r;
    const struct line_program all = {0, SIZE_MAX, call_text(program, program_len), false};
    *out = (struct winnow_refined){0};
    TRY(call_check_text(call_text(text, len), err));
    begin(&r, call_text(text, len), dialect, out);
    if (dialect < 0 || dialect > WINNOW_DIALECT_PROX) {
        return end(&r, error_set(err, WINNOW_E_USAGE, "there is no dialect %d", dialect));
    }
    return end(&r, dialect == WINNOW_DIALECT_PROX ? run_prox(&r, all.text, err)
                                                  : run_strict(&r, &all, 1, err));
}

/* ---- line models ---- */

winnow_status winnow_refiner_open(const char *options, const struct winnow_env *env,
                                  struct winnow_refiner **out, struct winnow_error *err)
{
    struct winnow_refine_options opt;
    struct refine_lines lines = {0};
    struct direct_refiner direct;
    struct arena keep;
    *out = NULL;
    arena_init(&keep, 1024);
    winnow_status st = call_options(&REFINE_TABLE, options, &opt, &keep, err);
    if (st == WINNOW_OK && opt.refiner && !refine_lines_named(opt.refiner)) {
        st = error_set(err, WINNOW_E_USAGE,
                       "%s is no line model; other refiners work through the stage `refine`",
                       opt.refiner);
    }
    if (st == WINNOW_OK) {
        st = refine_lines_open(&opt, env, &lines, &direct, err);
    }
    if (st == WINNOW_OK) {
        *out = mem_zalloc(sizeof **out);
        (*out)->model = lines.model;
        (*out)->limits = lines.limits;
        spares_init(&(*out)->readers);
    }
    arena_release(&keep);
    return st;
}

void winnow_refiner_close(struct winnow_refiner *r)
{
    if (!r) {
        return;
    }
    for (void *reader; (reader = spares_take(&r->readers)) != NULL;) {
        line_reader_free(reader);
    }
    (void)pthread_mutex_destroy(&r->readers.lock);
    line_model_free(r->model);
    mem_free(r);
}

winnow_status winnow_refiner_text(struct winnow_refiner *refiner, const char *text, size_t len,
                                  struct winnow_refined *out, struct winnow_error *err)
{
    struct refining r;
    struct line_program *programs = NULL;
    *out = (struct winnow_refined){0};
    TRY(call_check_text(call_text(text, len), err));
    begin(&r, call_text(text, len), WINNOW_DIALECT_WINNOW, out);
    struct line_reader *reader = spares_take(&refiner->readers);
    reader = reader ? reader : line_reader_new(refiner->model);
    size_t count = line_reader_programs(reader, (struct line_text){r.text, NULL}, refiner->limits,
                                        &r.keep, &programs);
    for (size_t i = 0; i < count; i++) {
        struct str program = str_trim(programs[i].text);
        buf_add_str(&r.program, program);
        buf_add_text(&r.program, program.len > 0 ? "\n" : "");
    }
    winnow_status st = run_strict(&r, programs, count, err);
    if (!spares_give(&refiner->readers, reader)) {
        line_reader_free(reader);
    }
    return end(&r, st);
}
