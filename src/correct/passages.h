/* passages.h -- documents longer than a model's context, as passages that fill it.
 *
 * Passage p of a document is its tokens from p * context on; targets cross from one into the next,
 * so that each token is predicted once, by what stands before it in its passage. */
#ifndef WINNOW_CORRECT_PASSAGES_H
#define WINNOW_CORRECT_PASSAGES_H

#include "vectors/feature_texts.h"

/* Tokens of a document that are read at most. */
#define PASSAGES_DOCUMENT_TOKENS 65536U

static inline uint32_t passages_of(const struct feature_texts *t, size_t row, uint32_t context)
{
    return (t->rows[row].tokens + context - 1) / context;
}

/* Rows as a batch of all their passages in order, valid until the next one. */
void passages_batch(const struct feature_texts *t, const size_t *rows, size_t count,
                    uint32_t context, struct tune_batch *out);

/* A passage of a row behind those that *out holds; out empty: the first. */
void passages_add(const struct feature_texts *t, size_t row, uint32_t passage, uint32_t context,
                  struct tune_batch *out);
void passages_clear(struct tune_batch *out);

#endif /* WINNOW_CORRECT_PASSAGES_H */
