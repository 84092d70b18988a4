/* features_internal.h -- one making of a store, for features*.c. */
#ifndef WINNOW_VECTORS_FEATURES_INTERNAL_H
#define WINNOW_VECTORS_FEATURES_INTERNAL_H

#include "vectors/feature_texts.h"
#include "vectors/features.h"
#include "vectors/projections.h"

/* Documents that go through the model together, at most. */
#define FEATURES_BATCH_ROWS   64U
#define FEATURES_BATCH_TOKENS 16384U

struct making {
    const struct features_job *job;
    const struct winnow_env *env;
    struct winnow_features_options opt; /* resolved: of a store like another, that one's */
    struct pool *pool;
    struct arena keep;
    const char **models; /* checkpoints in order */
    size_t count;
    struct tokenizer *tokenizer;
    struct feature_texts texts;
    struct store like;
    struct store_writer writer;
};

/* A checkpoint at work. */
struct checkpoint {
    struct model *model;
    struct engine *engine;
    float *moments; /* second moments of the optimizer; NULL: none */
    struct projections projections;
};

/* The models that are meant, with those of a store like another checked to be there. */
winnow_status making_find_models(struct making *m, struct winnow_error *err);

/* Loads checkpoint t; says what it is in *part. */
winnow_status checkpoint_open(struct making *m, size_t t, struct store_part *part,
                              struct checkpoint *c, struct winnow_error *err);
void checkpoint_close(struct checkpoint *c);

/* Fits or loads its projections where the store needs some. */
winnow_status checkpoint_project(struct making *m, size_t t, struct store_part *part,
                                 struct checkpoint *c, struct winnow_error *err);
const char *projections_path(const char *folder, size_t t, struct buf *out);

/* All rows of part t that are missing. */
winnow_status making_fill(struct making *m, size_t t, const struct checkpoint *c,
                          struct winnow_error *err);

/* Says what it will be; WINNOW_E_LIMIT where the disk has no room for it. */
winnow_status making_check_disk(const struct making *m, struct winnow_error *err);

/* Vectors of hashed n-grams: everything up to the store's final name. */
winnow_status ngram_store_make(struct making *m, struct winnow_error *err);
#define NGRAMS_DIM 512U

#endif /* WINNOW_VECTORS_FEATURES_INTERNAL_H */
