/* quality_silo.c -- a silo's rounds, and messages. */
#include "quality/quality_silo.h"

#include "base/env.h"
#include "base/mem.h"
#include "base/rng.h"
#include "quality/auc.h"

#include <math.h>

void quality_silo_release(struct quality_silo *s)
{
    quality_lessons_release(&s->lessons);
    quality_examples_release(&s->examples);
    mem_free(s->ends);
    *s = (struct quality_silo){0};
}

/* ---- messages ---- */

static size_t part_bytes(uint64_t rows, uint32_t dim, size_t bytes[3])
{
    bytes[0] = rows * dim * sizeof(float);
    bytes[1] = (size_t)QUALITY_LABELS * dim * sizeof(float);
    bytes[2] = rows * sizeof(float);
    return bytes[0] + bytes[1] + bytes[2];
}

size_t silo_message_bytes(uint64_t rows, uint32_t dim)
{
    size_t bytes[3];
    return sizeof(struct silo_head) + part_bytes(rows, dim, bytes);
}

void silo_message_write(const struct quality_net *net, uint64_t weight, struct buf *out)
{
    size_t bytes[3];
    struct silo_head head = {.rows = net->rows, .dim = net->dim, .weight = weight};
    memcpy(head.kind, SILO_KIND, sizeof head.kind);
    (void)part_bytes(net->rows, net->dim, bytes);
    buf_clear(out);
    buf_add_str(out, (struct str){(const char *)&head, sizeof head});
    buf_add_str(out, (struct str){(const char *)net->input, bytes[0]});
    buf_add_str(out, (struct str){(const char *)net->output, bytes[1]});
    buf_add_str(out, (struct str){(const char *)net->squares, bytes[2]});
}

winnow_status silo_message_read(struct str message, struct quality_net *net, uint64_t *weight,
                                struct winnow_error *err)
{
    struct silo_head head;
    size_t bytes[3];
    if (message.len >= sizeof head) {
        memcpy(&head, message.ptr, sizeof head);
    }
    if (message.len < sizeof head || memcmp(head.kind, SILO_KIND, sizeof head.kind) != 0 ||
        head.rows != net->rows || head.dim != net->dim || head.unused != 0 ||
        message.len != silo_message_bytes(net->rows, net->dim)) {
        return error_set(err, WINNOW_E_FORMAT,
                         "a message of %zu bytes is no model of %llu rows of %u numbers",
                         message.len, (unsigned long long)net->rows, net->dim);
    }
    (void)part_bytes(net->rows, net->dim, bytes);
    const char *at = message.ptr + sizeof head;
    memcpy(net->input, at, bytes[0]);
    memcpy(net->output, at + bytes[0], bytes[1]);
    memcpy(net->squares, at + bytes[0] + bytes[1], bytes[2]);
    *weight = head.weight;
    return WINNOW_OK;
}

static void add(float *sum, const float *x, size_t count, double share)
{
    for (size_t i = 0; i < count; i++) {
        sum[i] = (float)((double)sum[i] + share * (double)x[i]);
    }
}

void silo_message_add(struct quality_net *sum, const struct quality_net *net, double share)
{
    add(sum->input, net->input, net->rows * net->dim, share);
    add(sum->output, net->output, (size_t)QUALITY_LABELS * net->dim, share);
    add(sum->squares, net->squares, net->rows, share);
}

/* ---- a round ---- */

static winnow_status go_on(const struct quality_silo *s, const struct silo_options *opt,
                           const struct winnow_env *env, uint32_t round, struct quality_net *net,
                           struct winnow_error *err)
{
    struct quality_train_options train = opt->train;
    struct quality_train_result result;
    struct winnow_env own = *env;
    double left = 1 - (double)round / opt->rounds, then = 1 - (double)(round + 1) / opt->rounds;
    own.seed = rng_mix(env->seed + round);
    train.epochs = opt->train.epochs / opt->rounds;
    train.rate = opt->train.rate * left;
    train.rate_end = then / left;
    train.checkpoint = NULL;
    train.silent = true;
    if (train.batch > s->lessons.count) {
        train.batch = (uint32_t)s->lessons.count;
    }
    struct quality_lessons l = s->lessons;
    return quality_train_lessons(&s->examples, &l, &train, &own, net, &result, err);
}

winnow_status silo_round(const struct quality_silo *s, const struct silo_options *opt,
                         const struct winnow_env *env, uint32_t round, struct str common,
                         struct buf *update, struct winnow_error *err)
{
    struct quality_net net = {0};
    uint64_t weight;
    winnow_status st =
        quality_net_start(&opt->train, (uint64_t)opt->train.args.bucket, env->seed, &net, err);
    if (st == WINNOW_OK) {
        st = silo_message_read(common, &net, &weight, err);
    }
    if (st == WINNOW_OK) {
        st = go_on(s, opt, env, round, &net, err);
    }
    if (st == WINNOW_OK) {
        silo_message_write(&net, s->lessons.count, update);
    }
    quality_net_release(&net);
    return st;
}

/* ---- measuring ---- */

static void test_part(const struct quality_silo *s, const struct silo_options *opt,
                      const struct quality_net *net, size_t from, size_t to, struct silo_measure *m)
{
    struct fasttext_ids ids = {0}, hashes = {0};
    float *hidden = mem_alloc(net->dim * sizeof *hidden);
    struct auc_item *scored = mem_alloc((to - from + 1) * sizeof *scored);
    size_t count = 0;
    for (size_t i = from; i < to; i++) {
        const struct quality_example *item = &s->examples.items[i];
        if (!item->held) {
            continue;
        }
        quality_examples_rows(&s->examples, item, &opt->train.args, &hashes, &ids);
        double score = quality_net_score(net, ids.items, ids.count, hidden);
        bool good = score > 0.5;
        scored[count++] = (struct auc_item){score, item->good};
        m->good += item->good;
        m->bad += !item->good;
        m->good_right += item->good && good;
        m->bad_right += !item->good && !good;
    }
    struct auc auc = auc_of(scored, count);
    m->pairs = auc.good * auc.bad;
    m->auc = auc.value;
    mem_free(scored);
    mem_free(hidden);
    fasttext_ids_release(&ids);
    fasttext_ids_release(&hashes);
}

static void test_net(const struct quality_silo *s, const struct silo_options *opt,
                     const struct quality_net *net, struct silo_measure *m)
{
    size_t from = 0;
    *m = (struct silo_measure){.auc = (double)NAN};
    for (size_t i = 0; i < s->end_count; i++) {
        struct silo_measure part = {0};
        test_part(s, opt, net, from, s->ends[i], &part);
        silo_measure_add(m, &part);
        from = s->ends[i];
    }
    if (s->end_count == 0) {
        test_part(s, opt, net, 0, s->examples.count, m);
    }
}

void silo_measure_add(struct silo_measure *all, const struct silo_measure *m)
{
    if (m->pairs > 0) {
        double before = all->pairs > 0 ? all->auc * (double)all->pairs : 0;
        all->pairs += m->pairs;
        all->auc = (before + m->auc * (double)m->pairs) / (double)all->pairs;
    }
    all->good += m->good;
    all->bad += m->bad;
    all->good_right += m->good_right;
    all->bad_right += m->bad_right;
}

winnow_status silo_test(const struct quality_silo *s, const struct silo_options *opt,
                        struct str common, struct silo_measure *m, struct winnow_error *err)
{
    struct quality_net net = {0};
    uint64_t weight;
    *m = (struct silo_measure){.auc = (double)NAN};
    winnow_status st =
        quality_net_start(&opt->train, (uint64_t)opt->train.args.bucket, 0, &net, err);
    if (st == WINNOW_OK) {
        st = silo_message_read(common, &net, &weight, err);
    }
    if (st == WINNOW_OK) {
        test_net(s, opt, &net, m);
    }
    quality_net_release(&net);
    return st;
}

static double f1(uint64_t right, uint64_t are, uint64_t rated)
{
    return are + rated > 0 ? 2 * (double)right / (double)(are + rated) : 0;
}

double silo_macro_f1(const struct silo_measure *m)
{
    uint64_t rated_good = m->good_right + m->bad - m->bad_right;
    uint64_t rated_bad = m->bad_right + m->good - m->good_right;
    return m->good + m->bad == 0
               ? (double)NAN
               : (f1(m->good_right, m->good, rated_good) + f1(m->bad_right, m->bad, rated_bad)) / 2;
}

double silo_balanced(const struct silo_measure *m)
{
    return m->good == 0 || m->bad == 0
               ? (double)NAN
               : ((double)m->good_right / (double)m->good + (double)m->bad_right / (double)m->bad) /
                     2;
}
