/* tune.c -- the training loop over examples.
 *
 * As in fit.c, progress.json is written before trainer.bin, so that it knows at
 * least as much; what lies behind trainer.bin's step is computed again, to the same
 * values.  best.bin holds the weights of the lowest held-out loss so far and may be
 * ahead of trainer.bin, too: it is then written once more with the same bytes. */
#include "train/tune.h"

#include "base/env.h"
#include "base/file.h"
#include "base/json.h"
#include "base/json_write.h"
#include "base/mem.h"
#include "train/tune_plan.h"
#include "train/weights_file.h"

#include <assert.h>
#include <math.h>

struct tuning {
    const struct tune_options *opt;
    const struct winnow_env *env;
    const struct tune_examples *train, *held_out;
    struct model *model;
    struct trainer_options trainer_options;
    struct trainer *trainer; /* one of the two */
    struct lora *lora;
    struct tune_plan plan;
    struct tune_batch batch;
    struct tune_result *out;
    struct buf path, text;
    double saved_at;
    uint64_t resumed; /* steps of an earlier process */
    float *kept;      /* weights of the best point, where no folder keeps them */
};

void tune_result_release(struct tune_result *r)
{
    mem_free(r->losses);
    mem_free(r->curve);
    *r = (struct tune_result){0};
}

/* ---- the two kinds of training ---- */

static uint64_t steps_done(const struct tuning *t)
{
    return t->lora ? lora_steps(t->lora) : trainer_steps(t->trainer);
}

static struct engine *engine_of(struct tuning *t)
{
    return t->lora ? lora_engine(t->lora) : trainer_engine(t->trainer);
}

static winnow_status step(struct tuning *t, struct trainer_result *r, struct winnow_error *err)
{
    const struct token_batch *b = &t->batch.batch;
    if (!t->lora) {
        return trainer_step(t->trainer, b, r, err);
    }
    TRY(lora_add(t->lora, b, batch_targets(b), err));
    return lora_update(t->lora, r, err);
}

/* The numbers that training moves. */
static float *moved(struct tuning *t, size_t *count)
{
    *count = t->lora ? lora_count(t->lora) : model_values_count(t->model);
    return t->lora ? lora_values(t->lora) : model_values(t->model);
}

static void moved_changed(struct tuning *t)
{
    if (t->lora) {
        lora_merge(t->lora);
    } else {
        engine_weights_changed(trainer_engine(t->trainer));
    }
}

static winnow_status start(struct tuning *t, struct pool *pool, struct winnow_error *err)
{
    if (t->opt->lora_rank == 0) {
        return trainer_new(t->model, pool, &t->trainer_options, t->env, &t->trainer, err);
    }
    const struct lora_options opt = {t->opt->lora_rank, t->opt->lora_alpha, t->opt->seed,
                                     t->trainer_options};
    return lora_new(t->model, pool, &opt, t->env, &t->lora, err);
}

/* ---- checkpoints ---- */

static const char *in_folder(struct tuning *t, const char *name)
{
    return file_join(&t->path, t->opt->folder, name);
}

static winnow_status save(struct tuning *t, struct winnow_error *err)
{
    struct json_writer w = {.out = &t->text};
    buf_clear(&t->text);
    json_open(&w, '{');
    json_key(&w, "losses");
    json_open(&w, '[');
    for (uint64_t i = 0; i < t->out->steps; i++) {
        json_double(&w, (double)t->out->losses[i]);
    }
    json_close(&w, ']');
    json_key(&w, "held_out");
    json_open(&w, '[');
    for (size_t i = 0; i < t->out->curve_count; i++) {
        json_double(&w, t->out->curve[i].loss);
    }
    json_close(&w, ']');
    json_close(&w, '}');
    TRY(file_write_atomic(in_folder(t, "progress.json"), buf_str(&t->text), err));
    const char *path = in_folder(t, "trainer.bin");
    TRY(t->lora ? lora_save(t->lora, path, err) : trainer_save(t->trainer, path, err));
    t->saved_at = env_seconds();
    return WINNOW_OK;
}

static uint64_t point_step(const struct tuning *t, size_t point)
{
    return t->plan.steps * point / (t->opt->points > 0 ? t->opt->points : 1);
}

static bool is_better(const struct tune_result *r, size_t point)
{
    return point == 0 || r->curve[point].loss < r->curve[r->best].loss;
}

static bool take_progress(struct tuning *t, struct json_value root, uint64_t steps)
{
    struct tune_result *out = t->out;
    struct json_iter it = json_walk(json_get(root, "losses"));
    while (out->steps < steps && json_next(&it)) {
        double v = (double)NAN;
        (void)json_as_double(it.value, &v);
        out->losses[out->steps++] = (float)v;
    }
    it = json_walk(json_get(root, "held_out"));
    while (t->opt->points > 0 && t->held_out->count > 0 && out->curve_count <= t->opt->points &&
           point_step(t, out->curve_count) <= steps) {
        if (!json_next(&it)) {
            return false;
        }
        struct tune_point *p = &out->curve[out->curve_count];
        *p = (struct tune_point){point_step(t, out->curve_count), (double)NAN};
        (void)json_as_double(it.value, &p->loss);
        out->best = is_better(out, out->curve_count) ? out->curve_count : out->best;
        out->curve_count++;
    }
    return out->steps == steps;
}

static winnow_status resume(struct tuning *t, struct winnow_error *err)
{
    if (!t->opt->folder || !file_exists(in_folder(t, "trainer.bin"))) {
        return WINNOW_OK;
    }
    const char *path = buf_cstr(&t->path);
    winnow_status st =
        t->lora ? lora_load(t->lora, path, err) : trainer_load(t->trainer, path, err);
    if (st != WINNOW_OK) {
        return error_wrap(err, st, "remove %s to train anew", t->opt->folder);
    }
    buf_clear(&t->text);
    TRY(file_read(in_folder(t, "progress.json"), (size_t)1 << 30, &t->text, err));
    struct json_parser *parser = json_parser_new();
    struct json_value root;
    st = json_parse(parser, buf_str(&t->text), &root, err);
    if (st == WINNOW_OK && !take_progress(t, root, steps_done(t))) {
        st = error_set(err, WINNOW_E_FORMAT,
                       "%s does not belong to the checkpoint beside it; remove the folder to train "
                       "anew",
                       buf_cstr(&t->path));
    }
    json_parser_free(parser);
    return st;
}

/* ---- the held-out examples ---- */

static winnow_status held_out_loss(struct tuning *t, double *loss, struct winnow_error *err)
{
    const struct tune_examples *e = t->held_out;
    struct tune_batch b = {0};
    struct u32_list which = {0};
    float *nll = NULL;
    size_t nll_cap = 0;
    double sum = 0;
    uint64_t targets = 0;
    winnow_status st = WINNOW_OK;
    for (size_t i = 0; st == WINNOW_OK && i < e->count;) {
        size_t tokens = 0;
        which.len = 0;
        do {
            tokens += e->items[i].end - (i > 0 ? e->items[i - 1].end : 0);
            u32_list_add(&which, (uint32_t)i++);
        } while (i < e->count && tokens < t->opt->batch_tokens);
        tune_batch_fill(&b, e, which.ptr, which.len);
        if (tokens > nll_cap) {
            mem_free(nll);
            nll = mem_alloc(tokens * sizeof *nll);
            nll_cap = tokens;
        }
        st = env_check(t->env, err);
        if (st == WINNOW_OK) {
            st = engine_nll(engine_of(t), &b.batch, nll, err);
        }
        for (size_t k = 0; st == WINNOW_OK && k < tokens; k++) {
            sum += (double)nll[k];
        }
        targets += batch_targets(&b.batch);
    }
    *loss = targets > 0 ? sum / (double)targets : (double)NAN;
    mem_free(nll);
    u32_list_release(&which);
    tune_batch_release(&b);
    return st;
}

static winnow_status keep_best(struct tuning *t, struct winnow_error *err)
{
    size_t count;
    const float *values = moved(t, &count);
    if (t->opt->folder) {
        return weights_file_write(in_folder(t, "best.bin"), values, count, err);
    }
    t->kept = t->kept ? t->kept : mem_try_alloc(count * sizeof *t->kept);
    if (!t->kept) {
        return error_set(err, WINNOW_E_NOMEM, "no memory for a second copy of the weights");
    }
    memcpy(t->kept, values, count * sizeof *values);
    return WINNOW_OK;
}

static winnow_status measure(struct tuning *t, struct winnow_error *err)
{
    struct tune_result *out = t->out;
    size_t point = out->curve_count;
    if (t->opt->points == 0 || t->held_out->count == 0 || point > t->opt->points ||
        out->steps != point_step(t, point)) {
        return WINNOW_OK;
    }
    struct tune_point *p = &out->curve[point];
    p->step = out->steps;
    TRY(held_out_loss(t, &p->loss, err));
    if (t->opt->stage) {
        env_log(t->env, WINNOW_LOG_INFO, "%s: step %llu of %llu, held-out loss %.4f", t->opt->stage,
                (unsigned long long)p->step, (unsigned long long)t->plan.steps, p->loss);
    }
    bool better = is_better(out, point);
    out->curve_count++;
    if (better) {
        out->best = point;
        return keep_best(t, err);
    }
    return WINNOW_OK;
}

static winnow_status take_best(struct tuning *t, struct winnow_error *err)
{
    struct tune_result *out = t->out;
    if (out->curve_count == 0 || out->best + 1 == out->curve_count) {
        return WINNOW_OK; /* what is there is the best */
    }
    size_t count;
    float *values = moved(t, &count);
    if (t->opt->folder) {
        TRY(weights_file_read(in_folder(t, "best.bin"), values, count, err));
    } else {
        memcpy(values, t->kept, count * sizeof *values);
    }
    moved_changed(t);
    return WINNOW_OK;
}

/* ---- the loop ---- */

static void report(const struct tuning *t, double loss)
{
    if (t->opt->stage && t->env->progress) {
        const struct winnow_progress p = {t->opt->stage, "steps", t->out->steps,
                                          t->plan.steps, loss,    t->resumed};
        t->env->progress(t->env->user, &p);
    }
}

static winnow_status one_step(struct tuning *t, struct winnow_error *err)
{
    struct tune_result *out = t->out;
    size_t from = out->steps > 0 ? t->plan.ends[out->steps - 1] : 0;
    tune_batch_fill(&t->batch, t->train, t->plan.order + from, t->plan.ends[out->steps] - from);
    struct trainer_result r;
    TRY(step(t, &r, err));
    if (!isfinite(r.loss)) {
        return error_set(err, WINNOW_E_INTERNAL,
                         "training diverged at step %llu; a lower learning rate may help",
                         (unsigned long long)r.step);
    }
    out->losses[out->steps++] = (float)r.loss;
    report(t, r.loss);
    return measure(t, err);
}

static winnow_status run(struct tuning *t, struct winnow_error *err)
{
    t->saved_at = env_seconds();
    t->resumed = t->out->steps;
    report(t, (double)NAN); /* rates count from here */
    TRY(measure(t, err));
    while (t->out->steps < t->plan.steps) {
        winnow_status st = env_check(t->env, err);
        if (st != WINNOW_OK) {
            struct winnow_error unused; /* what is reported is that it was asked to stop */
            if (t->opt->folder && save(t, &unused) != WINNOW_OK) {
                env_log(t->env, WINNOW_LOG_WARNING, "no checkpoint: %s", unused.text);
            }
            return st;
        }
        TRY(one_step(t, err));
        if (t->opt->folder && env_seconds() - t->saved_at >= t->opt->save_seconds) {
            TRY(save(t, err));
        }
    }
    return WINNOW_OK;
}

static void count_plan(const struct tuning *t)
{
    struct tune_result *out = t->out;
    out->trained = t->lora ? lora_count(t->lora) : model_config_parameters(model_config(t->model));
    size_t all = t->plan.steps > 0 ? t->plan.ends[t->plan.steps - 1] : 0;
    for (size_t i = 0; i < all; i++) {
        uint32_t x = t->plan.order[i];
        size_t from = x > 0 ? t->train->items[x - 1].end : 0;
        out->tokens += t->train->items[x].end - from;
        out->targets += t->train->items[x].targets;
    }
    out->epochs = t->plan.epochs;
    out->flops = t->lora ? lora_flops(t->lora) : trainer_flops(t->trainer);
}

static void set_schedule(struct tuning *t)
{
    uint32_t longest =
        t->train->longest > t->held_out->longest ? t->train->longest : t->held_out->longest;
    struct trainer_options *o = &t->trainer_options;
    *o = t->opt->trainer;
    o->steps = t->plan.steps;
    o->warmup = (uint64_t)llround(t->opt->warmup * (double)t->plan.steps);
    o->tokens_max = longest > 2048 ? longest : 2048;
}

static winnow_status tune_on(struct tuning *t, struct pool *pool, struct winnow_error *err)
{
    TRY(start(t, pool, err));
    TRY(resume(t, err));
    TRY(run(t, err));
    count_plan(t);
    TRY(take_best(t, err));
    return t->lora && t->opt->adapter ? t->opt->adapter(t->opt->ctx, t->lora, err) : WINNOW_OK;
}

winnow_status tune(struct model *m, struct pool *pool, const struct tune_examples *train,
                   const struct tune_options *opt, const struct winnow_env *env,
                   struct tune_result *out, struct winnow_error *err)
{
    *out = (struct tune_result){0};
    if (train->count == 0) {
        return error_set(err, WINNOW_E_FORMAT, "there is no example to train on");
    }
    struct tuning t = {
        .opt = opt, .env = env, .train = train, .held_out = opt->held_out, .model = m, .out = out};
    tune_plan_make(train, opt, &t.plan);
    set_schedule(&t);
    out->losses = mem_zalloc((t.plan.steps + 1) * sizeof *out->losses);
    out->curve = mem_zalloc(((size_t)opt->points + 1) * sizeof *out->curve);
    winnow_status st = tune_on(&t, pool, err);
    trainer_free(t.trainer);
    lora_free(t.lora);
    tune_plan_release(&t.plan);
    tune_batch_release(&t.batch);
    mem_free(t.kept);
    buf_release(&t.path);
    buf_release(&t.text);
    return st;
}
