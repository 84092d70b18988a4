/* feature_texts.h -- the documents of a corpus as training sequences in a file, and what a
 * store says of each: read once, used once a checkpoint. */
#ifndef WINNOW_VECTORS_FEATURE_TEXTS_H
#define WINNOW_VECTORS_FEATURE_TEXTS_H

#include "corpus/shards.h"
#include "token/tokenizer.h"
#include "train/tune_plan.h"
#include "vectors/store.h"

struct feature_texts {
    struct store_row *rows;
    uint64_t *places; /* of a row's tokens in the file, and of its targets behind them */
    float *weights;   /* NULL where nobody weighs */
    size_t count, cap;
    uint64_t tokens, targets, cut, empty, not_prompted;
    uint64_t hash; /* of all ids and tokens in order */
    uint32_t longest;
    struct file_map map;
    struct input_account account; /* what became of the input */
};
void feature_texts_release(struct feature_texts *t);

struct feature_reading {
    const struct shard_list *shards; /* in place of paths, or NULL */
    size_t line_max;                 /* longer lines are bad; 0: the reader's own bound */
    struct winnow_list paths;        /* may hold "-": what is made of the pipe lies in folder */
    struct document_keys keys;
    uint64_t limit; /* documents; 0: all */
    const struct tokenizer *tokenizer;
    uint32_t context;
    const char *folder;   /* where the file goes */
    uint64_t memory_rest; /* what is taken beside, of --memory */
    const char *what;     /* whose memory it is; NULL: features */
    document_weigh weigh; /* NULL: documents have no weight */
    void *weigh_ctx;
};
winnow_status feature_texts_read(const struct feature_reading *how, struct pool *pool,
                                 const struct winnow_env *env, struct feature_texts *out,
                                 struct winnow_error *err);

/* Rows as a batch, valid until the next one. */
void feature_texts_batch(const struct feature_texts *t, const size_t *rows, size_t count,
                         struct tune_batch *out);

#endif /* WINNOW_VECTORS_FEATURE_TEXTS_H */
