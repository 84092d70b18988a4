/* kernels_generic.c -- what every kernel means, in plain C.
 *
 * The tables of real processors are judged by this one (tests/unit/test_kernels.c),
 * which is written to be read and runs where nothing better does.  Products take a
 * left operand a and a right one b, packed in panels of ROWS and COLS numbers a step
 * of k, and make a tile of c.  bf16 packs two steps into a word, int8 four.
 *
 * int8 is cut along k into blocks with a scale for each row of a block, so that a
 * large number coarsens only its own block:
 *
 *     left    [steps][rows] quads of s8     [rows] scales    [rows] -128 * sum
 *     right   [steps][COLS] quads of u8     [COLS] scales
 *
 * The right side is stored with 128 added, as x86 multiplies unsigned by signed
 * bytes; the left side's last row takes that out of each dot product again.
 */
#include "math/kernels.h"

#include <math.h>
#include <string.h>

#define ROWS 4U
#define COLS 16U

static float from_bf16(uint32_t half)
{
    uint32_t bits = half << 16;
    float f;
    memcpy(&f, &bits, sizeof f);
    return f;
}

/* To nearest, ties to even; a NaN stays one. */
static uint32_t to_bf16(float f)
{
    uint32_t bits;
    memcpy(&bits, &f, sizeof bits);
    if ((bits & 0x7FFFFFFFU) > 0x7F800000U) {
        return (bits >> 16) | 0x40U;
    }
    return (bits + 0x7FFFU + ((bits >> 16) & 1U)) >> 16;
}

static void put_tile(const struct gemm_tile *t, float sum[ROWS][COLS])
{
    for (size_t i = 0; i < t->m; i++) {
        for (size_t j = 0; j < t->n; j++) {
            size_t at = i * t->c_step + j;
            t->c[at] = t->base ? t->base[at] + sum[i][j] : sum[i][j];
        }
    }
}

static void start_tile(const struct gemm_tile *t, float sum[ROWS][COLS])
{
    memset(sum, 0, sizeof(float[ROWS][COLS]));
    for (size_t i = 0; t->from && i < t->m; i++) {
        memcpy(sum[i], t->from + i * t->c_step, t->n * sizeof(float));
    }
}

static void tile_f32(const struct gemm_tile *t)
{
    float sum[ROWS][COLS];
    start_tile(t, sum);
    const float *a = t->a, *b = t->b;
    for (size_t k = 0; k < t->k; k++, a += t->a_step, b += t->b_step) {
        for (size_t i = 0; i < t->m; i++) {
            for (size_t j = 0; j < t->n; j++) {
                sum[i][j] += a[i] * b[j];
            }
        }
    }
    put_tile(t, sum);
}

static void tile_bf16(const struct gemm_tile *t)
{
    float sum[ROWS][COLS];
    start_tile(t, sum);
    const uint32_t *a = t->a, *b = t->b;
    for (size_t k = 0; k < t->k; k++, a += t->a_step, b += t->b_step) {
        for (size_t i = 0; i < t->m; i++) {
            for (size_t j = 0; j < t->n; j++) {
                sum[i][j] += from_bf16(a[i] & 0xFFFFU) * from_bf16(b[j] & 0xFFFFU);
                sum[i][j] += from_bf16(a[i] >> 16) * from_bf16(b[j] >> 16);
            }
        }
    }
    put_tile(t, sum);
}

static int32_t quad_product(uint32_t a, uint32_t b)
{
    int32_t sum = 0;
    for (uint32_t i = 0; i < 4; i++) {
        sum += (int8_t)(a >> 8 * i & 0xFFU) * (int32_t)(b >> 8 * i & 0xFFU);
    }
    return sum;
}

static void tile_int8(const struct gemm_tile *t)
{
    float sum[ROWS][COLS] = {{0}};
    const uint32_t *a = t->a, *b = t->b;
    for (size_t left = t->k, steps; left > 0; left -= steps) {
        steps = left < KERNELS_BLOCK_STEPS ? left : KERNELS_BLOCK_STEPS;
        const float *a_scale = (const float *)(a + steps * t->a_step);
        const int32_t *a_start = (const int32_t *)(a_scale + t->a_step);
        const float *b_scale = (const float *)(b + steps * COLS);
        for (size_t i = 0; i < t->m; i++) {
            for (size_t j = 0; j < t->n; j++) {
                int32_t dot = a_start[i];
                for (size_t s = 0; s < steps; s++) {
                    dot += quad_product(a[s * t->a_step + i], b[s * COLS + j]);
                }
                sum[i][j] += (float)dot * (a_scale[i] * b_scale[j]);
            }
        }
        a += (steps + 2) * t->a_step;
        b += (steps + 1) * COLS;
    }
    put_tile(t, sum);
}

/* One row's part of a block, to quads `width` apart, those of numbers + 128 where
 * offset is 128; returns the sum of the numbers. */
static int32_t pack_block(uint32_t *dst, size_t width, const float *x, size_t n, uint32_t offset,
                          size_t steps, float *scale)
{
    float top = 0;
    for (size_t i = 0; i < n; i++) {
        top = fmaxf(top, fabsf(x[i]));
    }
    float factor = top > 0 ? 127.0F / top : 0.0F;
    int32_t sum = 0;
    for (size_t s = 0; s < steps; s++, dst += width) {
        *dst = 0;
        for (size_t i = 4 * s; i < 4 * s + 4; i++) {
            int32_t q = i < n ? (int32_t)lrintf(x[i] * factor) : 0;
            sum += q;
            *dst |= (((uint32_t)q + offset) & 0xFFU) << 8 * (i % 4);
        }
    }
    *scale = top / 127.0F;
    return sum;
}

static void pack_int8(uint32_t *dst, const struct pack_source *s, uint32_t width, bool left)
{
    for (size_t r0 = 0; r0 < s->rows; r0 += width) {
        for (size_t k = 0; k < s->cols; k += KERNELS_BLOCK) {
            size_t n = s->cols - k < KERNELS_BLOCK ? s->cols - k : KERNELS_BLOCK;
            size_t steps = kernels_block_steps(n);
            float *scale = (float *)(dst + steps * width);
            for (size_t r = 0; r < width; r++) {
                bool real = r0 + r < s->rows;
                const float *x = real ? s->src + (r0 + r) * s->stride + k : NULL;
                int32_t sum =
                    pack_block(dst + r, width, x, real ? n : 0, left ? 0 : 128, steps, &scale[r]);
                if (left) {
                    ((int32_t *)(scale + width))[r] = -128 * sum;
                }
            }
            dst += (steps + (left ? 2 : 1)) * width;
        }
    }
}

static void pack_a_int8(uint32_t *dst, uint32_t width, const struct pack_source *s)
{
    pack_int8(dst, s, width, true);
}

static void pack_b_int8(uint32_t *dst, const struct pack_source *s)
{
    pack_int8(dst, s, COLS, false);
}

static void pack_rows_f32(float *dst, uint32_t width, const struct pack_source *s)
{
    for (size_t r0 = 0; r0 < s->rows; r0 += width) {
        for (size_t k = 0; k < s->cols; k++) {
            for (size_t r = r0; r < r0 + width; r++) {
                *dst++ = r < s->rows ? s->src[r * s->stride + k] : 0.0F;
            }
        }
    }
}

static void pack_cols_f32(float *dst, uint32_t width, const struct pack_source *s)
{
    for (size_t c0 = 0; c0 < s->cols; c0 += width) {
        for (size_t k = 0; k < s->rows; k++) {
            for (size_t c = c0; c < c0 + width; c++) {
                *dst++ = c < s->cols ? s->src[k * s->stride + c] : 0.0F;
            }
        }
    }
}

static uint32_t at_bf16(const struct pack_source *s, size_t row, size_t col)
{
    return row < s->rows && col < s->cols ? to_bf16(s->src[row * s->stride + col]) : 0;
}

static void pack_rows_bf16(uint32_t *dst, uint32_t width, const struct pack_source *s)
{
    for (size_t r0 = 0; r0 < s->rows; r0 += width) {
        for (size_t k = 0; k < s->cols; k += 2) {
            for (size_t r = r0; r < r0 + width; r++) {
                *dst++ = at_bf16(s, r, k) | at_bf16(s, r, k + 1) << 16;
            }
        }
    }
}

static void pack_cols_bf16(uint32_t *dst, uint32_t width, const struct pack_source *s)
{
    for (size_t c0 = 0; c0 < s->cols; c0 += width) {
        for (size_t k = 0; k < s->rows; k += 2) {
            for (size_t c = c0; c < c0 + width; c++) {
                *dst++ = at_bf16(s, k, c) | at_bf16(s, k + 1, c) << 16;
            }
        }
    }
}

static void axpy(float *y, float a, const float *x, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        y[i] += a * x[i];
    }
}

static void add(float *y, const float *x, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        y[i] += x[i];
    }
}

static void scale(float *y, float a, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        y[i] *= a;
    }
}

static float dot(const float *a, const float *b, size_t n)
{
    float sum = 0;
    for (size_t i = 0; i < n; i++) {
        sum += a[i] * b[i];
    }
    return sum;
}

static void dots_bf16(float *out, const uint16_t *row, const float *x, size_t stride, size_t count,
                      size_t n)
{
    for (size_t i = 0; i < count; i++) {
        float sum = 0;
        for (size_t j = 0; j < n; j++) {
            uint32_t bits = (uint32_t)row[j] << 16;
            float a;
            memcpy(&a, &bits, sizeof a);
            sum += a * x[i * stride + j];
        }
        out[i] = sum;
    }
}

static double sum_squares(const float *x, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        sum += (double)x[i] * (double)x[i];
    }
    return sum;
}

static void rmsnorm_again(float *y, const float *x, const float *w, size_t n, float r)
{
    for (size_t i = 0; i < n; i++) {
        y[i] = x[i] * r * w[i];
    }
}

static float rmsnorm(float *y, const float *x, const float *w, size_t n, float eps)
{
    float r = 1.0F / sqrtf(dot(x, x, n) / (float)n + eps);
    rmsnorm_again(y, x, w, n, r);
    return r;
}

static void rmsnorm_back(const struct norm_back *s, size_t n)
{
    float sum = 0, r = s->r;
    for (size_t i = 0; i < n; i++) {
        sum += s->dy[i] * s->w[i] * s->x[i];
    }
    /* d/dx of x r: r (1 - x x' r^2 / n). */
    float c = sum * r * r / (float)n;
    for (size_t i = 0; i < n; i++) {
        float dx = r * (s->dy[i] * s->w[i] - s->x[i] * c);
        s->dx[i] = s->base ? s->base[i] + dx : dx;
        s->dw[i] += s->dy[i] * s->x[i] * r;
    }
}

static void rope(float *x, const float *c, const float *s, size_t half)
{
    for (size_t i = 0; i < half; i++) {
        float a = x[i], b = x[i + half];
        x[i] = a * c[i] - b * s[i];
        x[i + half] = b * c[i] + a * s[i];
    }
}

static void rope_back(float *x, const float *c, const float *s, size_t half)
{
    for (size_t i = 0; i < half; i++) {
        float a = x[i], b = x[i + half];
        x[i] = a * c[i] + b * s[i];
        x[i + half] = b * c[i] - a * s[i];
    }
}

static void swiglu(float *h, const float *g, const float *u, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        h[i] = g[i] / (1.0F + expf(-g[i])) * u[i];
    }
}

/* Makes h again beside the gradients, which costs less than keeping it;
 * d silu(g) / dg = sigmoid(g) (1 + g - silu(g)). */
static void swiglu_back(float *h, float *g, float *u, const float *dh, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        float sigmoid = 1.0F / (1.0F + expf(-g[i]));
        float silu = g[i] * sigmoid;
        h[i] = silu * u[i];
        g[i] = dh[i] * u[i] * sigmoid * (1.0F + g[i] - silu);
        u[i] = dh[i] * silu;
    }
}

static void softmax_cols(float *s, size_t rows, uint32_t cols, float factor, float *lse)
{
    for (size_t c = 0; c < cols; c++) {
        float top = s[c]; /* taken off, so that no exponential overflows */
        for (size_t r = 1; r < rows; r++) {
            top = fmaxf(top, s[r * COLS + c]);
        }
        float sum = 0;
        for (size_t r = 0; r < rows; r++) {
            float e = expf(factor * (s[r * COLS + c] - top));
            s[r * COLS + c] = e;
            sum += e;
        }
        for (size_t r = 0; r < rows; r++) {
            s[r * COLS + c] /= sum;
        }
        lse[c] = factor * top + logf(sum);
    }
}

static void softmax_rows(float *s, const struct softmax_rows *r)
{
    for (size_t i = 0; i < r->rows; i++, s += r->stride) {
        size_t n = r->first + i * r->more;
        float top = s[0], sum = 0;
        for (size_t j = 1; j < n; j++) {
            top = fmaxf(top, s[j]);
        }
        for (size_t j = 0; j < n; j++) {
            s[j] = expf(r->scale * (s[j] - top));
            sum += s[j];
        }
        for (size_t j = 0; j < n; j++) {
            s[j] /= sum;
        }
        memset(s + n, 0, (r->cols - n) * sizeof *s);
    }
}

/* Probabilities come back from scores and their log-sum-exp instead of being kept, and
 * ds = p (dp - delta), delta being the row's sum of p dp (Dao et al. 2022). */
static void attention_back(float *s, float *d, size_t n, float factor, float lse, float delta)
{
    for (size_t i = 0; i < n; i++) {
        float p = expf(factor * s[i] - lse);
        s[i] = p;
        d[i] = p * (d[i] - delta) * factor;
    }
}

static float max(const float *x, size_t n)
{
    float top = x[0];
    for (size_t i = 1; i < n; i++) {
        top = fmaxf(top, x[i]);
    }
    return top;
}

static float sum_exp(const float *x, size_t n, float shift)
{
    float sum = 0;
    for (size_t i = 0; i < n; i++) {
        sum += expf(x[i] - shift);
    }
    return sum;
}

static void exp_scale(float *x, size_t n, float shift, float a)
{
    for (size_t i = 0; i < n; i++) {
        x[i] = expf(x[i] - shift) * a;
    }
}

static void adamw(float *w, float *m, float *v, float *g, size_t n, const struct adamw_step *s)
{
    for (size_t i = 0; i < n; i++) {
        float grad = g[i] * s->gradient;
        m[i] = s->beta1 * m[i] + (1.0F - s->beta1) * grad;
        v[i] = s->beta2 * v[i] + (1.0F - s->beta2) * grad * grad;
        w[i] -= s->decay * w[i] + s->rate * m[i] / (sqrtf(v[i]) * s->root + s->eps);
        g[i] = 0;
    }
}

const struct kernels KERNELS_GENERIC = {
    .name = "generic",
    .lanes = 4,
    .gemm_rows = ROWS,
    .gemm_cols = COLS,
    .tile_f32 = tile_f32,
    .tile_bf16 = tile_bf16,
    .tile_int8 = tile_int8,
    .pack_rows_f32 = pack_rows_f32,
    .pack_rows_bf16 = pack_rows_bf16,
    .pack_cols_f32 = pack_cols_f32,
    .pack_cols_bf16 = pack_cols_bf16,
    .pack_a_int8 = pack_a_int8,
    .pack_b_int8 = pack_b_int8,
    .axpy = axpy,
    .add = add,
    .scale = scale,
    .dot = dot,
    .dots_bf16 = dots_bf16,
    .sum_squares = sum_squares,
    .rmsnorm = rmsnorm,
    .rmsnorm_again = rmsnorm_again,
    .rmsnorm_back = rmsnorm_back,
    .rope = rope,
    .rope_back = rope_back,
    .swiglu = swiglu,
    .swiglu_back = swiglu_back,
    .softmax_cols = softmax_cols,
    .softmax_rows = softmax_rows,
    .attention_back = attention_back,
    .max = max,
    .sum_exp = sum_exp,
    .exp_scale = exp_scale,
    .adamw = adamw,
};
