/* synthesize.c -- the stage `synthesize`:
 *
 *   1. seeds     documents that are shown to the writer, drawn evenly over clusters
 *   2. learn     what templates know of them; or
 *      ask       a model writes, and its answers are kept
 *   3. make      documents of what was written, each with a verdict, behind the input
 *   4. verdicts  over both: originals go on or aside; what was made and does not pass is removed
 *
 * Each step leaves files that the next call goes on with. */
#include "synth/synthesize.h"

#include "winnow/synthesize.h"
#include "winnow/train.h"

#include "base/amount.h"
#include "base/env.h"
#include "base/json_write.h"
#include "model/model_file.h"
#include "option/tables.h"
#include "remote/server.h"
#include "synth/synth_ask.h"
#include "synth/synth_make.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#define TEMPLATES_NAME "templates 1" /* another number where they write other texts */

struct synthesize {
    const struct winnow_synthesize_options *opt;
    struct stage *stage;
    struct synth_prompts prompts;
    struct synth_judge judge;
    struct synth_seeds seeds;
    struct synth_plan plan;
    struct synth_templates *templates;
    struct synth_answers answers;
    struct synth_model model;
    struct synth_made made;
};

/* ---- options ---- */

static winnow_status check_benchmarks(const struct winnow_synthesize_options *o,
                                      struct winnow_error *err)
{
    if (o->decontaminate && o->benchmarks.count == 0) {
        return error_set(err, WINNOW_E_USAGE,
                         "what is written may hold benchmark items that nobody will find again: "
                         "name the benchmarks with --benchmark FILE, or say --no-benchmarks where "
                         "there are none to keep out");
    }
    if (!o->decontaminate && o->benchmarks.count > 0) {
        return error_set(err, WINNOW_E_USAGE,
                         "--benchmark names what is to be kept out, and --no-benchmarks says that "
                         "nothing is; give one of them");
    }
    return WINNOW_OK;
}

static winnow_status check_engine(const struct winnow_synthesize_options *o,
                                  const struct stage_plan *plan, struct winnow_error *err)
{
    struct model_config config;
    bool templates = o->engine == WINNOW_SYNTHESIZE_TEMPLATES;
    if (templates && (o->writer || o->server.url)) {
        return error_set(err, WINNOW_E_USAGE, "templates need no model: with %s give --engine %s",
                         o->writer ? "--writer" : "--url", o->writer ? "builtin" : "http");
    }
    if (templates && o->prompts) {
        return error_set(err, WINNOW_E_USAGE,
                         "templates read no prompts: with --prompts give --engine builtin or http");
    }
    if (o->engine == WINNOW_SYNTHESIZE_HTTP && !o->server.url) {
        return error_set(err, WINNOW_E_USAGE,
                         "--engine http needs --url, the address of the server that writes, e.g. "
                         "--url http://127.0.0.1:8080");
    }
    if (o->engine == WINNOW_SYNTHESIZE_BUILTIN && !o->writer) {
        return error_set(err, WINNOW_E_USAGE,
                         "--engine builtin needs --writer, the folder or .gguf of the model that "
                         "writes; without one there is --engine templates");
    }
    TRY(server_check(&o->server, plan->env, err));
    return o->engine == WINNOW_SYNTHESIZE_BUILTIN ? model_load_config(o->writer, &config, err)
                                                  : WINNOW_OK;
}

static winnow_status check_words(const struct synth_prompts *prompts, struct winnow_error *err)
{
    for (size_t i = 0; i < prompts->count; i++) {
        const struct synth_prompt *p = &prompts->items[i];
        if (p->words_min > p->words_max) {
            return error_set(err, WINNOW_E_USAGE,
                             "no answer to the prompt %s has at least %" PRIu32
                             " and at most %" PRIu32 " words; change --words-min or --words-max",
                             p->name, p->words_min, p->words_max);
        }
    }
    return WINNOW_OK;
}

/* What the stage holds for so many documents, of which seeds may be drawn. */
static uint64_t memory_of(const struct winnow_synthesize_options *o, uint64_t documents)
{
    uint64_t seeds = o->documents > 0 && o->documents < documents ? o->documents : documents;
    uint64_t answers = documents * o->per_seed;
    answers = o->documents > 0 && o->documents < answers ? o->documents : answers;
    uint64_t templates =
        o->engine == WINNOW_SYNTHESIZE_TEMPLATES ? synth_templates_memory(seeds) : 8 * answers;
    return synth_seeds_memory(seeds) + 8 * seeds + synth_make_memory(answers) + templates;
}

static winnow_status check_all(const struct winnow_synthesize_options *o,
                               const struct stage_plan *plan, struct synth_prompts *prompts,
                               struct synth_judge *judge, struct winnow_error *err)
{
    TRY(check_benchmarks(o, err));
    TRY(check_engine(o, plan, err));
    TRY(synth_prompts_load(o, prompts, err));
    TRY(check_words(prompts, err));
    TRY(synth_judge_open(judge, o, err));
    uint64_t needed = memory_of(o, plan->documents) + synth_judge_memory(judge, plan->threads);
    return memory_need(plan->memory_max, "it", needed + STAGE_MEMORY_LEAST,
                       "ask for fewer documents (--documents)", err);
}

static winnow_status synthesize_check(const void *options, const struct stage_plan *plan,
                                      struct winnow_error *err)
{
    struct synth_prompts prompts = {0};
    struct synth_judge judge = {0};
    winnow_status st = check_all(options, plan, &prompts, &judge, err);
    synth_prompts_release(&prompts);
    synth_judge_release(&judge);
    return st;
}

static bool asks_a_model(const void *options)
{
    const struct winnow_synthesize_options *o = options;
    return o->engine != WINNOW_SYNTHESIZE_TEMPLATES;
}

static void synthesize_estimate(const void *options, const struct stage_plan *plan,
                                struct stage_estimate *out)
{
    const struct winnow_synthesize_options *o = options;
    uint64_t answers = plan->documents * o->per_seed;
    answers = o->documents > 0 && o->documents < answers ? o->documents : answers;
    out->memory = memory_of(o, plan->documents);
    if (asks_a_model(o)) {
        out->keep = 1;
        (void)snprintf(out->note, sizeof out->note,
                       "up to %" PRIu64 " requests; how long that takes, its %s decides", answers,
                       o->engine == WINNOW_SYNTHESIZE_HTTP ? "server" : "model");
    }
}

/* ---- 1. and 2. ---- */

static winnow_status write_texts(struct synthesize *z, struct winnow_error *err)
{
    const struct winnow_env *env = stage_env(z->stage);
    if (z->opt->engine == WINNOW_SYNTHESIZE_TEMPLATES) {
        return synth_templates_new(&z->seeds, stage_pool(z->stage), env, &z->templates, err);
    }
    struct buf path = {0};
    winnow_status st =
        synth_answers_open(stage_path(z->stage, "answers.jsonl", &path), &z->answers, err);
    buf_release(&path);
    return st == WINNOW_OK
               ? synth_ask(z->stage, z->opt, &z->plan, &z->seeds, &z->answers, &z->model, err)
               : st;
}

/* ---- 4. verdicts ---- */

static winnow_status judge_document(void *state, void *worker, const struct document *d,
                                    struct stage_result *r, struct winnow_error *err)
{
    (void)worker;
    const struct synthesize *z = state;
    if (d->ordinal < z->seeds.ordinals) {
        bool aside = z->opt->originals == WINNOW_ORIGINALS_ASIDE;
        r->verdict = aside ? STAGE_ASIDE : STAGE_KEEP;
        r->rule = aside ? "original" : NULL;
        return WINNOW_OK;
    }
    uint64_t i = d->ordinal - z->seeds.ordinals;
    if (i >= z->made.count) {
        return error_set(err, WINNOW_E_INTERNAL, "%.*s is behind all that was made",
                         STR_ARG(d->id));
    }
    const struct synth_made_verdict *v = &z->made.verdicts[i];
    r->verdict = v->rule ? STAGE_REMOVE : STAGE_KEEP;
    r->rule = v->rule;
    r->score = (double)v->score;
    r->threshold = (double)v->threshold;
    synth_made_describe(&z->made, i, &r->detail);
    return WINNOW_OK;
}

static void note_counts(struct synthesize *z)
{
    struct buf text = {0};
    struct json_writer w = {.out = &text};
    json_open(&w, '{');
    for (int i = 0; i < SYNTH_KINDS; i++) {
        json_member_u64(&w, synth_kind_name((enum synth_kind)i), z->made.by_kind[i]);
    }
    json_close(&w, '}');
    stage_note(z->stage, "kept_by_kind", buf_str(&text));
    stage_note_double(z->stage, "seeds", (double)z->seeds.count);
    stage_note_double(z->stage, "seeds_there_are", (double)z->seeds.documents);
    stage_note_double(z->stage, "clusters", (double)z->seeds.clusters);
    stage_note_double(z->stage, "asked", (double)z->made.count);
    stage_note_double(z->stage, "new_tokens", (double)z->made.new_tokens);
    stage_note(z->stage, "decontaminated",
               z->opt->decontaminate ? STR_LIT("true") : STR_LIT("false"));
    buf_release(&text);
}

static void say(const struct synthesize *z)
{
    uint64_t kept = 0;
    const struct winnow_env *env = stage_env(z->stage);
    for (size_t i = 0; i < SYNTH_KINDS; i++) {
        kept += z->made.by_kind[i];
    }
    env_log(env, WINNOW_LOG_INFO,
            "synthesize: %" PRIu64 " of %" PRIu64 " answers are documents, of %zu seeds", kept,
            z->made.count, z->seeds.count);
    if (kept == 0) {
        env_log(env, WINNOW_LOG_WARNING,
                "synthesize: nothing that was written may stay; stats.json counts the reasons, and "
                "removed/ has the texts");
    }
    if (!z->opt->decontaminate) {
        env_log(env, WINNOW_LOG_WARNING,
                "synthesize: with --no-benchmarks nobody looked for benchmark items in what was "
                "written");
    }
}

static winnow_status run_steps(struct synthesize *z, struct winnow_error *err)
{
    const struct winnow_synthesize_options *opt = z->opt;
    TRY(synth_prompts_load(opt, &z->prompts, err));
    TRY(synth_judge_open(&z->judge, opt, err));
    TRY(synth_seeds_draw(z->stage, opt, opt->documents > 0 ? opt->documents : UINT64_MAX, &z->seeds,
                         err));
    if (z->seeds.count == 0) {
        return error_set(err, WINNOW_E_FORMAT, "no document can be a seed: none has %s%s%s",
                         opt->from ? "a source that begins with " : "40 bytes of text",
                         opt->from ? opt->from : "", opt->from ? ", as --from asks" : "");
    }
    synth_plan_init(&z->plan, opt, &z->prompts, &z->seeds, stage_env(z->stage)->seed);
    TRY(write_texts(z, err));
    static const char *const ENGINES[] = {"templates", "builtin", "http"};
    bool templates = z->templates != NULL;
    const struct synth_sources sources = {
        .opt = opt,
        .plan = &z->plan,
        .seeds = &z->seeds,
        .templates = z->templates,
        .answers = &z->answers,
        .judge = &z->judge,
        .writer = {ENGINES[opt->engine],
                   templates ? STR_LIT(TEMPLATES_NAME) : buf_str(&z->model.name),
                   templates ? STR_LIT("") : buf_str(&z->model.hash)}};
    TRY(synth_make(z->stage, &sources, &z->made, err));
    const struct stage_pass pass = {
        .name = "synthesize", .verdicts = true, .state = z, .document = judge_document};
    TRY(stage_run_pass(z->stage, &pass, err));
    note_counts(z);
    say(z);
    return WINNOW_OK;
}

static winnow_status synthesize_run(struct stage *stage, const void *options,
                                    struct winnow_error *err)
{
    struct synthesize z = {.opt = options, .stage = stage};
    winnow_status st = run_steps(&z, err);
    synth_made_release(&z.made);
    synth_model_release(&z.model);
    synth_answers_close(&z.answers);
    synth_templates_free(z.templates);
    synth_seeds_release(&z.seeds);
    synth_judge_release(&z.judge);
    synth_prompts_release(&z.prompts);
    return st;
}

const struct stage_kind SYNTHESIZE_STAGE = {
    .table = &SYNTHESIZE_TABLE,
    .check = synthesize_check,
    .estimate = synthesize_estimate,
    .estimate_only = asks_a_model,
    .run = synthesize_run,
    .many_passes = true,
    .uses_kernels = true,
};
