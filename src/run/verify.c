/* verify.c -- whether a finished run is what it says it is.
 *
 * Four checks a stage, all from the files alone:
 *   counts       stats.json adds up, and what a stage kept is what the next read, beside
 *                documents that it made itself (made.c);
 *   hashes       every file has the bytes and the XXH3-128 of stats.json, and no
 *                file lies about that stats.json does not name (verify_left.c);
 *   alignment    ledger and attributes have a row for each document of the input,
 *                with the same ids in the same order;
 *   disjointness the rows of the ledger, by verdict, are the documents in
 *                documents/, removed/ and aside/: same ids, same order, each once.
 *
 * The last two walk a shard's files side by side, so memory does not grow. */
#include "base/env.h"
#include "base/file.h"
#include "base/json_span.h"
#include "base/sort.h"
#include "corpus/shard_reader.h"
#include "run/ledger.h"
#include "run/run_internal.h"

#include <inttypes.h>
#include <stdio.h>

/* ---- rows of one file, one at a time ---- */

struct rows {
    const char *path; /* for sentences; owned by whoever opened it */
    struct shard_reader *reader;
    struct shard_block block;
    struct str rest;
    struct json_parser *parser;
    struct str line, id; /* of the row at hand; valid until the next */
    struct json_value row;
    bool any_id; /* the row's id is no string: it is not compared */
    bool open, more;
};

static winnow_status rows_open(struct rows *r, const char *path, const struct line_budget *budget,
                               struct winnow_error *err)
{
    struct shard_reader_options opt = SHARD_READER_OPTIONS_INIT;
    opt.line_max = (size_t)1 << 33; /* ours: a copy with its reason may pass the input's limit */
    opt.budget = *budget;
    *r = (struct rows){.path = path};
    if (!file_exists(path)) { /* a shard without such lines */
        return WINNOW_OK;
    }
    r->open = true;
    r->parser = json_parser_new();
    return shard_reader_open(&r->reader, path, path, &opt, err);
}

static void rows_close(struct rows *r)
{
    shard_reader_close(r->reader);
    shard_block_release(&r->block);
    json_parser_free(r->parser);
    *r = (struct rows){0};
}

/* The next row with its id; r->more says whether there is one. */
static winnow_status rows_next(struct rows *r, const char *id_key, struct winnow_error *err)
{
    struct str line;
    r->more = false;
    while (r->open && !str_next_line(&r->rest, &line)) {
        bool more = false;
        TRY(shard_reader_next(r->reader, &r->block, &more, err));
        if (!more) {
            return WINNOW_OK;
        }
        if (r->block.bad.reason.len > 0) {
            return error_set(err, WINNOW_E_INTERNAL, "%s: %.*s", r->path,
                             STR_ARG(r->block.bad.reason));
        }
        r->rest = r->block.lines;
    }
    if (!r->open) {
        return WINNOW_OK;
    }
    winnow_status st = json_parse(r->parser, line, &r->row, err);
    if (st != WINNOW_OK) {
        return error_wrap(err, WINNOW_E_INTERNAL, "%s", r->path);
    }
    r->more = true;
    r->line = line;
    r->id = (struct str){"", 0};
    struct json_value id = json_get(r->row, id_key);
    r->any_id = !json_as_str(id, &r->id); /* a number: the ledger has it as text */
    return WINNOW_OK;
}

/* ---- a stage ---- */

/* A bag of ids: how many, and the sum of their hashes, which their order does not change. */
struct id_sum {
    uint64_t count, low, high;
};

static void id_sum_add(struct id_sum *s, struct str id)
{
    struct hash128 h = hash128(id);
    s->count++;
    s->low += h.low;
    s->high += h.high;
}

struct checked {
    const struct winnow_env *env;
    const char *folder, *name; /* of the stage */
    const char *before;        /* folder of the stage before; NULL: the first, or other shards */
    struct json_value stats;
    const char *id_key; /* of documents: NULL where they may have another one */
    uint64_t rows;
    bool arranged; /* kept documents lie in other shards, in other order, some more than once */
    struct id_sum expected; /* of an arranged stage: the ids that the ledger says, */
    struct id_sum found;    /* and those of the documents */
};

static winnow_status check_file(const struct checked *c, struct str stream, struct str shard,
                                struct json_value said, struct winnow_error *err)
{
    struct buf path = {0};
    struct str hash = {"", 0};
    struct hash128 h;
    uint64_t bytes = 0, size = 0;
    char hex[33] = "";
    buf_addf(&path, "%s/%.*s%s%.*s", c->folder, STR_ARG(stream), stream.len > 0 ? "/" : "",
             STR_ARG(shard));
    (void)json_as_str(json_get(said, "hash"), &hash);
    (void)json_as_u64(json_get(said, "bytes"), &bytes);
    winnow_status st = file_size(buf_cstr(&path), &size, err);
    if (st == WINNOW_OK && size != bytes) {
        st = error_set(err, WINNOW_E_INTERNAL, "%s has %" PRIu64 " bytes, stats.json says %" PRIu64,
                       buf_cstr(&path), size, bytes);
    }
    st = st == WINNOW_OK ? file_hash(buf_cstr(&path), &h, err) : st;
    if (st == WINNOW_OK) {
        hash128_hex(h, hex);
        if (!str_is(hash, hex)) {
            st = error_set(err, WINNOW_E_INTERNAL, "%s is not the file that stats.json names",
                           buf_cstr(&path));
        }
    }
    buf_release(&path);
    return st;
}

static winnow_status check_hashes(const struct checked *c, const char *shards, uint64_t *files,
                                  struct winnow_error *err)
{
    struct json_iter shard = json_walk(json_get(c->stats, shards));
    while (json_next(&shard)) {
        struct str path;
        if (!json_as_str(json_get(shard.value, "path"), &path)) {
            return error_set(err, WINNOW_E_INTERNAL, "%s: a shard without path", c->name);
        }
        struct json_iter file = json_walk(json_get(shard.value, "files"));
        while (json_next(&file)) {
            TRY(check_file(c, file.key, path, file.value, err));
            *files += 1;
        }
        TRY(env_check(c->env, err));
    }
    return WINNOW_OK;
}

/* Files beside the shards. */
static winnow_status check_own(const struct checked *c, uint64_t *files, struct winnow_error *err)
{
    struct json_iter own = json_walk(json_get(c->stats, "own"));
    while (json_next(&own)) {
        TRY(check_file(c, STR_LIT(""), own.key, own.value, err));
        *files += 1;
    }
    return WINNOW_OK;
}

/* The streams in which a verdict's document lies. */
enum { AT_DOCUMENTS, AT_REMOVED, AT_ASIDE, AT_PLACES };
static const char *const PLACES[AT_PLACES] = {"documents", "removed", "aside"};

static size_t place_of(struct str verdict)
{
    return str_is(verdict, "remove")  ? AT_REMOVED
           : str_is(verdict, "aside") ? AT_ASIDE
                                      : AT_DOCUMENTS;
}

static winnow_status differ(const struct rows *a, const struct rows *b, struct winnow_error *err)
{
    struct str none = STR_LIT("(no row)");
    struct str x = a->more ? a->id : none, y = b->more ? b->id : none;
    return error_set(err, WINNOW_E_INTERNAL, "%s has '%.*s' where %s has '%.*s'", a->path,
                     STR_ARG(x), b->path, STR_ARG(y));
}

/* What the ledger says that lies somewhere among the documents of an arranged stage. */
static void expect_copies(struct checked *c, const struct rows *ledger)
{
    uint64_t times = 1;
    struct buf id = {0};
    (void)json_as_u64(json_get(ledger->row, "times"), &times);
    id_sum_add(&c->expected, ledger->id);
    for (uint64_t i = 2; i <= times; i++) {
        buf_clear(&id);
        buf_add_str(&id, ledger->id);
        buf_addf(&id, "~%" PRIu64, i);
        id_sum_add(&c->expected, buf_str(&id));
    }
    buf_release(&id);
}

/* Each ledger row against the row of the file where its document should be. */
static winnow_status check_places(struct checked *c, struct rows *ledger, struct rows places[],
                                  struct winnow_error *err)
{
    for (;;) {
        struct str verdict = {"", 0};
        TRY(rows_next(ledger, "id", err));
        if (!ledger->more) {
            break;
        }
        c->rows++;
        (void)json_as_str(json_get(ledger->row, "verdict"), &verdict);
        struct rows *place = &places[place_of(verdict)];
        if (c->arranged && place == &places[AT_DOCUMENTS]) {
            expect_copies(c, ledger);
            continue;
        }
        if (!place->open) { /* --no-keep-removed, or a pipe; files that should be were looked at */
            continue;
        }
        TRY(rows_next(place, c->id_key ? c->id_key : "id", err));
        bool same = !c->id_key || place->any_id || str_eq(place->id, ledger->id);
        if (!place->more || !same) {
            return differ(ledger, place, err);
        }
    }
    for (size_t i = 0; i < AT_PLACES; i++) {
        TRY(rows_next(&places[i], "id", err));
        if (places[i].more) {
            return differ(ledger, &places[i], err);
        }
    }
    return WINNOW_OK;
}

static winnow_status check_shard_places(struct checked *c, const char *shard,
                                        struct winnow_error *err)
{
    struct rows ledger = {0}, places[AT_PLACES] = {{0}};
    const struct line_budget budget = line_budget_of_run(c->env->memory_max, AT_PLACES + 1);
    struct buf paths[AT_PLACES + 1] = {{0}};
    winnow_status st = WINNOW_OK;
    for (size_t i = 0; i < AT_PLACES && st == WINNOW_OK; i++) {
        buf_addf(&paths[i], "%s/%s/%s", c->folder, PLACES[i], shard);
        if (i != AT_DOCUMENTS || !c->arranged) {
            st = rows_open(&places[i], buf_cstr(&paths[i]), &budget, err);
        }
    }
    buf_addf(&paths[AT_PLACES], "%s/ledger/%s", c->folder, shard);
    st = st == WINNOW_OK ? rows_open(&ledger, buf_cstr(&paths[AT_PLACES]), &budget, err) : st;
    st = st == WINNOW_OK ? check_places(c, &ledger, places, err) : st;
    for (size_t i = 0; i < AT_PLACES; i++) {
        rows_close(&places[i]);
        buf_release(&paths[i]);
    }
    rows_close(&ledger);
    buf_release(&paths[AT_PLACES]);
    return st;
}

/* A file of rows (an attribute, the input) against the ledger of the same shard. */
static winnow_status check_rows(const struct checked *c, const char *folder, const char *stream,
                                const char *shard, struct winnow_error *err)
{
    struct rows ledger = {0}, attribute = {0};
    const struct line_budget budget = line_budget_of_run(c->env->memory_max, 2);
    struct buf a = {0}, b = {0};
    buf_addf(&a, "%s/ledger/%s", c->folder, shard);
    buf_addf(&b, "%s/%s/%s", folder, stream, shard);
    winnow_status st = rows_open(&ledger, buf_cstr(&a), &budget, err);
    st = st == WINNOW_OK ? rows_open(&attribute, buf_cstr(&b), &budget, err) : st;
    while (st == WINNOW_OK) {
        st = rows_next(&ledger, "id", err);
        st = st == WINNOW_OK ? rows_next(&attribute, "id", err) : st;
        if (st != WINNOW_OK || (!ledger.more && !attribute.more)) {
            break;
        }
        if (ledger.more != attribute.more ||
            (!attribute.any_id && !str_eq(ledger.id, attribute.id))) {
            st = differ(&ledger, &attribute, err);
        }
    }
    rows_close(&ledger);
    rows_close(&attribute);
    buf_release(&a);
    buf_release(&b);
    return st;
}

static winnow_status check_shard(struct checked *c, struct json_value shard,
                                 struct winnow_error *err)
{
    struct str path = {"", 0};
    struct buf name = {0}, stream = {0};
    (void)json_as_str(json_get(shard, "path"), &path);
    buf_add_str(&name, path);
    winnow_status st = check_shard_places(c, buf_cstr(&name), err);
    struct json_iter file = json_walk(json_get(shard, "files"));
    while (st == WINNOW_OK && json_next(&file)) {
        buf_clear(&stream);
        buf_add_str(&stream, file.key);
        if (str_starts(file.key, STR_LIT("attributes/"))) {
            st = check_rows(c, c->folder, buf_cstr(&stream), buf_cstr(&name), err);
        }
    }
    bool made = false;
    (void)json_as_bool(json_get(shard, "made"), &made);
    if (st == WINNOW_OK && made) {
        st = check_rows(c, c->folder, "made", buf_cstr(&name), err);
    } else if (st == WINNOW_OK && c->before && c->id_key) {
        st = check_rows(c, c->before, "documents", buf_cstr(&name), err);
    }
    buf_release(&name);
    buf_release(&stream);
    return st;
}

/* The ids of one shard of an arranged stage's documents. */
static winnow_status add_found(struct checked *c, const char *shard, struct winnow_error *err)
{
    struct rows rows = {0};
    struct buf path = {0};
    const struct line_budget budget = line_budget_of_run(c->env->memory_max, 1);
    buf_addf(&path, "%s/documents/%s", c->folder, shard);
    winnow_status st = rows_open(&rows, buf_cstr(&path), &budget, err);
    while (st == WINNOW_OK) {
        st = rows_next(&rows, "id", err);
        if (st != WINNOW_OK || !rows.more) {
            break;
        }
        struct str id = rows.id; /* a number as it is written, as the ledger has it */
        (void)json_span_id(rows.row, str_trim(rows.line), "id", &id);
        id_sum_add(&c->found, id);
    }
    rows_close(&rows);
    buf_release(&path);
    return st;
}

/* An arranged stage's documents are those of its ledger, each as often as that says. */
static winnow_status check_arranged(struct checked *c, struct winnow_error *err)
{
    struct json_iter shard = json_walk(json_get(c->stats, "out"));
    struct buf name = {0};
    winnow_status st = WINNOW_OK;
    bool documents = true;
    while (st == WINNOW_OK && json_next(&shard)) {
        struct str path = {"", 0};
        (void)json_as_str(json_get(shard.value, "path"), &path);
        buf_clear(&name);
        buf_add_str(&name, path);
        documents = documents && json_count(json_get(shard.value, "files")) > 0; /* no pipe */
        st = add_found(c, buf_cstr(&name), err);
        st = st == WINNOW_OK ? env_check(c->env, err) : st;
    }
    buf_release(&name);
    bool ids = c->id_key != NULL; /* else only their number is known */
    if (st == WINNOW_OK && documents &&
        (c->found.count != c->expected.count ||
         (ids && (c->found.low != c->expected.low || c->found.high != c->expected.high)))) {
        st = error_set(err, WINNOW_E_INTERNAL,
                       "%s: documents/ holds %" PRIu64 " documents that are not the %" PRIu64
                       " of the ledger, each as often as it says",
                       c->name, c->found.count, c->expected.count);
    }
    return st;
}

static winnow_status check_stage(struct checked *c, const struct counts *before,
                                 struct counts *counts, struct winnow_error *err)
{
    uint64_t files = 0;
    c->arranged = json_kind(json_get(c->stats, "out")) == JSON_ARRAY;
    TRY(counts_read(counts, c->stats, err));
    TRY(counts_check(counts, c->name, err));
    uint64_t made = 0;
    uint64_t kept = before ? before->documents[COUNT_KEPT] + before->documents[COUNT_COPIES] : 0;
    (void)json_as_u64(json_get(c->stats, "made"), &made);
    if (before && kept + made != counts->documents[COUNT_IN]) {
        return error_set(err, WINNOW_E_INTERNAL,
                         "%s read %" PRIu64 " documents, the stage before kept %" PRIu64
                         " and it made %" PRIu64 " itself",
                         c->name, counts->documents[COUNT_IN], kept, made);
    }
    TRY(check_hashes(c, "shards", &files, err));
    TRY(check_hashes(c, "out", &files, err));
    TRY(check_own(c, &files, err));
    struct json_iter shard = json_walk(json_get(c->stats, "shards"));
    while (json_next(&shard)) {
        TRY(check_shard(c, shard.value, err));
        TRY(env_check(c->env, err));
    }
    TRY(c->arranged ? check_arranged(c, err) : WINNOW_OK);
    uint64_t rows = counts->documents[COUNT_IN] - counts->documents[COUNT_BAD];
    if (c->rows != rows) {
        return error_set(err, WINNOW_E_INTERNAL,
                         "%s: %" PRIu64 " rows of ledger for %" PRIu64 " documents", c->name,
                         c->rows, rows);
    }
    struct buf copies = {0};
    if (c->arranged) {
        buf_addf(&copies, "; with copies %" PRIu64 " in documents/",
                 counts->documents[COUNT_KEPT] + counts->documents[COUNT_COPIES]);
    }
    env_log(c->env, WINNOW_LOG_INFO,
            "%s: %" PRIu64 " documents in = %" PRIu64 " kept + %" PRIu64 " removed + %" PRIu64
            " aside + %" PRIu64 " bad%s; %" PRIu64 " files with their hashes; rows aligned",
            c->name, counts->documents[COUNT_IN], counts->documents[COUNT_KEPT],
            counts->documents[COUNT_REMOVED], counts->documents[COUNT_ASIDE],
            counts->documents[COUNT_BAD], buf_cstr(&copies), files);
    buf_release(&copies);
    return WINNOW_OK;
}

/* ---- the run ---- */

/* Whether documents of the run carry their id under "id": a first stage over a
 * foreign corpus may have been told another key, and ids made up are put there. */
static const char *id_key_of(const char *run, struct winnow_error *err)
{
    struct buf path = {0}, text = {0};
    bool other = true;
    if (file_read(file_join(&path, run, "recipe.yaml"), (size_t)1 << 24, &text, err) == WINNOW_OK) {
        other = str_find(buf_str(&text), STR_LIT("\nid-key: ")) != SIZE_MAX;
    }
    buf_release(&path);
    buf_release(&text);
    return other ? NULL : "id";
}

static winnow_status check_links(const char *run, const char *last, struct winnow_error *err)
{
    struct shard_list list = {0};
    struct buf a = {0};
    if (!file_exists(file_join(&a, last, "documents"))) { /* they went down a pipe */
        buf_release(&a);
        return WINNOW_OK;
    }
    winnow_status st = stage_output(last, &list, err);
    for (size_t i = 0; i < list.count && st == WINNOW_OK; i++) {
        struct hash128 x = {0}, y = {0};
        buf_clear(&a);
        buf_addf(&a, "%s/documents/%s", run, list.items[i].name);
        st = file_hash(buf_cstr(&a), &x, err);
        st = st == WINNOW_OK ? file_hash(list.items[i].path, &y, err) : st;
        if (st == WINNOW_OK && (x.low != y.low || x.high != y.high)) {
            st = error_set(err, WINNOW_E_INTERNAL,
                           "%s is not %s; remove it, and the command that made the run links it "
                           "anew",
                           buf_cstr(&a), list.items[i].path);
        }
    }
    shard_list_release(&list);
    buf_release(&a);
    return st;
}

static int by_text(const void *a, const void *b)
{
    const char *const *x = a, *const *y = b;
    return strcmp(*x, *y);
}

/* Names of the stages, sorted: they begin with their number. */
winnow_status run_list_stages(const char *run, struct winnow_list *out, struct arena *keep,
                              struct winnow_error *err)
{
    bool found = false;
    winnow_status st = run_find_stages(run, out, keep, &found, err);
    if (st == WINNOW_OK && !found) {
        st = error_set(err, WINNOW_E_USAGE,
                       file_exists(run) ? "%s is no run folder: it has no stages"
                                        : "%s: there is no such folder",
                       run);
    }
    if (st == WINNOW_OK && out->count > 0) {
        const char **sorted = ARENA_NEW(keep, const char *, out->count);
        memcpy(sorted, out->items, out->count * sizeof *sorted);
        sort(sorted, out->count, sizeof *sorted, by_text);
        out->items = sorted;
    }
    return st;
}

/* Calling the command again finds what is missing or has another size, but not this. */
static winnow_status add_remedy(const char *folder, winnow_status st, struct winnow_error *err)
{
    if (st == WINNOW_E_INTERNAL) {
        const struct winnow_error what = *err;
        st = error_set(err, st,
                       "%s; remove the folder %s, and the command that made the run does that "
                       "stage and what is behind it anew",
                       what.text, folder);
    }
    return st;
}

static winnow_status check_one(struct checked c, const char *run, struct counts *before,
                               struct winnow_error *err)
{
    struct json_parser *parser = json_parser_new();
    struct counts counts = {0};
    struct buf folder = {0}, path = {0};
    bool found = false;
    buf_addf(&folder, "%s/stages/%s", run, c.name);
    c.folder = buf_cstr(&folder);
    winnow_status st =
        run_read_json(file_join(&path, c.folder, "stats.json"), parser, &c.stats, &found, err);
    if (st == WINNOW_OK && !found) {
        st = error_set(err, WINNOW_E_INTERNAL, "%s has no stats.json: the stage is not finished",
                       c.folder);
    }
    st = st == WINNOW_OK ? check_stage(&c, c.before ? before : NULL, &counts, err) : st;
    st = add_remedy(c.folder, st, err);
    counts_release(before);
    *before = counts;
    buf_release(&folder);
    buf_release(&path);
    json_parser_free(parser);
    return st;
}

/* All that the run has holds; but its input may have held more. */
static winnow_status tell_input(const char *run, const char *first, const struct winnow_env *env,
                                struct winnow_error *err)
{
    struct input_account account = {0};
    struct buf folder = {0}, text = {0};
    buf_addf(&folder, "%s/stages/%s", run, first);
    winnow_status st = stage_read_account(buf_cstr(&folder), &account, err);
    account_say_bad(&account, &text);
    if (text.len > 0) {
        env_log(env, WINNOW_LOG_INFO, "%s: %s", first, buf_cstr(&text));
    }
    buf_clear(&text);
    account_say_skipped(&account, &text);
    if (text.len > 0) {
        env_log(env, WINNOW_LOG_INFO, "%s: %s", first, buf_cstr(&text));
    }
    buf_clear(&text);
    account_say_lost(&account, &text);
    if (st == WINNOW_OK && text.len > 0) {
        st = error_set(err, WINNOW_E_FORMAT, "all that %s holds is verified, but %s", run,
                       buf_cstr(&text));
    }
    buf_release(&folder);
    buf_release(&text);
    account_release(&account);
    return st;
}

static bool is_listed(const struct winnow_list *stages, struct str name)
{
    for (size_t i = 0; i < stages->count; i++) {
        if (str_is(name, stages->items[i])) {
            return true;
        }
    }
    return false;
}

/* The stages that the recipe of the run was made with are all there. */
static winnow_status check_recipe(const char *run, const struct winnow_list *stages,
                                  struct winnow_error *err)
{
    static const char WORD[] = "  stage-keys: ";
    struct json_parser *parser = json_parser_new();
    struct json_value root = {0};
    struct buf text = {0}, path = {0};
    winnow_status st = file_read(file_join(&path, run, "recipe.yaml"), (size_t)1 << 24, &text, err);
    struct str rest = buf_str(&text), line;
    while (st == WINNOW_OK && str_next_line(&rest, &line)) {
        if (str_starts(line, STR_LIT(WORD))) {
            st = json_parse(parser, str_sub(line, sizeof WORD - 1, line.len), &root, err);
        }
    }
    struct json_iter it = json_walk(root);
    while (st == WINNOW_OK && json_next(&it)) {
        if (!is_listed(stages, it.key)) {
            st = error_set(err, WINNOW_E_INTERNAL,
                           "%s/stages/%.*s is missing, though the run was made with it", run,
                           STR_ARG(it.key));
        }
    }
    buf_release(&text);
    buf_release(&path);
    json_parser_free(parser);
    return st;
}

static winnow_status verify_all(const char *run, const struct winnow_list *stages,
                                const struct winnow_env *env, struct winnow_error *err)
{
    struct counts before = {0};
    struct buf last = {0};
    const char *id_key = id_key_of(run, err);
    winnow_status st = WINNOW_OK;
    for (size_t i = 0; i < stages->count && st == WINNOW_OK; i++) {
        struct checked c = {.env = env, .name = stages->items[i], .id_key = id_key};
        c.before = i > 0 ? buf_cstr(&last) : NULL;
        st = check_one(c, run, &before, err);
        buf_clear(&last);
        buf_addf(&last, "%s/stages/%s", run, stages->items[i]);
    }
    st = st == WINNOW_OK ? check_links(run, buf_cstr(&last), err) : st;
    st = st == WINNOW_OK ? verify_left(run, stages, env, err) : st;
    st = st == WINNOW_OK ? tell_input(run, stages->items[0], env, err) : st;
    counts_release(&before);
    buf_release(&last);
    return st;
}

winnow_status winnow_verify(const char *run, const struct winnow_env *env, struct winnow_error *err)
{
    struct arena keep;
    struct winnow_list stages = {0};
    struct buf path = {0};
    arena_init(&keep, (size_t)1 << 12);
    winnow_status st = run_list_stages(run, &stages, &keep, err);
    if (st == WINNOW_OK && stages.count == 0) {
        st = error_set(err, WINNOW_E_USAGE, "%s is no run folder: it has no stages", run);
    }
    if (st == WINNOW_OK && !file_exists(file_join(&path, run, "_SUCCESS"))) {
        st = error_set(err, WINNOW_E_USAGE, "%s is not finished; run it again to go on", run);
    }
    st = st == WINNOW_OK ? check_recipe(run, &stages, err) : st;
    st = st == WINNOW_OK ? verify_all(run, &stages, env, err) : st;
    buf_release(&path);
    arena_release(&keep);
    return st;
}
