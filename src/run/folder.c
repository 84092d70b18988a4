/* folder.c -- whose the run folder is, and what of it still holds.
 *
 * Everything a stage's bytes depend on is hashed into its key: version,
 * command, options, seed, the input and the stages before.  The key is written
 * into the stage's folder before anything else and compared at the next call:
 * where it differs, that stage and all behind it are removed and done again. */
#include "base/env.h"
#include "base/file.h"
#include "run/folder_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

/* ---- the lock ---- */

static winnow_status say_locked(const struct run *r, struct winnow_error *err)
{
    char pid[32] = "";
    ssize_t n = pread(r->lock, pid, sizeof pid - 1, 0);
    pid[n > 0 ? n : 0] = '\0';
    pid[strcspn(pid, "\n")] = '\0';
    return error_set(err, WINNOW_E_IO, "%s is in use by process %s; one run at a time", r->folder,
                     pid[0] ? pid : "(unknown)");
}

static bool is_ours(const char *folder)
{
    struct buf path = {0};
    bool ours = file_exists(file_join(&path, folder, ".lock"));
    buf_release(&path);
    return ours;
}

static void note_any(void *user, const char *name)
{
    (void)name;
    *(bool *)user = false;
}

/* A folder that holds something, but no run: its content is not ours to replace. */
static winnow_status refuse_foreign(const char *folder, struct winnow_error *err)
{
    bool empty = true, found = false;
    TRY(file_list(folder, note_any, &empty, &found, err));
    if (!empty && !is_ours(folder)) {
        return error_set(err, WINNOW_E_USAGE,
                         "%s is neither empty nor a run folder; name another one with -o", folder);
    }
    return WINNOW_OK;
}

winnow_status folder_lock(struct run *r, struct winnow_error *err)
{
    r->lock = -1;
    TRY(file_make_dirs(r->folder, err));
    TRY(refuse_foreign(r->folder, err));
    struct buf path = {0};
    winnow_status st = WINNOW_OK;
    r->lock = open(file_join(&path, r->folder, ".lock"), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (r->lock < 0) {
        st = error_errno(err, "cannot open", buf_cstr(&path));
    } else if (flock(r->lock, LOCK_EX | LOCK_NB) != 0) {
        if (errno == EWOULDBLOCK) {
            st = say_locked(r, err);
        } else {
            st = file_lock_refused(buf_cstr(&path), err);
        }
        (void)close(r->lock);
        r->lock = -1;
    } else {
        char pid[32];
        int n = snprintf(pid, sizeof pid, "%ld\n", (long)getpid());
        if (ftruncate(r->lock, 0) != 0 || pwrite(r->lock, pid, (size_t)n, 0) != n) {
            st = error_errno(err, "cannot write", buf_cstr(&path));
        }
    }
    buf_release(&path);
    return st;
}

void folder_unlock(struct run *r)
{
    if (r->lock >= 0) {
        (void)ftruncate(r->lock, 0);
        (void)close(r->lock);
        r->lock = -1;
    }
}

/* ---- keys ---- */

static void add_setting(struct json_writer *w, const char *key, const char *value)
{
    json_key(w, key);
    if (value) {
        json_text(w, value);
    } else {
        json_null(w);
    }
}

/* What all stages depend on. */
static void write_base(const struct run *r, struct json_writer *w)
{
    const struct winnow_corpus_options *c = r->corpus;
    add_setting(w, "version", RUN_VERSION);
    add_setting(w, "input", r->input_key);
    add_setting(w, "text_key", c->text_key);
    add_setting(w, "id_key", c->id_key);
    json_key(w, "limit");
    json_u64(w, c->limit);
    json_key(w, "on_bad");
    json_i64(w, c->on_bad);
    json_key(w, "keep_removed");
    json_bool(w, c->keep_removed);
    json_key(w, "line_max");
    json_u64(w, c->line_max);
    json_key(w, "seed");
    json_u64(w, r->env->seed);
}

/* A model, tokenizer or list that an option names is part of what the stage
 * depends on; one that cannot be read is refused later, by the stage. */
static void add_file_prints(const struct option_table *table, const void *options,
                            struct json_writer *w)
{
    for (const struct option *o = table->options; o->kind != OPTION_END; o++) {
        const char *path = NULL;
        if (o->kind == OPTION_FILE) {
            memcpy(&path, (const unsigned char *)options + o->offset, sizeof path);
        }
        struct hash128 h;
        struct winnow_error ignored;
        if (path && file_hash_tree(path, &h, &ignored) == WINNOW_OK) {
            char hex[33];
            hash128_hex(h, hex);
            add_setting(w, o->name, hex);
        }
    }
}

static void hash_into(char out[33], const char *before, const struct option_table *table,
                      const void *options, const char *kernels)
{
    struct buf text = {0};
    struct json_writer w = {.out = &text};
    json_open(&w, '{');
    add_setting(&w, "before", before);
    add_setting(&w, "command", table ? table->command : "");
    if (table && options) {
        json_key(&w, "options");
        json_open(&w, '{');
        option_write_key(table, options, &w);
        json_close(&w, '}');
        json_key(&w, "files");
        json_open(&w, '{');
        add_file_prints(table, options, &w);
        json_close(&w, '}');
    }
    add_setting(&w, "kernels", kernels);
    json_close(&w, '}');
    hash128_hex(hash128(buf_str(&text)), out);
    buf_release(&text);
}

/* What the first stage depends on beside itself. */
static void base_key(const struct run *r, char out[33])
{
    struct buf text = {0};
    struct json_writer w = {.out = &text};
    json_open(&w, '{');
    write_base(r, &w);
    json_close(&w, '}');
    hash128_hex(hash128(buf_str(&text)), out);
    buf_release(&text);
}

static void stage_key(const struct stage *s, const char *before, const char *kernels, char out[33])
{
    hash_into(out, before, s->kind->table, s->options, s->kind->uses_kernels ? kernels : NULL);
}

static void make_keys(struct run *r)
{
    char before[33];
    base_key(r, before);
    for (size_t i = 0; i < r->request->count; i++) {
        struct stage *s = &r->stages[i];
        stage_key(s, before, r->request->kernels, s->key);
        memcpy(before, s->key, sizeof before);
    }
}

void folder_next_key(const struct run *r, size_t i, char key[33])
{
    const struct run_ending *e = &r->request->endings[i];
    char before[33];
    memcpy(before, key, sizeof before);
    hash_into(key, before, e->table, e->options, e->uses_kernels ? r->request->kernels : NULL);
}

void folder_key(const struct run *r, char out[33])
{
    memcpy(out, r->stages[r->request->count - 1].key, 33);
    for (size_t i = 0; i < r->request->ending_count; i++) {
        folder_next_key(r, i, out);
    }
}

/* ---- comparing ---- */

winnow_status run_read_line(const char *path, char out[33], struct winnow_error *err)
{
    struct buf text = {0};
    out[0] = '\0';
    if (!file_exists(path)) {
        return WINNOW_OK;
    }
    winnow_status st = file_read(path, 4096, &text, err);
    struct str line = str_trim(buf_str(&text));
    if (st == WINNOW_OK && line.len == 32) {
        memcpy(out, line.ptr, 32);
        out[32] = '\0';
    }
    buf_release(&text);
    return st;
}

winnow_status run_write_line(const char *path, const char *text, struct winnow_error *err)
{
    struct buf line = {0};
    buf_addf(&line, "%s\n", text);
    winnow_status st = file_write_atomic(path, buf_str(&line), err);
    buf_release(&line);
    return st;
}

/* What stands for the end of the run, and what it would contradict. */
static winnow_status unfinish(struct run *r, struct winnow_error *err)
{
    static const char *const ENDS[] = {"_SUCCESS", "completions", "report.html", "ledger.db",
                                       "documents"};
    struct buf path = {0};
    winnow_status st = WINNOW_OK;
    for (size_t i = 0; i < sizeof ENDS / sizeof *ENDS && st == WINNOW_OK; i++) {
        st = file_remove_tree(file_join(&path, r->folder, ENDS[i]), err);
    }
    buf_release(&path);
    return st;
}

/* All is the same but the kernel table: its results would differ in their last
 * digits from those that are there.  Somebody has to choose. */
static winnow_status refuse_kernels(const struct run *r, const struct stage *s, const char *key,
                                    struct winnow_error *err)
{
    struct buf path = {0}, text = {0};
    winnow_status st = WINNOW_OK;
    if (s->kind->uses_kernels && file_exists(file_join(&path, s->folder, "kernels"))) {
        char before[33], other[33];
        st = file_read(buf_cstr(&path), 256, &text, err);
        text.len = str_trim(buf_str(&text)).len;
        const char *name = buf_cstr(&text);
        if (s == r->stages) {
            base_key(r, before);
        } else {
            memcpy(before, s[-1].key, sizeof before);
        }
        stage_key(s, before, name, other);
        if (st == WINNOW_OK && strcmp(other, key) == 0) {
            st = error_set(err, WINNOW_E_USAGE,
                           "%s was made with the kernel table %s, this is %s; go on with "
                           "--kernels %s where the processor has it, or name another folder",
                           s->folder, name, r->request->kernels, name);
        }
    }
    buf_release(&path);
    buf_release(&text);
    return st;
}

static winnow_status compare_stage(struct run *r, struct stage *s, bool *told,
                                   struct winnow_error *err)
{
    struct buf path = {0};
    char key[33], done[33];
    winnow_status st = run_read_line(file_join(&path, s->folder, "key"), key, err);
    if (st == WINNOW_OK) {
        st = run_read_line(file_join(&path, s->folder, "_SUCCESS"), done, err);
    }
    bool same = strcmp(key, s->key) == 0;
    if (st == WINNOW_OK && same && stage_lost_is_back(s)) {
        env_log(r->env, WINNOW_LOG_INFO, "%s: an input that could not be read can be read now",
                r->folder);
        same = false;
    }
    same = same && (s == r->stages || s[-1].complete); /* what it was made from is made anew */
    s->complete = same && strcmp(done, s->key) == 0;
    if (st == WINNOW_OK && !same && key[0] != '\0') {
        st = refuse_kernels(r, s, key, err);
    }
    if (st == WINNOW_OK && !same && file_exists(s->folder)) {
        if (!*told && key[0] != '\0') {
            env_log(
                r->env, WINNOW_LOG_INFO,
                "%s: the input or the settings up to %s changed; doing it and what follows again",
                r->folder, s->name);
            *told = true;
        }
        st = unfinish(r, err);
        st = st == WINNOW_OK ? file_remove_tree(s->folder, err) : st;
    }
    buf_release(&path);
    return st;
}

/* A stage's folder that the recipe no longer has. */
static winnow_status remove_stranger(struct run *r, const char *name, struct winnow_error *err)
{
    for (size_t i = 0; i < r->request->count; i++) {
        if (strcmp(r->stages[i].name, name) == 0) {
            return WINNOW_OK;
        }
    }
    env_log(r->env, WINNOW_LOG_INFO, "%s: removing stage %s, which the recipe no longer has",
            r->folder, name);
    TRY(unfinish(r, err));
    struct buf path = {0};
    buf_addf(&path, "%s/stages/%s", r->folder, name);
    winnow_status st = file_remove_tree(buf_cstr(&path), err);
    buf_release(&path);
    return st;
}

struct stage_names {
    struct winnow_list list;
    struct arena *keep;
};

static void note_stage(void *user, const char *name)
{
    struct stage_names *names = user;
    if (name[0] >= '0' && name[0] <= '9') {
        option_list_add(&names->list, str_of(name), names->keep);
    }
}

/* The names of stages, in no order. */
winnow_status run_find_stages(const char *run, struct winnow_list *out, struct arena *keep,
                              bool *found, struct winnow_error *err)
{
    struct buf path = {0};
    struct stage_names names = {.keep = keep};
    winnow_status st = file_list(file_join(&path, run, "stages"), note_stage, &names, found, err);
    buf_release(&path);
    *out = names.list;
    return st;
}

static winnow_status remove_strangers(struct run *r, struct winnow_error *err)
{
    struct winnow_list names = {0};
    bool found = false;
    TRY(run_find_stages(r->folder, &names, &r->keep, &found, err));
    for (size_t i = 0; i < names.count; i++) {
        TRY(remove_stranger(r, names.items[i], err));
    }
    return WINNOW_OK;
}

winnow_status folder_compare(struct run *r, struct winnow_error *err)
{
    bool told = false;
    make_keys(r);
    for (size_t i = 0; i < r->request->count; i++) {
        TRY(compare_stage(r, &r->stages[i], &told, err));
    }
    return remove_strangers(r, err);
}

winnow_status folder_begin(struct run *r, struct winnow_error *err)
{
    struct buf path = {0};
    winnow_status st = file_remove_tree(file_join(&path, r->folder, "_SUCCESS"), err);
    buf_release(&path);
    return st == WINNOW_OK ? folder_write_recipe(r, err) : st;
}

/* ---- the end ---- */

/* A hard link, or a copy where the file system has none. */
static winnow_status link_file(const char *from, const char *to, struct winnow_error *err)
{
    if (link(from, to) == 0) {
        return WINNOW_OK;
    }
    if (errno != EPERM && errno != EXDEV && errno != EMLINK && errno != EOPNOTSUPP &&
        errno != ENOSYS && errno != EACCES && errno != EINVAL) {
        return error_errno(err, "cannot link", to);
    }
    return file_copy(from, to, err);
}

static winnow_status link_one(const char *from_folder, const char *to_folder, const char *name,
                              struct winnow_error *err)
{
    struct buf from = {0}, to = {0}, parent = {0};
    (void)file_join(&from, from_folder, name);
    buf_add_text(&parent, file_join(&to, to_folder, name));
    parent.len = (size_t)(strrchr(buf_cstr(&parent), '/') - parent.ptr);
    winnow_status st = file_make_dirs(buf_cstr(&parent), err);
    if (st == WINNOW_OK) {
        st = link_file(buf_cstr(&from), buf_cstr(&to), err);
    }
    buf_release(&from);
    buf_release(&to);
    buf_release(&parent);
    return st;
}

winnow_status folder_link_documents(struct run *r, struct winnow_error *err)
{
    const struct stage *last = &r->stages[r->request->count - 1];
    struct buf from = {0}, temporary = {0}, to = {0};
    struct shard_list list = {0};
    const char *folder = file_join(&from, last->folder, "documents");
    (void)file_join(&temporary, r->folder, "documents.tmp");
    (void)file_join(&to, r->folder, "documents");
    winnow_status st = file_remove_tree(buf_cstr(&temporary), err);
    st = st == WINNOW_OK ? file_remove_tree(buf_cstr(&to), err) : st;
    st = st == WINNOW_OK ? file_make_dirs(buf_cstr(&temporary), err) : st;
    st = st == WINNOW_OK ? stage_output(last->folder, &list, err) : st;
    for (size_t i = 0; i < list.count && st == WINNOW_OK; i++) {
        st = link_one(folder, buf_cstr(&temporary), list.items[i].name, err);
    }
    if (st == WINNOW_OK && rename(buf_cstr(&temporary), buf_cstr(&to)) != 0) {
        st = error_errno(err, "cannot rename", buf_cstr(&temporary));
    }
    shard_list_release(&list);
    buf_release(&from);
    buf_release(&temporary);
    buf_release(&to);
    return st;
}
