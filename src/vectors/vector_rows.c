/* vector_rows.c -- the sweep in blocks of rows, several targets at a time, on all threads. */
#include "vectors/vector_rows.h"

#include "base/file.h"

#include <math.h>
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

bool vector_rows_finite(const struct vector_rows *r, size_t row)
{
    const uint16_t *from = r->data + row * vector_rows_width(r);
    double sum = 0;
    for (uint32_t t = 0; t < r->parts; t++) {
        float scale = r->scales[row * r->parts + t];
        for (size_t i = 0; i < r->dim; i++, from++) {
            uint32_t bits = (uint32_t)*from << 16;
            float x;
            memcpy(&x, &bits, sizeof x);
            x *= scale;
            sum += (double)x * (double)x;
        }
    }
    return sum <= (double)FLT_MAX; /* not a number: no */
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

/* So many rows go over so many numbers of the others before the next numbers' turn: of eight
 * others those stay in the nearest cache.  A few stay there anyhow, and rows are read one after
 * the other. */
#define SWEEP_BAND    16U
#define SWEEP_STRETCH 1024U

struct sweeping {
    const struct vector_sweep *s;
    const struct kernels *k;
};

static size_t row_at(const struct vector_sweep *s, size_t r)
{
    return s->which ? s->which[r] : r;
}

/* Rows r.. of a band, and of their part t the stretch from `from` on. */
static void sweep_stretch(const struct sweeping *w, size_t r, size_t rows, uint32_t t, size_t from,
                          float sums[][VECTOR_SWEEP_MAX])
{
    const struct vector_sweep *s = w->s;
    const struct vector_rows *all = s->rows;
    size_t width = vector_rows_width(all), at = (size_t)t * all->dim + from;
    size_t n = all->dim - from < SWEEP_STRETCH ? all->dim - from : SWEEP_STRETCH;
    for (size_t i = 0; i < rows; i++) {
        size_t row = row_at(s, r + i);
        float scale = all->scales[row * all->parts + t], part[VECTOR_SWEEP_MAX];
        if (scale > 0) {
            w->k->dots_bf16(part, all->data + row * width + at, s->x + at, width, s->count, n);
            for (size_t j = 0; j < s->count; j++) {
                sums[i][j] += scale * part[j];
            }
        }
    }
}

static void sweep_band(const struct sweeping *w, size_t r, size_t rows)
{
    const struct vector_sweep *s = w->s;
    float sums[SWEEP_BAND][VECTOR_SWEEP_MAX] = {{0}};
    for (uint32_t t = 0; t < s->rows->parts; t++) {
        for (size_t from = 0; from < s->rows->dim; from += SWEEP_STRETCH) {
            sweep_stretch(w, r, rows, t, from, sums);
        }
    }
    for (size_t i = 0; i < rows; i++) {
        for (size_t j = 0; j < s->count; j++) {
            s->out[j * s->n + r + i] = isfinite(sums[i][j]) ? sums[i][j] : VECTOR_NO_PRODUCT;
        }
    }
}

static void sweep_piece(void *ctx, size_t piece, uint32_t worker)
{
    (void)worker;
    const struct sweeping *w = ctx;
    size_t from = piece * SWEEP_ROWS;
    size_t to = w->s->n - from < SWEEP_ROWS ? w->s->n : from + SWEEP_ROWS;
    size_t band = w->s->count > 2 ? SWEEP_BAND : 1;
    for (size_t r = from; r < to; r += band) {
        sweep_band(w, r, to - r < band ? to - r : band);
    }
    vector_rows_done(w->s->rows, row_at(w->s, from), row_at(w->s, to - 1) + 1);
}

void vector_sweep(const struct vector_sweep *s, const struct kernels *k, struct pool *pool)
{
    struct sweeping w = {s, k};
    pool_run(pool, (s->n + SWEEP_ROWS - 1) / SWEEP_ROWS, sweep_piece, &w);
}
