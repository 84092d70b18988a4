/* checkpoint.c -- what a pass leaves behind so that another process can go on.
 *
 * progress-<pass>.json in the stage's folder names a place between two blocks
 * and the lengths that the open files have there.  It is written after those
 * bytes are on the disk, and replaced as a whole, so whatever moment a process
 * dies at, the newest one describes files that exist at least that long; what
 * lies behind is cut off on resume.  completions/<pass>/<shard>.json is written
 * when a shard's files have their final names, before the next progress: a
 * shard before the named place always has one. */
#include "base/env.h"
#include "base/file.h"
#include "corpus/packing.h"
#include "run/pass_internal.h"

#include <stdio.h>

static const char *progress_path(const struct pass *p, struct buf *out)
{
    buf_clear(out);
    buf_addf(out, "%s/progress-%s.json", p->stage->folder, p->how->name);
    return buf_cstr(out);
}

static void write_position(const struct position *at, struct json_writer *w)
{
    json_open(w, '{');
    json_member_u64(w, "file", at->file);
    json_member_u64(w, "offset", at->offset);
    json_member_u64(w, "lines", at->lines);
    json_member_u64(w, "ordinal", at->ordinal);
    json_close(w, '}');
}

static uint64_t u64_of(struct json_value object, const char *key)
{
    uint64_t v = 0;
    (void)json_as_u64(json_get(object, key), &v);
    return v;
}

static void read_position(struct json_value v, struct position *at)
{
    *at = (struct position){u64_of(v, "file"), u64_of(v, "offset"), u64_of(v, "lines"),
                            u64_of(v, "ordinal")};
}

void checkpoint_position(struct json_value root, struct position *at)
{
    read_position(json_get(root, "position"), at);
}

bool checkpoint_is_of(const struct pass *p, struct json_value root)
{
    struct str key;
    return json_as_str(json_get(root, "key"), &key) && str_is(key, p->stage->key);
}

enum progress {
    PROGRESS_PLACE,  /* to go on from */
    PROGRESS_SHARDS, /* of a pass whose places are kept by shards: only what it took so far */
    PROGRESS_DONE
};

static void write_progress(const struct pass *p, enum progress what, struct json_writer *w)
{
    const struct position start = {0};
    json_open(w, '{');
    json_member_text(w, "key", p->stage->key);
    json_member_bool(w, "done", what == PROGRESS_DONE);
    json_key(w, "position");
    write_position(what == PROGRESS_SHARDS ? &start : &p->at, w);
    json_member_u64(w, "seen", what == PROGRESS_SHARDS ? 0 : p->seen);
    json_member_u64(w, "shards", p->shard_number);
    json_member_double(w, "seconds", p->seconds_before + env_seconds() - p->started);
    json_member_u64(w, "documents", p->stage->documents);
    json_member_u64(w, "ordinals", p->stage->ordinals);
    if (p->open && what == PROGRESS_PLACE) {
        json_member_open(w, "open", '{');
        counts_write(&p->counts, w);
        account_write(&p->account, w);
        json_member_open(w, "files", '{');
        outputs_write(&p->outputs, w);
        json_close(w, '}');
        json_close(w, '}');
    }
    json_close(w, '}');
}

/* Lines of Parquet shards that are behind the checkpoint; at the end also those that were left
 * by a process which was killed just before it removed them. */
static void forget(struct pass *p, bool done)
{
    outputs_forget(&p->outputs);
    for (size_t i = 0; done && p->input == &PASS_DOCUMENTS && i < p->feed.shards->count; i++) {
        if (packing_is_parquet(str_of(p->feed.shards->items[i].name))) {
            outputs_forget_shard(&p->outputs, p->feed.shards->items[i].name);
        }
    }
}

static winnow_status write_file(const struct pass *p, const char *path, enum progress what,
                                struct winnow_error *err)
{
    struct buf text = {0};
    struct json_writer w = {.out = &text};
    write_progress(p, what, &w);
    buf_add_char(&text, '\n');
    winnow_status st = file_write_atomic(path, buf_str(&text), err);
    buf_release(&text);
    return st;
}

/* The folder that a file will lie in: shards may lie deep. */
static winnow_status make_folder_of(const char *path, struct winnow_error *err)
{
    struct buf folder = {0};
    buf_add(&folder, path, (size_t)(strrchr(path, '/') - path));
    winnow_status st = file_make_dirs(buf_cstr(&folder), err);
    buf_release(&folder);
    return st;
}

static winnow_status write_place(const struct pass *p, struct winnow_error *err)
{
    struct buf path = {0};
    const char *file = pass_place_path(p, &path);
    winnow_status st = make_folder_of(file, err);
    st = st == WINNOW_OK ? write_file(p, file, PROGRESS_PLACE, err) : st;
    buf_release(&path);
    return st;
}

winnow_status checkpoint_by_shards(const struct pass *p, struct winnow_error *err)
{
    struct buf path = {0};
    winnow_status st = WINNOW_OK;
    if (ranks_lead(p->stage->run->env->ranks)) {
        st = write_file(p, progress_path(p, &path), PROGRESS_SHARDS, err);
    }
    buf_release(&path);
    return st;
}

winnow_status checkpoint_forget_shards(const struct pass *p, struct winnow_error *err)
{
    struct buf path = {0};
    buf_addf(&path, "%s/progress-%s", p->stage->folder, p->how->name);
    winnow_status st = file_remove_tree(buf_cstr(&path), err);
    buf_clear(&path);
    buf_addf(&path, "%s/completions/%s", p->stage->folder, p->how->name);
    st = st == WINNOW_OK ? file_remove_tree(buf_cstr(&path), err) : st;
    buf_release(&path);
    return st;
}

winnow_status checkpoint_write(struct pass *p, bool done, struct winnow_error *err)
{
    if (!p->resumable) {
        forget(p, done);
        return WINNOW_OK;
    }
    if (p->open) {
        TRY(outputs_sync(&p->outputs, err));
    }
    struct buf path = {0};
    winnow_status st = WINNOW_OK;
    if (p->by_shard && !done) {
        st = p->open ? write_place(p, err) : WINNOW_OK;
        st = st == WINNOW_OK ? checkpoint_by_shards(p, err) : st;
    } else {
        const enum progress what = done ? PROGRESS_DONE : PROGRESS_PLACE;
        st = write_file(p, progress_path(p, &path), what, err);
    }
    buf_release(&path);
    p->saved = env_seconds();
    if (st == WINNOW_OK) {
        forget(p, done);
    }
    return st;
}

winnow_status checkpoint_end(struct pass *p, struct winnow_error *err)
{
    if (!ranks_lead(p->stage->run->env->ranks)) {
        return WINNOW_OK;
    }
    return checkpoint_write(p, true, err);
}

winnow_status checkpoint_read(struct pass *p, struct json_parser *parser, struct json_value *from,
                              bool *done, struct winnow_error *err)
{
    struct buf path = {0};
    struct json_value root;
    bool found = false;
    *done = false;
    *from = (struct json_value){0};
    winnow_status st = run_read_json(progress_path(p, &path), parser, &root, &found, err);
    struct str key;
    if (st == WINNOW_OK && found && json_as_str(json_get(root, "key"), &key) &&
        str_is(key, p->stage->key)) {
        (void)json_as_bool(json_get(root, "done"), done);
        read_position(json_get(root, "position"), &p->at);
        p->seen = u64_of(root, "seen");
        p->shard_number = u64_of(root, "shards");
        (void)json_as_double(json_get(root, "seconds"), &p->seconds_before);
        if (*done) {
            p->stage->documents = u64_of(root, "documents");
            p->stage->ordinals = u64_of(root, "ordinals");
        }
        struct json_value open = json_get(root, "open");
        if (json_kind(open) == JSON_OBJECT && !p->by_shard) {
            p->open = true;
            *from = json_get(open, "files");
            account_read(&p->account, open);
            st = counts_read(&p->counts, open, err);
        }
    }
    if (st != WINNOW_OK) {
        st = error_wrap(err, st, "%s", buf_cstr(&path));
    }
    buf_release(&path);
    return st;
}

winnow_status checkpoint_shard(struct pass *p, struct winnow_error *err)
{
    struct buf text = {0}, path = {0};
    struct json_writer w = {.out = &text};
    json_open(&w, '{');
    json_member_text(&w, "path", p->outputs.shard);
    json_member_u64(&w, "lines", p->at.ordinal + p->at.lines - p->shard_start);
    counts_write(&p->counts, &w);
    account_write(&p->account, &w);
    json_member_open(&w, "files", '{');
    winnow_status st = outputs_commit(&p->outputs, &w, err);
    json_close(&w, '}');
    json_close(&w, '}');
    buf_add_char(&text, '\n');
    buf_addf(&path, "%s/completions/%s/%s.json", p->stage->folder, p->how->name, p->outputs.shard);
    st = st == WINNOW_OK ? make_folder_of(buf_cstr(&path), err) : st;
    if (st == WINNOW_OK) {
        st = file_write_atomic(buf_cstr(&path), buf_str(&text), err);
    }
    if (st == WINNOW_OK && p->by_shard) { /* nobody goes on within it */
        st = file_remove_tree(pass_place_path(p, &path), err);
        outputs_forget(&p->outputs);
    }
    buf_release(&text);
    buf_release(&path);
    counts_release(&p->counts);
    account_release(&p->account);
    p->open = false;
    return st;
}
