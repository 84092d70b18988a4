/* input.c -- the input of a run: which files, and whether they are the same.
 *
 * Reading a terabyte twice only to hash it would double the cost of a run, so
 * files up to HASH_WHOLE are hashed whole, larger ones by three windows and
 * their size; and a file whose size and time of change are those of input.json
 * is not read again.  A name is part of the hash (outputs mirror it), the folder
 * is not. */
#include "base/env.h"
#include "base/file.h"
#include "corpus/shard_reader.h"
#include "run/folder_internal.h"

#include <errno.h>
#include <fcntl.h>
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
static winnow_status print_all(struct run *r, const struct shard_list *list,
                               struct json_value known, struct buf *text, struct winnow_error *err)
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
        write_print(&list->items[i], &p, &w);
        hash_stream_add(key, (struct str){list->items[i].name, strlen(list->items[i].name) + 1});
        hash_stream_add(key, (struct str){p.hash, sizeof p.hash});
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

/* Everything of standard input into one file that can be read again. */
static winnow_status spool(struct run *r, const char *path, struct winnow_error *err)
{
    struct buf temporary = {0}, bytes = {0};
    buf_addf(&temporary, "%s.tmp", path);
    winnow_status st = WINNOW_OK;
    int fd = open(buf_cstr(&temporary), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0) {
        st = error_errno(err, "cannot open", buf_cstr(&temporary));
    }
    uint64_t total = 0;
    while (st == WINNOW_OK) {
        buf_clear(&bytes);
        ssize_t n = read(STDIN_FILENO, buf_reserve(&bytes, (size_t)1 << 20), (size_t)1 << 20);
        if (n < 0 && errno == EINTR) {
            st = env_check(r->env, err);
            continue;
        }
        if (n <= 0) {
            st = n < 0 ? error_errno(err, "cannot read", "standard input") : WINNOW_OK;
            break;
        }
        st = file_write_fd(fd, (struct str){bytes.ptr, (size_t)n}, buf_cstr(&temporary), err);
        total += (uint64_t)n;
        env_progress(r->env, "spool", "bytes", total, 0);
    }
    if (fd >= 0) {
        (void)close(fd);
    }
    st = st == WINNOW_OK ? file_commit(buf_cstr(&temporary), path, err) : st;
    buf_release(&temporary);
    buf_release(&bytes);
    return st;
}

static bool is_pipe(const struct winnow_list *paths)
{
    return paths->count == 1 && strcmp(paths->items[0], "-") == 0;
}

static winnow_status take_pipe(struct run *r, struct winnow_error *err)
{
    bool again = r->request->count > 1;
    for (size_t i = 0; i < r->request->count; i++) {
        again = again || r->request->steps[i].kind->many_passes;
    }
    if (!is_pipe(&r->paths) || !again) {
        return WINNOW_OK;
    }
    struct buf path = {0};
    winnow_status st = spool(r, file_join(&path, r->folder, "stdin.jsonl"), err);
    r->paths = (struct winnow_list){0};
    option_list_add(&r->paths, buf_str(&path), &r->keep);
    buf_release(&path);
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
            if (inside && !strstr(list->items[i].path, "/stdin.jsonl")) {
                st = error_set(err, WINNOW_E_USAGE,
                               "%s lies in the output folder %s; read it into another one",
                               list->items[i].path, r->folder);
            }
        }
    }
    buf_release(&path);
    return st;
}

winnow_status folder_input(struct run *r, struct winnow_error *err)
{
    struct stage *first = &r->stages[0];
    struct json_parser *parser = json_parser_new();
    struct json_value known = {0};
    struct buf path = {0}, text = {0};
    bool found = false;
    winnow_status st = take_pipe(r, err);
    const struct shards_options opt = {
        .paths = r->paths,
        .files_from = r->corpus->files_from,
        .kind = first->kind->reads_files ? SHARDS_PAGES : SHARDS_DOCUMENTS,
    };
    st = st == WINNOW_OK ? shards_find(&opt, &first->input, err) : st;
    st = st == WINNOW_OK ? refuse_own_output(r, &first->input, err) : st;
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
