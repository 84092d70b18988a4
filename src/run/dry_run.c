/* dry_run.c -- what a run would take, from a sample of its input, within seconds.
 *
 * dry_sample.c takes the sample.  The stages then run on the
 * sample in a temporary folder, and their seconds, bytes and documents are scaled
 * by the share that the sample is of the input.  A sample that takes too long is
 * stopped, and a smaller one is tried.
 *
 * A stage that is too dear for that (a model reads everything, or is trained) says
 * what it expects through its estimate(), after a trial of its own; a stage that
 * keeps everything stands in for it in the sample, so that what comes behind it is
 * measured, and scaled by the share that it expects to keep. */
#include "base/amount.h"
#include "base/env.h"
#include "base/file.h"
#include "base/mem.h"
#include "corpus/byte_source.h"
#include "run/dry_sample_internal.h"
#include "run/folder_internal.h"

#include <inttypes.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <time.h>

#define TOKEN_BYTES    4.0 /* of English under the common tokenizers */
#define MIB            ((uint64_t)1 << 20)
#define TRIALS_SECONDS 14.0 /* from the start, after which no further trial begins */

/* One after the other until the stages get through one in time. */
static const struct sample_size SIZES[] = {
    {(size_t)1 << 18, (size_t)1 << 20, (uint64_t)16 << 20, 4},
    {(size_t)1 << 14, (size_t)1 << 16, (uint64_t)1 << 20, 2},
    {(size_t)1 << 10, (size_t)1 << 12, (uint64_t)1 << 16, 2},
};
#define SIZES_COUNT (sizeof SIZES / sizeof *SIZES)

/* ---- the report ---- */

struct line {
    double seconds, documents, bytes, text_bytes, disk;
    bool said; /* by the stage itself, which was not run */
};

static void add_amount(struct buf *out, double bytes)
{
    if (bytes >= 1e9) {
        buf_addf(out, "%9.1f GB", bytes / 1e9);
    } else {
        buf_addf(out, "%9.1f MB", bytes / 1e6);
    }
}

static void add_line(struct buf *out, const char *name, const struct line *l)
{
    buf_addf(out, "%-16s %9.0f s %12.0f", name, l->seconds, l->documents);
    add_amount(out, l->text_bytes);
    buf_addf(out, " %11.2fM", l->text_bytes / TOKEN_BYTES / 1e6);
    add_amount(out, l->disk);
    buf_add_text(out, l->said ? "  expected, not run\n" : "\n");
}

/* Bytes of all files of a stage, as stats.json has them. */
static winnow_status disk_of(const char *folder, double *disk, struct winnow_error *err)
{
    struct json_parser *parser = json_parser_new();
    struct json_value root = {0};
    struct buf path = {0};
    bool found = false;
    winnow_status st =
        run_read_json(file_join(&path, folder, "stats.json"), parser, &root, &found, err);
    for (size_t i = 0; i < 2; i++) {
        struct json_iter shard = json_walk(json_get(root, i == 0 ? "shards" : "out"));
        while (st == WINNOW_OK && found && json_next(&shard)) {
            struct json_iter file = json_walk(json_get(shard.value, "files"));
            while (json_next(&file)) {
                uint64_t bytes = 0;
                (void)json_as_u64(json_get(file.value, "bytes"), &bytes);
                *disk += (double)bytes;
            }
        }
    }
    buf_release(&path);
    json_parser_free(parser);
    return st;
}

/* What the next stage reads. */
static double written(const uint64_t fields[COUNT_FIELDS])
{
    return (double)(fields[COUNT_KEPT] + fields[COUNT_COPIES]);
}

static winnow_status measured(const char *run, const char *name, double scale, double seconds,
                              struct line *l, struct winnow_error *err)
{
    struct buf folder = {0};
    struct counts c = {0};
    buf_addf(&folder, "%s/stages/%s", run, name);
    winnow_status st = stage_read_counts(buf_cstr(&folder), &c, err);
    double disk = 0;
    st = st == WINNOW_OK ? disk_of(buf_cstr(&folder), &disk, err) : st;
    *l = (struct line){.seconds = seconds * scale,
                       .documents = written(c.documents) * scale,
                       .bytes = written(c.bytes) * scale,
                       .text_bytes = written(c.text_bytes) * scale,
                       .disk = disk * scale};
    counts_release(&c);
    buf_release(&folder);
    return st;
}

/* Seconds of a stage from the timings of the sample run. */
static double seconds_of(struct json_value timings, const char *name)
{
    double v = 0;
    (void)json_as_double(json_get(json_get(json_get(timings, "stages"), name), "seconds"), &v);
    return v;
}

/* What stages and endings have to say beside their lines. */
struct said {
    uint64_t memory, beside;
    struct run_memory passes;
    uint64_t window; /* of the packed shards of the input */
    struct buf notes, refusal;
};

static bool has_time(const struct sample *s, struct stage_estimate *e)
{
    bool yes = env_seconds() < s->until;
    if (!yes) {
        (void)snprintf(e->note, sizeof e->note,
                       "not tried: the time of a dry run was over; it is not in the sum");
    }
    return yes;
}

/* What a stage or an ending says of itself, after the line before it. */
static void expected(const struct stage_estimate *e, const char *name, const struct line *before,
                     struct line *l, struct said *said)
{
    double keep = e->keep > 0 ? e->keep : 1;
    *l = (struct line){.seconds = e->seconds,
                       .documents = before->documents * keep,
                       .bytes = before->bytes * keep,
                       .text_bytes = before->text_bytes * keep,
                       .disk = before->disk,
                       .said = true};
    said->memory = e->memory > said->memory ? e->memory : said->memory;
    said->beside = e->beside > said->beside ? e->beside : said->beside;
    if (e->note[0] != '\0') {
        buf_addf(&said->notes, "%s: %s\n", name, e->note);
    }
    if (e->more[0] != '\0') {
        buf_addf(&said->notes, "%s: %s\n", name, e->more);
    }
    if (e->refusal[0] != '\0' && said->refusal.len == 0) {
        buf_addf(&said->refusal, "%s: %s", name, e->refusal);
    }
}

static struct stage_plan plan_after(const struct run *r, const struct line *before)
{
    return (struct stage_plan){.input_bytes = (uint64_t)before->bytes,
                               .documents = (uint64_t)before->documents,
                               .text_bytes = (uint64_t)before->text_bytes,
                               .memory_max = r->env->memory_max,
                               .threads = pool_threads(r->pool)};
}

/* ---- what is run ---- */

/* Stands in for a stage that is not run: keeps every document. */
static winnow_status keep_all(struct stage *stage, const void *options, struct winnow_error *err)
{
    (void)options;
    const struct stage_pass pass = {.name = "read", .verdicts = true};
    return stage_run_pass(stage, &pass, err);
}

static const struct option NO_OPTIONS[] = {OPT_END};
static const struct option_table INPUT_TABLE = {.command = "input", .options = NO_OPTIONS};
static const struct stage_kind INPUT_STAGE = {.table = &INPUT_TABLE, .run = keep_all};

static bool is_dear(const struct run_step *step)
{
    return step->kind->estimate_only && step->kind->estimate_only(step->options);
}

/* The least --memory, and the most that a run takes without one: two batches of two blocks a
 * thread, whose buffers are kept, or all of an input that is smaller. */
static void add_memory(const struct run *r, const struct said *said, double input_bytes,
                       struct buf *out)
{
    const struct run_memory *m = &said->passes;
    uint64_t limit = r->env->memory_max, least = m->least + said->memory + said->window;
    double blocks = 2.0 * pool_threads(r->pool) * (double)m->block;
    double usual = (double)(m->fixed + said->memory + said->beside + said->window) +
                   fmin(input_bytes, 2 * blocks) * m->per_byte;
    buf_addf(out, "memory: --memory %" PRIu64 "M at least; ", (least + MIB - 1) / MIB);
    if (limit > 0) {
        buf_addf(out, "no more than the %" PRIu64 "M of --memory", limit >> 20);
    } else {
        buf_addf(out, "up to about %.0fM without it", usual / (1 << 20));
    }
    buf_addf(out, "; tokens at %.0f bytes each; nothing was written\n", TOKEN_BYTES);
}

static void refuse_memory(const struct run *r, struct said *said)
{
    uint64_t least = said->passes.least + said->memory + said->window;
    if (r->env->memory_max > 0 && least > r->env->memory_max && said->refusal.len == 0) {
        buf_addf(&said->refusal,
                 "this needs about --memory %" PRIu64 "M at least; --memory is %" PRIu64 "M",
                 (least + MIB - 1) / MIB, r->env->memory_max >> 20);
    }
}

static void add_total(struct buf *out, const struct line *total, const struct line *last)
{
    buf_addf(out, "%-16s %9.0f s %12.0f", "all, kept", total->seconds, last->documents);
    add_amount(out, last->text_bytes);
    buf_addf(out, " %11.2fM", last->text_bytes / TOKEN_BYTES / 1e6);
    add_amount(out, total->disk);
    buf_add_char(out, '\n');
}

/* Endings that take time say so themselves. */
static void add_endings(const struct run *r, const struct sample *s, const struct line *first,
                        const struct line *last, struct line *total, struct said *said,
                        struct buf *out)
{
    struct stage_plan plan = plan_after(r, first);
    plan.kept_bytes = (uint64_t)last->text_bytes;
    for (size_t i = 0; i < r->request->ending_count; i++) {
        const struct run_ending *e = &r->request->endings[i];
        struct stage_estimate expects = {0};
        struct line l;
        if (!e->estimate) {
            continue;
        }
        if (has_time(s, &expects)) {
            e->estimate(e->options, &plan, &expects);
        }
        expected(&expects, e->name, first, &l, said);
        total->seconds += l.seconds;
        buf_addf(out, "%-16s %9.0f s  expected, not run\n", e->name, l.seconds);
    }
}

/* A line a stage: those that ran as measured, the others as they say. */
static winnow_status add_stages(const struct run *r, const struct sample *s, const char *folder,
                                double scale, struct said *said_of, struct buf *out,
                                struct winnow_error *err)
{
    struct buf path = {0};
    struct json_parser *parser = json_parser_new();
    struct json_value timings = {0};
    struct line total = {0}, l = {0}, first = {0};
    double input_bytes = (double)s->bytes / s->share;
    bool found = false;
    winnow_status st =
        run_read_json(file_join(&path, folder, "timings.json"), parser, &timings, &found, err);
    for (size_t i = 0; i < r->request->count && st == WINNOW_OK; i++) {
        const struct run_step *step = &r->request->steps[i];
        struct stage_estimate e = {0};
        struct line said;
        st = measured(folder, s->names[i], scale, seconds_of(timings, s->names[i]), &l, err);
        const struct stage_plan plan = plan_after(r, &l);
        if (step->kind->estimate && (!is_dear(step) || has_time(s, &e))) {
            step->kind->estimate(step->options, &plan, &e);
        }
        expected(&e, r->stages[i].name, &l, &said, said_of);
        if (is_dear(step)) {
            scale *= e.keep > 0 ? e.keep : 1;
            l = said;
        }
        first = i == 0 ? l : first;
        add_line(out, r->stages[i].name, &l);
        total.seconds += l.seconds;
        total.disk += l.disk;
    }
    add_endings(r, s, &first, &l, &total, said_of, out);
    add_total(out, &total, &l);
    add_memory(r, said_of, input_bytes, out);
    refuse_memory(r, said_of);
    buf_add_str(out, buf_str(&said_of->notes));
    buf_release(&path);
    json_parser_free(parser);
    return st;
}

/* By how much the sample's documents stand for the run's: all of them, or --limit. */
static winnow_status scale_of(const struct run *r, struct sample *s, const char *folder,
                              double *scale, struct buf *out, struct winnow_error *err)
{
    struct buf path = {0};
    struct counts c = {0};
    double limit = (double)r->corpus->limit;
    buf_addf(&path, "%s/stages/%s", folder, s->names[0]);
    winnow_status st = stage_read_counts(buf_cstr(&path), &c, err);
    s->bytes = s->bytes > 0 ? s->bytes : c.bytes[COUNT_IN]; /* of a pipe: known by now */
    double taken = (double)c.documents[COUNT_IN], all = taken / s->share;
    *scale = 1 / s->share;
    buf_addf(out, "from a sample of %.1f MB, %.3g %% of the input", (double)s->bytes / 1e6,
             100 * s->share);
    if (s->windows > 0) {
        buf_addf(out, " at %zu places: about", s->windows);
    }
    if (s->windows > 0 && isfinite(s->error)) {
        buf_addf(out, ", give or take %.0f %%", ceil(100 * s->error));
    }
    if (limit > 0 && taken > 0 && all > limit) {
        *scale = limit / taken;
        buf_addf(out, "; for the %.0f documents of --limit", limit);
    }
    buf_add_text(out, ":\n");
    counts_release(&c);
    buf_release(&path);
    return st;
}

/* What of the sample is no document, or could not be read: there will be more of it. */
static winnow_status add_bad(const struct run *r, const struct sample *s, const char *folder,
                             double scale, struct buf *out, struct winnow_error *err)
{
    struct buf path = {0};
    struct input_account sample = {0}, met = {0};
    buf_addf(&path, "%s/stages/%s", folder, s->names[0]);
    winnow_status st = stage_read_account(buf_cstr(&path), &sample, err);
    account_add(&met, &s->account);
    met.bad += sample.bad;
    account_first_bad(&met, sample.first_bad);
    for (size_t i = 0; i < sample.lost.held; i++) {
        const struct account_item *it = &sample.lost.items[i];
        if (!sample_cut(s, str_of(it->name))) {
            account_lose(&met, it->name, str_of(it->reason), it->unreadable);
        }
    }
    if (met.bad > 0 && met.first_bad.len > 0) { /* else shards broke off, which are told below */
        buf_add_text(out, "in the sample: ");
        account_say_bad(&met, out);
        buf_addf(out, "; about %s in all", amount_count((double)met.bad * scale).text);
        buf_add_text(out, r->corpus->on_bad == WINNOW_ON_BAD_STOP
                              ? "; --on-bad stop ends the run at the first\n"
                              : "\n");
    }
    if (met.lost.count > 0) {
        account_say_lost(&met, out);
        buf_add_text(out, r->corpus->on_bad == WINNOW_ON_BAD_STOP
                              ? "; --on-bad stop ends the run there\n"
                              : "; the run will do without and end with exit code 3\n");
    }
    account_release(&sample);
    account_release(&met);
    buf_release(&path);
    return st;
}

static winnow_status report(const struct run *r, struct sample *s, const char *folder,
                            struct winnow_error *err)
{
    struct buf out = {0};
    struct said said = {.passes = s->memory, .window = s->window};
    double scale = 1;
    winnow_status st = scale_of(r, s, folder, &scale, &out, err);
    buf_add_text(&out,
                 "stage                 time    documents         text       tokens        disk\n");
    st = st == WINNOW_OK ? add_stages(r, s, folder, scale, &said, &out, err) : st;
    st = st == WINNOW_OK ? add_bad(r, s, folder, scale, &out, err) : st;
    struct str rest = buf_str(&out), text;
    while (st == WINNOW_OK && str_next_line(&rest, &text)) {
        env_log(r->env, WINNOW_LOG_INFO, "%.*s", STR_ARG(text));
    }
    if (st == WINNOW_OK && said.refusal.len > 0) {
        st = error_set(err, WINNOW_E_FORMAT, "%s", buf_cstr(&said.refusal));
    }
    buf_release(&said.notes);
    buf_release(&said.refusal);
    buf_release(&out);
    return st;
}

/* ---- a sample in time ---- */

/* A thread that asks the sample's run to stop: when the caller asks, or when its
 * time is over. */
struct watch {
    pthread_t thread;
    const volatile int *asked;
    double until;
    volatile int cancel, late, over;
};

static void *keep_watch(void *watch)
{
    struct watch *w = watch;
    while (!w->over && !w->cancel) {
        const struct timespec moment = {0, 20000000};
        (void)nanosleep(&moment, NULL);
        w->late = env_seconds() > w->until;
        w->cancel = w->late || (w->asked && *w->asked);
    }
    return NULL;
}

/* The request on the sample: the same stages, with stand-ins for dear ones. */
static void make_steps(struct run *r, struct sample *s, struct run_step *steps)
{
    s->names = ARENA_NEW(&r->keep, const char *, r->request->count);
    for (size_t i = 0; i < r->request->count; i++) {
        const struct run_step *step = &r->request->steps[i];
        bool dear = is_dear(step);
        struct buf name = {0};
        steps[i] = dear ? (struct run_step){.kind = &INPUT_STAGE} : *step;
        buf_addf(&name, "%02zu-%s", i + 1, INPUT_TABLE.command);
        s->names[i] = dear ? arena_strndup(&r->keep, name.ptr, name.len) : r->stages[i].name;
        buf_release(&name);
    }
}

static winnow_status run_sample(struct run *r, struct sample *s, bool *late,
                                struct winnow_error *err)
{
    struct buf folder = {0};
    (void)file_join(&folder, s->folder, "run");
    struct winnow_corpus_options corpus = *r->corpus;
    corpus.output = buf_cstr(&folder);
    corpus.run = corpus.files_from = NULL;
    corpus.dry_run = false;
    corpus.on_bad = WINNOW_ON_BAD_QUARANTINE;
    struct watch w = {.asked = r->env->cancel, .until = env_seconds() + s->size->seconds};
    struct winnow_env env = *r->env;
    env.log = NULL;
    env.progress = NULL;
    env.cancel = &w.cancel;
    struct run_step *steps = ARENA_NEW(&r->keep, struct run_step, r->request->count);
    make_steps(r, s, steps);
    struct run_request request = *r->request;
    request.paths = s->paths;
    request.stands_for = s->of;
    request.corpus = &corpus;
    request.steps = steps;
    request.ending_count = 0;
    request.env = &env;
    request.memory = &s->memory;
    struct winnow_run_result done;
    bool watched = pthread_create(&w.thread, NULL, keep_watch, &w) == 0;
    winnow_status st = run_do(&request, &done, err);
    w.over = 1;
    if (watched) {
        (void)pthread_join(w.thread, NULL);
    }
    *late = st == WINNOW_E_CANCELLED && w.late;
    if (st == WINNOW_E_FORMAT && done.complete) { /* inputs that broke off are among what is told */
        st = WINNOW_OK;
    }
    st = st == WINNOW_OK ? report(r, s, buf_cstr(&folder), err) : st;
    buf_release(&folder);
    return st;
}

static winnow_status try_size(struct run *r, const struct shard_list *in, struct sample *s,
                              bool *late, struct winnow_error *err)
{
    struct buf path = {0};
    winnow_status st = file_make_dirs(file_join(&path, s->folder, "sample"), err);
    buf_release(&path);
    TRY(st);
    TRY(sample_take(r, in, r->request->steps[0].kind->reads_files, s, err));
    return run_sample(r, s, late, err);
}

/* Dear stages are not run: what they refuse, they refuse here. */
static winnow_status check_dear(const struct run *r, const struct shard_list *in,
                                struct winnow_error *err)
{
    const struct stage_plan plan = {.input_bytes = in->bytes,
                                    .documents = in->bytes / 4096 + 1,
                                    .memory_max = r->env->memory_max,
                                    .threads = pool_threads(r->pool)};
    for (size_t i = 0; i < r->request->count; i++) {
        const struct run_step *step = &r->request->steps[i];
        if (is_dear(step) && step->kind->check) {
            winnow_status st = step->kind->check(step->options, &plan, err);
            if (st != WINNOW_OK) {
                return error_wrap(err, st, "%s", step->kind->table->command);
            }
        }
    }
    return WINNOW_OK;
}

/* Zstd's, of what has to be unpacked. */
static uint64_t largest_window(const struct shard_list *in)
{
    uint64_t most = 0;
    for (size_t i = 0; i < in->count; i++) {
        uint64_t w = byte_source_peek_window(in->items[i].path, in->items[i].remote);
        most = w > most ? w : most;
    }
    return most;
}

winnow_status folder_dry_run(struct run *r, struct winnow_error *err)
{
    struct shard_list in = {0};
    const char *folder = NULL;
    bool files = r->request->steps[0].kind->reads_files, late = true;
    double until = env_seconds() + TRIALS_SECONDS;
    const struct shards_options opt = {.paths = r->paths,
                                       .files_from = r->corpus->files_from,
                                       .kind = files ? SHARDS_PAGES : SHARDS_DOCUMENTS,
                                       .ending = run_output_ending(r->corpus),
                                       .env = r->env};
    winnow_status st = shards_find(&opt, &in, err);
    if (st == WINNOW_OK) {
        account_warn_skipped(in.account, r->env);
        st = folder_foresee(r, err);
    }
    st = st == WINNOW_OK ? check_dear(r, &in, err) : st;
    st = st == WINNOW_OK ? run_temporary_folder(r, &folder, err) : st;
    for (size_t i = 0; i < SIZES_COUNT && late && folder; i++) {
        struct buf name = {0};
        buf_addf(&name, "%s/%zu", folder, i);
        struct sample s = {.size = &SIZES[i],
                           .until = until,
                           .folder = arena_strndup(&r->keep, name.ptr, name.len)};
        buf_release(&name);
        late = false;
        account_add(&s.account, in.account);
        s.window = largest_window(&in);
        st = try_size(r, &in, &s, &late, err);
        if (st != WINNOW_OK) {
            sample_name_originals(&s, err);
        }
        account_release(&s.account);
    }
    if (late && folder) {
        st = error_set(err, WINNOW_E_LIMIT,
                       "even a sample of %zu bytes a file takes more than %.0f s here; --limit N "
                       "runs the first N documents",
                       SIZES[SIZES_COUNT - 1].piece_bytes, SIZES[SIZES_COUNT - 1].seconds);
    }
    struct winnow_error ignored;
    if (folder && file_remove_tree(folder, &ignored) != WINNOW_OK) {
        env_log(r->env, WINNOW_LOG_WARNING, "%s", ignored.text);
    }
    shard_list_release(&in);
    return st;
}
