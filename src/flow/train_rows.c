/* train_rows.c -- rows as winnow features reads them (vectors/feature_texts.h), in the steps of a
 * tuning (train/tune_plan.h): whole rows, shuffled anew in every epoch. */
#include "flow/train_rows.h"

#include "base/env.h"
#include "base/mem.h"

void train_rows_release(struct train_rows *r)
{
    feature_texts_release(&r->texts);
    train_factors_release(&r->factors);
    tune_plan_release(&r->plan);
    tune_batch_release(&r->batch);
    mem_free(r->rows);
    mem_free(r->weights);
    mem_free(r->chosen);
    *r = (struct train_rows){0};
}

winnow_status train_rows_read(const struct feature_reading *how, struct pool *pool,
                              const struct winnow_env *env, struct train_rows *out,
                              struct winnow_error *err)
{
    *out = (struct train_rows){0};
    TRY(feature_texts_read(how, pool, env, &out->texts, err));
    const struct feature_texts *t = &out->texts;
    out->rows = mem_alloc((t->count + 1) * sizeof *out->rows);
    for (size_t i = 0; i < t->count; i++) {
        if (t->rows[i].targets > 0) {
            out->rows[out->count++] = i;
        }
    }
    if (out->count == 0) {
        return error_set(err, WINNOW_E_FORMAT,
                         "none of the %zu documents has anything to learn: a text, a prompt and a "
                         "response, or messages of an assistant",
                         t->count);
    }
    if (out->count < t->count) {
        env_log(env, WINNOW_LOG_WARNING, "%zu of %zu documents have no response: left out",
                t->count - out->count, t->count);
    }
    if (t->cut > 0) {
        env_log(env, WINNOW_LOG_WARNING,
                "%llu of %zu documents are longer than the context of %u tokens: cut",
                (unsigned long long)t->cut, t->count, how->context);
    }
    return WINNOW_OK;
}

static size_t widest_step(const struct tune_plan *p)
{
    size_t most = 0;
    for (uint64_t i = 0; i < p->steps; i++) {
        size_t n = p->ends[i] - (i > 0 ? p->ends[i - 1] : 0);
        most = n > most ? n : most;
    }
    return most;
}

static winnow_status find_factors(struct train_rows *r, const struct winnow_train_options *opt,
                                  struct winnow_error *err)
{
    const struct feature_texts *t = &r->texts;
    uint32_t *targets = mem_alloc(r->count * sizeof *targets);
    float *weights = t->weights ? mem_alloc(r->count * sizeof *weights) : NULL;
    for (size_t i = 0; i < r->count; i++) {
        targets[i] = t->rows[r->rows[i]].targets;
        if (weights) {
            weights[i] = t->weights[r->rows[i]];
        }
    }
    winnow_status st = train_factors_make(opt, weights, targets, r->count, &r->factors, err);
    mem_free(targets);
    mem_free(weights);
    return st;
}

winnow_status train_rows_plan(struct train_rows *r, const struct winnow_train_options *opt,
                              uint64_t seed, struct winnow_error *err)
{
    TRY(find_factors(r, opt, err));
    uint32_t *lengths = mem_alloc(r->count * sizeof *lengths);
    for (size_t i = 0; i < r->count; i++) {
        lengths[i] = r->texts.rows[r->rows[i]].tokens;
    }
    const struct tune_planning p = {.lengths = lengths,
                                    .count = r->count,
                                    .seed = seed,
                                    .batch_tokens = opt->model.batch_tokens,
                                    .tokens = opt->tokens,
                                    .epochs = opt->epochs > 0 ? opt->epochs : 1,
                                    .repeats = r->factors.repeats};
    tune_plan_of(&p, &r->plan);
    mem_free(lengths);
    size_t most = widest_step(&r->plan);
    r->weights = r->factors.loss ? mem_alloc((most + 1) * sizeof *r->weights) : NULL;
    r->chosen = mem_alloc((most + 1) * sizeof *r->chosen);
    return WINNOW_OK;
}

static winnow_status next_batch(void *state, struct sampler_batch *out, bool *more,
                                struct winnow_error *err)
{
    (void)err;
    struct train_rows *r = state;
    *more = r->next < r->plan.steps;
    if (!*more) {
        return WINNOW_OK;
    }
    size_t from = r->next > 0 ? r->plan.ends[r->next - 1] : 0;
    size_t count = r->plan.ends[r->next++] - from;
    for (size_t i = 0; i < count; i++) {
        uint32_t at = r->plan.order[from + i];
        r->chosen[i] = r->rows[at];
        if (r->weights) {
            r->weights[i] = r->factors.loss[at];
        }
    }
    feature_texts_batch(&r->texts, r->chosen, count, &r->batch);
    *out = (struct sampler_batch){r->batch.batch, r->plan.order + from};
    out->batch.weights = r->weights;
    return WINNOW_OK;
}

struct sampler train_rows_sampler(struct train_rows *r)
{
    return (struct sampler){.state = r, .next = next_batch};
}
