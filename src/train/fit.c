/* fit.c -- the training loop around trainer.h.
 *
 * Two files make a checkpoint: progress.json (losses and curve so far) and
 * trainer.bin (weights and optimizer).  progress.json is written first, so that
 * it always knows at least as much as trainer.bin; on resume what lies behind
 * trainer.bin's step is dropped and computed again, to the same values.  When
 * the last step is done trainer.bin stays until the caller has stored the
 * result and removes the folder. */
#include "train/fit.h"

#include "base/env.h"
#include "base/file.h"
#include "base/json.h"
#include "base/json_write.h"
#include "base/mem.h"

#include <math.h>

struct run {
    const struct fit_options *opt;
    const struct winnow_env *env;
    struct trainer *trainer;
    struct packer *packer;
    struct fit_result *out;
    struct buf path, text;
    double saved_at;
    uint64_t resumed; /* steps of an earlier process */
};

uint64_t fit_point_step(uint64_t steps, uint32_t points, uint32_t i)
{
    return points == 0 ? steps : steps * i / points;
}

void fit_result_release(struct fit_result *r)
{
    mem_free(r->losses);
    mem_free(r->curve);
    *r = (struct fit_result){0};
}

static void write_progress(const struct fit_result *r, struct buf *out)
{
    struct json_writer w = {.out = out};
    json_open(&w, '{');
    json_key(&w, "losses");
    json_open(&w, '[');
    for (uint64_t i = 0; i < r->steps; i++) {
        json_double(&w, (double)r->losses[i]);
    }
    json_close(&w, ']');
    json_key(&w, "curve");
    json_open(&w, '[');
    for (size_t i = 0; i < r->curve_count; i++) {
        json_open(&w, '[');
        for (int k = 0; k < FIT_VALUES; k++) {
            json_double(&w, r->curve[i].values[k]);
        }
        json_close(&w, ']');
    }
    json_close(&w, ']');
    json_close(&w, '}');
}

static winnow_status save(struct run *r, struct winnow_error *err)
{
    buf_clear(&r->text);
    write_progress(r->out, &r->text);
    TRY(file_write_atomic(file_join(&r->path, r->opt->folder, "progress.json"), buf_str(&r->text),
                          err));
    TRY(trainer_save(r->trainer, file_join(&r->path, r->opt->folder, "trainer.bin"), err));
    r->saved_at = env_seconds();
    return WINNOW_OK;
}

static bool take_progress(struct run *r, struct json_value root, uint64_t steps)
{
    struct fit_result *out = r->out;
    struct json_iter it = json_walk(json_get(root, "losses"));
    while (out->steps < steps && json_next(&it)) {
        double v = NAN;
        (void)json_as_double(it.value, &v);
        out->losses[out->steps++] = (float)v;
    }
    it = json_walk(json_get(root, "curve"));
    /* the point that falls on the step itself was measured before the save */
    while (out->curve_count <= r->opt->points && r->opt->points > 0 &&
           fit_point_step(r->opt->trainer.steps, r->opt->points, (uint32_t)out->curve_count) <=
               steps) {
        if (!json_next(&it)) {
            return false;
        }
        struct fit_point *p = &out->curve[out->curve_count];
        struct json_iter values = json_walk(it.value);
        for (int k = 0; k < FIT_VALUES && json_next(&values); k++) {
            p->values[k] = NAN;
            (void)json_as_double(values.value, &p->values[k]);
        }
        p->step = fit_point_step(r->opt->trainer.steps, r->opt->points, (uint32_t)out->curve_count);
        p->tokens = p->step * r->opt->packer.batch_tokens;
        out->curve_count++;
    }
    return out->steps == steps;
}

/* Goes to where an earlier process stopped.  A checkpoint that cannot be used
 * is an error: silently starting anew would throw hours away. */
static winnow_status resume(struct run *r, struct winnow_error *err)
{
    if (!r->opt->folder || !file_exists(file_join(&r->path, r->opt->folder, "trainer.bin"))) {
        return WINNOW_OK;
    }
    winnow_status st = trainer_load(r->trainer, buf_cstr(&r->path), err);
    if (st != WINNOW_OK) {
        return error_wrap(err, st, "remove %s to train anew", r->opt->folder);
    }
    const char *path = file_join(&r->path, r->opt->folder, "progress.json");
    buf_clear(&r->text);
    TRY(file_read(path, (size_t)1 << 30, &r->text, err));
    struct json_parser *parser = json_parser_new();
    struct json_value root;
    st = json_parse(parser, buf_str(&r->text), &root, err);
    if (st == WINNOW_OK && !take_progress(r, root, trainer_steps(r->trainer))) {
        st = error_set(err, WINNOW_E_FORMAT,
                       "%s does not belong to the checkpoint beside it; remove the folder to train "
                       "anew",
                       path);
    }
    json_parser_free(parser);
    struct token_batch batch;
    for (uint64_t i = 0; st == WINNOW_OK && i < r->out->steps; i++) {
        (void)packer_next(r->packer, &batch);
    }
    return st;
}

static winnow_status measure(struct run *r, struct winnow_error *err)
{
    struct fit_result *out = r->out;
    if (r->opt->points == 0 || out->curve_count > r->opt->points ||
        out->steps !=
            fit_point_step(r->opt->trainer.steps, r->opt->points, (uint32_t)out->curve_count)) {
        return WINNOW_OK;
    }
    struct fit_point *p = &out->curve[out->curve_count];
    p->step = out->steps;
    p->tokens = out->steps * r->opt->packer.batch_tokens;
    TRY(r->opt->measure(r->opt->ctx, trainer_engine(r->trainer), p->values, err));
    out->curve_count++;
    return WINNOW_OK;
}

static void progress(const struct run *r, double loss)
{
    if (r->opt->stage && r->env->progress) {
        uint64_t tokens = r->opt->packer.batch_tokens;
        const struct winnow_progress p = {r->opt->stage,
                                          "tokens",
                                          r->out->steps * tokens,
                                          r->opt->trainer.steps * tokens,
                                          loss,
                                          r->resumed * tokens};
        r->env->progress(r->env->user, &p);
    }
}

static winnow_status train(struct run *r, struct winnow_error *err)
{
    double pause = r->opt->save_seconds > 0 ? r->opt->save_seconds : 30;
    r->saved_at = env_seconds();
    r->resumed = r->out->steps;
    progress(r, (double)NAN); /* rates count from here */
    TRY(measure(r, err));
    while (r->out->steps < r->opt->trainer.steps) {
        winnow_status st = env_check(r->env, err);
        if (st != WINNOW_OK) {
            struct winnow_error unused; /* what is reported is that it was asked to stop */
            if (r->opt->folder && save(r, &unused) != WINNOW_OK) {
                env_log(r->env, WINNOW_LOG_WARNING, "no checkpoint: %s", unused.text);
            }
            return st;
        }
        struct token_batch batch;
        if (!packer_next(r->packer, &batch)) {
            return error_set(
                err, WINNOW_E_FORMAT, "the documents end after %llu of %llu training steps",
                (unsigned long long)r->out->steps, (unsigned long long)r->opt->trainer.steps);
        }
        struct trainer_result result;
        TRY(trainer_step(r->trainer, &batch, &result, err));
        if (!isfinite(result.loss)) {
            return error_set(err, WINNOW_E_INTERNAL,
                             "training diverged at step %llu; a lower learning rate may help",
                             (unsigned long long)result.step);
        }
        r->out->losses[r->out->steps++] = (float)result.loss;
        progress(r, result.loss);
        TRY(measure(r, err));
        if (r->opt->folder && env_seconds() - r->saved_at >= pause) {
            TRY(save(r, err));
        }
    }
    return WINNOW_OK;
}

static void finish(struct run *r)
{
    struct fit_result *out = r->out;
    uint64_t n = out->steps / 10 > 0 ? out->steps / 10 : 1;
    double sum = 0;
    for (uint64_t i = out->steps - n; i < out->steps; i++) {
        sum += (double)out->losses[i];
    }
    out->loss = sum / (double)n;
    out->flops = trainer_flops(r->trainer);
    out->used = packer_used(r->packer);
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
    struct run r = {.opt = opt, .env = env, .out = out};
    out->losses = mem_zalloc(opt->trainer.steps * sizeof *out->losses);
    out->curve = mem_zalloc(((size_t)opt->points + 1) * sizeof *out->curve);
    r.packer = packer_new(data->docs, data->order, data->order_count, &opt->packer);
    winnow_status st = trainer_new(m, pool, &opt->trainer, env, &r.trainer, err);
    if (st == WINNOW_OK) {
        st = resume(&r, err);
    }
    if (st == WINNOW_OK) {
        st = train(&r, err);
    }
    if (st == WINNOW_OK) {
        finish(&r);
    }
    trainer_free(r.trainer);
    packer_free(r.packer);
    buf_release(&r.path);
    buf_release(&r.text);
    return st;
}
