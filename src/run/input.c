/* input.c -- the input of a run: which files, and whether they are the same.
 *
 * A shard's name is part of the key (outputs mirror it), its folder is not, nor are
 * its times: base/prints.h says how its content is known again.  input.json keeps
 * names, sizes, times and hashes, of the input and of all else that options name
 * ("read"). */
#include "base/env.h"
#include "base/file.h"
#include "base/mem.h"
#include "corpus/spool.h"
#include "run/folder_internal.h"
#include "run/guard.h"

#include <unistd.h>

static void write_remote(const struct storage_object *o, struct json_writer *w)
{
    char print[33] = "";
    struct winnow_error ignored; /* it was told where it was read */
    bool made = storage_object_print(o, print, &ignored) == WINNOW_OK;
    json_member_text(w, "path", o->address);
    json_member_u64(w, "bytes", o->bytes);
    json_member_text(w, "etag", o->etag);
    json_member_text(w, "modified", o->modified);
    json_member_text(w, "hash", made ? print : "");
}

static void write_shard(const struct run *r, const struct shard *shard, struct json_writer *w)
{
    json_open(w, '{');
    json_member_text(w, "name", shard->name);
    if (shard->remote) {
        write_remote(shard->remote, w);
    } else {
        prints_write(r->prints, shard->path, w);
    }
    json_close(w, '}');
}

winnow_status folder_write_input(struct run *r, struct winnow_error *err)
{
    const struct shard_list *list = &r->stages[0].input;
    struct buf text = {0}, path = {0};
    struct json_writer w = {.out = &text, .pretty = true};
    json_open(&w, '{');
    json_member_open(&w, "files", '[');
    for (size_t i = 0; i < list->count; i++) {
        write_shard(r, &list->items[i], &w);
    }
    json_close(&w, ']');
    json_key(&w, "read");
    prints_write_trees(r->prints, &w);
    json_member_text(&w, "key", r->input_key);
    json_close(&w, '}');
    buf_add_char(&text, '\n');
    winnow_status st =
        file_write_atomic(file_join(&path, r->folder, "input.json"), buf_str(&text), err);
    buf_release(&text);
    buf_release(&path);
    return st;
}

/* What an earlier call remembers.  A damaged list only means hashing again. */
void folder_load_prints(struct run *r)
{
    if (r->prints) {
        return;
    }
    struct json_parser *parser = json_parser_new();
    struct json_value root = {0};
    struct buf path = {0};
    struct winnow_error ignored;
    bool found = false;
    if (run_read_json(file_join(&path, r->folder, "input.json"), parser, &root, &found, &ignored) !=
        WINNOW_OK) {
        root = (struct json_value){0};
    }
    r->prints = prints_new(json_get(root, "files"), r->env);
    prints_know(r->prints, json_get(root, "read"));
    json_parser_free(parser);
    buf_release(&path);
}

static winnow_status print_remote(const struct storage_object *o, char hash[33],
                                  struct winnow_error *failed, struct winnow_error *err)
{
    winnow_status st = storage_object_print(o, hash, failed);
    if (st == WINNOW_E_IO) {
        return WINNOW_OK; /* it is lost, as files are */
    }
    if (st != WINNOW_OK) {
        *err = *failed;
    }
    return st;
}

/* Prints of all shards that can be read but once; the others among those that a folder
 * gave are lost, and the rest can still be read. */
static winnow_status print_shards(struct run *r, struct shard_list *list, char (*hashes)[33],
                                  struct winnow_error *err)
{
    const char **paths = mem_zalloc((list->count + 1) * sizeof *paths);
    struct winnow_error *failed = mem_zalloc((list->count + 1) * sizeof *failed);
    for (size_t i = 0; i < list->count; i++) {
        paths[i] = list->items[i].once || list->items[i].remote ? NULL : list->items[i].path;
    }
    winnow_status st = prints_files(r->prints, r->pool, paths, list->count, hashes, failed, err);
    for (size_t i = 0; i < list->count && st == WINNOW_OK; i++) {
        st = list->items[i].remote ? print_remote(list->items[i].remote, hashes[i], &failed[i], err)
                                   : WINNOW_OK;
    }
    for (size_t i = list->count; i-- > 0 && st == WINNOW_OK;) {
        if (failed[i].text[0] && !list->items[i].met) {
            *err = failed[i];
            st = WINNOW_E_IO;
        } else if (failed[i].text[0]) {
            memmove(hashes + i, hashes + i + 1, (list->count - i - 1) * sizeof *hashes);
            shard_list_lose(list, i, str_of(failed[i].text));
        }
    }
    mem_free(paths);
    mem_free(failed);
    return st;
}

/* The key over names and content of all shards. */
static winnow_status key_of_input(struct run *r, struct winnow_error *err)
{
    struct shard_list *list = &r->stages[0].input;
    char(*hashes)[33] = mem_zalloc((list->count + 1) * sizeof *hashes);
    winnow_status st = print_shards(r, list, hashes, err);
    struct hash_stream *key = hash_stream_new();
    for (size_t i = 0; i < list->count; i++) {
        const struct shard *s = &list->items[i];
        hash_stream_add(key, (struct str){s->name, strlen(s->name) + 1});
        hash_stream_add(key, (struct str){hashes[i], sizeof hashes[i]});
    }
    for (size_t i = 0; i < list->account->lost.held; i++) { /* once it is back, all is another */
        const char *name = list->account->lost.items[i].name;
        hash_stream_add(key, (struct str){name, strlen(name) + 1});
    }
    hash128_hex(hash_stream_value(key), r->input_key);
    hash_stream_free(key);
    mem_free(hashes);
    return st;
}

/* A pipe that stages need more than once becomes a file of the run folder. */
static winnow_status take_pipes(struct run *r, struct shard_list *list, struct winnow_error *err)
{
    bool again = r->request->count > 1;
    for (size_t i = 0; i < r->request->count; i++) {
        const struct run_step *step = &r->request->steps[i];
        again = again || step->kind->many_passes ||
                (step->kind->passes_again && step->kind->passes_again(step->options));
    }
    for (size_t i = 0, pipes = 0; again && i < list->count; i++) {
        struct shard *s = &list->items[i];
        if (s->once) {
            const char *path = spool_name(r->folder, pipes++, &list->keep);
            TRY(spool_pipe(s->path, path, r->env, err));
            s->path = path;
            s->once = false;
            s->piped = true;
        }
    }
    return WINNOW_OK;
}

/* All that the call reads. */
static winnow_status gather_places(const struct run *r, struct places *places,
                                   struct winnow_error *err)
{
    const struct guarded what = {
        .paths = r->paths, .files_from = r->corpus->files_from, .shards = &r->stages[0].input};
    TRY(guard_corpora(places, &what, err));
    for (size_t i = 0; i < r->request->count; i++) {
        TRY(guard_options(places, r->stages[i].kind->table, r->stages[i].options, err));
    }
    for (size_t i = 0; i < r->request->ending_count; i++) {
        const struct run_ending *e = &r->request->endings[i];
        TRY(e->table && e->options ? guard_options(places, e->table, e->options, err) : WINNOW_OK);
    }
    return WINNOW_OK;
}

const char *run_output_ending(const struct winnow_corpus_options *corpus)
{
    static const char *const ENDINGS[] = {NULL, ".jsonl", ".jsonl.gz", ".jsonl.zst", ".parquet"};
    return ENDINGS[corpus->output_format];
}

winnow_status folder_find_input(struct run *r, struct winnow_error *err)
{
    struct stage *first = &r->stages[0];
    const struct shards_options opt = {
        .paths = r->paths,
        .files_from = r->corpus->files_from,
        .kind = first->kind->reads_files ? SHARDS_PAGES : SHARDS_DOCUMENTS,
        .ending = run_output_ending(r->corpus),
        .env = r->env,
    };
    first->input_found = true;
    TRY(shards_find(&opt, &first->input, err));
    for (size_t i = 0; r->request->stands_for && i < first->input.count; i++) {
        first->input.items[i].name = r->request->stands_for[i]->name;
        first->input.items[i].shown = r->request->stands_for[i]->shown;
        first->input.items[i].label = r->request->stands_for[i]->label;
    }
    TRY(first->kind->reads_files ? WINNOW_OK : shard_list_fits(&first->input, r->folder, err));
    struct places *places = places_new();
    winnow_status st = gather_places(r, places, err);
    if (st == WINNOW_OK && !r->temporary) {
        st = places_refuse_folder(places, r->folder, err);
    }
    if (st == WINNOW_OK && r->to_stdout) {
        st = places_refuse_open(places, STDOUT_FILENO, err);
    }
    places_free(places);
    return st;
}

winnow_status folder_input(struct run *r, struct winnow_error *err)
{
    struct shard_list *input = &r->stages[0].input;
    account_warn_skipped(input->account, r->env);
    if (r->corpus->on_bad == WINNOW_ON_BAD_STOP) {
        TRY(account_need_all(input->account, err));
    }
    TRY(take_pipes(r, input, err));
    folder_load_prints(r);
    TRY(ranks_hash_input(r, err));
    return key_of_input(r, err);
}
