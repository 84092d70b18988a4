/* quality_train.c -- steps over shuffled examples, with checkpoints. */
#include "quality/quality_train.h"

#include "base/env.h"
#include "base/mem.h"
#include "base/rng.h"
#include "base/state_file.h"
#include "base/steps.h"

#include <math.h>

#define KIND   "winnowQ1"
#define SHARDS 8U

/* A text of the step. */
struct slot {
    struct fasttext_ids ids, hashes;
    const struct quality_example *item;
    struct quality_gradient g;
};

struct progress {
    uint64_t step;
    double tail; /* sum of the losses of the last tenth of the steps */
};

struct training {
    const struct quality_examples *e;
    const struct quality_train_options *opt;
    struct pool *pool;
    const struct winnow_env *env;
    struct quality_net *net;
    struct progress at;
    uint64_t steps, epoch; /* epoch: whose order there is, + 1 */
    uint32_t *taught, *order;
    size_t taught_count;
    struct slot *slots;
    float rate; /* of this step */
    uint64_t key;
};

/* The example that has the n-th place of the training. */
static const struct quality_example *example_at(struct training *t, uint64_t n)
{
    uint64_t epoch = n / t->taught_count;
    if (t->epoch != epoch + 1) {
        struct rng r;
        rng_init(&r, rng_mix(t->env->seed + epoch), "quality.epoch");
        memcpy(t->order, t->taught, t->taught_count * sizeof *t->order);
        rng_shuffle_u32(&r, t->order, t->taught_count);
        t->epoch = epoch + 1;
    }
    return &t->e->items[t->order[n % t->taught_count]];
}

static void read_piece(void *ctx, size_t piece, uint32_t worker)
{
    (void)worker;
    struct training *t = ctx;
    struct slot *s = &t->slots[piece];
    quality_examples_rows(t->e, s->item, &t->opt->args, &s->hashes, &s->ids);
    quality_net_gradient(t->net, s->ids.items, s->ids.count, s->item->good ? 0 : 1, &s->g);
}

static void move_piece(void *ctx, size_t shard, uint32_t worker)
{
    (void)worker;
    struct training *t = ctx;
    for (uint32_t i = 0; i < t->opt->batch; i++) {
        const struct slot *s = &t->slots[i];
        quality_net_move_rows(t->net, s->ids.items, s->ids.count, SHARDS, (uint32_t)shard, &s->g,
                              t->rate);
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
        t->slots[i].item = example_at(t, t->at.step * t->opt->batch + i);
    }
    t->rate = (float)(t->opt->rate * (1 - (double)t->at.step / (double)t->steps));
    pool_run(t->pool, t->opt->batch, read_piece, t);
    pool_run(t->pool, SHARDS, move_piece, t);
    *loss = 0;
    for (uint32_t i = 0; i < t->opt->batch; i++) {
        quality_net_move_output(t->net, &t->slots[i].g, t->rate);
        *loss += t->slots[i].g.loss / t->opt->batch;
    }
    t->at.tail += t->at.step + tail_of(t) >= t->steps ? *loss : 0;
    t->at.step++;
    return WINNOW_OK;
}

/* ---- checkpoints ---- */

struct head {
    uint64_t key, rows;
    struct progress at;
};

static uint64_t key_of(const struct training *t)
{
    const struct quality_train_options *o = t->opt;
    const double numbers[] = {o->args.dim,  o->args.bucket, o->args.word_ngrams,
                              o->args.minn, o->args.maxn,   o->epochs,
                              o->rate,      o->batch,       (double)t->e->row_count};
    uint64_t key = hash64(state_part(numbers, sizeof numbers), t->env->seed);
    return rng_mix(key ^ quality_examples_hash(t->e));
}

static winnow_status save(void *of, struct winnow_error *err)
{
    const struct training *t = of;
    const struct quality_net *net = t->net;
    const struct head h = {t->key, net->rows, t->at};
    size_t row = net->dim * sizeof(float);
    const struct str parts[] = {state_part(&h, sizeof h), state_part(net->input, net->rows * row),
                                state_part(net->output, QUALITY_LABELS * row),
                                state_part(net->squares, net->rows * sizeof(float))};
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
        !state_file_take(f, net->squares, net->rows * sizeof(float)) || f->left.len > 0) {
        return error_set(err, WINNOW_E_USAGE,
                         "an unfinished training on other examples or with other options: go on "
                         "with those, or remove the file");
    }
    t->at = h.at;
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

static uint64_t rows_of(const struct quality_examples *e, const struct quality_train_options *opt)
{
    return (uint64_t)e->row_count + (uint64_t)opt->args.bucket;
}

uint64_t quality_train_bytes(const struct quality_train_options *opt, uint64_t rows)
{
    return (rows + QUALITY_LABELS) * (uint64_t)opt->args.dim * sizeof(float) + rows * sizeof(float);
}

/* Rows start at 0, so that n-grams that no example has say nothing; the labels' rows start
 * apart, or nothing would ever move. */
static winnow_status net_init(const struct quality_train_options *opt, uint64_t rows, uint64_t seed,
                              struct quality_net *net, struct winnow_error *err)
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
    t->taught = mem_alloc((t->e->count + 1) * sizeof *t->taught);
    t->order = mem_alloc((t->e->count + 1) * sizeof *t->order);
    for (uint32_t i = 0; i < t->e->count; i++) {
        if (!t->e->items[i].held) {
            t->taught[t->taught_count++] = i;
        }
    }
    t->slots = mem_zalloc(t->opt->batch * sizeof *t->slots);
    for (uint32_t i = 0; i < t->opt->batch; i++) {
        t->slots[i].g.hidden = mem_alloc((size_t)t->opt->args.dim * sizeof(float));
        t->slots[i].g.row = mem_alloc((size_t)t->opt->args.dim * sizeof(float));
    }
}

static void room_release(struct training *t)
{
    for (uint32_t i = 0; i < t->opt->batch; i++) {
        fasttext_ids_release(&t->slots[i].ids);
        fasttext_ids_release(&t->slots[i].hashes);
        mem_free(t->slots[i].g.hidden);
        mem_free(t->slots[i].g.row);
    }
    mem_free(t->slots);
    mem_free(t->taught);
    mem_free(t->order);
}

static winnow_status run(struct training *t, struct winnow_error *err)
{
    TRY(net_init(t->opt, rows_of(t->e, t->opt), t->env->seed, t->net, err));
    t->key = key_of(t);
    TRY(resume(t, err));
    const struct steps steps = {.of = t,
                                .step = step,
                                .save = t->opt->checkpoint ? save : NULL,
                                .save_seconds = t->opt->save_seconds,
                                .from = t->at.step,
                                .to = t->steps,
                                .stage = "quality train",
                                .unit = "documents",
                                .unit_size = t->opt->batch};
    return steps_run(&steps, t->env, err);
}

winnow_status quality_train(const struct quality_examples *e,
                            const struct quality_train_options *opt, struct pool *pool,
                            const struct winnow_env *env, struct quality_net *net,
                            struct quality_train_result *result, struct winnow_error *err)
{
    struct training t = {.e = e, .opt = opt, .pool = pool, .env = env, .net = net};
    room_init(&t);
    t.steps = (uint64_t)ceil(opt->epochs * (double)t.taught_count / opt->batch);
    winnow_status st = run(&t, err);
    *result = (struct quality_train_result){t.steps, t.at.tail / (double)tail_of(&t)};
    room_release(&t);
    return st;
}
