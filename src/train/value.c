/* value.c -- the target's gradient before each step, products with it beside the batch's gradient
 * (engine/examples.h), and their sums by document.
 *
 * For the second order the step is done, the target's gradient is taken behind it, and the batch
 * goes through the model once more as it stood before: two passes over the target and two over
 * the batch.  Values are saved before the trainer, in a file named after its step: whichever of
 * the two a kill leaves, the trainer finds those of its own. */
#include "train/value.h"

#include "base/file.h"
#include "base/mem.h"
#include "engine/examples.h"
#include "train/weights_file.h"

#include <string.h>

struct valuation {
    struct trainer *trainer;
    struct learner inner;
    struct sampler sampler;
    struct value_options opt;
    size_t count; /* numbers of the model */
    float *direction;
    float *before, *first; /* weights, and the target's gradient; second order only */
    struct engine_examples *examples;
    double *values; /* [documents] */
    struct sampler_batch batch;
    uint64_t targets_total;
    double *dots, *nll; /* of the batch's sequences */
    size_t dots_cap;
    double flops;
    uint64_t *saved; /* step of the values beside the checkpoint; 0: none */
};

winnow_status valuation_new(struct trainer *t, const struct value_options *opt,
                            struct valuation **out, struct winnow_error *err)
{
    struct valuation *v = mem_zalloc(sizeof *v);
    *v = (struct valuation){.trainer = t, .inner = trainer_learner(t), .opt = *opt};
    v->count = model_values_count(trainer_model(t));
    size_t arrays = opt->order > 1 ? 3 : 1;
    v->direction = mem_try_alloc(arrays * v->count * sizeof *v->direction);
    v->values = mem_try_alloc((opt->documents + 1) * sizeof *v->values);
    v->saved = mem_zalloc(sizeof *v->saved);
    winnow_status st = WINNOW_OK;
    if (!v->direction || !v->values) {
        st = error_set(err, WINNOW_E_NOMEM, "no memory for the values of %zu documents",
                       opt->documents);
    } else {
        memset(v->values, 0, (opt->documents + 1) * sizeof *v->values);
        v->before = opt->order > 1 ? v->direction + v->count : NULL;
        v->first = opt->order > 1 ? v->before + v->count : NULL;
        const struct example_options examples = {.direction = v->direction};
        st = engine_examples_new(trainer_engine(t), &examples, &v->examples, err);
    }
    if (st != WINNOW_OK) {
        valuation_free(v);
        return st;
    }
    *out = v;
    return WINNOW_OK;
}

void valuation_free(struct valuation *v)
{
    if (!v) {
        return;
    }
    engine_examples_free(v->examples);
    mem_free(v->direction);
    mem_free(v->values);
    mem_free(v->saved);
    mem_free(v->dots);
    mem_free(v);
}

const double *valuation_values(const struct valuation *v)
{
    return v->values;
}

double valuation_flops(const struct valuation *v)
{
    return v->flops;
}

uint64_t valuation_memory(const struct model_config *c, uint32_t order)
{
    return (order > 1 ? 3 : 1) * model_config_parameters(c) * sizeof(float);
}

/* ---- products ---- */

static double batch_flops(const struct valuation *v, const struct token_batch *b)
{
    double sum = 0;
    for (size_t i = 0; i < b->sequences; i++) {
        sum += 3 * model_config_flops(model_config(trainer_model(v->trainer)),
                                      b->starts[i + 1] - b->starts[i]);
    }
    return sum;
}

/* Of the target's mean loss where the weights stand now. */
static winnow_status target_gradient(struct valuation *v, float *to, struct winnow_error *err)
{
    const struct token_batch *b = v->opt.target;
    double nll;
    memset(to, 0, v->count * sizeof *to);
    v->flops += batch_flops(v, b);
    return engine_gradient(trainer_engine(v->trainer), b, (float)(1.0 / (double)batch_targets(b)),
                           to, &nll, NULL, err);
}

static void need_dots(struct valuation *v, size_t sequences)
{
    if (sequences > v->dots_cap) {
        mem_free(v->dots);
        v->dots_cap = 2 * sequences;
        v->dots = mem_alloc(2 * v->dots_cap * sizeof *v->dots);
        v->nll = v->dots + v->dots_cap;
    }
}

static winnow_status add(void *of, const struct token_batch *b, uint64_t targets_total, double *nll,
                         struct winnow_error *err)
{
    struct valuation *v = of;
    need_dots(v, b->sequences);
    v->targets_total = targets_total;
    TRY(target_gradient(v, v->direction, err));
    if (v->first) {
        memcpy(v->first, v->direction, v->count * sizeof *v->first);
    }
    if (!trainer_precondition(v->trainer, v->direction)) {
        memset(v->direction, 0, v->count * sizeof *v->direction);
    }
    TRY(trainer_add_examples(v->trainer, b, targets_total, v->examples, v->dots, v->nll, err));
    if (nll) {
        memcpy(nll, v->nll, b->sequences * sizeof *nll);
    }
    return WINNOW_OK;
}

/* The batch once more, at the weights before the step, against the mean of the target's gradients
 * before and after it. */
static winnow_status second_order(struct valuation *v, const float *scale_of,
                                  struct winnow_error *err)
{
    const struct token_batch *b = &v->batch.batch;
    struct engine *e = trainer_engine(v->trainer);
    float *weights = v->inner.kind->values(v->inner.of, &(size_t){0});
    TRY(target_gradient(v, v->direction, err));
    for (size_t i = 0; i < v->count; i++) {
        v->direction[i] = 0.5F * (v->direction[i] + v->first[i]) * scale_of[i];
        float after = weights[i];
        weights[i] = v->before[i];
        v->before[i] = after;
    }
    engine_weights_changed(e);
    const struct example_results out = {.dots = v->dots};
    winnow_status st = engine_gradient_examples(e, b, (float)(1.0 / (double)v->targets_total), NULL,
                                                v->examples, &out, err);
    v->flops += batch_flops(v, b);
    memcpy(weights, v->before, v->count * sizeof *weights);
    engine_weights_changed(e);
    return st;
}

static void keep_weights(struct valuation *v)
{
    size_t n;
    const float *weights = v->inner.kind->values(v->inner.of, &n);
    memcpy(v->before, weights, v->count * sizeof *v->before);
}

/* What multiplies each gradient, taken before the step changes it. */
static void find_scale(struct valuation *v, float *scale)
{
    for (size_t i = 0; i < v->count; i++) {
        scale[i] = 1;
    }
    if (!trainer_precondition(v->trainer, scale)) {
        memset(scale, 0, v->count * sizeof *scale);
    }
}

static winnow_status update(void *of, struct trainer_result *out, struct winnow_error *err)
{
    struct valuation *v = of;
    float *scale = NULL;
    if (v->opt.order > 1) {
        scale = mem_try_alloc(v->count * sizeof *scale);
        if (!scale) {
            return error_set(err, WINNOW_E_NOMEM, "no memory for values of the second order");
        }
        keep_weights(v);
        find_scale(v, scale);
    }
    winnow_status st = trainer_update(v->trainer, out, err);
    if (st == WINNOW_OK && scale) {
        st = second_order(v, scale, err);
    }
    mem_free(scale);
    TRY(st);
    double rate = out->lr * trainer_clipped(v->trainer, out->grad_norm);
    for (size_t s = 0; s < v->batch.batch.sequences; s++) {
        v->values[v->batch.documents[s]] += rate * v->dots[s];
    }
    return WINNOW_OK;
}

/* ---- as a learner and a sampler ---- */

static uint64_t steps(const void *of)
{
    return trainer_steps(((const struct valuation *)of)->trainer);
}

static double flops(const void *of)
{
    const struct valuation *v = of;
    return trainer_flops(v->trainer) + v->flops;
}

static struct engine *engine(void *of)
{
    return trainer_engine(((struct valuation *)of)->trainer);
}

static float *values(void *of, size_t *count)
{
    struct valuation *v = of;
    return v->inner.kind->values(v->inner.of, count);
}

static void changed(void *of)
{
    struct valuation *v = of;
    v->inner.kind->changed(v->inner.of);
}

static const char *values_path(const char *path, uint64_t step, struct buf *out)
{
    buf_clear(out);
    buf_addf(out, "%s.values-%08llu", path, (unsigned long long)step);
    return buf_cstr(out);
}

/* Doubles as the file's numbers, which it takes as they are. */
static winnow_status save(const void *of, const char *path, struct winnow_error *err)
{
    const struct valuation *v = of;
    struct buf name = {0};
    uint64_t step = trainer_steps(v->trainer);
    size_t n = (v->opt.documents + 1) * (sizeof *v->values / sizeof(float));
    v->values[v->opt.documents] = v->flops;
    winnow_status st = weights_file_write(values_path(path, step, &name),
                                          (const float *)(const void *)v->values, n, err);
    st = st == WINNOW_OK ? trainer_save(v->trainer, path, err) : st;
    if (st == WINNOW_OK && *v->saved > 0 && *v->saved != step) {
        st = file_remove_tree(values_path(path, *v->saved, &name), err);
    }
    *v->saved = st == WINNOW_OK ? step : *v->saved;
    buf_release(&name);
    return st;
}

static winnow_status load(void *of, const char *path, struct winnow_error *err)
{
    struct valuation *v = of;
    struct buf name = {0};
    TRY(trainer_load(v->trainer, path, err));
    size_t n = (v->opt.documents + 1) * (sizeof *v->values / sizeof(float));
    uint64_t step = trainer_steps(v->trainer);
    winnow_status st =
        weights_file_read(values_path(path, step, &name), (float *)(void *)v->values, n, err);
    v->flops = v->values[v->opt.documents];
    *v->saved = step;
    buf_release(&name);
    return st;
}

static void no_free(void *of)
{
    (void)of; /* the caller's */
}

struct learner valuation_learner(struct valuation *v)
{
    static const struct learner_kind KIND = {add,    update,  steps, flops, engine,
                                             values, changed, save,  load,  no_free};
    return (struct learner){v, &KIND};
}

static winnow_status next_batch(void *state, struct sampler_batch *out, bool *more,
                                struct winnow_error *err)
{
    struct valuation *v = state;
    TRY(v->sampler.next(v->sampler.state, out, more, err));
    v->batch = *out;
    return WINNOW_OK;
}

struct sampler valuation_sampler(struct valuation *v, const struct sampler *inner)
{
    v->sampler = *inner;
    return (struct sampler){.state = v, .next = next_batch};
}
