/* outputs.c -- the files of one shard: documents, removed, aside, bad, ledger, attributes.
 *
 * Each is a row of compressed frames, of which a checkpoint notes the length: what is
 * behind it after a kill is cut off and done again.  Files that may stay empty are
 * opened with their first line.  A commit gives all of them their final names, with
 * hashes for stats.json. */
#include "run/outputs.h"

#include "base/file.h"
#include "corpus/packing.h"

#include <stdio.h>

static const char *const STREAM_NAMES[STREAM_ATTRIBUTES] = {"documents", "removed", "aside", "bad",
                                                            "ledger"};

const char *outputs_stream_folder(const struct outputs *o, enum stream stream, struct buf *out)
{
    if (stream < STREAM_ATTRIBUTES) {
        buf_clear(out);
        buf_add_text(out, stream == STREAM_DOCUMENTS ? o->documents : STREAM_NAMES[stream]);
        return buf_cstr(out);
    }
    return file_join(out, "attributes", o->attributes[stream - STREAM_ATTRIBUTES]);
}

const char *kept_ending(const char *shard)
{
    return packing_is_parquet(str_of(shard)) ? ".jsonl.zst" : "";
}

static const char *path_of(const struct outputs *o, enum stream stream, struct buf *out)
{
    struct buf name = {0};
    buf_clear(out);
    buf_addf(out, "%s/%s/%s", o->folder, outputs_stream_folder(o, stream, &name), o->shard);
    if (stream == STREAM_DOCUMENTS && strcmp(o->documents, KEPT_FOLDER) == 0) {
        buf_add_text(out, kept_ending(o->shard)); /* its lines are more than documents */
    }
    buf_release(&name);
    return buf_cstr(out);
}

void outputs_init(struct outputs *o, const char *folder, const struct stage_pass *pass,
                  bool keep_removed)
{
    *o = (struct outputs){.folder = folder,
                          .documents = pass->arranges ? KEPT_FOLDER : STREAM_NAMES[0],
                          .attributes = pass->attributes};
    if (pass->verdicts) {
        o->wanted[STREAM_DOCUMENTS] = o->always[STREAM_DOCUMENTS] = true;
        o->wanted[STREAM_LEDGER] = o->always[STREAM_LEDGER] = true;
        o->wanted[STREAM_REMOVED] = keep_removed;
        o->wanted[STREAM_ASIDE] = keep_removed;
        o->wanted[STREAM_BAD] = true;
    }
    for (size_t i = 0; pass->attributes && pass->attributes[i] && i < STAGE_ATTRIBUTES_MAX; i++) {
        o->wanted[STREAM_ATTRIBUTES + i] = o->always[STREAM_ATTRIBUTES + i] = true;
    }
}

/* After a kill the file may already have its final name: it was committed, but
 * the checkpoint that says so was not reached.  It goes on as NAME.tmp. */
static winnow_status take_back(const char *path, struct winnow_error *err)
{
    struct buf temporary = {0};
    buf_addf(&temporary, "%s" FILE_TMP, path);
    winnow_status st = WINNOW_OK;
    bool whole = !packing_is_parquet(str_of(path)); /* else its lines are there until then */
    if (whole && !file_exists(buf_cstr(&temporary)) && file_exists(path) &&
        rename(path, buf_cstr(&temporary)) != 0) {
        st = error_errno(err, "cannot rename", path);
    }
    buf_release(&temporary);
    return st;
}

static winnow_status open_stream(struct outputs *o, enum stream stream, uint64_t length,
                                 struct winnow_error *err)
{
    struct shard_writer_options opt = SHARD_WRITER_OPTIONS_INIT;
    opt.resume_at = length;
    opt.like = stream <= STREAM_ASIDE ? o->like : NULL;
    opt.like_remote = opt.like ? o->like_remote : NULL;
    struct output_file *f = &o->files[stream];
    if (stream == STREAM_DOCUMENTS && o->to) {
        opt.env = o->to;
        return shard_writer_open(&f->writer, "-", &opt, err);
    }
    struct buf path = {0};
    winnow_status st = WINNOW_OK;
    (void)path_of(o, stream, &path);
    if (length > 0) {
        st = take_back(buf_cstr(&path), err);
    }
    if (st == WINNOW_OK) {
        st = shard_writer_open(&f->writer, buf_cstr(&path), &opt, err);
    }
    f->length = length;
    buf_release(&path);
    return st;
}

winnow_status outputs_open(struct outputs *o, const char *shard, struct json_value from,
                           struct winnow_error *err)
{
    o->shard = shard;
    for (unsigned i = 0; i < STREAMS; i++) {
        struct buf name = {0};
        o->files[i] = (struct output_file){0};
        uint64_t length = 0;
        if (o->wanted[i] && json_kind(from) == JSON_OBJECT) {
            struct json_value v = json_get(from, outputs_stream_folder(o, i, &name));
            (void)json_as_u64(json_get(v, "bytes"), &length);
            (void)json_as_u64(json_get(v, "lines"), &o->files[i].lines);
        }
        buf_release(&name);
        if (o->wanted[i] && (o->always[i] || length > 0)) {
            TRY(open_stream(o, i, length, err));
        }
    }
    return WINNOW_OK;
}

winnow_status outputs_add(struct outputs *o, enum stream stream, struct str lines, uint64_t count,
                          struct winnow_error *err)
{
    struct output_file *f = &o->files[stream];
    if (!o->wanted[stream] || lines.len == 0) {
        return WINNOW_OK;
    }
    if (!f->writer) {
        TRY(open_stream(o, stream, 0, err));
    }
    TRY(shard_writer_add_frame(f->writer, lines, &f->length, err));
    f->lines += count;
    return WINNOW_OK;
}

winnow_status outputs_sync(struct outputs *o, struct winnow_error *err)
{
    for (size_t i = 0; i < STREAMS; i++) {
        if (o->files[i].writer) {
            TRY(shard_writer_sync(o->files[i].writer, &o->files[i].length, err));
        }
    }
    return WINNOW_OK;
}

static void write_file(const struct outputs *o, enum stream stream, const char *hash,
                       struct json_writer *w)
{
    struct buf name = {0};
    json_key(w, outputs_stream_folder(o, stream, &name));
    buf_release(&name);
    json_open(w, '{');
    json_member_u64(w, "lines", o->files[stream].lines);
    json_member_u64(w, "bytes", o->files[stream].length);
    if (hash) {
        json_member_text(w, "hash", hash);
    }
    json_close(w, '}');
}

void outputs_write(const struct outputs *o, struct json_writer *w)
{
    for (unsigned i = 0; i < STREAMS; i++) {
        if (o->files[i].writer) {
            write_file(o, i, NULL, w);
        }
    }
}

static winnow_status commit_stream(struct outputs *o, enum stream stream, struct json_writer *w,
                                   struct winnow_error *err)
{
    struct output_file *f = &o->files[stream];
    winnow_status committed = shard_writer_commit(f->writer, err);
    shard_writer_close(f->writer);
    f->writer = NULL;
    TRY(committed);
    if (stream == STREAM_DOCUMENTS && o->to) {
        return WINNOW_OK;
    }
    struct buf path = {0};
    struct hash128 hash = {0};
    char hex[33];
    (void)path_of(o, stream, &path);
    winnow_status st = file_size(buf_cstr(&path), &f->length, err);
    if (st == WINNOW_OK) {
        st = file_hash(buf_cstr(&path), &hash, err);
    }
    if (st == WINNOW_OK) {
        hash128_hex(hash, hex);
        write_file(o, stream, hex, w);
    }
    buf_release(&path);
    return st;
}

winnow_status outputs_commit(struct outputs *o, struct json_writer *w, struct winnow_error *err)
{
    for (unsigned i = 0; i < STREAMS; i++) {
        if (o->files[i].writer) {
            TRY(commit_stream(o, i, w, err));
        }
    }
    if (packing_is_parquet(str_of(o->shard))) {
        buf_add(&o->committed, o->shard, strlen(o->shard) + 1);
    }
    return WINNOW_OK;
}

void outputs_forget_shard(struct outputs *o, const char *shard)
{
    struct buf path = {0};
    const char *open = o->shard;
    o->shard = shard;
    for (unsigned i = 0; i < STREAMS; i++) {
        if (o->wanted[i]) {
            shard_writer_forget(path_of(o, i, &path));
        }
    }
    o->shard = open;
    buf_release(&path);
}

void outputs_forget(struct outputs *o)
{
    for (size_t at = 0; at < o->committed.len; at += strlen(o->committed.ptr + at) + 1) {
        outputs_forget_shard(o, o->committed.ptr + at);
    }
    buf_clear(&o->committed);
}

void outputs_close(struct outputs *o)
{
    for (size_t i = 0; i < STREAMS; i++) {
        shard_writer_close(o->files[i].writer);
        o->files[i].writer = NULL;
    }
    buf_release(&o->committed);
}
