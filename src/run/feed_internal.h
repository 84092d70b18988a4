/* feed_internal.h -- where the blocks of a pass come from: shards of documents,
 * or files that a source reads.  One thread at a time, in order. */
#ifndef WINNOW_RUN_FEED_INTERNAL_H
#define WINNOW_RUN_FEED_INTERNAL_H

#include "corpus/shards.h"
#include "run/job_internal.h"

struct pass_input;

struct feed {
    const struct pass_input *input; /* pass_internal.h: which of the two */
    const struct shard_list *shards;
    const struct stage_source *source; /* NULL over documents */
    size_t line_max, block_max;        /* block_max 0: the reader's own */
    struct line_budget budget;         /* these and what is behind them: see shard_reader.h */
    uint64_t window_max;
    bool (*may_hold)(void *ctx, size_t bytes);
    void *may_hold_ctx;
    bool keep_going;             /* a shard that cannot be read is lost, no failure */
    struct shard_reader *reader; /* of the shard at `at` */
    struct position at;
    uint64_t bytes_before; /* on disk, of the shards before; of the source so far */
    uint64_t bytes_lost;   /* of those shards: what could not be read */
    /* Before a shard is opened at its start, where not all of them are read; or NULL. */
    winnow_status (*enter)(void *ctx, struct feed *f, struct winnow_error *err);
    void *enter_ctx;
    uint64_t passed_over; /* of these and of the first shard: not read, or read to be skipped */
};

/* Goes on at a position that a job gave as `after`; all-zero is the start. */
winnow_status feed_open(struct feed *f, const struct position *at, struct winnow_error *err);
void feed_close(struct feed *f);

/* The next block, end of shard or end of all into job, which is clear.  *waits: none
 * of them, may_hold() refused the line that comes next. */
winnow_status feed_fill(struct feed *f, struct job *job, bool *waits, struct winnow_error *err);

/* The largest zstd window that the shards from the feed's position on need. */
uint64_t feed_window(const struct feed *f);

/* Bytes on disk, for progress: total is 0 where it is not known. */
struct feed_place {
    uint64_t done, total, passed_over;
};
struct feed_place feed_place(const struct feed *f);

#endif /* WINNOW_RUN_FEED_INTERNAL_H */
