/* block_walk.c -- opens one shard after the other. */
#include "corpus/block_walk.h"

#include "base/env.h"

#include <assert.h>

void block_walk_start(struct block_walk *w, const struct shard_list *shards,
                      const struct block_walk_options *opt)
{
    *w = (struct block_walk){.shards = shards, .opt = *opt};
    block_walk_progress(w);
}

void block_walk_end(struct block_walk *w)
{
    shard_reader_close(w->reader);
    w->reader = NULL;
}

static winnow_status open_next(struct block_walk *w, struct winnow_error *err)
{
    const struct shard *s = &w->shards->items[w->next++];
    struct shard_reader_options opt = SHARD_READER_OPTIONS_INIT;
    opt.line_max = w->opt.line_max > 0 ? w->opt.line_max : opt.line_max;
    opt.budget = w->opt.budget;
    opt.window_max = w->opt.budget.limit / 4;
    opt.may_hold = w->opt.may_hold;
    opt.may_hold_ctx = w->opt.may_hold_ctx;
    opt.stamp = &s->stamp;
    opt.remote = s->remote;
    opt.shown = s->shown;
    opt.label = s->label;
    opt.keep_going = true;
    return shard_reader_open(&w->reader, s->path, s->name, &opt, err);
}

winnow_status block_walk_next(struct block_walk *w, struct shard_block *block, bool *more,
                              struct winnow_error *err)
{
    *more = false;
    block->waits = false;
    for (;;) {
        assert(w->next <= w->shards->count);
        if (!w->reader && w->next == w->shards->count) {
            return WINNOW_OK;
        }
        if (!w->reader) {
            TRY(open_next(w, err));
        }
        TRY(shard_reader_next(w->reader, block, more, err));
        if (*more || block->waits) {
            return WINNOW_OK;
        }
        uint64_t bytes = w->shards->items[w->next - 1].bytes;
        uint64_t lost = shard_reader_bytes_lost(w->reader, bytes);
        w->before += bytes - lost;
        w->lost += lost;
        block_walk_end(w);
    }
}

void block_walk_progress(const struct block_walk *w)
{
    uint64_t total = w->shards->bytes - w->lost;
    uint64_t done = w->before + (w->reader ? shard_reader_bytes_read(w->reader) : 0);
    if (w->opt.progress) {
        env_progress(w->opt.env, w->opt.progress, "bytes", done < total ? done : total, total);
    }
}
