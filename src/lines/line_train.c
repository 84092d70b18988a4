/* line_train.c -- the steps of training.
 *
 * A step: draw pages (one piece each), cut them into windows, run windows
 * forward and backward, sum gradients, AdamW.  Windows are dealt out to
 * LANES lanes by number; a lane sums in its own array and lanes are added in
 * order, so sums do not depend on threads.  The gradient of the n-gram vectors
 * is scattered by SHARDS ranges of rows, each of which reads all windows. */
#include "lines/line_train.h"

#include "base/file.h"
#include "base/mem.h"
#include "base/steps.h"
#include "lines/line_train_internal.h"

#include <assert.h>
#include <math.h>

#define LANES  8U
#define SHARDS 8U

struct train_window {
    uint32_t sample;
    struct line_window w;
    float *dz;
    double loss;
};

struct train {
    struct line_model *m;
    const struct line_train_options *opt;
    const struct line_train_data *data;
    struct line_train_progress at;
    uint64_t steps;

    uint32_t *order; /* of the epoch */
    size_t order_count, order_at;
    uint64_t epoch;

    struct line_sample *samples; /* batch_pages */
    size_t sample_count;
    uint32_t *batch;
    struct train_window *windows;
    size_t window_count, window_cap;
    float *dz; /* of all windows */
    size_t dz_cap;
    double weight_sum;

    struct line_pass *lanes[LANES];
    float *grads[LANES];
    float *table_grads;
    float *m1, *m2, *table_m1, *table_m2;

    uint64_t key; /* of the checkpoint */
};

static void draw_piece(void *ctx, size_t piece, uint32_t worker)
{
    (void)worker;
    struct train *t = ctx;
    struct rng r;
    rng_init(&r, rng_mix(t->data->env->seed ^ rng_mix(t->at.step * t->opt->batch_pages + piece)),
             "lines.sample");
    line_draw_sample(t->opt, t->data, t->batch[piece], t->m->c.rows, &r, &t->samples[piece]);
}

/* The next pages of the epoch's order. */
static void take_pages(struct train *t)
{
    t->sample_count = 0;
    while (t->sample_count < t->opt->batch_pages) {
        if (t->order_at == t->order_count) {
            struct rng r;
            rng_init(&r, rng_mix(t->data->env->seed + t->epoch++), "lines.epoch");
            t->order_count = line_draw_epoch(t->data->pages, t->opt->per_template, &r, t->order);
            t->order_at = 0;
        }
        t->batch[t->sample_count++] = t->order[t->order_at++];
    }
}

static double line_weight(const struct train *t, const struct line_sample *s, size_t line)
{
    size_t bytes = s->lines[line].len < 400 ? s->lines[line].len : 400;
    return (1 + t->opt->length_weight * (double)bytes / 50) *
           pow((double)s->count, -t->opt->page_power);
}

static void cut_windows(struct train *t)
{
    size_t sums = (size_t)LINE_GROUPS * t->m->c.embed, rows = 0;
    t->window_count = 0;
    t->weight_sum = 0;
    for (size_t s = 0; s < t->sample_count; s++) {
        struct line_window w;
        for (size_t i = 0; line_window_at(t->samples[s].count, i, &w); i++) {
            if (t->window_count == t->window_cap) {
                size_t cap = 2 * t->window_cap + 64;
                t->windows = mem_realloc(t->windows, t->window_cap * sizeof *t->windows,
                                         cap * sizeof *t->windows);
                t->window_cap = cap;
            }
            t->windows[t->window_count++] = (struct train_window){.sample = (uint32_t)s, .w = w};
            rows += w.count;
        }
        for (size_t i = 0; i < t->samples[s].count; i++) {
            t->weight_sum +=
                t->samples[s].labels[i] != LINE_NOT_JUDGED ? line_weight(t, &t->samples[s], i) : 0;
        }
    }
    if (rows * sums > t->dz_cap) {
        mem_free(t->dz);
        t->dz_cap = rows * sums;
        t->dz = mem_alloc(t->dz_cap * sizeof(float));
    }
    rows = 0;
    for (size_t i = 0; i < t->window_count; i++) {
        t->windows[i].dz = t->dz + rows * sums;
        rows += t->windows[i].w.count;
    }
}

/* Loss of a window and its gradient by the logits. */
static double window_loss(const struct train *t, const struct train_window *w, const float *logits,
                          float *dlogits)
{
    const struct line_sample *s = &t->samples[w->sample];
    double loss = 0;
    for (size_t i = 0; i < w->w.count; i++) {
        size_t line = w->w.from + i;
        unsigned label = s->labels[line];
        dlogits[i] = 0;
        if (label == LINE_NOT_JUDGED || line < w->w.own_from || line >= w->w.own_to) {
            continue;
        }
        double share = line_weight(t, s, line) / t->weight_sum, x = (double)logits[i];
        dlogits[i] = (float)(share * (1 / (1 + exp(-x)) - label));
        loss += share * (log1p(exp(-fabs(x))) + (x > 0 ? x : 0) - x * label);
    }
    return loss;
}

static void lane_piece(void *ctx, size_t lane, uint32_t worker)
{
    (void)worker;
    struct train *t = ctx;
    float logits[LINE_WINDOW], dlogits[LINE_WINDOW];
    for (size_t i = lane; i < t->window_count; i += LANES) {
        struct train_window *w = &t->windows[i];
        line_forward(t->lanes[lane], &t->samples[w->sample].f, w->w.from, w->w.count, logits);
        w->loss = window_loss(t, w, logits, dlogits);
        line_backward(t->lanes[lane], dlogits, t->grads[lane], w->dz);
    }
}

static void scatter_piece(void *ctx, size_t shard, uint32_t worker)
{
    (void)worker;
    const struct train *t = ctx;
    uint32_t embed = t->m->c.embed, rows = t->m->c.rows / SHARDS;
    uint32_t low = (uint32_t)shard * rows;
    for (size_t i = 0; i < t->window_count; i++) {
        const struct train_window *w = &t->windows[i];
        const struct line_features *f = &t->samples[w->sample].f;
        const float *dz = w->dz;
        for (size_t g = w->w.from * LINE_GROUPS; g < (w->w.from + w->w.count) * LINE_GROUPS; g++) {
            uint32_t at = g > 0 ? f->ends[g - 1] : 0;
            float scale = line_group_scale(f->ends[g] - at);
            for (; at < f->ends[g]; at++) {
                uint32_t row = f->tokens[at];
                if (row - low < rows) {
                    t->m->gemm.k->axpy(t->table_grads + (size_t)row * embed, scale, dz, embed);
                }
            }
            dz += embed;
        }
    }
}

/* Lanes into the first one, and the norm of the whole gradient. */
static double join_gradients(struct train *t)
{
    const struct kernels *k = t->m->gemm.k;
    for (uint32_t lane = 1; lane < LANES; lane++) {
        k->add(t->grads[0], t->grads[lane], t->m->weight_count);
        memset(t->grads[lane], 0, t->m->weight_count * sizeof(float));
    }
    double sum = k->sum_squares(t->grads[0], t->m->weight_count);
    sum += k->sum_squares(t->table_grads, (size_t)t->m->c.rows * t->m->c.embed);
    return sqrt(sum);
}

static double rate_at(const struct train *t)
{
    double warmup = t->opt->warmup * (double)t->steps, at = (double)t->at.step;
    if (at < warmup) {
        return (at + 1) / (warmup + 1);
    }
    double done = (at - warmup) / ((double)t->steps - warmup + 1);
    return 0.5 * (1 + cos(3.14159265358979323846 * done));
}

static void update(struct train *t)
{
    struct line_model *m = t->m;
    double norm = join_gradients(t), rate = rate_at(t), n = (double)t->at.step + 1;
    const double beta1 = 0.9, beta2 = 0.98;
    double bias = 1 / (1 - pow(beta1, n));
    struct adamw_step s = {.rate = (float)(t->opt->lr * rate * bias),
                           .beta1 = (float)beta1,
                           .beta2 = (float)beta2,
                           .root = (float)(1 / sqrt(1 - pow(beta2, n))),
                           .eps = 1e-8F,
                           .gradient = norm > t->opt->clip ? (float)(t->opt->clip / norm) : 1};
    for (size_t i = 0; i < m->tensor_count; i++) {
        const struct line_tensor *w = &m->tensors[i];
        s.decay = w->decays ? (float)(t->opt->lr * rate * t->opt->weight_decay) : 0;
        m->gemm.k->adamw(m->weights + w->at, t->m1 + w->at, t->m2 + w->at, t->grads[0] + w->at,
                         (size_t)w->rows * w->cols, &s);
    }
    s.rate = (float)(t->opt->table_lr * rate * bias);
    s.decay = (float)(t->opt->table_lr * rate * t->opt->weight_decay);
    m->gemm.k->adamw(m->table, t->table_m1, t->table_m2, t->table_grads,
                     (size_t)m->c.rows * m->c.embed, &s);
    line_model_pack(m);
}

static double train_step(struct train *t)
{
    take_pages(t);
    pool_run(t->data->pool, t->sample_count, draw_piece, t);
    cut_windows(t);
    pool_run(t->data->pool, LANES, lane_piece, t);
    pool_run(t->data->pool, SHARDS, scatter_piece, t);
    double loss = 0;
    for (size_t i = 0; i < t->window_count; i++) {
        loss += t->windows[i].loss;
    }
    update(t);
    t->at.step++;
    return loss;
}

static float *zeroed(size_t n)
{
    return mem_zalloc(n * sizeof(float));
}

static void train_init(struct train *t)
{
    size_t table = (size_t)t->m->c.rows * t->m->c.embed, n = t->m->weight_count;
    t->order = mem_alloc((t->data->pages->count + 1) * sizeof *t->order);
    t->batch = mem_alloc(t->opt->batch_pages * sizeof *t->batch);
    t->samples = mem_zalloc(t->opt->batch_pages * sizeof *t->samples);
    for (uint32_t i = 0; i < t->opt->batch_pages; i++) {
        arena_init(&t->samples[i].keep, (size_t)1 << 20);
    }
    for (uint32_t i = 0; i < LANES; i++) {
        t->lanes[i] = line_pass_new_for(t->m, true);
        t->grads[i] = zeroed(n);
    }
    t->table_grads = zeroed(table);
    t->m1 = zeroed(n);
    t->m2 = zeroed(n);
    t->table_m1 = zeroed(table);
    t->table_m2 = zeroed(table);
}

static void train_release(struct train *t)
{
    for (uint32_t i = 0; i < t->opt->batch_pages; i++) {
        arena_release(&t->samples[i].keep);
    }
    for (uint32_t i = 0; i < LANES; i++) {
        line_pass_free(t->lanes[i]);
        mem_free(t->grads[i]);
    }
    void *const all[] = {t->order,       t->batch, t->samples, t->windows,  t->dz,
                         t->table_grads, t->m1,    t->m2,      t->table_m1, t->table_m2};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        mem_free(all[i]);
    }
}

/* ---- checkpoints ---- */

static struct line_train_state state_of(struct train *t)
{
    struct line_model *m = t->m;
    size_t n = m->weight_count, table = (size_t)m->c.rows * m->c.embed;
    return (struct line_train_state){t->at,
                                     {{m->weights, n},
                                      {t->m1, n},
                                      {t->m2, n},
                                      {m->table, table},
                                      {t->table_m1, table},
                                      {t->table_m2, table}}};
}

static winnow_status save(void *of, struct winnow_error *err)
{
    struct train *t = of;
    struct line_train_state s = state_of(t);
    return line_checkpoint_save(t->data->checkpoint, t->key, &s, err);
}

/* A checkpoint that cannot be used is an error: starting anew without a word would
 * throw the time away. */
static winnow_status resume(struct train *t, struct winnow_error *err)
{
    const char *path = t->data->checkpoint;
    if (!path) {
        return WINNOW_OK;
    }
    t->key = line_checkpoint_key(t->m, t->opt, t->data);
    if (!file_exists(path)) {
        return WINNOW_OK;
    }
    struct line_train_state s = state_of(t);
    winnow_status st = line_checkpoint_load(path, t->key, &s, err);
    if (st != WINNOW_OK) {
        return error_wrap(err, st, "remove %s to train anew", path);
    }
    t->at = s.at;
    for (uint64_t i = 0; i < t->at.step; i++) {
        take_pages(t);
    }
    line_model_pack(t->m);
    return WINNOW_OK;
}

static uint64_t tenth_of(const struct train *t)
{
    return t->steps / 10 > 0 ? t->steps / 10 : 1;
}

static void tell(struct train *t)
{
    const struct winnow_env *env = t->data->env;
    uint64_t tenth = tenth_of(t);
    if (t->at.step % tenth == 0) {
        env_log(env, WINNOW_LOG_INFO, "refiner train-lines: step %llu of %llu, loss %.4f",
                (unsigned long long)t->at.step, (unsigned long long)t->steps,
                t->at.recent / (double)tenth);
        t->at.recent = 0;
    }
}

static winnow_status one_step(void *of, double *loss, struct winnow_error *err)
{
    (void)err;
    struct train *t = of;
    *loss = train_step(t);
    t->at.recent += *loss;
    t->at.last += t->at.step + tenth_of(t) > t->steps ? *loss : 0;
    t->at.pages += t->sample_count;
    tell(t);
    return WINNOW_OK;
}

static winnow_status run_steps(struct train *t, struct winnow_error *err)
{
    const struct steps steps = {.of = t,
                                .step = one_step,
                                .save = t->data->checkpoint ? save : NULL,
                                .save_seconds = t->data->save_seconds,
                                .from = t->at.step,
                                .to = t->steps,
                                .stage = "refiner train-lines",
                                .unit = "steps",
                                .unit_size = 1};
    return steps_run(&steps, t->data->env, err);
}

winnow_status line_train(struct line_model *m, const struct line_train_options *opt,
                         const struct line_train_data *data, struct line_train_result *result,
                         struct winnow_error *err)
{
    assert(m->training && data->pages->count > 0);
    struct train t = {.m = m, .opt = opt, .data = data};
    *result = (struct line_train_result){0};
    train_init(&t);
    struct rng r;
    rng_init(&r, data->env->seed, "lines.count");
    size_t epoch = line_draw_epoch(data->pages, opt->per_template, &r, t.order);
    t.steps = (uint64_t)ceil(opt->epochs * (double)epoch / opt->batch_pages);
    for (size_t i = 0; i < data->pages->count; i++) {
        result->lines += data->pages->items[i].count;
    }
    winnow_status st = resume(&t, err);
    if (st == WINNOW_OK) {
        st = run_steps(&t, err);
    }
    result->steps = t.steps;
    result->pages = t.at.pages;
    result->loss = t.at.last / (double)tenth_of(&t);
    train_release(&t);
    return st;
}
