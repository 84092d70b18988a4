/* explain.c -- everything that happened to one document.
 *
 * ledger.db says which stages met the id and what they said; shard and line
 * lead to the text, which is read from the files themselves: the input of a
 * stage is documents/ of the stage before, the shard having the same name. */
#include "base/file.h"
#include "corpus/shard_reader.h"
#include "run/diff.h"
#include "run/explain_internal.h"
#include "run/ledger.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

static const char *const FIND =
    "SELECT e.id,s.folder,s.name,e.verdict,h.path,e.rule,e.detail,s.stage,e.rowid,e.shard,"
    "e.line,e.output_line,e.score,e.threshold FROM entries e JOIN stages s USING(stage) "
    "JOIN shards h USING(shard) WHERE e.id=?1 ORDER BY e.stage,e.rowid";

static winnow_status db_error(const struct explain *x, struct winnow_error *err)
{
    return error_set(err, WINNOW_E_IO, "%s/ledger.db: %s", x->run, sqlite3_errmsg(x->db));
}

winnow_status explain_prepare(const struct explain *x, const char *sql, sqlite3_stmt **out,
                              struct winnow_error *err)
{
    return sqlite3_prepare_v2(x->db, sql, -1, out, NULL) == SQLITE_OK ? WINNOW_OK
                                                                      : db_error(x, err);
}

static const char *column(sqlite3_stmt *row, int at)
{
    return (const char *)sqlite3_column_text(row, at);
}

static void take_entry(sqlite3_stmt *row, struct entry *e)
{
    *e = (struct entry){.row = row,
                        .id = column(row, 0),
                        .folder = column(row, 1),
                        .stage = column(row, 2),
                        .verdict = column(row, 3),
                        .shard = column(row, 4),
                        .rule = column(row, 5),
                        .detail = column(row, 6),
                        .number = sqlite3_column_int64(row, 7),
                        .rowid = sqlite3_column_int64(row, 8),
                        .shard_number = sqlite3_column_int64(row, 9),
                        .line = sqlite3_column_int64(row, 10),
                        .output_line = sqlite3_column_int64(row, 11),
                        .score = sqlite3_column_type(row, 12) == SQLITE_NULL
                                     ? (double)NAN
                                     : sqlite3_column_double(row, 12)};
}

/* ---- lines of files ---- */

/* Line `number` (from 1) of a shard into out; false where it is not there. */
static winnow_status read_line(const struct explain *x, const char *path, uint64_t number,
                               struct buf *out, bool *found, struct winnow_error *err)
{
    struct shard_reader_options opt = SHARD_READER_OPTIONS_INIT;
    struct shard_reader *reader = NULL;
    struct shard_block block = {0};
    bool more = true;
    *found = false;
    if (!file_exists(path)) {
        return WINNOW_OK;
    }
    opt.line_max = (size_t)1 << 33;
    opt.budget = line_budget_of_run(x->memory_max, 1);
    winnow_status st = shard_reader_open(&reader, path, path, &opt, err);
    while (st == WINNOW_OK && !*found) {
        st = shard_reader_next(reader, &block, &more, err);
        if (st != WINNOW_OK || !more) {
            break;
        }
        struct str rest = block.lines, line;
        for (uint64_t at = block.line;
             !*found && block.line_end > number && str_next_line(&rest, &line); at++) {
            *found = at == number;
            if (*found) {
                buf_clear(out);
                buf_add_str(out, line);
            }
        }
    }
    shard_reader_close(reader);
    shard_block_release(&block);
    return st;
}

/* Where the document of an entry lies now: path and line. */
static void place_after(const struct explain *x, const struct entry *e, struct buf *path)
{
    const char *folder = strcmp(e->verdict, "remove") == 0  ? "removed"
                         : strcmp(e->verdict, "aside") == 0 ? "aside"
                                                            : "documents";
    buf_clear(path);
    buf_addf(path, "%s/%s/%s/%s", x->run, e->folder, folder, e->shard);
}

/* Where the stage read it: the stage before, or the file of the input. */
static winnow_status place_before(struct explain *x, const struct entry *e, struct buf *path,
                                  struct winnow_error *err)
{
    buf_clear(path);
    buf_addf(path, "%s/%s/made/%s", x->run, e->folder, e->shard);
    if (file_exists(buf_cstr(path))) { /* the stage made it */
        return WINNOW_OK;
    }
    buf_clear(path);
    if (e->number > 1) {
        sqlite3_stmt *s = NULL;
        TRY(explain_prepare(x, "SELECT folder FROM stages WHERE stage=?1", &s, err));
        (void)sqlite3_bind_int64(s, 1, e->number - 1);
        if (sqlite3_step(s) == SQLITE_ROW) {
            buf_addf(path, "%s/%s/documents/%s", x->run, column(s, 0), e->shard);
        }
        (void)sqlite3_finalize(s);
        return WINNOW_OK;
    }
    struct buf list = {0};
    struct json_value root;
    bool found = false;
    winnow_status st =
        run_read_json(file_join(&list, x->run, "input.json"), x->parser, &root, &found, err);
    struct json_iter it = json_walk(found ? json_get(root, "files") : (struct json_value){0});
    while (st == WINNOW_OK && json_next(&it)) {
        struct str name, file;
        if (json_as_str(json_get(it.value, "name"), &name) && str_is(name, e->shard) &&
            json_as_str(json_get(it.value, "path"), &file)) {
            buf_add_str(path, file);
        }
    }
    buf_release(&list);
    return st;
}

/* The text of a line, unescaped; empty where there is none. */
winnow_status explain_text_at(struct explain *x, const char *path, int64_t line, struct buf *out,
                              bool *found, struct winnow_error *err)
{
    struct buf raw = {0};
    buf_clear(out);
    winnow_status st = WINNOW_OK;
    *found = false;
    if (line > 0) {
        st = read_line(x, path, (uint64_t)line, &raw, found, err);
    }
    if (st == WINNOW_OK && *found) {
        struct document_reader *reader = document_reader_new(NULL);
        struct document d;
        struct str reason;
        memset(buf_reserve(&raw, JSON_PADDING), 0, JSON_PADDING);
        st = document_read(reader, buf_str(&raw), path, (uint64_t)line, &d, &reason, err);
        *found = st == WINNOW_OK && reason.len == 0;
        if (*found) {
            buf_add_str(out, d.text);
        }
        document_reader_free(reader);
    }
    buf_release(&raw);
    return st;
}

/* ---- attributes ---- */

/* The row of an entry in the files that have a row a document. */
static winnow_status row_of(const struct explain *x, const struct entry *e, uint64_t *row,
                            struct winnow_error *err)
{
    sqlite3_stmt *s = NULL;
    TRY(explain_prepare(x, "SELECT count(*) FROM entries WHERE shard=?1 AND rowid<=?2", &s, err));
    (void)sqlite3_bind_int64(s, 1, e->shard_number);
    (void)sqlite3_bind_int64(s, 2, e->rowid);
    *row = sqlite3_step(s) == SQLITE_ROW ? (uint64_t)sqlite3_column_int64(s, 0) : 0;
    (void)sqlite3_finalize(s);
    return WINNOW_OK;
}

/* "attributes": {...} of the line, cut out as it stands. */
static struct str attributes_of(struct str line)
{
    size_t at = str_find(line, STR_LIT("\"attributes\":"));
    if (at == SIZE_MAX || line.len < at + 14) {
        return (struct str){"", 0};
    }
    return str_sub(line, at + 13, line.len - 1);
}

/* Calls add for each attribute file of the stage that has the row. */
static winnow_status each_attribute(struct explain *x, const struct entry *e,
                                    void (*add)(struct explain *x, struct str name,
                                                struct str json),
                                    struct winnow_error *err)
{
    struct buf path = {0}, line = {0};
    struct json_parser *parser = json_parser_new();
    struct json_value root = {0};
    bool found = false;
    uint64_t row = 0;
    buf_addf(&path, "%s/%s/stats.json", x->run, e->folder);
    winnow_status st = run_read_json(buf_cstr(&path), parser, &root, &found, err);
    st = st == WINNOW_OK ? row_of(x, e, &row, err) : st;
    struct json_iter shard = json_walk(json_get(root, "shards"));
    while (st == WINNOW_OK && json_next(&shard)) {
        struct str name;
        if (!json_as_str(json_get(shard.value, "path"), &name) || !str_is(name, e->shard)) {
            continue;
        }
        struct json_iter file = json_walk(json_get(shard.value, "files"));
        while (st == WINNOW_OK && json_next(&file)) {
            if (!str_starts(file.key, STR_LIT("attributes/"))) {
                continue;
            }
            buf_clear(&path);
            buf_addf(&path, "%s/%s/%.*s/%s", x->run, e->folder, STR_ARG(file.key), e->shard);
            st = read_line(x, buf_cstr(&path), row, &line, &found, err);
            if (st == WINNOW_OK && found) {
                add(x, str_sub(file.key, 11, file.key.len), attributes_of(buf_str(&line)));
            }
        }
    }
    json_parser_free(parser);
    buf_release(&path);
    buf_release(&line);
    return st;
}

/* ---- for people ---- */

static void add_attribute_text(struct explain *x, struct str name, struct str json)
{
    buf_addf(&x->out, "    %.*s: %.*s\n", STR_ARG(name), STR_ARG(json));
}

/* What the number of a pruned document is, and at which bound of the band it fell. */
static winnow_status add_prune_text(struct explain *x, const struct entry *e,
                                    struct winnow_error *err)
{
    if (!e->rule || strncmp(e->rule, "prune.", 6) != 0 ||
        sqlite3_column_type(e->row, 12) == SQLITE_NULL ||
        sqlite3_column_type(e->row, 13) == SQLITE_NULL) {
        return WINNOW_OK;
    }
    struct buf path = {0};
    struct json_parser *parser = json_parser_new();
    struct json_value root = {0};
    struct str by = STR_LIT("its model");
    bool found = false;
    buf_addf(&path, "%s/%s/prune.json", x->run, e->folder);
    winnow_status st = run_read_json(buf_cstr(&path), parser, &root, &found, err);
    if (st == WINNOW_OK) {
        (void)json_as_str(json_get(root, "scored_by"), &by);
        bool below = sqlite3_column_double(e->row, 12) < sqlite3_column_double(e->row, 13);
        buf_addf(&x->out,
                 "    the number is its mean negative log-likelihood a token by %.*s; it lies %s "
                 "bound of the band that is kept\n",
                 STR_ARG(by), below ? "below the lower" : "above the upper");
    }
    json_parser_free(parser);
    buf_release(&path);
    return st;
}

void explain_lines(struct buf *out, struct str text, size_t lines_max)
{
    struct str rest = text, line;
    size_t n = 0;
    while (n < lines_max && str_next_line(&rest, &line)) {
        buf_addf(out, "    | %.*s\n", STR_ARG(line));
        n++;
    }
    if (rest.len > 0) {
        buf_addf(out, "    | ... (%zu bytes more)\n", rest.len);
    }
}

static void add_verdict_text(struct explain *x, const struct entry *e)
{
    buf_addf(&x->out, "%s: %s", e->stage, e->verdict);
    if (e->rule) {
        buf_addf(&x->out, ", %s", e->rule);
    }
    if (sqlite3_column_type(e->row, 12) != SQLITE_NULL) {
        buf_addf(&x->out, " %.6g", sqlite3_column_double(e->row, 12));
    }
    if (sqlite3_column_type(e->row, 13) != SQLITE_NULL) {
        buf_addf(&x->out, " (threshold %.6g)", sqlite3_column_double(e->row, 13));
    }
    buf_add_char(&x->out, '\n');
}

static bool is_kept(const struct entry *e)
{
    return strcmp(e->verdict, "keep") == 0 || strcmp(e->verdict, "edit") == 0;
}

/* The diff of an edit, or the text where the document ended or came out. */
static winnow_status add_text(struct explain *x, const struct entry *e, const char *before,
                              const char *after, bool last, struct winnow_error *err)
{
    struct buf a = {0}, b = {0}, diff = {0};
    bool found_a = false, found_b = false;
    bool edit = strcmp(e->verdict, "edit") == 0;
    winnow_status st = WINNOW_OK;
    if (edit) {
        st = explain_text_at(x, before, e->line, &a, &found_a, err);
    }
    if (st == WINNOW_OK && (edit || last)) {
        bool there = e->output_line > 0; /* else it is what was read, somewhere */
        st = explain_text_at(x, there ? after : before, there ? e->output_line : e->line, &b,
                             &found_b, err);
    }
    if (st == WINNOW_OK && edit && found_a && found_b) {
        diff_lines(buf_str(&a), buf_str(&b), &diff);
        explain_lines(&x->out, buf_str(&diff), 200);
    }
    if (st == WINNOW_OK && last && found_b) {
        buf_add_text(&x->out, "text:\n");
        explain_lines(&x->out, buf_str(&b), 40);
    }
    buf_release(&a);
    buf_release(&b);
    buf_release(&diff);
    return st;
}

/* ---- for programs ---- */

static void add_attribute_json(struct explain *x, struct str name, struct str json)
{
    buf_add_text(&x->out, x->out.ptr[x->out.len - 1] == '{' ? "" : ", ");
    json_quote(&x->out, name);
    buf_add_text(&x->out, ": ");
    buf_add_str(&x->out, json);
}

static void add_key_text(struct json_writer *w, const char *key, const char *text)
{
    if (text) {
        json_member_text(w, key, text);
    }
}

static void add_verdict_json(struct explain *x, const struct entry *e, const char *before,
                             const char *after)
{
    struct json_writer w = {.out = &x->out};
    json_open(&w, '{');
    add_key_text(&w, "id", e->id);
    add_key_text(&w, "stage", e->stage);
    add_key_text(&w, "verdict", e->verdict);
    add_key_text(&w, "rule", e->rule);
    for (int i = 0; i < 2; i++) {
        if (sqlite3_column_type(e->row, 12 + i) != SQLITE_NULL) {
            json_member_double(&w, i ? "threshold" : "score",
                               sqlite3_column_double(e->row, 12 + i));
        }
    }
    if (e->detail) {
        json_member_raw(&w, "detail", str_of(e->detail));
    }
    add_key_text(&w, "input", before[0] ? before : NULL);
    if (e->line > 0) {
        json_member_i64(&w, "line", e->line);
    }
    add_key_text(&w, "output", after);
    json_member_i64(&w, "output_line", e->output_line);
}

static winnow_status add_json(struct explain *x, const struct entry *e, const char *before,
                              const char *after, struct winnow_error *err)
{
    add_verdict_json(x, e, before, after);
    buf_add_text(&x->out, ", \"attributes\": {");
    TRY(each_attribute(x, e, add_attribute_json, err));
    buf_add_char(&x->out, '}');
    struct buf text = {0};
    bool found = false;
    winnow_status st = WINNOW_OK;
    if (!x->opt->no_text) {
        bool there = e->output_line > 0;
        st = explain_text_at(x, there ? after : before, there ? e->output_line : e->line, &text,
                             &found, err);
    }
    if (st == WINNOW_OK && found) {
        buf_add_text(&x->out, ", \"text\": ");
        json_quote(&x->out, buf_str(&text));
    }
    buf_release(&text);
    buf_add_text(&x->out, "}\n");
    return st;
}

/* ---- all of it ---- */

static winnow_status add_entry(struct explain *x, const struct entry *e, bool last,
                               struct winnow_error *err)
{
    struct buf before = {0}, after = {0};
    winnow_status st = place_before(x, e, &before, err);
    place_after(x, e, &after);
    if (st == WINNOW_OK && x->opt->json) {
        st = add_json(x, e, buf_cstr(&before), buf_cstr(&after), err);
    } else if (st == WINNOW_OK) {
        add_verdict_text(x, e);
        st = explain_detail(x, e, err);
        st = st == WINNOW_OK ? add_prune_text(x, e, err) : st;
        if (e->line > 0) {
            buf_addf(&x->out, "    read from %s:%" PRId64 "\n", buf_cstr(&before), e->line);
        }
        bool there = file_exists(buf_cstr(&after));
        if (e->output_line > 0 || !is_kept(e)) {
            buf_addf(&x->out, there ? "    now in %s:%" PRId64 "\n" : "    no copy was kept\n",
                     buf_cstr(&after), e->output_line);
        } else {
            buf_addf(&x->out, "    now somewhere in %s/%s/documents/: their order is random\n",
                     x->run, e->folder);
        }
        st = st == WINNOW_OK ? each_attribute(x, e, add_attribute_text, err) : st;
        if (st == WINNOW_OK && !x->opt->no_text) {
            st = add_text(x, e, buf_cstr(&before), buf_cstr(&after), last, err);
        }
    }
    buf_release(&before);
    buf_release(&after);
    return st;
}

/* ID~2 that no stage behind a mix met is a copy which the ledger has under ID. */
static void add_copied(struct explain *x, const char *id, struct buf *out)
{
    const char *mark = strrchr(id, '~');
    sqlite3_stmt *row = NULL;
    struct winnow_error unread;
    if (!mark || mark[1] == '\0' || mark[1 + strspn(mark + 1, "0123456789")] != '\0' ||
        explain_prepare(x, "SELECT 1 FROM entries WHERE id=?1 AND rule='repeated'", &row,
                        &unread) != WINNOW_OK) {
        return;
    }
    (void)sqlite3_bind_text(row, 1, id, (int)(mark - id), SQLITE_STATIC);
    if (sqlite3_step(row) == SQLITE_ROW) {
        buf_addf(out, "; what mix wrote more than once has its story under '%.*s'",
                 (int)(mark - id), id);
    }
    (void)sqlite3_finalize(row);
}

/* A line that is no document has no id: it may be the one that is looked for. */
static winnow_status refuse_unknown(struct explain *x, const char *id, struct winnow_error *err)
{
    struct input_account account = {0};
    struct winnow_list stages = {0};
    struct arena keep;
    struct buf folder = {0}, bad = {0};
    struct winnow_error unread;
    arena_init(&keep, 1024);
    add_copied(x, id, &bad);
    if (run_list_stages(x->run, &stages, &keep, &unread) == WINNOW_OK && stages.count > 0) {
        buf_addf(&folder, "%s/stages/%s", x->run, stages.items[0]);
        if (stage_read_account(buf_cstr(&folder), &account, &unread) == WINNOW_OK &&
            account.bad > 0) {
            buf_add_text(&folder, "/bad");
            bool kept = file_exists(buf_cstr(&folder)); /* not with --on-bad skip */
            buf_addf(&bad, "; the input also held %" PRIu64 " bad record%s, without an id%s%s",
                     account.bad, account.bad == 1 ? "" : "s", kept ? ": " : "",
                     kept ? buf_cstr(&folder) : "");
        }
    }
    winnow_status st =
        error_set(err, WINNOW_E_USAGE, "%s: no stage met a document with the id '%s'%s", x->run, id,
                  buf_cstr(&bad));
    account_release(&account);
    arena_release(&keep);
    buf_release(&folder);
    buf_release(&bad);
    return st;
}

static winnow_status explain_id(struct explain *x, const char *id, struct winnow_error *err)
{
    sqlite3_stmt *rows = NULL, *count = NULL;
    TRY(explain_prepare(x, "SELECT count(*) FROM entries WHERE id=?1", &count, err));
    (void)sqlite3_bind_text(count, 1, id, -1, SQLITE_STATIC);
    uint64_t total =
        sqlite3_step(count) == SQLITE_ROW ? (uint64_t)sqlite3_column_int64(count, 0) : 0;
    (void)sqlite3_finalize(count);
    if (total == 0) {
        return refuse_unknown(x, id, err);
    }
    winnow_status st = explain_prepare(x, FIND, &rows, err);
    (void)sqlite3_bind_text(rows, 1, id, -1, SQLITE_STATIC);
    if (!x->opt->json) {
        buf_addf(&x->out, "%s\n", id);
    }
    while (st == WINNOW_OK && sqlite3_step(rows) == SQLITE_ROW) {
        struct entry e;
        take_entry(rows, &e);
        x->entries++;
        st = add_entry(x, &e, x->entries == total, err);
    }
    (void)sqlite3_finalize(rows);
    return st == WINNOW_OK && !x->opt->json ? explain_copies(x, id, err) : st;
}

winnow_status winnow_explain(const char *run, const char *id,
                             const struct winnow_explain_options *opt,
                             void (*write)(void *user, const char *text, size_t len), void *user,
                             const struct winnow_env *env, struct winnow_error *err)
{
    struct explain x = {.run = run, .opt = opt, .memory_max = env->memory_max};
    struct buf path = {0};
    winnow_status st = WINNOW_OK;
    if (!file_exists(file_join(&path, run, "ledger.db"))) {
        st = error_set(err, WINNOW_E_USAGE,
                       file_exists(run) ? "%s has no ledger.db: it is no finished run"
                                        : "%s: there is no such folder",
                       run);
    } else if (sqlite3_open_v2(buf_cstr(&path), &x.db, SQLITE_OPEN_READONLY, NULL) != SQLITE_OK) {
        st = db_error(&x, err);
    }
    x.parser = json_parser_new();
    st = st == WINNOW_OK ? explain_id(&x, id, err) : st;
    if (st == WINNOW_OK) {
        write(user, x.out.ptr, x.out.len);
    }
    (void)sqlite3_close(x.db);
    json_parser_free(x.parser);
    buf_release(&x.out);
    buf_release(&path);
    return st;
}
