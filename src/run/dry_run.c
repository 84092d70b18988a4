/* dry_run.c -- what a run would take, from a sample of its input, within seconds.
 *
 * The sample is spread over the input: up to SAMPLE_PIECES shards at even
 * distances, the first bytes of each (of files that are no documents: files at
 * even distances, of archives their first bytes).  The stages then run on the
 * sample in a temporary folder, and their seconds, bytes and documents are scaled
 * by the share that the sample is of the input.  A sample that takes too long is
 * stopped, and a smaller one is tried.
 *
 * A stage that is too dear for that (a model reads everything, or is trained) says
 * what it expects through its estimate(), after a trial of its own; a stage that
 * keeps everything stands in for it in the sample, so that what comes behind it is
 * measured, and scaled by the share that it expects to keep. */
#include "base/env.h"
#include "base/file.h"
#include "base/mem.h"
#include "corpus/shard_reader.h"
#include "corpus/shard_writer.h"
#include "run/folder_internal.h"

#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <strings.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define SAMPLE_PIECES 16U
#define SAMPLE_FILES  200U
#define SPREAD        7919U               /* a prime above SAMPLE_FILES */
#define SHARE_BYTES   ((uint64_t)8 << 20) /* read of a shard to see how it is packed */
#define TOKEN_BYTES   4.0                 /* of English under the common tokenizers */

/* One after the other until the stages get through one in time. */
static const struct sample_size {
    size_t piece_bytes;   /* of each shard, and of an archive */
    uint64_t files_bytes; /* of all files that are no documents */
    double seconds;
} SIZES[] = {
    {(size_t)1 << 20, (uint64_t)16 << 20, 4},
    {(size_t)1 << 16, (uint64_t)1 << 20, 3},
    {(size_t)1 << 12, (uint64_t)1 << 16, 3},
};
#define SIZES_COUNT (sizeof SIZES / sizeof *SIZES)

struct sample {
    const struct sample_size *size;
    struct winnow_list paths;
    double share; /* of the input's bytes that it is */
    uint64_t bytes;
    const char *folder; /* of this size, in the temporary one */
    const char **names; /* of the stages' folders in the sample's run */
};

/* ---- the sample ---- */

/* Which part of a shard its first `bytes` (uncompressed) are: reads on for a
 * while, for how much the shard's bytes on disk become. */
static winnow_status share_of(struct shard_reader *reader, const struct shard *shard,
                              uint64_t bytes, double *share, struct winnow_error *err)
{
    struct shard_block block = {0};
    uint64_t total = bytes;
    bool more = true;
    winnow_status st = WINNOW_OK;
    while (st == WINNOW_OK && more && total < SHARE_BYTES) {
        st = shard_reader_next(reader, &block, &more, err);
        total += more ? block.lines.len : 0;
    }
    uint64_t read = shard_reader_bytes_read(reader);
    if (st == WINNOW_OK && total > 0 && read > 0 && shard->bytes > 0) {
        double all = more ? (double)total * (double)shard->bytes / (double)read : (double)total;
        *share = (double)bytes / all;
    }
    shard_block_release(&block);
    return st;
}

/* NOLINTNEXTLINE(readability-function-size): its parameters are all different things */
static winnow_status copy_head(const struct shard *shard, size_t line_max, size_t piece,
                               const char *to, uint64_t *bytes, double *share,
                               struct winnow_error *err)
{
    struct shard_reader_options opt = SHARD_READER_OPTIONS_INIT;
    struct shard_writer_options write = SHARD_WRITER_OPTIONS_INIT;
    struct shard_reader *reader = NULL;
    struct shard_writer *writer = NULL;
    struct shard_block block = {0};
    bool more = false;
    opt.block_max = piece;
    opt.line_max = line_max;
    opt.stamp = &shard->stamp;
    *bytes = 0;
    *share = 1;
    winnow_status st = shard_reader_open(&reader, shard->path, shard->name, &opt, err);
    st = st == WINNOW_OK ? shard_reader_next(reader, &block, &more, err) : st;
    st = st == WINNOW_OK ? shard_writer_open(&writer, to, &write, err) : st;
    if (st == WINNOW_OK && more) {
        *bytes = block.lines.len;
        st = shard_writer_add(writer, block.lines, err);
    }
    st = st == WINNOW_OK ? shard_writer_commit(writer, err) : st;
    if (st == WINNOW_OK && more) {
        st = share_of(reader, shard, *bytes, share, err);
    }
    shard_writer_close(writer);
    shard_reader_close(reader);
    shard_block_release(&block);
    return st;
}

static winnow_status sample_shards(struct run *r, const struct shard_list *in, struct sample *s,
                                   struct winnow_error *err)
{
    size_t pieces = in->count < SAMPLE_PIECES ? in->count : SAMPLE_PIECES;
    double whole = 0, on_disk = 0; /* of the shards that gave a piece: text and file */
    for (size_t i = 0; i < pieces; i++) {
        const struct shard *shard = &in->items[i * in->count / pieces];
        struct buf to = {0};
        uint64_t bytes = 0;
        double share = 1;
        buf_addf(&to, "%s/sample/%05zu.jsonl", s->folder, i);
        winnow_status st = copy_head(shard, (size_t)r->corpus->line_max, s->size->piece_bytes,
                                     buf_cstr(&to), &bytes, &share, err);
        option_list_add(&s->paths, buf_str(&to), &r->keep);
        buf_release(&to);
        TRY(st);
        s->bytes += bytes;
        whole += (double)bytes / share;
        on_disk += (double)shard->bytes;
    }
    if (whole > 0 && on_disk > 0) {
        s->share = (double)s->bytes / (whole * (double)in->bytes / on_disk);
    }
    s->share = s->share > 0 ? s->share : 1;
    return WINNOW_OK;
}

static bool is_archive(const char *path)
{
    static const char *const ENDINGS[] = {".warc", ".warc.gz", ".warc.zst",
                                          ".wet",  ".wet.gz",  ".wet.zst"};
    size_t len = strlen(path);
    for (size_t i = 0; i < sizeof ENDINGS / sizeof *ENDINGS; i++) {
        size_t n = strlen(ENDINGS[i]);
        if (len > n && strcasecmp(path + len - n, ENDINGS[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* The first bytes of an archive; the record they break off in counts as bad. */
static winnow_status copy_bytes(const char *from, const char *to, size_t most, uint64_t *bytes,
                                struct winnow_error *err)
{
    char *room = mem_alloc(most);
    size_t len = 0;
    ssize_t n = 1;
    int fd = open(from, O_RDONLY | O_CLOEXEC);
    while (fd >= 0 && n > 0 && len < most) {
        n = read(fd, room + len, most - len);
        len += n > 0 ? (size_t)n : 0;
    }
    winnow_status st = fd < 0 || n < 0 ? error_errno(err, "cannot read", from) : WINNOW_OK;
    st = st == WINNOW_OK ? file_write_atomic(to, (struct str){room, len}, err) : st;
    if (fd >= 0) {
        (void)close(fd);
    }
    mem_free(room);
    *bytes = len;
    return st;
}

static winnow_status sample_files(struct run *r, const struct shard_list *in, struct sample *s,
                                  struct winnow_error *err)
{
    size_t pieces = in->count < SAMPLE_FILES ? in->count : SAMPLE_FILES;
    for (size_t i = 0; i < pieces && s->bytes < s->size->files_bytes; i++) {
        /* all over the place, so that a bound met early leaves an even spread */
        size_t piece = i * SPREAD % pieces;
        const struct shard *file = &in->items[piece * in->count / pieces];
        if (!is_archive(file->path) || file->bytes <= s->size->piece_bytes) {
            option_list_add(&s->paths, str_of(file->path), &r->keep);
            s->bytes += file->bytes;
            continue;
        }
        struct buf to = {0};
        uint64_t bytes = 0;
        buf_addf(&to, "%s/sample/%05zu-%s", s->folder, i, file_base(file->path));
        winnow_status st = copy_bytes(file->path, buf_cstr(&to), s->size->piece_bytes, &bytes, err);
        option_list_add(&s->paths, buf_str(&to), &r->keep);
        s->bytes += bytes;
        buf_release(&to);
        TRY(st);
    }
    s->share = in->bytes > 0 ? (double)s->bytes / (double)in->bytes : 1;
    return WINNOW_OK;
}

/* ---- the report ---- */

struct line {
    double seconds, documents, bytes, text_bytes, disk;
    bool said; /* by the stage itself */
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
    buf_add_text(out, l->said ? "  as it expects\n" : "\n");
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
    struct json_iter shard = json_walk(json_get(root, "shards"));
    while (st == WINNOW_OK && found && json_next(&shard)) {
        struct json_iter file = json_walk(json_get(shard.value, "files"));
        while (json_next(&file)) {
            uint64_t bytes = 0;
            (void)json_as_u64(json_get(file.value, "bytes"), &bytes);
            *disk += (double)bytes;
        }
    }
    buf_release(&path);
    json_parser_free(parser);
    return st;
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
                       .documents = (double)c.documents[COUNT_KEPT] * scale,
                       .bytes = (double)c.bytes[COUNT_KEPT] * scale,
                       .text_bytes = (double)c.text_bytes[COUNT_KEPT] * scale,
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

/* What a stage or an ending says of itself, after the line before it. */
static void expected(const struct stage_estimate *e, const char *name, const struct line *before,
                     struct line *l, uint64_t *memory, struct buf *notes)
{
    double keep = e->keep > 0 ? e->keep : 1;
    *l = (struct line){.seconds = e->seconds,
                       .documents = before->documents * keep,
                       .bytes = before->bytes * keep,
                       .text_bytes = before->text_bytes * keep,
                       .disk = before->disk,
                       .said = true};
    *memory = e->memory > *memory ? e->memory : *memory;
    if (e->note[0] != '\0') {
        buf_addf(notes, "%s: %s\n", name, e->note);
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

static void add_total(struct buf *out, const struct line *total, const struct line *last,
                      uint64_t memory)
{
    struct rusage use;
    (void)getrusage(RUSAGE_SELF, &use);
    buf_addf(out, "%-16s %9.0f s %12.0f", "all, kept", total->seconds, last->documents);
    add_amount(out, last->text_bytes);
    buf_addf(out, " %11.2fM", last->text_bytes / TOKEN_BYTES / 1e6);
    add_amount(out, total->disk);
    buf_addf(out, "\nmemory: about %.0f MB; tokens at %.0f bytes each; nothing was written\n",
             (double)((uint64_t)use.ru_maxrss * 1024 + memory) / 1e6, TOKEN_BYTES);
}

/* Endings that take time say so themselves. */
static void add_endings(const struct run *r, const struct line *first, struct line *total,
                        uint64_t *memory, struct buf *notes, struct buf *out)
{
    const struct stage_plan plan = plan_after(r, first);
    for (size_t i = 0; i < r->request->ending_count; i++) {
        const struct run_ending *e = &r->request->endings[i];
        struct stage_estimate said = {0};
        struct line l;
        if (!e->estimate) {
            continue;
        }
        e->estimate(e->options, &plan, &said);
        expected(&said, e->name, first, &l, memory, notes);
        total->seconds += l.seconds;
        buf_addf(out, "%-16s %9.0f s  as it expects\n", e->name, l.seconds);
    }
}

/* A line a stage: those that ran as measured, the others as they say. */
static winnow_status add_stages(const struct run *r, const struct sample *s, const char *folder,
                                struct buf *out, struct winnow_error *err)
{
    struct buf path = {0}, notes = {0};
    struct json_parser *parser = json_parser_new();
    struct json_value timings = {0};
    struct line total = {0}, l = {0}, first = {0};
    uint64_t memory = 0;
    bool found = false;
    double scale = 1 / s->share; /* times what dear stages before it keep */
    winnow_status st =
        run_read_json(file_join(&path, folder, "timings.json"), parser, &timings, &found, err);
    for (size_t i = 0; i < r->request->count && st == WINNOW_OK; i++) {
        const struct run_step *step = &r->request->steps[i];
        struct stage_estimate e = {0};
        struct line said;
        st = measured(folder, s->names[i], scale, seconds_of(timings, s->names[i]), &l, err);
        const struct stage_plan plan = plan_after(r, &l);
        if (step->kind->estimate) {
            step->kind->estimate(step->options, &plan, &e);
        }
        expected(&e, r->stages[i].name, &l, &said, &memory, &notes);
        if (is_dear(step)) {
            scale *= e.keep > 0 ? e.keep : 1;
            l = said;
        }
        first = i == 0 ? l : first;
        add_line(out, r->stages[i].name, &l);
        total.seconds += l.seconds;
        total.disk += l.disk;
    }
    add_endings(r, &first, &total, &memory, &notes, out);
    add_total(out, &total, &l, memory);
    buf_add_str(out, buf_str(&notes));
    buf_release(&notes);
    buf_release(&path);
    json_parser_free(parser);
    return st;
}

static winnow_status report(const struct run *r, const struct sample *s, const char *folder,
                            struct winnow_error *err)
{
    struct buf out = {0};
    buf_addf(&out, "from a sample of %.1f MB, %.3g %% of the input:\n", (double)s->bytes / 1e6,
             100 * s->share);
    buf_add_text(&out,
                 "stage                 time    documents         text       tokens        disk\n");
    winnow_status st = add_stages(r, s, folder, &out, err);
    struct str rest = buf_str(&out), text;
    while (st == WINNOW_OK && str_next_line(&rest, &text)) {
        env_log(r->env, WINNOW_LOG_INFO, "%.*s", STR_ARG(text));
    }
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
    request.corpus = &corpus;
    request.steps = steps;
    request.ending_count = 0;
    request.env = &env;
    struct winnow_run_result ignored;
    bool watched = pthread_create(&w.thread, NULL, keep_watch, &w) == 0;
    winnow_status st = run_do(&request, &ignored, err);
    w.over = 1;
    if (watched) {
        (void)pthread_join(w.thread, NULL);
    }
    *late = st == WINNOW_E_CANCELLED && w.late;
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
    TRY(r->request->steps[0].kind->reads_files ? sample_files(r, in, s, err)
                                               : sample_shards(r, in, s, err));
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

winnow_status folder_dry_run(struct run *r, struct winnow_error *err)
{
    struct shard_list in = {0};
    const char *folder = NULL;
    bool files = r->request->steps[0].kind->reads_files, late = true;
    const struct shards_options opt = {.paths = r->paths,
                                       .files_from = r->corpus->files_from,
                                       .kind = files ? SHARDS_PAGES : SHARDS_DOCUMENTS};
    winnow_status st = shards_find(&opt, &in, err);
    st = st == WINNOW_OK ? check_dear(r, &in, err) : st;
    st = st == WINNOW_OK ? run_temporary_folder(r, &folder, err) : st;
    for (size_t i = 0; i < SIZES_COUNT && late && folder; i++) {
        struct buf name = {0};
        buf_addf(&name, "%s/%zu", folder, i);
        struct sample s = {.size = &SIZES[i],
                           .folder = arena_strndup(&r->keep, name.ptr, name.len)};
        buf_release(&name);
        late = false;
        st = try_size(r, &in, &s, &late, err);
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
