/* run_places.c -- what a path inside a run folder stands for.
 *
 *     RUN/                    the documents of its last stage, if the run is finished
 *     RUN/stages/03-dedup/    those of that stage, if it is finished
 *     .../documents/...       the same, named deeper
 *     .../removed/, attributes/ of a finished stage: who names it means it
 *     anything else           refused: it holds no corpus
 *
 * Paths are resolved first, then shortened until a folder is a run; so links and
 * ".." cannot lead around it.  What stats.json lists must be what the folder holds:
 * a shard that went missing would be a corpus that shrank in silence. */
#include "corpus/run_places.h"

#include "base/claim.h"
#include "base/file.h"
#include "base/json.h"
#include "base/json_file.h"
#include "base/map.h"

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

/* Documents named by a path deeper than their run or stage, of length len in folder: they
 * are a corpus once it is finished. */
static winnow_status need_finished(const char *real, size_t len, const char *what,
                                   struct winnow_error *err)
{
    struct buf place = {0};
    buf_add(&place, real, len);
    winnow_status st = WINNOW_OK;
    if (!holds(buf_cstr(&place), "_SUCCESS")) {
        st = error_set(err, WINNOW_E_USAGE,
                       "%s lies in a %s that is not finished: do the command that made it again, "
                       "then read its documents",
                       real, what);
    }
    buf_release(&place);
    return st;
}

/* real is an absolute path, of which run bytes are the run, and below what follows. */
static winnow_status place_in_run(const char *folder, const char *real, size_t run,
                                  struct buf *documents, struct winnow_error *err)
{
    const char *below = real + run + (real[run] == '/');
    if (*below == '\0') {
        return documents_of(folder, "run", documents, err);
    }
    struct str rest = str_of(below);
    size_t slash = str_find(rest, STR_LIT("/"));
    struct str first = slash == SIZE_MAX ? rest : str_sub(rest, 0, slash);
    if (str_is(first, "documents")) {
        return need_finished(real, run, "run", err);
    }
    if (str_is(first, "stages") && slash != SIZE_MAX) {
        rest = str_sub(rest, slash + 1, rest.len);
        size_t end = str_find(rest, STR_LIT("/"));
        if (end == SIZE_MAX) {
            return documents_of(folder, "stage", documents, err);
        }
        /* removed/, attributes/: who names it, means it */
        return need_finished(real, (size_t)(rest.ptr - real) + end, "stage", err);
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
        st = place_in_run(folder, real, run.len, documents, err);
    }
    buf_release(&run);
    free(real); /* realpath(3) allocates by malloc */
    return st;
}

winnow_status run_place_file(const char *path, bool matched, struct winnow_error *err)
{
    char *real = realpath(path, NULL);
    if (!real) {
        return WINNOW_OK; /* opening it says why */
    }
    struct buf run = {0};
    buf_add_text(&run, real);
    winnow_status st = WINNOW_OK;
    if (find_run(&run)) {
        const char *below = real + run.len + (real[run.len] == '/');
        const char *stage = strncmp(below, "stages/", 7) == 0 ? below + 7 : NULL;
        size_t len = stage ? strcspn(stage, "/") : 0;
        bool documents = strncmp(below, "documents/", 10) == 0 ||
                         (stage && strncmp(stage + len, "/documents/", 11) == 0);
        if (documents && stage) {
            st = need_finished(real, (size_t)(stage - real) + len, "stage", err);
        } else if (documents) {
            st = need_finished(real, run.len, "run", err);
        } else if (matched) {
            st = error_set(err, WINNOW_E_USAGE,
                           "%s is no document that the run %s kept, and a pattern would bring it "
                           "in: name the run to read its documents, or the file itself",
                           path, buf_cstr(&run));
        }
    }
    buf_release(&run);
    free(real); /* realpath(3) allocates by malloc */
    return st;
}

/* ---- whether a run's documents are all that it says it has ---- */

static void note_latest(void *ctx, const char *name)
{
    struct buf *last = ctx;
    if (name[0] >= '0' && name[0] <= '9' && strcmp(name, buf_cstr(last)) > 0) {
        buf_clear(last);
        buf_add_text(last, name);
    }
}

/* The stage whose documents a run or a stage gives: the last one of a run. */
static winnow_status find_stage(const char *folder, struct buf *stage, struct winnow_error *err)
{
    struct buf stages = {0}, last = {0};
    bool found = false;
    winnow_status st =
        file_list(file_join(&stages, folder, "stages"), note_latest, &last, &found, err);
    buf_clear(stage);
    buf_add_text(stage, folder);
    if (st == WINNOW_OK && found) {
        buf_addf(stage, "/stages/%s", buf_cstr(&last));
    }
    buf_release(&last);
    buf_release(&stages);
    return st;
}

static winnow_status compare_names(const char *folder, struct json_value stats,
                                   const struct map *names, struct winnow_error *err)
{
    struct json_value out = json_get(stats, "out"); /* of a stage that arranged them anew */
    struct json_iter it = json_walk(json_kind(out) == JSON_ARRAY ? out : json_get(stats, "shards"));
    size_t listed = 0;
    while (json_next(&it)) {
        struct str name = {"", 0};
        (void)json_as_str(json_get(it.value, "path"), &name);
        listed++;
        if (!map_get(names, name)) {
            return error_set(err, WINNOW_E_FORMAT,
                             "%s is not all there: its stats.json lists the shard %.*s, which its "
                             "documents/ does not give to a reader; do the command that made it "
                             "again",
                             folder, STR_ARG(name));
        }
    }
    if (listed != names->count) {
        return error_set(err, WINNOW_E_FORMAT,
                         "%s/documents holds %zu shards and stats.json lists %zu: somebody put "
                         "files there; take them out, or keep them in a folder of their own",
                         folder, names->count, listed);
    }
    return WINNOW_OK;
}

winnow_status run_place_check(const char *folder, const struct map *names, struct winnow_error *err)
{
    struct json_parser *parser = json_parser_new();
    struct json_value stats = {0};
    struct buf path = {0}, stage = {0};
    winnow_status st = find_stage(folder, &stage, err);
    if (st == WINNOW_OK && holds(buf_cstr(&stage), "stats.json")) {
        st = json_read_file(file_join(&path, buf_cstr(&stage), "stats.json"), (size_t)1 << 30,
                            parser, &stats, err);
        st = st == WINNOW_OK ? compare_names(folder, stats, names, err) : st;
    }
    buf_release(&path);
    buf_release(&stage);
    json_parser_free(parser);
    return st;
}
