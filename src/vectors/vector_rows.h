/* vector_rows.h -- rows of bf16 as whoever compares documents sees them, and the one sweep
 * that all comparing rests on.
 *
 * A row is `parts` vectors of `dim` numbers (one a checkpoint), each times a factor of its
 * own: so the stacked row has the weights of the checkpoints and the norm that the caller
 * wants, without a second copy of the numbers.  A row whose factors are all 0 is no candidate.
 */
#ifndef WINNOW_VECTORS_VECTOR_ROWS_H
#define WINNOW_VECTORS_VECTOR_ROWS_H

#include "base/pool.h"
#include "math/kernels.h"

#include <float.h>
#include <stdbool.h>

struct vector_rows {
    const uint16_t *data; /* [count][parts][dim] */
    size_t count;
    uint32_t parts, dim;
    const float *scales; /* [count][parts] */
    bool forget;         /* data lies in a mapping, of which what was read is let go */
};

static inline size_t vector_rows_width(const struct vector_rows *r)
{
    return (size_t)r->parts * r->dim;
}

bool vector_rows_has(const struct vector_rows *r, size_t row);

/* Whether its bytes are numbers, and so small that its products with such rows are numbers too;
 * for those who compare rows without vector_sweep(). */
bool vector_rows_finite(const struct vector_rows *r, size_t row);

/* Rows from..to were read: where there is a limit of memory, their pages go. */
void vector_rows_done(const struct vector_rows *r, size_t from, size_t to);

/* The stacked row in f32. */
void vector_rows_expand(const struct vector_rows *r, size_t row, float *out);

/* Sums in f64 of f32 products. */
double vector_dot(const struct kernels *k, const float *a, const float *b, size_t n);

uint16_t vector_bf16(float x); /* to the nearest, ties to even */

/* out[i][r] = <row which[r], x[i]> for `count` others, at the speed of memory for one and about
 * twice that for eight.  which NULL: all rows.  A row whose bytes are no numbers (damage that no
 * norm tells of) has the product VECTOR_NO_PRODUCT, less than any other. */
struct vector_sweep {
    const struct vector_rows *rows;
    const uint32_t *which;
    size_t n;
    const float *x; /* [count][width] */
    size_t count;   /* at most VECTOR_SWEEP_MAX */
    float *out;     /* [count][n] */
};
#define VECTOR_SWEEP_MAX  8U
#define VECTOR_NO_PRODUCT (-FLT_MAX)
void vector_sweep(const struct vector_sweep *s, const struct kernels *k, struct pool *pool);

#endif /* WINNOW_VECTORS_VECTOR_ROWS_H */
