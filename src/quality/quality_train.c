/* quality_train.c -- steps over shuffled examples, with checkpoints. */
#include "quality/quality_train.h"

#include "base/env.h"
#include "base/mem.h"
#include "base/rng.h"
#include "base/state_file.h"
#include "base/steps.h"

#include <math.h>

#define KIND   "winnowQ2"
#define SHARDS 8U

struct progress {
    uint64_t step;
    double tail; /* sum of the losses of the last tenth of the steps */
};

struct training {
    const struct quality_examples *e;
    struct quality_lessons *l;
    const struct quality_train_options *opt;
    const struct winnow_env *env;
    struct quality_net *net;
    struct progress at;
    uint64_t steps, epoch; /* epoch: whose order there is, + 1 */
    uint32_t *order;
    struct lesson_room *rooms; /* one for each lesson of a step */
    const struct quality_lesson **lessons;
    float rate; /* of this step */
    uint64_t key;
    size_t learnt_bytes; /* of the lessons, where they change */
};

/* The lesson that has the n-th place of the training. */
static const struct quality_lesson *lesson_at(struct training *t, uint64_t n)
{
    uint64_t epoch = n / t->l->count;
    if (t->epoch != epoch + 1) {
        struct rng r;
        rng_init(&r, rng_mix(t->env->seed + epoch), "quality.epoch");
        for (uint32_t i = 0; i < t->l->count; i++) {
            t->order[i] = i;
        }
        rng_shuffle_u32(&r, t->order, t->l->count);
        t->epoch = epoch + 1;
    }
    return &t->l->items[t->order[n % t->l->count]];
}

static void read_piece(void *ctx, size_t piece, uint32_t worker)
{
    (void)worker;
    struct training *t = ctx;
    lesson_read(t->net, t->e, &t->opt->args, t->lessons[piece], t->l->judgements, &t->rooms[piece]);
}

static void move_piece(void *ctx, size_t shard, uint32_t worker)
{
    (void)worker;
    struct training *t = ctx;
    for (uint32_t i = 0; i < t->opt->batch; i++) {
        lesson_move_rows(t->net, &t->rooms[i], SHARDS, (uint32_t)shard, t->rate);
    }
}

/* Epochs end with the step that has their last lesson. */
static void end_epoch(struct training *t)
{
    uint64_t ended = t->at.step * t->opt->batch / t->l->count;
    if (t->l->judgements && ended > t->l->epoch_count &&
        t->l->epoch_count < (size_t)ceil(t->opt->epochs)) {
        quality_lessons_epoch(t->l, t->net, t->e, &t->opt->args, t->opt->pool);
    }
}

static uint64_t tail_of(const struct training *t)
{
    return t->steps / 10 > 0 ? t->steps / 10 : 1;
}

static winnow_status step(void *of, double *loss, struct winnow_error *err)
{
    (void)err;
    struct training *t = of;
    for (uint32_t i = 0; i < t->opt->batch; i++) {
        t->lessons[i] = lesson_at(t, t->at.step * t->opt->batch + i);
    }
    double gone = (double)t->at.step / (double)t->steps;
    t->rate = (float)(t->opt->rate * (1 - gone * (1 - t->opt->rate_end)));
    pool_run(t->opt->pool, t->opt->batch, read_piece, t);
    pool_run(t->opt->pool, SHARDS, move_piece, t);
    *loss = 0;
    for (uint32_t i = 0; i < t->opt->batch; i++) {
        lesson_move_output(t->net, &t->rooms[i], t->rate);
        *loss += t->rooms[i].loss / t->opt->batch;
    }
    t->at.tail += t->at.step + tail_of(t) >= t->steps ? *loss : 0;
    t->at.step++;
    end_epoch(t);
    return WINNOW_OK;
}

/* ---- checkpoints ---- */

struct head {
    uint64_t key, rows, epochs;
    struct progress at;
};

static uint64_t key_of(const struct training *t)
{
    const struct quality_train_options *o = t->opt;
    const double numbers[] = {o->args.dim,  o->args.bucket, o->args.word_ngrams,
                              o->args.minn, o->args.maxn,   o->epochs,
                              o->rate,      o->batch,       (double)t->e->row_count};
    uint64_t key = hash64(state_part(numbers, sizeof numbers), t->env->seed);
    return rng_mix(key ^ quality_examples_hash(t->e) ^ rng_mix(quality_lessons_hash(t->l)));
}

static winnow_status save(void *of, struct winnow_error *err)
{
    const struct training *t = of;
    const struct quality_net *net = t->net;
    const struct quality_lessons *l = t->l;
    const struct head h = {t->key, net->rows, l->epoch_count, t->at};
    size_t row = net->dim * sizeof(float);
    const struct str parts[] = {state_part(&h, sizeof h),
                                state_part(net->input, net->rows * row),
                                state_part(net->output, QUALITY_LABELS * row),
                                state_part(net->squares, net->rows * sizeof(float)),
                                state_part(l->epochs, l->epoch_count * sizeof *l->epochs),
                                state_part(l->items, t->learnt_bytes)};
    return state_file_write(t->opt->checkpoint, KIND, parts, sizeof parts / sizeof *parts, err);
}

static winnow_status take_state(struct training *t, struct state_file *f, struct winnow_error *err)
{
    struct head h;
    struct quality_net *net = t->net;
    size_t row = net->dim * sizeof(float);
    if (!state_file_take(f, &h, sizeof h) || h.key != t->key || h.rows != net->rows ||
        !state_file_take(f, net->input, net->rows * row) ||
        !state_file_take(f, net->output, QUALITY_LABELS * row) ||
        !state_file_take(f, net->squares, net->rows * sizeof(float)) ||
        h.epochs > (uint64_t)ceil(t->opt->epochs) ||
        !state_file_take(f, t->l->epochs, h.epochs * sizeof *t->l->epochs) ||
        !state_file_take(f, t->l->items, t->learnt_bytes) || f->left.len > 0) {
        return error_set(err, WINNOW_E_USAGE,
                         "an unfinished training on other examples or with other options: go on "
                         "with those, or remove the file");
    }
    t->at = h.at;
    t->l->epoch_count = h.epochs;
    return WINNOW_OK;
}

/* Starting anew where a checkpoint cannot be used would throw its time away in silence. */
static winnow_status resume(struct training *t, struct winnow_error *err)
{
    if (!t->opt->checkpoint || !file_exists(t->opt->checkpoint)) {
        return WINNOW_OK;
    }
    struct state_file f;
    TRY(state_file_open(t->opt->checkpoint, KIND, &f, err));
    winnow_status st = take_state(t, &f, err);
    state_file_close(&f);
    if (st == WINNOW_OK) {
        env_log(t->env, WINNOW_LOG_INFO, "quality train: goes on at step %llu of %llu",
                (unsigned long long)t->at.step, (unsigned long long)t->steps);
    }
    return st == WINNOW_OK ? st : error_wrap(err, st, "%s", t->opt->checkpoint);
}

/* ---- from examples to weights ---- */

uint64_t quality_train_bytes(const struct quality_train_options *opt, uint64_t rows)
{
    return (rows + QUALITY_LABELS) * (uint64_t)opt->args.dim * sizeof(float) + rows * sizeof(float);
}

/* Rows start at 0, so that n-grams that no example has say nothing; the labels' rows start
 * apart, or nothing would ever move. */
winnow_status quality_net_start(const struct quality_train_options *opt, uint64_t rows,
                                uint64_t seed, struct quality_net *net, struct winnow_error *err)
{
    uint32_t dim = (uint32_t)opt->args.dim;
    *net = (struct quality_net){.dim = dim, .rows = rows};
    net->input = mem_try_alloc_huge(rows * dim * sizeof *net->input);
    net->squares = mem_try_alloc_huge(rows * sizeof *net->squares);
    net->output = mem_alloc((size_t)QUALITY_LABELS * dim * sizeof *net->output);
    if (!net->input || !net->squares) {
        return error_set(err, WINNOW_E_NOMEM,
                         "no memory for %llu rows of %u numbers: lower --bucket or --dim",
                         (unsigned long long)rows, dim);
    }
    struct rng r;
    rng_init(&r, seed, "quality.weights");
    for (uint32_t i = 0; i < QUALITY_LABELS * dim; i++) {
        net->output[i] = (float)(rng_normal(&r) / sqrt(dim));
    }
    return WINNOW_OK;
}

void quality_net_release(struct quality_net *net)
{
    mem_free_huge(net->input, net->rows * net->dim * sizeof *net->input);
    mem_free_huge(net->squares, net->rows * sizeof *net->squares);
    mem_free(net->output);
    *net = (struct quality_net){0};
}

static void room_init(struct training *t)
{
    struct quality_lessons *l = t->l;
    t->order = mem_alloc((l->count + 1) * sizeof *t->order);
    t->lessons = mem_zalloc(t->opt->batch * sizeof(void *));
    t->rooms = mem_alloc(t->opt->batch * sizeof *t->rooms);
    for (uint32_t i = 0; i < t->opt->batch; i++) {
        lesson_room_init(&t->rooms[i], (uint32_t)t->opt->args.dim);
    }
    l->epoch_count = 0;
    if (l->judgements) {
        t->learnt_bytes = l->count * sizeof *l->items;
        l->epochs = mem_zalloc(((size_t)ceil(t->opt->epochs) + 1) * sizeof *l->epochs);
        l->given = mem_alloc((l->count + 1) * sizeof *l->given);
        for (size_t i = 0; i < l->count; i++) {
            l->given[i] = l->items[i].target;
        }
    }
}

static void room_release(struct training *t)
{
    for (uint32_t i = 0; i < t->opt->batch; i++) {
        lesson_room_release(&t->rooms[i]);
    }
    mem_free(t->rooms);
    mem_free(t->lessons);
    mem_free(t->order);
}

static winnow_status run(struct training *t, struct winnow_error *err)
{
    t->key = key_of(t);
    TRY(resume(t, err));
    const struct steps steps = {.of = t,
                                .step = step,
                                .save = t->opt->checkpoint ? save : NULL,
                                .save_seconds = t->opt->save_seconds,
                                .from = t->at.step,
                                .to = t->steps,
                                .stage = t->opt->silent ? NULL : "quality train",
                                .unit = t->l->judgements ? "judgements" : "documents",
                                .unit_size = t->opt->batch};
    return steps_run(&steps, t->env, err);
}

winnow_status quality_train_lessons(const struct quality_examples *e, struct quality_lessons *l,
                                    const struct quality_train_options *opt,
                                    const struct winnow_env *env, struct quality_net *net,
                                    struct quality_train_result *result, struct winnow_error *err)
{
    struct training t = {.e = e, .l = l, .opt = opt, .env = env, .net = net};
    room_init(&t);
    t.steps = (uint64_t)ceil(opt->epochs * (double)l->count / opt->batch);
    winnow_status st = run(&t, err);
    *result = (struct quality_train_result){t.steps, t.at.tail / (double)tail_of(&t)};
    room_release(&t);
    return st;
}

winnow_status quality_train(const struct quality_examples *e,
                            const struct quality_train_options *opt, const struct winnow_env *env,
                            struct quality_net *net, struct quality_train_result *result,
                            struct winnow_error *err)
{
    struct quality_lessons l = {0};
    quality_lessons_of(e, &l);
    winnow_status st = quality_net_start(opt, (uint64_t)e->row_count + (uint64_t)opt->args.bucket,
                                         env->seed, net, err);
    if (st == WINNOW_OK) {
        st = quality_train_lessons(e, &l, opt, env, net, result, err);
    }
    quality_lessons_release(&l);
    return st;
}
