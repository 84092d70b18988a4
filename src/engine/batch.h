/* batch.h -- sequences packed one behind the other, without padding.
 *
 *     tokens  [ a a a a | b b | c c c c c ]     starts  0 4 6 11     sequences 3
 *
 * Attention does not cross from one sequence into another, and positions start
 * at 0 in each, so a packed batch means exactly what its sequences mean one by
 * one.
 */
#ifndef WINNOW_ENGINE_BATCH_H
#define WINNOW_ENGINE_BATCH_H

#include <stddef.h>
#include <stdint.h>

/* In targets: this position has no loss. */
#define BATCH_NO_TARGET UINT32_MAX

struct token_batch {
    const uint32_t *tokens;
    const uint32_t *starts; /* sequences + 1 of them, from 0 to the number of tokens */
    size_t sequences;       /* an empty sequence is allowed */
    /* What each position should predict.  NULL: the next token of its sequence,
     * and nothing at the sequence's last position. */
    const uint32_t *targets;
    /* By which the gradient of each sequence is multiplied; NULL: 1. */
    const float *weights;
};

static inline size_t batch_tokens(const struct token_batch *b)
{
    return b->starts[b->sequences];
}

/* The target of position i, which lies in the sequence that ends before end. */
static inline uint32_t batch_target(const struct token_batch *b, size_t i, size_t end)
{
    if (b->targets) {
        return b->targets[i];
    }
    return i + 1 < end ? b->tokens[i + 1] : BATCH_NO_TARGET;
}

/* Positions that have a target. */
uint64_t batch_targets(const struct token_batch *b);

#endif /* WINNOW_ENGINE_BATCH_H */
