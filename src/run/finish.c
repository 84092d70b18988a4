/* finish.c -- the end of a stage: completions become stats.json.
 *
 * Each shard that is through has left a completion (counts, files with their hashes); they
 * are added in the order of the shards, checked (in = kept + removed + aside + bad), and
 * written as one file.  Then _SUCCESS: whoever sees that sees everything else. */
#include "winnow/version.h"

#include "base/env.h"
#include "base/file.h"
#include "base/mem.h"
#include "corpus/page_structure.h"
#include "run/outputs.h"
#include "run/run_internal.h"

#include <inttypes.h>
#include <stdio.h>

/* The output shards of the verdict pass in order; the array is the caller's.  One
 * array for all: there may be a million of them. */
static const char **shard_names(const struct stage *s, size_t *out)
{
    size_t count = s->kind->reads_files ? (size_t)s->source_shards : s->input.count;
    const char **names = mem_alloc((count + 1) * sizeof *names);
    char name[64];
    for (size_t i = 0; i < count; i++) {
        (void)snprintf(name, sizeof name, "%05zu%s", i, s->extension ? s->extension : "");
        names[i] = s->kind->reads_files ? arena_strndup(&s->run->keep, name, strlen(name))
                                        : s->input.items[i].name;
    }
    *out = count;
    return names;
}

struct gather {
    struct counts counts;
    struct input_account account;
    struct buf shards;        /* elements of the array */
    struct winnow_list empty; /* shards of which no record is a document */
    uint64_t made;            /* documents of the stage's own, among those that came in */
};

/* A completion's "files" with those of other passes of the same shard. */
static void add_files(const struct json_value root, struct json_writer *w)
{
    struct json_iter it = json_walk(json_get(root, "files"));
    while (json_next(&it)) {
        uint64_t lines = 0, bytes = 0;
        struct str hash = {"", 0};
        if (str_is(it.key, KEPT_FOLDER)) { /* gone by now */
            continue;
        }
        (void)json_as_u64(json_get(it.value, "lines"), &lines);
        (void)json_as_u64(json_get(it.value, "bytes"), &bytes);
        (void)json_as_str(json_get(it.value, "hash"), &hash);
        json_key_str(w, it.key);
        json_open(w, '{');
        json_member_u64(w, "lines", lines);
        json_member_u64(w, "bytes", bytes);
        json_member_str(w, "hash", hash);
        json_close(w, '}');
    }
}

static winnow_status gather_pass(const struct stage *s, const char *pass, const char *shard,
                                 struct gather *g, struct json_writer *files,
                                 struct winnow_error *err)
{
    struct json_parser *parser = json_parser_new();
    struct json_value root = {0};
    struct buf path = {0};
    bool found = false;
    buf_addf(&path, "%s/completions/%s/%s.json", s->folder, pass, shard);
    winnow_status st = run_read_json(buf_cstr(&path), parser, &root, &found, err);
    if (st == WINNOW_OK && found) {
        add_files(root, files);
        if (strcmp(pass, s->verdict_pass) == 0) {
            const uint64_t *n = g->counts.documents;
            uint64_t in = n[COUNT_IN], bad = n[COUNT_BAD];
            st = counts_read(&g->counts, root, err);
            account_read(&g->account, root);
            if (n[COUNT_BAD] > bad && n[COUNT_IN] - in == n[COUNT_BAD] - bad) {
                option_list_add(&g->empty, str_of(shard), &s->run->keep);
            }
        }
    }
    buf_release(&path);
    json_parser_free(parser);
    return st;
}

static bool is_complete(const struct stage *s, const char *shard)
{
    struct buf path = {0};
    buf_addf(&path, "%s/completions/%s/%s.json", s->folder, s->verdict_pass, shard);
    bool exists = file_exists(buf_cstr(&path));
    buf_release(&path);
    return exists;
}

static winnow_status gather_shard(const struct stage *s, const char *shard, bool made,
                                  struct gather *g, struct winnow_error *err)
{
    uint64_t before = g->counts.documents[COUNT_IN];
    if (!is_complete(s, shard)) { /* --limit ended before it */
        return WINNOW_OK;
    }
    struct json_writer w = {.out = &g->shards, .comma = g->shards.len > 0};
    json_open(&w, '{');
    json_member_text(&w, "path", shard);
    if (made) {
        json_member_bool(&w, "made", true);
    }
    json_member_open(&w, "files", '{');
    winnow_status st = WINNOW_OK;
    for (size_t i = 0; i < s->passes.count && st == WINNOW_OK; i++) {
        st = gather_pass(s, s->passes.items[i], shard, g, &w, err);
    }
    json_close(&w, '}');
    json_close(&w, '}');
    g->made += made ? g->counts.documents[COUNT_IN] - before : 0;
    return st;
}

static winnow_status write_stats(const struct stage *s, const struct gather *g,
                                 struct json_writer *w, struct winnow_error *err)
{
    json_open(w, '{');
    json_member_text(w, "winnow", winnow_version());
    json_member_text(w, "stage", s->name);
    json_member_text(w, "command", s->kind->table->command);
    json_member_text(w, "key", s->key);
    json_member_open(w, "settings", '{');
    option_write_json(s->kind->table, s->options, w);
    json_close(w, '}');
    counts_write(&g->counts, w);
    if (s->made > 0) {
        json_member_u64(w, "made", g->made);
    }
    account_write(&g->account, w);
    json_member_open(w, "notes", '{');
    for (size_t i = 0; i < s->notes.count; i++) {
        json_member_raw(w, s->notes.items[i].key, s->notes.items[i].json);
    }
    json_close(w, '}');
    TRY(own_files_write(s, w, err));
    json_member_open(w, "shards", '[');
    if (g->shards.len > 0) {
        json_raw(w, buf_str(&g->shards));
    }
    json_close(w, ']');
    if (s->arranges) {
        json_member_open(w, "out", '[');
        if (s->arranged.len > 0) {
            json_raw(w, s->arranged);
        }
        json_close(w, ']');
    }
    json_close(w, '}');
    return WINNOW_OK;
}

static winnow_status remove_progress(const struct stage *s, struct winnow_error *err)
{
    struct buf path = {0};
    winnow_status st = WINNOW_OK;
    for (size_t i = 0; i < s->passes.count && st == WINNOW_OK; i++) {
        buf_clear(&path);
        buf_addf(&path, "%s/progress-%s.json", s->folder, s->passes.items[i]);
        st = file_remove_tree(buf_cstr(&path), err);
        if (st == WINNOW_OK) {
            buf_add_text(&path, FILE_TMP);
            st = file_remove_tree(buf_cstr(&path), err);
        }
        buf_clear(&path);
        buf_addf(&path, "%s/progress-%s", s->folder, s->passes.items[i]);
        st = st == WINNOW_OK ? file_remove_tree(buf_cstr(&path), err) : st;
    }
    buf_release(&path);
    return st;
}

static winnow_status write_end(const struct stage *s, const struct gather *g,
                               struct winnow_error *err)
{
    struct buf text = {0}, path = {0};
    struct json_writer w = {.out = &text, .pretty = true};
    winnow_status st = write_stats(s, g, &w, err);
    if (st == WINNOW_OK) {
        buf_add_char(&text, '\n');
        st = file_write_atomic(file_join(&path, s->folder, "stats.json"), buf_str(&text), err);
    }
    /* Before _SUCCESS: nobody looks for what is left of a stage that is done, and
     * one whose shards are all complete needs no place to go on from. */
    if (st == WINNOW_OK) {
        st = remove_progress(s, err);
    }
    if (st == WINNOW_OK) {
        buf_clear(&text);
        buf_addf(&text, "%s\n", s->key);
        st = file_write_atomic(file_join(&path, s->folder, "_SUCCESS"), buf_str(&text), err);
    }
    buf_release(&text);
    buf_release(&path);
    return st;
}

/* What later stages will not find, though extract wrote it, and what they will though a stage
 * wished it away. */
static void tell_dropped(const struct stage *s, const struct counts *c)
{
    const uint64_t *n = map_get(&c->reasons[REASON_DROPPED_KEY], STR_LIT(STRUCTURE_KEY));
    if (n) {
        env_log(s->run->env, WINNOW_LOG_WARNING,
                "%s: %" PRIu64 " documents lost their \"structure\", which is true of their text "
                "before the edit only; refine before such a stage to make use of it",
                s->name, *n);
    }
    n = map_get(&c->reasons[REASON_KEPT], STR_LIT(EXAMPLE_NOT_EDITED));
    if (n) {
        env_log(s->run->env, WINNOW_LOG_WARNING,
                "%s: %" PRIu64 " document%s not edited and go%s on as %s: messages, prompts and "
                "responses are only read; an edit needs a \"text\"",
                s->name, *n, *n == 1 ? " is" : "s are", *n == 1 ? "es" : "",
                *n == 1 ? "it is" : "they are");
    }
}

/* Shards of which no record is a document, if their end was not lost, which says more. */
static void lose_empty(const struct stage *s, struct gather *g)
{
    struct map labels = {0};
    for (size_t i = 0; i < s->input.count; i++) {
        *map_put(&labels, str_of(s->input.items[i].name), NULL) = i;
    }
    for (size_t i = 0; i < g->empty.count; i++) {
        const uint64_t *at = map_get(&labels, str_of(g->empty.items[i]));
        const char *label = at ? s->input.items[*at].label : g->empty.items[i];
        if (!account_is_lost(&g->account, label)) {
            account_lose(&g->account, label, STR_LIT("none of its records is a document"), false);
        }
    }
    map_release(&labels);
}

winnow_status stage_finish(struct stage *s, struct winnow_error *err)
{
    struct gather g = {0};
    if (!s->verdict_pass) {
        return error_set(err, WINNOW_E_INTERNAL, "%s made no pass with verdicts", s->name);
    }
    if (s->arranges && !s->arranged.ptr) {
        return error_set(err, WINNOW_E_INTERNAL, "%s did not arrange its documents", s->name);
    }
    winnow_status st = WINNOW_OK;
    size_t count = 0;
    const char **shards = shard_names(s, &count);
    if (s->input.account) {
        account_add(&g.account, s->input.account);
    }
    for (size_t i = 0; i < count && st == WINNOW_OK; i++) {
        st = gather_shard(s, shards[i], i + s->made >= count, &g, err);
    }
    /* Where others have documents; else the input as a whole is told to have none. */
    bool some = g.counts.documents[COUNT_IN] > g.counts.documents[COUNT_BAD];
    if (s->first && !s->kind->reads_files && some) {
        lose_empty(s, &g);
    }
    if (st == WINNOW_OK) {
        st = counts_check(&g.counts, s->name, err);
    }
    if (st == WINNOW_OK) {
        tell_dropped(s, &g.counts);
        st = write_end(s, &g, err);
    }
    mem_free(shards);
    counts_release(&g.counts);
    buf_release(&g.shards);
    s->lost = g.account.lost.count;
    account_release(&g.account);
    return st;
}

winnow_status stage_read_counts(const char *folder, struct counts *out, struct winnow_error *err)
{
    struct json_parser *parser = json_parser_new();
    struct json_value root = {0};
    struct buf path = {0};
    bool found = false;
    winnow_status st =
        run_read_json(file_join(&path, folder, "stats.json"), parser, &root, &found, err);
    if (st == WINNOW_OK && !found) {
        st = error_set(err, WINNOW_E_IO, "%s does not exist", buf_cstr(&path));
    }
    if (st == WINNOW_OK) {
        st = counts_read(out, root, err);
    }
    buf_release(&path);
    json_parser_free(parser);
    return st;
}

winnow_status stage_read_account(const char *folder, struct input_account *out,
                                 struct winnow_error *err)
{
    struct json_parser *parser = json_parser_new();
    struct json_value root = {0};
    struct counts counts = {0};
    struct buf path = {0};
    bool found = false;
    winnow_status st =
        run_read_json(file_join(&path, folder, "stats.json"), parser, &root, &found, err);
    st = st == WINNOW_OK && found ? counts_read(&counts, root, err) : st;
    if (st == WINNOW_OK && found) {
        out->bad = counts.documents[COUNT_BAD];
        out->documents = counts.documents[COUNT_IN] - out->bad;
        account_read(out, root);
    }
    counts_release(&counts);
    buf_release(&path);
    json_parser_free(parser);
    return st;
}

struct json_value stage_output_shards(struct json_value stats)
{
    struct json_value out = json_get(stats, "out");
    return json_kind(out) == JSON_ARRAY ? out : json_get(stats, "shards");
}

winnow_status stage_ledger_shards(const char *folder, struct winnow_list *out, bool *arranged,
                                  struct arena *keep, struct winnow_error *err)
{
    struct json_parser *parser = json_parser_new();
    struct json_value root = {0};
    struct buf path = {0};
    bool found = false;
    winnow_status st =
        run_read_json(file_join(&path, folder, "stats.json"), parser, &root, &found, err);
    struct json_value shards = json_get(root, "shards");
    const char **names = ARENA_NEW(keep, const char *, json_count(shards) + 1);
    *arranged = json_kind(json_get(root, "out")) == JSON_ARRAY;
    *out = (struct winnow_list){names, 0};
    struct json_iter it = json_walk(shards);
    while (st == WINNOW_OK && json_next(&it)) {
        struct str name = {"", 0};
        (void)json_as_str(json_get(it.value, "path"), &name);
        names[out->count++] = arena_strndup(keep, name.ptr, name.len);
    }
    buf_release(&path);
    json_parser_free(parser);
    return st;
}

winnow_status stage_output(const char *folder, struct shard_list *out, struct winnow_error *err)
{
    struct json_parser *parser = json_parser_new();
    struct json_value root = {0};
    struct buf path = {0};
    bool found = false;
    winnow_status st =
        run_read_json(file_join(&path, folder, "stats.json"), parser, &root, &found, err);
    struct json_value shards = stage_output_shards(root);
    size_t count = st == WINNOW_OK && found ? json_count(shards) : 0;
    arena_init(&out->keep, (size_t)1 << 14);
    out->items = mem_alloc((count + 1) * sizeof *out->items);
    out->account = mem_zalloc(sizeof *out->account);
    struct json_iter it = json_walk(shards);
    while (st == WINNOW_OK && out->count < count && json_next(&it)) {
        struct str name;
        if (!json_as_str(json_get(it.value, "path"), &name)) {
            st = error_set(err, WINNOW_E_FORMAT, "%s: a shard without path", buf_cstr(&path));
            break;
        }
        struct shard *shard = &out->items[out->count++];
        *shard = (struct shard){0};
        shard->name = arena_strndup(&out->keep, name.ptr, name.len);
        shard->shown = shard->label = shard->name;
        buf_clear(&path);
        buf_addf(&path, "%s/documents/%s", folder, shard->name);
        shard->path = arena_strndup(&out->keep, path.ptr, path.len);
        if (file_exists(shard->path)) { /* not in a pipe */
            st = file_size(shard->path, &shard->bytes, err);
        }
        out->bytes += shard->bytes;
    }
    buf_release(&path);
    json_parser_free(parser);
    return st;
}

bool stage_lost_is_back(const struct stage *s)
{
    struct input_account account = {0};
    struct winnow_error ignored; /* what cannot be read is not back */
    bool back = false;
    if (s->first && stage_read_account(s->folder, &account, &ignored) == WINNOW_OK) {
        for (size_t i = 0; i < account.lost.held && !back; i++) {
            const struct account_item *lost = &account.lost.items[i];
            for (size_t k = 0; k < s->input.count && lost->unreadable && !back; k++) {
                const struct shard *shard = &s->input.items[k];
                struct hash128 hash;
                back = strcmp(shard->label, lost->name) == 0 && !shard->once &&
                       file_hash(shard->path, &hash, &ignored) == WINNOW_OK;
            }
        }
    }
    account_release(&account);
    return back;
}
