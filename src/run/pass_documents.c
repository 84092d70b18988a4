/* pass_documents.c -- a pass over the documents of shards: each shard of the input becomes
 * one of the same name in the output. */
#include "run/pass_internal.h"

#include <inttypes.h>

static void *worker_new(const struct pass *p)
{
    return p->how->worker_new ? p->how->worker_new(p->how->state) : NULL;
}

static void worker_free(const struct pass *p, void *own)
{
    if (p->how->worker_free) {
        p->how->worker_free(own);
    }
}

static winnow_status seek(struct feed *f, const struct position *at, struct winnow_error *err)
{
    (void)f;
    (void)at;
    (void)err;
    return WINNOW_OK; /* fill() opens the shard there */
}

static winnow_status fill(struct feed *f, struct job *job, bool *waits, struct winnow_error *err)
{
    if (!f->reader && f->enter && f->at.offset == 0) {
        TRY(f->enter(f->enter_ctx, f, err));
        job->start = f->at;
    }
    if (f->at.file >= f->shards->count) {
        job->end = true;
        return WINNOW_OK;
    }
    const struct shard *shard = &f->shards->items[f->at.file];
    job->shard = shard->name;
    job->label = shard->label;
    if (!f->reader) {
        struct shard_reader_options opt = SHARD_READER_OPTIONS_INIT;
        opt.offset = f->at.offset;
        opt.lines = f->at.lines;
        opt.line_max = f->line_max;
        opt.stamp = &shard->stamp;
        opt.remote = shard->remote;
        opt.keep_going = f->keep_going;
        opt.block_max = f->block_max > 0 ? f->block_max : opt.block_max;
        opt.budget = f->budget;
        opt.window_max = f->window_max;
        opt.may_hold = f->may_hold;
        opt.may_hold_ctx = f->may_hold_ctx;
        TRY(shard_reader_open(&f->reader, shard->path, shard->name, &opt, err));
        f->passed_over += opt.offset > 0 ? shard_reader_bytes_read(f->reader) : 0;
    }
    bool more = false;
    TRY(shard_reader_next(f->reader, &job->block, &more, err));
    if (job->block.waits) {
        *waits = true;
        return WINNOW_OK;
    }
    if (more) {
        f->at.offset = job->block.offset_end;
        f->at.lines = job->block.line_end - 1;
        return WINNOW_OK;
    }
    uint64_t lost = shard_reader_bytes_lost(f->reader, shard->bytes);
    shard_reader_close(f->reader);
    f->reader = NULL;
    f->bytes_before += shard->bytes - lost;
    f->bytes_lost += lost;
    f->at = (struct position){.file = f->at.file + 1, .ordinal = f->at.ordinal + f->at.lines};
    job->end_of_shard = true;
    return WINNOW_OK;
}

static uint64_t bytes_total(const struct feed *f)
{
    return f->shards->bytes;
}

static uint64_t held(const struct job *job)
{
    return job->block.lines.len;
}

static void read_job(const struct pass *p, struct job *job, struct job_worker *w)
{
    job_read(job, p->how, w);
}

static void let_go(const struct pass *p, struct job *job)
{
    (void)p;
    (void)job; /* its block is used again */
}

static const char *shard_name(struct pass *p, const char *shard)
{
    (void)p;
    return shard;
}

static struct str name_of(const struct job *job, const struct record *r)
{
    (void)r;
    return str_of(job->label);
}

static winnow_status refuse_bad(const struct job *job, const struct record *r,
                                struct winnow_error *err)
{
    struct str reason = job_view(job, r->detail);
    return error_set(err, WINNOW_E_FORMAT, "%s:%" PRIu64 ": %.*s", job->label, r->number,
                     STR_ARG(reason));
}

static winnow_status refuse_large(const struct job *job, uint64_t least, uint64_t limit,
                                  struct winnow_error *err)
{
    return error_set(err, WINNOW_E_LIMIT,
                     "%s:%" PRIu64 ": the %" PRIu64 " lines from here on need --memory %" PRIu64
                     "M at least; --memory is %" PRIu64 "M",
                     job->label, job->block.line, job->block.line_end - job->block.line, least,
                     limit);
}

const struct pass_input PASS_DOCUMENTS = {
    .worker_new = worker_new,
    .worker_free = worker_free,
    .seek = seek,
    .fill = fill,
    .bytes_total = bytes_total,
    .held = held,
    .read = read_job,
    .let_go = let_go,
    .shard_name = shard_name,
    .name_of = name_of,
    .refuse_bad = refuse_bad,
    .refuse_large = refuse_large,
    .has_lines = true,
};
