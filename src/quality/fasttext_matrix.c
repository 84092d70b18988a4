/* fasttext_matrix.c -- rows out of dense and quantised matrices.
 *
 * Floats are summed in the order in which fastText sums them, each place of a row by itself,
 * so that a sum of many rows rounds alike on both sides. */
#include "quality/fasttext_matrix.h"

#define CENTROIDS  256U
#define COLS_MAX   (1U << 16)
#define CACHE_LINE 64U
#define LANES      4U

typedef float lanes __attribute__((vector_size(LANES * sizeof(float))));

winnow_status fasttext_view(struct fasttext_cursor *c, uint64_t count, uint64_t size,
                            const char **out, const char *what, struct winnow_error *err)
{
    if (size > 0 && count > c->left.len / size) {
        return error_set(err, WINNOW_E_FORMAT,
                         "%s: the file ends within %s: it is cut short, or no fastText model",
                         c->path, what);
    }
    size_t bytes = (size_t)(count * size);
    *out = c->left.ptr;
    c->left = str_sub(c->left, bytes, c->left.len);
    return WINNOW_OK;
}

winnow_status fasttext_take(struct fasttext_cursor *c, void *dst, size_t bytes, const char *what,
                            struct winnow_error *err)
{
    const char *at;
    TRY(fasttext_view(c, bytes, 1, &at, what, err));
    if (bytes > 0) {
        memcpy(dst, at, bytes);
    }
    return WINNOW_OK;
}

static winnow_status take_size(struct fasttext_cursor *c, uint64_t *rows, uint32_t *cols,
                               const char *what, struct winnow_error *err)
{
    int64_t size[2];
    TRY(fasttext_take(c, size, sizeof size, what, err));
    if (size[0] < 0 || size[1] < 1 || size[1] > COLS_MAX) {
        return error_set(err, WINNOW_E_FORMAT, "%s: %s cannot have %lld rows of %lld numbers",
                         c->path, what, (long long)size[0], (long long)size[1]);
    }
    *rows = (uint64_t)size[0];
    *cols = (uint32_t)size[1];
    return WINNOW_OK;
}

static winnow_status take_book(struct fasttext_cursor *c, uint32_t dim,
                               struct fasttext_codebook *book, const char *what,
                               struct winnow_error *err)
{
    int32_t sizes[4]; /* dim, parts, part_dim, last_dim */
    TRY(fasttext_take(c, sizes, sizeof sizes, what, err));
    bool sane = sizes[0] == (int32_t)dim && sizes[1] >= 1 && sizes[2] >= 1 && sizes[3] >= 1 &&
                sizes[3] <= sizes[2] &&
                ((int64_t)sizes[1] - 1) * sizes[2] + sizes[3] == (int64_t)dim;
    if (!sane) {
        return error_set(err, WINNOW_E_FORMAT,
                         "%s: the codebook of %s says that %d numbers are %d parts of %d, the last "
                         "of %d, where a row has %u",
                         c->path, what, sizes[0], sizes[1], sizes[2], sizes[3], dim);
    }
    *book = (struct fasttext_codebook){.dim = dim,
                                       .parts = (uint32_t)sizes[1],
                                       .part_dim = (uint32_t)sizes[2],
                                       .last_dim = (uint32_t)sizes[3]};
    return fasttext_view(c, (uint64_t)dim * CENTROIDS, sizeof(float), &book->centroids, what, err);
}

static winnow_status take_quantised(struct fasttext_cursor *c, struct fasttext_matrix *m,
                                    const char *what, struct winnow_error *err)
{
    unsigned char with_norms;
    int32_t code_bytes;
    const char *at;
    TRY(fasttext_take(c, &with_norms, 1, what, err));
    TRY(take_size(c, &m->rows, &m->cols, what, err));
    TRY(fasttext_take(c, &code_bytes, sizeof code_bytes, what, err));
    TRY(fasttext_view(c, code_bytes < 0 ? UINT64_MAX : (uint64_t)code_bytes, 1, &at, what, err));
    m->codes = (const unsigned char *)at;
    TRY(take_book(c, m->cols, &m->book, what, err));
    if (with_norms > 1 || m->rows > UINT32_MAX || m->rows * m->book.parts != (uint64_t)code_bytes) {
        return error_set(err, WINNOW_E_FORMAT,
                         "%s: %s has %d bytes of codes for %llu rows of %u parts", c->path, what,
                         code_bytes, (unsigned long long)m->rows, m->book.parts);
    }
    if (with_norms) {
        TRY(fasttext_view(c, m->rows, 1, &at, what, err));
        m->norm_codes = (const unsigned char *)at;
        TRY(take_book(c, 1, &m->norms, what, err));
    }
    return WINNOW_OK;
}

winnow_status fasttext_matrix_take(struct fasttext_cursor *c, bool quantised,
                                   struct fasttext_matrix *out, const char *what,
                                   struct winnow_error *err)
{
    *out = (struct fasttext_matrix){0};
    if (quantised) {
        return take_quantised(c, out, what, err);
    }
    TRY(take_size(c, &out->rows, &out->cols, what, err));
    return fasttext_view(c, out->rows, out->cols * sizeof(float), &out->data, what, err);
}

static float float_at(const char *numbers, size_t i)
{
    float x;
    memcpy(&x, numbers + i * sizeof x, sizeof x);
    return x;
}

static void add_dense(const char *row, size_t cols, float *sum)
{
    size_t i = 0;
    for (; i + LANES <= cols; i += LANES) {
        lanes a, b;
        memcpy(&a, sum + i, sizeof a);
        memcpy(&b, row + i * sizeof(float), sizeof b);
        a += b;
        memcpy(sum + i, &a, sizeof a);
    }
    for (; i < cols; i++) {
        sum[i] += float_at(row, i);
    }
}

static float norm_of(const struct fasttext_matrix *m, uint64_t row)
{
    return m->norm_codes ? float_at(m->norms.centroids, m->norm_codes[row]) : 1;
}

/* The centroid that stands for a part of a row, and how long it is. */
static const char *centroid(const struct fasttext_matrix *m, uint64_t row, uint32_t part,
                            uint32_t *dim)
{
    const struct fasttext_codebook *b = &m->book;
    size_t code = m->codes[row * b->parts + part];
    *dim = part + 1 == b->parts ? b->last_dim : b->part_dim;
    return b->centroids + ((size_t)part * CENTROIDS * b->part_dim + code * *dim) * sizeof(float);
}

void fasttext_matrix_add(const struct fasttext_matrix *m, uint64_t row, float *sum)
{
    if (m->data) {
        add_dense(m->data + row * m->cols * sizeof(float), m->cols, sum);
        return;
    }
    float norm = norm_of(m, row);
    for (uint32_t part = 0; part < m->book.parts; part++) {
        uint32_t dim;
        const char *c = centroid(m, row, part, &dim);
        for (uint32_t i = 0; i < dim; i++) {
            sum[part * m->book.part_dim + i] += norm * float_at(c, i);
        }
    }
}

void fasttext_matrix_prefetch(const struct fasttext_matrix *m, uint64_t row)
{
    if (!m->data) {
        __builtin_prefetch(m->codes + row * m->book.parts);
        return;
    }
    size_t bytes = m->cols * sizeof(float);
    const char *at = m->data + row * bytes;
    for (size_t i = 0; i < bytes; i += CACHE_LINE) {
        __builtin_prefetch(at + i);
    }
}

double fasttext_matrix_dot(const struct fasttext_matrix *m, uint64_t row, const float *x)
{
    double sum = 0;
    if (m->data) {
        const char *numbers = m->data + row * m->cols * sizeof(float);
        for (size_t i = 0; i < m->cols; i++) {
            sum += (double)float_at(numbers, i) * (double)x[i];
        }
        return sum;
    }
    for (uint32_t part = 0; part < m->book.parts; part++) {
        uint32_t dim;
        const char *c = centroid(m, row, part, &dim);
        for (uint32_t i = 0; i < dim; i++) {
            sum += (double)float_at(c, i) * (double)x[part * m->book.part_dim + i];
        }
    }
    return sum * (double)norm_of(m, row);
}
