/* folder.c -- whose the run folder is, and what of it still holds.
 *
 * Everything a stage's bytes depend on is hashed into its key: version,
 * command, options, seed, the input and the stages before.  The key is written
 * into the stage's folder before anything else and compared at the next call:
 * where it differs, that stage and all behind it are removed and done again. */
#include "winnow/version.h"

#include "base/claim.h"
#include "base/env.h"
#include "base/file.h"
#include "corpus/spool.h"
#include "run/command_key.h"
#include "run/folder_internal.h"
#include "run/settings.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* ---- the lock ---- */

winnow_status folder_lock(struct run *r, struct winnow_error *err)
{
    return claim_folder(r->folder, CLAIM_RUN, &r->lock, err);
}

void folder_unlock(struct run *r)
{
    file_unlock(r->lock);
    r->lock = -1;
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
    add_setting(w, "version", winnow_version());
    add_setting(w, "input", r->input_key);
    add_setting(w, "text_key", c->text_key);
    add_setting(w, "id_key", c->id_key);
    json_member_u64(w, "limit", c->limit);
    json_member_i64(w, "on_bad", c->on_bad);
    json_member_bool(w, "keep_removed", c->keep_removed);
    json_member_u64(w, "line_max", c->line_max);
    json_member_u64(w, "seed", r->env->seed);
}

static winnow_status hash_into(struct run *r, char out[33], const char *before,
                               const struct option_table *table, const void *options,
                               const char *kernels, struct winnow_error *err)
{
    struct buf text = {0};
    struct json_writer w = {.out = &text};
    winnow_status st = WINNOW_OK;
    json_open(&w, '{');
    add_setting(&w, "before", before);
    add_setting(&w, "command", table ? table->command : "");
    if (table && options) {
        json_member_open(&w, "options", '{');
        option_write_key(table, options, &w);
        json_close(&w, '}');
        st = key_add_files(r->prints, table, options, &w, err);
    }
    add_setting(&w, "kernels", kernels);
    json_close(&w, '}');
    hash128_hex(hash128(buf_str(&text)), out);
    buf_release(&text);
    return st;
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

static winnow_status stage_key(const struct stage *s, const char *before, const char *kernels,
                               char out[33], struct winnow_error *err)
{
    return hash_into(s->run, out, before, s->kind->table, s->options,
                     s->kind->uses_kernels ? kernels : NULL, err);
}

/* Keys of all stages, then of all endings: each holds the one before. */
static winnow_status make_keys(struct run *r, struct winnow_error *err)
{
    char before[33];
    base_key(r, before);
    for (size_t i = 0; i < r->request->count; i++) {
        struct stage *s = &r->stages[i];
        TRY(stage_key(s, before, r->request->kernels, s->key, err));
        settings_describe(s);
        memcpy(before, s->key, sizeof before);
    }
    for (size_t i = 0; i < r->request->ending_count; i++) {
        const struct run_ending *e = &r->request->endings[i];
        TRY(hash_into(r, r->ending_keys[i], before, e->table, e->options,
                      e->uses_kernels ? r->request->kernels : NULL, err));
        memcpy(before, r->ending_keys[i], sizeof before);
    }
    return WINNOW_OK;
}

const char *folder_key(const struct run *r)
{
    size_t endings = r->request->ending_count;
    return endings > 0 ? r->ending_keys[endings - 1] : r->stages[r->request->count - 1].key;
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
        st = st == WINNOW_OK ? stage_key(s, before, name, other, err) : st;
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

/* Marks the stage as complete or not; *stale: what is there is of another key. */
static winnow_status compare_stage(struct run *r, struct stage *s, bool *stale,
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
    *stale = st == WINNOW_OK && !same && file_exists(s->folder);
    buf_release(&path);
    return st;
}

static bool is_of_recipe(const struct run *r, const char *name)
{
    for (size_t i = 0; i < r->request->count; i++) {
        if (strcmp(r->stages[i].name, name) == 0) {
            return true;
        }
    }
    return false;
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

/* The stages' folders that the recipe does not have. */
static winnow_status find_strangers(struct run *r, struct winnow_list *out,
                                    struct winnow_error *err)
{
    struct winnow_list names = {0};
    bool found = false;
    TRY(run_find_stages(r->folder, &names, &r->keep, &found, err));
    for (size_t i = 0; i < names.count; i++) {
        if (!is_of_recipe(r, names.items[i])) {
            option_list_add(out, str_of(names.items[i]), &r->keep);
        }
    }
    return WINNOW_OK;
}

/* What would go, as "01-rules (7349 documents kept), 02-dedup (unfinished)".  True
 * where some of it is finished and was made by another command or other settings. */
static bool describe(const struct run *r, const struct winnow_list *names, struct buf *out,
                     struct buf *differing)
{
    bool precious = false;
    for (size_t i = 0; i < names->count; i++) {
        struct buf folder = {0}, mark = {0};
        struct counts c = {0};
        struct winnow_error ignored;
        buf_addf(&folder, "%s/stages/%s", r->folder, names->items[i]);
        bool done = file_exists(file_join(&mark, buf_cstr(&folder), "_SUCCESS"));
        buf_addf(out, "%s%s", i > 0 ? ", " : "", names->items[i]);
        if (done && stage_read_counts(buf_cstr(&folder), &c, &ignored) == WINNOW_OK) {
            buf_addf(out, " (%" PRIu64 " documents kept)", c.documents[COUNT_KEPT]);
        } else {
            buf_add_text(out, done ? "" : " (unfinished)");
        }
        precious =
            precious || (done && !settings_same(r, names->items[i], buf_cstr(&folder), differing));
        counts_release(&c);
        buf_release(&folder);
        buf_release(&mark);
    }
    return precious;
}

/* The mark goes first: a stage that is half removed is not a finished one. */
static winnow_status remove_stage(const struct run *r, const char *name, struct winnow_error *err)
{
    struct buf folder = {0}, mark = {0};
    buf_addf(&folder, "%s/stages/%s", r->folder, name);
    winnow_status st = file_remove_tree(file_join(&mark, buf_cstr(&folder), "_SUCCESS"), err);
    st = st == WINNOW_OK ? file_remove_tree(buf_cstr(&folder), err) : st;
    buf_release(&folder);
    buf_release(&mark);
    return st;
}

/* Whether any of these stages kept documents. */
static bool has_results(const struct run *r, const struct winnow_list *names)
{
    bool some = false;
    for (size_t i = 0; i < names->count && !some; i++) {
        struct buf folder = {0};
        struct counts c = {0};
        struct winnow_error ignored;
        buf_addf(&folder, "%s/stages/%s", r->folder, names->items[i]);
        some = stage_read_counts(buf_cstr(&folder), &c, &ignored) == WINNOW_OK &&
               c.documents[COUNT_KEPT] > 0;
        counts_release(&c);
        buf_release(&folder);
    }
    return some;
}

static bool is_empty(const struct shard *s)
{
    struct winnow_error ignored;
    uint64_t bytes = 1;
    if (s->once) {
        return strcmp(s->path, "-") == 0 && spool_has_nothing();
    }
    if (s->remote) {
        return s->remote->sized && s->remote->bytes == 0;
    }
    return file_size(s->path, &bytes, &ignored) == WINNOW_OK && bytes == 0;
}

/* An input without a byte, as of a pipe whose writer failed, gives nothing that would be
 * worth what an earlier one gave. */
static winnow_status refuse_empty(const struct run *r, const struct winnow_list *names,
                                  struct winnow_error *err)
{
    const struct shard_list *in = &r->stages[0].input;
    struct input_account account = {0};
    size_t empty = 0;
    if (r->env->force || !has_results(r, names)) {
        return WINNOW_OK;
    }
    while (empty < in->count && is_empty(&in->items[empty])) {
        account_input(&account, in->items[empty++].label);
    }
    winnow_status st = WINNOW_OK;
    if (empty > 0 && empty == in->count) {
        st = account_need_documents(&account, err);
        const struct winnow_error why = *err;
        st = error_set(err, st, "%s; what %s holds stays as it is, unless you say --force",
                       why.text, r->folder);
    }
    account_release(&account);
    return st;
}

/* Finished results are never thrown away without being asked.  The same command with
 * the same settings asks: its input has changed, so what is there is not its result. */
static winnow_status clear_way(struct run *r, const struct winnow_list *names,
                               struct winnow_error *err)
{
    struct buf text = {0}, differing = {0};
    winnow_status st = WINNOW_OK;
    bool precious = describe(r, names, &text, &differing);
    if (precious && !r->env->force) {
        bool known = differing.len > 0;
        st = error_set(err, WINNOW_E_USAGE,
                       "%s holds finished results of another command or other settings%s%.100s%s, "
                       "which would go: %.200s; name another folder with -o, or say --force to "
                       "replace them",
                       r->folder, known ? " (" : "", known ? buf_cstr(&differing) : "",
                       known ? ")" : "", buf_cstr(&text));
    } else if (names->count > 0) {
        st = refuse_empty(r, names, err);
        st = st == WINNOW_OK ? file_refuse_mounts(r->folder, err) : st;
    }
    if (st == WINNOW_OK && names->count > 0) {
        env_log(r->env, precious ? WINNOW_LOG_WARNING : WINNOW_LOG_INFO,
                "%s: doing anew what was made of other input or settings: %s", r->folder,
                buf_cstr(&text));
        st = unfinish(r, err);
    }
    for (size_t i = 0; i < names->count && st == WINNOW_OK; i++) {
        st = remove_stage(r, names->items[i], err);
    }
    buf_release(&text);
    buf_release(&differing);
    return st;
}

/* What the same command left, and of which files are gone: nothing is lost that was not. */
static winnow_status remove_damaged(struct run *r, struct winnow_error *err)
{
    bool some = false;
    whole_stages(r);
    for (size_t i = 0; i < r->request->count; i++) {
        some = some || r->stages[i].damaged;
    }
    if (some) {
        TRY(file_refuse_mounts(r->folder, err));
        TRY(unfinish(r, err));
    }
    for (size_t i = 0; i < r->request->count; i++) {
        TRY(r->stages[i].damaged ? remove_stage(r, r->stages[i].name, err) : WINNOW_OK);
    }
    return WINNOW_OK;
}

winnow_status folder_compare(struct run *r, struct winnow_error *err)
{
    struct winnow_list stale = {0};
    TRY(make_keys(r, err));
    for (size_t i = 0; i < r->request->count; i++) {
        bool gone = false;
        TRY(compare_stage(r, &r->stages[i], &gone, err));
        if (gone) {
            option_list_add(&stale, str_of(r->stages[i].name), &r->keep);
        }
    }
    TRY(find_strangers(r, &stale, err));
    TRY(clear_way(r, &stale, err));
    return remove_damaged(r, err);
}

/* All stages that are there, of this request or not. */
static winnow_status find_stages(struct run *r, struct winnow_list *out, struct winnow_error *err)
{
    for (size_t i = 0; i < r->request->count; i++) {
        settings_describe(&r->stages[i]);
        if (file_exists(r->stages[i].folder)) {
            option_list_add(out, str_of(r->stages[i].name), &r->keep);
        }
    }
    return find_strangers(r, out, err);
}

/* Standard input cannot be compared with what an earlier call read of it. */
winnow_status folder_start_anew(struct run *r, struct winnow_error *err)
{
    struct winnow_list all = {0};
    TRY(find_stages(r, &all, err));
    return clear_way(r, &all, err);
}

winnow_status folder_foresee(struct run *r, struct winnow_error *err)
{
    struct winnow_list all = {0};
    struct winnow_error why;
    if (!r->corpus->output || strcmp(r->corpus->output, "-") == 0) {
        return WINNOW_OK;
    }
    if (claim_check(r->folder, CLAIM_RUN, &why) != WINNOW_OK) {
        env_log(r->env, WINNOW_LOG_WARNING, "the run will be refused: %s", why.text);
        return WINNOW_OK;
    }
    TRY(find_stages(r, &all, err));
    struct buf text = {0}, differing = {0};
    if (describe(r, &all, &text, &differing) && !r->env->force) {
        env_log(r->env, WINNOW_LOG_WARNING,
                "the run will be refused: %s holds finished results of another command or other "
                "settings%s%.100s%s; --force replaces them",
                r->folder, differing.len > 0 ? " (" : "", buf_cstr(&differing),
                differing.len > 0 ? ")" : "");
    }
    buf_release(&text);
    buf_release(&differing);
    return WINNOW_OK;
}

winnow_status folder_forget(struct run *r, struct winnow_error *err)
{
    struct buf path = {0};
    winnow_status st = file_refuse_mounts(r->folder, err);
    st = st == WINNOW_OK ? unfinish(r, err) : st;
    st = st == WINNOW_OK ? file_remove_tree(file_join(&path, r->folder, "stages"), err) : st;
    for (size_t i = 0; i < r->request->count; i++) {
        r->stages[i].complete = false;
    }
    buf_release(&path);
    return st;
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
