/* pass.c -- the driver: blocks in, files out, in order, with checkpoints.
 *
 *   batch n:    read (threads) ─► settle (in order) ─► compose (threads) ─► append (a thread a
 * file) batch n+1:  fill (one thread), beside read of batch n
 *
 * A batch is some blocks, as many as keep the threads busy and --memory allows;
 * where they may not all be at work at once they are so in turns (gate_internal.h).
 * Blocks are cut by the data alone, and each block is a frame of its own in every
 * file, so neither the batch, nor the turns, nor the threads show in the output.
 * See job_internal.h for the phases and checkpoint.c for what a kill leaves. */
#include "base/env.h"
#include "base/file.h"
#include "base/mem.h"
#include "run/pass_internal.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#define BLOCK_BYTES  ((size_t)4 << 20)  /* of a block, where the pass does not say */
#define SOURCE_ROOM  ((size_t)1 << 30)  /* with less, files are read and converted in turns */
#define WINDOW_LEAST ((size_t)16 << 20) /* of zstd, allowed in any case: a frame of ours */

static void *worker_new(const struct pass *p)
{
    void *(*make)(void *) = p->feed.source ? p->feed.source->worker_new : p->how->worker_new;
    return make ? make(p->feed.source ? p->feed.source->state : p->how->state) : NULL;
}

static void make_worker(struct pass *p, struct job_worker *w)
{
    const struct winnow_corpus_options *corpus = p->stage->run->corpus;
    const struct document_keys keys = {corpus->text_key, corpus->id_key};
    w->parser = block_parser_new(&keys);
    w->own = worker_new(p);
}

static void release_worker(struct pass *p, struct job_worker *w)
{
    if (p->feed.source && p->feed.source->worker_free && w->own) {
        p->feed.source->worker_free(w->own);
        w->own = NULL;
    }
    job_worker_release(w, p->how);
}

static void release(struct pass *p)
{
    feed_close(&p->feed);
    outputs_close(&p->outputs);
    for (size_t i = 0; p->now && p->next && i < p->job_count; i++) {
        if (p->feed.source && p->feed.source->release) {
            p->feed.source->release(p->feed.source->state, &p->now[i].piece);
            p->feed.source->release(p->feed.source->state, &p->next[i].piece);
        }
        job_release(&p->now[i]);
        job_release(&p->next[i]);
    }
    mem_free(p->now);
    mem_free(p->next);
    for (uint32_t i = 0; p->workers && i < pool_threads(p->stage->run->pool); i++) {
        release_worker(p, &p->workers[i]);
    }
    mem_free(p->workers);
    stage_result_release(&p->scratch);
    counts_release(&p->counts);
    account_release(&p->account);
}

/* After a large document: its scratch would be kept for small ones. */
static void renew_workers(struct pass *p)
{
    for (uint32_t i = 0; i < pool_threads(p->stage->run->pool); i++) {
        if (p->workers[i].longest > p->gate.scratch_max) {
            release_worker(p, &p->workers[i]);
            make_worker(p, &p->workers[i]);
        }
    }
}

static unsigned count_streams(const struct pass *p, unsigned *attributes)
{
    unsigned n = 0;
    *attributes = 0;
    for (unsigned i = 0; i < STREAMS; i++) {
        n += p->outputs.wanted[i];
        *attributes += p->outputs.wanted[i] && i >= STREAM_ATTRIBUTES;
    }
    return n;
}

/* Asked by the reader of the next batch, before it holds a longer line. */
static bool may_hold(void *ctx, size_t bytes)
{
    const struct pass *p = ctx;
    if (!p->working && p->next_filled == 0) {
        return true; /* nothing else is on its way */
    }
    struct line_budget line = gate_line_budget(&p->gate);
    return p->held + bytes <= p->gate.held_max &&
           (uint64_t)((double)bytes * line.per_byte) + p->gate.held_max <= p->gate.room;
}

static winnow_status plan_memory(struct pass *p, struct winnow_error *err)
{
    struct run *run = p->stage->run;
    unsigned attributes = 0, streams = count_streams(p, &attributes);
    uint64_t window = run->env->memory_max > 0 ? feed_window(&p->feed) : 0;
    const struct gate_needs needs = {
        .limit = run->env->memory_max,
        .window = window > 0 && window < WINDOW_LEAST ? WINDOW_LEAST : window,
        .threads = pool_threads(run->pool),
        .streams = streams,
        .block_max = p->how->block_bytes > 0 ? p->how->block_bytes : BLOCK_BYTES,
        .scratch = p->how->scratch_factor,
        .word_bytes = p->how->word_bytes,
        .edits = p->how->edits,
        .attributes = attributes,
        .line_bytes = p->how->line_bytes,
        .worker_bytes = p->how->worker_bytes,
    };
    TRY(gate_init(&p->gate, &needs, p->stage->kind->table->command, err));
    p->feed.may_hold = may_hold;
    p->feed.may_hold_ctx = p;
    p->feed.budget = gate_line_budget(&p->gate);
    if (needs.limit > 0) {
        p->feed.window_max = needs.window > WINDOW_LEAST ? 2 * needs.window : WINDOW_LEAST;
        uint64_t fits = line_budget_fits(&p->feed.budget);
        env_log(run->env, WINNOW_LOG_DEBUG,
                "memory: of %" PRIu64 " MB, %" PRIu64
                " for blocks on their way; lines up to %" PRIu64 " MB fit",
                needs.limit >> 20, p->gate.room >> 20, fits >> 20);
    }
    return WINNOW_OK;
}

/* Two blocks a thread keep all busy. */
static winnow_status make_jobs(struct pass *p, struct winnow_error *err)
{
    uint32_t threads = pool_threads(p->stage->run->pool);
    p->workers = mem_zalloc(threads * sizeof *p->workers);
    for (uint32_t i = 0; i < threads; i++) {
        make_worker(p, &p->workers[i]);
    }
    TRY(plan_memory(p, err));
    p->job_count = (size_t)threads * 2;
    p->now = mem_zalloc(p->job_count * sizeof *p->now);
    p->next = mem_zalloc(p->job_count * sizeof *p->next);
    return WINNOW_OK;
}

/* Whether another block of the usual size may wait. */
static bool has_room(const struct pass *p)
{
    uint64_t more = p->held + p->gate.needs.block_max;
    return p->next_filled == 0 || (more <= p->gate.held_max && more + p->dearest <= p->gate.room);
}

static void fill_next(struct pass *p)
{
    p->next_filled = 0;
    p->held = 0;
    p->fill_status = WINNOW_OK;
    while (p->next_filled < p->job_count && p->fill_status == WINNOW_OK && has_room(p)) {
        struct job *job = &p->next[p->next_filled];
        bool waits = false;
        if (p->feed.source && p->feed.source->release) {
            p->feed.source->release(p->feed.source->state, &job->piece);
        }
        job->piece = (struct source_block){0};
        job_clear(job);
        job->foreign = p->stage->first;
        job->most = UINT64_MAX;
        job->ordinal_end = p->stage->ordinals > 0 ? p->stage->ordinals : UINT64_MAX;
        p->fill_status = feed_fill(&p->feed, job, &waits, &p->fill_error);
        if (waits) {
            return;
        }
        if (p->fill_status == WINNOW_OK) {
            p->next_filled++;
            if (job->end) {
                return;
            }
            gate_measure(&p->gate, job);
            uint64_t cost = gate_cost(&p->gate, job);
            p->dearest = cost > p->dearest ? cost : p->dearest;
            p->held += p->feed.source ? job->piece.held : job->block.lines.len;
        }
    }
}

/* Piece 0 fills the next batch; the others read the blocks of this one. */
static void read_piece(void *ctx, size_t piece, uint32_t worker)
{
    struct pass *p = ctx;
    if (piece == 0) {
        if (p->fills) {
            fill_next(p);
        }
        return;
    }
    struct job *job = &p->now[p->from + piece - 1];
    if (p->feed.source) {
        job_convert(job, p->feed.source, &p->workers[worker]);
    } else {
        job_read(job, p->how, &p->workers[worker]);
    }
}

static void compose_piece(void *ctx, size_t piece, uint32_t worker)
{
    (void)worker;
    struct pass *p = ctx;
    job_compose(&p->now[p->from + piece], p->how, p->stage->name, p->outputs.wanted);
}

static winnow_status refuse_bad(const struct job *job, const struct record *r,
                                struct winnow_error *err)
{
    struct str reason = job_view(job, r->detail);
    if (!job->shard) { /* of a source: the file is named with the record */
        struct str file = job_view(job, r->id);
        return error_set(err, WINNOW_E_FORMAT, "%.*s: %.*s", STR_ARG(file), STR_ARG(reason));
    }
    return error_set(err, WINNOW_E_FORMAT, "%s:%" PRIu64 ": %.*s", job->shard, r->number,
                     STR_ARG(reason));
}

/* In order: what depends on the documents before. */
static winnow_status settle(struct pass *p, struct job *job, struct winnow_error *err)
{
    const struct winnow_corpus_options *corpus = p->stage->run->corpus;
    uint64_t limit = p->stage->first ? corpus->limit : 0;
    TRY(job->status == WINNOW_OK ? WINNOW_OK : error_set(err, job->status, "%s", job->error.text));
    for (size_t i = 0; i < job->count; i++) {
        struct record *r = &job->records[i];
        r->dropped = p->full;
        if (r->dropped) {
            continue;
        }
        if (r->bad && corpus->on_bad == WINNOW_ON_BAD_STOP) {
            return refuse_bad(job, r, err);
        }
        if (!r->bad) {
            p->seen++;
            p->full = limit > 0 && p->seen >= limit;
            p->ordinal_end = r->ordinal + 1;
        }
    }
    if (p->how->decide) {
        TRY(job_decide(job, p->how, &p->scratch, err));
    }
    return WINNOW_OK;
}

/* Before the checkpoint on resume: decide() has seen it, the files have it. */
static bool is_replay(const struct pass *p, const struct job *job)
{
    return job->start.file < p->replay_file ||
           (job->start.file == p->replay_file && job->start.offset < p->replay_offset);
}

static const char *next_shard_name(struct pass *p, const struct job *job)
{
    if (!p->feed.source) {
        return job->shard;
    }
    (void)snprintf(p->shard_name, sizeof p->shard_name, "%05" PRIu64 "%s", p->shard_number,
                   p->extension);
    return p->shard_name;
}

static winnow_status open_shard(struct pass *p, const struct job *job, struct winnow_error *err)
{
    if (!p->open) {
        TRY(outputs_open(&p->outputs, next_shard_name(p, job), (struct json_value){0}, err));
        p->open = true;
        p->shard_number++;
    }
    return WINNOW_OK;
}

struct append {
    struct pass *p;
    size_t from, to; /* jobs of one shard */
    winnow_status status[STREAMS];
    struct winnow_error errors[STREAMS];
};

static void append_stream(void *ctx, size_t stream, uint32_t worker)
{
    (void)worker;
    struct append *a = ctx;
    for (size_t i = a->from; i < a->to && a->status[stream] == WINNOW_OK; i++) {
        const struct job *job = &a->p->now[i];
        a->status[stream] =
            outputs_add(&a->p->outputs, (enum stream)stream, buf_str(&job->lines[stream]),
                        job->line_counts[stream], &a->errors[stream]);
    }
}

/* Where a record stands: the shard, or of a source the file named with it. */
static struct str input_of(const struct job *job, const struct record *r)
{
    return job->shard ? str_of(job->shard) : job_view(job, r->id);
}

/* What the account of the stage will have to say of the job's bad records. */
static void note_bad(struct pass *p, const struct job *job)
{
    struct buf text = {0};
    for (size_t i = 0; i < job->count; i++) {
        const struct record *r = &job->records[i];
        if (!r->bad || r->dropped) {
            continue;
        }
        struct str input = input_of(job, r), reason = job_view(job, r->detail);
        buf_clear(&text);
        buf_add_str(&text, input);
        if (r->torn || r->lost) {
            account_lose(&p->account, buf_cstr(&text), reason, r->unreadable);
            continue;
        }
        p->account.bad++;
        if (p->account.first_bad.len == 0) {
            if (job->shard) {
                buf_addf(&text, ", line %" PRIu64, r->number);
            }
            buf_addf(&text, ": %.*s", STR_ARG(reason));
            account_first_bad(&p->account, buf_str(&text));
        }
    }
    buf_release(&text);
}

/* The jobs from..to-1, all of the open shard. */
static winnow_status append_jobs(struct pass *p, size_t from, size_t to, struct winnow_error *err)
{
    struct append a = {.p = p, .from = from, .to = to};
    pool_run(p->stage->run->pool, STREAMS, append_stream, &a);
    for (size_t i = 0; i < STREAMS; i++) {
        if (a.status[i] != WINNOW_OK) {
            return error_set(err, a.status[i], "%s", a.errors[i].text);
        }
    }
    for (size_t i = from; i < to; i++) {
        counts_add(&p->counts, &p->now[i].counts);
        note_bad(p, &p->now[i]);
        p->at = p->now[i].after;
    }
    return WINNOW_OK;
}

/* Appends what belongs together, up to the end of a shard at most; *at goes on. */
static winnow_status append_some(struct pass *p, size_t *at, struct winnow_error *err)
{
    size_t from = *at, to = from;
    const struct job *first = &p->now[from];
    while (to < p->to && !p->now[to].end && !p->now[to].end_of_shard &&
           p->now[to].start.file == first->start.file && (to == from || !p->feed.source)) {
        to++;
    }
    bool closes = to < p->to && p->now[to].end_of_shard;
    if (!first->end) {
        TRY(open_shard(p, first, err));
        TRY(append_jobs(p, from, to, err));
    }
    if (p->feed.source) {
        bool end = to == from;
        bool fills = p->counts.bytes[COUNT_KEPT] >= p->shard_bytes;
        if (p->open && (end || fills)) {
            TRY(checkpoint_shard(p, err));
        }
        *at = end ? from + 1 : to;
        return WINNOW_OK;
    }
    if (closes) {
        p->at = p->now[to].after;
        TRY(checkpoint_shard(p, err));
        to++;
    }
    *at = first->end ? from + 1 : to;
    return WINNOW_OK;
}

static winnow_status append_batch(struct pass *p, struct winnow_error *err)
{
    for (size_t at = p->from; at < p->to;) {
        if (is_replay(p, &p->now[at])) {
            at++;
            continue;
        }
        TRY(append_some(p, &at, err));
    }
    return WINNOW_OK;
}

/* How many blocks from p->from on may be at work together within so many bytes. */
static size_t count_fitting(const struct pass *p, uint64_t room)
{
    uint64_t all = 0;
    for (size_t i = p->from; i < p->now_filled; i++) {
        all += p->now[i].block.lines.len;
    }
    size_t n = 0;
    while (p->from + n < p->now_filled) {
        const struct job *job = &p->now[p->from + n];
        uint64_t cost = gate_cost(&p->gate, job), bytes = job->block.lines.len;
        all += cost > bytes ? cost - bytes : 0;
        if (all > room) {
            break;
        }
        n++;
    }
    return n;
}

static winnow_status refuse_block(const struct pass *p, struct winnow_error *err)
{
    const struct job *job = &p->now[p->from];
    uint64_t limit = p->gate.needs.limit;
    uint64_t least = gate_limit_for(&p->gate, gate_cost(&p->gate, job));
    if (p->feed.source) {
        return error_set(err, WINNOW_E_LIMIT,
                         "pages of up to %" PRIu64 " bytes need --memory %" PRIu64
                         "M; --memory is %" PRIu64
                         "M.  Give more, or set larger pages aside as bad with --page-max",
                         job->piece.largest, (least >> 20) + 3, limit >> 20);
    }
    return error_set(err, WINNOW_E_LIMIT,
                     "%s:%" PRIu64 ": the %" PRIu64 " lines from here on need --memory %" PRIu64
                     "M at least; --memory is %" PRIu64 "M",
                     job->shard, job->block.line, job->block.line_end - job->block.line,
                     (least >> 20) + 3, limit >> 20);
}

/* What a stage sees ends at --limit exactly: blocks that cannot reach it go together,
 * the one that might goes alone and is told how many documents are left. */
static size_t count_within_limit(struct pass *p, size_t n)
{
    uint64_t limit = p->stage->first ? p->stage->run->corpus->limit : 0;
    uint64_t left = limit > p->seen ? limit - p->seen : 0, lines = 0;
    for (size_t i = 0; limit > 0 && i < n; i++) {
        struct job *job = &p->now[p->from + i];
        lines += job->block.line_end - job->block.line;
        if (lines > left && !p->feed.source) {
            job->most = i == 0 ? left : UINT64_MAX;
            return i > 0 ? i : 1;
        }
    }
    return n;
}

/* The next turn: as many blocks as may be at work, with the filling of the next
 * batch beside them if that leaves any. */
static winnow_status choose(struct pass *p, struct winnow_error *err)
{
    bool tight = p->feed.source && p->gate.needs.limit > 0 && p->gate.room < SOURCE_ROOM;
    bool wanted = !tight && p->next_filled == 0 && p->fill_status == WINNOW_OK &&
                  !(p->now_filled > 0 && p->now[p->now_filled - 1].end);
    size_t n = wanted ? count_fitting(p, p->gate.room - p->gate.held_max) : 0;
    p->fills = wanted && (n > 0 || p->now_filled == p->from);
    if (n == 0) {
        n = count_fitting(p, p->gate.room - p->held);
    }
    if (n == 0 && p->from < p->now_filled) {
        if (p->gate.needs.limit > 0 && gate_cost(&p->gate, &p->now[p->from]) > p->gate.room) {
            return refuse_block(p, err);
        }
        n = 1;
    }
    p->to = p->from + count_within_limit(p, n);
    return WINNOW_OK;
}

static winnow_status settle_turn(struct pass *p, struct winnow_error *err)
{
    for (size_t i = p->from; i < p->to; i++) {
        TRY(settle(p, &p->now[i], err));
        if (p->full) { /* what lies behind must not show, however large the batch */
            p->now_filled = p->to = i + 1;
        }
    }
    return WINNOW_OK;
}

static winnow_status work_turn(struct pass *p, struct winnow_error *err)
{
    struct pool *pool = p->stage->run->pool;
    pool_run(pool, 1 + (p->to - p->from), read_piece, p);
    renew_workers(p);
    TRY(settle_turn(p, err));
    if (!p->writes && p->to > p->from) {
        p->at = p->now[p->to - 1].after;
        for (size_t i = p->from; i < p->to; i++) {
            note_bad(p, &p->now[i]);
        }
    }
    if (p->writes) {
        pool_run(pool, p->to - p->from, compose_piece, p);
        TRY(append_batch(p, err));
    }
    for (size_t i = p->from; i < p->to; i++) {
        gate_learn(&p->gate, &p->now[i]);
        if (p->feed.source && p->feed.source->release) {
            p->feed.source->release(p->feed.source->state, &p->now[i].piece);
        }
        job_trim(&p->now[i], p->gate.releases ? (size_t)64 << 10 : 2 * BLOCK_BYTES);
    }
    return WINNOW_OK;
}

static winnow_status work_batch(struct pass *p, struct winnow_error *err)
{
    p->working = true;
    if (p->how->growth) {
        gate_shrink(&p->gate, p->how->growth(p->how->state));
    }
    for (p->from = 0; p->from < p->now_filled; p->from = p->to) {
        TRY(choose(p, err));
        TRY(work_turn(p, err));
    }
    p->working = false;
    return WINNOW_OK;
}

static void show_progress(struct pass *p)
{
    char label[96];
    const char *command = p->stage->kind->table->command;
    bool plain = strcmp(command, p->how->name) == 0;
    (void)snprintf(label, sizeof label, "%s%s%s", command, plain ? "" : " ",
                   plain ? "" : p->how->name);
    const struct feed_place at = feed_place(&p->feed);
    bool all = at.total > 0 && at.done >= at.total;
    if (all && p->shown_all) {
        return; /* the end has been said */
    }
    p->shown_all = all;
    const struct winnow_env *env = p->stage->run->env;
    const struct winnow_progress now = {label,    "bytes",     at.done,
                                        at.total, (double)NAN, at.passed_over};
    if (env->progress) {
        env->progress(env->user, &now);
    }
}

static bool at_end(const struct pass *p)
{
    return p->full || p->now_filled == 0 || p->now[p->now_filled - 1].end;
}

static winnow_status loop(struct pass *p, struct winnow_error *err)
{
    struct run *run = p->stage->run;
    for (bool end = false; !end;) {
        if (p->next_filled == 0 && p->fill_status == WINNOW_OK) {
            fill_next(p); /* the start, or a line that may only be held alone */
        }
        struct job *swap = p->now;
        p->now = p->next;
        p->next = swap;
        p->now_filled = p->next_filled;
        p->next_filled = 0;
        p->held = 0;
        winnow_status fill_status = p->fill_status; /* of the batch behind the blocks we have */
        struct winnow_error fill_error = p->fill_error;
        TRY(work_batch(p, err));
        TRY(fill_status == WINNOW_OK ? WINNOW_OK
                                     : error_set(err, fill_status, "%s", fill_error.text));
        show_progress(p);
        end = at_end(p);
        winnow_status asked = env_check(run->env, err);
        if (!end && p->writes &&
            (asked != WINNOW_OK || env_seconds() - p->saved >= run->corpus->checkpoint)) {
            TRY(checkpoint_write(p, false, err));
        }
        TRY(end ? WINNOW_OK : asked);
    }
    if (p->open) { /* --limit ended it within a shard */
        TRY(checkpoint_shard(p, err));
    }
    return WINNOW_OK;
}

/* Where to begin: the start, or the last checkpoint. */
static winnow_status begin(struct pass *p, bool *done, struct winnow_error *err)
{
    struct json_parser *parser = json_parser_new();
    struct json_value files = {0};
    winnow_status st = WINNOW_OK;
    if (p->resumable) {
        st = checkpoint_read(p, parser, &files, done, err);
    }
    if (st == WINNOW_OK && !*done && p->open) {
        p->shard_number--; /* open_shard() counted it */
        const struct job job = {.shard = p->feed.source || p->at.file >= p->feed.shards->count
                                             ? NULL
                                             : p->feed.shards->items[p->at.file].name};
        st = outputs_open(&p->outputs, next_shard_name(p, &job), files, err);
        p->shard_number++;
    }
    if (st == WINNOW_OK && !*done) {
        bool resumes = p->at.file > 0 || p->at.offset > 0;
        p->stage->resumed += resumes;
        struct position start = p->at;
        if (resumes && p->how->decide) {
            p->replay_file = p->at.file;
            p->replay_offset = p->at.offset;
            p->seen = 0;
            start = (struct position){0};
        }
        st = feed_open(&p->feed, &start, err);
    }
    json_parser_free(parser);
    return st;
}

static winnow_status work(struct pass *p, struct winnow_error *err)
{
    struct stage *s = p->stage;
    bool done = false;
    TRY(begin(p, &done, err));
    if (done) {
        s->source_shards = p->shard_number;
        return WINNOW_OK;
    }
    TRY(make_jobs(p, err));
    show_progress(p); /* rates count from here */
    TRY(loop(p, err));
    s->documents = p->seen;
    s->ordinals = p->full ? p->ordinal_end : p->at.ordinal + p->at.lines;
    s->source_shards = p->shard_number;
    if (p->writes) {
        return checkpoint_write(p, true, err);
    }
    /* the stage could say less of why */
    return s->first && p->seen == 0 ? account_need_documents(&p->account, err) : WINNOW_OK;
}

static winnow_status run_pass(struct pass *p, struct winnow_error *err)
{
    p->started = p->saved = env_seconds();
    winnow_status st = work(p, err);
    p->stage->seconds += p->seconds_before;
    release(p);
    return st;
}

static void register_pass(struct stage *s, const struct stage_pass *pass)
{
    option_list_add(&s->passes, str_of(pass->name), &s->run->keep);
    if (pass->verdicts) {
        s->verdict_pass = s->passes.items[s->passes.count - 1];
    }
    for (size_t i = 0; pass->attributes && pass->attributes[i]; i++) {
        option_list_add(&s->attributes, str_of(pass->attributes[i]), &s->run->keep);
        option_list_add(&s->attribute_passes, str_of(pass->name), &s->run->keep);
    }
}

static void init_pass(struct pass *p, struct stage *s, const struct stage_pass *how)
{
    const struct run *run = s->run;
    *p = (struct pass){.stage = s, .how = how};
    p->writes = how->verdicts || how->attributes;
    outputs_init(&p->outputs, s->folder, how, run->corpus->keep_removed && !run->temporary);
    p->outputs.stdout_documents = how->verdicts && s->last && run->to_stdout;
    if (run->temporary) {
        p->outputs.wanted[STREAM_BAD] = false;
        p->outputs.wanted[STREAM_LEDGER] = p->outputs.always[STREAM_LEDGER] = false;
    }
    if (run->corpus->on_bad == WINNOW_ON_BAD_SKIP) {
        p->outputs.wanted[STREAM_BAD] = false;
    }
    p->resumable = p->writes && !run->to_stdout && !run->temporary;
    if (p->writes) {
        register_pass(s, how);
    }
}

winnow_status stage_run_pass(struct stage *s, const struct stage_pass *pass,
                             struct winnow_error *err)
{
    struct pass p;
    init_pass(&p, s, pass);
    assert(pass->name && (pass->document || pass->verdicts));
    p.feed.shards = &s->input;
    p.feed.line_max = (size_t)s->run->corpus->line_max;
    p.feed.block_max = pass->block_bytes;
    p.feed.keep_going = s->first;
    if (shard_list_once(&s->input)) {
        p.resumable = false; /* a pipe cannot be read again */
        if (s->pipe_read) {
            return error_set(err, WINNOW_E_INTERNAL, "%s reads a pipe twice", s->name);
        }
        s->pipe_read = true;
    }
    return run_pass(&p, err);
}

winnow_status stage_run_source(struct stage *s, const struct stage_source *source,
                               uint64_t shard_bytes, const char *extension,
                               struct winnow_error *err)
{
    struct pass p;
    const struct stage_pass how = {.name = s->kind->table->command,
                                   .verdicts = true,
                                   .scratch_factor = source->scratch_factor};
    init_pass(&p, s, &how);
    if (source->bytes_total > 0) {
        stage_note_double(s, "source_bytes", (double)source->bytes_total);
    }
    p.feed.source = source;
    p.feed.shards = &s->input;
    p.shard_bytes = shard_bytes;
    p.extension = s->extension = extension;
    return run_pass(&p, err);
}
