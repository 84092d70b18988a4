/* dry_run.c -- what a run would take, from a sample of its input.
 *
 * The sample is spread over the input: up to SAMPLE_PIECES shards at even
 * distances, the first SAMPLE_BYTES of each (of files that are no documents:
 * whole files at even distances).  The stages then run on the sample in a
 * temporary folder, and their seconds, bytes and documents are scaled by the
 * share that the sample is of the input.  A stage that is too dear for that (a
 * language model that reads everything) says what it expects through its estimate()
 * and is left out of the sample run, with what comes behind it; where it is the
 * first, a stage that keeps everything stands in for it, so that documents and
 * text are counted. */
#include "base/env.h"
#include "base/file.h"
#include "base/mem.h"
#include "corpus/shard_reader.h"
#include "corpus/shard_writer.h"
#include "run/folder_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/resource.h>

#define SAMPLE_PIECES 16U
#define SAMPLE_FILES  200U
#define SAMPLE_BYTES  ((size_t)1 << 20)
#define TOKEN_BYTES   4.0 /* of English under the common tokenizers */

struct sample {
    struct winnow_list paths;
    double share; /* of the input's bytes that it is */
    uint64_t bytes;
    const char *folder;
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
    while (st == WINNOW_OK && more && total < 32 * SAMPLE_BYTES) {
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

static winnow_status copy_head(const struct shard *shard, size_t line_max, const char *to,
                               uint64_t *bytes, double *share, struct winnow_error *err)
{
    struct shard_reader_options opt = SHARD_READER_OPTIONS_INIT;
    struct shard_writer_options write = SHARD_WRITER_OPTIONS_INIT;
    struct shard_reader *reader = NULL;
    struct shard_writer *writer = NULL;
    struct shard_block block = {0};
    bool more = false;
    opt.block_max = SAMPLE_BYTES;
    opt.line_max = line_max;
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
        winnow_status st =
            copy_head(shard, (size_t)r->corpus->line_max, buf_cstr(&to), &bytes, &share, err);
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

static void sample_files(struct run *r, const struct shard_list *in, struct sample *s)
{
    size_t pieces = in->count < SAMPLE_FILES ? in->count : SAMPLE_FILES;
    for (size_t i = 0; i < pieces; i++) {
        const struct shard *file = &in->items[i * in->count / pieces];
        option_list_add(&s->paths, str_of(file->path), &r->keep);
        s->bytes += file->bytes;
    }
    s->share = in->bytes > 0 ? (double)s->bytes / (double)in->bytes : 1;
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
    buf_add_text(out, l->said ? "  as the stage expects\n" : "\n");
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

/* What a stage that was left out says of itself, after the line before it. */
static void expected(const struct run *r, size_t i, const struct line *before, struct line *l,
                     uint64_t *memory, struct buf *notes)
{
    const struct stage_kind *kind = r->request->steps[i].kind;
    const struct stage_plan plan = {.input_bytes = (uint64_t)before->bytes,
                                    .documents = (uint64_t)before->documents,
                                    .text_bytes = (uint64_t)before->text_bytes,
                                    .memory_max = r->env->memory_max,
                                    .threads = pool_threads(r->pool)};
    struct stage_estimate e = {0};
    if (kind->estimate) {
        kind->estimate(r->request->steps[i].options, &plan, &e);
    }
    double keep = e.keep > 0 ? e.keep : 1;
    *l = (struct line){.seconds = e.seconds,
                       .documents = before->documents * keep,
                       .bytes = before->bytes * keep,
                       .text_bytes = before->text_bytes * keep,
                       .disk = before->disk,
                       .said = true};
    *memory = e.memory > *memory ? e.memory : *memory;
    if (e.note[0] != '\0') {
        buf_addf(notes, "%s: %s\n", r->stages[i].name, e.note);
    }
}

/* ---- what is run ---- */

/* Stands in for a first stage that is not run: keeps every document. */
static winnow_status keep_all(struct stage *stage, const void *options, struct winnow_error *err)
{
    (void)options;
    const struct stage_pass pass = {.name = "read", .verdicts = true};
    return stage_run_pass(stage, &pass, err);
}

static const struct option NO_OPTIONS[] = {OPT_END};
static const struct option_table INPUT_TABLE = {.command = "input", .options = NO_OPTIONS};
static const struct stage_kind INPUT_STAGE = {.table = &INPUT_TABLE, .run = keep_all};
#define INPUT_NAME "01-input"

/* The stages that are run: up to the first whose estimate says all. */
static size_t stages_to_run(const struct run *r)
{
    for (size_t i = 0; i < r->request->count; i++) {
        const struct run_step *step = &r->request->steps[i];
        if (step->kind->estimate_only && step->kind->estimate_only(step->options)) {
            return i;
        }
    }
    return r->request->count;
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

/* A line a stage: those that ran as measured, the others as they say. */
static winnow_status add_stages(const struct run *r, const struct sample *s, size_t ran,
                                const char *folder, struct buf *out, struct winnow_error *err)
{
    struct buf path = {0}, notes = {0};
    struct json_parser *parser = json_parser_new();
    struct json_value timings = {0};
    struct line total = {0}, l = {0};
    uint64_t memory = 0;
    bool found = false;
    winnow_status st =
        run_read_json(file_join(&path, folder, "timings.json"), parser, &timings, &found, err);
    if (st == WINNOW_OK && ran == 0) {
        st = measured(folder, INPUT_NAME, 1 / s->share, 0, &l, err);
    }
    for (size_t i = 0; i < r->request->count && st == WINNOW_OK; i++) {
        struct line before = l, said;
        if (i < ran) {
            st = measured(folder, r->stages[i].name, 1 / s->share,
                          seconds_of(timings, r->stages[i].name), &l, err);
            before = l;
        }
        expected(r, i, &before, &said, &memory, &notes);
        l = i < ran ? l : said;
        add_line(out, r->stages[i].name, &l);
        total.seconds += l.seconds;
        total.disk += l.disk;
    }
    add_total(out, &total, &l, memory);
    buf_add_str(out, buf_str(&notes));
    buf_release(&notes);
    buf_release(&path);
    json_parser_free(parser);
    return st;
}

static winnow_status report(const struct run *r, const struct sample *s, size_t ran,
                            const char *folder, struct winnow_error *err)
{
    struct buf out = {0};
    buf_addf(&out, "from a sample of %.1f MB, %.3g %% of the input:\n", (double)s->bytes / 1e6,
             100 * s->share);
    buf_add_text(&out,
                 "stage                 time    documents         text       tokens        disk\n");
    winnow_status st = add_stages(r, s, ran, folder, &out, err);
    struct str rest = buf_str(&out), text;
    while (st == WINNOW_OK && str_next_line(&rest, &text)) {
        env_log(r->env, WINNOW_LOG_INFO, "%.*s", STR_ARG(text));
    }
    buf_release(&out);
    return st;
}

static winnow_status run_sample(struct run *r, struct sample *s, struct winnow_error *err)
{
    struct buf folder = {0};
    (void)file_join(&folder, s->folder, "run");
    struct winnow_corpus_options corpus = *r->corpus;
    corpus.output = buf_cstr(&folder);
    corpus.run = corpus.files_from = NULL;
    corpus.dry_run = false;
    corpus.on_bad = WINNOW_ON_BAD_QUARANTINE;
    struct winnow_env env = *r->env;
    env.log = NULL;
    size_t ran = stages_to_run(r);
    struct run_request request = *r->request;
    request.paths = s->paths;
    request.corpus = &corpus;
    const struct run_step input = {.kind = &INPUT_STAGE};
    request.steps = ran > 0 ? request.steps : &input;
    request.count = ran > 0 ? ran : 1;
    request.ending_count = 0;
    request.env = &env;
    struct winnow_run_result ignored;
    winnow_status st = run_do(&request, &ignored, err);
    st = st == WINNOW_OK ? report(r, s, ran, buf_cstr(&folder), err) : st;
    buf_release(&folder);
    return st;
}

winnow_status folder_dry_run(struct run *r, struct winnow_error *err)
{
    struct shard_list in = {0};
    struct sample s = {0};
    struct buf path = {0};
    bool files = r->request->steps[0].kind->reads_files;
    const struct shards_options opt = {.paths = r->paths,
                                       .files_from = r->corpus->files_from,
                                       .kind = files ? SHARDS_PAGES : SHARDS_DOCUMENTS};
    winnow_status st = shards_find(&opt, &in, err);
    st = st == WINNOW_OK ? run_temporary_folder(r, &s.folder, err) : st;
    if (st == WINNOW_OK) {
        st = file_make_dirs(file_join(&path, s.folder, "sample"), err);
    }
    if (st == WINNOW_OK && files) {
        sample_files(r, &in, &s);
    } else if (st == WINNOW_OK) {
        st = sample_shards(r, &in, &s, err);
    }
    st = st == WINNOW_OK ? run_sample(r, &s, err) : st;
    struct winnow_error ignored;
    if (s.folder && file_remove_tree(s.folder, &ignored) != WINNOW_OK) {
        env_log(r->env, WINNOW_LOG_WARNING, "%s", ignored.text);
    }
    shard_list_release(&in);
    buf_release(&path);
    return st;
}
