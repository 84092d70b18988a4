/* tune.c -- examples in the training loop, and the weights that are best on others.
 *
 * best.bin holds the weights of the lowest held-out loss so far and may be ahead of the
 * loop's checkpoint: it is then written once more with the same bytes. */
#include "train/tune.h"

#include "base/env.h"
#include "base/file.h"
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
    struct learner learner;
    struct lora *lora; /* the learner, where it is one */
    struct tune_plan plan;
    struct tune_batch batch;
    uint64_t next; /* step whose batch is the sampler's next */
    struct loop_result done;
    struct tune_result *out;
    struct buf path;
    float *kept; /* weights of the best point, where no folder keeps them */
};

void tune_result_release(struct tune_result *r)
{
    mem_free(r->losses);
    mem_free(r->curve);
    *r = (struct tune_result){0};
}

static winnow_status start(struct tuning *t, struct pool *pool, struct winnow_error *err)
{
    if (t->opt->lora_rank == 0) {
        struct trainer *trainer = NULL;
        TRY(trainer_new(t->model, pool, &t->trainer_options, t->env, &trainer, err));
        t->learner = trainer_learner(trainer);
        return WINNOW_OK;
    }
    const struct lora_options opt = {t->opt->lora_rank, t->opt->lora_alpha, t->opt->seed,
                                     t->trainer_options};
    TRY(lora_new(t->model, pool, &opt, t->env, &t->lora, err));
    t->learner = lora_learner(t->lora);
    return WINNOW_OK;
}

static const char *in_folder(struct tuning *t, const char *name)
{
    return file_join(&t->path, t->opt->folder, name);
}

/* The number of the curve's point with the lowest loss so far. */
static size_t best_point(const struct loop_result *r)
{
    size_t best = 0;
    for (size_t i = 1; i < r->curve_count; i++) {
        best = r->curve[i].values[0] < r->curve[best].values[0] ? i : best;
    }
    return best;
}

/* The plan as a sampler. */
static winnow_status next_batch(void *state, struct sampler_batch *out, bool *more,
                                struct winnow_error *err)
{
    (void)err;
    struct tuning *t = state;
    *more = t->next < t->plan.steps;
    if (*more) {
        size_t from = t->next > 0 ? t->plan.ends[t->next - 1] : 0;
        tune_batch_fill(&t->batch, t->train, t->plan.order + from, t->plan.ends[t->next] - from);
        *out = (struct sampler_batch){t->batch.batch, t->plan.order + from};
        t->next++;
    }
    return WINNOW_OK;
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
            st = engine_nll(t->learner.kind->engine(t->learner.of), &b.batch, nll, err);
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
    const float *values = t->learner.kind->values(t->learner.of, &count);
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

static winnow_status measure(void *ctx, struct loop_point *point, struct winnow_error *err)
{
    struct tuning *t = ctx;
    TRY(held_out_loss(t, &point->values[0], err));
    if (t->opt->stage) {
        env_log(t->env, WINNOW_LOG_INFO, "%s: step %llu of %llu, held-out loss %.4f", t->opt->stage,
                (unsigned long long)point->step, (unsigned long long)t->plan.steps,
                point->values[0]);
    }
    const struct loop_result *r = &t->done;
    bool better = r->curve_count == 0 || point->values[0] < r->curve[best_point(r)].values[0];
    return better ? keep_best(t, err) : WINNOW_OK;
}

static winnow_status take_best(struct tuning *t, struct winnow_error *err)
{
    struct tune_result *out = t->out;
    if (out->curve_count == 0 || out->best + 1 == out->curve_count) {
        return WINNOW_OK; /* what is there is the best */
    }
    size_t count;
    float *values = t->learner.kind->values(t->learner.of, &count);
    if (t->opt->folder) {
        TRY(weights_file_read(in_folder(t, "best.bin"), values, count, err));
    } else {
        memcpy(values, t->kept, count * sizeof *values);
    }
    t->learner.kind->changed(t->learner.of);
    return WINNOW_OK;
}

/* ---- the whole ---- */

/* What the loop gave, which owns nothing from here on. */
static void take_result(struct tuning *t)
{
    struct tune_result *out = t->out;
    out->losses = t->done.losses;
    out->steps = t->done.steps;
    t->done.losses = NULL;
    out->best = best_point(&t->done);
    out->curve_count = t->done.curve_count;
    out->curve = mem_zalloc((out->curve_count + 1) * sizeof *out->curve);
    for (size_t i = 0; i < out->curve_count; i++) {
        out->curve[i] = (struct tune_point){t->done.curve[i].step, t->done.curve[i].values[0]};
    }
    loop_result_release(&t->done);
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
    out->flops = t->learner.kind->flops(t->learner.of);
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
    const struct loop_options loop = {.steps = t->plan.steps,
                                      .folder = t->opt->folder,
                                      .save_seconds = t->opt->save_seconds,
                                      .stage = t->opt->stage,
                                      .points = t->held_out->count > 0 ? t->opt->points : 0,
                                      .measure = measure,
                                      .ctx = t};
    const struct sampler sampler = {.state = t, .next = next_batch};
    TRY(start(t, pool, err));
    winnow_status st = train_loop(&t->learner, &sampler, &loop, t->env, &t->done, err);
    take_result(t);
    TRY(st);
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
    winnow_status st = tune_on(&t, pool, err);
    learner_free(&t.learner);
    tune_plan_release(&t.plan);
    tune_batch_release(&t.batch);
    mem_free(t.kept);
    buf_release(&t.path);
    return st;
}
