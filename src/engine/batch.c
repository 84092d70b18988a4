/* batch.c -- what of a packed batch is to be predicted. */
#include "engine/batch.h"

uint64_t batch_targets(const struct token_batch *b)
{
    uint64_t count = 0;
    for (size_t s = 0; s < b->sequences; s++) {
        for (size_t i = b->starts[s]; i < b->starts[s + 1]; i++) {
            count += batch_target(b, i, b->starts[s + 1]) != BATCH_NO_TARGET;
        }
    }
    return count;
}
