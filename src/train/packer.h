/* packer.h -- documents laid out as training batches.
 *
 * A document is trained on as the stream BOS, its tokens, EOS (each where there
 * is one).  A stream longer than the context goes on in sequences that start with
 * the last token of the one before: each token is a target exactly once.
 * Sequences are shuffled among the next PACKER_WINDOW of them, or the batches of
 * a long document would follow each other and each step would learn one subject.
 * As many as needed fill a batch to exactly batch_tokens positions; what does not
 * fit goes on in the next batch in the same way.  All arms of an experiment
 * therefore spend the same number of positions a step.
 */
#ifndef WINNOW_TRAIN_PACKER_H
#define WINNOW_TRAIN_PACKER_H

#include "token/tokenizer.h"
#include "train/sampler.h"

#define PACKER_WINDOW 4096U

/* Encoded documents one behind the other.  All-zero is empty. */
struct token_docs {
    struct u32_list tokens;
    size_t *ends; /* document i is tokens[i ? ends[i - 1] : 0 .. ends[i]) */
    size_t count, cap;
};

void token_docs_release(struct token_docs *d);

/* Ends the document whose tokens were added to d->tokens since the last call. */
void token_docs_end(struct token_docs *d);

static inline const uint32_t *token_docs_at(const struct token_docs *d, size_t i, size_t *count)
{
    size_t start = i > 0 ? d->ends[i - 1] : 0;
    *count = d->ends[i] - start;
    return d->tokens.ptr + start;
}

struct packer_options {
    uint32_t bos, eos;        /* MODEL_NO_TOKEN: none */
    uint32_t context;         /* longest sequence, at least 2 */
    uint64_t batch_tokens;    /* at least 2 */
    uint64_t document_tokens; /* a document counts with its first so many; 0: all */
    /* By which the gradient of each of docs is multiplied, borrowed; NULL: 1. */
    const float *weights;
};

struct packer;

/* order names documents, possibly several times (epochs); both are borrowed. */
struct packer *packer_new(const struct token_docs *docs, const uint32_t *order, size_t count,
                          const struct packer_options *opt);
void packer_free(struct packer *p);

/* The next batch, valid until the next call; false when the documents do not
 * fill another one. */
bool packer_next(struct packer *p, struct token_batch *batch);

/* The same as a sampler: every document in its turn.  documents are numbers in docs. */
struct sampler packer_sampler(struct packer *p);

/* Tokens of the streams that have gone into batches so far. */
uint64_t packer_used(const struct packer *p);

/* Length of a document's stream; 0 for one that cannot be trained on (it has
 * fewer than two tokens). */
uint64_t packer_stream(const struct packer_options *opt, uint64_t tokens);

/* Positions from..to of the stream of a document. */
void packer_copy(const struct token_docs *docs, const struct packer_options *opt, uint32_t document,
                 uint64_t from, uint64_t to, uint32_t *out);

/* The batches that this many stream tokens fill at least. */
uint64_t packer_steps(const struct packer_options *opt, uint64_t stream_tokens);

#endif /* WINNOW_TRAIN_PACKER_H */
