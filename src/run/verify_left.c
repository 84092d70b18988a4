/* verify_left.c -- files of a run folder that nothing of the run accounts for.
 *
 * A file among the documents, removed documents, ledgers or attributes that no
 * stats.json names is an error: whoever reads the folder takes it for a part of the
 * corpus.  What a killed call may leave (temporary files, places to go on from) does
 * no harm beside a finished run; each is named, so that it can be removed. */
#include "base/env.h"
#include "base/map.h"
#include "run/run_internal.h"

#include <fts.h>

/* Streams of a stage whose files are all named by its stats.json. */
static bool is_stream(struct str below)
{
    static const char *const STREAMS[] = {"documents/", "removed/", "aside/", "ledger/",
                                          "attributes/"};
    for (size_t i = 0; i < sizeof STREAMS / sizeof *STREAMS; i++) {
        if (str_starts(below, str_of(STREAMS[i]))) {
            return true;
        }
    }
    return false;
}

static void add_shard(const char *stage, struct json_value shard, bool last, struct map *names)
{
    struct buf path = {0};
    struct str is = {"", 0};
    (void)json_as_str(json_get(shard, "path"), &is);
    struct json_iter file = json_walk(json_get(shard, "files"));
    while (json_next(&file)) {
        buf_clear(&path);
        buf_addf(&path, "stages/%s/%.*s/%.*s", stage, STR_ARG(file.key), STR_ARG(is));
        (void)map_put(names, buf_str(&path), NULL);
        if (last && str_is(file.key, "documents")) {
            buf_clear(&path);
            buf_addf(&path, "documents/%.*s", STR_ARG(is));
            (void)map_put(names, buf_str(&path), NULL);
        }
    }
    buf_release(&path);
}

/* "stages/01-dedup/ledger/a.jsonl" into names, and for the last stage "documents/a.jsonl". */
static winnow_status add_stage(const char *run, const char *name, bool last, struct map *names,
                               struct winnow_error *err)
{
    struct buf path = {0};
    struct json_parser *parser = json_parser_new();
    struct json_value stats = {0};
    bool found = false;
    buf_addf(&path, "%s/stages/%s/stats.json", run, name);
    winnow_status st = run_read_json(buf_cstr(&path), parser, &stats, &found, err);
    for (size_t i = 0; st == WINNOW_OK && i < 2; i++) {
        struct json_iter shard = json_walk(json_get(stats, i == 0 ? "shards" : "out"));
        while (json_next(&shard)) {
            add_shard(name, shard.value, last, names);
        }
    }
    json_parser_free(parser);
    buf_release(&path);
    return st;
}

/* Of "stages/01-dedup/ledger/a.jsonl" what is behind the stage; else nothing. */
static struct str in_stage(struct str path)
{
    struct str rest = path;
    for (int i = 0; i < 2; i++) {
        size_t at = str_find(rest, STR_LIT("/"));
        if (at == SIZE_MAX || !str_starts(path, STR_LIT("stages/"))) {
            return (struct str){"", 0};
        }
        rest = str_sub(rest, at + 1, rest.len);
    }
    return rest;
}

/* path is below the run; shown, with it. */
static winnow_status look(const char *shown, struct str path, const struct map *names,
                          const struct winnow_env *env, struct winnow_error *err)
{
    if (map_get(names, path)) { /* whatever it is called */
        return WINNOW_OK;
    }
    struct str below = in_stage(path);
    bool progress = str_starts(below, STR_LIT("progress-"));
    if (progress || str_ends(path, STR_LIT(".tmp"))) {
        env_log(env, WINNOW_LOG_WARNING,
                "%s is left of a call that was killed; nothing reads it, and it can be removed",
                shown);
        return WINNOW_OK;
    }
    bool counts = is_stream(below) || str_starts(path, STR_LIT("documents/"));
    if (counts) {
        return error_set(err, WINNOW_E_INTERNAL,
                         "%s is of no stage of the run: no stats.json names it", shown);
    }
    return WINNOW_OK;
}

winnow_status verify_left(const char *run, const struct winnow_list *stages,
                          const struct winnow_env *env, struct winnow_error *err)
{
    struct map names = {0};
    struct buf root = {0};
    winnow_status st = WINNOW_OK;
    for (size_t i = 0; i < stages->count && st == WINNOW_OK; i++) {
        st = add_stage(run, stages->items[i], i + 1 == stages->count, &names, err);
    }
    buf_add_text(&root, run);
    (void)buf_cstr(&root);
    char *const roots[] = {root.ptr, NULL};
    FTS *walk = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
    if (st == WINNOW_OK && !walk) {
        st = error_errno(err, "cannot open folder", run);
    }
    FTSENT *e = NULL;
    while (st == WINNOW_OK && (e = fts_read(walk)) != NULL) {
        if (e->fts_info == FTS_DNR || e->fts_info == FTS_ERR) {
            st = error_errno(err, "cannot read", e->fts_path);
        } else if (e->fts_level > 0 && e->fts_info != FTS_D && e->fts_info != FTS_DP) {
            const char *path = e->fts_path + root.len;
            path += *path == '/'; /* run may end with one */
            st = look(e->fts_path, str_of(path), &names, env, err);
        }
    }
    if (walk) {
        (void)fts_close(walk);
    }
    map_release(&names);
    buf_release(&root);
    return st;
}
