/* engine_pack.c -- weights as the products want them, out of memory or the model's file.
 *
 * Each matrix is cut into pieces of rows, which the pool takes in any order; each number
 * is read once, and looked at on the way. */
#include "engine/engine_internal.h"

#include <assert.h>

/* Numbers of a piece of packing: enough to be worth a call, few enough that no
 * worker is left with the last one. */
#define PACK_NUMBERS ((size_t)1 << 19)

static void add_matrix(struct engine *e, const struct model_tensor *t, size_t n, size_t k,
                       struct packed to)
{
    size_t cols = e->k->gemm_cols, part = PACK_NUMBERS / k / cols * cols;
    struct engine_matrix *m = &e->matrices[e->matrix_count++];
    *m = (struct engine_matrix){.rows = t, .n = n, .k = k, .to = to};
    m->part = part > cols ? part : cols;
    m->back_part = t->role == TENSOR_EMBED || t->role == TENSOR_HEAD ? HEAD_CHUNK : n;
    m->parts = (n + m->part - 1) / m->part;
    m->backs = to.backward ? (n + m->back_part - 1) / m->back_part : 0;
}

void engine_list_matrices(struct engine *e)
{
    const struct model *m = e->model;
    size_t d = e->c.dim, f = e->c.ffn;
    e->embed = model_find_role(m, TENSOR_EMBED, 0);
    for (uint32_t i = 0; i < e->c.layers; i++) {
        const struct engine_layer *l = &e->layers[i];
        add_matrix(e, model_find_role(m, TENSOR_Q, i), e->s, d, l->w_qkv);
        add_matrix(e, model_find_role(m, TENSOR_O, i), d, e->q, l->w_o);
        add_matrix(e, model_find_role(m, TENSOR_GATE, i), 2 * f, d, l->w_gate_up);
        add_matrix(e, model_find_role(m, TENSOR_DOWN, i), d, f, l->w_down);
    }
    e->head = e->c.tied ? e->embed : model_find_role(m, TENSOR_HEAD, 0);
    add_matrix(e, e->head, e->c.vocab, d, e->w_head);
    if (!e->c.tied && model_in_file(m)) {
        add_matrix(e, e->embed, e->c.vocab, d, (struct packed){NULL, NULL});
    }
}

static winnow_status refuse_numbers(const struct model *m, struct winnow_error *err)
{
    TRY(model_check_numbers(m, err));
    return error_set(err, WINNOW_E_FORMAT, "the model's file changed while it was read");
}

void engine_weights_changed(struct engine *e)
{
    assert(!model_in_file(e->model));
    e->packed = false;
}

/* Where row n0 (whole panels before it) goes. */
static void *packed_row(const struct engine *e, const struct engine_matrix *m, size_t n0)
{
    const char *start = gemm_at_b(&e->g, m->to.forward, 0, m->k);
    const char *row = gemm_at_b(&e->g, m->to.forward, n0, m->k);
    return (char *)m->to.forward + (row - start);
}

/* Some rows at a time: as many as a worker's scratch holds. */
static void pack_forward(struct engine *e, const struct engine_matrix *m, size_t part,
                         struct engine_scratch *s)
{
    size_t from = part * m->part, to = m->n - from < m->part ? m->n : from + m->part;
    size_t each = TILE_MOST / e->k->gemm_cols * e->k->gemm_cols;
    for (size_t at = from; at < to; at += each) {
        size_t rows = to - at < each ? to - at : each;
        if (!model_rows_finite(e->model, m->rows, at, rows)) {
            atomic_store(&e->not_finite, true);
        }
        if (m->to.forward) {
            const float *w = model_rows(e->model, m->rows, at, rows, s->rows);
            gemm_pack_b_rows(&e->g, packed_row(e, m, at),
                             &(struct pack_source){w, m->k, rows, m->k});
        }
    }
    model_rows_done(e->model, m->rows, from, to - from);
}

static void pack_backward(struct engine *e, const struct engine_matrix *m, size_t part)
{
    size_t from = part * m->back_part,
           rows = m->n - from < m->back_part ? m->n - from : m->back_part;
    const float *w = model_rows(e->model, m->rows, from, rows, NULL);
    char *to = (char *)m->to.backward + part * gemm_size_b(&e->g, m->k, m->back_part);
    gemm_pack_b_cols(&e->g, to, &(struct pack_source){w, m->k, rows, m->k});
}

static void pack_piece(void *engine, size_t piece, uint32_t worker)
{
    struct engine *e = engine;
    const struct engine_matrix *m = e->matrices;
    for (; piece >= m->parts + m->backs; m++) {
        piece -= m->parts + m->backs;
    }
    if (piece < m->parts) {
        pack_forward(e, m, piece, &e->scratch[worker]);
    } else {
        pack_backward(e, m, piece - m->parts);
    }
}

void engine_pack_weights(struct engine *e)
{
    if (e->packed) {
        return;
    }
    size_t pieces = 0;
    for (size_t i = 0; i < e->matrix_count; i++) {
        pieces += e->matrices[i].parts + e->matrices[i].backs;
    }
    engine_run(e, ENGINE_PACK, pieces, pack_piece);
    e->packed = true;
}

winnow_status engine_pack_checked(struct engine *e, struct winnow_error *err)
{
    engine_pack_weights(e);
    return e->not_finite ? refuse_numbers(e->model, err) : WINNOW_OK;
}
