/* scan.h -- one pass over the documents of a corpus, on all threads, joined in
 * the order of the input.
 *
 * The corpus is cut into blocks whose place depends on the bytes alone.  Each
 * block gets a piece of memory from new_piece(); document() fills it on some
 * thread; join() takes pieces over one by one, in order, on the caller's thread.
 * Bad lines and lost shards are passed over; they are in the account of the shards.
 */
#ifndef WINNOW_CORPUS_SCAN_H
#define WINNOW_CORPUS_SCAN_H

#include "base/pool.h"
#include "corpus/document.h"
#include "corpus/shards.h"

struct scan_ops {
    void *ctx;
    void *(*new_piece)(void *ctx, uint32_t worker);
    winnow_status (*document)(void *ctx, void *piece, const struct document *d, const char *shard,
                              struct winnow_error *err);
    /* *stop ends the pass.  The piece is the callback's to free. */
    winnow_status (*join)(void *ctx, void *piece, bool *stop, struct winnow_error *err);
    void (*free_piece)(void *ctx, void *piece); /* of a pass that failed */
};

struct scan_counts {
    uint64_t documents, bad;
};

winnow_status scan_documents(const struct shard_list *shards, const struct document_keys *keys,
                             struct pool *pool, const struct winnow_env *env,
                             const struct scan_ops *ops, struct scan_counts *counts,
                             struct winnow_error *err);

/* The same one by one, pulled by the caller. */
struct pull;
struct pull *pull_new(const struct shard_list *shards, const struct document_keys *keys,
                      uint64_t memory_max);
void pull_free(struct pull *p);

/* d holds until the next call. */
winnow_status pull_next(struct pull *p, struct document *d, const char **shard, bool *more,
                        struct winnow_error *err);

#endif /* WINNOW_CORPUS_SCAN_H */
