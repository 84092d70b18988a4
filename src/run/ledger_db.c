/* ledger_db.c -- the ledgers of all stages as one SQLite file.
 *
 * Built in one go when the last stage is done: rows in the order of the flow,
 * one transaction, the index on id last, into NAME.tmp that gets its name when
 * it is whole.  The same ledgers give the same bytes.  About 0.5 million rows a
 * second; a row takes about 60 bytes and its index entry 30.
 *
 * SQLite sorts for an index in runs of 2 MB and holds a row of each run when it merges them:
 * of ids of a megabyte it would hold them all.  So the index comes before the first
 * long id, and rows behind it go into it one by one, slowly. */
#include "base/file.h"
#include "corpus/json_lines.h"
#include "corpus/shard_reader.h"
#include "run/json_copy.h"
#include "run/ledger.h"
#include "run/run_internal.h"

#include <sqlite3.h>

#define ID_LONG ((size_t)64 << 10) /* bytes from which an id is not sorted with others */

static const char *const SCHEMA =
    "PRAGMA journal_mode=OFF;PRAGMA synchronous=OFF;PRAGMA page_size=8192;"
    "CREATE TABLE stages(stage INTEGER PRIMARY KEY,name TEXT NOT NULL,folder TEXT NOT NULL);"
    "CREATE TABLE shards(shard INTEGER PRIMARY KEY,stage INTEGER NOT NULL REFERENCES stages,"
    "path TEXT NOT NULL);"
    "CREATE TABLE entries(id TEXT NOT NULL,stage INTEGER NOT NULL REFERENCES stages,"
    "shard INTEGER NOT NULL REFERENCES shards,line INTEGER,output_line INTEGER NOT NULL,"
    "verdict TEXT NOT NULL,rule TEXT,score REAL,threshold REAL,detail TEXT);"
    "CREATE VIEW ledger AS SELECT e.id,s.name AS stage,e.verdict,e.rule,e.score,e.threshold,"
    "e.detail,h.path AS shard,e.line,e.output_line FROM entries e JOIN stages s USING(stage) "
    "JOIN shards h USING(shard) ORDER BY e.stage,e.rowid;"
    "BEGIN;";

struct index {
    sqlite3 *db;
    sqlite3_stmt *insert;
    const struct winnow_env *env;
    uint64_t rows;
    bool indexed;
    int stage, shard;
    bool arranged;            /* kept documents of the stage lie elsewhere */
    uint64_t output_lines[4]; /* by verdict: documents (keep, edit), removed, aside */
    struct buf detail;
};

static winnow_status db_error(struct index *x, const char *what, struct winnow_error *err)
{
    return error_set(err, WINNOW_E_IO, "ledger.db: cannot %s: %s", what, sqlite3_errmsg(x->db));
}

static winnow_status execute(struct index *x, const char *sql, struct winnow_error *err)
{
    return sqlite3_exec(x->db, sql, NULL, NULL, NULL) == SQLITE_OK ? WINNOW_OK
                                                                   : db_error(x, "write", err);
}

/* SQLite copies nothing (SQLITE_STATIC): s has to stay until the row is written. */
static void bind_str(struct index *x, int at, struct str s)
{
    (void)sqlite3_bind_text(x->insert, at, s.ptr, (int)s.len, SQLITE_STATIC);
}

static void bind_text_of(struct index *x, int at, struct json_value v)
{
    struct str s;
    if (json_as_str(v, &s)) {
        bind_str(x, at, s);
    } else {
        (void)sqlite3_bind_null(x->insert, at);
    }
}

static void bind_number_of(struct index *x, int at, struct json_value v)
{
    double number;
    if (json_as_double(v, &number)) {
        (void)sqlite3_bind_double(x->insert, at, number);
    } else {
        (void)sqlite3_bind_null(x->insert, at);
    }
}

static bool is_known_key(struct str key)
{
    return str_is(key, "id") || str_is(key, "line") || str_is(key, "verdict") ||
           str_is(key, "rule") || str_is(key, "score") || str_is(key, "threshold");
}

/* The keys of the stage's own. */
static void bind_detail(struct index *x, int at, struct json_value root)
{
    struct json_writer w = {.out = &x->detail};
    struct json_iter it = json_walk(root);
    bool any = false;
    buf_clear(&x->detail);
    json_open(&w, '{');
    while (json_next(&it)) {
        if (is_known_key(it.key)) {
            continue;
        }
        any = true;
        json_key_str(&w, it.key);
        json_copy(&w, it.value);
    }
    json_close(&w, '}');
    if (any) {
        bind_str(x, at, buf_str(&x->detail));
    } else {
        (void)sqlite3_bind_null(x->insert, at);
    }
}

/* The ledger has a line a document in order, so the line of its output is a count. */
static uint64_t next_output_line(struct index *x, struct str verdict)
{
    size_t stream = str_is(verdict, "remove") ? 1 : str_is(verdict, "aside") ? 2 : 0;
    if (stream == 0 && x->arranged) {
        return 0;
    }
    return ++x->output_lines[stream];
}

static winnow_status make_index(struct index *x, struct winnow_error *err)
{
    if (x->indexed) {
        return WINNOW_OK;
    }
    x->indexed = true;
    return execute(x, "CREATE INDEX entries_by_id ON entries(id);", err);
}

static winnow_status add_row(void *ctx, const struct json_line *line, struct winnow_error *err)
{
    struct index *x = ctx;
    struct json_value root = line->root;
    struct str id, verdict;
    uint64_t number = 0;
    if (!json_as_str(json_get(root, "id"), &id) ||
        !json_as_str(json_get(root, "verdict"), &verdict)) {
        return error_set(err, WINNOW_E_FORMAT, "a line of a ledger has no id or no verdict");
    }
    TRY(id.len < ID_LONG ? WINNOW_OK : make_index(x, err));
    bind_str(x, 1, id);
    (void)sqlite3_bind_int(x->insert, 2, x->stage);
    (void)sqlite3_bind_int(x->insert, 3, x->shard);
    if (json_as_u64(json_get(root, "line"), &number)) {
        (void)sqlite3_bind_int64(x->insert, 4, (sqlite3_int64)number);
    } else {
        (void)sqlite3_bind_null(x->insert, 4);
    }
    (void)sqlite3_bind_int64(x->insert, 5, (sqlite3_int64)next_output_line(x, verdict));
    bind_str(x, 6, verdict);
    bind_text_of(x, 7, json_get(root, "rule"));
    bind_number_of(x, 8, json_get(root, "score"));
    bind_number_of(x, 9, json_get(root, "threshold"));
    bind_detail(x, 10, root);
    if (sqlite3_step(x->insert) != SQLITE_DONE) {
        return db_error(x, "write", err);
    }
    (void)sqlite3_reset(x->insert);
    x->rows++;
    return WINNOW_OK;
}

static winnow_status after_block(void *ctx, struct winnow_error *err)
{
    const struct index *x = ctx;
    env_progress(x->env, "ledger", "documents", x->rows, 0);
    return env_check(x->env, err);
}

static winnow_status add_shard(struct index *x, const char *path, struct winnow_error *err)
{
    struct shard_reader_options opt = SHARD_READER_OPTIONS_INIT;
    opt.budget = line_budget_of_run(x->env->memory_max, 1);
    memset(x->output_lines, 0, sizeof x->output_lines);
    const struct json_lines lines = {.opt = &opt, .line = add_row, .block = after_block, .ctx = x};
    return json_lines_read(path, &lines, err);
}

static winnow_status add_name(struct index *x, const char *sql, int a, int b, const char *text,
                              const char *more, struct winnow_error *err)
{
    sqlite3_stmt *s = NULL;
    bool ok = sqlite3_prepare_v2(x->db, sql, -1, &s, NULL) == SQLITE_OK &&
              sqlite3_bind_int(s, 1, a) == SQLITE_OK && sqlite3_bind_int(s, 2, b) == SQLITE_OK &&
              sqlite3_bind_text(s, 3, text, -1, SQLITE_STATIC) == SQLITE_OK &&
              (!more || sqlite3_bind_text(s, 4, more, -1, SQLITE_STATIC) == SQLITE_OK) &&
              sqlite3_step(s) == SQLITE_DONE;
    winnow_status st = ok ? WINNOW_OK : db_error(x, "write", err);
    (void)sqlite3_finalize(s);
    return st;
}

static winnow_status add_stage(struct index *x, const char *run, const char *name,
                               struct winnow_error *err)
{
    struct buf folder = {0}, path = {0}, inside = {0};
    struct winnow_list list = {0};
    struct arena keep;
    arena_init(&keep, (size_t)1 << 14);
    buf_addf(&inside, "stages/%s", name);
    (void)file_join(&folder, run, buf_cstr(&inside));
    x->stage++;
    winnow_status st = add_name(x, "INSERT INTO stages VALUES(?1+?2,?3,?4)", x->stage, 0, name,
                                buf_cstr(&inside), err);
    st = st == WINNOW_OK ? stage_ledger_shards(buf_cstr(&folder), &list, &x->arranged, &keep, err)
                         : st;
    for (size_t i = 0; i < list.count && st == WINNOW_OK; i++) {
        x->shard++;
        st = add_name(x, "INSERT INTO shards VALUES(?1,?2,?3)", x->shard, x->stage, list.items[i],
                      NULL, err);
        buf_clear(&path);
        buf_addf(&path, "%s/ledger/%s", buf_cstr(&folder), list.items[i]);
        st = st == WINNOW_OK ? add_shard(x, buf_cstr(&path), err) : st;
    }
    arena_release(&keep);
    buf_release(&folder);
    buf_release(&path);
    buf_release(&inside);
    return st;
}

static winnow_status count_duplicates(struct index *x, uint64_t *out, struct winnow_error *err)
{
    sqlite3_stmt *s = NULL;
    const char *sql = "SELECT count(*) FROM (SELECT 1 FROM entries WHERE stage=1 "
                      "GROUP BY id HAVING count(*)>1)";
    bool ok =
        sqlite3_prepare_v2(x->db, sql, -1, &s, NULL) == SQLITE_OK && sqlite3_step(s) == SQLITE_ROW;
    *out = ok ? (uint64_t)sqlite3_column_int64(s, 0) : 0;
    winnow_status st = ok ? WINNOW_OK : db_error(x, "read", err);
    (void)sqlite3_finalize(s);
    return st;
}

static winnow_status fill(struct index *x, const char *run, const struct winnow_list *stages,
                          uint64_t *duplicates, struct winnow_error *err)
{
    TRY(execute(x, SCHEMA, err));
    if (sqlite3_prepare_v2(x->db, "INSERT INTO entries VALUES(?,?,?,?,?,?,?,?,?,?)", -1, &x->insert,
                           NULL) != SQLITE_OK) {
        return db_error(x, "write", err);
    }
    for (size_t i = 0; i < stages->count; i++) {
        TRY(add_stage(x, run, stages->items[i], err));
    }
    TRY(make_index(x, err));
    TRY(execute(x, "COMMIT;", err));
    return count_duplicates(x, duplicates, err);
}

winnow_status ledger_index(const char *run, const struct winnow_list *stages,
                           const struct winnow_env *env, uint64_t *duplicates,
                           struct winnow_error *err)
{
    struct index x = {.env = env};
    struct buf path = {0}, temporary = {0};
    (void)file_join(&path, run, "ledger.db");
    buf_addf(&temporary, "%s" FILE_TMP, buf_cstr(&path));
    winnow_status st = file_remove_tree(buf_cstr(&temporary), err);
    if (st == WINNOW_OK && sqlite3_open(buf_cstr(&temporary), &x.db) != SQLITE_OK) {
        st = db_error(&x, "open", err);
    }
    st = st == WINNOW_OK ? fill(&x, run, stages, duplicates, err) : st;
    (void)sqlite3_finalize(x.insert);
    if (sqlite3_close(x.db) != SQLITE_OK && st == WINNOW_OK) {
        st = db_error(&x, "close", err);
    }
    st = st == WINNOW_OK ? file_commit(buf_cstr(&temporary), buf_cstr(&path), err) : st;
    buf_release(&path);
    buf_release(&temporary);
    buf_release(&x.detail);
    return st;
}
