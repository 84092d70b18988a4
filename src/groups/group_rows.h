/* group_rows.h -- rows of a store that are compared, and products of a block of them with many
 * vectors: what k-means, near-copies and densities rest on.
 *
 * A block of GROUP_BLOCK rows is widened to f32 and packed, the others are packed in panels once
 * while they stand; what comes out of a row does not depend on the block it is in. */
#ifndef WINNOW_GROUPS_GROUP_ROWS_H
#define WINNOW_GROUPS_GROUP_ROWS_H

#include "base/pool.h"
#include "math/gemm.h"
#include "vectors/store.h"

#define GROUP_BLOCK 128U
#define GROUP_TILE  512U /* others at a time; a multiple of what gemm packs together */

struct group_rows {
    const uint16_t *data; /* bf16, of norm 1 */
    size_t dim;
    const uint32_t *which; /* numbers of the rows in data, ascending; NULL: all */
    size_t count;
    bool forget; /* data lies in a mapping, of which what was read is let go */
};

/* Of all rows of data nothing need stay in memory. */
void group_rows_forget(const struct group_rows *r, size_t rows_of_data);

const uint16_t *group_row(const struct group_rows *r, size_t i);
void group_row_widen(const struct group_rows *r, size_t i, float *out);

/* Vectors that rows are compared with. */
struct group_others {
    struct gemm gemm;
    void *packed;
    size_t count, dim;
};
/* Copies them; [count][dim]. */
void group_others_pack(struct group_others *o, const struct kernels *k, const float *vectors,
                       size_t count, size_t dim);
void group_others_release(struct group_others *o);

/* Of one thread. */
struct group_scratch {
    float *wide; /* [GROUP_BLOCK][dim] */
    void *packed;
    float *products; /* [GROUP_BLOCK][GROUP_TILE] */
    size_t bytes;
};
void group_scratch_init(struct group_scratch *s, const struct kernels *k, size_t dim);
void group_scratch_release(struct group_scratch *s);

/* Widens and packs rows at[0..n), numbers as group_row() takes them. */
void group_block_pack(struct group_scratch *s, const struct group_rows *r, const struct kernels *k,
                      const uint32_t *at, size_t n);
/* Products of that block with others from..from + n - 1, n <= GROUP_TILE and from a multiple of
 * it: products[row * GROUP_TILE + other - from]. */
void group_block_products(struct group_scratch *s, size_t rows, const struct group_others *o,
                          size_t from, size_t n);

#endif /* WINNOW_GROUPS_GROUP_ROWS_H */
