/* round.h -- sizes to whole numbers of a block. */
#ifndef WINNOW_BASE_ROUND_H
#define WINNOW_BASE_ROUND_H

#include <stddef.h>

/* The least multiple of `to` that is not below n. */
static inline size_t round_up(size_t n, size_t to)
{
    return (n + to - 1) / to * to;
}

#endif /* WINNOW_BASE_ROUND_H */
