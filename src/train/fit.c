/* fit.c -- documents, a packer and a trainer in the training loop. */
#include "train/fit.h"

#include "base/mem.h"

#include <assert.h>
#include <string.h>

struct fitting {
    const struct fit_options *opt;
    struct trainer *trainer; /* of all weights; else of adapters */
    struct learner learner;
    struct valuation *valuation; /* NULL: none */
    struct sampling sampling;
};

void fit_result_release(struct fit_result *r)
{
    mem_free(r->losses);
    mem_free(r->curve);
    mem_free(r->values);
    mem_free(r->documents);
    buf_release(&r->told);
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
    return f->opt->measure(f->opt->ctx, f->learner.kind->engine(f->learner.of), point->values, err);
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

static void finish(const struct fitting *f, const struct packer *packer,
                   const struct token_docs *docs, struct fit_result *out)
{
    const struct learner *l = &f->learner;
    uint64_t n = out->steps / 10 > 0 ? out->steps / 10 : 1;
    double sum = 0;
    for (uint64_t i = out->steps - n; i < out->steps; i++) {
        sum += (double)out->losses[i];
    }
    out->loss = sum / (double)n;
    out->flops = l->kind->flops(l->of) + sampling_flops(&f->sampling);
    bool own = f->sampling.sampler.state != packer; /* batches of the sampling's own */
    out->used = !packer ? 0 : own ? out->steps * f->opt->packer.batch_tokens : packer_used(packer);
    struct json_writer w = {.out = &out->told};
    json_open(&w, '{');
    json_member_text(&w, "name", f->sampling.kind->name);
    sampling_tell(&f->sampling, &w);
    json_close(&w, '}');
    out->documents = docs ? sampling_documents(&f->sampling, docs->count) : NULL;
}

static winnow_status start(struct fitting *f, struct model *m, struct pool *pool,
                           const struct winnow_env *env, struct winnow_error *err)
{
    const struct fit_options *opt = f->opt;
    struct trainer_options trainer = opt->trainer;
    if (opt->sampling) {
        sampling_trainer(opt->sampling, opt->packer.batch_tokens, &trainer);
    }
    if (opt->lora_rank == 0) {
        TRY(trainer_new(m, pool, &trainer, env, &f->trainer, err));
        f->learner = trainer_learner(f->trainer);
        return opt->value ? valuation_new(f->trainer, opt->value, &f->valuation, err) : WINNOW_OK;
    }
    assert(!opt->keep && !opt->value);
    struct lora *lora = NULL;
    const struct lora_options how = {opt->lora_rank, opt->lora_alpha, opt->seed, trainer};
    TRY(lora_new(m, pool, &how, env, &lora, err));
    f->learner = lora_learner(lora);
    return WINNOW_OK;
}

static winnow_status train(struct fitting *f, const struct winnow_env *env, struct fit_result *out,
                           struct winnow_error *err)
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
    struct loop_result done;
    struct learner learner = f->sampling.learner;
    struct sampler batches = f->sampling.sampler;
    if (f->valuation) {
        learner = valuation_learner(f->valuation);
        batches = valuation_sampler(f->valuation, &f->sampling.sampler);
    }
    winnow_status st = train_loop(&learner, &batches, &loop, env, &done, err);
    take_result(opt, &done, out);
    return st;
}

/* The way to train, around plain batches and the learner. */
static winnow_status start_sampling(struct fitting *f, struct pool *pool,
                                    const struct fit_data *data, struct packer **packer,
                                    struct winnow_error *err)
{
    static const struct winnow_sampling PLAIN = WINNOW_SAMPLING_INIT;
    const struct fit_options *opt = f->opt;
    struct sampling_home home = {.opt = opt->sampling ? opt->sampling : &PLAIN,
                                 .docs = data->sampler ? NULL : data->docs,
                                 .order = data->order,
                                 .order_count = data->order_count,
                                 .packer = &opt->packer,
                                 .learner = f->learner,
                                 .trainer = f->trainer,
                                 .seed = opt->seed,
                                 .steps = opt->trainer.steps,
                                 .pool = pool,
                                 .odds = opt->odds,
                                 .target = opt->toward};
    struct packer_options reading = opt->packer;
    reading.batch_tokens =
        (uint64_t)((double)reading.batch_tokens * sampling_reads(home.opt) + 0.5);
    if (!data->sampler) {
        *packer = packer_new(data->docs, data->order, data->order_count, &reading);
    }
    home.inner = data->sampler ? *data->sampler : packer_sampler(*packer);
    return sampling_open(&home, &f->sampling, err);
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
    struct packer *packer = NULL;
    winnow_status st = start(&f, m, pool, env, err);
    st = st == WINNOW_OK ? start_sampling(&f, pool, data, &packer, err) : st;
    st = st == WINNOW_OK ? train(&f, env, out, err) : st;
    if (st == WINNOW_OK) {
        finish(&f, packer, data->docs, out);
    }
    if (st == WINNOW_OK && f.valuation) {
        size_t bytes = opt->value->documents * sizeof *out->values;
        out->values = memcpy(mem_alloc(bytes + 1), valuation_values(f.valuation), bytes);
        out->flops += valuation_flops(f.valuation);
    }
    sampling_close(&f.sampling);
    valuation_free(f.valuation);
    learner_free(&f.learner);
    packer_free(packer);
    return st;
}
