/* quality_rate.c -- `quality train --pairs`: a rater from judgements of pairs.
 *
 *     judgements (ids) -> the corpus's documents of these ids -> examples
 *     judgements (texts) ------------------------------------^
 *     examples + judgements -> lessons, some of them held out -> training
 *
 * A judgement is held out where one of its two pages is: what is measured is how pages that
 * the training never saw are rated.
 */
#include "base/env.h"
#include "base/mem.h"
#include "corpus/split.h"
#include "quality/quality_learn_internal.h"
#include "quality/quality_pairs.h"

#include <inttypes.h>
#include <math.h>

#define NONE UINT32_MAX /* no example yet */

struct rating {
    struct learning *l;
    struct quality_pairs pairs;
    uint32_t *examples; /* of each name */
    size_t known;       /* names that have one */
    uint64_t twice;     /* documents with an id that another had */
};

/* ---- reading ---- */

/* Of two numbers that stand for a pair, whichever side is which. */
struct sides {
    uint32_t low, high;
};

static struct str sides_of(const struct quality_pair *p, struct sides *room)
{
    *room = p->a < p->b ? (struct sides){p->a, p->b} : (struct sides){p->b, p->a};
    return (struct str){(const char *)room, sizeof *room};
}

/* What is learnt by heart is no measure. */
static void warn_of_shared(const struct rating *r)
{
    struct map learnt = {0};
    struct sides room;
    size_t held = 0, shared = 0;
    for (size_t i = 0; i < r->pairs.count; i++) {
        if (!r->pairs.items[i].held) {
            (void)map_put(&learnt, sides_of(&r->pairs.items[i], &room), NULL);
        }
    }
    for (size_t i = 0; i < r->pairs.count; i++) {
        const struct quality_pair *p = &r->pairs.items[i];
        held += p->held;
        shared += p->held && map_get(&learnt, sides_of(p, &room));
    }
    map_release(&learnt);
    if (shared > 0) {
        env_log(r->l->env, WINNOW_LOG_WARNING,
                "%zu of the %zu judgements of --pairs-held are of pairs that --pairs has too: they "
                "measure what was learnt by heart",
                shared, held);
    }
}

static winnow_status read_pairs(struct rating *r, struct winnow_error *err)
{
    const struct winnow_quality_train_options *o = r->l->opt;
    TRY(quality_pairs_read(&r->pairs, o->pairs, false, err));
    uint64_t distinct, both;
    quality_pairs_count(&r->pairs, &distinct, &both);
    r->l->result->pairs_both = both;
    if (both == distinct) {
        return error_set(err, WINNOW_E_FORMAT,
                         "%s: each of its %" PRIu64
                         " pairs is judged both ways: there is nothing to learn from judgements "
                         "that contradict themselves",
                         o->pairs, distinct);
    }
    if (both > 0) {
        env_log(r->l->env, WINNOW_LOG_WARNING,
                "%s: %" PRIu64 " of %" PRIu64
                " pairs are judged both ways; their judgements pull against each other",
                o->pairs, both, distinct);
    }
    if (o->pairs_held) {
        TRY(quality_pairs_read(&r->pairs, o->pairs_held, true, err));
        warn_of_shared(r);
    }
    if (r->pairs.same > 0) {
        env_log(r->l->env, WINNOW_LOG_WARNING,
                "%" PRIu64 " judgements have the same page on both sides and are left out",
                r->pairs.same);
    }
    return WINNOW_OK;
}

/* Which names are measured with: by --pairs-held those that no other judgement has, else
 * some by chance, so many that about --holdout of the judgements have one of them. */
static bool *held_names(const struct rating *r)
{
    const struct winnow_quality_train_options *o = r->l->opt;
    size_t names = r->pairs.names.count;
    double share = 1 - sqrt(1 - o->holdout);
    bool *held = mem_alloc(names + 1);
    for (size_t i = 0; i < names; i++) {
        held[i] = o->pairs_held || split_unit(split_key(r->pairs.names.entries[i].key),
                                              r->l->env->seed, "quality.holdout") < share;
    }
    for (size_t i = 0; i < r->pairs.count && o->pairs_held; i++) {
        const struct quality_pair *p = &r->pairs.items[i];
        held[p->a] = held[p->a] && p->held;
        held[p->b] = held[p->b] && p->held;
    }
    return held;
}

static winnow_status add_example(struct rating *r, size_t name, struct str text, struct str source,
                                 bool held, struct winnow_error *err)
{
    r->examples[name] = (uint32_t)r->l->examples.count;
    r->known++;
    quality_examples_add(&r->l->examples, text, source, false, held);
    return learn_memory(r->l, err);
}

struct documents {
    struct rating *r;
    const bool *held;
};

static winnow_status take_document(struct learning *l, const struct document *d, void *ctx,
                                   struct winnow_error *err)
{
    (void)l;
    const struct documents *of = ctx;
    struct rating *r = of->r;
    const uint64_t *value = map_get(&r->pairs.names, d->id);
    if (!value) {
        return WINNOW_OK;
    }
    size_t name = *value >> 32;
    if (r->examples[name] != NONE) {
        r->twice++;
        return WINNOW_OK;
    }
    return add_example(r, name, d->text, d->source, of->held[name], err);
}

static winnow_status find_documents(struct rating *r, const struct winnow_list *paths,
                                    const bool *held, struct winnow_error *err)
{
    struct documents of = {r, held};
    TRY(learn_read(r->l, &r->l->opt->text, *paths, take_document, &of, err));
    if (r->twice > 0) {
        env_log(r->l->env, WINNOW_LOG_WARNING,
                "%" PRIu64 " documents have the id of another that is judged: the first of an id "
                "counts",
                r->twice);
    }
    for (size_t i = 0; i < r->pairs.names.count && r->known < r->pairs.names.count; i++) {
        if (r->examples[i] == NONE) {
            const struct map_entry *e = &r->pairs.names.entries[i];
            return error_set(err, WINNOW_E_FORMAT,
                             "line %" PRIu64 " of the judgements names the document \"%.*s\", "
                             "which the corpus has not (%zu of %zu are not there)",
                             e->value & UINT32_MAX, e->key.len < 80 ? (int)e->key.len : 80,
                             e->key.ptr, r->pairs.names.count - r->known, r->pairs.names.count);
        }
    }
    return WINNOW_OK;
}

static winnow_status take_texts(struct rating *r, const bool *held, struct winnow_error *err)
{
    for (size_t i = 0; i < r->pairs.names.count; i++) {
        TRY(env_check(r->l->env, err));
        TRY(add_example(r, i, r->pairs.names.entries[i].key, (struct str){0}, held[i], err));
    }
    return WINNOW_OK;
}

static winnow_status read_pages(struct rating *r, const struct winnow_list *paths, const bool *held,
                                struct winnow_error *err)
{
    bool corpus = paths->count > 0 || r->l->opt->text.files_from;
    return corpus ? find_documents(r, paths, held, err) : take_texts(r, held, err);
}

/* ---- lessons ---- */

static winnow_status make_lessons(struct rating *r, struct winnow_error *err)
{
    struct learning *l = r->l;
    const struct winnow_quality_train_options *o = l->opt;
    l->lessons.judgements = true;
    l->lessons.smooth = o->smooth ? o->smooth_rate : 0;
    for (size_t i = 0; i < r->pairs.count; i++) {
        const struct quality_pair *p = &r->pairs.items[i];
        struct quality_lesson lesson = {
            .a = r->examples[p->a], .b = r->examples[p->b], .weight = 1, .target = p->better};
        bool held = o->pairs_held
                        ? p->held
                        : l->examples.items[lesson.a].held || l->examples.items[lesson.b].held;
        (held ? quality_lessons_hold : quality_lessons_add)(&l->lessons, lesson);
    }
    l->result->pairs = l->lessons.count;
    l->result->pairs_held = l->lessons.held_count;
    l->result->pairs_same = r->pairs.same;
    l->result->pages = l->examples.count;
    if (l->lessons.count == 0) {
        return error_set(err, WINNOW_E_FORMAT,
                         "all %zu judgements are held out: lower --holdout or give more of them",
                         l->lessons.held_count);
    }
    return learn_memory(l, err);
}

static winnow_status read_all(struct rating *r, const struct winnow_list *paths,
                              struct winnow_error *err)
{
    TRY(read_pairs(r, err));
    TRY(memory_need(r->l->env->memory_max, "quality train --pairs", quality_pairs_bytes(&r->pairs),
                    "give fewer judgements", err));
    r->examples = mem_alloc((r->pairs.names.count + 1) * sizeof *r->examples);
    memset(r->examples, 0xff, (r->pairs.names.count + 1) * sizeof *r->examples);
    bool *held = held_names(r);
    winnow_status st = read_pages(r, paths, held, err);
    mem_free(held);
    return st == WINNOW_OK ? make_lessons(r, err) : st;
}

/* ---- results ---- */

static void take_results(struct learning *l)
{
    struct winnow_quality_train_result *r = l->result;
    const struct quality_lessons *s = &l->lessons;
    r->words = l->examples.row_count;
    r->epochs = s->epoch_count;
    for (size_t i = 0; i < s->epoch_count; i++) {
        const struct quality_epoch *e = &s->epochs[i];
        if (i == 0 || e->held_loss < r->held_loss_best) {
            r->held_loss_best = e->held_loss;
            r->epoch_best = i + 1;
        }
        r->held_loss_first = i == 0 ? e->held_loss : r->held_loss_first;
        r->held_loss = e->held_loss;
        r->held_right = e->held_right;
    }
    for (size_t i = 0; i < s->count; i++) {
        float was = s->given[i], is = s->items[i].target;
        r->pairs_turned += (was > 0.5F && is < 0.5F) || (was < 0.5F && is > 0.5F);
    }
}

static void write_results(const struct learning *l, struct json_writer *w)
{
    const struct winnow_quality_train_result *r = l->result;
    json_member_u64(w, "pages", r->pages);
    json_member_u64(w, "judgements", r->pairs);
    json_member_u64(w, "judgements_held", r->pairs_held);
    json_member_u64(w, "pairs_judged_both_ways", r->pairs_both);
    json_member_double(w, "smooth", l->lessons.smooth);
    json_member_u64(w, "labels_turned", r->pairs_turned);
    json_member_open(w, "epochs", '[');
    for (size_t i = 0; i < l->lessons.epoch_count; i++) {
        const struct quality_epoch *e = &l->lessons.epochs[i];
        json_open(w, '{');
        json_member_u64(w, "epoch", i + 1);
        json_member_double(w, "loss", e->loss);
        json_member_double(w, "held_loss", e->held_loss);
        json_member_double(w, "held_right", e->held_right);
        json_close(w, '}');
    }
    json_close(w, ']');
}

static winnow_status rate(struct rating *r, const struct winnow_list *paths,
                          struct winnow_error *err)
{
    struct learning *l = r->l;
    const struct winnow_quality_train_options *o = l->opt;
    struct quality_train_result trained;
    TRY(read_all(r, paths, err));
    quality_examples_index(&l->examples, o->count_min, str_of(o->good_label), str_of(o->bad_label));
    TRY(quality_net_start(&l->train,
                          (uint64_t)l->examples.row_count + (uint64_t)l->train.args.bucket,
                          l->env->seed, &l->net, err));
    TRY(quality_train_lessons(&l->examples, &l->lessons, &l->train, l->env, &l->net, &trained,
                              err));
    l->result->steps = trained.steps;
    l->result->loss = trained.loss;
    take_results(l);
    return learn_write(l, write_results, err);
}

winnow_status learn_judgements(struct learning *l, const struct winnow_list *paths,
                               struct winnow_error *err)
{
    struct rating r = {.l = l};
    winnow_status st = rate(&r, paths, err);
    quality_pairs_release(&r.pairs);
    mem_free(r.examples);
    return st;
}
