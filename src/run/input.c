/* input.c -- the input of a run: which files, and whether they are the same.
 *
 * Reading a terabyte twice only to hash it would double the cost of a run, so
 * files up to HASH_WHOLE are hashed whole, larger ones by three windows and
 * their size; and a file whose size and time of change are those of input.json
 * is not read again.  A name is part of the hash (outputs mirror it), the folder
 * is not. */
#include "base/env.h"
#include "base/file.h"
#include "corpus/spool.h"
#include "run/folder_internal.h"

#include <inttypes.h>
#include <sys/stat.h>
#include <unistd.h>

#define HASH_WHOLE  ((uint64_t)64 << 20)
#define HASH_WINDOW ((uint64_t)8 << 20)

struct file_print {
    uint64_t bytes, mtime_ns;
    char hash[33];
};

static winnow_status hash_file(const char *path, uint64_t bytes, char out[33],
                               struct winnow_error *err)
{
    struct hash128 h;
    if (bytes <= HASH_WHOLE) {
        TRY(file_hash(path, &h, err));
    } else {
        struct file_map map;
        TRY(file_map_open(path, &map, err));
        struct hash_stream *s = hash_stream_new();
        uint64_t middle = map.bytes.len / 2;
        hash_stream_add(s, str_sub(map.bytes, 0, HASH_WINDOW));
        hash_stream_add(s, str_sub(map.bytes, middle, middle + HASH_WINDOW));
        hash_stream_add(s, str_sub(map.bytes, map.bytes.len - HASH_WINDOW, map.bytes.len));
        h = hash_stream_value(s);
        hash_stream_free(s);
        file_map_close(&map);
    }
    hash128_hex(h, out);
    return WINNOW_OK;
}

/* What input.json says of a path that has not changed since. */
static bool known_print(struct json_value root, const char *path, struct file_print *p)
{
    struct json_iter it = json_walk(json_get(root, "files"));
    while (json_next(&it)) {
        struct str name, hash;
        uint64_t bytes = 0, mtime = 0;
        if (json_as_str(json_get(it.value, "path"), &name) && str_is(name, path) &&
            json_as_u64(json_get(it.value, "bytes"), &bytes) && bytes == p->bytes &&
            json_as_u64(json_get(it.value, "mtime_ns"), &mtime) && mtime == p->mtime_ns &&
            json_as_str(json_get(it.value, "hash"), &hash) && hash.len == 32) {
            memcpy(p->hash, hash.ptr, 32);
            p->hash[32] = '\0';
            return true;
        }
    }
    return false;
}

static winnow_status print_file(const char *path, struct json_value known, struct file_print *p,
                                struct winnow_error *err)
{
    struct stat st;
    if (stat(path, &st) != 0) {
        return error_errno(err, "cannot open", path);
    }
    p->bytes = (uint64_t)st.st_size;
    p->mtime_ns = (uint64_t)st.st_mtim.tv_sec * 1000000000U + (uint64_t)st.st_mtim.tv_nsec;
    if (known_print(known, path, p)) {
        return WINNOW_OK;
    }
    if (!S_ISREG(st.st_mode)) { /* a pipe: never the same again */
        p->hash[0] = '\0';
        return WINNOW_OK;
    }
    return hash_file(path, p->bytes, p->hash, err);
}

static void write_print(const struct shard *shard, const struct file_print *p,
                        struct json_writer *w)
{
    json_open(w, '{');
    json_key(w, "path");
    json_text(w, shard->path);
    json_key(w, "name");
    json_text(w, shard->name);
    json_key(w, "bytes");
    json_u64(w, p->bytes);
    json_key(w, "mtime_ns");
    json_u64(w, p->mtime_ns);
    json_key(w, "hash");
    json_text(w, p->hash);
    json_close(w, '}');
}

/* input.json anew, and the key over all names and contents. */
static winnow_status print_all(struct run *r, struct shard_list *list, struct json_value known,
                               struct buf *text, struct winnow_error *err)
{
    struct json_writer w = {.out = text, .pretty = true};
    struct hash_stream *key = hash_stream_new();
    winnow_status st = WINNOW_OK;
    json_open(&w, '{');
    json_key(&w, "files");
    json_open(&w, '[');
    for (size_t i = 0; i < list->count && st == WINNOW_OK; i++) {
        struct file_print p = {0};
        if (strcmp(list->items[i].path, "-") != 0) {
            st = print_file(list->items[i].path, known, &p, err);
        }
        if (st == WINNOW_E_IO && list->items[i].met) { /* the others can still be read */
            shard_list_lose(list, i--, str_of(err->text));
            st = WINNOW_OK;
            continue;
        }
        write_print(&list->items[i], &p, &w);
        hash_stream_add(key, (struct str){list->items[i].name, strlen(list->items[i].name) + 1});
        hash_stream_add(key, (struct str){p.hash, sizeof p.hash});
    }
    for (size_t i = 0; i < list->account->lost.held; i++) { /* once it is back, all is another */
        const char *name = list->account->lost.items[i].name;
        hash_stream_add(key, (struct str){name, strlen(name) + 1});
    }
    json_close(&w, ']');
    hash128_hex(hash_stream_value(key), r->input_key);
    json_key(&w, "key");
    json_text(&w, r->input_key);
    json_close(&w, '}');
    buf_add_char(text, '\n');
    hash_stream_free(key);
    return st;
}

/* A run folder within its own input, or the other way round, would eat itself. */
static winnow_status refuse_own_output(const struct run *r, const struct shard_list *list,
                                       struct winnow_error *err)
{
    struct stat own, other;
    struct buf path = {0};
    winnow_status st = WINNOW_OK;
    if (stat(r->folder, &own) != 0) {
        return error_errno(err, "cannot open", r->folder);
    }
    for (size_t i = 0; i < list->count && st == WINNOW_OK; i++) {
        buf_clear(&path);
        buf_add_text(&path, list->items[i].path);
        for (char *slash = strrchr(buf_cstr(&path), '/'); slash && st == WINNOW_OK;
             slash = strrchr(path.ptr, '/')) {
            *slash = '\0';
            bool inside = path.ptr[0] != '\0' && stat(path.ptr, &other) == 0 &&
                          other.st_dev == own.st_dev && other.st_ino == own.st_ino;
            if (inside) {
                st = error_set(err, WINNOW_E_USAGE,
                               "%s lies in the output folder %s; read it into another one",
                               list->items[i].path, r->folder);
            }
        }
    }
    buf_release(&path);
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

winnow_status folder_input(struct run *r, struct winnow_error *err)
{
    struct stage *first = &r->stages[0];
    struct json_parser *parser = json_parser_new();
    struct json_value known = {0};
    struct buf path = {0}, text = {0};
    bool found = false;
    winnow_status st = WINNOW_OK;
    const struct shards_options opt = {
        .paths = r->paths,
        .files_from = r->corpus->files_from,
        .kind = first->kind->reads_files ? SHARDS_PAGES : SHARDS_DOCUMENTS,
    };
    st = shards_find(&opt, &first->input, err);
    st = st == WINNOW_OK ? refuse_own_output(r, &first->input, err) : st;
    st = st == WINNOW_OK ? take_pipes(r, &first->input, err) : st;
    if (st == WINNOW_OK) {
        account_warn_skipped(first->input.account, r->env);
    }
    (void)file_join(&path, r->folder, "input.json");
    if (st == WINNOW_OK) {
        struct winnow_error ignored; /* a damaged list only means hashing again */
        if (run_read_json(buf_cstr(&path), parser, &known, &found, &ignored) != WINNOW_OK) {
            known = (struct json_value){0};
        }
        st = print_all(r, &first->input, known, &text, err);
    }
    st = st == WINNOW_OK ? file_write_atomic(buf_cstr(&path), buf_str(&text), err) : st;
    first->input_found = true;
    buf_release(&path);
    buf_release(&text);
    json_parser_free(parser);
    return st;
}
