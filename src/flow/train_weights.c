/* train_weights.c -- numbers by the hash of an id, and what they do to losses and epochs.
 *
 * A step's loss is a mean over its tokens, so that long documents count for more; where it is to
 * be one over documents, each gets the reciprocal of its tokens as a factor. */
#include "flow/train_weights.h"

#include "base/grow.h"
#include "base/hash.h"
#include "base/mem.h"
#include "prune/prune_attribute.h"
#include "train/sampling.h"

#include <float.h>
#include <math.h>

bool train_weights_wanted(const struct winnow_train_options *opt)
{
    return opt->weights || opt->weight_key;
}

static struct str key_bytes(const uint64_t *key)
{
    return (struct str){(const char *)key, sizeof *key};
}

static winnow_status take_row(void *ctx, struct str id, struct json_value attributes,
                              const struct attribute_place *place, struct winnow_error *err)
{
    struct train_weights *w = ctx;
    double value = attribute_score(attributes, w->opt->weight_name);
    uint64_t key = hash64(id, 0);
    bool is_new;
    if (isnan(value)) { /* a document that got none */
        return WINNOW_OK;
    }
    uint64_t *number = map_put(&w->of, key_bytes(&key), &is_new);
    if (!is_new) {
        return error_set(err, WINNOW_E_FORMAT,
                         "%s: line %llu is about \"%.*s\", as an earlier one is: it has no single "
                         "weight",
                         place->path, (unsigned long long)place->line, STR_ARG(id));
    }
    size_t count = w->of.count - 1;
    GROW(w->values, count, w->cap, 1024);
    w->values[count] = value;
    *number = count;
    return WINNOW_OK;
}

winnow_status train_weights_open(struct train_weights *w, const struct winnow_train_options *opt,
                                 struct winnow_error *err)
{
    *w = (struct train_weights){.opt = opt};
    if (!opt->weights) {
        return WINNOW_OK;
    }
    TRY(attribute_each(opt->weights, take_row, w, err));
    return w->of.count > 0
               ? WINNOW_OK
               : error_set(err, WINNOW_E_FORMAT,
                           "%s holds no \"%s\": name the folder of attributes, as select writes "
                           "it (RUN/stages/01-select/attributes/select), and what they are called "
                           "(--weight-name)",
                           opt->weights, opt->weight_name);
}

void train_weights_release(struct train_weights *w)
{
    map_release(&w->of);
    mem_free(w->values);
    *w = (struct train_weights){0};
}

winnow_status train_weigh(void *weights, const struct document *d, float *out,
                          struct winnow_error *err)
{
    const struct train_weights *w = weights;
    double value = (double)NAN;
    if (w->opt->weights) {
        uint64_t key = hash64(d->id, 0);
        const uint64_t *number = map_get(&w->of, key_bytes(&key));
        value = number ? w->values[*number] : value;
    } else if (!json_as_double(json_get(d->json, w->opt->weight_key), &value)) {
        value = (double)NAN;
    }
    if (isnan(value)) {
        return error_set(err, WINNOW_E_FORMAT,
                         "the document \"%.*s\" has no weight: %s %s has none for it",
                         STR_ARG(d->id), w->opt->weights ? "--weights" : "--weight-key",
                         w->opt->weights ? w->opt->weights : w->opt->weight_key);
    }
    if (!(value >= 0 && value <= (double)FLT_MAX)) {
        return error_set(err, WINNOW_E_FORMAT,
                         "the document \"%.*s\" has the weight %g: weights are 0 or above",
                         STR_ARG(d->id), value);
    }
    *out = (float)value;
    return WINNOW_OK;
}

/* ---- what they do ---- */

static float *ones(size_t count)
{
    float *x = mem_alloc((count + 1) * sizeof *x);
    for (size_t i = 0; i < count; i++) {
        x[i] = 1;
    }
    return x;
}

static winnow_status scale_to_one(const float *weights, const uint32_t *targets, size_t count,
                                  float *out, struct winnow_error *err)
{
    double sum = 0, trained = 0;
    for (size_t i = 0; i < count; i++) {
        sum += targets[i] > 0 ? (double)weights[i] : 0;
        trained += targets[i] > 0;
    }
    if (!(sum > 0)) {
        return error_set(err, WINNOW_E_FORMAT, "all documents have the weight 0");
    }
    for (size_t i = 0; i < count; i++) {
        out[i] = targets[i] > 0 ? (float)((double)weights[i] * trained / sum) : 0;
    }
    return WINNOW_OK;
}

static void balance(const uint32_t *targets, size_t count, float *loss)
{
    double sum = 0, trained = 0;
    for (size_t i = 0; i < count; i++) {
        sum += targets[i];
        trained += targets[i] > 0;
    }
    for (size_t i = 0; i < count; i++) {
        loss[i] *= targets[i] > 0 ? (float)(sum / trained / targets[i]) : 0;
    }
}

winnow_status train_factors_make(const struct winnow_train_options *opt, const float *weights,
                                 const uint32_t *targets, size_t count, struct train_factors *out,
                                 struct winnow_error *err)
{
    *out = (struct train_factors){0};
    if (weights) {
        float **to = sampling_kind_of(&opt->sampling)->by_weights ? &out->odds
                     : opt->weights_as == WINNOW_AS_REPEATS       ? &out->repeats
                                                                  : &out->loss;
        *to = ones(count);
        TRY(scale_to_one(weights, targets, count, *to, err));
    }
    if (opt->mean_of == WINNOW_MEAN_OF_DOCUMENTS) {
        out->loss = out->loss ? out->loss : ones(count);
        balance(targets, count, out->loss);
    }
    return WINNOW_OK;
}

void train_factors_release(struct train_factors *f)
{
    mem_free(f->loss);
    mem_free(f->repeats);
    mem_free(f->odds);
    *f = (struct train_factors){0};
}
