/* quality.c -- the stage `quality`: a probability a document, noted, and a threshold if asked.
 *
 * Beside the scores it says what the name of the source alone would have said. */
#include "quality/quality.h"

#include "winnow/quality.h"

#include "base/env.h"
#include "base/hash.h"
#include "option/tables.h"
#include "quality/fasttext.h"
#include "quality/label_of.h"
#include "quality/source_scores.h"

#include <inttypes.h>
#include <math.h>
#include <pthread.h>

/* What document() leaves for decide(). */
enum { CARRY_SOURCE, CARRY_TRUTH };
enum { TRUTH_UNKNOWN, TRUTH_BAD, TRUTH_GOOD };

struct quality_state {
    const struct winnow_quality_options *opt;
    struct fasttext *model;
    uint32_t label;
    pthread_mutex_t lock; /* of the names in scores */
    struct source_scores scores;
};

static void *scratch_new(void *state)
{
    return fasttext_scratch_new(((struct quality_state *)state)->model);
}

static void scratch_free(void *scratch)
{
    fasttext_scratch_free(scratch);
}

static void judge(const struct winnow_quality_options *opt, double score, struct stage_result *r)
{
    if (isnan(score)) {
        if (opt->min > 0 || opt->max < 1) {
            r->verdict = STAGE_REMOVE;
            r->rule = "quality.no_score";
        }
        return;
    }
    r->score = score;
    if (score < opt->min) {
        r->verdict = STAGE_REMOVE;
        r->rule = "quality.min";
        r->threshold = opt->min;
    } else if (score > opt->max) {
        r->verdict = STAGE_REMOVE;
        r->rule = "quality.max";
        r->threshold = opt->max;
    }
}

static winnow_status score_document(void *state, void *worker, const struct document *d,
                                    struct stage_result *r, struct winnow_error *err)
{
    (void)err;
    struct quality_state *s = state;
    struct fasttext_scratch *scratch = worker;
    double score = (double)NAN;
    if (fasttext_score(s->model, d->text, scratch) && isfinite(scratch->scores[s->label])) {
        score = scratch->scores[s->label];
        stage_add_score(&r->attributes[0], "winnow__quality", d->text, score);
    }
    judge(s->opt, score, r);
    bool good;
    if (s->opt->truth && label_of(d->json, s->opt->truth, &good)) {
        r->carry[CARRY_TRUTH] = good ? TRUTH_GOOD : TRUTH_BAD;
    }
    (void)pthread_mutex_lock(&s->lock);
    r->carry[CARRY_SOURCE] = source_scores_number(&s->scores, d->source);
    (void)pthread_mutex_unlock(&s->lock);
    return WINNOW_OK;
}

/* In the order of the input, so that sums come out alike. */
static winnow_status sum_up(void *state, struct str id, uint64_t ordinal, struct stage_result *r,
                            struct winnow_error *err)
{
    (void)ordinal;
    (void)err;
    struct quality_state *s = state;
    uint32_t source = (uint32_t)r->carry[CARRY_SOURCE];
    uint64_t truth = r->carry[CARRY_TRUTH];
    (void)pthread_mutex_lock(&s->lock);
    source_scores_add(&s->scores, source, r->score, r->verdict == STAGE_KEEP);
    if (truth != TRUTH_UNKNOWN) {
        source_scores_know(&s->scores, source, r->score, truth == TRUTH_GOOD,
                           (unsigned)(hash64(id, 0) & 1U));
    }
    (void)pthread_mutex_unlock(&s->lock);
    return WINNOW_OK;
}

static uint64_t sums_growth(void *state)
{
    return source_scores_bytes(&((struct quality_state *)state)->scores);
}

static void note_aucs(struct stage *s, const struct quality_state *state, struct json_writer *w)
{
    if (state->scores.truth_count == 0) {
        return;
    }
    struct source_aucs a = source_scores_aucs(&state->scores);
    json_member_u64(w, "known_good", a.score.good);
    json_member_u64(w, "known_bad", a.score.bad);
    json_member_double(w, "auc", a.score.value);
    json_member_double(w, "auc_low", a.score.low);
    json_member_double(w, "auc_high", a.score.high);
    json_member_double(w, "source_only_auc", a.sources.value);
    env_log(stage_env(s), WINNOW_LOG_INFO,
            "quality: AUC %.3f [%.3f, %.3f] of %" PRIu64 " good and %" PRIu64
            " bad documents by \"%s\"; the name of the source alone has %.3f",
            a.score.value, a.score.low, a.score.high, a.score.good, a.score.bad, state->opt->truth,
            a.sources.value);
}

static void note_scores(struct stage *s, struct quality_state *state)
{
    source_scores_sort(&state->scores);
    struct source_spread spread = source_scores_spread(&state->scores);
    struct buf text = {0};
    struct json_writer w = {.out = &text};
    json_open(&w, '{');
    json_member_str(&w, "label", fasttext_label(state->model, state->label));
    json_member_u64(&w, "documents", spread.documents);
    json_member_u64(&w, "scored", spread.scored);
    json_member_double(&w, "mean", spread.mean);
    json_member_double(&w, "sd", spread.sd);
    json_member_double(&w, "explained_by_source", spread.between);
    note_aucs(s, state, &w);
    json_key(&w, "sources");
    source_scores_json(&state->scores, &w);
    json_close(&w, '}');
    stage_note(s, "quality", buf_str(&text));
    buf_release(&text);
    if (isfinite(spread.between)) {
        env_log(stage_env(s), WINNOW_LOG_INFO,
                "quality: mean %.3f, deviation %.3f; the source explains %.0f %% of the variance",
                spread.mean, spread.sd, 100 * spread.between);
    }
}

static winnow_status check_scores(struct stage *s, const struct quality_state *state,
                                  struct winnow_error *err)
{
    struct source_spread spread = source_scores_spread(&state->scores);
    if (spread.documents > 0 && spread.scored == 0) {
        return error_set(
            err, WINNOW_E_FORMAT,
            "the model %s gives none of the %" PRIu64
            " documents a score: it knows none of their words, or its numbers overflow",
            state->opt->model, spread.documents);
    }
    if (state->opt->truth && spread.documents > 0 && state->scores.truth_count == 0) {
        return error_set(err, WINNOW_E_FORMAT,
                         "no document has a number or true or false at \"%s\", which --truth names",
                         state->opt->truth);
    }
    if (spread.scored < spread.documents) {
        env_log(stage_env(s), WINNOW_LOG_WARNING,
                "%" PRIu64 " of %" PRIu64 " documents have no score: the model knows none of their "
                "words",
                spread.documents - spread.scored, spread.documents);
    }
    return WINNOW_OK;
}

/* Of ids of rows and hashes, which double as they grow. */
static unsigned scratch_factor(const struct fasttext_args *a)
{
    unsigned ids = a->word_ngrams > 1 ? (unsigned)a->word_ngrams : 1;
    unsigned pieces = a->maxn > 0 && a->maxn >= a->minn ? (unsigned)(a->maxn - a->minn) + 1 : 0;
    return 4 * ids + 8 * pieces + 4;
}

static winnow_status run_passes(struct stage *s, struct quality_state *state,
                                struct winnow_error *err)
{
    const char *const names[] = {state->opt->name, NULL};
    struct stage_pass pass = {.name = "quality",
                              .verdicts = true,
                              .attributes = names,
                              .state = state,
                              .worker_new = scratch_new,
                              .worker_free = scratch_free,
                              .document = score_document,
                              .decide = sum_up,
                              .growth = sums_growth,
                              .scratch_factor = scratch_factor(&state->model->args),
                              .word_bytes = 16};
    TRY(stage_run_pass(s, &pass, err));
    if (state->scores.count == 0 && stage_documents(s) > 0) {
        /* An earlier process did all of the pass and ended before it had noted the sums. */
        pass.name = "sources";
        pass.verdicts = false;
        pass.attributes = NULL;
        TRY(stage_run_pass(s, &pass, err));
    }
    note_scores(s, state);
    return check_scores(s, state, err);
}

static winnow_status run_quality(struct stage *s, const void *options, struct winnow_error *err)
{
    struct quality_state state = {.opt = options, .lock = PTHREAD_MUTEX_INITIALIZER};
    winnow_status st = fasttext_open(state.opt->model, &state.model, err);
    if (st == WINNOW_OK) {
        st = fasttext_find_label(state.model, state.opt->label, &state.label, err);
    }
    if (st == WINNOW_OK) {
        st = run_passes(s, &state, err);
    }
    source_scores_release(&state.scores);
    fasttext_free(state.model);
    (void)pthread_mutex_destroy(&state.lock);
    return st;
}

static winnow_status check_model(const struct winnow_quality_options *opt,
                                 const struct fasttext *model, const struct stage_plan *plan,
                                 struct winnow_error *err)
{
    uint32_t label;
    TRY(fasttext_find_label(model, opt->label, &label, err));
    return memory_need(plan->memory_max, "quality",
                       fasttext_bytes(model) + model->map.bytes.len + STAGE_MEMORY_LEAST,
                       "take a quantised model (.ftz)", err);
}

static winnow_status check_quality(const void *options, const struct stage_plan *plan,
                                   struct winnow_error *err)
{
    const struct winnow_quality_options *opt = options;
    if (!opt->model) {
        return error_set(err, WINNOW_E_USAGE,
                         "it needs a model: --model FILE.bin, of fastText or of quality train");
    }
    if (opt->name[0] == '\0' || strchr(opt->name, '/')) {
        return error_set(err, WINNOW_E_USAGE, "--name \"%s\" is no name of a folder", opt->name);
    }
    if (opt->min > opt->max) {
        return error_set(err, WINNOW_E_USAGE, "nothing lies between --min %g and --max %g",
                         opt->min, opt->max);
    }
    struct fasttext *model;
    TRY(fasttext_open(opt->model, &model, err));
    winnow_status st = check_model(opt, model, plan, err);
    fasttext_free(model);
    return st;
}

static void estimate_quality(const void *options, const struct stage_plan *plan,
                             struct stage_estimate *out)
{
    (void)plan;
    const struct winnow_quality_options *opt = options;
    struct fasttext *model;
    struct winnow_error err;
    if (fasttext_open(opt->model, &model, &err) == WINNOW_OK) {
        out->memory = fasttext_bytes(model) + model->map.bytes.len;
        fasttext_free(model);
    }
}

const struct stage_kind QUALITY_STAGE = {
    .table = &QUALITY_TABLE,
    .check = check_quality,
    .estimate = estimate_quality,
    .run = run_quality,
};
