/* feed.c -- the next block of the input, whoever gives it, and where that was.
 *
 * Input is shards (blocks of whole lines) or a source (pages that become documents).
 * Either way a job knows its place before and after, which is all that a checkpoint
 * needs to go on from. */
#include "corpus/byte_source.h"
#include "run/feed_internal.h"

winnow_status feed_open(struct feed *f, const struct position *at, struct winnow_error *err)
{
    f->at = *at;
    f->reader = NULL;
    f->bytes_before = 0;
    for (size_t i = 0; i < at->file && i < f->shards->count; i++) {
        f->bytes_before += f->shards->items[i].bytes;
    }
    f->passed_over = f->bytes_before;
    return f->source ? f->source->seek(f->source->state, at->file, at->offset, err) : WINNOW_OK;
}

void feed_close(struct feed *f)
{
    shard_reader_close(f->reader);
    f->reader = NULL;
}

static winnow_status fill_from_source(struct feed *f, struct job *job, struct winnow_error *err)
{
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

static winnow_status fill_from_shards(struct feed *f, struct job *job, bool *waits,
                                      struct winnow_error *err)
{
    if (f->at.file >= f->shards->count) {
        job->end = true;
        return WINNOW_OK;
    }
    const struct shard *shard = &f->shards->items[f->at.file];
    job->shard = shard->name;
    if (!f->reader) {
        struct shard_reader_options opt = SHARD_READER_OPTIONS_INIT;
        opt.offset = f->at.offset;
        opt.lines = f->at.lines;
        opt.line_max = f->line_max;
        opt.stamp = &shard->stamp;
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
    shard_reader_close(f->reader);
    f->reader = NULL;
    f->bytes_before += shard->bytes;
    f->at = (struct position){.file = f->at.file + 1, .ordinal = f->at.ordinal + f->at.lines};
    job->end_of_shard = true;
    return WINNOW_OK;
}

winnow_status feed_fill(struct feed *f, struct job *job, bool *waits, struct winnow_error *err)
{
    *waits = false;
    job->start = f->at;
    TRY(f->source ? fill_from_source(f, job, err) : fill_from_shards(f, job, waits, err));
    job->after = f->at;
    return WINNOW_OK;
}

uint64_t feed_window(const struct feed *f)
{
    uint64_t most = 0;
    for (size_t i = (size_t)f->at.file; f->shards && i < f->shards->count; i++) {
        uint64_t window = byte_source_peek_window(f->shards->items[i].path);
        most = window > most ? window : most;
    }
    return most;
}

struct feed_place feed_place(const struct feed *f)
{
    struct feed_place p = {
        .done = f->bytes_before + (f->reader ? shard_reader_bytes_read(f->reader) : 0),
        .total = f->source ? f->source->bytes_total : f->shards->bytes,
        .passed_over = f->passed_over,
    };
    if (p.total > 0 && p.done > p.total) { /* a file that grew */
        p.done = p.total;
    }
    return p;
}
