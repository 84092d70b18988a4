/* quality_choose.c -- which of a silo's documents teach, and how its labels are evened out. */
#include "winnow/quality.h"

#include "base/env.h"
#include "base/mem.h"
#include "base/rng.h"
#include "base/sort.h"
#include "quality/quality_silo.h"

#include <assert.h>
#include <math.h>

#define SKETCH  64U   /* numbers that stand for a document where the nearest are looked for */
#define AMONG   2000U /* documents of the rarer label that neighbours are looked for among */
#define HALF(e) ((unsigned)(rng_mix((e)->print) >> 63)) /* copies are on one side */

static void add_lesson(struct quality_lessons *l, uint32_t i, bool good, double weight)
{
    quality_lessons_add(
        l, (struct quality_lesson){
               .a = i, .b = LESSON_ONE, .weight = (float)weight, .target = good ? 1 : 0});
}

static void count_left(const struct quality_examples *e, const bool *left, uint64_t count[2])
{
    count[0] = count[1] = 0;
    for (size_t i = 0; i < e->count; i++) {
        if (left[i]) {
            count[e->items[i].good]++;
        }
    }
}

/* ---- texts that are good and bad ---- */

struct printed {
    uint64_t print;
    uint32_t example;
    bool good;
};

static int by_print(const void *a, const void *b)
{
    const struct printed *x = a, *y = b;
    return x->print != y->print ? (x->print > y->print) - (x->print < y->print)
                                : (int)x->good - (int)y->good;
}

static void leave_out_both(struct quality_silo *s, bool *left)
{
    const struct quality_examples *e = &s->examples;
    struct printed *p = mem_alloc((e->count + 1) * sizeof *p);
    size_t n = 0;
    for (uint32_t i = 0; i < e->count; i++) {
        if (left[i]) {
            p[n++] = (struct printed){e->items[i].print, i, e->items[i].good};
        }
    }
    sort(p, n, sizeof *p, by_print);
    for (size_t from = 0, to; from < n; from = to) {
        for (to = from; to < n && p[to].print == p[from].print; to++) {
        }
        for (size_t i = from; i < to && p[from].good != p[to - 1].good; i++) {
            left[p[i].example] = false;
            s->counts.both++;
        }
    }
    mem_free(p);
}

/* ---- labels that the rest of the silo thinks improbable ---- */

/* net stays empty where the half has one label only. */
static winnow_status train_half(const struct quality_silo *s, const struct silo_options *opt,
                                const struct winnow_env *env, const bool *left, unsigned half,
                                struct quality_net *net, struct winnow_error *err)
{
    struct quality_train_options train = opt->train;
    struct quality_train_result result;
    struct quality_lessons l = {0};
    const struct quality_examples *e = &s->examples;
    uint64_t count[2] = {0};
    for (size_t i = 0; i < e->count; i++) {
        count[e->items[i].good] += left[i] && HALF(&e->items[i]) == half;
    }
    if (count[0] == 0 || count[1] == 0) {
        return WINNOW_OK;
    }
    for (uint32_t i = 0; i < e->count; i++) {
        bool good = e->items[i].good;
        if (left[i] && HALF(&e->items[i]) == half) {
            add_lesson(&l, i, good, (double)(count[0] + count[1]) / (2 * (double)count[good]));
        }
    }
    train.checkpoint = NULL;
    train.silent = true;
    train.batch = train.batch > l.count ? (uint32_t)l.count : train.batch;
    winnow_status st = quality_net_start(&train, (uint64_t)train.args.bucket, env->seed, net, err);
    st = st == WINNOW_OK ? quality_train_lessons(e, &l, &train, env, net, &result, err) : st;
    quality_lessons_release(&l);
    return st;
}

/* How probable net thinks the labels of the other half's documents. */
static void judge_half(const struct quality_silo *s, const struct silo_options *opt,
                       const struct quality_net *net, unsigned half, const bool *left,
                       double *probable)
{
    const struct quality_examples *e = &s->examples;
    struct fasttext_ids ids = {0}, hashes = {0};
    float *hidden = mem_alloc(net->dim * sizeof *hidden);
    for (size_t i = 0; i < e->count; i++) {
        const struct quality_example *item = &e->items[i];
        if (left[i] && HALF(item) != half) {
            quality_examples_rows(e, item, &opt->train.args, &hashes, &ids);
            double p = quality_net_score(net, ids.items, ids.count, hidden);
            probable[i] = item->good ? p : 1 - p;
        }
    }
    mem_free(hidden);
    fasttext_ids_release(&ids);
    fasttext_ids_release(&hashes);
}

struct doubted {
    double probable;
    uint32_t example;
};

static int by_probable(const void *a, const void *b)
{
    const struct doubted *x = a, *y = b;
    return x->probable != y->probable ? (x->probable > y->probable) - (x->probable < y->probable)
                                      : (x->example > y->example) - (x->example < y->example);
}

/* Of the documents of a label those that are rated as of the other one, the least probable
 * first, up to a share: a model of half a silo is wrong, too. */
static void leave_out_label(struct quality_silo *s, double share, bool good, const double *probable,
                            bool *left)
{
    const struct quality_examples *e = &s->examples;
    struct doubted *d = mem_alloc((e->count + 1) * sizeof *d);
    size_t n = 0, all = 0;
    for (uint32_t i = 0; i < e->count; i++) {
        if (left[i] && e->items[i].good == good) {
            all++;
            if (probable[i] < 0.5) {
                d[n++] = (struct doubted){probable[i], i};
            }
        }
    }
    sort(d, n, sizeof *d, by_probable);
    for (size_t i = 0; i < n && (double)(i + 1) <= share * (double)all; i++) {
        left[d[i].example] = false;
        s->counts.doubtful++;
    }
    mem_free(d);
}

static winnow_status leave_out_doubtful(struct quality_silo *s, const struct silo_options *opt,
                                        const struct winnow_env *env, bool *left,
                                        struct winnow_error *err)
{
    double *probable = mem_alloc((s->examples.count + 1) * sizeof *probable);
    winnow_status st = WINNOW_OK;
    for (size_t i = 0; i < s->examples.count; i++) {
        probable[i] = 1;
    }
    for (unsigned half = 0; half < 2 && st == WINNOW_OK; half++) {
        struct quality_net net = {0};
        st = train_half(s, opt, env, left, half, &net, err);
        if (st == WINNOW_OK && net.rows > 0) {
            judge_half(s, opt, &net, half, left, probable);
        }
        quality_net_release(&net);
    }
    if (st == WINNOW_OK) {
        leave_out_label(s, opt->doubt, false, probable, left);
        leave_out_label(s, opt->doubt, true, probable, left);
    }
    mem_free(probable);
    return st;
}

/* ---- rebalancing ---- */

struct minority {
    uint32_t *items;
    size_t count, among;
    float *sketches; /* of the first `among`, of length 1 */
};

static void sketch(const struct quality_silo *s, const struct fasttext_args *args, uint32_t item,
                   struct fasttext_ids *hashes, struct fasttext_ids *ids, float *out)
{
    double sum = 0;
    memset(out, 0, SKETCH * sizeof *out);
    quality_examples_rows(&s->examples, &s->examples.items[item], args, hashes, ids);
    for (size_t i = 0; i < ids->count; i++) {
        uint64_t h = rng_mix(ids->items[i]);
        out[h % SKETCH] += h >> 63 ? 1.0F : -1.0F;
    }
    for (size_t k = 0; k < SKETCH; k++) {
        sum += (double)out[k] * (double)out[k];
    }
    for (size_t k = 0; k < SKETCH; k++) {
        out[k] /= (float)sqrt(sum + 1e-12);
    }
}

/* One of the nearest, at random; of equal ones the first. */
static uint32_t neighbour(const struct minority *m, const float *of, size_t self, struct rng *r)
{
    size_t best[SILO_NEIGHBOURS] = {0}, n = 0;
    float cosine[SILO_NEIGHBOURS];
    for (size_t i = 0; i < m->among; i++) {
        float dot = 0;
        for (size_t k = 0; k < SKETCH; k++) {
            dot += of[k] * m->sketches[i * SKETCH + k];
        }
        if (i == self || (n == SILO_NEIGHBOURS && dot <= cosine[n - 1])) {
            continue;
        }
        size_t at = n < SILO_NEIGHBOURS ? n++ : n - 1;
        for (; at > 0 && cosine[at - 1] < dot; at--) {
            cosine[at] = cosine[at - 1];
            best[at] = best[at - 1];
        }
        cosine[at] = dot;
        best[at] = i;
    }
    return m->items[best[rng_below(r, n)]];
}

static void add_mixtures(struct quality_silo *s, const struct silo_options *opt, struct minority *m,
                         bool good, uint64_t wanted, struct rng *r)
{
    struct fasttext_ids hashes = {0}, ids = {0};
    float own[SKETCH];
    assert(m->count > 1);
    m->among = m->count < AMONG ? m->count : AMONG;
    m->sketches = mem_alloc(m->among * SKETCH * sizeof *m->sketches);
    for (size_t i = 0; i < m->among; i++) {
        sketch(s, &opt->train.args, m->items[i], &hashes, &ids, m->sketches + i * SKETCH);
    }
    for (uint64_t i = 0; i < wanted; i++) {
        size_t a = (size_t)(i % m->count);
        sketch(s, &opt->train.args, m->items[a], &hashes, &ids, own);
        struct quality_lesson mix = {.a = m->items[a], .weight = 1, .target = good ? 1 : 0};
        mix.b = neighbour(m, own, a, r);
        mix.mix = (float)rng_uniform(r);
        quality_lessons_add(&s->lessons, mix);
        s->counts.mixtures++;
    }
    mem_free(m->sketches);
    fasttext_ids_release(&hashes);
    fasttext_ids_release(&ids);
}

static void smote(struct quality_silo *s, const struct silo_options *opt,
                  const struct winnow_env *env, const bool *left, const uint64_t count[2])
{
    bool rare = count[1] < count[0];
    struct minority m = {.items = mem_alloc((s->examples.count + 1) * sizeof(uint32_t))};
    struct rng r;
    for (uint32_t i = 0; i < s->examples.count; i++) {
        if (left[i] && s->examples.items[i].good == rare) {
            m.items[m.count++] = i;
        }
    }
    rng_init(&r, env->seed, "quality.smote");
    rng_shuffle_u32(&r, m.items, m.count);
    add_mixtures(s, opt, &m, rare, count[!rare] - count[rare], &r);
    mem_free(m.items);
}

static void make_lessons(struct quality_silo *s, const struct silo_options *opt,
                         const struct winnow_env *env, const bool *left, const uint64_t count[2])
{
    /* One document has no neighbour: then weights. */
    bool mixes = opt->rebalance == WINNOW_REBALANCE_SMOTE && count[0] > 1 && count[1] > 1;
    bool weighs = opt->rebalance != WINNOW_REBALANCE_NONE && !mixes;
    for (uint32_t i = 0; i < s->examples.count; i++) {
        bool good = s->examples.items[i].good;
        if (left[i]) {
            add_lesson(&s->lessons, i, good,
                       weighs ? (double)(count[0] + count[1]) / (2 * (double)count[good]) : 1);
        }
    }
    if (mixes) {
        smote(s, opt, env, left, count);
    }
}

/* ---- all of it ---- */

static winnow_status choose(struct quality_silo *s, const struct silo_options *opt,
                            const struct winnow_env *env, bool *left, struct winnow_error *err)
{
    uint64_t count[2];
    count_left(&s->examples, left, count);
    s->counts.bad = count[0];
    s->counts.good = count[1];
    if (opt->choose) {
        leave_out_both(s, left);
        if (opt->doubt > 0) {
            TRY(leave_out_doubtful(s, opt, env, left, err));
        }
        count_left(&s->examples, left, count);
    }
    s->counts.bad_left = count[0];
    s->counts.good_left = count[1];
    s->out = count[0] == 0 || count[1] == 0;
    if (!s->out) {
        make_lessons(s, opt, env, left, count);
    }
    return WINNOW_OK;
}

winnow_status silo_prepare(struct quality_silo *s, const struct silo_options *opt,
                           const struct winnow_env *env, struct winnow_error *err)
{
    /* No word gets a row of its own: a model with words would tell them to the others. */
    quality_examples_index(&s->examples, UINT64_MAX, STR_LIT("good"), STR_LIT("bad"));
    bool *left = mem_alloc(s->examples.count + 1);
    for (size_t i = 0; i < s->examples.count; i++) {
        left[i] = !s->examples.items[i].held;
    }
    winnow_status st = choose(s, opt, env, left, err);
    mem_free(left);
    return st;
}
