/* corpus_rows.h -- the documents that a stage reads, and the rows of a store that are theirs. */
#ifndef WINNOW_VECTORS_CORPUS_ROWS_H
#define WINNOW_VECTORS_CORPUS_ROWS_H

#include "run/stage.h"
#include "vectors/store.h"

#include <pthread.h>

struct corpus_rows {
    pthread_mutex_t lock;
    uint64_t *ids; /* by ordinal: hash of the id + 1, or 0 where there is no document */
    size_t ordinals, cap;
    size_t documents;
    uint32_t *row_of; /* by ordinal, once they are numbered */
};
void corpus_rows_init(struct corpus_rows *r);
void corpus_rows_release(struct corpus_rows *r);

/* A pass over the stage's input. */
winnow_status corpus_rows_survey(struct corpus_rows *r, struct stage *s, struct winnow_error *err);

/* Fills row_of: the i-th document is the i-th row. */
void corpus_rows_number(struct corpus_rows *r);

/* The same, and WINNOW_E_FORMAT where the store's rows are not of these documents. */
winnow_status corpus_rows_align(struct corpus_rows *r, const struct store *store, const char *name,
                                struct winnow_error *err);

#endif /* WINNOW_VECTORS_CORPUS_ROWS_H */
