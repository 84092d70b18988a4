/* peak_probe.c -- what one and two threads of this processor can do at most, now.
 *
 *     peak_probe
 *
 * Prints a line a type, "f32|bf16|int8 ONE TWO": thousand million operations a
 * second (a multiply-add is two) of chains of fused multiply-adds that live in
 * registers, the best of a few short rounds.  The second number divided by the
 * first says whether two processors are two cores (2.0) or two threads of one
 * (1.0).  A type that this processor has no instruction for gets zeros.
 */
#include "base/env.h"
#include "base/pool.h"

#include <immintrin.h>
#include <stdint.h>
#include <stdio.h>

enum { CHAINS = 12, LANES = 16, ROUNDS = 5 };

typedef void (*loop_fn)(size_t count, float *out);

__attribute__((target("avx512f"))) static void loop_f32(size_t count, float *out)
{
    __m512 acc[CHAINS], a = _mm512_set1_ps(0.999F), b = _mm512_set1_ps(0.001F);
    for (int i = 0; i < CHAINS; i++) {
        acc[i] = _mm512_set1_ps((float)i);
    }
    for (size_t n = 0; n < count; n++) {
#pragma GCC unroll 12
        for (int i = 0; i < CHAINS; i++) {
            acc[i] = _mm512_fmadd_ps(acc[i], a, b);
        }
    }
    for (int i = 0; i < CHAINS; i++) {
        _mm512_storeu_ps(out + (size_t)i * LANES, acc[i]);
    }
}

__attribute__((target("avx512f,avx512bf16"))) static void loop_bf16(size_t count, float *out)
{
    __m512 acc[CHAINS];
    __m512bh a = (__m512bh)_mm512_set1_epi16(0x3c00), b = (__m512bh)_mm512_set1_epi16(0x3c01);
    for (int i = 0; i < CHAINS; i++) {
        acc[i] = _mm512_set1_ps((float)i);
    }
    for (size_t n = 0; n < count; n++) {
#pragma GCC unroll 12
        for (int i = 0; i < CHAINS; i++) {
            acc[i] = _mm512_dpbf16_ps(acc[i], a, b);
        }
    }
    for (int i = 0; i < CHAINS; i++) {
        _mm512_storeu_ps(out + (size_t)i * LANES, acc[i]);
    }
}

__attribute__((target("avx512f,avx512vnni"))) static void loop_int8(size_t count, float *out)
{
    __m512i acc[CHAINS], a = _mm512_set1_epi8(3), b = _mm512_set1_epi8(-2);
    for (int i = 0; i < CHAINS; i++) {
        acc[i] = _mm512_set1_epi32(i);
    }
    for (size_t n = 0; n < count; n++) {
#pragma GCC unroll 12
        for (int i = 0; i < CHAINS; i++) {
            acc[i] = _mm512_dpbusd_epi32(acc[i], a, b);
        }
    }
    for (int i = 0; i < CHAINS; i++) {
        _mm512_storeu_ps(out + (size_t)i * LANES, _mm512_castsi512_ps(acc[i]));
    }
}

struct probe {
    loop_fn loop;
    size_t count;
    float sink[2][CHAINS * LANES];
};

static void piece(void *ctx, size_t n, uint32_t worker)
{
    (void)worker;
    struct probe *p = ctx;
    p->loop(p->count, p->sink[n]);
    ((volatile struct probe *)p)->sink[n][0] = p->sink[n][0];
}

static double best(struct probe *p, struct pool *pool, size_t pieces)
{
    double rate = 0;
    for (int r = 0; r < ROUNDS; r++) {
        double from = env_seconds();
        pool_run(pool, pieces, piece, p);
        double now = (double)(pieces * p->count) / (env_seconds() - from);
        rate = now > rate ? now : rate;
    }
    return rate;
}

static void report(const char *name, bool there, loop_fn loop, double operations)
{
    static struct probe p;
    p = (struct probe){.loop = loop, .count = 2000000};
    double one = 0, two = 0;
    if (there) {
        struct pool *alone = pool_new(1), *pair = pool_new(2);
        (void)best(&p, pair, 2);
        one = best(&p, alone, 1) * CHAINS * operations;
        two = best(&p, pair, 2) * CHAINS * operations;
        pool_free(pair);
        pool_free(alone);
    }
    (void)printf("%-5s %7.1f %7.1f\n", name, one * 1e-9, two * 1e-9);
}

int main(void)
{
    __builtin_cpu_init();
    report("f32", __builtin_cpu_supports("avx512f"), loop_f32, 2.0 * LANES);
    report("bf16", __builtin_cpu_supports("avx512bf16"), loop_bf16, 4.0 * LANES);
    report("int8", __builtin_cpu_supports("avx512vnni"), loop_int8, 8.0 * LANES);
    return 0;
}
