/* quality_silos.c -- `quality train --silos`: rounds over silos that keep their documents.
 *
 *     each silo: read, choose, rebalance                    (quality_choose.c)
 *     each round: the common model to every silo, their models back, their mean
 *     at the end: each silo counts how many of its held-out documents are rated right
 *
 * This file sees messages and counts of a silo, never its documents.
 */
#include "base/env.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/rng.h"
#include "base/state_file.h"
#include "corpus/shards.h"
#include "corpus/split.h"
#include "quality/label_of.h"
#include "quality/quality_learn_internal.h"
#include "quality/quality_silo.h"

#include <inttypes.h>
#include <math.h>

struct federation {
    struct learning *l;
    struct quality_silo *silos;
    size_t count;
    struct silo_options opt;
    struct buf common, update;
    uint32_t round;
    uint64_t key;
    struct silo_measure *measures;
};

/* ---- reading ---- */

static winnow_status take_document(struct learning *l, const struct document *d, void *ctx,
                                   struct winnow_error *err)
{
    struct quality_silo *s = ctx;
    bool good;
    s->counts.documents++;
    if (!label_of(d->json, l->opt->label_key, &good)) {
        s->counts.unlabelled++;
        return WINNOW_OK;
    }
    bool held = split_unit(split_key(d->text), l->env->seed, "quality.holdout") < l->opt->holdout;
    quality_examples_add(&s->examples, d->text, (struct str){0}, good, held);
    return memory_need(
        l->env->memory_max, "quality train --silos",
        ((uint64_t)40 << 20) + quality_examples_bytes(&s->examples) +
            4 * silo_message_bytes((uint64_t)l->train.args.bucket, (uint32_t)l->train.args.dim),
        "lower --bucket or --dim, or read fewer documents (--limit)", err);
}

static uint64_t labelled(const struct quality_silo *s)
{
    return s->counts.documents - s->counts.unlabelled;
}

/* How many files stand twice in what the paths name. */
static winnow_status count_twice(const struct winnow_list *paths, size_t *twice,
                                 struct winnow_error *err)
{
    struct shard_list shards = {0};
    const struct shards_options find = {.paths = *paths, .kind = SHARDS_DOCUMENTS};
    winnow_status st = shards_find(&find, &shards, err);
    *twice = shards.duplicates;
    shard_list_release(&shards);
    return st;
}

/* A document that lies in two silos would count in both, and be measured with what it taught. */
static winnow_status check_apart(const struct winnow_list *paths, struct winnow_error *err)
{
    size_t all, own = 0;
    TRY(count_twice(paths, &all, err));
    for (size_t i = 0; i < paths->count && all > 0; i++) {
        size_t twice;
        TRY(count_twice(&(struct winnow_list){paths->items + i, 1}, &twice, err));
        own += twice;
    }
    for (size_t i = 0; i < paths->count && all > own; i++) {
        for (size_t k = 0; k < i; k++) {
            size_t both;
            const char *const two[] = {paths->items[k], paths->items[i]};
            TRY(count_twice(&(struct winnow_list){two, 2}, &both, err));
            if (both > 0) {
                return error_set(err, WINNOW_E_USAGE,
                                 "the silos %s and %s have a file in common: each document lies in "
                                 "one silo, so name each file once",
                                 two[0], two[1]);
            }
        }
    }
    return WINNOW_OK;
}

static winnow_status read_silos(struct federation *f, const struct winnow_list *paths, bool as_one,
                                struct winnow_error *err)
{
    uint64_t documents = 0;
    TRY(as_one ? WINNOW_OK : check_apart(paths, err));
    for (size_t i = 0; i < paths->count; i++) {
        const struct winnow_list one = {.items = paths->items + i, .count = 1};
        struct quality_silo *s = &f->silos[as_one ? 0 : i];
        s->name = as_one ? "all silos" : paths->items[i];
        TRY(learn_read(f->l, &f->l->opt->text, one, take_document, s, err));
        if (as_one) {
            s->ends[s->end_count++] = s->examples.count;
        }
    }
    for (size_t i = 0; i < f->count; i++) {
        documents += labelled(&f->silos[i]);
    }
    if (documents < paths->count) {
        return error_set(err, WINNOW_E_FORMAT,
                         "%zu silos have %" PRIu64
                         " documents that say at \"%s\" whether they are good: there are more "
                         "silos than documents to train on",
                         paths->count, documents, f->l->opt->label_key);
    }
    return WINNOW_OK;
}

static void tell_out(const struct federation *f, const struct quality_silo *s)
{
    const struct silo_counts *c = &s->counts;
    if (c->good + c->bad == 0) {
        env_log(f->l->env, WINNOW_LOG_WARNING,
                "%s: no document to train on says at \"%s\" whether it is good; the silo sits out",
                s->name, f->l->opt->label_key);
        return;
    }
    env_log(f->l->env, WINNOW_LOG_WARNING,
            "%s: its documents to train on are all %s (%" PRIu64 " of %" PRIu64
            " are left by the choice); the silo sits out and is measured only",
            s->name,
            c->good_left > 0  ? "good"
            : c->bad_left > 0 ? "bad"
                              : "doubtful",
            c->good_left + c->bad_left, c->good + c->bad);
}

static winnow_status prepare(struct federation *f, struct winnow_error *err)
{
    size_t in = 0;
    for (size_t i = 0; i < f->count; i++) {
        TRY(silo_prepare(&f->silos[i], &f->opt, f->l->env, err));
        in += !f->silos[i].out;
        if (f->silos[i].out) {
            tell_out(f, &f->silos[i]);
        }
        f->key = rng_mix(f->key ^ quality_examples_hash(&f->silos[i].examples) ^
                         rng_mix(quality_lessons_hash(&f->silos[i].lessons)));
    }
    if (in == 0) {
        return error_set(err, WINNOW_E_FORMAT,
                         "no silo has good and bad documents to train on: it takes both kinds in "
                         "at least one of them");
    }
    return WINNOW_OK;
}

/* ---- rounds ---- */

static winnow_status save(const struct federation *f, const char *path, struct winnow_error *err)
{
    const uint64_t head[] = {f->key, f->round};
    const struct str parts[] = {state_part(head, sizeof head), buf_str(&f->common)};
    return state_file_write(path, SILO_KIND, parts, 2, err);
}

static winnow_status resume(struct federation *f, const char *path, struct winnow_error *err)
{
    struct state_file file;
    uint64_t head[2];
    if (!path || !file_exists(path)) {
        return WINNOW_OK;
    }
    TRY(state_file_open(path, SILO_KIND, &file, err));
    winnow_status st = WINNOW_OK;
    if (!state_file_take(&file, head, sizeof head) || head[0] != f->key ||
        head[1] > f->opt.rounds || file.left.len != f->common.len) {
        st = error_set(err, WINNOW_E_USAGE,
                       "%s: an unfinished training on other silos or with other options: go on "
                       "with those, or remove the file",
                       path);
    } else {
        buf_clear(&f->common);
        buf_add_str(&f->common, file.left);
        f->round = (uint32_t)head[1];
        env_log(f->l->env, WINNOW_LOG_INFO, "quality train: goes on at round %u of %u", f->round,
                f->opt.rounds);
    }
    state_file_close(&file);
    return st;
}

/* The weighted mean of what the silos send. */
static winnow_status average(struct federation *f, struct quality_net *sum, struct quality_net *net,
                             struct winnow_error *err)
{
    uint64_t all = 0, weight;
    for (size_t i = 0; i < f->count; i++) {
        all += f->silos[i].lessons.count;
    }
    for (size_t i = 0; i < f->count; i++) {
        if (!f->silos[i].out) {
            TRY(silo_round(&f->silos[i], &f->opt, f->l->env, f->round, buf_str(&f->common),
                           &f->update, err));
            TRY(silo_message_read(buf_str(&f->update), net, &weight, err));
            silo_message_add(sum, net, (double)weight / (double)all);
            f->l->result->crossed += f->common.len + f->update.len;
        }
    }
    return WINNOW_OK;
}

static winnow_status round_once(struct federation *f, struct winnow_error *err)
{
    struct quality_net sum = {0}, net = {0};
    uint64_t rows = (uint64_t)f->opt.train.args.bucket;
    winnow_status st = quality_net_start(&f->opt.train, rows, 0, &sum, err);
    st = st == WINNOW_OK ? quality_net_start(&f->opt.train, rows, 0, &net, err) : st;
    if (st == WINNOW_OK) {
        memset(sum.output, 0, (size_t)QUALITY_LABELS * sum.dim * sizeof(float));
        st = average(f, &sum, &net, err);
    }
    if (st == WINNOW_OK) {
        silo_message_write(&sum, 0, &f->common);
        f->round++;
    }
    quality_net_release(&sum);
    quality_net_release(&net);
    return st;
}

static winnow_status go_rounds(struct federation *f, const char *path, struct winnow_error *err)
{
    double saved = env_seconds();
    TRY(resume(f, path, err));
    while (f->round < f->opt.rounds) {
        winnow_status st = round_once(f, err);
        bool due = path && env_seconds() - saved >= f->opt.train.save_seconds;
        if (st == WINNOW_E_CANCELLED && path) {
            TRY(save(f, path, err));
            return error_set(err, WINNOW_E_CANCELLED, "interrupted");
        }
        TRY(st);
        if (due) {
            TRY(save(f, path, err));
            saved = env_seconds();
        }
        env_progress(f->l->env, "quality train", "rounds", f->round, f->opt.rounds);
    }
    return WINNOW_OK;
}

static winnow_status start_common(struct federation *f, struct winnow_error *err)
{
    struct quality_net net = {0};
    winnow_status st = quality_net_start(&f->opt.train, (uint64_t)f->opt.train.args.bucket,
                                         f->l->env->seed, &net, err);
    if (st == WINNOW_OK) {
        silo_message_write(&net, 0, &f->common);
    }
    quality_net_release(&net);
    return st;
}

static winnow_status measure(struct federation *f, struct silo_measure *all,
                             struct winnow_error *err)
{
    *all = (struct silo_measure){.auc = (double)NAN};
    for (size_t i = 0; i < f->count; i++) {
        struct silo_measure *m = &f->measures[i];
        TRY(silo_test(&f->silos[i], &f->opt, buf_str(&f->common), m, err));
        silo_measure_add(all, m);
    }
    return WINNOW_OK;
}

static uint64_t key_of(const struct federation *f)
{
    const struct silo_options *o = &f->opt;
    const double numbers[] = {o->train.args.dim,
                              o->train.args.bucket,
                              o->train.args.word_ngrams,
                              o->train.args.minn,
                              o->train.args.maxn,
                              o->train.epochs,
                              o->train.rate,
                              o->train.batch,
                              o->rounds,
                              o->choose,
                              o->doubt,
                              o->rebalance};
    return hash64(state_part(numbers, sizeof numbers), f->l->env->seed);
}

static winnow_status federate(struct federation *f, const struct winnow_list *paths, bool as_one,
                              struct silo_measure *all, struct winnow_error *err)
{
    f->count = as_one ? 1 : paths->count;
    f->silos = mem_zalloc((f->count + 1) * sizeof *f->silos);
    f->measures = mem_zalloc((f->count + 1) * sizeof *f->measures);
    f->silos[0].ends = as_one ? mem_zalloc((paths->count + 1) * sizeof *f->silos[0].ends) : NULL;
    f->key = key_of(f);
    TRY(read_silos(f, paths, as_one, err));
    TRY(prepare(f, err));
    TRY(start_common(f, err));
    TRY(go_rounds(f, as_one ? NULL : f->l->train.checkpoint, err));
    return measure(f, all, err);
}

static void federation_release(struct federation *f)
{
    for (size_t i = 0; i < f->count; i++) {
        quality_silo_release(&f->silos[i]);
    }
    mem_free(f->silos);
    mem_free(f->measures);
    buf_release(&f->common);
    buf_release(&f->update);
}

static struct federation federation_of(struct learning *l)
{
    const struct winnow_quality_train_options *o = l->opt;
    return (struct federation){.l = l,
                               .opt = {.train = l->train,
                                       .rounds = o->rounds,
                                       .choose = o->choose,
                                       .doubt = o->doubt,
                                       .rebalance = o->rebalance}};
}

/* ---- results ---- */

static void take_counts(const struct federation *f, struct winnow_quality_train_result *r)
{
    r->silos = f->count;
    for (size_t i = 0; i < f->count; i++) {
        const struct silo_counts *c = &f->silos[i].counts;
        r->silos_out += f->silos[i].out;
        r->unlabelled += c->unlabelled;
        r->good += c->good;
        r->bad += c->bad;
        r->silo_both += c->both;
        r->silo_doubtful += c->doubtful;
        r->silo_mixtures += c->mixtures;
        r->held_good += f->measures[i].good;
        r->held_bad += f->measures[i].bad;
    }
}

static void write_measure(struct json_writer *w, const char *key, const struct silo_measure *m)
{
    json_member_open(w, key, '{');
    json_member_double(w, "macro_f1", silo_macro_f1(m));
    json_member_double(w, "balanced_accuracy", silo_balanced(m));
    json_member_double(w, "auc", m->auc);
    json_member_u64(w, "good", m->good);
    json_member_u64(w, "good_right", m->good_right);
    json_member_u64(w, "bad", m->bad);
    json_member_u64(w, "bad_right", m->bad_right);
    json_close(w, '}');
}

static void write_silo(struct json_writer *w, const struct quality_silo *s,
                       const struct silo_measure *m)
{
    json_open(w, '{');
    json_member_text(w, "silo", s->name);
    json_member_bool(w, "sits_out", s->out);
    json_member_u64(w, "documents", s->counts.documents);
    json_member_u64(w, "good", s->counts.good);
    json_member_u64(w, "bad", s->counts.bad);
    json_member_u64(w, "left_out_good_and_bad", s->counts.both);
    json_member_u64(w, "left_out_doubtful", s->counts.doubtful);
    json_member_u64(w, "mixtures", s->counts.mixtures);
    write_measure(w, "held_out", m);
    json_close(w, '}');
}

/* The results' text is made when the silos are there. */
static void write_silos(const struct federation *f, const struct silo_measure *all,
                        const struct silo_measure *central, struct buf *out)
{
    struct json_writer w = {.out = out};
    json_open(&w, '{');
    write_measure(&w, "federated", all);
    if (f->l->opt->centralised) {
        write_measure(&w, "centralised", central);
    }
    json_member_u64(&w, "rounds", f->opt.rounds);
    json_member_u64(&w, "crossed_bytes", f->l->result->crossed);
    json_member_open(&w, "silos", '[');
    for (size_t i = 0; i < f->count; i++) {
        write_silo(&w, &f->silos[i], &f->measures[i]);
    }
    json_close(&w, ']');
    json_close(&w, '}');
}

static void write_results(const struct learning *l, struct json_writer *w)
{
    json_member_raw(w, "federation", buf_str(&l->results));
}

static winnow_status centralise(struct learning *l, const struct winnow_list *paths,
                                struct silo_measure *m, struct winnow_error *err)
{
    struct federation f = federation_of(l);
    uint64_t crossed = l->result->crossed;
    winnow_status st = federate(&f, paths, true, m, err);
    l->result->crossed = crossed;
    federation_release(&f);
    return st;
}

/* A model that has gone too short a way may rank well and yet stand on one side of the half. */
static void warn_of_one_label(const struct learning *l, const struct silo_measure *m)
{
    uint64_t rated_good = m->good_right + m->bad - m->bad_right;
    if (m->good == 0 || m->bad == 0 || (rated_good > 0 && rated_good < m->good + m->bad)) {
        return;
    }
    env_log(l->env, WINNOW_LOG_WARNING,
            "quality train: every document held out is rated %s, so macro-F1 and balanced accuracy "
            "say nothing (AUC %.3f does): a higher --lr (as 0.05; here %g), more --epochs or more "
            "--rounds make the model tell them apart",
            rated_good > 0 ? "good" : "bad", m->auc, l->opt->lr);
}

static winnow_status train_silos(struct federation *f, const struct winnow_list *paths,
                                 struct winnow_error *err)
{
    struct learning *l = f->l;
    struct silo_measure all, central = {0};
    uint64_t weight;
    TRY(federate(f, paths, false, &all, err));
    take_counts(f, l->result);
    l->result->macro_f1 = silo_macro_f1(&all);
    l->result->balanced = silo_balanced(&all);
    l->result->auc = all.auc;
    l->result->auc_low = l->result->auc_high = (double)NAN;
    warn_of_one_label(l, &all);
    if (l->opt->centralised) {
        TRY(centralise(l, paths, &central, err));
        l->result->central_macro_f1 = silo_macro_f1(&central);
        l->result->central_balanced = silo_balanced(&central);
        l->result->central_auc = central.auc;
    }
    write_silos(f, &all, &central, &l->results);
    TRY(quality_net_start(&l->train, (uint64_t)l->train.args.bucket, 0, &l->net, err));
    TRY(silo_message_read(buf_str(&f->common), &l->net, &weight, err));
    quality_examples_index(&l->examples, 1, str_of(l->opt->good_label), str_of(l->opt->bad_label));
    return learn_write(l, write_results, err);
}

winnow_status learn_silos(struct learning *l, const struct winnow_list *paths,
                          struct winnow_error *err)
{
    if (l->train.args.maxn == 0) { /* words have no rows of their own: their pieces have */
        l->train.args.minn = 4;
        l->train.args.maxn = 5;
    }
    l->train.args.bucket = (int32_t)l->opt->bucket;
    struct federation f = federation_of(l);
    winnow_status st = train_silos(&f, paths, err);
    federation_release(&f);
    return st;
}
