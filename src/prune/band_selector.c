/* band_selector.c -- references of least draw, scores by them, and a cut by rank. */
#include "prune/band_selector.h"

#include "base/mem.h"
#include "corpus/split.h"
#include "model/model_file.h"
#include "option/tables.h"
#include "prune/scoring.h"
#include "train/small_model.h"

#include <math.h>

struct selector {
    const struct winnow_prune_options *opt;
    struct selector_home home;
    size_t sides; /* references that are trained */
    struct least_draws texts[2];
    struct least_draws sample;
    struct tokenizer *own; /* unless home lent one */
    const struct tokenizer *tokenizer;
    struct model *given;
    struct reference references[2];
    struct scoring scorings[2]; /* by which model */
    struct band_edges *edges;
};

/* ---- options ---- */

static winnow_status check(const void *options, struct winnow_error *err)
{
    const struct winnow_prune_options *o = options;
    bool given = o->score_attribute || o->score_from;
    if (o->server.url && (given || o->reference_model || o->cross_fit)) {
        return error_set(err, WINNOW_E_USAGE,
                         "--url has the model of a server score; leave --reference-model, "
                         "--score-attribute, --score-from and --cross-fit out");
    }
    if (o->score_attribute && o->score_from) {
        return error_set(err, WINNOW_E_USAGE,
                         "--score-attribute and --score-from both say where scores lie: give one "
                         "of them");
    }
    if (o->by && o->by_source && strcmp(o->by, "source") != 0) {
        return error_set(err, WINNOW_E_USAGE,
                         "--by-source has a band of each source, --by %s one of each other group: "
                         "give one of them",
                         o->by);
    }
    if (o->reference_model && given) {
        return error_set(err, WINNOW_E_USAGE,
                         "--reference-model scores anew, --score-attribute takes scores as they "
                         "are: give one of them");
    }
    if (o->cross_fit && (o->reference_model || given)) {
        return error_set(err, WINNOW_E_USAGE,
                         "--cross-fit trains references; none is trained "
                         "with a given model or given scores");
    }
    if (o->reference_model || o->server.url) {
        return WINNOW_OK;
    }
    if (!given && o->reference_tokens < o->model.batch_tokens) {
        return error_set(err, WINNOW_E_USAGE,
                         "--reference-tokens %llu is less than one step of --batch-tokens %llu",
                         (unsigned long long)o->reference_tokens,
                         (unsigned long long)o->model.batch_tokens);
    }
    return small_model_check(&o->model, err);
}

static size_t sides_of(const struct winnow_prune_options *o)
{
    bool own = !o->reference_model && !o->score_attribute && !o->score_from && !o->server.url;
    return !own ? 0 : o->cross_fit ? 2 : 1;
}

static void traits(const void *options, struct selector_traits *out)
{
    const struct winnow_prune_options *o = options;
    const struct model_config c = small_model_shape(&o->model);
    const struct least_draws t = reference_texts_for(o);
    size_t sides = sides_of(o);
    *out = (struct selector_traits){.share = o->rate,
                                    .by_source =
                                        o->by_source || (o->by && strcmp(o->by, "source") == 0),
                                    .sets_aside = sides == 1,
                                    .tokens = sides * o->reference_tokens};
    uint64_t trained = sides > 0 ? small_model_memory(&o->model, &c, 1) : 0;
    uint64_t scoring = (sides == 2 ? 2 : 1) * scoring_worker_bytes(&c, o->model.compute);
    out->bytes = sides * t.bytes_max + (trained > scoring ? trained : scoring);
}

/* ---- life ---- */

static struct selector *open_band(const void *options, const struct selector_home *home)
{
    struct selector *s = mem_zalloc(sizeof *s);
    s->opt = options;
    s->home = *home;
    s->sides = sides_of(s->opt);
    for (size_t i = 0; i < s->sides; i++) {
        s->texts[i] = reference_texts_for(s->opt);
    }
    s->sample = scoring_sample(s->opt->fixed_length);
    return s;
}

static void close_band(struct selector *s)
{
    if (!s) {
        return;
    }
    for (size_t i = 0; i < 2; i++) {
        scoring_release(&s->scorings[i]);
        reference_release(&s->references[i]);
        least_draws_release(&s->texts[i]);
    }
    least_draws_release(&s->sample);
    tokenizer_free(s->own);
    model_free(s->given);
    mem_free(s->edges);
    mem_free(s);
}

/* ---- prepare ---- */

static size_t side_of(const struct selector *s, const struct selector_document *d)
{
    return s->sides == 2 && d->upper ? 1 : 0;
}

static bool measures_length(const struct selector *s)
{
    return s->opt->fixed_length > 0 && !s->opt->score_attribute && !s->opt->server.url;
}

static bool wants(const struct selector *s, const struct selector_document *d)
{
    return (s->sides > 0 && least_draws_want(&s->texts[side_of(s, d)], d->draw, d->ordinal)) ||
           (measures_length(s) &&
            least_draws_want(&s->sample, split_draw(d->key, 0, "length"), d->ordinal));
}

static void offer(struct selector *s, const struct selector_document *d)
{
    if (s->sides > 0) {
        least_draws_offer(&s->texts[side_of(s, d)], d->draw, d->ordinal, d->text);
    }
    if (measures_length(s)) {
        least_draws_offer(&s->sample, split_draw(d->key, 0, "length"), d->ordinal, d->text);
    }
}

static uint64_t held(const struct selector *s)
{
    uint64_t all = s->sample.held;
    for (size_t i = 0; i < s->sides; i++) {
        all += s->texts[i].held + s->texts[i].cap * sizeof *s->texts[i].items;
    }
    return all;
}

static winnow_status get_models(struct selector *s, struct winnow_error *err)
{
    const struct winnow_prune_options *o = s->opt;
    if (o->reference_model) {
        TRY(model_open(o->reference_model, &s->given, err));
        TRY(model_load_tokenizer(o->tokenizer ? o->tokenizer : o->reference_model, &s->own, err));
        s->tokenizer = s->own;
        return WINNOW_OK;
    }
    if (!o->tokenizer && s->home.tokenizer) {
        s->tokenizer = s->home.tokenizer;
    } else {
        TRY(reference_tokenizer(&s->home, o, s->texts, s->sides, &s->own, err));
        s->tokenizer = s->own;
    }
    for (size_t i = 0; i < s->sides; i++) {
        TRY(reference_train(&s->home, o, s->tokenizer, i, &s->texts[i], &s->references[i], err));
    }
    return WINNOW_OK;
}

static size_t scorers(const struct selector *s)
{
    return s->sides == 2 ? 2 : 1;
}

static winnow_status prepare(struct selector *s, struct winnow_error *err)
{
    if (s->opt->score_attribute || s->opt->server.url) {
        return WINNOW_OK;
    }
    for (size_t i = 0; i < s->sides; i++) {
        least_draws_sort(&s->texts[i]);
    }
    TRY(get_models(s, err));
    for (size_t i = 0; i < scorers(s); i++) {
        const struct scoring_shape shape = {s->opt->window, s->opt->stride, s->opt->fixed_length};
        s->scorings[i].env = s->home.env;
        s->scorings[i].compute = s->opt->model.compute;
        TRY(scoring_init(&s->scorings[i], s->given ? s->given : s->references[i].model,
                         s->tokenizer, s->home.pool, shape, err));
        if (s->opt->fixed_length > 0) {
            TRY(scoring_measure_curve(&s->scorings[i], &s->sample, err));
        }
    }
    return WINNOW_OK;
}

static void cost(const struct selector *s, struct selector_cost *out)
{
    *out = (struct selector_cost){.loss = (double)NAN};
    for (size_t i = 0; i < s->sides; i++) {
        out->preparing += s->references[i].flops;
        out->tokens += s->references[i].tokens;
        out->loss = s->references[0].loss;
    }
    for (size_t i = 0; i < scorers(s); i++) {
        out->measuring += s->scorings[i].flops;
    }
}

/* ---- score ---- */

/* Copies of a text have the same draw: all of them are spent. */
static bool spent(const struct selector *s, const struct selector_document *d)
{
    return s->sides == 1 && d->draw <= s->references[0].last_draw;
}

struct worker {
    struct selector *s;
    struct scoring_worker *by[2];
};

static void *worker_new(struct selector *s)
{
    struct worker *w = mem_zalloc(sizeof *w);
    w->s = s;
    for (size_t i = 0; i < scorers(s); i++) {
        w->by[i] = scoring_worker_new(&s->scorings[i]);
    }
    return w;
}

static void worker_free(void *worker)
{
    struct worker *w = worker;
    if (w) {
        scoring_worker_free(w->by[0]);
        scoring_worker_free(w->by[1]);
        mem_free(w);
    }
}

static winnow_status score(void *worker, const struct selector_document *d,
                           struct selector_score *out, struct winnow_error *err)
{
    struct worker *w = worker;
    /* the reference of one half scores the other */
    size_t by = w->s->sides == 2 ? 1 - side_of(w->s, d) : 0;
    struct document_nll nll;
    TRY(scoring_text(w->by[by], d->text, true, &nll, err));
    *out = (struct selector_score){nll.mean, nll.tokens, nll.computed, nll.flops};
    return WINNOW_OK;
}

/* ---- choose ---- */

static winnow_status choose(struct selector *s, const void *options, struct selector_item *items,
                            size_t count, size_t groups, struct winnow_error *err)
{
    const struct winnow_prune_options *o = options;
    mem_free(s->edges);
    s->edges = mem_zalloc((groups + 1) * sizeof *s->edges);
    return band_cut(items, count, (enum winnow_criterion)o->criterion, o->rate, s->edges, groups,
                    err);
}

const struct selector_kind BAND_SELECTOR = {.name = "band",
                                            .table = &PRUNE_TABLE,
                                            .check = check,
                                            .traits = traits,
                                            .open = open_band,
                                            .close = close_band,
                                            .wants = wants,
                                            .offer = offer,
                                            .held = held,
                                            .prepare = prepare,
                                            .cost = cost,
                                            .spent = spent,
                                            .worker_new = worker_new,
                                            .worker_free = worker_free,
                                            .score = score,
                                            .choose = choose};

/* ---- for prune.json ---- */

size_t band_selector_references(const struct selector *s, const struct reference **out)
{
    *out = s->references;
    return s->sides;
}

const struct band_edges *band_selector_edges(const struct selector *s)
{
    return s->edges;
}

const struct model *band_selector_model(const struct selector *s, uint32_t *window,
                                        uint32_t *stride)
{
    *window = s->scorings[0].score.window;
    *stride = s->scorings[0].score.stride;
    return s->scorings[0].model;
}

uint64_t band_selector_worker_bytes(const struct selector *s)
{
    uint64_t engine =
        scoring_worker_bytes(model_config(s->scorings[0].model), s->opt->model.compute);
    return scorers(s) * engine;
}
