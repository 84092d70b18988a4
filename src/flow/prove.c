/* prove.c -- `winnow prove`, and the proof at the end of a recipe.
 *
 *   1. hold out     documents that the held-out rule names, or those set aside already
 *   2. tokenizer    trained once, on the raw training side
 *   3. encode       all corpora that arms name
 *   4. yardstick    held-out texts, cloze items made from them, tasks
 *   5. jobs         for each seed: reference and scores, then one model an arm
 *   6. findings     paired over seeds; results.json, timings.json
 */
#include "flow/prove.h"

#include "winnow/prove.h"
#include "winnow/prune.h"

#include "base/amount.h"
#include "base/claim.h"
#include "base/env.h"
#include "base/file.h"
#include "corpus/spool.h"
#include "option/tables.h"
#include "prove/arm_sources.h"
#include "prove/results.h"
#include "prune/band.h"
#include "prune/band_selector.h"
#include "prune/model_speed.h"
#include "run/command_key.h"
#include "run/guard.h"
#include "select/select_selector.h"
#include "train/small_model.h"

#include <math.h>
#include <stdio.h>

#define DOCUMENT_BYTES 200U /* of a text beside its tokens: rows, copies, draws */

struct proof {
    struct experiment x;
    const struct method *stage; /* that arms are selected by; NULL: bands, by the options */
    const char *folder;
    double started;
};

static winnow_status write_results(struct proof *p, const struct outcome *o, bool complete,
                                   struct buf *table, struct winnow_error *err)
{
    struct findings f;
    struct buf text = {0}, path = {0};
    winnow_status st = findings_init(&f, &p->x, o, err);
    if (st == WINNOW_OK) {
        results_write(&f, &PROVE_TABLE, &text);
        st = file_write_atomic(
            file_join(&path, p->folder, complete ? "results.json" : "partial.json"), buf_str(&text),
            err);
    }
    if (st == WINNOW_OK && table) {
        results_table(&f, table);
        buf_add_char(table, '\n');
        results_sentences(&f, table);
    }
    findings_release(&f);
    buf_release(&text);
    buf_release(&path);
    return st;
}

static winnow_status seed_done(void *ctx, const struct outcome *o, struct winnow_error *err)
{
    struct proof *p = ctx;
    return o->seeds == p->x.opt->seeds ? WINNOW_OK : write_results(p, o, false, NULL, err);
}

static winnow_status write_timings(struct proof *p, struct winnow_error *err)
{
    struct buf text = {0}, path = {0};
    struct json_writer w = {.out = &text, .pretty = true};
    json_open(&w, '{');
    json_member_open(&w, "wall_seconds", '{');
    json_member_double(&w, "total", env_seconds() - p->started);
    json_member_open(&w, "jobs", '[');
    winnow_status st = schedule_timings(&p->x, p->folder, &w, err);
    json_close(&w, ']');
    json_close(&w, '}');
    json_close(&w, '}');
    if (st == WINNOW_OK) {
        st = file_write_atomic(file_join(&path, p->folder, "timings.json"), buf_str(&text), err);
    }
    buf_release(&text);
    buf_release(&path);
    return st;
}

/* All that the key of the folder stands for. */
static winnow_status remove_results(const struct proof *p, struct winnow_error *err)
{
    static const char *const GONE[] = {"results.json", "partial.json", "jobs", "tokenizer.json",
                                       "timings.json"};
    struct buf path = {0};
    winnow_status st = WINNOW_OK;
    for (size_t i = 0; st == WINNOW_OK && i < sizeof GONE / sizeof *GONE; i++) {
        st = file_remove_tree(file_join(&path, p->folder, GONE[i]), err);
    }
    buf_release(&path);
    return st;
}

static winnow_status throw_away(const struct proof *p, const struct claim *there,
                                const struct claim *now, struct winnow_error *err)
{
    struct buf path = {0};
    bool finished = file_exists(file_join(&path, p->folder, "results.json"));
    buf_release(&path);
    if (finished && strcmp(there->settings, now->settings) != 0 && !p->x.env->force) {
        return error_set(err, WINNOW_E_USAGE,
                         "%s holds the finished results of a proof with other settings; name "
                         "another folder with -o, or say --force to have them replaced",
                         p->folder);
    }
    TRY(file_refuse_mounts(p->folder, err));
    env_log(p->x.env, WINNOW_LOG_WARNING,
            "prove: %s holds results of other settings or other input; they are done anew",
            p->folder);
    TRY(claim_write(p->folder, CLAIM_PROOF, &(struct claim){0}, err));
    return remove_results(p, err);
}

/* Jobs that an earlier call left belong to this one where their key is the same;
 * else they are thrown away, and so is the tokenizer that went with them. */
static winnow_status match_jobs(struct proof *p, bool *stale, struct winnow_error *err)
{
    struct claim there, now = {0};
    struct buf seed = {0}, path = {0};
    hash128_hex(experiment_key(&p->x), now.key);
    buf_addf(&seed, "%llu", (unsigned long long)p->x.env->seed);
    settings_key(&PROVE_TABLE, p->x.opt, buf_str(&seed), now.settings);
    winnow_status st = claim_read(p->folder, &there, err);
    *stale = st == WINNOW_OK && there.key[0] && strcmp(there.key, now.key) != 0;
    if (*stale) {
        st = throw_away(p, &there, &now, err);
    } else if (st == WINNOW_OK) {
        st = file_make_dirs(file_join(&path, p->folder, "jobs"), err);
        st = st == WINNOW_OK ? file_remove_temporaries(buf_cstr(&path), err) : st;
        st = st == WINNOW_OK ? claim_write(p->folder, CLAIM_PROOF, &now, err) : st;
    }
    buf_release(&seed);
    buf_release(&path);
    return st;
}

static winnow_status prepare(struct proof *p, const struct winnow_prove_options *opt,
                             const struct winnow_list *paths, const struct winnow_env *env,
                             struct winnow_error *err)
{
    struct claim there;
    TRY(claim_read(p->folder, &there, err));
    if (!there.key[0]) { /* a tokenizer without the key of what it was trained on */
        TRY(remove_results(p, err));
    }
    bool stale = true;
    for (int round = 0; round < 3 && stale; round++) { /* the last one starts from nothing */
        experiment_release(&p->x);
        TRY(experiment_init(&p->x, opt, p->stage, paths, env, err));
        TRY(match_jobs(p, &stale, err));
    }
    return findings_check_primary(&p->x, err);
}

static void fill_result(const struct proof *p, const struct outcome *o,
                        struct winnow_prove_result *out)
{
    *out = (struct winnow_prove_result){.complete = true,
                                        .seeds = o->seeds,
                                        .arms = p->x.arm_count,
                                        .parameters = p->x.parameters,
                                        .steps = p->x.steps,
                                        .jobs_done = o->jobs_done,
                                        .jobs_found = o->jobs_found};
    for (uint32_t s = 0; s < o->seeds; s++) {
        for (uint32_t a = 0; a < p->x.arm_count; a++) {
            out->flops += o->results[s][a].flops;
        }
        if (p->x.has_bands) {
            out->flops += o->selections[s].reference_flops + o->selections[s].scoring_flops;
        }
    }
}

static winnow_status check_options(const struct winnow_prove_options *opt, struct winnow_error *err)
{
    if (!opt->output) {
        return error_set(err, WINNOW_E_USAGE, "say where the results go: -o FOLDER");
    }
    if (opt->heldout.count == 0 && opt->heldout_share <= 0) {
        return error_set(err, WINNOW_E_USAGE,
                         "nothing is held out: give --heldout-share or --heldout");
    }
    return WINNOW_OK;
}

/* What of all corpora could not be read, when all else is done. */
static winnow_status tell_lost(const struct experiment *x, struct winnow_error *err)
{
    struct input_account all = {0};
    for (uint32_t i = 0; i < x->set_count; i++) {
        account_add(&all, &x->sets[i].account);
    }
    account_add(&all, &x->held.account);
    account_add(&all, &x->clean.account);
    winnow_status st = account_tell_lost(&all, err);
    account_release(&all);
    return st;
}

/* Into a folder that is ours by now. */
static winnow_status prove_in(struct proof *p, const struct winnow_prove_options *opt,
                              const struct winnow_list *files, const struct winnow_env *env,
                              struct outcome *o, struct buf *table, struct winnow_error *err)
{
    const struct schedule_hooks hooks = {p, seed_done};
    TRY(prepare(p, opt, files, env, err));
    TRY(schedule_run(&p->x, p->folder, &hooks, o, err));
    TRY(write_results(p, o, true, table, err));
    struct buf path = {0};
    winnow_status st = WINNOW_OK;
    if (o->jobs_done > 0 || !file_exists(file_join(&path, p->folder, "timings.json"))) {
        st = write_timings(p, err);
    }
    if (st == WINNOW_OK) {
        st = file_remove_tree(file_join(&path, p->folder, "partial.json"), err);
    }
    buf_release(&path);
    return st;
}

static winnow_status prove(const struct winnow_prove_options *opt, const struct method *stage,
                           const struct winnow_list *paths, const struct winnow_env *env,
                           struct buf *table, struct winnow_prove_result *result,
                           struct winnow_error *err)
{
    TRY(check_options(opt, err));
    struct proof p = {.stage = stage, .folder = opt->output, .started = env_seconds()};
    struct outcome o = {0};
    const struct guarded what = {.paths = *paths};
    int lock = -1;
    TRY(guard_folder(opt->output, &what, &PROVE_TABLE, opt, err));
    TRY(claim_folder(opt->output, CLAIM_PROOF, &lock, err));
    struct arena keep;
    struct winnow_list files = {0}; /* the corpus is read more than once */
    arena_init(&keep, 4096);
    winnow_status st = spool_paths(paths, opt->output, env, &keep, &files, err);
    if (st == WINNOW_OK) {
        st = prove_in(&p, opt, &files, env, &o, table, err);
    }
    if (st == WINNOW_OK) {
        fill_result(&p, &o, result);
        st = tell_lost(&p.x, err);
    }
    spool_remove(paths, &files);
    arena_release(&keep);
    outcome_release(&o);
    experiment_release(&p.x);
    file_unlock(lock);
    return st;
}

static winnow_status prove_and_tell(const struct winnow_prove_options *opt,
                                    const struct method *stage, const struct winnow_list *paths,
                                    const struct winnow_env *env,
                                    struct winnow_prove_result *result, struct winnow_error *err)
{
    struct buf table = {0};
    *result = (struct winnow_prove_result){0};
    winnow_status st = prove(opt, stage, paths, env, &table, result, err);
    struct str rest = buf_str(&table), line;
    while (result->complete && str_next_line(&rest, &line)) {
        env_log(env, WINNOW_LOG_INFO, "%.*s", STR_ARG(line));
    }
    buf_release(&table);
    return st;
}

winnow_status winnow_prove(const struct winnow_prove_options *opt, const struct winnow_list *paths,
                           const struct winnow_env *env, struct winnow_prove_result *result,
                           struct winnow_error *err)
{
    return prove_and_tell(opt, NULL, paths, env, result, err);
}

/* ---- at the end of a recipe ---- */

struct ending {
    struct run *run;
    struct winnow_prove_options opt;
    struct method stage; /* of the last one, where it prunes or selects; without a kind: none */
    struct arena keep;
    const char *before; /* documents of the first stage behind holdout */
    const char **arms;
    size_t arm_count;
};

static const char *documents_of(struct ending *e, size_t stage)
{
    struct buf path = {0};
    const char *p = file_join(&path, run_stage_folder(e->run, stage), "documents");
    p = arena_strndup(&e->keep, p, path.len);
    buf_release(&path);
    return p;
}

static const char *named_path(struct ending *e, const char *name, const char *path)
{
    struct buf text = {0};
    buf_addf(&text, "%s=%s", name, path);
    const char *p = arena_strndup(&e->keep, text.ptr, text.len);
    buf_release(&text);
    return p;
}

/* A last stage that prunes or selects is done anew under each seed, by the same selector with the
 * same options: its own split and reference are one draw of many. */
static const char *final_arm(struct ending *e)
{
    size_t last = run_stage_count(e->run) - 1;
    bool selects = strcmp(run_stage_command(e->run, last), "select") == 0 && last > 0;
    if (selects && !select_by_scores(run_stage_options(e->run, last))) {
        e->opt.pool = documents_of(e, last - 1);
        e->stage = (struct method){&SELECT_SELECTOR, run_stage_options(e->run, last)};
        struct selector_traits traits;
        SELECT_SELECTOR.traits(e->stage.options, &traits);
        e->opt.rate = traits.share;
        return "final";
    }
    if (strcmp(run_stage_command(e->run, last), "prune") == 0 && last > 0) {
        const struct winnow_prune_options *prune = run_stage_options(e->run, last);
        if (!prune->reference_model && !prune->score_attribute && !prune->score_from &&
            !prune->server.url && !prune->by) {
            e->opt.pool = documents_of(e, last - 1);
            e->opt.rate = prune->rate;
            e->opt.fixed_length = prune->fixed_length;
            e->opt.reference_tokens = prune->reference_tokens;
            e->stage = (struct method){&BAND_SELECTOR, prune};
            return CRITERION_NAMES[prune->criterion];
        }
    }
    return named_path(e, "final", documents_of(e, last));
}

static winnow_status resolve_base(struct ending *e, const char *name, const char **out,
                                  struct winnow_error *err)
{
    static const char *const PLAIN[] = {"before",        "random",           "matched",
                                        "low",           "medium",           "high",
                                        "low-by-source", "medium-by-source", "high-by-source"};
    *out = name;
    if (strcmp(name, "final") == 0) {
        *out = final_arm(e);
        return WINNOW_OK;
    }
    for (size_t i = 0; i < sizeof PLAIN / sizeof *PLAIN; i++) {
        if (strcmp(name, PLAIN[i]) == 0) {
            return WINNOW_OK;
        }
    }
    for (size_t i = 0; i < run_stage_count(e->run); i++) {
        if (strcmp(name, run_stage_command(e->run, i)) == 0) {
            *out = named_path(e, name, documents_of(e, i));
            return WINNOW_OK;
        }
    }
    return error_set(err, WINNOW_E_USAGE, "there is no stage or arm \"%s\" in this recipe", name);
}

/* Ways to train stand behind a name, before a path: "final+weights", "dedup+lfr=PATH". */
static winnow_status resolve_arm(struct ending *e, const char *name, const char **out,
                                 struct winnow_error *err)
{
    const char *ways = strchr(name, '+'), *base = name;
    bool without = arm_source_of(name) != NULL;
    struct arm_way unused;
    *out = name;
    size_t length = without ? strlen(name) : strcspn(name, "=");
    TRY(arm_way_read(arena_strndup(&e->keep, name, length), &e->keep, &base, &unused, err));
    base = name;
    if (without || strchr(name, '=') || strncmp(name, "repeat:", 7) == 0) {
        return WINNOW_OK;
    }
    if (!ways) {
        return resolve_base(e, name, out, err);
    }
    TRY(resolve_base(e, arena_strndup(&e->keep, name, (size_t)(ways - name)), &base, err));
    const char *path = strchr(base, '=');
    struct buf text = {0};
    buf_addf(&text, "%.*s%s%s", (int)(path ? (size_t)(path - base) : strlen(base)), base, ways,
             path ? path : "");
    *out = arena_strndup(&e->keep, text.ptr, text.len);
    buf_release(&text);
    return WINNOW_OK;
}

/* What the stages are yet to make, and patterns, are not looked for. */
static winnow_status check_there(struct run *run, const char *what, const char *path,
                                 struct winnow_error *err)
{
    size_t own = strlen(run_folder(run));
    bool made = own > 0 && strncmp(path, run_folder(run), own) == 0 && path[own] == '/';
    if (made || path[strcspn(path, "*?[")] != '\0' || file_exists(path)) {
        return WINNOW_OK;
    }
    return error_set(err, WINNOW_E_IO, "%s: there is no %s", what, path);
}

static winnow_status check_list(struct run *run, const char *what, struct winnow_list paths,
                                struct winnow_error *err)
{
    for (size_t i = 0; i < paths.count; i++) {
        TRY(check_there(run, what, paths.items[i], err));
    }
    return WINNOW_OK;
}

/* What the stage holdout set aside is the held-out text; without such a stage
 * the hash rule is applied here, to the first stage's documents. */
static void find_heldout(struct ending *e)
{
    size_t first = 0;
    for (size_t i = 0; i < run_stage_count(e->run); i++) {
        if (strcmp(run_stage_command(e->run, i), "holdout") == 0) {
            struct buf path = {0};
            const char *p = file_join(&path, run_stage_folder(e->run, i), "aside");
            const char **list = ARENA_NEW(&e->keep, const char *, 1);
            list[0] = arena_strndup(&e->keep, p, path.len);
            if (e->opt.heldout.count == 0) {
                e->opt.heldout = (struct winnow_list){list, 1};
            }
            buf_release(&path);
            first = i;
        }
    }
    e->before = documents_of(e, first);
}

/* As a proof without stages before it would (prove/experiment.c), before the first of them. */
static bool has_chosen(const char *arm)
{
    static const char *const BANDS[] = {"final", "low", "medium", "high"};
    for (size_t i = 0; i < sizeof BANDS / sizeof *BANDS; i++) {
        if (strncmp(arm, BANDS[i], strlen(BANDS[i])) == 0) {
            return true;
        }
    }
    return !arm_source_of(arm) && strchr(arm, '=');
}

static winnow_status check_arms(struct ending *e, struct winnow_error *err)
{
    bool random = false, chosen = e->opt.pool || e->opt.arms.count == 0;
    for (size_t i = 0; i < e->opt.arms.count; i++) {
        const char *arm = e->opt.arms.items[i], *named = strchr(arm, '='), *resolved;
        TRY(resolve_arm(e, arm, &resolved, err));
        if (named && !arm_source_of(arm)) {
            TRY(check_there(e->run, arm, named + 1, err));
        }
        random = random || strncmp(arm, "random", 6) == 0 || strncmp(arm, "matched", 7) == 0;
        chosen = chosen || has_chosen(resolved);
    }
    return random && !chosen
               ? error_set(err, WINNOW_E_USAGE,
                           "a random arm needs a selected one to be as large as: name final, a "
                           "stage, a band or NAME=PATH")
               : WINNOW_OK;
}

static winnow_status check_ending(struct run *run, const void *options, struct winnow_error *err)
{
    const struct winnow_prove_options *o = options;
    TRY(check_list(run, "heldout", o->heldout, err));
    TRY(check_list(run, "clean", o->clean, err));
    TRY(check_list(run, "tasks", o->tasks, err));
    if (o->tokenizer) {
        TRY(check_there(run, "tokenizer", o->tokenizer, err));
    }
    struct ending e = {.run = run, .opt = *o};
    arena_init(&e.keep, 4096);
    winnow_status st = check_arms(&e, err);
    arena_release(&e.keep);
    return st;
}

static winnow_status run_ending(struct run *run, const void *options, const char *key,
                                struct winnow_error *err)
{
    (void)key; /* jobs have a key of their own, which knows what they depend on */
    static const char *const DEFAULT_ARMS[] = {"before", "final", "random"};
    struct ending e = {.run = run, .opt = *(const struct winnow_prove_options *)options};
    arena_init(&e.keep, 4096);
    struct buf folder = {0};
    e.opt.output = file_join(&folder, run_folder(run), "prove");
    find_heldout(&e);
    struct winnow_list arms =
        e.opt.arms.count > 0 ? e.opt.arms : (struct winnow_list){DEFAULT_ARMS, 3};
    e.arms = ARENA_NEW(&e.keep, const char *, arms.count);
    winnow_status st = WINNOW_OK;
    for (size_t i = 0; st == WINNOW_OK && i < arms.count; i++) {
        st = resolve_arm(&e, arms.items[i], &e.arms[i], err);
    }
    e.opt.arms = (struct winnow_list){e.arms, arms.count};
    struct winnow_prove_result result = {0};
    const struct winnow_list paths = {&e.before, 1};
    if (st == WINNOW_OK) {
        st = prove_and_tell(&e.opt, &e.stage, &paths, run_env(run), &result, err);
        if (st == WINNOW_E_FORMAT && result.complete) { /* done, with what could be read */
            run_ending_lost(run, err->text);
            st = WINNOW_OK;
        }
    }
    buf_release(&folder);
    arena_release(&e.keep);
    return st;
}

/* Only roughly known: of a vocabulary of 400 some 2.5, of 32,000 some 4.4. */
static double token_bytes(const struct winnow_prove_options *o)
{
    return o->tokenizer ? 4 : 0.29 * log2(fmax(o->model.vocab, 256));
}

/* An arm of fewer tokens is refused when its turn comes, after all stages. */
static void expect_enough(const struct winnow_prove_options *o, const struct stage_plan *plan,
                          struct stage_estimate *out)
{
    double per_token = token_bytes(o);
    uint64_t bytes = plan->kept_bytes < plan->text_bytes ? plan->kept_bytes : plan->text_bytes;
    double have = (double)bytes / per_token, need = (double)o->tokens;
    if (o->fixed_pool || have > need * 1.2 || bytes == 0) {
        return;
    }
    (void)snprintf(have * 1.5 < need ? out->refusal : out->more, sizeof out->more,
                   "the smallest arm will hold about %s tokens, and each arm trains on %s: lower "
                   "--tokens, or repeat documents with --fixed-pool",
                   amount_count(have).text, amount_count(need).text);
}

/* Tokens that are there to measure with: of a small corpus less than is asked for.  Of texts
 * named by --heldout nothing is known here. */
static double expected_heldout(const struct winnow_prove_options *o, const struct stage_plan *plan)
{
    double all = (double)plan->text_bytes / token_bytes(o);
    return o->heldout.count > 0 || o->clean.count > 0 ? (double)INFINITY : all * o->heldout_share;
}

/* Texts become tokens of four bytes, some four bytes each; jobs run side by side as there is
 * room for them. */
static void expect_memory(const struct winnow_prove_options *o, const struct stage_plan *plan,
                          struct stage_estimate *out)
{
    struct winnow_error unused;
    uint64_t texts = plan->text_bytes, kept = plan->kept_bytes, most = o->load_bytes;
    if (small_model_check(&o->model, &unused) != WINNOW_OK) {
        return;
    }
    const struct model_config c = small_model_shape(&o->model);
    uint64_t job = small_model_memory(&o->model, &c, 1);
    texts = most > 0 && texts > most ? most : texts;
    kept = most > 0 && kept > most ? most : kept;
    uint64_t jobs = (uint64_t)o->seeds * (o->arms.count > 0 ? o->arms.count : 3);
    jobs = jobs < plan->threads ? jobs : plan->threads;
    out->memory = texts + kept + plan->documents * DOCUMENT_BYTES + job;
    out->beside = jobs > 1 ? (jobs - 1) * job : 0;
}

/* Jobs run side by side, a thread each; what is read to measure with costs a third
 * of what is trained on: texts, cloze items of half their size, an eighth a point. */
static void estimate_ending(const void *options, const struct stage_plan *plan,
                            struct stage_estimate *out)
{
    const struct winnow_prove_options *o = options;
    struct winnow_error err;
    double speed = 0;
    expect_enough(o, plan, out);
    expect_memory(o, plan, out);
    if (model_speed_train(&o->model, 1, &speed, &err) != WINNOW_OK || !(speed > 0)) {
        return;
    }
    double arms = o->arms.count > 0 ? (double)o->arms.count : 3;
    double heldout = fmin((double)o->eval_tokens, expected_heldout(o, plan));
    double measured = heldout * (1.5 + (o->curve_points + 1) / 8.0) / 3;
    double reference = (double)(o->reference_tokens > 0 ? o->reference_tokens : o->tokens);
    double tokens = o->seeds * (arms * ((double)o->tokens + measured) + reference);
    double threads = fmin(plan->threads, o->seeds * arms);
    out->seconds = tokens / speed / fmax(threads, 1);
    (void)snprintf(out->note, sizeof out->note,
                   "%u seed%s, %.0f arms of %s tokens, a reference each: about %s tokens; in a "
                   "trial just now %.0f a second and thread",
                   o->seeds, o->seeds == 1 ? "" : "s", arms, amount_count((double)o->tokens).text,
                   amount_count(tokens).text, speed);
}

const struct ending_kind PROVE_ENDING = {
    .table = &PROVE_TABLE,
    .run = run_ending,
    .check = check_ending,
    .estimate = estimate_ending,
    .product = "prove/results.json",
    .uses_kernels = true,
};
