/* fit.c -- documents, a packer and a trainer in the training loop. */
#include "train/fit.h"

#include "base/mem.h"

struct fitting {
    const struct fit_options *opt;
    struct trainer *trainer;
};

void fit_result_release(struct fit_result *r)
{
    mem_free(r->losses);
    mem_free(r->curve);
    *r = (struct fit_result){0};
}

static winnow_status measure(void *ctx, struct loop_point *point, struct winnow_error *err)
{
    struct fitting *f = ctx;
    if (f->opt->keep) {
        TRY(f->opt->keep(f->opt->ctx, f->trainer, err));
    }
    if (!f->opt->measure) {
        return WINNOW_OK;
    }
    return f->opt->measure(f->opt->ctx, trainer_engine(f->trainer), point->values, err);
}

/* What the loop gave, which owns nothing from here on. */
static void take_result(const struct fit_options *opt, struct loop_result *done,
                        struct fit_result *out)
{
    out->losses = done->losses;
    out->steps = done->steps;
    done->losses = NULL;
    out->curve = mem_zalloc((done->curve_count + 1) * sizeof *out->curve);
    out->curve_count = done->curve_count;
    for (size_t i = 0; i < done->curve_count; i++) {
        struct fit_point *p = &out->curve[i];
        p->step = done->curve[i].step;
        p->tokens = p->step * opt->packer.batch_tokens;
        memcpy(p->values, done->curve[i].values, sizeof p->values);
    }
    loop_result_release(done);
}

static void finish(const struct trainer *t, const struct packer *packer, struct fit_result *out)
{
    uint64_t n = out->steps / 10 > 0 ? out->steps / 10 : 1;
    double sum = 0;
    for (uint64_t i = out->steps - n; i < out->steps; i++) {
        sum += (double)out->losses[i];
    }
    out->loss = sum / (double)n;
    out->flops = trainer_flops(t);
    out->used = packer_used(packer);
}

static winnow_status train(struct fitting *f, struct packer *packer, const struct winnow_env *env,
                           struct fit_result *out, struct winnow_error *err)
{
    const struct fit_options *opt = f->opt;
    const struct loop_options loop = {.steps = opt->trainer.steps,
                                      .folder = opt->folder,
                                      .save_seconds = opt->save_seconds,
                                      .stage = opt->stage,
                                      .tokens_a_step = opt->packer.batch_tokens,
                                      .points = opt->points,
                                      .measure = measure,
                                      .ctx = f};
    const struct learner learner = trainer_learner(f->trainer);
    const struct sampler sampler = packer_sampler(packer);
    struct loop_result done;
    winnow_status st = train_loop(&learner, &sampler, &loop, env, &done, err);
    take_result(opt, &done, out);
    return st;
}

winnow_status fit(struct model *m, struct pool *pool, const struct fit_data *data,
                  const struct fit_options *opt, const struct winnow_env *env,
                  struct fit_result *out, struct winnow_error *err)
{
    *out = (struct fit_result){0};
    if (opt->trainer.steps == 0) {
        return error_set(err, WINNOW_E_USAGE,
                         "the token budget is less than one step of %llu tokens",
                         (unsigned long long)opt->packer.batch_tokens);
    }
    struct fitting f = {.opt = opt};
    struct packer *packer = packer_new(data->docs, data->order, data->order_count, &opt->packer);
    winnow_status st = trainer_new(m, pool, &opt->trainer, env, &f.trainer, err);
    if (st == WINNOW_OK) {
        st = train(&f, packer, env, out, err);
    }
    if (st == WINNOW_OK) {
        finish(f.trainer, packer, out);
    }
    trainer_free(f.trainer);
    packer_free(packer);
    return st;
}
