/* near_against.c -- the signatures that an earlier run of `dedup --method minhash` kept.
 *
 * A run is looked through from its last stage to its first; the folder of a stage and the file
 * itself will do as well.  Signatures compare only where they were made alike. */
#include "base/file.h"
#include "dedup/near_internal.h"

#include <inttypes.h>

struct found {
    const char *run;
    struct buf *path;
    struct buf best; /* name of the stage */
};

static void look_at_stage(void *user, const char *name)
{
    struct found *f = user;
    struct buf path = {0};
    buf_addf(&path, "%s/stages/%s/state/" SIGNATURES_FILE, f->run, name);
    if (file_exists(buf_cstr(&path)) && str_cmp(str_of(name), buf_str(&f->best)) > 0) {
        buf_clear(&f->best);
        buf_add_text(&f->best, name);
        buf_clear(f->path);
        buf_add_str(f->path, buf_str(&path));
    }
    buf_release(&path);
}

winnow_status near_against_find(const char *run, struct buf *path, struct winnow_error *err)
{
    struct buf stages = {0};
    struct found f = {.run = run, .path = path};
    bool found = false;
    buf_clear(path);
    if (file_exists(run) && !file_is_dir(run)) {
        buf_add_text(path, run);
        return WINNOW_OK;
    }
    buf_addf(path, "%s/state/" SIGNATURES_FILE, run);
    if (file_exists(buf_cstr(path))) {
        return WINNOW_OK;
    }
    buf_clear(path);
    if (!file_exists(run)) {
        return error_set(err, WINNOW_E_USAGE, "--against %s: there is no such file or folder", run);
    }
    winnow_status st = file_list(file_join(&stages, run, "stages"), look_at_stage, &f, &found, err);
    if (st == WINNOW_OK && path->len == 0) {
        st = error_set(err, WINNOW_E_USAGE,
                       "--against %s: no stage of it holds state/" SIGNATURES_FILE
                       ", which a finished dedup --method minhash leaves behind; name the "
                       "folder of such a run, or make it again",
                       run);
    }
    buf_release(&stages);
    buf_release(&f.best);
    return st;
}

static winnow_status check_alike(const struct winnow_dedup_options *o, uint64_t seed,
                                 const char *run, const struct signatures_shape *b,
                                 struct winnow_error *err)
{
    if (o->bands == b->bands && o->rows == b->rows && o->ngram == b->ngram &&
        (uint32_t)o->numbers == b->numbers && seed == b->seed) {
        return WINNOW_OK;
    }
    return error_set(err, WINNOW_E_USAGE,
                     "--against %s: its signatures were made with --bands %u --rows %u --ngram %u "
                     "--seed %" PRIu64 "%s, and only such compare with them; say the same here, or "
                     "make that run again with what is said here",
                     run, b->bands, b->rows, b->ngram, b->seed,
                     b->numbers ? " --numbers" : ", without --numbers");
}

/* Before anything is signed: their heads say enough. */
winnow_status near_against_check(const struct winnow_dedup_options *opt, uint64_t seed,
                                 struct winnow_error *err)
{
    struct buf path = {0};
    winnow_status st = WINNOW_OK;
    for (size_t i = 0; st == WINNOW_OK && i < opt->against.count; i++) {
        struct signatures_shape shape = {0};
        st = near_against_find(opt->against.items[i], &path, err);
        st = st == WINNOW_OK ? signatures_read_shape(buf_cstr(&path), &shape, err) : st;
        st = st == WINNOW_OK ? check_alike(opt, seed, opt->against.items[i], &shape, err) : st;
    }
    buf_release(&path);
    return st;
}

winnow_status near_against_open(struct near_run *r, struct winnow_error *err)
{
    const struct winnow_list *against = &r->opt->against;
    struct buf path = {0};
    winnow_status st = WINNOW_OK;
    for (size_t i = 0; st == WINNOW_OK && i < against->count; i++) {
        st = near_against_find(against->items[i], &path, err);
        struct signatures *old = &r->nodes.corpora[r->nodes.corpus_count];
        if (st == WINNOW_OK) {
            r->nodes.corpus_count++;
            st = signatures_open(buf_cstr(&path), old, err);
        }
        if (st == WINNOW_OK) {
            st =
                check_alike(r->opt, stage_env(r->stage)->seed, against->items[i], &old->shape, err);
        }
    }
    buf_release(&path);
    return st;
}
