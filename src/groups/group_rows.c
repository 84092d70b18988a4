/* group_rows.c -- see group_rows.h. */
#include "groups/group_rows.h"

#include "base/file.h"
#include "base/mem.h"

#include <string.h>

void group_rows_forget(const struct group_rows *r, size_t rows_of_data)
{
    if (r->forget) {
        file_map_forget(
            (struct str){(const char *)r->data, rows_of_data * r->dim * sizeof *r->data});
    }
}

const uint16_t *group_row(const struct group_rows *r, size_t i)
{
    return r->data + (r->which ? r->which[i] : i) * r->dim;
}

void group_row_widen(const struct group_rows *r, size_t i, float *out)
{
    const uint16_t *from = group_row(r, i);
    for (size_t k = 0; k < r->dim; k++) {
        uint32_t bits = (uint32_t)from[k] << 16;
        memcpy(&out[k], &bits, sizeof bits);
    }
}

void group_others_pack(struct group_others *o, const struct kernels *k, const float *vectors,
                       size_t count, size_t dim)
{
    o->gemm = (struct gemm){k, GEMM_F32};
    if (!o->packed || o->count != count || o->dim != dim) {
        mem_free(o->packed);
        o->packed = mem_alloc(gemm_size_b(&o->gemm, count, dim));
        o->count = count;
        o->dim = dim;
    }
    const struct pack_source s = {vectors, dim, count, dim};
    gemm_pack_b_rows(&o->gemm, o->packed, &s);
}

void group_others_release(struct group_others *o)
{
    mem_free(o->packed);
    *o = (struct group_others){.packed = NULL};
}

void group_scratch_init(struct group_scratch *s, const struct kernels *k, size_t dim)
{
    const struct gemm g = {k, GEMM_F32};
    size_t packed = gemm_size_a(&g, GROUP_BLOCK, dim);
    s->wide = mem_zalloc(GROUP_BLOCK * dim * sizeof *s->wide);
    s->packed = mem_alloc(packed);
    s->products = mem_zalloc((size_t)GROUP_BLOCK * GROUP_TILE * sizeof *s->products);
    s->bytes = GROUP_BLOCK * (dim + GROUP_TILE) * sizeof(float) + packed;
}

void group_scratch_release(struct group_scratch *s)
{
    mem_free(s->wide);
    mem_free(s->packed);
    mem_free(s->products);
    *s = (struct group_scratch){.wide = NULL};
}

/* Always as high a block: a row's sums are then the same in each. */
void group_block_pack(struct group_scratch *s, const struct group_rows *r, const struct kernels *k,
                      const uint32_t *at, size_t n)
{
    const struct gemm g = {k, GEMM_F32};
    for (size_t i = 0; i < n; i++) {
        group_row_widen(r, at[i], s->wide + i * r->dim);
    }
    const struct pack_source source = {s->wide, r->dim, GROUP_BLOCK, r->dim};
    gemm_pack_a_rows(&g, s->packed, &source);
}

void group_block_products(struct group_scratch *s, size_t rows, const struct group_others *o,
                          size_t from, size_t n)
{
    const struct gemm_shape shape = {GROUP_BLOCK, n, o->dim};
    const struct gemm_out out = {.c = s->products, .stride = GROUP_TILE};
    gemm_run_top(&o->gemm, shape, rows, s->packed, gemm_at_b(&o->gemm, o->packed, from, o->dim),
                 &out);
}
