/* loop.c -- a learner, a sampler, and what lies between two steps.
 *
 * Two files make a checkpoint: progress.json (losses and curve so far) and
 * trainer.bin (weights and optimizer).  progress.json is written first, so that
 * it always knows at least as much as trainer.bin; on resume what lies behind
 * trainer.bin's step is dropped and computed again, to the same values.  When
 * the last step is done trainer.bin stays until the caller has stored the
 * result and removes the folder. */
#include "train/loop.h"

#include "base/env.h"
#include "base/file.h"
#include "base/json.h"
#include "base/json_write.h"
#include "base/mem.h"

#include <assert.h>
#include <math.h>

struct loop {
    const struct learner *learner;
    const struct sampler *sampler;
    const struct loop_options *opt;
    const struct winnow_env *env;
    struct loop_result *out;
    struct buf path, text;
    double *nll; /* a sequence of the batch, for a sampler that listens */
    size_t nll_cap;
    double saved_at;
    uint64_t resumed; /* steps of an earlier process */
};

uint64_t loop_point_step(uint64_t steps, uint32_t points, size_t i)
{
    return points == 0 ? steps : steps * i / points;
}

void loop_result_release(struct loop_result *r)
{
    mem_free(r->losses);
    mem_free(r->curve);
    *r = (struct loop_result){0};
}

/* ---- checkpoints ---- */

static void write_progress(const struct loop_result *r, struct buf *out)
{
    struct json_writer w = {.out = out};
    json_open(&w, '{');
    json_member_open(&w, "losses", '[');
    for (uint64_t i = 0; i < r->steps; i++) {
        json_double(&w, (double)r->losses[i]);
    }
    json_close(&w, ']');
    json_member_open(&w, "curve", '[');
    for (size_t i = 0; i < r->curve_count; i++) {
        json_open(&w, '[');
        for (int k = 0; k < LOOP_VALUES; k++) {
            json_double(&w, r->curve[i].values[k]);
        }
        json_close(&w, ']');
    }
    json_close(&w, ']');
    json_close(&w, '}');
}

static winnow_status save(struct loop *l, struct winnow_error *err)
{
    buf_clear(&l->text);
    write_progress(l->out, &l->text);
    const char *folder = l->opt->folder;
    TRY(file_write_atomic(file_join(&l->path, folder, "progress.json"), buf_str(&l->text), err));
    TRY(l->learner->kind->save(l->learner->of, file_join(&l->path, folder, "trainer.bin"), err));
    l->saved_at = env_seconds();
    return WINNOW_OK;
}

static bool point_is_due(const struct loop *l, uint64_t steps)
{
    const struct loop_options *o = l->opt;
    return o->points > 0 && l->out->curve_count <= o->points &&
           loop_point_step(o->steps, o->points, l->out->curve_count) <= steps;
}

static struct loop_point *next_point(struct loop *l)
{
    struct loop_point *p = &l->out->curve[l->out->curve_count];
    p->step = loop_point_step(l->opt->steps, l->opt->points, l->out->curve_count);
    for (int k = 0; k < LOOP_VALUES; k++) {
        p->values[k] = (double)NAN;
    }
    return p;
}

static bool take_progress(struct loop *l, struct json_value root, uint64_t steps)
{
    struct loop_result *out = l->out;
    struct json_iter it = json_walk(json_get(root, "losses"));
    while (out->steps < steps && json_next(&it)) {
        double v = (double)NAN;
        (void)json_as_double(it.value, &v);
        out->losses[out->steps++] = (float)v;
    }
    it = json_walk(json_get(root, "curve"));
    /* the point that falls on the step itself was measured before the save */
    while (point_is_due(l, steps)) {
        if (!json_next(&it)) {
            return false;
        }
        struct loop_point *p = next_point(l);
        struct json_iter values = json_walk(it.value);
        for (int k = 0; k < LOOP_VALUES && json_next(&values); k++) {
            (void)json_as_double(values.value, &p->values[k]);
        }
        out->curve_count++;
    }
    return out->steps == steps;
}

static winnow_status read_progress(struct loop *l, struct winnow_error *err)
{
    const char *path = file_join(&l->path, l->opt->folder, "progress.json");
    buf_clear(&l->text);
    TRY(file_read(path, (size_t)1 << 30, &l->text, err));
    struct json_parser *parser = json_parser_new();
    struct json_value root;
    winnow_status st = json_parse(parser, buf_str(&l->text), &root, err);
    if (st == WINNOW_OK && !take_progress(l, root, l->learner->kind->steps(l->learner->of))) {
        st = error_set(err, WINNOW_E_FORMAT,
                       "%s does not belong to the checkpoint beside it; remove the folder to train "
                       "anew",
                       path);
    }
    json_parser_free(parser);
    return st;
}

/* Goes to where an earlier process stopped.  A checkpoint that cannot be used
 * is an error: silently starting anew would throw hours away. */
static winnow_status resume(struct loop *l, struct winnow_error *err)
{
    const char *folder = l->opt->folder;
    if (!folder || !file_exists(file_join(&l->path, folder, "trainer.bin"))) {
        return WINNOW_OK;
    }
    winnow_status st = l->learner->kind->load(l->learner->of, buf_cstr(&l->path), err);
    if (st != WINNOW_OK) {
        return error_wrap(err, st, "remove %s to train anew", folder);
    }
    TRY(read_progress(l, err));
    for (uint64_t i = 0; i < l->out->steps; i++) {
        struct sampler_batch b;
        bool more;
        TRY(l->sampler->next(l->sampler->state, &b, &more, err));
    }
    return WINNOW_OK;
}

/* ---- steps ---- */

static winnow_status measure(struct loop *l, struct winnow_error *err)
{
    if (!point_is_due(l, l->out->steps)) {
        return WINNOW_OK;
    }
    TRY(l->opt->measure(l->opt->ctx, next_point(l), err));
    l->out->curve_count++;
    return WINNOW_OK;
}

static void progress(const struct loop *l, double loss)
{
    uint64_t unit = l->opt->tokens_a_step > 0 ? l->opt->tokens_a_step : 1;
    if (l->opt->stage && l->env->progress) {
        const struct winnow_progress p = {l->opt->stage,
                                          l->opt->tokens_a_step > 0 ? "tokens" : "steps",
                                          l->out->steps * unit,
                                          l->opt->steps * unit,
                                          loss,
                                          l->resumed * unit};
        l->env->progress(l->env->user, &p);
    }
}

static double *room_for_nll(struct loop *l, size_t sequences)
{
    if (sequences > l->nll_cap) {
        mem_free(l->nll);
        l->nll = mem_alloc(sequences * sizeof *l->nll);
        l->nll_cap = sequences;
    }
    return l->nll;
}

static winnow_status one_step(struct loop *l, struct winnow_error *err)
{
    const struct sampler *sampler = l->sampler;
    const struct learner *learner = l->learner;
    struct sampler_batch b;
    struct trainer_result r;
    bool more = false;
    TRY(sampler->next(sampler->state, &b, &more, err));
    if (!more) {
        return error_set(err, WINNOW_E_FORMAT,
                         "the documents end after %llu of %llu training steps",
                         (unsigned long long)l->out->steps, (unsigned long long)l->opt->steps);
    }
    double *nll = sampler->told ? room_for_nll(l, b.batch.sequences) : NULL;
    TRY(learner->kind->add(learner->of, &b.batch, batch_targets(&b.batch), nll, err));
    TRY(learner->kind->update(learner->of, &r, err));
    if (!isfinite(r.loss)) {
        return error_set(err, WINNOW_E_INTERNAL,
                         "training diverged at step %llu; a lower learning rate may help",
                         (unsigned long long)r.step);
    }
    if (sampler->told) {
        TRY(sampler->told(sampler->state, &b, nll, err));
    }
    l->out->losses[l->out->steps++] = (float)r.loss;
    progress(l, r.loss);
    return measure(l, err);
}

static winnow_status run(struct loop *l, struct winnow_error *err)
{
    double pause = l->opt->save_seconds > 0 ? l->opt->save_seconds : 30;
    l->saved_at = env_seconds();
    l->resumed = l->out->steps;
    progress(l, (double)NAN); /* rates count from here */
    TRY(measure(l, err));
    while (l->out->steps < l->opt->steps) {
        winnow_status st = env_check(l->env, err);
        if (st != WINNOW_OK) {
            struct winnow_error unused; /* what is reported is that it was asked to stop */
            if (l->opt->folder && save(l, &unused) != WINNOW_OK) {
                env_log(l->env, WINNOW_LOG_WARNING, "no checkpoint: %s", unused.text);
            }
            return st;
        }
        TRY(one_step(l, err));
        if (l->opt->folder && env_seconds() - l->saved_at >= pause) {
            TRY(save(l, err));
        }
    }
    return WINNOW_OK;
}

winnow_status train_loop(const struct learner *learner, const struct sampler *sampler,
                         const struct loop_options *opt, const struct winnow_env *env,
                         struct loop_result *out, struct winnow_error *err)
{
    assert(!(sampler->told && opt->folder)); /* what one was told is in no checkpoint yet */
    *out = (struct loop_result){0};
    out->losses = mem_zalloc((opt->steps + 1) * sizeof *out->losses);
    out->curve = mem_zalloc(((size_t)opt->points + 1) * sizeof *out->curve);
    struct loop l = {.learner = learner, .sampler = sampler, .opt = opt, .env = env, .out = out};
    winnow_status st = resume(&l, err);
    if (st == WINNOW_OK) {
        st = run(&l, err);
    }
    mem_free(l.nll);
    buf_release(&l.path);
    buf_release(&l.text);
    return st;
}
