/* refine_apply.c -- finds a document's programs, executes them, says of every call
 * what became of it.
 *
 * Programs are executed on any thread, and what they came to waits (struct applied)
 * until the document's turn in order: only then does it count, because --limit may end
 * the corpus between the two.  A strict dialect is executed call by call, a refused
 * call leaving the text alone; prox is executed as its own code does, all chunks of a
 * document as one program, and wholly or not at all. */
#include "refine/refine_apply.h"

#include "base/file.h"
#include "base/mem.h"
#include "program/edit.h"
#include "program/prox.h"
#include "refine/removed_where.h"

#include <math.h>

#define CALLS_IN_LEDGER 64U /* of one document; the counts cover all */

static const char *const NO_PROGRAM = "refine.no_program";
static const char *const DROPPED = "refine.drop_doc";
static const char *const EMPTIED = "refine.nothing_left";
static const char *const EDITED = "refine.edited";
static const char *const UNKNOWN = "refine.unknown_answer";

struct apply_worker {
    struct arena scratch;
    struct buf joined; /* prox: all chunks' outputs */
    struct buf line;   /* of the store, with padding behind it */
    struct json_parser *parser;
    struct program_list list;
};

static void *worker_new(void *state)
{
    (void)state;
    struct apply_worker *w = mem_zalloc(sizeof *w);
    arena_init(&w->scratch, (size_t)1 << 20);
    w->parser = json_parser_new();
    return w;
}

static void worker_free(void *worker)
{
    struct apply_worker *w = worker;
    arena_release(&w->scratch);
    buf_release(&w->joined);
    buf_release(&w->line);
    json_parser_free(w->parser);
    program_list_release(&w->list);
    mem_free(w);
}

/* What one document came to, from document() to decide(): --limit may end the
 * corpus between the two.  Of some 250 words of the sums a document sets a dozen,
 * and there may be a hundred thousand documents in a block: only those are kept. */
struct applied {
    struct applied *next, *before;
    uint32_t count;
    struct {
        uint32_t at;
        uint32_t low, high;
    } words[];
};
#define SUMS_WORDS   (sizeof(struct refine_sums) / sizeof(uint64_t))
#define APPLIED_LINE 320U /* bytes of one, usually */
_Static_assert(sizeof(struct refine_sums) % sizeof(uint64_t) == 0, "whole words");

/* One document on its way. */
struct applying {
    struct refine_apply *state;
    struct apply_worker *worker;
    const struct document *document;
    const struct program_text *programs;
    size_t count;
    struct refine_sums *sums;
    struct stage_result *result;
};

/* ---- strict dialects ---- */

/* How many calls were accepted and rejected so far, and the list being written. */
struct call_log {
    struct json_writer json;
    uint32_t accepted, rejected, written;
    const struct page_structure *structure; /* of the document; NULL: not known */
    struct arena *scratch;
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
    json_member_text(w, "call", program_op_name(c->op));
    json_member_u64(w, "line", c->number);
    if (c->op == PROGRAM_REMOVE_LINES && !c->reason) {
        json_member_u64(w, "from", c->from);
        json_member_u64(w, "to", c->to);
        if (log->structure) {
            removed_where(log->structure, c->from, c->to, log->scratch, w);
        }
    }
    if (c->reason) {
        json_member_text(w, "rejected", c->reason);
    } else if (c->matches > 0) {
        json_member_u64(w, "matches", c->matches);
    }
    json_close(w, '}');
}

static bool is_keep_or_drop(enum program_op op)
{
    return op == PROGRAM_KEEP_DOC || op == PROGRAM_KEEP_CHUNK || op == PROGRAM_DROP_DOC ||
           op == PROGRAM_REMOVE_ALL;
}

static void run_chunk(struct applying *a, struct edit *e, const struct program_text *t,
                      struct call_log *log)
{
    struct program p;
    program_parse((enum winnow_refine_dialect)a->state->dialect, t->text, e->keep, &p);
    size_t last = t->last < e->count ? t->last : e->count - 1;
    bool said = false;
    for (size_t i = 0; t->of_document && i < p.count; i++) {
        struct program_call *c = &p.calls[i];
        if (!c->reason && !is_keep_or_drop(c->op)) {
            c->reason = "it was only asked whether to keep the document";
        }
        said = said || !c->reason;
    }
    a->sums->programs_of_documents += t->of_document;
    a->sums->unknown += t->of_document && !said;
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
    refine_sums_calls(a->sums, &p);
}

static winnow_status run_strict(struct applying *a, struct winnow_error *err)
{
    struct edit e;
    struct stage_result *r = a->result;
    TRY(edit_start(&e, a->document->text, &a->worker->scratch, err));
    buf_add_text(&r->detail, "\"calls\": ");
    struct page_structure structure;
    enum structure_state state =
        structure_of_document(a->document, &a->worker->scratch, &structure);
    a->sums->structured = state == STRUCTURE_READ;
    a->sums->stale = state == STRUCTURE_STALE;
    struct call_log log = {.json = {.out = &r->detail},
                           .structure = state == STRUCTURE_READ ? &structure : NULL,
                           .scratch = &a->worker->scratch};
    json_open(&log.json, '[');
    for (size_t i = 0; i < a->count; i++) {
        run_chunk(a, &e, &a->programs[i], &log);
    }
    json_close(&log.json, ']');
    buf_addf(&r->detail, ", \"accepted\": %u, \"rejected\": %u", log.accepted, log.rejected);
    a->sums->lines = e.count;
    a->sums->lines_removed = e.dropped ? e.count : e.lines_removed;
    a->sums->bytes_removed = e.bytes_removed;
    a->sums->bytes_added = e.bytes_added;
    r->rule = a->sums->unknown > 0 ? UNKNOWN : NULL;
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

/* ---- prox ---- */

static void judge_prox(struct applying *a, const struct prox_result *p)
{
    static const char *const NAMES[] = {"processed", "reverted", "dropped"};
    struct stage_result *r = a->result;
    buf_addf(&r->detail,
             "\"program\": \"%s\", \"errors\": %u, \"lines_removed\": %u, \"edits\": %u, "
             "\"ignored\": %u, \"no_ops\": %u",
             NAMES[p->verdict], p->errors, p->removed, p->edits, p->ignored, p->no_ops);
    a->sums->ill_formed = p->errors;
    a->sums->no_ops = p->no_ops;
    a->sums->prox_reverted = p->verdict == PROX_REVERTED;
    a->sums->lines_removed = p->removed;
    a->sums->accepted[PROGRAM_NORMALIZE] = p->edits;
    if (p->verdict == PROX_DROPPED) {
        r->verdict = STAGE_REMOVE;
        r->rule = DROPPED;
        r->score = (double)p->words_after;
    } else if (!str_eq(buf_str(&r->text), a->document->text)) {
        r->verdict = STAGE_EDIT;
        r->rule = EDITED;
    }
}

/* The document level: false where it ends here. */
static bool run_prox_document(struct applying *a)
{
    for (size_t i = 0; i < a->count; i++) {
        if (!a->programs[i].of_document) {
            continue;
        }
        a->sums->programs_of_documents++;
        a->sums->programs++;
        if (prox_drops(a->programs[i].text)) {
            buf_add_text(&a->result->detail, "\"program\": \"dropped\"");
            a->result->verdict = STAGE_REMOVE;
            a->result->rule = DROPPED;
            return false;
        }
    }
    return true;
}

static winnow_status run_prox(struct applying *a, struct winnow_error *err)
{
    struct apply_worker *w = a->worker;
    struct stage_result *r = a->result;
    size_t chunks = 0;
    a->sums->lines = str_count_lines(a->document->text);
    if (!run_prox_document(a)) {
        a->sums->lines_removed = a->sums->lines;
        return WINNOW_OK;
    }
    buf_clear(&w->joined);
    for (size_t i = 0; i < a->count; i++) {
        if (!a->programs[i].of_document) {
            buf_add_text(&w->joined, chunks > 0 ? "\n" : "");
            buf_add_str(&w->joined, a->programs[i].text);
            chunks++;
        }
    }
    a->sums->programs += chunks;
    if (chunks == 0) {
        return WINNOW_OK;
    }
    struct str rest = buf_str(&w->joined), line;
    while (str_next_line(&rest, &line)) {
        a->sums->calls += str_trim(line).len > 0;
    }
    struct prox_result result;
    winnow_status st = prox_execute(a->document->text, buf_str(&w->joined), &r->text, &result, err);
    if (st != WINNOW_OK && st != WINNOW_E_NOMEM) { /* a document or program of no use: kept */
        buf_clear(&r->text);
        buf_add_text(&r->detail, "\"program\": \"refused\", \"reason\": ");
        json_quote(&r->detail, str_of(err->text));
        a->sums->prox_refused = 1;
        return WINNOW_OK;
    }
    if (st == WINNOW_OK) {
        judge_prox(a, &result);
    }
    return st;
}

int refine_document_verdict(int dialect, struct str program, struct arena *scratch)
{
    if (dialect == WINNOW_DIALECT_PROX) {
        return prox_drops(program);
    }
    struct program p;
    program_parse((enum winnow_refine_dialect)dialect, program, scratch, &p);
    int verdict = -1;
    for (size_t i = 0; i < p.count; i++) {
        if (!p.calls[i].reason && is_keep_or_drop(p.calls[i].op)) {
            bool drops = p.calls[i].op == PROGRAM_DROP_DOC || p.calls[i].op == PROGRAM_REMOVE_ALL;
            verdict = verdict == 1 || drops;
        }
    }
    return verdict;
}

/* ---- one document ---- */

static uint64_t number_of(struct json_value chunk, const char *key)
{
    uint64_t n = 0;
    return json_as_u64(json_get(chunk, key), &n) ? n : 0;
}

/* What the store says beside the programs. */
static void count_asked(struct json_value chunks, struct refine_sums *one)
{
    for (struct json_iter it = json_walk(chunks); json_next(&it);) {
        struct str end = {"", 0};
        bool part = false;
        (void)json_as_str(json_get(it.value, "end"), &end);
        (void)json_as_bool(json_get(it.value, "part"), &part);
        one->skipped += str_is(end, "skipped");
        one->cut += str_is(end, "cut");
        one->looped += str_is(end, "loop");
        one->refusals += str_is(end, "refused");
        one->asked += !str_is(end, "skipped");
        one->shown_in_part += part;
        one->prompt_tokens += number_of(it.value, "prompt_tokens");
        one->new_tokens += number_of(it.value, "new_tokens");
    }
}

static winnow_status read_store(struct applying *a, struct winnow_error *err)
{
    struct apply_worker *w = a->worker;
    TRY(answer_store_read(a->state->store, a->document->ordinal, &w->line, err));
    if (w->line.len == 0) {
        return WINNOW_OK;
    }
    struct json_value root;
    TRY(json_parse(w->parser, buf_str(&w->line), &root, err));
    TRY(program_list_read(root, &w->list, err));
    count_asked(json_get(root, "chunks"), a->sums);
    a->programs = w->list.items;
    a->count = w->list.count;
    return WINNOW_OK;
}

static void offer_example(const struct applying *a)
{
    struct buf programs = {0};
    for (size_t i = 0; i < a->count; i++) {
        buf_add_text(&programs, i > 0 && a->programs[i].text.len > 0 ? "\n" : "");
        buf_add_str(&programs, str_trim(a->programs[i].text));
    }
    bool gone = a->result->verdict == STAGE_REMOVE;
    refine_sums_offer(a->sums, a->document->id, a->document->text,
                      gone ? (struct str){"", 0} : buf_str(&a->result->text), buf_str(&programs),
                      gone);
    buf_release(&programs);
}

static void finish(struct applying *a)
{
    const struct stage_result *r = a->result;
    bool removed = r->verdict == STAGE_REMOVE;
    size_t kept = removed ? 0 : r->verdict == STAGE_EDIT ? r->text.len : a->document->text.len;
    a->sums->documents = 1;
    a->sums->with_program = a->count > 0;
    a->sums->text_bytes = a->document->text.len;
    a->sums->text_bytes_kept = kept;
    a->sums->dropped = removed && r->rule == DROPPED;
    a->sums->emptied = removed && r->rule == EMPTIED;
    a->sums->edited = r->verdict == STAGE_EDIT;
    /* decide(), which writes the sums, never runs beside document(). */
    if (r->verdict != STAGE_KEEP && refine_sums_wants(&a->state->sums, a->document->id)) {
        offer_example(a);
    }
}

/* Keeps the words of one that are not 0; what they point to goes with them. */
static struct applied *applied_new(struct refine_apply *a, const struct refine_sums *one)
{
    uint64_t words[SUMS_WORDS];
    size_t count = 0;
    memcpy(words, one, sizeof words);
    for (size_t i = 0; i < SUMS_WORDS; i++) {
        count += words[i] != 0;
    }
    struct applied *e = mem_alloc(sizeof *e + count * sizeof e->words[0]);
    *e = (struct applied){0};
    for (uint32_t i = 0; i < SUMS_WORDS; i++) {
        if (words[i] != 0) {
            e->words[e->count].at = i;
            e->words[e->count].low = (uint32_t)words[i];
            e->words[e->count].high = (uint32_t)(words[i] >> 32);
            e->count++;
        }
    }
    (void)pthread_mutex_lock(&a->lock);
    e->next = a->pending;
    if (e->next) {
        e->next->before = e;
    }
    a->pending = e;
    (void)pthread_mutex_unlock(&a->lock);
    return e;
}

/* Out of the list, and as it was before applied_new(). */
static void applied_take(struct refine_apply *a, struct applied *e, struct refine_sums *one)
{
    uint64_t words[SUMS_WORDS] = {0};
    (void)pthread_mutex_lock(&a->lock);
    if (e->before) {
        e->before->next = e->next;
    } else {
        a->pending = e->next;
    }
    if (e->next) {
        e->next->before = e->before;
    }
    (void)pthread_mutex_unlock(&a->lock);
    for (uint32_t i = 0; i < e->count; i++) {
        words[e->words[i].at] = (uint64_t)e->words[i].high << 32 | e->words[i].low;
    }
    memcpy(one, words, sizeof *one);
    mem_free(e);
}

static winnow_status apply_document(void *state, void *worker, const struct document *d,
                                    struct stage_result *r, struct winnow_error *err)
{
    struct refine_sums sums = {0};
    struct applying a = {
        .state = state, .worker = worker, .document = d, .result = r, .sums = &sums};
    arena_reset(&a.worker->scratch);
    if (a.state->file) {
        a.count = program_file_find(a.state->file, d->id, &a.programs);
    } else {
        TRY(read_store(&a, err));
    }
    if (a.count == 0) {
        r->rule = NO_PROGRAM;
    } else if (a.state->dialect == WINNOW_DIALECT_PROX) {
        TRY(run_prox(&a, err));
    } else {
        TRY(run_strict(&a, err));
    }
    finish(&a);
    r->carry[0] = (uint64_t)(uintptr_t)applied_new(a.state, &sums);
    return WINNOW_OK;
}

/* Documents before a checkpoint pass by again on resume, so the sums are whole. */
static winnow_status add_document(void *state, struct str id, uint64_t ordinal,
                                  struct stage_result *r, struct winnow_error *err)
{
    (void)id;
    (void)ordinal;
    (void)err;
    struct refine_apply *a = state;
    struct applied *e = (struct applied *)(uintptr_t)r->carry[0]; /* NOLINT: made from a pointer */
    struct refine_sums one;
    applied_take(a, e, &one);
    refine_sums_add(&a->sums, &one);
    a->seen++;
    return WINNOW_OK;
}

static void tell_sums(const void *state, struct buf *out)
{
    const struct refine_apply *a = state;
    buf_add(out, &a->seen, sizeof a->seen);
    refine_sums_tell(&a->sums, out);
}

static winnow_status hear_sums(void *state, struct str told, struct winnow_error *err)
{
    struct refine_apply *a = state;
    uint64_t seen = 0;
    memcpy(&seen, told.ptr, told.len < sizeof seen ? 0 : sizeof seen);
    a->seen += seen;
    return refine_sums_hear(&a->sums, str_sub(told, sizeof seen, told.len), err);
}

static const struct stage_pass APPLY_PASS = {.name = "refine",
                                             .verdicts = true,
                                             .worker_new = worker_new,
                                             .worker_free = worker_free,
                                             .document = apply_document,
                                             .decide = add_document,
                                             .apart = true,
                                             .tell = tell_sums,
                                             .hear = hear_sums,
                                             .scratch_factor = 3,
                                             .word_bytes = 32,
                                             .edits = true,
                                             .ends_structure = true,
                                             .line_bytes = APPLIED_LINE};

uint64_t refine_apply_least(const struct stage *stage, uint64_t resident, uint64_t line)
{
    return stage_pass_least(stage, &APPLY_PASS, resident, line);
}

winnow_status refine_apply_run(struct stage *stage, struct refine_apply *a,
                               const struct refine_description *description,
                               struct winnow_error *err)
{
    struct stage_pass pass = APPLY_PASS;
    pass.state = a;
    struct buf path = {0};
    const char *file = file_join(&path, stage_folder(stage), "refine.json");
    stage_owns(stage, "refine.json");
    (void)pthread_mutex_init(&a->lock, NULL);
    winnow_status st = stage_run_pass(stage, &pass, err);
    if (st == WINNOW_OK && a->seen == 0) { /* an earlier life came to the end of the pass */
        pass.name = "count";
        pass.verdicts = false;
        st = stage_run_pass(stage, &pass, err);
    }
    if (st == WINNOW_OK) {
        stage_note_double(stage, "flops", refine_sums_flops(&a->sums, description));
        st = stage_leads(stage) ? refine_sums_write(&a->sums, description, file, err) : WINNOW_OK;
    }
    while (a->pending) {
        struct refine_sums one;
        applied_take(a, a->pending, &one);
        refine_sums_release(&one);
    }
    refine_sums_release(&a->sums);
    (void)pthread_mutex_destroy(&a->lock);
    buf_release(&path);
    return st;
}
