/* schedule.c -- a list of jobs under one lock.
 *
 * Each worker takes the first job that nobody has taken and whose selection is
 * there.  The environment's callbacks are called under the lock, since a program
 * does not expect them from several threads at once. */
#include "prove/schedule.h"

#include "base/env.h"
#include "base/file.h"
#include "base/json.h"
#include "base/json_write.h"
#include "base/mem.h"
#include "base/rng.h"

#include <math.h>
#include <pthread.h>

enum job_state { JOB_WAITING, JOB_TAKEN, JOB_DONE };

#define JOB_SELECT UINT32_MAX

struct job {
    uint32_t seed; /* index */
    uint32_t arm;  /* or JOB_SELECT */
    enum job_state state;
    uint64_t tokens, tokens_done, tokens_resumed; /* for progress */
};

struct schedule {
    const struct experiment *x;
    const char *folder;
    const struct schedule_hooks *hooks;
    struct outcome *out;
    struct job *jobs;
    size_t job_count;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    winnow_status status;
    struct winnow_error err;
    uint64_t tokens_total;
};

/* What a job gets as environment. */
struct job_env {
    struct schedule *s;
    struct job *job;
};

void outcome_release(struct outcome *o)
{
    if (o->selections) {
        for (uint32_t i = 0; i < o->seeds; i++) {
            selection_release(&o->selections[i]);
        }
    }
    arena_release(&o->keep);
    *o = (struct outcome){0};
}

static const char *job_name(const struct schedule *s, const struct job *j)
{
    return j->arm == JOB_SELECT ? "_selection" : s->x->arms[j->arm].name;
}

/* jobs/seed-0001/medium<suffix> */
static const char *job_path(const struct schedule *s, const struct job *j, const char *suffix,
                            struct buf *out)
{
    buf_clear(out);
    buf_addf(out, "%s/jobs/seed-%04u/%s%s", s->folder, j->seed + 1, job_name(s, j), suffix);
    return buf_cstr(out);
}

/* ---- the surroundings of a job ---- */

/* With the lock held. */
static void show_progress(struct schedule *s)
{
    struct winnow_progress all = {"prove", "tokens", 0, s->tokens_total, (double)NAN, 0};
    for (size_t i = 0; i < s->job_count; i++) {
        all.done += s->jobs[i].tokens_done;
        all.resumed += s->jobs[i].tokens_resumed;
    }
    if (s->x->env->progress) {
        s->x->env->progress(s->x->env->user, &all);
    }
}

/* A job counts the tokens that it trains on; what it reads to score or measure is not in the
 * total. */
static void job_progress(void *user, const struct winnow_progress *p)
{
    struct job_env *je = user;
    if (p->total > je->job->tokens || strcmp(p->unit, "tokens") != 0) {
        return;
    }
    (void)pthread_mutex_lock(&je->s->lock);
    je->job->tokens_done = p->done;
    je->job->tokens_resumed = p->resumed;
    show_progress(je->s);
    (void)pthread_mutex_unlock(&je->s->lock);
}

static void job_log(void *user, enum winnow_level level, const char *text)
{
    struct job_env *je = user;
    (void)pthread_mutex_lock(&je->s->lock);
    env_log(je->s->x->env, level, "%s", text);
    (void)pthread_mutex_unlock(&je->s->lock);
}

/* ---- running one ---- */

static winnow_status run_select(struct schedule *s, struct job *j, const char *folder,
                                const char *result, const struct winnow_env *env,
                                struct winnow_error *err)
{
    struct selection selection = {0};
    uint64_t seed = s->out->seed_values[j->seed];
    winnow_status st = select_job_run(s->x, seed, folder, env, &selection, err);
    if (st == WINNOW_OK) {
        st = selection_write(&selection, result, err);
    }
    selection_release(&selection);
    return st;
}

static winnow_status run_arm(struct schedule *s, struct job *j, const char *folder,
                             const char *result, const struct winnow_env *env,
                             struct winnow_error *err)
{
    struct selection selection = {0};
    struct arena keep;
    arena_init(&keep, (size_t)1 << 20);
    winnow_status st = WINNOW_OK;
    if (s->x->has_bands) {
        struct buf path = {0};
        const struct job select = {.seed = j->seed, .arm = JOB_SELECT};
        st = selection_read(job_path(s, &select, ".json", &path), &selection, err);
        buf_release(&path);
    }
    struct arm_result r;
    if (st == WINNOW_OK) {
        st = arm_job_run(s->x, s->out->seed_values[j->seed], s->x->has_bands ? &selection : NULL,
                         j->arm, folder, env, &keep, &r, err);
    }
    if (st == WINNOW_OK) {
        st = arm_result_write(s->x, &r, result, err);
    }
    selection_release(&selection);
    arena_release(&keep);
    return st;
}

/* ---- seconds ---- */

/* Seconds of jobs by their names, {"seed-0001/medium": 12.3}: the one file of the
 * jobs that two runs of the same recipe may have different. */
static const char *times_path(const struct schedule *s, struct buf *out)
{
    return file_join(out, s->folder, "jobs/timings.json");
}

static winnow_status read_times(const struct schedule *s, struct json_parser *parser,
                                struct json_value *out, struct winnow_error *err)
{
    struct buf path = {0}, text = {0};
    winnow_status st = WINNOW_OK;
    *out = (struct json_value){0};
    if (file_exists(times_path(s, &path))) {
        st = file_read(buf_cstr(&path), (size_t)1 << 24, &text, err);
        st = st == WINNOW_OK ? json_parse(parser, buf_str(&text), out, err) : st;
    }
    buf_release(&text);
    buf_release(&path);
    return st;
}

static void time_name(const struct schedule *s, const struct job *j, struct buf *out)
{
    buf_clear(out);
    buf_addf(out, "seed-%04u/%s", j->seed + 1, job_name(s, j));
}

static winnow_status add_time(struct schedule *s, const struct job *j, double took,
                              struct winnow_error *err)
{
    struct buf path = {0}, text = {0}, name = {0};
    struct json_parser *parser = json_parser_new();
    struct json_value old;
    struct json_writer w = {.out = &text, .pretty = true};
    (void)pthread_mutex_lock(&s->lock);
    winnow_status st = read_times(s, parser, &old, err);
    time_name(s, j, &name);
    json_open(&w, '{');
    struct json_iter it = json_walk(old);
    while (st == WINNOW_OK && json_next(&it)) {
        double v = 0;
        if (!str_eq(it.key, buf_str(&name)) && json_as_double(it.value, &v)) {
            json_key_str(&w, it.key);
            json_double(&w, v);
        }
    }
    json_key_str(&w, buf_str(&name));
    json_double(&w, took);
    json_close(&w, '}');
    buf_add_char(&text, '\n');
    if (st == WINNOW_OK) {
        st = file_write_atomic(times_path(s, &path), buf_str(&text), err);
    }
    (void)pthread_mutex_unlock(&s->lock);
    json_parser_free(parser);
    buf_release(&path);
    buf_release(&text);
    buf_release(&name);
    return st;
}

static winnow_status run_job(struct schedule *s, struct job *j, struct winnow_error *err)
{
    struct buf folder = {0}, result = {0}, text = {0};
    struct job_env je = {s, j};
    struct winnow_env env = *s->x->env;
    env.progress = job_progress;
    env.log = job_log;
    env.user = &je;
    (void)job_path(s, j, "", &folder);
    (void)job_path(s, j, ".json", &result);
    double started = env_seconds();
    winnow_status st = file_make_dirs(buf_cstr(&folder), err);
    if (st == WINNOW_OK) {
        st = j->arm == JOB_SELECT
                 ? run_select(s, j, buf_cstr(&folder), buf_cstr(&result), &env, err)
                 : run_arm(s, j, buf_cstr(&folder), buf_cstr(&result), &env, err);
    }
    if (st == WINNOW_OK) {
        double took = env_seconds() - started;
        st = add_time(s, j, took, err);
        buf_addf(&text, "prove: seed %u of %u, %s: %.1f s", j->seed + 1, s->x->opt->seeds,
                 job_name(s, j), took);
        job_log(&je, WINNOW_LOG_INFO, buf_cstr(&text));
    } else if (st != WINNOW_E_CANCELLED) {
        st = error_wrap(err, st, "seed %u, %s", j->seed + 1, job_name(s, j));
    }
    if (st == WINNOW_OK) { /* the checkpoint has served */
        st = file_remove_tree(buf_cstr(&folder), err);
    }
    buf_release(&folder);
    buf_release(&result);
    buf_release(&text);
    return st;
}

/* ---- the list ---- */

static struct job *job_of(struct schedule *s, uint32_t seed, uint32_t arm)
{
    for (size_t i = 0; i < s->job_count; i++) {
        if (s->jobs[i].seed == seed && s->jobs[i].arm == arm) {
            return &s->jobs[i];
        }
    }
    return NULL;
}

/* With the lock held: a job that can start, NULL when none can; *left tells
 * whether waiting makes sense. */
static struct job *next_job(struct schedule *s, bool *left)
{
    *left = false;
    for (size_t i = 0; i < s->job_count; i++) {
        struct job *j = &s->jobs[i];
        if (j->state != JOB_WAITING) {
            continue;
        }
        *left = true;
        const struct job *select = j->arm == JOB_SELECT ? NULL : job_of(s, j->seed, JOB_SELECT);
        if (!select || select->state == JOB_DONE) {
            return j;
        }
    }
    return NULL;
}

static bool seed_is_whole(struct schedule *s, uint32_t seed)
{
    for (size_t i = 0; i < s->job_count; i++) {
        if (s->jobs[i].seed == seed && s->jobs[i].state != JOB_DONE) {
            return false;
        }
    }
    return true;
}

/* With the lock held: reads the results of seeds that became whole. */
static winnow_status take_whole_seeds(struct schedule *s, struct winnow_error *err)
{
    const struct experiment *x = s->x;
    struct outcome *o = s->out;
    struct buf path = {0};
    winnow_status st = WINNOW_OK;
    bool more = false;
    while (st == WINNOW_OK && o->seeds < x->opt->seeds && seed_is_whole(s, o->seeds)) {
        struct arm_result *row = ARENA_NEW(&o->keep, struct arm_result, x->arm_count);
        for (uint32_t a = 0; st == WINNOW_OK && a < x->arm_count; a++) {
            const struct job j = {.seed = o->seeds, .arm = a};
            st = arm_result_read(x, job_path(s, &j, ".json", &path), &o->keep, &row[a], err);
        }
        if (st == WINNOW_OK && x->has_bands) {
            const struct job j = {.seed = o->seeds, .arm = JOB_SELECT};
            st = selection_read(job_path(s, &j, ".json", &path), &o->selections[o->seeds], err);
        }
        o->results[o->seeds] = row;
        o->seeds += st == WINNOW_OK;
        more = true;
    }
    buf_release(&path);
    return st == WINNOW_OK && more && s->hooks->seed_done
               ? s->hooks->seed_done(s->hooks->ctx, o, err)
               : st;
}

static void worker_loop(void *ctx, size_t piece, uint32_t worker)
{
    (void)piece;
    (void)worker;
    struct schedule *s = ctx;
    (void)pthread_mutex_lock(&s->lock);
    for (;;) {
        bool left;
        struct job *j = s->status == WINNOW_OK ? next_job(s, &left) : NULL;
        if (!j && (s->status != WINNOW_OK || !left)) {
            break;
        }
        if (!j) {
            (void)pthread_cond_wait(&s->changed, &s->lock);
            continue;
        }
        j->state = JOB_TAKEN;
        (void)pthread_mutex_unlock(&s->lock);
        struct winnow_error err;
        winnow_status st = run_job(s, j, &err);
        (void)pthread_mutex_lock(&s->lock);
        if (st == WINNOW_OK) {
            j->state = JOB_DONE;
            j->tokens_done = j->tokens;
            s->out->jobs_done++;
            st = take_whole_seeds(s, &err);
        }
        if (st != WINNOW_OK && s->status == WINNOW_OK) {
            s->status = st;
            s->err = err;
        }
        (void)pthread_cond_broadcast(&s->changed);
    }
    (void)pthread_mutex_unlock(&s->lock);
}

static winnow_status list_jobs(struct schedule *s, struct winnow_error *err)
{
    const struct experiment *x = s->x;
    struct buf path = {0};
    winnow_status st = WINNOW_OK;
    uint32_t per_seed = x->arm_count + (x->has_bands ? 1 : 0);
    s->jobs = ARENA_NEW(&s->out->keep, struct job, (size_t)per_seed * x->opt->seeds);
    for (uint32_t seed = 0; seed < x->opt->seeds; seed++) {
        for (uint32_t k = 0; k < per_seed; k++) {
            struct job *j = &s->jobs[s->job_count++];
            bool select = x->has_bands && k == 0;
            *j =
                (struct job){.seed = seed, .arm = select ? JOB_SELECT : k - (x->has_bands ? 1 : 0)};
            j->tokens = select ? x->traits.tokens : x->tokens;
            s->tokens_total += j->tokens;
            if (file_exists(job_path(s, j, ".json", &path))) {
                j->state = JOB_DONE;
                j->tokens_done = j->tokens_resumed = j->tokens;
                s->out->jobs_found++;
                /* a call that ended between the result and this left its checkpoint */
                st = st == WINNOW_OK ? file_remove_tree(job_path(s, j, "", &path), err) : st;
            }
        }
    }
    buf_release(&path);
    return st;
}

static void outcome_init(const struct experiment *x, struct outcome *o)
{
    *o = (struct outcome){0};
    arena_init(&o->keep, (size_t)1 << 20);
    o->seed_values = ARENA_NEW(&o->keep, uint64_t, x->opt->seeds);
    o->results = ARENA_NEW(&o->keep, struct arm_result *, x->opt->seeds);
    o->selections = x->has_bands ? ARENA_NEW(&o->keep, struct selection, x->opt->seeds) : NULL;
    for (uint32_t i = 0; i < x->opt->seeds; i++) {
        o->seed_values[i] = rng_mix(x->env->seed + 1000003ULL * (i + 1));
    }
}

/* As many as there are threads and --memory has room for; which run together does
 * not change what they find. */
static uint32_t jobs_at_once(const struct experiment *x)
{
    uint32_t threads = x->env->threads > 0 ? x->env->threads : pool_processors();
    uint64_t limit = x->env->memory_max, held = mem_resident();
    if (limit == 0) {
        return threads;
    }
    uint64_t fit = limit > held ? (limit - held) / experiment_job_bytes(x) : 1;
    return fit < 1 ? 1 : fit < threads ? (uint32_t)fit : threads;
}

winnow_status schedule_run(const struct experiment *x, const char *folder,
                           const struct schedule_hooks *hooks, struct outcome *out,
                           struct winnow_error *err)
{
    outcome_init(x, out);
    struct schedule s = {.x = x, .folder = folder, .hooks = hooks, .out = out};
    (void)pthread_mutex_init(&s.lock, NULL);
    (void)pthread_cond_init(&s.changed, NULL);
    winnow_status st = list_jobs(&s, err);
    st = st == WINNOW_OK ? take_whole_seeds(&s, err) : st;
    if (st == WINNOW_OK && out->seeds < x->opt->seeds) {
        show_progress(&s); /* nobody else is there yet */
        uint32_t at_once = jobs_at_once(x);
        st = memory_need(x->env->memory_max, "prove", mem_resident() + experiment_job_bytes(x),
                         "lower --load-bytes, of which a sample is taken, or --dim", err);
        struct pool *pool = st == WINNOW_OK ? pool_new(at_once) : NULL;
        if (pool) {
            pool_run(pool, pool_threads(pool), worker_loop, &s);
            st = s.status;
        }
        pool_free(pool);
        if (s.status != WINNOW_OK) {
            *err = s.err;
        }
    }
    (void)pthread_cond_destroy(&s.changed);
    (void)pthread_mutex_destroy(&s.lock);
    return st;
}

winnow_status schedule_timings(const struct experiment *x, const char *folder,
                               struct json_writer *w, struct winnow_error *err)
{
    struct buf name = {0};
    struct schedule s = {.x = x, .folder = folder};
    struct json_parser *parser = json_parser_new();
    struct json_value times;
    winnow_status st = read_times(&s, parser, &times, err);
    for (uint32_t seed = 0; seed < x->opt->seeds; seed++) {
        for (uint32_t k = 0; k <= x->arm_count && st == WINNOW_OK; k++) {
            const struct job j = {.seed = seed, .arm = k == 0 ? JOB_SELECT : k - 1};
            double took = 0;
            time_name(&s, &j, &name);
            if (!json_as_double(json_get(times, buf_cstr(&name)), &took)) {
                continue;
            }
            json_open(w, '{');
            json_member_u64(w, "seed", seed + 1);
            json_member_text(w, "job", job_name(&s, &j));
            json_member_double(w, "seconds", took);
            json_close(w, '}');
        }
    }
    json_parser_free(parser);
    buf_release(&name);
    return st;
}
