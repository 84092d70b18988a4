#include "model/model_fill.h"

#include "base/buf.h"

#include <inttypes.h>

winnow_status model_fill_check(const struct model_config *c, uint64_t elements, const char *file,
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

/* Finite numbers have an exponent below its largest value. */
static bool all_finite(const float *values, size_t count)
{
    uint32_t bad = 0;
    for (size_t i = 0; i < count; i++) {
        uint32_t bits;
        memcpy(&bits, &values[i], sizeof bits);
        bad |= (bits & 0x7F800000U) == 0x7F800000U;
    }
    return bad == 0;
}

winnow_status model_fill(struct model *m, const struct model_tensor *t,
                         const struct tensor_view *view, const char *file, struct winnow_error *err)
{
    if (!view) {
        return error_set(err, WINNOW_E_FORMAT,
                         "%s: tensor \"%s\" is missing; the file is incomplete or of another "
                         "architecture",
                         file, t->name);
    }
    bool fits = t->vector
                    ? view->dims == 1 && view->shape[0] == t->rows
                    : view->dims == 2 && view->shape[0] == t->rows && view->shape[1] == t->cols;
    if (!fits) {
        return refuse_shape(t, view, file, err);
    }
    if (view->type == TENSOR_OTHER) {
        return error_set(
            err, WINNOW_E_FORMAT,
            "%s: tensor \"%.*s\" has type %.*s, which cannot be read; use F32, F16, "
            "BF16 (in a GGUF file also Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, Q4_K, Q5_K, Q6_K)",
            file, STR_ARG(view->name), STR_ARG(view->type_name));
    }
    size_t count = (size_t)t->rows * t->cols;
    float *out = model_data(m, t);
    tensor_to_f32(view->type, view->bytes.ptr, count, out);
    if (!all_finite(out, count)) {
        return error_set(
            err, WINNOW_E_FORMAT,
            "%s: tensor \"%.*s\" holds NaN or infinity; the model broke in training or "
            "the file is damaged",
            file, STR_ARG(view->name));
    }
    return WINNOW_OK;
}
