/* vector_rows.c -- the sweep in blocks of rows, several targets at a time, on all threads. */
#include "vectors/vector_rows.h"

#include "base/file.h"

#include <string.h>

bool vector_rows_has(const struct vector_rows *r, size_t row)
{
    for (uint32_t t = 0; t < r->parts; t++) {
        if (r->scales[row * r->parts + t] > 0) {
            return true;
        }
    }
    return false;
}

void vector_rows_done(const struct vector_rows *r, size_t from, size_t to)
{
    if (r->forget && to > from) {
        size_t row = vector_rows_width(r) * sizeof *r->data;
        file_map_forget((struct str){(const char *)r->data + from * row, (to - from) * row});
    }
}

void vector_rows_expand(const struct vector_rows *r, size_t row, float *out)
{
    const uint16_t *from = r->data + row * vector_rows_width(r);
    for (uint32_t t = 0; t < r->parts; t++) {
        float scale = r->scales[row * r->parts + t];
        for (size_t i = 0; i < r->dim; i++, from++, out++) {
            uint32_t bits = (uint32_t)*from << 16;
            float x;
            memcpy(&x, &bits, sizeof x);
            *out = x * scale;
        }
    }
}

double vector_dot(const struct kernels *k, const float *a, const float *b, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i += 256) {
        sum += (double)k->dot(a + i, b + i, n - i < 256 ? n - i : 256);
    }
    return sum;
}

uint16_t vector_bf16(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return (uint16_t)((bits + 0x7FFFU + (bits >> 16 & 1U)) >> 16);
}

/* Rows of a piece: some megabytes, so that pieces are many and their start costs nothing. */
#define SWEEP_ROWS 256U

struct sweeping {
    const struct vector_sweep *s;
    const struct kernels *k;
};

static void sweep_piece(void *ctx, size_t piece, uint32_t worker)
{
    (void)worker;
    const struct sweeping *w = ctx;
    const struct vector_sweep *s = w->s;
    const struct vector_rows *rows = s->rows;
    size_t width = vector_rows_width(rows), from = piece * SWEEP_ROWS;
    size_t to = s->n - from < SWEEP_ROWS ? s->n : from + SWEEP_ROWS;
    for (size_t r = from; r < to; r++) {
        size_t row = s->which ? s->which[r] : r;
        float sums[VECTOR_SWEEP_MAX] = {0}, part[VECTOR_SWEEP_MAX];
        for (uint32_t t = 0; t < rows->parts; t++) {
            float scale = rows->scales[row * rows->parts + t];
            if (scale > 0) {
                w->k->dots_bf16(part, rows->data + row * width + (size_t)t * rows->dim,
                                s->x + (size_t)t * rows->dim, width, s->count, rows->dim);
                for (size_t i = 0; i < s->count; i++) {
                    sums[i] += scale * part[i];
                }
            }
        }
        for (size_t i = 0; i < s->count; i++) {
            s->out[i * s->n + r] = sums[i];
        }
    }
    vector_rows_done(rows, s->which ? s->which[from] : from,
                     s->which ? (size_t)s->which[to - 1] + 1 : to);
}

void vector_sweep(const struct vector_sweep *s, const struct kernels *k, struct pool *pool)
{
    struct sweeping w = {s, k};
    pool_run(pool, (s->n + SWEEP_ROWS - 1) / SWEEP_ROWS, sweep_piece, &w);
}
