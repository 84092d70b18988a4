/* tensor_type.c -- block layouts and dequantisation.
 *
 * All formats are little-endian; so are the machines this builds for (checked
 * below).  The quantised layouts are GGUF's:
 *
 *   Q8_0   d:f16 q:i8[32]                      x = d q
 *   Q4_0   d:f16 n:u8[16]                      x = d (q - 8)
 *   Q4_1   d:f16 m:f16 n:u8[16]                x = d q + m
 *     byte j of n holds element j in its low and element j + 16 in its high half
 *   Q5_0   d:f16 h:u8[4] n:u8[16]              x = d (q - 16)
 *   Q5_1   d:f16 m:f16 h:u8[4] n:u8[16]        x = d q + m
 *     as above, the fifth bit of element j being bit j of h
 *   Q4_K   d:f16 m:f16 s:u8[12] n:u8[128]      x = d s[g] q - m l[g]
 *   Q5_K   d:f16 m:f16 s:u8[12] h:u8[32] n:u8[128]
 *     groups g of 32 elements; groups 2c and 2c + 1 share 32 bytes of n, low and
 *     high halves; the fifth bit of element i of group g is bit g of h[i];
 *     scale_of() and least_of() tell how s packs sixteen 6-bit numbers.
 *   Q6_K   ql:u8[128] qh:u8[64] s:i8[16] d:f16   x = d s[e / 16] (q - 32)
 *     each half of 128 elements takes 64 bytes of ql and 32 of qh; with l in
 *     0..31 and quarter c in 0..3, element 32 c + l has its low four bits in
 *     ql[l + 32 (c & 1)], low half for c < 2, and bits 2c, 2c + 1 of qh[l].
 */
#include "model/tensor_type.h"

#include <assert.h>
#include <math.h>

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "model files are little-endian; this machine needs byte swaps here"
#endif

static const struct {
    const char *name;
    uint64_t count, bytes;
    size_t scales, scale_at; /* f16 of a block, and where the first of them is */
} TYPES[] = {
    [TENSOR_F32] = {"F32", 1, 4, 0, 0},         [TENSOR_F16] = {"F16", 1, 2, 1, 0},
    [TENSOR_BF16] = {"BF16", 1, 2, 0, 0},       [TENSOR_Q8_0] = {"Q8_0", 32, 34, 1, 0},
    [TENSOR_Q4_0] = {"Q4_0", 32, 18, 1, 0},     [TENSOR_Q4_1] = {"Q4_1", 32, 20, 2, 0},
    [TENSOR_Q5_0] = {"Q5_0", 32, 22, 1, 0},     [TENSOR_Q5_1] = {"Q5_1", 32, 24, 2, 0},
    [TENSOR_Q4_K] = {"Q4_K", 256, 144, 2, 0},   [TENSOR_Q5_K] = {"Q5_K", 256, 176, 2, 0},
    [TENSOR_Q6_K] = {"Q6_K", 256, 210, 1, 208}, [TENSOR_OTHER] = {"other", 1, 0, 0, 0},
};

const char *tensor_type_name(enum tensor_type type)
{
    return TYPES[type].name;
}

uint64_t tensor_block_count(enum tensor_type type)
{
    return TYPES[type].count;
}

uint64_t tensor_block_bytes(enum tensor_type type)
{
    return TYPES[type].bytes;
}

bool tensor_elements(const uint64_t *shape, uint32_t dims, uint64_t *count)
{
    uint64_t n = 1;
    for (uint32_t i = 0; i < dims; i++) {
        if (__builtin_mul_overflow(n, shape[i], &n) || n > INT64_MAX) {
            return false;
        }
    }
    *count = n;
    return true;
}

bool tensor_bytes(enum tensor_type type, uint64_t count, uint64_t *bytes)
{
    assert(type != TENSOR_OTHER);
    if (count % TYPES[type].count != 0) {
        return false;
    }
    return !__builtin_mul_overflow(count / TYPES[type].count, TYPES[type].bytes, bytes) &&
           *bytes <= INT64_MAX;
}

static float float_of(uint32_t bits)
{
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static uint32_t bits_of(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static uint16_t load_u16(const uint8_t *p)
{
    uint16_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

static uint32_t load_u32(const uint8_t *p)
{
    uint32_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

float f32_from_bf16(uint16_t h)
{
    return float_of((uint32_t)h << 16);
}

/* Without branches, so that loops over it vectorise: the exponent is moved by
 * a multiplication, which makes subnormals right by itself. */
float f32_from_f16(uint16_t h)
{
    uint32_t magnitude = (uint32_t)(h & 0x7FFFU) << 13;
    float scaled = float_of(magnitude) * 0x1p112F;
    uint32_t special = magnitude >= 0x0F800000U ? 0x7F800000U : 0; /* infinity and NaN */
    return float_of(bits_of(scaled) | special | (uint32_t)(h & 0x8000U) << 16);
}

uint16_t bf16_from_f32(float x)
{
    uint32_t bits = bits_of(x);
    if (isnan(x)) {
        return (uint16_t)(bits >> 16 | 0x40U);
    }
    return (uint16_t)((bits + 0x7FFFU + (bits >> 16 & 1)) >> 16);
}

uint16_t f16_from_f32(float x)
{
    uint32_t sign = bits_of(x) >> 16 & 0x8000U;
    uint32_t bits = bits_of(x) & 0x7FFFFFFFU;
    if (bits > 0x7F800000U) {
        return (uint16_t)(sign | 0x7E00U);
    }
    if (bits >= 0x477FF000U) { /* at or over the middle of 65,504 and 2^16 */
        return (uint16_t)(sign | 0x7C00U);
    }
    if (bits < 0x38800000U) { /* below 2^-14: the adder does the rounding */
        return (uint16_t)(sign | (bits_of(float_of(bits) + 0.5F) - bits_of(0.5F)));
    }
    uint32_t odd = bits >> 13 & 1;
    return (uint16_t)(sign | ((bits - 0x38000000U + 0xFFFU + odd) >> 13));
}

static void from_f16(const uint8_t *src, size_t count, float *out)
{
    for (size_t i = 0; i < count; i++) {
        out[i] = f32_from_f16(load_u16(src + 2 * i));
    }
}

static void from_bf16(const uint8_t *src, size_t count, float *out)
{
    for (size_t i = 0; i < count; i++) {
        out[i] = f32_from_bf16(load_u16(src + 2 * i));
    }
}

static void from_q8_0(const uint8_t *b, float *out)
{
    float d = f32_from_f16(load_u16(b));
    for (size_t j = 0; j < 32; j++) {
        out[j] = d * (float)(int8_t)b[2 + j];
    }
}

static void from_q4_0(const uint8_t *b, float *out)
{
    float d = f32_from_f16(load_u16(b));
    for (size_t j = 0; j < 16; j++) {
        out[j] = d * (float)((b[2 + j] & 15) - 8);
        out[j + 16] = d * (float)((b[2 + j] >> 4) - 8);
    }
}

static void from_q4_1(const uint8_t *b, float *out)
{
    float d = f32_from_f16(load_u16(b));
    float m = f32_from_f16(load_u16(b + 2));
    for (size_t j = 0; j < 16; j++) {
        out[j] = d * (float)(b[4 + j] & 15) + m;
        out[j + 16] = d * (float)(b[4 + j] >> 4) + m;
    }
}

/* Numbers of 0..31 times d plus m: both five-bit formats. */
static void from_q5(const uint8_t *high, const uint8_t *nibbles, float d, float m, float *out)
{
    uint32_t h = load_u32(high);
    for (size_t j = 0; j < 16; j++) {
        out[j] = d * (float)((nibbles[j] & 15U) | (h >> j & 1U) << 4) + m;
        out[j + 16] = d * (float)(nibbles[j] >> 4 | (h >> (j + 16) & 1U) << 4) + m;
    }
}

static void from_q5_0(const uint8_t *b, float *out)
{
    float d = f32_from_f16(load_u16(b));
    from_q5(b + 2, b + 6, d, -16 * d, out);
}

static void from_q5_1(const uint8_t *b, float *out)
{
    from_q5(b + 4, b + 8, f32_from_f16(load_u16(b)), f32_from_f16(load_u16(b + 2)), out);
}

/* The 6-bit scale and least value of group g: for the first four groups in s[g]
 * and s[g + 4], whose top bits are those of the last four. */
static unsigned scale_of(const uint8_t *s, size_t g)
{
    return g < 4 ? s[g] & 63U : (s[g + 4] & 15U) | (unsigned)(s[g - 4] >> 6) << 4;
}

static unsigned least_of(const uint8_t *s, size_t g)
{
    return g < 4 ? s[g + 4] & 63U : (unsigned)(s[g + 4] >> 4) | (unsigned)(s[g] >> 6) << 4;
}

/* high NULL: no fifth bits. */
static void from_q45_k(const uint8_t *b, const uint8_t *high, const uint8_t *nibbles, float *out)
{
    float d = f32_from_f16(load_u16(b)), m = f32_from_f16(load_u16(b + 2));
    for (size_t g = 0; g < 8; g++) {
        float scale = d * (float)scale_of(b + 4, g), least = m * (float)least_of(b + 4, g);
        for (size_t i = 0; i < 32; i++) {
            unsigned q = (unsigned)nibbles[g / 2 * 32 + i] >> (g % 2 * 4) & 15U;
            q |= high ? ((unsigned)high[i] >> g & 1U) << 4 : 0U;
            out[32 * g + i] = scale * (float)q - least;
        }
    }
}

static void from_q4_k(const uint8_t *b, float *out)
{
    from_q45_k(b, NULL, b + 16, out);
}

static void from_q5_k(const uint8_t *b, float *out)
{
    from_q45_k(b, b + 16, b + 48, out);
}

static void from_q6_k(const uint8_t *b, float *out)
{
    float d = f32_from_f16(load_u16(b + 208));
    for (size_t half = 0; half < 2; half++) {
        const uint8_t *low = b + 64 * half;
        const uint8_t *high = b + 128 + 32 * half;
        const uint8_t *scale = b + 192 + 8 * half;
        for (size_t e = 0; e < 128; e++) {
            size_t c = e / 32, l = e % 32;
            unsigned nibble = low[l + 32 * (c & 1)] >> (c < 2 ? 0 : 4) & 15U;
            unsigned top = high[l] >> 2 * c & 3U;
            int q = (int)(nibble | top << 4) - 32;
            out[128 * half + e] = d * (float)(int8_t)scale[e / 16] * (float)q;
        }
    }
}

void tensor_to_f32(enum tensor_type type, const void *src, size_t count, float *out)
{
    static void (*const BLOCK[])(const uint8_t *, float *) = {
        [TENSOR_Q8_0] = from_q8_0, [TENSOR_Q4_0] = from_q4_0, [TENSOR_Q4_1] = from_q4_1,
        [TENSOR_Q5_0] = from_q5_0, [TENSOR_Q5_1] = from_q5_1, [TENSOR_Q4_K] = from_q4_k,
        [TENSOR_Q5_K] = from_q5_k, [TENSOR_Q6_K] = from_q6_k,
    };
    assert(type < TENSOR_OTHER && count % TYPES[type].count == 0);
    const uint8_t *from = src;
    if (type == TENSOR_F32) {
        if (count > 0) {
            memcpy(out, from, count * sizeof *out);
        }
    } else if (type == TENSOR_F16) {
        from_f16(from, count, out);
    } else if (type == TENSOR_BF16) {
        from_bf16(from, count, out);
    } else {
        for (size_t i = 0; i < count; i += TYPES[type].count) {
            BLOCK[type](from + i / TYPES[type].count * TYPES[type].bytes, out + i);
        }
    }
}

/* Finite numbers have an exponent below its largest value.  Of a block the scales
 * decide: a finite one is at most 65,504, whatever it is multiplied with; any
 * other makes NaN or infinity of all numbers, of those that are 0 too. */
bool tensor_all_finite(enum tensor_type type, const void *src, size_t count)
{
    const uint8_t *from = src;
    uint32_t bad = 0;
    if (type == TENSOR_F32) {
        for (size_t i = 0; i < count; i++) {
            bad |= (load_u32(from + 4 * i) & 0x7F800000U) == 0x7F800000U;
        }
    } else if (type == TENSOR_BF16) {
        for (size_t i = 0; i < count; i++) {
            bad |= (load_u16(from + 2 * i) & 0x7F80U) == 0x7F80U;
        }
    } else {
        for (size_t i = 0; i < count / TYPES[type].count; i++) {
            const uint8_t *scale = from + i * TYPES[type].bytes + TYPES[type].scale_at;
            for (size_t k = 0; k < TYPES[type].scales; k++) {
                bad |= (load_u16(scale + 2 * k) & 0x7C00U) == 0x7C00U;
            }
        }
    }
    return bad == 0;
}
