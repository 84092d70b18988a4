/* feed.c -- the next block of the input, whoever gives it, and where that was.
 *
 * Input is shards (blocks of whole lines) or a source (pages that become documents).
 * Either way a job knows its place before and after, which is all that a checkpoint
 * needs to go on from. */
#include "corpus/byte_source.h"
#include "run/pass_internal.h"

winnow_status feed_open(struct feed *f, const struct position *at, struct winnow_error *err)
{
    f->at = *at;
    f->reader = NULL;
    f->bytes_before = f->bytes_lost = 0;
    for (size_t i = 0; i < at->file && i < f->shards->count; i++) {
        f->bytes_before += f->shards->items[i].bytes;
    }
    f->passed_over = f->bytes_before;
    return f->input->seek(f, at, err);
}

void feed_close(struct feed *f)
{
    shard_reader_close(f->reader);
    f->reader = NULL;
}

winnow_status feed_fill(struct feed *f, struct job *job, bool *waits, struct winnow_error *err)
{
    *waits = false;
    job->start = f->at;
    TRY(f->input->fill(f, job, waits, err));
    job->after = f->at;
    return WINNOW_OK;
}

uint64_t feed_window(const struct feed *f)
{
    uint64_t most = 0;
    for (size_t i = (size_t)f->at.file; f->shards && i < f->shards->count; i++) {
        const struct shard *s = &f->shards->items[i];
        uint64_t window = byte_source_peek_window(s->path, s->remote);
        most = window > most ? window : most;
    }
    return most;
}

struct feed_place feed_place(const struct feed *f)
{
    struct feed_place p = {
        .done = f->bytes_before + (f->reader ? shard_reader_bytes_read(f->reader) : 0),
        .total = f->input->bytes_total(f) - f->bytes_lost,
        .passed_over = f->passed_over,
    };
    if (p.total > 0 && p.done > p.total) { /* a file that grew */
        p.done = p.total;
    }
    return p;
}
