/* ranks_internal.h -- one round of everybody to everybody, behind ranks_agree(). */
#ifndef WINNOW_RANKS_RANKS_INTERNAL_H
#define WINNOW_RANKS_RANKS_INTERNAL_H

#include "ranks/ranks.h"

/* out has, for each rank in order, out_bytes[rank] bytes; in and in_bytes likewise. */
winnow_status ranks_swap(struct winnow_ranks *r, const struct buf *out, const size_t *out_bytes,
                         struct buf *in, size_t *in_bytes, struct winnow_error *err);

#endif /* WINNOW_RANKS_RANKS_INTERNAL_H */
