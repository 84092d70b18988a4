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

static void make_worker(struct pass *p, struct job_worker *w)
{
    const struct winnow_corpus_options *corpus = p->stage->run->corpus;
    const struct document_keys keys = {corpus->text_key, corpus->id_key, corpus->chat};
    w->parser = block_parser_new(&keys);
    w->own = p->input->worker_new(p);
}

static void release_worker(struct pass *p, struct job_worker *w)
{
    if (w->own) {
        p->input->worker_free(p, w->own);
    }
    job_worker_release(w);
}

static void release(struct pass *p)
{
    feed_close(&p->feed);
    outputs_close(&p->outputs);
    for (size_t i = 0; p->now && p->next && i < p->job_count; i++) {
        p->input->let_go(p, &p->now[i]);
        p->input->let_go(p, &p->next[i]);
        job_release(&p->now[i]);
        job_release(&p->next[i]);
    }
    mem_free(p->now);
    mem_free(p->next);
    for (uint32_t i = 0; p->workers && i < pool_threads(p->stage->run->pool); i++) {
        release_worker(p, &p->workers[i]);
    }
    mem_free(p->workers);
    pass_share_release(p);
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

/* Two blocks a thread keep all busy. */
static winnow_status make_jobs(struct pass *p, struct winnow_error *err)
{
    uint32_t threads = pool_threads(p->stage->run->pool);
    p->workers = mem_zalloc(threads * sizeof *p->workers);
    for (uint32_t i = 0; i < threads; i++) {
        make_worker(p, &p->workers[i]);
    }
    TRY(pass_plan_memory(p, err));
    p->job_count = (size_t)threads * 2;
    p->now = mem_zalloc(p->job_count * sizeof *p->now);
    p->next = mem_zalloc(p->job_count * sizeof *p->next);
    return WINNOW_OK;
}

static void fill_next(struct pass *p)
{
    p->next_filled = 0;
    p->held = 0;
    p->fill_status = WINNOW_OK;
    while (p->next_filled < p->job_count && p->fill_status == WINNOW_OK && pass_has_room(p)) {
        struct job *job = &p->next[p->next_filled];
        bool waits = false;
        p->input->let_go(p, job);
        job_clear(job);
        job->foreign = p->stage->first;
        job->most = UINT64_MAX;
        bool ends = p->stage->ordinals > 0 && !p->by_shard; /* nothing limits those */
        job->ordinal_end = ends ? p->stage->ordinals : UINT64_MAX;
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
            p->held += p->input->held(job);
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
    p->input->read(p, job, &p->workers[worker]);
}

static void compose_piece(void *ctx, size_t piece, uint32_t worker)
{
    (void)worker;
    struct pass *p = ctx;
    job_compose(&p->now[p->from + piece], p->how, p->stage->name, p->outputs.wanted);
}

/* In order: what depends on the documents before. */
static winnow_status settle(struct pass *p, struct job *job, struct winnow_error *err)
{
    const struct winnow_corpus_options *corpus = p->stage->run->corpus;
    uint64_t limit = pass_limit(p, job);
    TRY(job->status == WINNOW_OK ? WINNOW_OK : error_set(err, job->status, "%s", job->error.text));
    for (size_t i = 0; i < job->count; i++) {
        struct record *r = &job->records[i];
        r->dropped = p->full;
        if (r->dropped) {
            continue;
        }
        if (r->bad && corpus->on_bad == WINNOW_ON_BAD_STOP) {
            return p->input->refuse_bad(job, r, err);
        }
        if (!r->bad) {
            p->seen++;
            p->full = limit > 0 && p->seen >= limit;
            p->ordinal_end = r->ordinal + 1;
        }
    }
    if (job->end_of_shard) {
        p->shard_lines[job->start.file] = job->start.lines;
    }
    if (p->how->decide) {
        TRY(job_decide(job, p->how, &p->scratch, err));
    }
    return WINNOW_OK;
}

/* Before the checkpoint on resume: decide() has seen it, the files have it. */
static bool is_replay(const struct pass *p, const struct job *job)
{
    if (p->by_shard) {
        return pass_share_is_replay(p, job);
    }
    return job->start.file < p->replay_file ||
           (job->start.file == p->replay_file && job->start.offset < p->replay_offset);
}

/* Parquet outputs have the columns of the shard that they are made of. */
static void set_like(struct pass *p, uint64_t file)
{
    bool listed = p->input == &PASS_DOCUMENTS && file < p->feed.shards->count;
    p->outputs.like = listed ? p->feed.shards->items[file].path : NULL;
    p->outputs.like_remote = listed ? p->feed.shards->items[file].remote : NULL;
}

static winnow_status open_shard(struct pass *p, const struct job *job, struct winnow_error *err)
{
    if (!p->open) {
        struct json_parser *parser = json_parser_new();
        struct json_value files = {0};
        set_like(p, job->start.file);
        winnow_status st = p->by_shard ? pass_share_open(p, job, parser, &files, err) : WINNOW_OK;
        if (st == WINNOW_OK) {
            st = outputs_open(&p->outputs, p->input->shard_name(p, job->shard), files, err);
        }
        json_parser_free(parser);
        TRY(st);
        p->open = true;
        p->shard_number++;
        p->shard_start = job->start.ordinal;
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

/* What the account of the stage will have to say of the job's bad records. */
static void note_bad(struct pass *p, const struct job *job)
{
    struct buf text = {0};
    for (size_t i = 0; i < job->count; i++) {
        const struct record *r = &job->records[i];
        if (!r->bad || r->dropped) {
            continue;
        }
        struct str input = p->input->name_of(job, r), reason = job_view(job, r->detail);
        buf_clear(&text);
        buf_add_str(&text, input);
        p->account.bad++;
        if (r->torn || r->lost) {
            account_lose(&p->account, buf_cstr(&text), reason, r->unreadable);
            continue;
        }
        if (p->account.first_bad.len == 0) {
            if (r->number > 0) {
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
           p->now[to].start.file == first->start.file && (to == from || !p->input->one_by_one)) {
        to++;
    }
    if (!first->end) {
        TRY(open_shard(p, first, err));
        TRY(append_jobs(p, from, to, err));
    }
    if (to < p->to && p->now[to].end_of_shard) {
        p->at = p->now[to].after;
        to++;
        TRY(checkpoint_shard(p, err));
    } else if (p->open && p->input->shard_ends && p->input->shard_ends(p, first)) {
        TRY(checkpoint_shard(p, err));
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
        p->cost += gate_cost(&p->gate, &p->now[i]);
        p->cost_of += p->now[i].block.lines.len + p->now[i].piece.held;
        p->input->let_go(p, &p->now[i]);
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
        TRY(pass_choose(p, err));
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

/* --limit ended the input, but not what the stage made behind it. */
static winnow_status go_to_made(struct pass *p, struct winnow_error *err)
{
    const struct position made = {.file = p->stage->input.count - p->stage->made,
                                  .ordinal = p->ordinal_end};
    if (p->open && p->at.file < made.file) {
        TRY(checkpoint_shard(p, err));
    }
    if (p->at.file < made.file) { /* else these documents are behind us, and seen again */
        p->at = made;
    }
    feed_close(&p->feed);
    p->full = false;
    p->next_filled = 0;
    p->fill_status = WINNOW_OK;
    return feed_open(&p->feed, &made, err);
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
        if (p->full && p->stage->made > 0) {
            TRY(go_to_made(p, err));
            end = false;
        }
        winnow_status asked = env_check(run->env, err);
        asked = asked == WINNOW_OK && p->by_shard ? ranks_check(stage_ranks(p->stage), err) : asked;
        if (!end && p->writes &&
            (asked != WINNOW_OK || env_seconds() - p->saved >= run->corpus->checkpoint)) {
            TRY(checkpoint_write(p, false, err));
        }
        TRY(end ? WINNOW_OK : asked);
    }
    pass_tell_memory(p);
    if (p->open) { /* --limit ended it within a shard */
        TRY(checkpoint_shard(p, err));
    }
    return WINNOW_OK;
}

/* What an earlier process left: files is what outputs_open() needs, parser owns it. */
static winnow_status find_place(struct pass *p, struct json_parser *parser,
                                struct json_value *files, bool *done, struct winnow_error *err)
{
    bool keeps = p->resumable && ranks_lead(p->stage->run->env->ranks);
    TRY(keeps ? checkpoint_read(p, parser, files, done, err) : WINNOW_OK);
    if (p->by_shard) {
        return pass_share(p, done, err);
    }
    bool anew = p->resumable && !*done && p->at.file == 0 && p->at.offset == 0;
    return anew ? checkpoint_forget_shards(p, err) : WINNOW_OK;
}

/* Where to begin: the start, or the last checkpoint. */
static winnow_status begin(struct pass *p, bool *done, struct winnow_error *err)
{
    struct json_parser *parser = json_parser_new();
    struct json_value files = {0};
    winnow_status st = find_place(p, parser, &files, done, err);
    if (st == WINNOW_OK && !*done && p->open) {
        p->shard_number--; /* open_shard() counted it */
        bool listed = p->at.file < p->feed.shards->count;
        const char *shard = listed ? p->feed.shards->items[p->at.file].name : NULL;
        set_like(p, p->at.file);
        st = outputs_open(&p->outputs, p->input->shard_name(p, shard), files, err);
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
    TRY(p->by_shard || s->shared ? pass_meet(p, err) : WINNOW_OK);
    if (p->writes) {
        return checkpoint_end(p, err);
    }
    /* the stage could say less of why */
    if (!s->first || s->documents > 0) {
        return WINNOW_OK;
    }
    for (size_t i = 0; i < s->input.count; i++) {
        account_input(&p->account, s->input.items[i].label);
    }
    return account_need_documents(&p->account, err);
}

static winnow_status run_pass(struct pass *p, struct winnow_error *err)
{
    p->started = p->saved = env_seconds();
    winnow_status st = work(p, err);
    p->stage->seconds += p->seconds_before;
    release(p);
    return st;
}

/* Several ranks in a stage: each pass is shared among them, or reads only, in full on each. */
static winnow_status stage_may_pass(const struct pass *p, struct winnow_error *err)
{
    bool shared = !p->stage->shared || (p->by_shard && (!p->how->decide || p->how->tell)) ||
                  (!p->writes && !p->by_shard);
    return shared ? WINNOW_OK
                  : error_set(err, WINNOW_E_INTERNAL, "%s: the pass %s is not for several ranks",
                              p->stage->name, p->how->name);
}

static void register_pass(struct stage *s, const struct stage_pass *pass)
{
    option_list_add(&s->passes, str_of(pass->name), &s->run->keep);
    if (pass->verdicts) {
        s->verdict_pass = s->passes.items[s->passes.count - 1];
        s->arranges = pass->arranges;
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
    bool writes_documents = how->verdicts && !how->arranges;
    p->outputs.to = writes_documents && s->last && run->to_stdout ? run->env : NULL;
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
    p.input = p.feed.input = &PASS_DOCUMENTS;
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
    p.by_shard = pass_is_by_shard(&p);
    TRY(stage_may_pass(&p, err));
    p.shard_lines = mem_zalloc((s->input.count + 1) * sizeof *p.shard_lines);
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
    p.input = p.feed.input = &PASS_FILES;
    p.feed.source = source;
    p.feed.shards = &s->input;
    p.shard_bytes = shard_bytes;
    const char *ending = run_output_ending(s->run->corpus);
    p.extension = s->extension = ending ? ending : extension;
    return run_pass(&p, err);
}
