/* optimizer_curve.c -- one training run with its held-out curve, for
 * docs/evidence/muon.sh.
 *
 *     optimizer_curve TRAIN HELDOUT TOKENIZER FOLDER SIZE adamw|muon LR SEED TOKENS BATCH
 *
 * A Llama (SIZE 3M: dim 192, 5 layers, 6 heads; 0.8M: 96, 3, 3; the tokenizer's
 * vocabulary, sequences of 256) trains in bf16 on one thread.  FOLDER gets a
 * checkpoint, from which the same call goes on, and in the end result.json:
 * NLL of the held-out text after equal numbers of steps, FLOPs, and the seconds
 * of processor time that this process took (meaningful where it was not
 * interrupted). */
#include "base/file.h"
#include "base/json_write.h"
#include "base/mem.h"
#include "base/rng.h"
#include "prove/draw.h"
#include "train/fit.h"
#include "train/small_model.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct size {
    const char *name;
    uint32_t dim, layers, heads;
    uint32_t points;          /* of the curve */
    uint32_t heldout_batches; /* of 4,096 tokens */
};

static const struct size SIZES[] = {{"3M", 192, 5, 6, 20, 16}, {"0.8M", 96, 3, 3, 10, 8}};

struct curve_run {
    const struct size *size;
    const char *folder;
    struct winnow_small_model shape;
    struct tokenizer *tokenizer;
    struct model_config config;
    struct packer_options packer;
    struct text_set train, heldout;
    uint64_t tokens, seed;
};

static winnow_status load(const char *path, struct tokenizer *tokenizer, struct pool *pool,
                          struct text_set *out, struct winnow_error *err)
{
    const struct winnow_env env = {.threads = 1};
    const struct document_keys keys = {0};
    struct source_names names = {0};
    const struct text_load opt = {.paths = {&path, 1}, .keys = &keys, .tokenizer = tokenizer};
    winnow_status st = text_set_load(&opt, pool, &env, &names, out, err);
    source_names_release(&names);
    return st;
}

/* Mean NLL of the first batches of the held-out documents, in their order. */
static winnow_status measure(void *ctx, struct engine *engine, double *values,
                             struct winnow_error *err)
{
    const struct curve_run *r = ctx;
    struct packer_options opt = r->packer;
    opt.batch_tokens = 4096;
    size_t count = r->heldout.docs.count;
    uint32_t *order = mem_alloc(count * sizeof *order);
    for (size_t i = 0; i < count; i++) {
        order[i] = (uint32_t)i;
    }
    struct packer *packer = packer_new(&r->heldout.docs, order, count, &opt);
    float *nll = mem_alloc(opt.batch_tokens * sizeof *nll);
    struct token_batch batch;
    double sum = 0, targets = 0;
    winnow_status st = WINNOW_OK;
    for (uint32_t i = 0;
         i < r->size->heldout_batches && st == WINNOW_OK && packer_next(packer, &batch); i++) {
        st = engine_nll(engine, &batch, nll, err);
        for (size_t j = 0; st == WINNOW_OK && j < batch_tokens(&batch); j++) {
            sum += (double)nll[j];
        }
        targets += (double)batch_targets(&batch);
    }
    values[0] = sum / targets;
    values[1] = targets;
    packer_free(packer);
    mem_free(order);
    mem_free(nll);
    return st;
}

static winnow_status write_result(const struct curve_run *r, const struct fit_result *f,
                                  const char *optimizer, struct winnow_error *err)
{
    struct buf out = {0}, path = {0};
    struct json_writer w = {.out = &out};
    const struct {
        const char *key;
        double value;
    } numbers[] = {{"dim", r->shape.dim},
                   {"lr", r->shape.lr},
                   {"seed", (double)r->seed},
                   {"parameters", (double)model_config_parameters(&r->config)},
                   {"batch_tokens", (double)r->packer.batch_tokens},
                   {"steps", (double)f->steps},
                   {"flops", f->flops},
                   {"heldout_targets", f->curve[0].values[1]},
                   {"cpu_seconds", (double)clock() / CLOCKS_PER_SEC}};
    json_open(&w, '{');
    json_member_str(&w, "optimizer", str_of(optimizer));
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        json_member_double(&w, numbers[i].key, numbers[i].value);
    }
    json_member_open(&w, "curve", '[');
    for (size_t i = 0; i < f->curve_count; i++) {
        json_open(&w, '[');
        json_u64(&w, f->curve[i].step);
        json_double(&w, f->curve[i].values[0]);
        json_close(&w, ']');
    }
    json_close(&w, ']');
    json_close(&w, '}');
    buf_add_char(&out, '\n');
    winnow_status st =
        file_write_atomic(file_join(&path, r->folder, "result.json"), buf_str(&out), err);
    buf_release(&out);
    buf_release(&path);
    return st;
}

static winnow_status train(struct curve_run *r, struct pool *pool, const char *optimizer,
                           struct winnow_error *err)
{
    struct draw_line line;
    struct arm_draw order;
    draw_line_init(&line, &r->train, NULL, &r->packer, r->seed);
    arm_draw_range(&line, 0, line.count, &order);
    draw_line_release(&line);
    arm_draw_order(&order, &r->train, r->tokens, r->seed);
    struct fit_options opt = {.packer = r->packer,
                              .folder = r->folder,
                              .points = r->size->points,
                              .measure = measure,
                              .ctx = r};
    small_model_trainer(&r->shape, r->tokens / r->packer.batch_tokens, &opt.trainer);
    const struct fit_data data = {&r->train.docs, order.order, order.order_count};
    const struct winnow_env env = {.threads = 1, .seed = r->seed};
    struct model *m = NULL;
    struct fit_result fitted = {0};
    winnow_status st = model_new(&r->config, &m, err);
    if (st == WINNOW_OK) {
        model_init_random(m, rng_mix(r->seed));
        st = fit(m, pool, &data, &opt, &env, &fitted, err);
    }
    if (st == WINNOW_OK) {
        st = write_result(r, &fitted, optimizer, err);
    }
    fit_result_release(&fitted);
    model_free(m);
    arm_draw_release(&order);
    return st;
}

static winnow_status run(char **arg, struct winnow_error *err)
{
    struct curve_run r = {.size = &SIZES[strcmp(arg[5], SIZES[0].name) == 0 ? 0 : 1],
                          .folder = arg[4],
                          .shape = WINNOW_SMALL_MODEL_INIT,
                          .tokens = strtoull(arg[9], NULL, 10),
                          .seed = strtoull(arg[8], NULL, 10)};
    struct winnow_small_model *s = &r.shape;
    s->dim = r.size->dim;
    s->layers = r.size->layers;
    s->heads = r.size->heads;
    s->lr = strtod(arg[7], NULL);
    s->batch_tokens = strtoull(arg[10], NULL, 10);
    s->compute = WINNOW_BF16;
    s->optimizer = strcmp(arg[6], "muon") == 0 ? WINNOW_MUON : WINNOW_ADAMW;
    struct pool *pool = pool_new(1);
    winnow_status st = tokenizer_load(arg[3], &r.tokenizer, err);
    if (st == WINNOW_OK) {
        st = small_model_config(s, r.tokenizer, &r.config, err);
    }
    if (st == WINNOW_OK) {
        small_model_packer(s, &r.config, 0, &r.packer);
        st = load(arg[1], r.tokenizer, pool, &r.train, err);
    }
    if (st == WINNOW_OK) {
        st = load(arg[2], r.tokenizer, pool, &r.heldout, err);
    }
    if (st == WINNOW_OK) {
        st = train(&r, pool, arg[6], err);
    }
    text_set_release(&r.train);
    text_set_release(&r.heldout);
    tokenizer_free(r.tokenizer);
    pool_free(pool);
    return st;
}

int main(int argc, char **argv)
{
    struct winnow_error err;
    if (argc != 11) {
        (void)fprintf(stderr,
                      "usage: optimizer_curve TRAIN HELDOUT TOKENIZER FOLDER SIZE adamw|muon "
                      "LR SEED TOKENS BATCH\n");
        return 2;
    }
    if (run(argv, &err) != WINNOW_OK) {
        (void)fprintf(stderr, "optimizer_curve: %s\n", err.text);
        return 1;
    }
    return 0;
}
