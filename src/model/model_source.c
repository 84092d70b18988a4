/* model_source.c -- models whose numbers lie in a file.
 *
 * An engine that only computes needs each matrix once, a few rows at a time, to
 * pack it.  So the file stays mapped, rows are converted where they are wanted,
 * and a model in f32 never exists; one that does (model_take_in()) is read the
 * same way.  Pages of the file count as the process's memory while they are
 * mapped: model_rows_done() gives them back to the page cache.
 */
#include "model/model_source.h"

#include "base/buf.h"
#include "base/file.h"
#include "base/mem.h"
#include "model/model_internal.h"

#include <assert.h>
#include <inttypes.h>

winnow_status model_source_check(const struct model_config *c, uint64_t elements, const char *file,
                                 struct winnow_error *err)
{
    /* Within twice the size the tensor that is missing can be named. */
    if (model_config_parameters(c) / 2 > elements) {
        return error_set(err, WINNOW_E_FORMAT,
                         "%s: the config describes %" PRIu64 " weights but the file has %" PRIu64
                         "; config and weights belong to different models, or the file is "
                         "incomplete",
                         file, model_config_parameters(c), elements);
    }
    return WINNOW_OK;
}

static void shape_text(const uint64_t *shape, uint32_t dims, struct buf *out)
{
    buf_clear(out);
    for (uint32_t d = 0; d < dims; d++) {
        buf_addf(out, "%s%" PRIu64, d > 0 ? " x " : "", shape[d]);
    }
    if (dims == 0) {
        buf_add_text(out, "a single number");
    }
}

static winnow_status refuse_shape(const struct model_tensor *t, const struct tensor_view *view,
                                  const char *file, struct winnow_error *err)
{
    struct buf has = {0}, needs = {0};
    uint64_t want[2] = {t->rows, t->cols};
    shape_text(view->shape, view->dims, &has);
    shape_text(want, t->vector ? 1 : 2, &needs);
    winnow_status st = error_set(err, WINNOW_E_FORMAT,
                                 "%s: tensor \"%.*s\" is %s where the config needs %s; config and "
                                 "weights belong to different models",
                                 file, STR_ARG(view->name), buf_cstr(&has), buf_cstr(&needs));
    buf_release(&needs);
    buf_release(&has);
    return st;
}

/* ---- binding ---- */

winnow_status model_new_in_file(const struct model_config *config, void *file,
                                void (*close)(void *file), struct model **out,
                                struct winnow_error *err)
{
    struct model *m = NULL;
    winnow_status st = model_new_table(config, &m, err);
    if (st != WINNOW_OK) {
        close(file);
        return st;
    }
    m->file = file;
    m->file_close = close;
    m->bound = mem_zalloc(m->tensor_count * sizeof *m->bound);
    size_t count = 0;
    for (size_t i = 0; i < m->tensor_count; i++) {
        count += m->tensors[i].vector ? m->tensors[i].rows : 0;
    }
    m->vectors = mem_try_alloc(count * sizeof *m->vectors);
    if (!m->vectors) {
        model_free(m);
        return error_set(err, WINNOW_E_NOMEM, "model: no memory for vectors of %zu numbers", count);
    }
    float *at = m->vectors;
    for (size_t i = 0; i < m->tensor_count; i++) {
        if (m->tensors[i].vector) {
            m->bound[i].vector = at;
            at += m->tensors[i].rows;
        }
    }
    *out = m;
    return WINNOW_OK;
}

void model_release_file(struct model *m)
{
    if (m->file_close) {
        m->file_close(m->file);
    }
    mem_free(m->vectors);
    mem_free(m->bound);
    m->file_close = NULL;
    m->vectors = NULL;
    m->bound = NULL;
}

bool model_in_file(const struct model *m)
{
    return m->bound != NULL;
}

static struct bound_tensor *bound_of(const struct model *m, const struct model_tensor *t)
{
    return &m->bound[t - m->tensors];
}

/* The row of the file that is our row. */
static size_t file_row(const struct model_source *s, size_t row)
{
    if (s->interleaved == 0) {
        return row;
    }
    size_t half = s->interleaved / 2, in_head = row % s->interleaved;
    return row - in_head + (in_head < half ? 2 * in_head : 2 * (in_head - half) + 1);
}

static winnow_status check_numbers(const struct model_source *s, struct winnow_error *err)
{
    const struct tensor_view *view = s->view;
    uint64_t count = 0;
    bool finite = tensor_elements(view->shape, view->dims, &count) &&
                  tensor_all_finite(view->type, view->bytes.ptr, (size_t)count);
    return finite ? WINNOW_OK
                  : error_set(err, WINNOW_E_FORMAT,
                              "%s: tensor \"%.*s\" holds NaN or infinity; the model broke in "
                              "training or the file is damaged",
                              s->file, STR_ARG(view->name));
}

/* All of a vector, whose blocks know no rows. */
static winnow_status read_vector(const struct model_source *s, size_t count, float *out,
                                 struct winnow_error *err)
{
    float *numbers = mem_try_alloc(count * sizeof *numbers);
    if (!numbers) {
        return error_set(err, WINNOW_E_NOMEM, "%s: no memory for a vector of %zu numbers", s->file,
                         count);
    }
    tensor_to_f32(s->view->type, s->view->bytes.ptr, count, numbers);
    for (size_t i = 0; i < count; i++) {
        out[i] = numbers[file_row(s, i)];
    }
    mem_free(numbers);
    return WINNOW_OK;
}

winnow_status model_source_missing(const char *file, const char *name, struct winnow_error *err)
{
    return error_set(err, WINNOW_E_FORMAT,
                     "%s: tensor \"%s\" is missing; the file is incomplete or of another "
                     "architecture",
                     file, name);
}

winnow_status model_bind(struct model *m, const struct model_tensor *t,
                         const struct model_source *source, struct winnow_error *err)
{
    const struct tensor_view *view = source->view;
    bool fits = t->vector
                    ? view->dims == 1 && view->shape[0] == t->rows
                    : view->dims == 2 && view->shape[0] == t->rows && view->shape[1] == t->cols;
    if (!fits) {
        return refuse_shape(t, view, source->file, err);
    }
    if (view->type == TENSOR_OTHER) {
        return error_set(
            err, WINNOW_E_FORMAT,
            "%s: tensor \"%.*s\" has type %.*s, which cannot be read; use F32, F16, "
            "BF16 (in a GGUF file also Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, Q4_K, Q5_K, Q6_K)",
            source->file, STR_ARG(view->name), STR_ARG(view->type_name));
    }
    struct bound_tensor *b = bound_of(m, t);
    b->source = *source;
    if (!t->vector) {
        return WINNOW_OK;
    }
    TRY(check_numbers(source, err));
    return read_vector(source, t->rows, b->vector, err);
}

/* ---- reading ---- */

static const char *row_bytes(const struct model *m, const struct model_tensor *t, size_t row)
{
    const struct tensor_view *view = bound_of(m, t)->source.view;
    size_t block = (size_t)tensor_block_count(view->type);
    return view->bytes.ptr + row * (t->cols / block) * (size_t)tensor_block_bytes(view->type);
}

static void read_rows(const struct model *m, const struct model_tensor *t, size_t first,
                      size_t count, float *out)
{
    const struct model_source *s = &bound_of(m, t)->source;
    if (s->interleaved == 0) {
        tensor_to_f32(s->view->type, row_bytes(m, t, first), count * t->cols, out);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        const char *row = row_bytes(m, t, file_row(s, first + i));
        tensor_to_f32(s->view->type, row, t->cols, out + i * t->cols);
    }
}

/* Rows of one tensor among those asked for: behind its last one, the next tensor
 * of its group goes on. */
struct row_walk {
    const struct model_tensor *t;
    size_t first, left;
};

static size_t next_rows(struct row_walk *w)
{
    while (w->first >= w->t->rows) {
        w->first -= w->t->rows;
        w->t++;
    }
    size_t here = w->t->rows - w->first;
    return here < w->left ? here : w->left;
}

static void skip_rows(struct row_walk *w, size_t count)
{
    w->first += count;
    w->left -= count;
}

void model_read_bound(const struct model *m, const struct model_tensor *t, size_t first,
                      size_t count, float *out)
{
    struct row_walk w = {t, first, count};
    while (w.left > 0) {
        size_t n = next_rows(&w);
        read_rows(m, w.t, w.first, n, out);
        out += n * w.t->cols;
        skip_rows(&w, n);
    }
}

void model_rows_done(const struct model *m, const struct model_tensor *t, size_t first,
                     size_t count)
{
    if (!model_in_file(m)) {
        return;
    }
    struct row_walk w = {t, first, count};
    while (w.left > 0) {
        size_t n = next_rows(&w);
        const char *from = row_bytes(m, w.t, w.first);
        size_t bytes = (size_t)(row_bytes(m, w.t, w.first + n) - from);
        file_map_forget((struct str){from, bytes});
        skip_rows(&w, n);
    }
}

bool model_rows_finite(const struct model *m, const struct model_tensor *t, size_t first,
                       size_t count)
{
    bool finite = true;
    struct row_walk w = {t, first, count};
    while (model_in_file(m) && w.left > 0) {
        size_t n = next_rows(&w);
        /* Interleaving moves rows within a head: the rows of some of its heads may
         * be others of the same, which are asked for too. */
        enum tensor_type type = bound_of(m, w.t)->source.view->type;
        finite = tensor_all_finite(type, row_bytes(m, w.t, w.first), n * w.t->cols) && finite;
        skip_rows(&w, n);
    }
    return finite;
}

winnow_status model_check_numbers(const struct model *m, struct winnow_error *err)
{
    for (size_t i = 0; i < m->tensor_count && model_in_file(m); i++) {
        TRY(check_numbers(&m->bound[i].source, err));
    }
    return WINNOW_OK;
}

winnow_status model_take_in(struct model *m, struct winnow_error *err)
{
    assert(model_in_file(m));
    float *values = model_try_values(m, err);
    winnow_status st = values ? WINNOW_OK : WINNOW_E_NOMEM;
    for (size_t i = 0; i < m->tensor_count && st == WINNOW_OK; i++) {
        const struct model_tensor *t = &m->tensors[i];
        const struct bound_tensor *b = &m->bound[i];
        float *out = values + t->offset;
        if (t->vector) {
            memcpy(out, b->vector, t->rows * sizeof *out);
            continue;
        }
        st = check_numbers(&b->source, err);
        read_rows(m, t, 0, t->rows, out);
        model_rows_done(m, t, 0, t->rows);
    }
    if (st != WINNOW_OK) {
        mem_free_huge(values, m->values_count * sizeof *values);
        return st;
    }
    model_release_file(m);
    m->values = values;
    return WINNOW_OK;
}
