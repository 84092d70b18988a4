/* fasttext_matrix.h -- a matrix of a fastText model, dense or quantised, read where it lies.
 *
 * A dense one is rows of 32-bit floats.  A quantised one cuts each row into parts and has for
 * each part the number of one of 256 centroids (a product quantiser); with norms, a row is
 * that times a number from a codebook of its own.
 *
 * Nothing in such a file is aligned, so numbers are taken out of it by memcpy.
 */
#ifndef WINNOW_QUALITY_FASTTEXT_MATRIX_H
#define WINNOW_QUALITY_FASTTEXT_MATRIX_H

#include "base/error.h"
#include "base/str.h"

/* What is left of a file that is being read. */
struct fasttext_cursor {
    struct str left;
    const char *path; /* for sentences */
};

/* The next bytes, or WINNOW_E_FORMAT: the file ends within `what`. */
winnow_status fasttext_take(struct fasttext_cursor *c, void *dst, size_t bytes, const char *what,
                            struct winnow_error *err);
/* The same for count pieces of `size` bytes, which stay where they are. */
winnow_status fasttext_view(struct fasttext_cursor *c, uint64_t count, uint64_t size,
                            const char **out, const char *what, struct winnow_error *err);

struct fasttext_codebook {
    uint32_t dim, parts, part_dim, last_dim;
    const char *centroids; /* 256 of each part, the last part's shorter */
};

struct fasttext_matrix {
    uint64_t rows;
    uint32_t cols;
    const char *data;                /* dense: rows * cols floats; else NULL */
    const unsigned char *codes;      /* quantised: rows * book.parts */
    const unsigned char *norm_codes; /* rows, or NULL */
    struct fasttext_codebook book, norms;
};

/* Reads a matrix off the cursor; what: "its input matrix". */
winnow_status fasttext_matrix_take(struct fasttext_cursor *c, bool quantised,
                                   struct fasttext_matrix *out, const char *what,
                                   struct winnow_error *err);

/* sum[0..cols) += row; row < rows. */
void fasttext_matrix_add(const struct fasttext_matrix *m, uint64_t row, float *sum);

/* Asks for a row that is going to be added. */
void fasttext_matrix_prefetch(const struct fasttext_matrix *m, uint64_t row);

double fasttext_matrix_dot(const struct fasttext_matrix *m, uint64_t row, const float *x);

#endif /* WINNOW_QUALITY_FASTTEXT_MATRIX_H */
