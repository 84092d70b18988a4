/* output_folder.c -- see output_folder.h. */
#include "run/output_folder.h"

#include "base/claim.h"
#include "base/env.h"
#include "base/file.h"
#include "math/kernels.h"

#include <stdio.h>

static winnow_status make_key(struct output_folder *o, const struct winnow_env *env,
                              struct winnow_error *err)
{
    const struct output_wanted *want = o->want;
    struct command_inputs in = {
        .table = want->table, .options = want->options, .paths = *want->paths, .seed = env->seed};
    if (want->uses_kernels) {
        TRY(kernels_asked(env->kernels, &in.kernels, err));
    }
    struct prints *prints = prints_new((struct json_value){0}, env);
    winnow_status st = command_key(prints, &in, o->now.settings, o->now.key, err);
    prints_free(prints);
    return st;
}

/* All that a command may have put there: of whichever command, for a half done
 * folder of one is taken over by another. */
static winnow_status remove_parts(const char *folder, bool *some, struct winnow_error *err)
{
    static const char *const PARTS[] = {OUTPUT_CHECKPOINT,   "adapter",
                                        "model.safetensors", "config.json",
                                        "tokenizer.json",    "tokenizer_config.json",
                                        "training.json",     "chat_template.jinja",
                                        "causal.json",       "rows.jsonl"};
    struct buf path = {0}, temporary = {0};
    winnow_status st = WINNOW_OK;
    for (size_t i = 0; i < sizeof PARTS / sizeof *PARTS && st == WINNOW_OK; i++) {
        const char *part = file_join(&path, folder, PARTS[i]);
        *some = *some || file_exists(part);
        st = file_remove_tree(part, err);
        buf_clear(&temporary);
        buf_addf(&temporary, "%s" FILE_TMP, part);
        st = st == WINNOW_OK ? file_remove_tree(buf_cstr(&temporary), err) : st;
    }
    buf_release(&path);
    buf_release(&temporary);
    return st;
}

/* Once the folder is marked as finished: from then on it can only be in the way. */
static winnow_status forget_checkpoint(const char *folder, struct winnow_error *err)
{
    struct buf path = {0};
    winnow_status st = file_remove_tree(file_join(&path, folder, OUTPUT_CHECKPOINT), err);
    buf_release(&path);
    return st;
}

/* What came through a pipe is not there any more to be compared. */
static bool is_piped(const struct winnow_list *paths)
{
    for (size_t i = 0; i < paths->count; i++) {
        if (strcmp(paths->items[i], "-") == 0) {
            return true;
        }
    }
    return false;
}

static winnow_status compare(struct output_folder *o, const struct winnow_env *env,
                             struct winnow_error *err)
{
    const struct output_wanted *want = o->want;
    struct claim there;
    TRY(claim_read(want->path, &there, err));
    bool same = strcmp(there.key, o->now.key) == 0 && !is_piped(want->paths);
    bool same_settings = strcmp(there.settings, o->now.settings) == 0;
    o->finished = same && there.finished && !env->force;
    if (o->finished) { /* a call that ended between the mark and this left it */
        TRY(forget_checkpoint(want->path, err));
    }
    if (o->finished && there.told[0]) {
        return error_set(err, WINNOW_E_FORMAT, "%s", there.told);
    }
    if (o->finished || (same && !there.finished)) {
        return WINNOW_OK;
    }
    if (there.finished && !same_settings && !env->force) {
        return error_set(err, WINNOW_E_USAGE,
                         "%s holds a finished %s of other settings; name another folder with -o, "
                         "or say --force to have it replaced",
                         want->path, want->kind);
    }
    /* The mark goes first: a folder that is half removed is not a finished one. */
    bool some = false;
    TRY(file_refuse_mounts(want->path, err));
    TRY(claim_write(want->path, want->kind, &(struct claim){0}, err));
    TRY(remove_parts(want->path, &some, err));
    if (some) {
        env_log(env, there.finished ? WINNOW_LOG_WARNING : WINNOW_LOG_INFO,
                "%s: what was there is %s; it is done anew", want->path,
                same_settings    ? "of other input"
                : there.finished ? "replaced, as --force asks"
                                 : "unfinished and of other settings");
    }
    return claim_write(want->path, want->kind, &o->now, err);
}

static void unlock(struct output_folder *o)
{
    file_unlock(o->lock);
    o->lock = -1;
}

winnow_status output_folder_open(struct output_folder *o, const struct output_wanted *want,
                                 const struct winnow_env *env, struct winnow_error *err)
{
    *o = (struct output_folder){.want = want, .lock = -1};
    const struct guarded what = {.paths = *want->paths};
    TRY(guard_folder(want->path, &what, want->table, want->options, err));
    TRY(claim_check(want->path, want->kind, err));
    o->fresh = !file_exists(want->path);
    TRY(make_key(o, env, err));
    TRY(claim_folder(want->path, want->kind, &o->lock, err));
    winnow_status st = compare(o, env, err);
    if (st != WINNOW_OK) {
        unlock(o);
    }
    return st;
}

static winnow_status finish(struct output_folder *o, winnow_status st, bool made,
                            struct winnow_error *err)
{
    struct winnow_error second;
    if (!made) {
        return st;
    }
    if (o->unsettled) {
        o->now = (struct claim){0};
    }
    o->now.finished = true;
    if (st != WINNOW_OK) {
        (void)snprintf(o->now.told, sizeof o->now.told, "%s", err->text);
    }
    winnow_status wrote = claim_write(o->want->path, o->want->kind, &o->now, &second);
    if (wrote == WINNOW_OK) {
        wrote = forget_checkpoint(o->want->path, &second);
    }
    if (st == WINNOW_OK && wrote != WINNOW_OK) {
        *err = second;
        st = wrote;
    }
    return st;
}

void output_folder_account(struct output_folder *o, const struct input_account *a)
{
    for (size_t i = 0; i < a->lost.held; i++) {
        struct winnow_error ignored;
        struct hash128 hash;
        const char *name = a->lost.items[i].name;
        if (a->lost.items[i].unreadable) {
            o->unsettled =
                o->unsettled || file_is_dir(name) || file_hash(name, &hash, &ignored) == WINNOW_OK;
        }
    }
}

winnow_status output_folder_end(struct output_folder *o, winnow_status st, bool made,
                                struct winnow_error *err)
{
    struct winnow_error ignored;
    if (!o->finished) {
        st = finish(o, st, made, err);
    }
    if (o->refused && o->fresh && !made) { /* under the lock: nobody else has put anything there */
        (void)file_remove_tree(o->want->path, &ignored);
    }
    unlock(o);
    return st;
}
