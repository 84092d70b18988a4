/* scan.h -- one pass over the documents of a corpus, on all threads, joined in
 * the order of the input.
 *
 * The corpus is cut into blocks whose place depends on the bytes alone.  Each
 * block gets a piece of memory from new_piece(); document() fills it on some
 * thread; join() takes pieces over one by one, in order, on the caller's thread.
 * Bad lines and lost shards are passed over; they are in the account of the shards.
 *
 * Blocks of the next round are read while those of this one are parsed, except under
 * --memory: there a long line is alone.
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
    void (*free_piece)(void *ctx, void *piece); /* of a pass that failed, or behind its end */
    /* A line that is no document, beside its entry in the account; NULL: nothing more. */
    void (*bad)(void *ctx, void *piece, const struct bad_line *bad, const char *shard);
};

struct scan_options {
    const struct document_keys *keys;
    size_t line_max;      /* longer lines are bad; 0: the reader's own bound */
    bool stop_at_bad;     /* WINNOW_E_FORMAT at the first bad line or lost shard */
    const char *progress; /* what to call the pass; NULL: it shows nothing */
    /* For --memory; 0 or NULL: as for a block that is parsed and encoded. */
    size_t block_bytes;  /* of a block on its way, with what is made of it */
    double line_factor;  /* the same for each byte of a long line */
    const char *instead; /* what else helps where a line does not fit */
};

struct scan_counts {
    uint64_t documents, bad;
};

winnow_status scan_documents(const struct shard_list *shards, const struct scan_options *opt,
                             struct pool *pool, const struct winnow_env *env,
                             const struct scan_ops *ops, struct scan_counts *counts,
                             struct winnow_error *err);

#endif /* WINNOW_CORPUS_SCAN_H */
