/* explain_copies.c -- why a document went as a copy of another, or which ones it stands for.
 *
 * The ledger names the one that stays by its id; where that lies in the same run, its place and
 * what differs is shown, so that nobody has to look for both. */
#include "base/file.h"
#include "run/diff.h"
#include "run/explain_internal.h"

#include <inttypes.h>
#include <math.h>

#define NAMED_MAX  20
#define DIFFER_MAX 12 /* lines */

static const char *const RULES = "'duplicate','near_duplicate'";

bool explain_is_copy(const struct entry *e)
{
    return e->detail && strstr(e->detail, "\"cluster\": \"") != NULL;
}

/* The stage's --against runs, as its settings have them. */
static void add_old_run(struct explain *x, const struct entry *e, uint64_t against)
{
    struct json_parser *parser = json_parser_new();
    struct json_value root = {0};
    struct winnow_error unread; /* then it is not named */
    struct buf path = {0};
    bool found = false;
    uint64_t n = 0;
    buf_addf(&path, "%s/%s/stats.json", x->run, e->folder);
    if (run_read_json(buf_cstr(&path), parser, &root, &found, &unread) == WINNOW_OK) {
        struct json_iter it = json_walk(json_get(json_get(root, "settings"), "against"));
        while (json_next(&it)) {
            struct str run;
            if (++n == against && json_as_str(it.value, &run)) {
                buf_addf(&x->out, " of %.*s", STR_ARG(run));
            }
        }
    }
    json_parser_free(parser);
    buf_release(&path);
}

/* Where the document that stays lies: its shard and line among the stage's documents. */
static winnow_status find_kept(struct explain *x, const struct entry *e, struct str id,
                               struct buf *path, int64_t *line, struct winnow_error *err)
{
    sqlite3_stmt *s = NULL;
    *line = 0;
    TRY(explain_prepare(x,
                        "SELECT h.path,e.output_line FROM entries e JOIN shards h USING(shard) "
                        "WHERE e.id=?1 AND e.stage=?2 AND e.verdict IN ('keep','edit') LIMIT 1",
                        &s, err));
    (void)sqlite3_bind_text(s, 1, id.ptr, (int)id.len, SQLITE_STATIC);
    (void)sqlite3_bind_int64(s, 2, e->number);
    if (sqlite3_step(s) == SQLITE_ROW) {
        buf_addf(path, "%s/%s/documents/%s", x->run, e->folder,
                 (const char *)sqlite3_column_text(s, 0));
        *line = sqlite3_column_int64(s, 1);
    }
    (void)sqlite3_finalize(s);
    return WINNOW_OK;
}

static winnow_status add_difference(struct explain *x, const struct entry *e, const char *kept,
                                    int64_t line, struct winnow_error *err)
{
    struct buf path = {0}, a = {0}, b = {0}, diff = {0};
    bool found_a = false, found_b = false;
    buf_addf(&path, "%s/%s/removed/%s", x->run, e->folder, e->shard);
    winnow_status st = explain_text_at(x, kept, line, &a, &found_a, err);
    st = st == WINNOW_OK ? explain_text_at(x, buf_cstr(&path), e->output_line, &b, &found_b, err)
                         : st;
    if (st == WINNOW_OK && found_a && found_b && str_eq(buf_str(&a), buf_str(&b))) {
        buf_add_text(&x->out, "    the texts are the same\n");
    } else if (st == WINNOW_OK && found_a && found_b) {
        diff_lines(buf_str(&a), buf_str(&b), &diff);
        buf_add_text(&x->out, "    from the one that stays (-) to this one (+):\n");
        explain_lines(&x->out, buf_str(&diff), DIFFER_MAX);
    }
    buf_release(&path);
    buf_release(&a);
    buf_release(&b);
    buf_release(&diff);
    return st;
}

static void add_likeness(struct explain *x, const struct entry *e)
{
    if (isnan(e->score)) {
        return;
    }
    buf_addf(&x->out, ", with %.3g %% of their shingles in common", 100 * e->score);
    sqlite3_stmt *row = e->row;
    if (sqlite3_column_type(row, 13) != SQLITE_NULL && e->score < sqlite3_column_double(row, 13)) {
        buf_add_text(&x->out, ", less than the threshold: over others that lie between them");
    }
}

winnow_status explain_copy(struct explain *x, const struct entry *e, struct json_value detail,
                           struct winnow_error *err)
{
    struct str kept = {"", 0}, cluster = {"", 0};
    struct buf path = {0};
    uint64_t copies = 0, against = 0;
    int64_t line = 0;
    (void)json_as_str(json_get(detail, "kept"), &kept);
    (void)json_as_str(json_get(detail, "cluster"), &cluster);
    (void)json_as_u64(json_get(detail, "copies"), &copies);
    (void)json_as_u64(json_get(detail, "against"), &against);
    if (strcmp(e->verdict, "remove") != 0) {
        buf_addf(&x->out, "    it stays for its cluster, %.*s, of %" PRIu64 " documents\n",
                 STR_ARG(cluster), copies);
        return WINNOW_OK;
    }
    buf_addf(&x->out, "    %s of %.*s",
             strcmp(e->rule, "duplicate") == 0 ? "a copy" : "a near-copy", STR_ARG(kept));
    add_likeness(x, e);
    if (against > 0) {
        buf_add_text(&x->out, "; that is an earlier document");
        add_old_run(x, e, against);
    }
    buf_addf(&x->out, "; cluster %.*s\n", STR_ARG(cluster));
    winnow_status st = against > 0 ? WINNOW_OK : find_kept(x, e, kept, &path, &line, err);
    if (st == WINNOW_OK && line > 0) {
        buf_addf(&x->out, "    which stays in %s:%" PRId64 "\n", buf_cstr(&path), line);
        st = x->opt->no_text ? st : add_difference(x, e, buf_cstr(&path), line, err);
    }
    buf_release(&path);
    return st;
}

winnow_status explain_copies(struct explain *x, const char *id, struct winnow_error *err)
{
    sqlite3_stmt *s = NULL;
    struct buf sql = {0};
    buf_addf(&sql,
             "SELECT id,stage FROM ledger WHERE rule IN (%s) AND "
             "json_extract(detail,'$.kept')=?1 AND id<>?1",
             RULES);
    winnow_status st = explain_prepare(x, buf_cstr(&sql), &s, err);
    buf_release(&sql);
    TRY(st);
    (void)sqlite3_bind_text(s, 1, id, -1, SQLITE_STATIC);
    uint64_t n = 0;
    while (sqlite3_step(s) == SQLITE_ROW) {
        n++;
        if (n <= NAMED_MAX) {
            buf_addf(&x->out, n == 1 ? "stands for: %s (%s)\n" : "            %s (%s)\n",
                     (const char *)sqlite3_column_text(s, 0),
                     (const char *)sqlite3_column_text(s, 1));
        }
    }
    if (n > NAMED_MAX) {
        buf_addf(&x->out, "            ... and %" PRIu64 " more\n", n - NAMED_MAX);
    }
    (void)sqlite3_finalize(s);
    return WINNOW_OK;
}
