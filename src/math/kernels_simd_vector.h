/* kernels_simd_vector.h -- second half of kernels_simd.h: everything that is
 * not a matrix product, and the table. */
#ifndef WINNOW_MATH_KERNELS_SIMD_VECTOR_H
#define WINNOW_MATH_KERNELS_SIMD_VECTOR_H

/* i from 0 in steps of LANES, m being how many of n a vector there covers. */
/* NOLINTNEXTLINE(bugprone-macro-parentheses): i and m are names it declares */
#define EACH_PART(i, m, n) for (size_t i = 0, m; i < (n) && (m = part(i, (n)), true); i += LANES)

static void axpy(float *y, float a, const float *x, size_t n)
{
    EACH_PART(i, m, n)
    {
        store_part(y + i, V_FMA(V_SET1(a), load_part(x + i, m), load_part(y + i, m)), m);
    }
}

static void add(float *y, const float *x, size_t n)
{
    EACH_PART(i, m, n)
    {
        store_part(y + i, V_ADD(load_part(x + i, m), load_part(y + i, m)), m);
    }
}

static void scale(float *y, float a, size_t n)
{
    EACH_PART(i, m, n)
    {
        store_part(y + i, V_MUL(V_SET1(a), load_part(y + i, m)), m);
    }
}

static float dot(const float *a, const float *b, size_t n)
{
    V sum = V_SET1(0.0F);
    EACH_PART(i, m, n)
    {
        sum = V_FMA(load_part(a + i, m), load_part(b + i, m), sum);
    }
    return v_sum(sum);
}

/* A loop that has to vanish: sums that are named by its counter stay in registers then. */
#define EACH_OF_FEW _Pragma("GCC unroll 8")

/* Whole vectors of n numbers of a row with `count` others, at most 4, so that the row is
 * loaded once; two sums each hide the latency of adding. */
INLINE void dots_whole(float *out, const uint16_t *row, const float *x, size_t stride,
                       const size_t count, size_t n)
{
    V sum[8];
    EACH_OF_FEW
    for (size_t k = 0; k < 2 * count; k++) {
        sum[k] = V_SET1(0.0F);
    }
    size_t j = 0;
    for (; j + 2 * LANES <= n; j += 2 * LANES) {
        V a = V_LOAD_BF16(row + j), b = V_LOAD_BF16(row + j + LANES);
        EACH_OF_FEW
        for (size_t k = 0; k < count; k++) {
            const float *y = x + k * stride + j;
            sum[2 * k] = V_FMA(a, V_LOAD(y), sum[2 * k]);
            sum[2 * k + 1] = V_FMA(b, V_LOAD(y + LANES), sum[2 * k + 1]);
        }
    }
    for (; j < n; j += LANES) {
        V a = V_LOAD_BF16(row + j);
        EACH_OF_FEW
        for (size_t k = 0; k < count; k++) {
            sum[2 * k] = V_FMA(a, V_LOAD(x + k * stride + j), sum[2 * k]);
        }
    }
    EACH_OF_FEW
    for (size_t k = 0; k < count; k++) {
        out[k] = v_sum(V_ADD(sum[2 * k], sum[2 * k + 1]));
    }
}

static void dots_bf16(float *out, const uint16_t *row, const float *x, size_t stride, size_t count,
                      size_t n)
{
    size_t whole = n / LANES * LANES;
    for (size_t i = 0; i < count; i += 4) {
        const float *y = x + i * stride;
        switch (count - i) {
        case 1:
            dots_whole(out + i, row, y, stride, 1, whole);
            break;
        case 2:
            dots_whole(out + i, row, y, stride, 2, whole);
            break;
        case 3:
            dots_whole(out + i, row, y, stride, 3, whole);
            break;
        default:
            dots_whole(out + i, row, y, stride, 4, whole);
        }
    }
    for (size_t j = whole; j < n; j++) {
        uint32_t bits = (uint32_t)row[j] << 16;
        float a;
        memcpy(&a, &bits, sizeof a);
        for (size_t i = 0; i < count; i++) {
            out[i] += a * x[i * stride + j];
        }
    }
}

/* In pieces short enough for f32 sums. */
static double sum_squares(const float *x, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i += 512) {
        size_t m = n - i < 512 ? n - i : 512;
        sum += (double)dot(x + i, x + i, m);
    }
    return sum;
}

static void rmsnorm_again(float *y, const float *x, const float *w, size_t n, float r)
{
    EACH_PART(i, m, n)
    {
        store_part(y + i, V_MUL(V_MUL(load_part(x + i, m), V_SET1(r)), load_part(w + i, m)), m);
    }
}

static float rmsnorm(float *y, const float *x, const float *w, size_t n, float eps)
{
    float r = 1.0F / __builtin_sqrtf(dot(x, x, n) / (float)n + eps);
    rmsnorm_again(y, x, w, n, r);
    return r;
}

static void rmsnorm_back(const struct norm_back *s, size_t n)
{
    V sum = V_SET1(0.0F);
    EACH_PART(i, m, n)
    {
        V dyw = V_MUL(load_part(s->dy + i, m), load_part(s->w + i, m));
        sum = V_FMA(dyw, load_part(s->x + i, m), sum);
    }
    V c = V_SET1(-v_sum(sum) * s->r * s->r / (float)n), vr = V_SET1(s->r);
    EACH_PART(i, m, n)
    {
        V x = load_part(s->x + i, m), dy = load_part(s->dy + i, m);
        V inner = V_FMA(x, c, V_MUL(dy, load_part(s->w + i, m)));
        V base = s->base ? load_part(s->base + i, m) : V_SET1(0.0F);
        store_part(s->dx + i, V_FMA(vr, inner, base), m);
        store_part(s->dw + i, V_FMA(V_MUL(dy, x), vr, load_part(s->dw + i, m)), m);
    }
}

static void rope(float *x, const float *c, const float *s, size_t half)
{
    EACH_PART(i, m, half)
    {
        V a = load_part(x + i, m), b = load_part(x + half + i, m);
        V vc = load_part(c + i, m), vs = load_part(s + i, m);
        store_part(x + i, V_SUB(V_MUL(a, vc), V_MUL(b, vs)), m);
        store_part(x + half + i, V_FMA(b, vc, V_MUL(a, vs)), m);
    }
}

static void rope_back(float *x, const float *c, const float *s, size_t half)
{
    EACH_PART(i, m, half)
    {
        V a = load_part(x + i, m), b = load_part(x + half + i, m);
        V vc = load_part(c + i, m), vs = load_part(s + i, m);
        store_part(x + i, V_FMA(a, vc, V_MUL(b, vs)), m);
        store_part(x + half + i, V_SUB(V_MUL(b, vc), V_MUL(a, vs)), m);
    }
}

INLINE V v_sigmoid(V x)
{
    V one = V_SET1(1.0F);
    return V_DIV(one, V_ADD(one, v_exp(V_SUB(V_SET1(0.0F), x))));
}

static void swiglu(float *h, const float *g, const float *u, size_t n)
{
    EACH_PART(i, m, n)
    {
        V x = load_part(g + i, m);
        store_part(h + i, V_MUL(V_MUL(x, v_sigmoid(x)), load_part(u + i, m)), m);
    }
}

static void swiglu_back(float *h, float *g, float *u, const float *dh, size_t n)
{
    EACH_PART(i, m, n)
    {
        V x = load_part(g + i, m), vu = load_part(u + i, m), d = load_part(dh + i, m);
        V sigmoid = v_sigmoid(x);
        V silu = V_MUL(x, sigmoid);
        V slope = V_MUL(sigmoid, V_ADD(V_SET1(1.0F), V_SUB(x, silu)));
        store_part(h + i, V_MUL(silu, vu), m);
        store_part(g + i, V_MUL(V_MUL(d, vu), slope), m);
        store_part(u + i, V_MUL(d, silu), m);
    }
}

static float max(const float *x, size_t n)
{
    V top = V_SET1(x[0]), tops[4] = {top, top, top, top}; /* not one chain of waiting */
    size_t i = 0;
    for (; i + (size_t)4 * LANES <= n; i += (size_t)4 * LANES) {
#pragma GCC unroll 4
        for (size_t j = 0; j < 4; j++) {
            tops[j] = V_MAX(tops[j], V_LOAD(x + i + j * LANES));
        }
    }
    for (; i + LANES <= n; i += LANES) {
        top = V_MAX(top, V_LOAD(x + i));
    }
    V half = V_MAX(tops[0], tops[1]), other = V_MAX(tops[2], tops[3]);
    float most = v_maximum(V_MAX(top, V_MAX(half, other)));
    for (; i < n; i++) {
        most = x[i] > most ? x[i] : most;
    }
    return most;
}

static void softmax_cols(float *s, size_t rows, uint32_t cols, float factor, float *lse)
{
    V f = V_SET1(factor);
    for (size_t c = 0; c < cols; c += LANES) {
        V top = V_LOAD(s + c), sum = V_SET1(0.0F);
        for (size_t r = 1; r < rows; r++) {
            top = V_MAX(top, V_LOAD(s + r * COLS + c));
        }
        for (size_t r = 0; r < rows; r++) {
            V e = v_exp(V_MUL(f, V_SUB(V_LOAD(s + r * COLS + c), top)));
            V_STORE(s + r * COLS + c, e);
            sum = V_ADD(sum, e);
        }
        V inverse = V_DIV(V_SET1(1.0F), sum);
        for (size_t r = 0; r < rows; r++) {
            V_STORE(s + r * COLS + c, V_MUL(V_LOAD(s + r * COLS + c), inverse));
        }
        float tops[LANES], sums[LANES];
        V_STORE(tops, top);
        V_STORE(sums, sum);
        for (size_t i = 0; i < LANES; i++) {
            lse[c + i] = factor * tops[i] + logf(sums[i]);
        }
    }
}

/* exp of one row's scores less their maximum, and zeros behind. */
INLINE void row_exponentials(float *s, size_t n, size_t cols, float factor)
{
    V f = V_SET1(factor), top = V_SET1(max(s, n)), zero = V_SET1(0.0F);
    EACH_PART(i, m, n)
    {
        store_part(s + i, v_exp(V_MUL(f, V_SUB(load_part(s + i, m), top))), m);
    }
    EACH_PART(i, m, cols - n)
    {
        store_part(s + n + i, zero, m);
    }
}

/* Sums run key by key, as in softmax_cols, four rows at a time since each
 * addition waits for the one before. */
static void softmax_rows(float *s, const struct softmax_rows *r)
{
    for (size_t i = 0; i < r->rows; i += 4) {
        const float *row[4];
        float sum[4] = {0};
        size_t four = r->rows - i < 4 ? r->rows - i : 4, common = r->first + i * r->more;
        for (size_t q = 0; q < 4; q++) {
            size_t at = i + (q < four ? q : 0);
            row[q] = s + at * r->stride;
            if (q < four) {
                row_exponentials(s + at * r->stride, r->first + at * r->more, r->cols, r->scale);
            }
        }
        for (size_t j = 0; j < common; j++) {
            sum[0] += row[0][j];
            sum[1] += row[1][j];
            sum[2] += row[2][j];
            sum[3] += row[3][j];
        }
        for (size_t q = 0; q < four; q++) {
            size_t n = common + q * r->more;
            for (size_t j = common; j < n; j++) {
                sum[q] += row[q][j];
            }
            scale(s + (i + q) * r->stride, 1.0F / sum[q], n);
        }
    }
}

static void attention_back(float *s, float *d, size_t n, float factor, float lse, float delta)
{
    V f = V_SET1(factor), shift = V_SET1(-lse), vd = V_SET1(delta);
    EACH_PART(i, m, n)
    {
        V p = v_exp(V_FMA(f, load_part(s + i, m), shift));
        store_part(s + i, p, m);
        store_part(d + i, V_MUL(V_MUL(p, V_SUB(load_part(d + i, m), vd)), f), m);
    }
}

static float sum_exp(const float *x, size_t n, float shift)
{
    V sum = V_SET1(0.0F), sh = V_SET1(shift);
    size_t i = 0;
    for (; i + LANES <= n; i += LANES) {
        sum = V_ADD(sum, v_exp(V_SUB(V_LOAD(x + i), sh)));
    }
    if (i < n) { /* what a masked load leaves 0 must not count as exp(-shift) */
        float last[LANES] = {0};
        V_STOREN(last, v_exp(V_SUB(V_LOADN(x + i, n - i), sh)), n - i);
        sum = V_ADD(sum, V_LOAD(last));
    }
    return v_sum(sum);
}

static void exp_scale(float *x, size_t n, float shift, float a)
{
    V sh = V_SET1(shift), va = V_SET1(a);
    EACH_PART(i, m, n)
    {
        store_part(x + i, V_MUL(v_exp(V_SUB(load_part(x + i, m), sh)), va), m);
    }
}

static void adamw(float *w, float *m, float *v, float *g, size_t n, const struct adamw_step *s)
{
    V b1 = V_SET1(s->beta1), c1 = V_SET1(1.0F - s->beta1);
    V b2 = V_SET1(s->beta2), c2 = V_SET1(1.0F - s->beta2);
    V root = V_SET1(s->root), eps = V_SET1(s->eps);
    V keep = V_SET1(1.0F - s->decay), rate = V_SET1(-s->rate), factor = V_SET1(s->gradient);
    EACH_PART(i, k, n)
    {
        V grad = V_MUL(load_part(g + i, k), factor);
        V vm = V_FMA(b1, load_part(m + i, k), V_MUL(c1, grad));
        V vv = V_FMA(b2, load_part(v + i, k), V_MUL(V_MUL(c2, grad), grad));
        V step = V_DIV(vm, V_FMA(V_SQRT(vv), root, eps));
        store_part(m + i, vm, k);
        store_part(v + i, vv, k);
        store_part(w + i, V_FMA(rate, step, V_MUL(keep, load_part(w + i, k))), k);
        store_part(g + i, V_SET1(0.0F), k);
    }
}

const struct kernels TABLE = {
    .name = TABLE_NAME,
    .lanes = LANES,
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

#endif /* WINNOW_MATH_KERNELS_SIMD_VECTOR_H */
