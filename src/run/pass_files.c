/* pass_files.c -- a pass over files of which a source makes documents: output shards are
 * numbered, and each is closed by the block that fills it. */
#include "run/pass_internal.h"

#include <inttypes.h>
#include <stdio.h>

static void *worker_new(const struct pass *p)
{
    const struct stage_source *source = p->feed.source;
    return source->worker_new ? source->worker_new(source->state) : NULL;
}

static void worker_free(const struct pass *p, void *own)
{
    if (p->feed.source->worker_free) {
        p->feed.source->worker_free(own);
    }
}

static winnow_status seek(struct feed *f, const struct position *at, struct winnow_error *err)
{
    return f->source->seek(f->source->state, at->file, at->offset, err);
}

static winnow_status fill(struct feed *f, struct job *job, bool *waits, struct winnow_error *err)
{
    *waits = false;
    bool more = false;
    TRY(f->source->next(f->source->state, &job->piece, &more, err));
    if (!more) {
        job->end = true;
        return WINNOW_OK;
    }
    f->at.file = job->piece.file;
    f->at.offset = job->piece.offset;
    f->bytes_before += job->piece.bytes;
    return WINNOW_OK;
}

static uint64_t bytes_total(const struct feed *f)
{
    return f->source->bytes_total;
}

static uint64_t held(const struct job *job)
{
    return job->piece.held;
}

static void read_job(const struct pass *p, struct job *job, struct job_worker *w)
{
    job_convert(job, p->feed.source, w);
}

static void let_go(const struct pass *p, struct job *job)
{
    if (p->feed.source->release) {
        p->feed.source->release(p->feed.source->state, &job->piece);
    }
    job->piece = (struct source_block){0};
}

static const char *shard_name(struct pass *p, const char *shard)
{
    (void)shard;
    (void)snprintf(p->shard_name, sizeof p->shard_name, "%05" PRIu64 "%s", p->shard_number,
                   p->extension);
    return p->shard_name;
}

static bool shard_ends(const struct pass *p, const struct job *first)
{
    return first->end || p->counts.bytes[COUNT_KEPT] >= p->shard_bytes;
}

/* The file is named with the record. */
static struct str name_of(const struct job *job, const struct record *r)
{
    return job_view(job, r->id);
}

static winnow_status refuse_bad(const struct job *job, const struct record *r,
                                struct winnow_error *err)
{
    struct str reason = job_view(job, r->detail), file = name_of(job, r);
    return error_set(err, WINNOW_E_FORMAT, "%.*s: %.*s", STR_ARG(file), STR_ARG(reason));
}

static winnow_status refuse_large(const struct job *job, uint64_t least, uint64_t limit,
                                  struct winnow_error *err)
{
    return error_set(err, WINNOW_E_LIMIT,
                     "pages of up to %" PRIu64 " bytes need --memory %" PRIu64
                     "M; --memory is %" PRIu64
                     "M.  Give more, or set larger pages aside as bad with --page-max",
                     job->piece.largest, least, limit);
}

const struct pass_input PASS_FILES = {
    .worker_new = worker_new,
    .worker_free = worker_free,
    .seek = seek,
    .fill = fill,
    .bytes_total = bytes_total,
    .held = held,
    .read = read_job,
    .let_go = let_go,
    .shard_name = shard_name,
    .shard_ends = shard_ends,
    .name_of = name_of,
    .refuse_bad = refuse_bad,
    .refuse_large = refuse_large,
    .one_by_one = true,
    .room_beside = (uint64_t)1 << 30,
};
