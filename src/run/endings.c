/* endings.c -- what comes behind the stages of a run: proof, tokens, report.
 *
 * completions/NAME holds the key of what an ending made, completions/NAME.lost what it did
 * without.  One that fails keeps no other from being made; what was made without texts
 * that could not be read is made again by the run's next call, and so is what follows it. */
#include "base/env.h"
#include "base/file.h"
#include "run/folder_internal.h"

#define ENDING_LOST_MAX ((size_t)1 << 20) /* bytes of a sentence */

/* "completions/NAME.lost" holds what the ending did without; no such file: nothing. */
static const char *lost_path(const struct run *r, const struct run_ending *e, struct buf *out)
{
    struct buf name = {0};
    buf_addf(&name, "completions/%s.lost", e->name);
    const char *path = file_join(out, r->folder, buf_cstr(&name));
    buf_release(&name);
    return path;
}

void run_ending_lost(struct run *r, const char *sentence)
{
    r->ending_lost = arena_strndup(&r->keep, sentence, strlen(sentence));
}

static winnow_status run_ending(struct run *r, const struct run_ending *e, const char *key,
                                struct winnow_error *err)
{
    struct buf path = {0};
    r->ending_lost = NULL;
    winnow_status st = e->run(r, e->options, key, err);
    if (st == WINNOW_OK) {
        const char *lost = lost_path(r, e, &path);
        st = r->ending_lost ? file_write_atomic(lost, str_of(r->ending_lost), err)
                            : file_remove_tree(lost, err);
    }
    buf_release(&path);
    return st;
}

/* Whether what the ending made is there, as far as one file tells. */
static bool has_product(const struct run *r, const struct run_ending *e)
{
    struct buf path = {0};
    bool there = !e->product || file_exists(file_join(&path, r->folder, e->product));
    buf_release(&path);
    return there;
}

bool endings_are_made(const struct run *r)
{
    struct buf path = {0};
    bool made = true;
    for (size_t i = 0; i < r->request->ending_count; i++) {
        const struct run_ending *e = &r->request->endings[i];
        made = made && has_product(r, e) && !file_exists(lost_path(r, e, &path));
    }
    buf_release(&path);
    return made;
}

/* *settles: what is made now will hold the next time.  What is made without texts that could
 * not be read does not, nor does what follows it: they may be there again. */
static winnow_status do_ending(struct run *r, const struct run_ending *e, const char *key,
                               bool *settles, struct winnow_error *err)
{
    struct buf path = {0}, name = {0};
    char done[33];
    double start = env_seconds();
    buf_addf(&name, "completions/%s", e->name);
    winnow_status st = run_read_line(file_join(&path, r->folder, buf_cstr(&name)), done, err);
    bool made = strcmp(done, key) == 0;
    if (st == WINNOW_OK && made && !has_product(r, e)) {
        env_log(r->env, WINNOW_LOG_WARNING, "%s/%s is missing, and is made anew", r->folder,
                e->product);
        made = false;
    }
    if (st == WINNOW_OK && !made) {
        env_log(r->env, WINNOW_LOG_INFO, "=== %s", e->name);
        st = run_ending(r, e, key, err);
        struct buf seconds = {0};
        struct json_writer w = {.out = &seconds};
        json_double(&w, env_seconds() - start);
        note_set(&r->ending_times, e->name, buf_str(&seconds), &r->keep);
        buf_release(&seconds);
        *settles = *settles && st == WINNOW_OK && !r->ending_lost;
        st = *settles ? run_write_line(buf_cstr(&path), key, err) : st;
        winnow_status wrote = st == WINNOW_OK ? folder_write_timings(r, err) : WINNOW_OK;
        st = st == WINNOW_OK ? wrote : st;
    }
    buf_release(&path);
    buf_release(&name);
    return st;
}

/* Stages took hours: that one ending fails, as a proof whose texts are lost, does not keep the
 * others from being made of what is there.  They are made again with the run's next call. */
winnow_status endings_make(struct run *r, struct winnow_error *err)
{
    winnow_status first = WINNOW_OK;
    bool settles = true;
    for (size_t i = 0; i < r->request->ending_count; i++) {
        const struct run_ending *e = &r->request->endings[i];
        struct winnow_error why;
        winnow_status st = do_ending(r, e, r->ending_keys[i], &settles, &why);
        if (st != WINNOW_OK && first != WINNOW_OK) {
            env_log(r->env, WINNOW_LOG_WARNING, "%s: %s", e->name, why.text);
            continue;
        }
        if (st != WINNOW_OK) {
            *err = why;
            first = error_wrap(err, st, "%s", e->name);
        }
        if (st == WINNOW_E_CANCELLED || st == WINNOW_E_NOMEM || st == WINNOW_E_INTERNAL) {
            break;
        }
    }
    return first;
}

/* What the endings did without. */
winnow_status endings_tell(const struct run *r, struct winnow_error *err)
{
    struct buf path = {0}, text = {0};
    winnow_status st = WINNOW_OK;
    for (size_t i = 0; st == WINNOW_OK && i < r->request->ending_count; i++) {
        const struct run_ending *e = &r->request->endings[i];
        buf_clear(&text);
        if (file_exists(lost_path(r, e, &path))) {
            st = file_read(buf_cstr(&path), ENDING_LOST_MAX, &text, err);
            if (st == WINNOW_OK) {
                st = error_set(err, WINNOW_E_FORMAT, "%s: %s", e->name, buf_cstr(&text));
            }
        }
    }
    buf_release(&path);
    buf_release(&text);
    return st;
}

winnow_status endings_check(struct run *r, struct winnow_error *err)
{
    for (size_t i = 0; i < r->request->ending_count; i++) {
        const struct run_ending *e = &r->request->endings[i];
        winnow_status st = e->check ? e->check(r, e->options, err) : WINNOW_OK;
        if (st != WINNOW_OK) {
            return error_wrap(err, st, "%s", e->name);
        }
    }
    return WINNOW_OK;
}
