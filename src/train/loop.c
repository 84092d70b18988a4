/* loop.c -- a learner, a sampler, and what lies between two steps.
 *
 * Two files make a checkpoint: progress.json (losses and curve so far) and
 * trainer.bin (weights and optimizer).  progress.json is written first, so that
 * it always knows at least as much as trainer.bin; on resume what lies behind
 * trainer.bin's step is dropped and computed again, to the same values.  Samplers
 * keep no state of their own: they are asked for the batches of all steps again, and
 * one that listens is told again what their sequences lost, which progress.json
 * keeps for it.  When the last step is done trainer.bin stays until the caller has stored the
 * result and removes the folder. */
#include "train/loop.h"

#include "base/file.h"
#include "base/grow.h"
#include "base/json.h"
#include "base/json_write.h"
#include "base/mem.h"
#include "base/steps.h"

#include <math.h>

/* What sequences lost, step by step: of step i those from ends[i - 1] to ends[i]. */
struct told {
    double *nll;
    size_t count, cap;
    size_t *ends;
    size_t steps, steps_cap;
};

struct loop {
    const struct learner *learner;
    const struct sampler *sampler;
    const struct loop_options *opt;
    const struct winnow_env *env;
    struct loop_result *out;
    struct buf path, text;
    struct told told; /* of the batch, for a sampler that listens */
    struct told all;  /* of all steps so far, where there is a checkpoint */
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

/* ---- what a sampler was told ---- */

static void told_release(struct told *t)
{
    mem_free(t->nll);
    mem_free(t->ends);
}

static void told_add(struct told *t, double nll)
{
    GROW(t->nll, t->count, t->cap, 1024);
    t->nll[t->count++] = nll;
}

static void told_end_step(struct told *t)
{
    GROW(t->ends, t->steps, t->steps_cap, 256);
    t->ends[t->steps++] = t->count;
}

static size_t told_start(const struct told *t, size_t step)
{
    return step > 0 ? t->ends[step - 1] : 0;
}

static void write_told(const struct told *t, struct json_writer *w)
{
    json_member_open(w, "told", '[');
    for (size_t step = 0; step < t->steps; step++) {
        json_open(w, '[');
        for (size_t i = told_start(t, step); i < t->ends[step]; i++) {
            json_double(w, t->nll[i]);
        }
        json_close(w, ']');
    }
    json_close(w, ']');
}

static void read_told(struct json_value list, uint64_t steps, struct told *out)
{
    struct json_iter it = json_walk(list);
    while (out->steps < steps && json_next(&it)) {
        struct json_iter values = json_walk(it.value);
        while (json_next(&values)) {
            double v = 0;
            (void)json_as_double(values.value, &v);
            told_add(out, v);
        }
        told_end_step(out);
    }
}

/* ---- checkpoints ---- */

static void write_progress(const struct loop_result *r, const struct told *told, struct buf *out)
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
    if (told) {
        write_told(told, &w);
    }
    json_close(&w, '}');
}

static winnow_status save(void *of, struct winnow_error *err)
{
    struct loop *l = of;
    buf_clear(&l->text);
    write_progress(l->out, l->sampler->told ? &l->all : NULL, &l->text);
    const char *folder = l->opt->folder;
    TRY(file_write_atomic(file_join(&l->path, folder, "progress.json"), buf_str(&l->text), err));
    return l->learner->kind->save(l->learner->of, file_join(&l->path, folder, "trainer.bin"), err);
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
    if (l->sampler->told) {
        read_told(json_get(root, "told"), steps, &l->all);
    }
    return out->steps == steps && (!l->sampler->told || l->all.steps == steps);
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

/* Takes the sampler through a step that an earlier process did. */
static winnow_status replay(struct loop *l, size_t step, struct winnow_error *err)
{
    const struct sampler *sampler = l->sampler;
    struct sampler_batch b;
    bool more = false;
    TRY(sampler->next(sampler->state, &b, &more, err));
    if (!sampler->told) {
        return WINNOW_OK;
    }
    size_t from = told_start(&l->all, step);
    if (!more || l->all.ends[step] - from != b.batch.sequences) {
        return error_set(err, WINNOW_E_FORMAT,
                         "the checkpoint in %s is of a training that read other batches; remove "
                         "the folder to train anew",
                         l->opt->folder);
    }
    return sampler->told(sampler->state, &b, l->all.nll + from, err);
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
        TRY(replay(l, i, err));
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

/* Room for a number of each sequence. */
static double *told_room(struct told *t, size_t sequences)
{
    while (t->count < sequences) {
        told_add(t, 0);
    }
    return t->nll;
}

static winnow_status tell_sampler(struct loop *l, const struct sampler_batch *b,
                                  struct winnow_error *err)
{
    if (l->opt->folder) {
        for (size_t s = 0; s < b->batch.sequences; s++) {
            told_add(&l->all, l->told.nll[s]);
        }
        told_end_step(&l->all);
    }
    return l->sampler->told(l->sampler->state, b, l->told.nll, err);
}

static winnow_status one_step(void *of, double *loss, struct winnow_error *err)
{
    struct loop *l = of;
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
    double *nll = sampler->told ? told_room(&l->told, b.batch.sequences) : NULL;
    TRY(learner->kind->add(learner->of, &b.batch, batch_targets(&b.batch), nll, err));
    TRY(learner->kind->update(learner->of, &r, err));
    *loss = r.loss;
    if (!isfinite(r.loss)) {
        return WINNOW_OK; /* which is the end of it */
    }
    if (sampler->told) {
        TRY(tell_sampler(l, &b, err));
    }
    l->out->losses[l->out->steps++] = (float)r.loss;
    return measure(l, err);
}

static winnow_status run(struct loop *l, struct winnow_error *err)
{
    const struct loop_options *o = l->opt;
    const struct steps steps = {.of = l,
                                .step = one_step,
                                .save = o->folder ? save : NULL,
                                .save_seconds = o->save_seconds > 0 ? o->save_seconds : 30,
                                .from = l->out->steps,
                                .to = o->steps,
                                .stage = o->stage,
                                .unit = o->tokens_a_step > 0 ? "tokens" : "steps",
                                .unit_size = o->tokens_a_step > 0 ? o->tokens_a_step : 1};
    TRY(measure(l, err));
    return steps_run(&steps, l->env, err);
}

winnow_status train_loop(const struct learner *learner, const struct sampler *sampler,
                         const struct loop_options *opt, const struct winnow_env *env,
                         struct loop_result *out, struct winnow_error *err)
{
    *out = (struct loop_result){0};
    out->losses = mem_zalloc((opt->steps + 1) * sizeof *out->losses);
    out->curve = mem_zalloc(((size_t)opt->points + 1) * sizeof *out->curve);
    struct loop l = {.learner = learner, .sampler = sampler, .opt = opt, .env = env, .out = out};
    winnow_status st = resume(&l, err);
    if (st == WINNOW_OK) {
        st = run(&l, err);
    }
    told_release(&l.told);
    told_release(&l.all);
    buf_release(&l.path);
    buf_release(&l.text);
    return st;
}
