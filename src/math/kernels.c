/* kernels.c -- which table of kernels this processor can run.
 *
 * Tables stand from the plainest to the fastest; the last that can run is taken,
 * unless one is named.  Results may differ between tables in the last bits (the
 * order of sums), so a run writes down which one it used. */
#include "math/kernels.h"

#include "base/buf.h"

static bool can_run(const struct kernels *k)
{
#if defined(__x86_64__)
    if (k == &KERNELS_AVX2) {
        return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    }
    bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                  __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
                  __builtin_cpu_supports("fma");
    if (k == &KERNELS_AVX512) {
        return avx512;
    }
    if (k == &KERNELS_AVX512_BF16) {
        return avx512 && __builtin_cpu_supports("avx512bf16") &&
               __builtin_cpu_supports("avx512vnni");
    }
#endif
    return k == &KERNELS_GENERIC;
}

static const struct kernels *const TABLES[] = {
    &KERNELS_GENERIC,
#if defined(__x86_64__)
    &KERNELS_AVX2,
    &KERNELS_AVX512,
    &KERNELS_AVX512_BF16,
#endif
};
#define TABLE_COUNT (sizeof TABLES / sizeof TABLES[0])

const struct kernels *kernels_usable(size_t i)
{
    for (size_t t = 0; t < TABLE_COUNT; t++) {
        if (can_run(TABLES[t]) && i-- == 0) {
            return TABLES[t];
        }
    }
    return NULL;
}

winnow_status kernels_pick(const char *name, const struct kernels **out, struct winnow_error *err)
{
    for (size_t t = TABLE_COUNT; t > 0; t--) {
        const struct kernels *k = TABLES[t - 1];
        if (name && strcmp(name, k->name) != 0) {
            continue;
        }
        if (can_run(k)) {
            *out = k;
            return WINNOW_OK;
        }
        if (name) {
            return error_set(err, WINNOW_E_USAGE, "kernels %s: this processor cannot run them",
                             name);
        }
    }
    return error_set(err, WINNOW_E_USAGE,
                     "kernels %s: unknown; there are generic, avx2, avx512 and avx512-bf16", name);
}

winnow_status kernels_asked(const char *name, const char **out, struct winnow_error *err)
{
    const struct kernels *kernels = NULL;
    TRY(kernels_pick(name, &kernels, err));
    *out = kernels->name;
    return WINNOW_OK;
}
