/* block_walk.h -- the blocks of a corpus, shard after shard, in order.
 *
 * What everything that reads a corpus without writing one stands on: scan.h (all
 * threads) and texts.h (one).  The stages of a run have run/feed_internal.h, which can
 * go on in the middle of a shard.
 */
#ifndef WINNOW_CORPUS_BLOCK_WALK_H
#define WINNOW_CORPUS_BLOCK_WALK_H

#include "corpus/shard_reader.h"
#include "corpus/shards.h"

struct block_walk_options {
    size_t line_max;                           /* longer lines are bad; 0: the reader's own bound */
    struct line_budget budget;                 /* of --memory, for long lines; its limit 0: none */
    bool (*may_hold)(void *ctx, size_t bytes); /* see shard_reader.h; NULL: yes */
    void *may_hold_ctx;
    const struct winnow_env *env;
    const char *progress; /* what to call it; NULL: nothing is shown */
};

/* All-zero may be ended. */
struct block_walk {
    const struct shard_list *shards;
    struct block_walk_options opt;
    size_t next; /* shard to open */
    struct shard_reader *reader;
    uint64_t before; /* bytes of the shards that are done, as far as they were read */
    uint64_t lost;   /* and what could not be */
};

/* shards must outlive the walk. */
void block_walk_start(struct block_walk *w, const struct shard_list *shards,
                      const struct block_walk_options *opt);
void block_walk_end(struct block_walk *w);

/* *more false: the end; block->waits then says that may_hold() refused what comes
 * next.  A shard that cannot be read to its end gives a block that is bad and torn. */
winnow_status block_walk_next(struct block_walk *w, struct shard_block *block, bool *more,
                              struct winnow_error *err);

/* Tells how far it is. */
void block_walk_progress(const struct block_walk *w);

#endif /* WINNOW_CORPUS_BLOCK_WALK_H */
