/* score.c -- the stage `score`: one annotation a document, nothing removed. */
#include "prune/score.h"

#include "winnow/score.h"

#include "corpus/split.h"
#include "model/model_file.h"
#include "option/belongs.h"
#include "option/server_options.h"
#include "option/tables.h"
#include "prune/model_speed.h"
#include "prune/prune_attribute.h"
#include "prune/scoring.h"
#include "prune/server_scores.h"

#include <math.h>
#include <stdio.h>

struct score_state {
    const struct winnow_score_options *opt;
    struct scoring scoring;
    struct least_draws sample;
    struct model *model;
    struct tokenizer *tokenizer;
    struct server_scores *served; /* with --url, in place of the three before */
};

static struct server_scores_options served_options(const struct winnow_score_options *opt)
{
    return (struct server_scores_options){
        .server = &opt->server,
        .tokenizer = opt->tokenizer,
        .shape = {opt->window, opt->stride, opt->fixed_length},
        .responses = opt->responses,
    };
}

static winnow_status sample_document(void *state, void *worker, const struct document *d,
                                     struct stage_result *r, struct winnow_error *err)
{
    (void)worker;
    (void)r;
    (void)err;
    struct score_state *s = state;
    uint64_t draw = split_draw(split_key(d->text), 0, "length");
    (void)pthread_mutex_lock(&s->scoring.lock);
    least_draws_offer(&s->sample, draw, d->ordinal, d->text);
    (void)pthread_mutex_unlock(&s->scoring.lock);
    return WINNOW_OK;
}

static void *worker_new(void *state)
{
    return scoring_worker_new(&((struct score_state *)state)->scoring);
}

static void worker_free(void *worker)
{
    scoring_worker_free(worker);
}

static winnow_status score_document(void *state, void *worker, const struct document *d,
                                    struct stage_result *r, struct winnow_error *err)
{
    struct document_nll nll;
    TRY(((struct score_state *)state)->opt->responses
            ? scoring_responses(worker, d, &nll, err)
            : scoring_text(worker, d->text, true, &nll, err));
    scoring_attributes(d->text, &nll, &r->attributes[0]);
    r->score = nll.mean;
    return WINNOW_OK;
}

static winnow_status measure_length(struct stage *s, struct score_state *state,
                                    struct winnow_error *err)
{
    const struct stage_pass pass = {.name = "sample", .state = state, .document = sample_document};
    state->sample = scoring_sample(state->scoring.score.fixed_length);
    winnow_status st = stage_run_pass(s, &pass, err);
    if (st == WINNOW_OK) {
        st = scoring_measure_curve(&state->scoring, &state->sample, err);
    }
    least_draws_release(&state->sample);
    return st;
}

struct tally {
    uint64_t rows, scored;
    const char *member;
};

static winnow_status count_score(void *ctx, uint64_t ordinal, struct str id,
                                 struct json_value attributes, struct winnow_error *err)
{
    (void)ordinal;
    (void)id;
    (void)err;
    struct tally *t = ctx;
    t->rows++;
    t->scored += isnan(attribute_score(attributes, t->member)) ? 0 : 1;
    return WINNOW_OK;
}

/* From what was written, so that a resumed stage says the same. */
static winnow_status check_scores(struct stage *s, const struct winnow_score_options *opt,
                                  struct winnow_error *err)
{
    struct tally t = {.member = "winnow__nll"};
    TRY(stage_each_attribute(s, opt->name, count_score, &t, err));
    const char *by = opt->server.url ? "behind --url" : opt->model;
    if (t.rows > 0 && t.scored == 0) {
        return error_set(err, WINNOW_E_FORMAT,
                         "the model %s gives none of the %llu documents a score: they have no "
                         "text, or its numbers overflow",
                         by, (unsigned long long)t.rows);
    }
    if (t.scored < t.rows) {
        env_log(stage_env(s), WINNOW_LOG_WARNING,
                "%llu of %llu documents have no score (no text, or numbers that overflow)",
                (unsigned long long)(t.rows - t.scored), (unsigned long long)t.rows);
        stage_note_double(s, "without_score", (double)(t.rows - t.scored));
    }
    return WINNOW_OK;
}

static winnow_status score_corpus(struct stage *s, const struct winnow_score_options *opt,
                                  struct score_state *state, struct winnow_error *err)
{
    const char *const names[] = {opt->name, NULL};
    const struct scoring_shape shape = {opt->window, opt->stride, opt->fixed_length};
    TRY(model_open(opt->model, &state->model, err));
    TRY(model_load_tokenizer(opt->tokenizer ? opt->tokenizer : opt->model, &state->tokenizer, err));
    TRY(scoring_init(&state->scoring, state->model, state->tokenizer, stage_pool(s), shape, err));
    if (opt->fixed_length > 0) {
        TRY(measure_length(s, state, err));
    }
    const struct stage_pass pass = {
        .name = "score",
        .verdicts = true,
        .apart = true,
        .attributes = names,
        .state = state,
        .worker_new = worker_new,
        .worker_free = worker_free,
        .document = score_document,
        .word_bytes = 64,
        .worker_bytes = scoring_worker_bytes(model_config(state->model), opt->compute)};
    TRY(stage_run_pass(s, &pass, err));
    return stage_leads(s) ? check_scores(s, opt, err) : WINNOW_OK;
}

static winnow_status score_by_server(struct stage *s, const struct winnow_score_options *opt,
                                     struct score_state *state, struct winnow_error *err)
{
    const struct server_scores_options served = served_options(opt);
    TRY(server_scores_run(s, &served, opt->name, true, &state->served, err));
    return check_scores(s, opt, err);
}

static winnow_status run_score(struct stage *s, const void *options, struct winnow_error *err)
{
    const struct winnow_score_options *opt = options;
    struct score_state state = {.opt = opt,
                                .scoring = {.env = stage_env(s), .compute = opt->compute}};
    winnow_status st =
        opt->server.url ? score_by_server(s, opt, &state, err) : score_corpus(s, opt, &state, err);
    server_scores_close(state.served);
    scoring_release(&state.scoring);
    tokenizer_free(state.tokenizer);
    model_free(state.model);
    return st;
}

static winnow_status check_score(const void *options, const struct stage_plan *plan,
                                 struct winnow_error *err)
{
    const struct winnow_score_options *opt = options;
    static const char *const SERVED[] = {SERVER_SCORES_NAMES, NULL};
    static const char *const OWN[] = {"model", "compute", NULL};
    struct model_config config;
    if (opt->name[0] == '\0' || strchr(opt->name, '/')) {
        return error_set(err, WINNOW_E_USAGE, "--name \"%s\" is no name of a folder", opt->name);
    }
    if (opt->responses && (opt->fixed_length > 0 || opt->stride > 0)) {
        return error_set(err, WINNOW_E_USAGE,
                         "--responses scores each row as one sequence; leave --fixed-length and "
                         "--stride out");
    }
    if (opt->server.url) {
        const struct server_scores_options served = served_options(opt);
        TRY(option_belong(&SCORE_TABLE, opt, OWN, "a model that scores here, not to --url", err));
        return server_scores_check(&served, plan->env, err);
    }
    TRY(option_belong(&SCORE_TABLE, opt, SERVED, "--url", err));
    if (!opt->model) {
        return error_set(err, WINNOW_E_USAGE,
                         "it needs a model: --model PATH, or --url of a server that has one");
    }
    TRY(model_load_config(opt->model, &config, err));
    return scoring_need_memory(&config, opt->compute, plan->threads, plan->memory_max, "score",
                               err);
}

static bool passes_again(const void *options)
{
    const struct winnow_score_options *opt = options;
    return opt->fixed_length > 0 || opt->server.url;
}

/* Reading the sample with a large model takes minutes: a trial of seconds says it. */
static bool too_dear(const void *options)
{
    (void)options;
    return true;
}

static void estimate_score(const void *options, const struct stage_plan *plan,
                           struct stage_estimate *out)
{
    const struct winnow_score_options *opt = options;
    const struct scoring_shape shape = {opt->window, opt->stride, opt->fixed_length};
    if (opt->server.url) {
        (void)snprintf(out->note, sizeof out->note, "%s", SERVER_SCORES_SPEED);
        return;
    }
    model_speed_expect(opt->model, opt->compute, shape, plan, out);
}

/* A server is asked by one process, in the order of the documents. */
static bool over_ranks(const void *options)
{
    return !((const struct winnow_score_options *)options)->server.url;
}

const struct stage_kind SCORE_STAGE = {.table = &SCORE_TABLE,
                                       .check = check_score,
                                       .estimate = estimate_score,
                                       .estimate_only = too_dear,
                                       .run = run_score,
                                       .over_ranks = over_ranks,
                                       .passes_again = passes_again,
                                       .uses_kernels = true};
