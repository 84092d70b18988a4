/* blocks.h -- documents cut into blocks that have numbers: what each lost, pass by pass.
 *
 * A block is a sequence as the packer cuts it: at most context tokens of one document, each
 * token a target once.  A pass is an order of blocks that fills whole steps; where the last step
 * is not full, the pass begins again from its start.  Losses are those of training itself, taken
 * before the update, so that knowing them costs nothing.
 */
#ifndef WINNOW_TRAIN_BLOCKS_H
#define WINNOW_TRAIN_BLOCKS_H

#include "train/sampling.h"

struct block {
    uint32_t document;
    uint64_t from, to; /* of its stream */
};

/* How the losses of a block went: all falls; not lower at the end than at the start; a rise
 * after a fall. */
enum block_course { BLOCK_SEEN_ONCE, BLOCK_LEARNED, BLOCK_UNLEARNED, BLOCK_FORGOTTEN };

struct blocks {
    const struct token_docs *docs;
    struct packer_options opt;
    struct block *items;
    size_t count, cap;
    uint64_t tokens; /* of all */

    uint32_t *order; /* of the pass in work */
    size_t order_count, next;
    uint64_t from;  /* where in the stream its next block goes on; 0: at its start */
    float **losses; /* [passes][count] mean losses; NaN: it was not read */
    size_t passes, passes_cap;
    double *nll; /* [count] of the pass in work */
    uint64_t *targets;

    uint32_t *batch_tokens, *starts, *documents, *which; /* of the batch given last */
};

/* Of the documents that order names, in the order of their first places. */
void blocks_cut(struct blocks *b, const struct sampling_home *home);
void blocks_release(struct blocks *b);

/* Begins a pass over the blocks of `order`, which is copied; the one before is closed. */
void blocks_pass(struct blocks *b, const uint32_t *order, size_t count);
/* Closes it: its losses are in losses[passes - 1]. */
void blocks_end_pass(struct blocks *b);

/* Whether all of the pass was given. */
static inline bool blocks_done(const struct blocks *b)
{
    return b->next >= b->order_count;
}
void blocks_next(struct blocks *b, struct sampler_batch *out);
void blocks_told(struct blocks *b, const struct sampler_batch *batch, const double *nll);

enum block_course blocks_course(const struct blocks *b, size_t block);
/* Times that its loss rose after it had fallen. */
uint32_t blocks_rises(const struct blocks *b, size_t block);

/* Members for the card: passes with their mean losses, and shares of courses. */
void blocks_tell(const struct blocks *b, struct json_writer *w);
void blocks_documents(const struct blocks *b, struct sampling_document *out);

#endif /* WINNOW_TRAIN_BLOCKS_H */
