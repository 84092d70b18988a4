/* refine_ask.c -- prompts made on all threads, answers written in order.
 *
 *   document()  any thread      cuts, renders, encodes: a document's requests
 *   decide()    in order        sends requests while the writer takes them, takes
 *                               answers, adds each whole document to the store
 *
 * With both levels a document is asked about first, and its chunks only once the
 * answer keeps it; meanwhile the writer works on other documents.  Which requests
 * are under way together cannot show in the answers (program_writer.h). */
#include "refine/refine_ask.h"

#include "base/env.h"
#include "base/json_write.h"
#include "base/mem.h"
#include "refine/refine_apply.h"

#include <assert.h>
#include <math.h>
#include <pthread.h>

#define BLOCK_BYTES    ((size_t)256 << 10)
#define DIRECT_BYTES   ((uint64_t)8 << 20) /* a line model's buffers for a page, measured */

#define LOOK_DOCUMENTS 4096U
#define LEFT_BEHIND    ((uint64_t)4 << 20) /* of memory that was asked with, and is not given back */

/* One program to be asked for. */
struct ask_item {
    enum program_level level;
    size_t first, last;
    struct prompt prompt; /* until it is sent */
    bool done, skipped, part;
    enum writer_outcome outcome;
    struct buf program, reason;
    uint32_t prompt_tokens, new_tokens;
    double margin;
    struct writer_tie ties[WRITER_TIES];
    size_t tie_count;
};

struct ask_doc {
    struct buf id;
    uint64_t ordinal;
    struct ask_item *items;
    size_t count, sent, done;
    struct ask_doc *next, *before; /* of all that were made */
    struct ask_doc *behind;        /* in the queue */
};

struct asking {
    struct refine_ask *a;
    struct stage *stage;
    pthread_mutex_t lock; /* of made */
    struct ask_doc *made;
    struct ask_doc *head, *tail; /* the queue: decided, not in the store */
    uint32_t queued;
    struct ask_sent {
        struct ask_doc *doc;
        size_t item;
    } * sent; /* a ring as long as the writer's window */
    uint64_t submitted, answered;
    uint64_t seen, bytes; /* documents that were queued, and of their lines */
    struct buf line;
    struct arena scratch;
    enum line_numbers numbers;
};

/* ---- documents ---- */

static struct ask_doc *doc_new(struct asking *k, struct str id, uint64_t ordinal, size_t count)
{
    struct ask_doc *d = mem_zalloc(sizeof *d);
    buf_add_str(&d->id, id);
    d->ordinal = ordinal;
    d->count = count;
    d->items = mem_zalloc(count * sizeof *d->items);
    (void)pthread_mutex_lock(&k->lock);
    d->next = k->made;
    if (d->next) {
        d->next->before = d;
    }
    k->made = d;
    (void)pthread_mutex_unlock(&k->lock);
    return d;
}

static void doc_free(struct asking *k, struct ask_doc *d)
{
    (void)pthread_mutex_lock(&k->lock);
    if (d->before) {
        d->before->next = d->next;
    } else {
        k->made = d->next;
    }
    if (d->next) {
        d->next->before = d->before;
    }
    (void)pthread_mutex_unlock(&k->lock);
    for (size_t i = 0; i < d->count; i++) {
        prompt_release(&d->items[i].prompt);
        buf_release(&d->items[i].program);
        buf_release(&d->items[i].reason);
    }
    mem_free(d->items);
    buf_release(&d->id);
    mem_free(d);
}

/* ---- document(): requests ---- */

struct ask_worker {
    struct asking *k;
    struct prompter *prompter;
    struct chunker *chunker;
    struct chunk_list chunks;
    void *direct;
    struct program_list programs;
    struct arena scratch;
};

static void *worker_new(void *state)
{
    struct asking *k = state;
    const struct refine_ask *a = k->a;
    struct ask_worker *w = mem_zalloc(sizeof *w);
    w->k = k;
    arena_init(&w->scratch, (size_t)1 << 16);
    if (a->direct) {
        w->direct = a->direct->worker_new(a->direct->state);
        return w;
    }
    struct winnow_error err;
    winnow_status st = prompter_new(a->template, a->opt->system, a->tokenizer, &w->prompter, &err);
    assert(st == WINNOW_OK); /* one was made before */
    (void)st;
    const struct chunk_options chunks = {a->opt->chunk_tokens, (enum long_lines)a->opt->long_lines,
                                         k->numbers};
    w->chunker = chunker_new(a->tokenizer, &chunks);
    return w;
}

static void worker_free(void *worker)
{
    struct ask_worker *w = worker;
    if (w->direct) {
        w->k->a->direct->worker_free(w->direct);
    }
    prompter_free(w->prompter);
    chunker_free(w->chunker);
    chunk_list_release(&w->chunks);
    program_list_release(&w->programs);
    arena_release(&w->scratch);
    mem_free(w);
}

static winnow_status ask_directly(struct ask_worker *w, const struct document *d,
                                  struct ask_doc **out, struct winnow_error *err)
{
    arena_reset(&w->scratch);
    TRY(w->k->a->direct->programs(w->direct, d, &w->scratch, &w->programs, err));
    struct ask_doc *doc = doc_new(w->k, d->id, d->ordinal, w->programs.count);
    size_t last = str_count_lines(d->text) - 1;
    for (size_t i = 0; i < doc->count; i++) {
        const struct program_text *p = &w->programs.items[i];
        struct ask_item *item = &doc->items[i];
        item->level = p->of_document ? LEVEL_DOC : LEVEL_CHUNK;
        item->first = p->first;
        item->last = p->last < last ? p->last : last;
        buf_add_str(&item->program, p->text);
        item->margin = (double)NAN;
        item->done = true;
    }
    doc->sent = doc->done = doc->count;
    *out = doc;
    return WINNOW_OK;
}

/* What the writer does not read need not wait with the request. */
static void keep_needed(const struct refine_ask *a, struct prompt *p)
{
    if (!a->texts) {
        buf_release(&p->text);
        buf_release(&p->user);
    }
}

static void ask_chunk(struct ask_worker *w, const struct chunk *c, struct ask_item *item)
{
    item->level = LEVEL_CHUNK;
    item->first = c->first;
    item->last = c->last;
    item->skipped = item->done = c->skipped;
    item->margin = (double)NAN;
    if (!c->skipped) {
        prompter_chunk(w->prompter, c, w->k->numbers, &item->prompt);
        item->part = item->prompt.cut;
        keep_needed(w->k->a, &item->prompt);
    }
}

static struct ask_doc *ask_in_words(struct ask_worker *w, const struct document *d)
{
    const struct refine_ask *a = w->k->a;
    bool document = a->opt->level != WINNOW_REFINE_CHUNK;
    w->chunks.count = 0;
    if (a->opt->level != WINNOW_REFINE_DOC) {
        chunker_cut(w->chunker, d->text, &w->chunks);
    }
    struct ask_doc *doc = doc_new(w->k, d->id, d->ordinal, w->chunks.count + document);
    if (document) {
        struct ask_item *item = &doc->items[0];
        item->level = LEVEL_DOC;
        item->last = str_count_lines(d->text) - 1;
        bool bare = a->opt->dialect == WINNOW_DIALECT_PROX;
        prompter_document(w->prompter, d->text, bare, a->doc_tokens, &item->prompt);
        item->part = item->prompt.cut;
        keep_needed(a, &item->prompt);
    }
    for (size_t i = 0; i < w->chunks.count; i++) {
        ask_chunk(w, &w->chunks.items[i], &doc->items[i + document]);
        doc->done += doc->items[i + document].done;
    }
    return doc;
}

static winnow_status ask_document(void *state, void *worker, const struct document *d,
                                  struct stage_result *r, struct winnow_error *err)
{
    struct asking *k = state;
    if (answer_store_has_passed(k->a->store, d->ordinal)) {
        return WINNOW_OK;
    }
    struct ask_doc *doc = NULL;
    if (k->a->direct) {
        TRY(ask_directly(worker, d, &doc, err));
    } else {
        doc = ask_in_words(worker, d);
    }
    r->carry[0] = (uint64_t)(uintptr_t)doc;
    r->carry[1] = d->raw.len + 1;
    return WINNOW_OK;
}

/* ---- the store ---- */

static void write_ties(const struct ask_item *item, struct json_writer *w)
{
    json_open(w, '[');
    for (size_t i = 0; i < item->tie_count; i++) {
        json_open(w, '[');
        json_u64(w, item->ties[i].at);
        json_double(w, (double)item->ties[i].margin);
        json_close(w, ']');
    }
    json_close(w, ']');
}

static void write_item(const struct ask_item *item, struct json_writer *w)
{
    static const char *const ENDS[] = {
        [WRITER_CUT] = "cut", [WRITER_LOOPED] = "loop", [WRITER_REFUSED] = "refused"};
    json_open(w, '{');
    json_member_u64(w, "first", item->first);
    json_member_u64(w, "last", item->last);
    if (item->level == LEVEL_DOC) {
        json_member_text(w, "level", "doc");
    }
    json_member_str(w, "program", buf_str(&item->program));
    if (item->skipped || item->outcome != WRITER_STOPPED) {
        json_member_text(w, "end", item->skipped ? "skipped" : ENDS[item->outcome]);
    }
    if (item->reason.len > 0) {
        json_member_str(w, "reason", buf_str(&item->reason));
    }
    if (item->part) {
        json_member_bool(w, "part", true);
    }
    if (item->prompt_tokens > 0) {
        json_member_u64(w, "prompt_tokens", item->prompt_tokens);
        json_member_u64(w, "new_tokens", item->new_tokens);
    }
    if (isfinite(item->margin)) {
        json_member_double(w, "margin", item->margin);
    }
    if (item->tie_count > 0) {
        json_key(w, "ties");
        write_ties(item, w);
    }
    json_close(w, '}');
}

/* What comes behind holds a place of each document, too, and blocks of as short lines: it is
 * said now that it will not fit, not when all have been asked for. */
static winnow_status check_room(const struct asking *k, struct winnow_error *err)
{
    uint64_t limit = stage_env(k->stage)->memory_max;
    if (limit == 0 || k->seen % LOOK_DOCUMENTS != 0) {
        return WINNOW_OK;
    }
    uint64_t least = refine_apply_least(k->stage, k->a->resident, k->bytes / k->seen);
    return memory_need(limit, "refine of as many documents",
                       least + answer_store_bytes(k->a->store) + LEFT_BEHIND,
                       "take the first with --limit", err);
}

static uint64_t store_growth(void *asking)
{
    const struct asking *k = asking;
    return answer_store_bytes(k->a->store);
}

/* Every document at the queue's head that is whole goes into the store. */
static winnow_status store_whole(struct asking *k, struct winnow_error *err)
{
    while (k->head && k->head->done == k->head->count) {
        struct ask_doc *d = k->head;
        struct json_writer w = {.out = &k->line};
        buf_clear(&k->line);
        buf_addf(&k->line, "{\"ordinal\":%llu,\"id\":", (unsigned long long)d->ordinal);
        json_quote(&k->line, buf_str(&d->id));
        buf_add_text(&k->line, ",\"chunks\":");
        json_open(&w, '[');
        for (size_t i = 0; i < d->count; i++) {
            write_item(&d->items[i], &w);
        }
        json_close(&w, ']');
        buf_add_char(&k->line, '}');
        TRY(answer_store_add(k->a->store, d->ordinal, buf_str(&k->line), err));
        k->head = d->behind;
        k->tail = k->head ? k->tail : NULL;
        k->queued--;
        doc_free(k, d);
        env_progress(stage_env(k->stage), "ask", "documents", answer_store_documents(k->a->store),
                     stage_documents(k->stage));
    }
    return WINNOW_OK;
}

/* ---- decide(): requests out, answers in ---- */

static uint32_t waiting(const struct asking *k)
{
    return (uint32_t)(k->submitted - k->answered);
}

/* A document's chunks wait until it is known to stay. */
static bool may_send(const struct ask_doc *d)
{
    return d->sent < d->count &&
           (d->sent == 0 || d->items[0].level != LEVEL_DOC || d->items[0].done);
}

static winnow_status send_item(struct asking *k, struct ask_doc *d, struct winnow_error *err)
{
    const struct winnow_refine_options *opt = k->a->opt;
    struct ask_item *item = &d->items[d->sent];
    const struct program_grammar_spec grammar = {opt->dialect, item->level, (uint32_t)item->first,
                                                 (uint32_t)item->last, PROGRAM_STRING_BYTES};
    const struct prompt *p = &item->prompt;
    const struct writer_request request = {
        .prompt = buf_str(&p->text),
        .tokens = k->a->tokenizer ? p->tokens.ptr : NULL,
        .token_count = p->tokens.len,
        .system = opt->system ? str_of(opt->system) : (struct str){"", 0},
        .user = buf_str(&p->user),
        .new_tokens = item->level == LEVEL_DOC ? REFINE_DOC_NEW_TOKENS : opt->new_tokens,
        .grammar = opt->grammar || opt->one_pass ? &grammar : NULL,
        .tag = k->submitted,
    };
    TRY(program_writer_submit(k->a->writer, &request, err));
    k->sent[k->submitted++ % program_writer_window(k->a->writer)] = (struct ask_sent){d, d->sent};
    prompt_release(&item->prompt);
    item->prompt = (struct prompt){0};
    d->sent++;
    return WINNOW_OK;
}

static winnow_status send_ready(struct asking *k, struct winnow_error *err)
{
    uint32_t window = program_writer_window(k->a->writer);
    for (struct ask_doc *d = k->head; d && waiting(k) < window; d = d->behind) {
        while (may_send(d) && waiting(k) < window) {
            if (d->items[d->sent].skipped) {
                d->sent++;
                continue;
            }
            TRY(send_item(k, d, err));
        }
    }
    return WINNOW_OK;
}

/* Chunks of a document that goes are not asked about. */
static void end_document(struct asking *k, struct ask_doc *d)
{
    arena_reset(&k->scratch);
    if (refine_document_verdict(k->a->opt->dialect, buf_str(&d->items[0].program), &k->scratch) !=
        1) {
        return;
    }
    for (size_t i = 1; i < d->count; i++) {
        prompt_release(&d->items[i].prompt);
    }
    d->count = d->done = d->sent = 1;
}

static winnow_status take_answer(struct asking *k, struct winnow_error *err)
{
    struct writer_answer answer;
    TRY(program_writer_next(k->a->writer, &answer, err));
    struct ask_sent to = k->sent[k->answered % program_writer_window(k->a->writer)];
    assert(answer.tag == k->answered);
    k->answered++;
    struct ask_item *item = &to.doc->items[to.item];
    item->outcome = answer.outcome;
    item->prompt_tokens = answer.prompt_tokens;
    item->new_tokens = answer.new_tokens;
    item->margin = answer.margin;
    item->tie_count = answer.tie_count;
    for (size_t i = 0; i < answer.tie_count; i++) {
        item->ties[i] = answer.ties[i];
    }
    if (answer.outcome == WRITER_REFUSED) {
        buf_add_str(&item->reason, answer.reason);
    } else {
        buf_add_str(&item->program, answer.text);
    }
    item->done = true;
    to.doc->done++;
    if (item->level == LEVEL_DOC) {
        end_document(k, to.doc);
    }
    return store_whole(k, err);
}

static winnow_status queue_document(void *state, struct str id, uint64_t ordinal,
                                    struct stage_result *r, struct winnow_error *err)
{
    (void)id;
    (void)ordinal;
    struct asking *k = state;
    struct ask_doc *d = (struct ask_doc *)(uintptr_t)r->carry[0]; /* NOLINT: made from a pointer */
    if (!d) {
        return WINNOW_OK; /* its programs are there */
    }
    if (k->tail) {
        k->tail->behind = d;
    } else {
        k->head = d;
    }
    k->tail = d;
    k->queued++;
    k->seen++;
    k->bytes += r->carry[1];
    TRY(check_room(k, err));
    TRY(store_whole(k, err));
    while (k->a->writer) {
        uint32_t window = program_writer_window(k->a->writer);
        TRY(send_ready(k, err));
        if (waiting(k) < window && k->queued <= window) {
            break;
        }
        TRY(take_answer(k, err));
    }
    return WINNOW_OK;
}

static winnow_status finish(struct asking *k, struct winnow_error *err)
{
    while (k->head) {
        TRY(send_ready(k, err));
        TRY(take_answer(k, err));
    }
    return answer_store_mark(k->a->store, true, err);
}

static void tell_nothing(const void *state, struct buf *out)
{
    (void)state;
    (void)out;
}

static winnow_status hear_nothing(void *state, struct str told, struct winnow_error *err)
{
    (void)state;
    (void)told;
    (void)err;
    return WINNOW_OK;
}

winnow_status refine_ask_run(struct stage *stage, struct refine_ask *a, struct winnow_error *err)
{
    struct asking k = {.a = a, .stage = stage};
    k.numbers = a->opt->dialect == WINNOW_DIALECT_ULTRAX ? LINE_NUMBERS_LID : LINE_NUMBERS_BRACKETS;
    if (a->writer) {
        k.sent = mem_zalloc(program_writer_window(a->writer) * sizeof *k.sent);
    }
    arena_init(&k.scratch, (size_t)1 << 14);
    (void)pthread_mutex_init(&k.lock, NULL);
    const struct stage_pass pass = {.name = "ask",
                                    .block_bytes = BLOCK_BYTES,
                                    .scratch_factor = 4, /* prompts: texts and tokens */
                                    .word_bytes = 64,
                                    .line_bytes = 512,
                                    .worker_bytes = a->direct ? DIRECT_BYTES : 0,
                                    .growth = store_growth,
                                    .state = &k,
                                    .worker_new = worker_new,
                                    .worker_free = worker_free,
                                    .document = ask_document,
                                    .decide = queue_document,
                                    .apart = true, /* the store is what it comes to */
                                    .tell = tell_nothing,
                                    .hear = hear_nothing};
    winnow_status st = stage_run_pass(stage, &pass, err);
    if (st == WINNOW_OK) {
        st = finish(&k, err);
    } else {
        struct winnow_error ignored; /* what was answered is kept all the same */
        if (answer_store_mark(a->store, false, &ignored) != WINNOW_OK) {
            ignored.text[0] = '\0';
        }
    }
    while (k.made) {
        doc_free(&k, k.made);
    }
    mem_free(k.sent);
    buf_release(&k.line);
    arena_release(&k.scratch);
    (void)pthread_mutex_destroy(&k.lock);
    return st;
}
