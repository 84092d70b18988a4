/* arrange.c -- the documents of a stage in random order, each as often as it said.
 *
 *     state/kept ─► buckets by key (each copy) ─► documents/00000.jsonl.zst, 00001...
 *
 * A pass that arranges leaves its kept documents in state/kept, in order and with checkpoints as
 * any other pass does; here each copy gets a key of 128 bits, hashed from the seed, the line and
 * its number, and they are written in the order of these keys.  So a line lies where it lies
 * whatever else is in the corpus, however it is cut into shards and however much memory there is.
 *
 * An output shard that is whole leaves its completion, as everywhere; after a kill the buckets
 * are filled again, and shards that have one are passed over.  completions/arranged.json says
 * that all is done; then state/kept goes. */
#include "base/env.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/rng.h"
#include "corpus/packing.h"
#include "corpus/parquet_pack.h"
#include "corpus/shard_reader.h"
#include "corpus/shard_writer.h"
#include "run/arrange_buckets.h"
#include "run/outputs.h"
#include "run/run_internal.h"

#include <inttypes.h>
#include <stdio.h>

#define FRAME_BYTES  ((size_t)4 << 20)
#define MEMORY_USUAL ((uint64_t)256 << 20) /* without --memory */
#define MEMORY_LEAST ((uint64_t)8 << 20)
#define MEMORY_REST  ((uint64_t)24 << 20) /* of --memory: packing, a frame, a block */

struct arranging {
    struct stage *s;
    const struct stage_arrangement *how;
    struct buckets *buckets;
    struct document_reader *reader;
    const char *extension;
    const struct shard *like; /* whose columns Parquet outputs have, or NULL */
    uint64_t seen, total;     /* copies, for progress */
    /* the shard that is being written */
    struct shard_writer *writer;
    struct buf name;
    bool open, passed_over; /* passed over: an earlier process has written it */
    uint64_t number, shard_bytes, shard_lines;
    struct buf frame;
    struct buf id;
    struct buf list; /* "out" of stats.json */
};

static bool resumable(const struct arranging *a)
{
    return !a->s->run->to_stdout && !a->s->run->temporary;
}

static const char *path_of(const struct arranging *a, const char *folder, const char *name,
                           const char *end, struct buf *out)
{
    buf_clear(out);
    buf_addf(out, "%s/%s/%s%s", a->s->folder, folder, name, end);
    return buf_cstr(out);
}

/* ---- output shards ---- */

/* What an earlier process wrote of this shard, into the list; false where there is nothing. */
static winnow_status find_written(struct arranging *a, bool *found, struct winnow_error *err)
{
    struct buf path = {0}, text = {0};
    const char *name = buf_cstr(&a->name);
    *found = resumable(a) && file_exists(path_of(a, "documents", name, "", &path)) &&
             file_exists(path_of(a, "completions/arranged", name, ".json", &path));
    winnow_status st = WINNOW_OK;
    if (*found) {
        st = file_read(buf_cstr(&path), (size_t)1 << 20, &text, err);
        buf_add_text(&a->list, a->list.len > 0 ? "," : "");
        buf_add_str(&a->list, str_trim(buf_str(&text)));
    }
    buf_release(&path);
    buf_release(&text);
    return st;
}

static winnow_status open_shard(struct arranging *a, struct winnow_error *err)
{
    struct shard_writer_options opt = SHARD_WRITER_OPTIONS_INIT;
    struct buf path = {0};
    buf_clear(&a->name);
    buf_addf(&a->name, "%05" PRIu64 "%s", a->number++, a->extension);
    a->shard_bytes = a->shard_lines = 0;
    a->open = true;
    winnow_status st = find_written(a, &a->passed_over, err);
    opt.env = a->s->run->env;
    opt.like = a->like ? a->like->path : NULL;
    opt.like_remote = a->like ? a->like->remote : NULL;
    if (st == WINNOW_OK && !a->passed_over) {
        bool to_stdout = a->s->last && a->s->run->to_stdout;
        (void)path_of(a, "documents", buf_cstr(&a->name), "", &path);
        st = shard_writer_open(&a->writer, to_stdout ? "-" : buf_cstr(&path), &opt, err);
    }
    buf_release(&path);
    return st;
}

static winnow_status write_entry(struct arranging *a, struct winnow_error *err)
{
    struct buf path = {0}, text = {0};
    struct json_writer w = {.out = &text};
    const char *name = buf_cstr(&a->name);
    bool to_stdout = a->s->last && a->s->run->to_stdout;
    winnow_status st = WINNOW_OK;
    json_open(&w, '{');
    json_member_text(&w, "path", name);
    json_member_open(&w, "files", '{');
    if (!to_stdout) {
        struct hash128 hash = {0};
        uint64_t bytes = 0;
        char hex[33];
        (void)path_of(a, "documents", name, "", &path);
        st = file_size(buf_cstr(&path), &bytes, err);
        st = st == WINNOW_OK ? file_hash(buf_cstr(&path), &hash, err) : st;
        hash128_hex(hash, hex);
        json_member_open(&w, "documents", '{');
        json_member_u64(&w, "lines", a->shard_lines);
        json_member_u64(&w, "bytes", bytes);
        json_member_text(&w, "hash", hex);
        json_close(&w, '}');
    }
    json_close(&w, '}');
    json_close(&w, '}');
    buf_add_text(&a->list, a->list.len > 0 ? "," : "");
    buf_add_str(&a->list, buf_str(&text));
    if (st == WINNOW_OK && resumable(a)) {
        (void)path_of(a, "completions", "arranged", "", &path);
        st = file_make_dirs(buf_cstr(&path), err);
        (void)path_of(a, "completions/arranged", name, ".json", &path);
        buf_add_char(&text, '\n');
        st = st == WINNOW_OK ? file_write_atomic(buf_cstr(&path), buf_str(&text), err) : st;
    }
    buf_release(&path);
    buf_release(&text);
    return st;
}

static winnow_status close_shard(struct arranging *a, struct winnow_error *err)
{
    a->open = false;
    if (a->passed_over) {
        return WINNOW_OK;
    }
    winnow_status st = shard_writer_commit(a->writer, err);
    shard_writer_close(a->writer);
    a->writer = NULL;
    st = st == WINNOW_OK ? write_entry(a, err) : st;
    struct buf path = {0};
    if (st == WINNOW_OK) {
        shard_writer_forget(path_of(a, "documents", buf_cstr(&a->name), "", &path));
    }
    buf_release(&path);
    return st;
}

static winnow_status end_frame(struct arranging *a, struct winnow_error *err)
{
    TRY(a->open ? WINNOW_OK : open_shard(a, err));
    if (!a->passed_over && a->frame.len > 0) {
        uint64_t offset;
        TRY(shard_writer_add_frame(a->writer, buf_str(&a->frame), &offset, err));
    }
    a->shard_bytes += a->frame.len;
    if (a->frame.cap > 2 * FRAME_BYTES) {
        buf_release(&a->frame);
    }
    buf_clear(&a->frame);
    env_progress(a->s->run->env, "arrange", "documents", a->seen, a->total);
    TRY(a->shard_bytes < a->how->shard_bytes ? WINNOW_OK : close_shard(a, err));
    return env_check(a->s->run->env, err);
}

/* The line with another id. */
static winnow_status add_copy(struct arranging *a, struct str line, uint32_t number,
                              struct winnow_error *err)
{
    struct document d;
    struct str reason;
    buf_clear(&a->id);
    (void)buf_reserve(&a->id, line.len + JSON_PADDING);
    buf_add_str(&a->id, line);
    memset(a->id.ptr + line.len, 0, JSON_PADDING);
    TRY(document_read(a->reader, buf_str(&a->id), "kept", 1, &d, &reason, err));
    if (reason.len > 0 || !d.id_span.ptr) {
        return error_set(err, WINNOW_E_INTERNAL, "a kept document cannot be read again: %.*s",
                         STR_ARG(reason));
    }
    struct buf name = {0};
    buf_add_str(&name, d.id);
    buf_addf(&name, "~%u", (unsigned)number);
    buf_add(&a->frame, d.raw.ptr, (size_t)(d.id_span.ptr - d.raw.ptr));
    json_quote(&a->frame, buf_str(&name));
    const char *rest = d.id_span.ptr + d.id_span.len;
    buf_add(&a->frame, rest, (size_t)(d.raw.ptr + d.raw.len - rest));
    buf_release(&name);
    return WINNOW_OK;
}

static winnow_status take(void *ctx, const struct bucket_item *item, struct winnow_error *err)
{
    struct arranging *a = ctx;
    TRY(a->open ? WINNOW_OK : open_shard(a, err));
    a->seen++;
    a->shard_lines++;
    if (item->number == 1) {
        buf_add_str(&a->frame, item->line);
    } else {
        TRY(add_copy(a, item->line, item->number, err));
    }
    buf_add_char(&a->frame, '\n');
    return a->frame.len < FRAME_BYTES ? WINNOW_OK : end_frame(a, err);
}

/* ---- kept documents into buckets ---- */

/* "3 {...}" */
static winnow_status add_line(struct arranging *a, struct str line, const char *path,
                              struct winnow_error *err)
{
    uint64_t times = 0;
    size_t at = 0;
    while (at < line.len && line.ptr[at] >= '0' && line.ptr[at] <= '9' && times < UINT32_MAX) {
        times = 10 * times + (uint64_t)(line.ptr[at++] - '0');
    }
    if (at == 0 || at == line.len || line.ptr[at] != ' ' || times == 0 || times > UINT32_MAX) {
        return error_set(err, WINNOW_E_INTERNAL, "%s: a line does not say how often it is written",
                         path);
    }
    struct bucket_item item = {.line = str_sub(line, at + 1, line.len)};
    uint64_t high = hash64(item.line, a->how->seed), low = hash64(item.line, ~a->how->seed);
    for (uint32_t i = 1; i <= times; i++) {
        item.number = i;
        item.high = rng_mix(high ^ rng_mix(i));
        item.low = rng_mix(low ^ rng_mix(~(uint64_t)i));
        TRY(buckets_add(a->buckets, &item, err));
    }
    return WINNOW_OK;
}

static winnow_status read_kept(struct arranging *a, const char *path, struct winnow_error *err)
{
    struct shard_reader_options opt = SHARD_READER_OPTIONS_INIT;
    struct shard_reader *reader = NULL;
    struct shard_block block = {0};
    bool more = true;
    opt.line_max = (size_t)1 << 33;
    opt.budget = line_budget_of_run(a->s->run->env->memory_max, 3);
    winnow_status st = shard_reader_open(&reader, path, path, &opt, err);
    while (st == WINNOW_OK) {
        st = shard_reader_next(reader, &block, &more, err);
        if (st == WINNOW_OK && more && block.bad.reason.len > 0) {
            st = error_set(err, WINNOW_E_INTERNAL, "%s: %.*s", path, STR_ARG(block.bad.reason));
        }
        if (st != WINNOW_OK || !more) {
            break;
        }
        struct str rest = block.lines, line;
        while (st == WINNOW_OK && str_next_line(&rest, &line)) {
            st = add_line(a, line, path, err);
        }
        st = st == WINNOW_OK ? env_check(a->s->run->env, err) : st;
    }
    shard_reader_close(reader);
    shard_block_release(&block);
    return st;
}

static winnow_status fill(struct arranging *a, struct winnow_error *err)
{
    struct buf path = {0};
    winnow_status st = WINNOW_OK;
    for (size_t i = 0; st == WINNOW_OK && i < a->s->input.count; i++) {
        const char *name = a->s->input.items[i].name;
        (void)path_of(a, KEPT_FOLDER, name, kept_ending(name), &path);
        if (file_exists(buf_cstr(&path))) { /* --limit may have ended before it */
            st = read_kept(a, buf_cstr(&path), err);
        }
    }
    buf_release(&path);
    return st;
}

/* How much there will be, from the completions of the pass. */
static winnow_status count_kept(const struct arranging *a, struct counts *out,
                                struct winnow_error *err)
{
    struct json_parser *parser = json_parser_new();
    struct buf path = {0}, name = {0};
    winnow_status st = WINNOW_OK;
    for (size_t i = 0; st == WINNOW_OK && i < a->s->input.count; i++) {
        struct json_value root;
        bool found = false;
        buf_clear(&name);
        buf_addf(&name, "completions/%s", a->s->verdict_pass);
        (void)path_of(a, buf_cstr(&name), a->s->input.items[i].name, ".json", &path);
        st = run_read_json(buf_cstr(&path), parser, &root, &found, err);
        st = st == WINNOW_OK && found ? counts_read(out, root, err) : st;
    }
    buf_release(&path);
    buf_release(&name);
    json_parser_free(parser);
    return st;
}

static uint64_t memory_for(const struct arranging *a)
{
    uint64_t limit = a->s->run->env->memory_max, held = mem_resident() + MEMORY_REST;
    if (limit == 0) {
        return MEMORY_USUAL;
    }
    return limit > held + MEMORY_LEAST ? limit - held : MEMORY_LEAST;
}

/* ---- all of it ---- */

static winnow_status arrange(struct arranging *a, struct winnow_error *err)
{
    const struct winnow_corpus_options *corpus = a->s->run->corpus;
    const struct document_keys keys = {corpus->text_key, corpus->id_key, corpus->chat};
    struct counts counts = {0};
    struct buf folder = {0};
    winnow_status st = count_kept(a, &counts, err);
    uint64_t bytes = counts.bytes[COUNT_KEPT] + counts.bytes[COUNT_COPIES];
    a->total = counts.documents[COUNT_KEPT] + counts.documents[COUNT_COPIES];
    counts_release(&counts);
    (void)stage_path(a->s, "", &folder);
    st = st == WINNOW_OK ? file_remove_temporaries(buf_cstr(&folder), err) : st;
    a->reader = document_reader_new(&keys);
    st = st == WINNOW_OK
             ? buckets_new(&a->buckets, a->total, bytes, memory_for(a), buf_cstr(&folder), err)
             : st;
    buf_release(&folder);
    TRY(st);
    TRY(fill(a, err));
    TRY(buckets_each(a->buckets, take, a, err));
    if (a->frame.len > 0 || a->number == 0) { /* a shard in any case */
        TRY(end_frame(a, err));
    }
    return a->open ? close_shard(a, err) : WINNOW_OK;
}

static winnow_status write_done(const struct arranging *a, struct winnow_error *err)
{
    struct buf path = {0}, text = {0};
    buf_addf(&path, "%s/completions/arranged.json", a->s->folder);
    buf_addf(&text, "[%.*s]\n", STR_ARG(buf_str(&a->list)));
    winnow_status st = file_write_atomic(buf_cstr(&path), buf_str(&text), err);
    buf_release(&path);
    buf_release(&text);
    return st;
}

/* *done where an earlier process came to the end. */
static winnow_status read_done(struct arranging *a, bool *done, struct winnow_error *err)
{
    struct buf path = {0}, text = {0};
    buf_addf(&path, "%s/completions/arranged.json", a->s->folder);
    *done = resumable(a) && file_exists(buf_cstr(&path));
    winnow_status st = *done ? file_read(buf_cstr(&path), (size_t)1 << 30, &text, err) : WINNOW_OK;
    if (st == WINNOW_OK && *done) {
        struct str list = str_trim(buf_str(&text));
        buf_add_str(&a->list, list.len >= 2 ? str_sub(list, 1, list.len - 1) : list);
    }
    buf_release(&path);
    buf_release(&text);
    return st;
}

static const char *extension_of(const struct stage *s)
{
    if (s->input.count > 0 && packing_is_parquet(str_of(s->input.items[0].name))) {
        return ".parquet";
    }
    switch (packing_of_name(str_of(s->input.count > 0 ? s->input.items[0].name : ""))) {
    case PACKING_GZ:
        return ".jsonl.gz";
    case PACKING_ZST:
        return ".jsonl.zst";
    case PACKING_PLAIN:
        break;
    }
    return ".jsonl";
}

/* The file whose columns Parquet outputs have: where all inputs have the same. */
static const struct shard *like_of(const struct stage *s)
{
    const struct shard *first = s->input.count > 0 ? &s->input.items[0] : NULL;
    for (size_t i = 1; i < s->input.count; i++) {
        const struct shard *other = &s->input.items[i];
        const struct parquet_like a = {first->path, first->remote},
                                  b = {other->path, other->remote};
        if (!parquet_same_columns(&a, &b)) {
            return NULL;
        }
    }
    return first;
}

static winnow_status work(struct arranging *a, struct winnow_error *err)
{
    bool done = false;
    TRY(read_done(a, &done, err));
    if (!done) {
        TRY(arrange(a, err));
        TRY(resumable(a) ? write_done(a, err) : WINNOW_OK);
    }
    struct buf kept = {0};
    winnow_status st = file_remove_tree(file_join(&kept, a->s->folder, KEPT_FOLDER), err);
    buf_release(&kept);
    a->s->arranged =
        (struct str){arena_strndup(&a->s->run->keep, buf_cstr(&a->list), a->list.len), a->list.len};
    return st;
}

winnow_status stage_arrange(struct stage *s, const struct stage_arrangement *how,
                            struct winnow_error *err)
{
    struct arranging a = {.s = s, .how = how, .extension = extension_of(s)};
    a.like = like_of(s);
    winnow_status st = work(&a, err);
    shard_writer_close(a.writer);
    document_reader_free(a.reader);
    buckets_free(a.buckets);
    buf_release(&a.name);
    buf_release(&a.frame);
    buf_release(&a.id);
    buf_release(&a.list);
    return st;
}
