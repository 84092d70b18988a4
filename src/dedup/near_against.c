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
    winnow_status st = file_list(file_join(&stages, run, "stages"), look_at_stage, &f, &found, err);
    if (st == WINNOW_OK && path->len == 0) {
        st = error_set(err, WINNOW_E_USAGE,
                       "--against %s: no stage of it holds state/" SIGNATURES_FILE
                       ", which a finished dedup --method minhash leaves behind; make that run "
                       "again, or name another",
                       run);
    }
    buf_release(&stages);
    buf_release(&f.best);
    return st;
}

static winnow_status check_alike(const struct near_run *r, const char *run,
                                 const struct signatures *old, struct winnow_error *err)
{
    const struct signatures_shape a = near_shape(r), b = old->shape;
    if (a.bands == b.bands && a.rows == b.rows && a.ngram == b.ngram && a.numbers == b.numbers &&
        a.seed == b.seed) {
        return WINNOW_OK;
    }
    return error_set(err, WINNOW_E_USAGE,
                     "--against %s: its signatures were made with --bands %u --rows %u --ngram %u "
                     "--seed %" PRIu64 "%s, and only such compare with them",
                     run, b.bands, b.rows, b.ngram, b.seed,
                     b.numbers ? " --numbers" : ", without --numbers");
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
            st = check_alike(r, against->items[i], old, err);
        }
    }
    buf_release(&path);
    return st;
}
