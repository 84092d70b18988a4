/* quality_learn.c -- `quality train`: read examples, hold some out, train, measure, write. */
#include "winnow/quality.h"

#include "base/env.h"
#include "base/file.h"
#include "base/mem.h"
#include "corpus/split.h"
#include "corpus/texts.h"
#include "option/tables.h"
#include "quality/auc.h"
#include "quality/fasttext_write.h"
#include "quality/label_of.h"
#include "quality/quality_learn_internal.h"
#include "quality/source_scores.h"
#include "run/guard.h"

#include <inttypes.h>
#include <math.h>

#define PROGRAM_BYTES ((uint64_t)40 << 20) /* itself, and documents while they are read */

/* ---- reading ---- */

enum kind { GOOD, BAD, LABELLED };

/* Copies of a text are on one side. */
static bool is_held(const struct learning *l, struct str text)
{
    return split_unit(split_key(text), l->env->seed, "quality.holdout") < l->opt->holdout;
}

winnow_status learn_memory(const struct learning *l, struct winnow_error *err)
{
    uint64_t rows = (uint64_t)l->train.args.bucket + l->examples.texts.count;
    return memory_need(l->env->memory_max, "quality train",
                       PROGRAM_BYTES + quality_examples_bytes(&l->examples) +
                           quality_lessons_bytes(&l->lessons) +
                           l->examples.count * sizeof(struct quality_lesson) +
                           quality_train_bytes(&l->train, rows),
                       "lower --bucket or --dim, or read fewer documents (--limit)", err);
}

static winnow_status take_document(struct learning *l, const struct document *d, void *ctx,
                                   struct winnow_error *err)
{
    enum kind kind = *(const enum kind *)ctx;
    bool good = kind == GOOD;
    if (kind == LABELLED && !label_of(d->json, l->opt->label_key, &good)) {
        l->result->unlabelled++;
        return WINNOW_OK;
    }
    quality_examples_add(&l->examples, d->text, d->source, good, is_held(l, d->text));
    return learn_memory(l, err);
}

static winnow_status read_documents(struct learning *l, struct texts *t, learn_take take, void *ctx,
                                    uint64_t *documents, struct winnow_error *err)
{
    struct document d;
    bool more = true;
    for (;;) {
        TRY(env_check(l->env, err));
        TRY(texts_next(t, &d, &more, err));
        if (!more) {
            return WINNOW_OK;
        }
        ++*documents;
        TRY(take(l, &d, ctx, err));
    }
}

winnow_status learn_read(struct learning *l, const struct winnow_text_options *text,
                         struct winnow_list paths, learn_take take, void *ctx,
                         struct winnow_error *err)
{
    struct texts t = {0};
    struct winnow_text_result read = {0};
    uint64_t documents = 0;
    winnow_status st = texts_open(&t, text, paths, l->env, &read, err);
    if (st == WINNOW_OK) {
        st = read_documents(l, &t, take, ctx, &documents, err);
    }
    if (st == WINNOW_OK) {
        st = texts_read(&t, documents, err);
    }
    if (st == WINNOW_OK) {
        st = texts_end(&t, err); /* who teaches means all of it */
    }
    texts_release(&t);
    return st;
}

static winnow_status count_examples(struct learning *l, struct winnow_error *err)
{
    struct winnow_quality_train_result *r = l->result;
    for (size_t i = 0; i < l->examples.count; i++) {
        const struct quality_example *item = &l->examples.items[i];
        ++*(item->held   ? item->good ? &r->held_good : &r->held_bad
            : item->good ? &r->good
                         : &r->bad);
    }
    if (l->opt->label_key && l->examples.count == 0) {
        return error_set(err, WINNOW_E_FORMAT,
                         "no document has a number or true or false at \"%s\", which --label-key "
                         "names",
                         l->opt->label_key);
    }
    if (r->good == 0 || r->bad == 0) {
        return error_set(err, WINNOW_E_FORMAT,
                         "%" PRIu64 " good and %" PRIu64
                         " bad documents to train on: it takes both kinds",
                         r->good, r->bad);
    }
    uint64_t both = quality_examples_both(&l->examples);
    if (both > 0) {
        env_log(l->env, WINNOW_LOG_WARNING,
                "%" PRIu64 " texts are among the good documents and among the bad ones: nothing "
                "can be learned from them, and the AUC is lower for it",
                both);
    }
    if (r->unlabelled > 0) {
        env_log(l->env, WINNOW_LOG_WARNING,
                "%" PRIu64 " documents have no number or true or false at \"%s\" and are left out",
                r->unlabelled, l->opt->label_key);
    }
    return WINNOW_OK;
}

static winnow_status read_examples(struct learning *l, const struct winnow_list *paths,
                                   struct winnow_error *err)
{
    struct winnow_text_options against = l->opt->text;
    against.files_from = NULL;
    enum kind kind = l->opt->label_key ? LABELLED : GOOD;
    TRY(learn_read(l, &l->opt->text, *paths, take_document, &kind, err));
    if (!l->opt->label_key) {
        kind = BAD;
        TRY(learn_read(l, &against, l->opt->against, take_document, &kind, err));
    }
    TRY(count_examples(l, err));
    quality_examples_index(&l->examples, l->opt->count_min, str_of(l->opt->good_label),
                           str_of(l->opt->bad_label));
    return WINNOW_OK;
}

/* ---- measuring ---- */

/* What each source's share of good documents among those trained on says of those held out. */
static struct auc source_alone(const struct learning *l, struct auc_item *items)
{
    const struct quality_examples *e = &l->examples;
    struct {
        uint64_t good, known;
    } *sums = mem_zalloc((e->sources.count + 1) * sizeof *sums);
    for (size_t i = 0; i < e->count; i++) {
        if (!e->items[i].held) {
            sums[e->items[i].source].known++;
            sums[e->items[i].source].good += e->items[i].good;
        }
    }
    double all = (double)l->result->good / (double)(l->result->good + l->result->bad);
    size_t count = 0;
    for (size_t i = 0; i < e->count; i++) {
        uint32_t source = e->items[i].source;
        if (e->items[i].held) {
            items[count++] = (struct auc_item){
                source_share(sums[source].good, sums[source].known, all), e->items[i].good};
        }
    }
    mem_free(sums);
    return auc_of(items, count);
}

static struct auc held_out(const struct learning *l, struct auc_item *items)
{
    const struct quality_examples *e = &l->examples;
    struct fasttext_ids hashes = {0}, ids = {0};
    float *hidden = mem_alloc(l->net.dim * sizeof *hidden);
    size_t count = 0;
    for (size_t i = 0; i < e->count; i++) {
        if (e->items[i].held) {
            quality_examples_rows(e, &e->items[i], &l->train.args, &hashes, &ids);
            double score = quality_net_score(&l->net, ids.items, ids.count, hidden);
            items[count++] = (struct auc_item){score, e->items[i].good};
        }
    }
    mem_free(hidden);
    fasttext_ids_release(&hashes);
    fasttext_ids_release(&ids);
    return auc_of(items, count);
}

static void measure(struct learning *l)
{
    struct winnow_quality_train_result *r = l->result;
    struct auc_item *items = mem_alloc((l->examples.count + 1) * sizeof *items);
    struct auc a = held_out(l, items), source = source_alone(l, items);
    r->auc = a.value;
    r->auc_low = a.low;
    r->auc_high = a.high;
    r->source_auc = source.value;
    r->source_auc_low = source.low;
    r->source_auc_high = source.high;
    r->sources = l->examples.sources.count;
    mem_free(items);
}

/* ---- all of it ---- */

static winnow_status write_model(const struct learning *l, struct winnow_error *err)
{
    const struct fasttext_parts parts = {.args = l->train.args,
                                         .entries = l->examples.entries,
                                         .word_count = l->examples.row_count,
                                         .label_count = QUALITY_LABELS,
                                         .tokens = (int64_t)l->examples.tokens,
                                         .rows = l->net.rows,
                                         .input = l->net.input,
                                         .output = l->net.output};
    return fasttext_write(l->opt->output, &parts, err);
}

/* With what a kill may have left of the next one. */
static winnow_status remove_checkpoint(struct learning *l, struct winnow_error *err)
{
    TRY(file_remove_tree(l->train.checkpoint, err));
    buf_add_text(&l->checkpoint, FILE_TMP);
    l->train.checkpoint = buf_cstr(&l->checkpoint);
    return file_remove_tree(l->train.checkpoint, err);
}

static winnow_status write_json(const struct learning *l,
                                void (*write)(const struct learning *l, struct json_writer *w),
                                struct winnow_error *err)
{
    struct buf text = {0};
    struct json_writer w = {.out = &text, .pretty = true};
    json_open(&w, '{');
    json_member_u64(&w, "seed", l->env->seed);
    json_member_u64(&w, "steps", l->result->steps);
    json_member_double(&w, "loss", l->result->loss);
    write(l, &w);
    json_close(&w, '}');
    buf_add_char(&text, '\n');
    winnow_status st = file_write_atomic(l->opt->results, buf_str(&text), err);
    buf_release(&text);
    return st;
}

winnow_status learn_write(struct learning *l,
                          void (*write)(const struct learning *l, struct json_writer *w),
                          struct winnow_error *err)
{
    TRY(write_model(l, err));
    if (l->opt->results) {
        TRY(write_json(l, write, err));
    }
    return remove_checkpoint(l, err);
}

static void write_results(const struct learning *l, struct json_writer *w)
{
    const struct winnow_quality_train_result *r = l->result;
    json_member_u64(w, "good", r->good);
    json_member_u64(w, "bad", r->bad);
    json_member_u64(w, "held_good", r->held_good);
    json_member_u64(w, "held_bad", r->held_bad);
    json_member_double(w, "auc", r->auc);
    json_member_double(w, "auc_low", r->auc_low);
    json_member_double(w, "auc_high", r->auc_high);
    json_member_double(w, "source_auc", r->source_auc);
}

static winnow_status learn_labels(struct learning *l, const struct winnow_list *paths,
                                  struct winnow_error *err)
{
    struct quality_train_result trained;
    TRY(read_examples(l, paths, err));
    TRY(quality_train(&l->examples, &l->train, l->env, &l->net, &trained, err));
    l->result->steps = trained.steps;
    l->result->loss = trained.loss;
    l->result->words = l->examples.row_count;
    measure(l);
    return learn_write(l, write_results, err);
}

static struct fasttext_args model_args(const struct winnow_quality_train_options *o)
{
    bool hashes = o->word_ngrams > 1 || o->maxn > 0;
    return (struct fasttext_args){.dim = (int32_t)o->dim,
                                  .window = 5, /* fastText's own; without meaning here */
                                  .negatives = 5,
                                  .rate_updates = 100,
                                  .sampling = 1e-4,
                                  .epochs = (int32_t)ceil(o->epochs),
                                  .count_min = (int32_t)o->count_min,
                                  .word_ngrams = (int32_t)o->word_ngrams,
                                  .loss = FASTTEXT_SOFTMAX,
                                  .model = FASTTEXT_SUPERVISED,
                                  .bucket = hashes ? (int32_t)o->bucket : 0,
                                  .minn = (int32_t)o->minn,
                                  .maxn = (int32_t)o->maxn};
}

/* What there is to learn from: one of three. */
static winnow_status check_way(const struct winnow_quality_train_options *opt,
                               struct winnow_error *err)
{
    if (opt->pairs && (opt->label_key || opt->against.count > 0)) {
        return error_set(err, WINNOW_E_USAGE,
                         "--pairs says which pages are better: without --against and --label-key");
    }
    if (!opt->pairs && (opt->smooth || opt->pairs_held)) {
        return error_set(err, WINNOW_E_USAGE, "%s is about judgements: give them by --pairs FILE",
                         opt->smooth ? "--smooth" : "--pairs-held");
    }
    if (opt->silos &&
        (opt->pairs || opt->against.count > 0 || !opt->label_key || opt->text.files_from)) {
        return error_set(err, WINNOW_E_USAGE,
                         "with --silos each path is a silo, and each document says at --label-key "
                         "KEY whether it is good: without --against, --pairs and --files-from");
    }
    if (!opt->pairs && !opt->label_key == (opt->against.count == 0)) {
        return error_set(err, WINNOW_E_USAGE,
                         "say which documents are bad: --against CORPUS, or --label-key KEY where "
                         "each says so itself; not both");
    }
    return WINNOW_OK;
}

static winnow_status check(const struct winnow_quality_train_options *opt,
                           const struct winnow_list *paths, struct winnow_error *err)
{
    if (!opt->output) {
        return error_set(err, WINNOW_E_USAGE, "say where the model goes: -o MODEL.bin");
    }
    TRY(check_way(opt, err));
    if (opt->minn > opt->maxn) {
        return error_set(err, WINNOW_E_USAGE, "no n-gram has --minn %u to --maxn %u characters",
                         opt->minn, opt->maxn);
    }
    if (strcmp(opt->good_label, opt->bad_label) == 0) {
        return error_set(err, WINNOW_E_USAGE,
                         "--good-label and --bad-label are both %s: a model with one label tells "
                         "nothing apart",
                         opt->good_label);
    }
    struct guarded what = {.paths = *paths, .files_from = opt->text.files_from};
    if (opt->results) {
        TRY(guard_file(opt->results, &what, &QUALITY_TRAIN_TABLE, opt, err));
    }
    return guard_file(opt->output, &what, &QUALITY_TRAIN_TABLE, opt, err);
}

winnow_status winnow_quality_train(const struct winnow_quality_train_options *opt,
                                   const struct winnow_list *paths, const struct winnow_env *env,
                                   struct winnow_quality_train_result *result,
                                   struct winnow_error *err)
{
    *result = (struct winnow_quality_train_result){.seed = env->seed};
    TRY(check(opt, paths, err));
    struct learning l = {.opt = opt, .env = env, .result = result};
    buf_addf(&l.checkpoint, "%s.checkpoint", opt->output);
    l.train = (struct quality_train_options){.args = model_args(opt),
                                             .epochs = opt->epochs,
                                             .rate = opt->lr,
                                             .batch = opt->batch,
                                             .checkpoint = buf_cstr(&l.checkpoint),
                                             .save_seconds = opt->checkpoint};
    l.train.pool = pool_new(env->threads);
    winnow_status st = (opt->pairs   ? learn_judgements
                        : opt->silos ? learn_silos
                                     : learn_labels)(&l, paths, err);
    pool_free(l.train.pool);
    quality_net_release(&l.net);
    quality_lessons_release(&l.lessons);
    quality_examples_release(&l.examples);
    buf_release(&l.checkpoint);
    buf_release(&l.results);
    return st;
}
