#include "corpus/run_places.h"

#include "base/claim.h"
#include "base/file.h"

#include <stdlib.h>
#include <sys/stat.h>

/* Seen, not supposed: of a folder that cannot be looked into nothing is known. */
static bool holds(const char *folder, const char *name)
{
    struct buf path = {0};
    struct stat st;
    bool found = stat(file_join(&path, folder, name), &st) == 0;
    buf_release(&path);
    return found;
}

/* By its mark; or, made before there were marks, by what else only runs hold. */
bool run_place_is_run(const char *folder)
{
    return claim_is(folder, CLAIM_RUN) ||
           (holds(folder, "input.json") && holds(folder, "recipe.yaml"));
}

/* Shortens real, an absolute path, to the run that it lies in; false: it lies in none. */
static bool find_run(struct buf *real)
{
    while (real->len > 1) {
        if (run_place_is_run(buf_cstr(real))) {
            return true;
        }
        const char *slash = strrchr(buf_cstr(real), '/');
        real->len = slash ? (size_t)(slash - real->ptr) : 0;
    }
    return false;
}

/* The documents of what is called what ("run", "stage"). */
static winnow_status documents_of(const char *folder, const char *what, struct buf *documents,
                                  struct winnow_error *err)
{
    if (!holds(folder, "_SUCCESS")) {
        return error_set(err, WINNOW_E_USAGE,
                         "%s is a %s that is not finished: do the command that made it again, "
                         "then read its documents",
                         folder, what);
    }
    if (!file_is_dir(file_join(documents, folder, "documents"))) {
        return error_set(err, WINNOW_E_USAGE,
                         "%s is a %s whose documents went down a pipe: it holds none", folder,
                         what);
    }
    return WINNOW_OK;
}

/* below is what follows the run's own path, without a slash before it. */
static winnow_status place_in_run(const char *folder, struct str below, struct buf *documents,
                                  struct winnow_error *err)
{
    if (below.len == 0) {
        return documents_of(folder, "run", documents, err);
    }
    struct str rest = below;
    size_t slash = str_find(rest, STR_LIT("/"));
    struct str first = slash == SIZE_MAX ? rest : str_sub(rest, 0, slash);
    if (str_is(first, "documents")) {
        return WINNOW_OK;
    }
    if (str_is(first, "stages") && slash != SIZE_MAX) {
        rest = str_sub(rest, slash + 1, rest.len);
        if (str_find(rest, STR_LIT("/")) == SIZE_MAX) {
            return documents_of(folder, "stage", documents, err);
        }
        return WINNOW_OK; /* removed/, attributes/: who names it, means it */
    }
    return error_set(err, WINNOW_E_USAGE,
                     "%s lies in a run folder and holds no corpus: name the run, or one of its "
                     "stages, to read its documents",
                     folder);
}

winnow_status run_place_documents(const char *folder, struct buf *documents,
                                  struct winnow_error *err)
{
    buf_clear(documents);
    buf_add_text(documents, folder);
    char *real = realpath(folder, NULL);
    if (!real) {
        return error_errno(err, "cannot resolve", folder);
    }
    struct buf run = {0};
    buf_add_text(&run, real);
    winnow_status st = WINNOW_OK;
    if (find_run(&run)) {
        struct str below = str_of(real + run.len);
        below = str_starts(below, STR_LIT("/")) ? str_sub(below, 1, below.len) : below;
        st = place_in_run(folder, below, documents, err);
    }
    buf_release(&run);
    free(real); /* realpath(3) allocates by malloc */
    return st;
}
