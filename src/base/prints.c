/* prints.c -- see prints.h.  Hashing goes at the speed of the disk: XXH3 takes some
 * 20 GB a second and thread. */
#include "base/prints.h"

#include "base/env.h"
#include "base/file.h"
#include "base/grow.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/stamp.h"

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define PIECE      ((size_t)1 << 20)
#define TOLD       ((uint64_t)256 << 20) /* less is done before anybody wonders */
#define SETTLED_NS 2000000000U           /* times that old tell a later change */

struct print {
    struct file_stamp file;
    char hash[33];
    bool of_tree;
};

struct prints {
    const struct winnow_env *env;
    struct map index; /* path -> items */
    struct print *items;
    size_t cap;
};

static struct print *print_of(struct prints *p, struct str path)
{
    bool is_new = false;
    uint64_t *at = map_put(&p->index, path, &is_new);
    if (is_new) {
        *at = p->index.count - 1;
        GROW(p->items, *at, p->cap, 64);
        p->items[*at] = (struct print){0};
    }
    return &p->items[*at];
}

struct prints *prints_new(struct json_value known, const struct winnow_env *env)
{
    struct prints *p = mem_zalloc(sizeof *p);
    p->env = env;
    prints_know(p, known);
    return p;
}

void prints_know(struct prints *p, struct json_value known)
{
    struct json_iter it = json_walk(known);
    while (json_next(&it)) {
        struct str path, hash;
        struct print one = {0};
        if (json_as_str(json_get(it.value, "path"), &path) &&
            json_as_str(json_get(it.value, "hash"), &hash) && hash.len == 32 &&
            json_as_u64(json_get(it.value, "bytes"), &one.file.bytes) &&
            json_as_u64(json_get(it.value, "mtime_ns"), &one.file.mtime_ns) &&
            json_as_u64(json_get(it.value, "ctime_ns"), &one.file.ctime_ns) &&
            json_as_u64(json_get(it.value, "inode"), &one.file.inode)) {
            memcpy(one.hash, hash.ptr, 32);
            *print_of(p, path) = one;
        }
    }
}

void prints_free(struct prints *p)
{
    if (p) {
        map_release(&p->index);
        mem_free(p->items);
        mem_free(p);
    }
}

const struct winnow_env *prints_env(const struct prints *p)
{
    return p->env;
}

/* Whether the file is what it was; else what it is now, without its hash. */
static bool is_known(struct print *one, const struct stat *st)
{
    struct print now = {.file = stamp_of(st), .of_tree = one->of_tree};
    if (one->hash[0] && stamp_same(&one->file, &now.file)) {
        return true;
    }
    *one = now;
    return false;
}

struct hashing {
    struct prints *p;
    const char *const *paths;
    struct print *prints; /* copies; those without a hash are to be made */
    _Atomic uint64_t done;
    uint64_t total;
    winnow_status *status;
    struct winnow_error *errors;
};

static winnow_status hash_bytes(struct hashing *h, int fd, const char *path, char out[33],
                                struct winnow_error *err)
{
    char *piece = mem_alloc(PIECE);
    struct hash_stream *s = hash_stream_new();
    winnow_status st = WINNOW_OK;
    ssize_t n = 1;
    while (st == WINNOW_OK && n > 0) {
        n = read(fd, piece, PIECE);
        if (n < 0 && errno != EINTR) {
            st = error_errno(err, "cannot read", path);
        } else if (n > 0) {
            hash_stream_add(s, (struct str){piece, (size_t)n});
            (void)atomic_fetch_add(&h->done, (uint64_t)n);
        } else if (n < 0) {
            n = 1;
        }
        st = st == WINNOW_OK ? env_check(h->p->env, err) : st;
    }
    hash128_hex(hash_stream_value(s), out);
    hash_stream_free(s);
    mem_free(piece);
    return st;
}

static winnow_status try_hash(struct hashing *h, size_t i, struct winnow_error *err)
{
    struct print *one = &h->prints[i];
    const char *path = h->paths[i];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return error_errno(err, "cannot open", path);
    }
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    winnow_status st = hash_bytes(h, fd, path, one->hash, err);
    (void)close(fd);
    uint64_t at = (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
    if (at < one->file.ctime_ns + SETTLED_NS) {
        one->file.ctime_ns = 0; /* no time to be known by */
    }
    return st;
}

/* Without its print a file counts as another one at the next call, which then does all
 * anew: worth a second try, as a network's file systems fail now and then. */
static winnow_status hash_file(struct hashing *h, size_t i, struct winnow_error *err)
{
    winnow_status st = try_hash(h, i, err);
    if (st == WINNOW_E_IO) {
        st = try_hash(h, i, err);
    }
    if (st != WINNOW_OK) {
        h->prints[i].hash[0] = '\0';
    }
    return st;
}

static void hash_piece(void *ctx, size_t piece, uint32_t worker)
{
    struct hashing *h = ctx;
    if (!h->prints[piece].hash[0]) {
        h->status[piece] = hash_file(h, piece, &h->errors[piece]);
        if (worker == 0 && h->total > TOLD) {
            env_progress(h->p->env, "hash input", "bytes", atomic_load(&h->done), h->total);
        }
    }
}

/* What is known of file i; a '-' in place of its hash: there is none to be made. */
static void look_up(struct hashing *h, size_t i)
{
    struct print *mine = &h->prints[i];
    struct stat st;
    mine->hash[0] = '-';
    if (!h->paths[i]) {
        return;
    }
    bool there = stat(h->paths[i], &st) == 0;
    there = there || stat(h->paths[i], &st) == 0; /* likewise */
    if (!there) {
        h->status[i] = error_errno(&h->errors[i], "cannot open", h->paths[i]);
        return;
    }
    if (S_ISREG(st.st_mode)) { /* a pipe is never the same again */
        struct print *one = print_of(h->p, str_of(h->paths[i]));
        h->total += is_known(one, &st) ? 0 : one->file.bytes;
        *mine = *one;
    }
}

winnow_status prints_files(struct prints *p, struct pool *pool, const char *const *paths,
                           size_t count, char (*out)[33], struct winnow_error *failed,
                           struct winnow_error *err)
{
    struct hashing h = {.p = p, .paths = paths, .errors = failed};
    h.prints = mem_zalloc((count + 1) * sizeof *h.prints);
    h.status = mem_zalloc((count + 1) * sizeof *h.status);
    winnow_status st = WINNOW_OK;
    for (size_t i = 0; i < count; i++) {
        failed[i].text[0] = '\0';
        look_up(&h, i);
    }
    if (pool) {
        pool_run(pool, count, hash_piece, &h);
    }
    for (size_t i = 0; i < count && st == WINNOW_OK; i++) {
        if (!pool) {
            hash_piece(&h, i, 0);
        }
        out[i][0] = '\0';
        if (h.status[i] == WINNOW_OK && h.prints[i].hash[0] != '-') {
            *print_of(p, str_of(paths[i])) = h.prints[i];
            memcpy(out[i], h.prints[i].hash, sizeof out[i]);
        } else if (h.status[i] != WINNOW_OK && h.status[i] != WINNOW_E_IO) {
            *err = failed[i]; /* asked to stop */
            st = h.status[i];
        }
    }
    mem_free(h.prints);
    mem_free(h.status);
    return st;
}

/* ---- folders ---- */

static int by_name(const FTSENT **a, const FTSENT **b)
{
    return strcmp((*a)->fts_name, (*b)->fts_name);
}

static bool is_left_out(const FTSENT *e)
{
    return e->fts_level > 0 &&
           (e->fts_name[0] == '.' || str_ends(str_of(e->fts_name), STR_LIT(".tmp")));
}

static winnow_status add_to_tree(struct prints *p, const FTSENT *e, size_t root,
                                 struct hash_stream *all, struct winnow_error *err)
{
    char hash[1][33] = {{0}}; /* all of it counts, of a file that cannot be read too */
    struct winnow_error failed;
    const char *path = e->fts_path;
    TRY(prints_files(p, NULL, &path, 1, hash, &failed, err));
    /* One that cannot be read is told where it is read; it counts as what it is. */
    print_of(p, str_of(path))->of_tree = true;
    const char *name = e->fts_level == 0 ? "" : path + root;
    hash_stream_add(all, (struct str){name, strlen(name) + 1});
    hash_stream_add(all, (struct str){hash[0], sizeof hash[0]});
    return WINNOW_OK;
}

winnow_status prints_tree(struct prints *p, const char *path, char out[33],
                          struct winnow_error *err)
{
    out[0] = '\0';
    if (!file_exists(path)) {
        return WINNOW_OK;
    }
    struct buf name = {0};
    buf_add_text(&name, path);
    (void)buf_cstr(&name);
    char *const roots[] = {name.ptr, NULL};
    FTS *walk = fts_open(roots, FTS_LOGICAL | FTS_NOCHDIR, by_name);
    winnow_status st = walk ? WINNOW_OK : error_errno(err, "cannot open folder", path);
    struct hash_stream *all = hash_stream_new();
    FTSENT *e = NULL;
    while (st == WINNOW_OK && (e = fts_read(walk)) != NULL) {
        if (is_left_out(e)) {
            (void)fts_set(walk, e, FTS_SKIP);
        } else if (e->fts_info == FTS_F || e->fts_info == FTS_DEFAULT) {
            st = add_to_tree(p, e, name.len, all, err);
        } else if (e->fts_info == FTS_DNR) {
            hash_stream_add(all, (struct str){e->fts_path, e->fts_pathlen});
        }
    }
    if (walk) {
        (void)fts_close(walk);
    }
    hash128_hex(hash_stream_value(all), out);
    hash_stream_free(all);
    buf_release(&name);
    return st;
}

/* ---- what is remembered ---- */

void prints_write(const struct prints *p, const char *path, struct json_writer *w)
{
    const uint64_t *at = map_get(&p->index, str_of(path));
    const struct print none = {0};
    const struct print *one = at ? &p->items[*at] : &none;
    json_member_text(w, "path", path);
    json_member_u64(w, "bytes", one->file.bytes);
    json_member_u64(w, "mtime_ns", one->file.mtime_ns);
    json_member_u64(w, "ctime_ns", one->file.ctime_ns);
    json_member_u64(w, "inode", one->file.inode);
    json_member_text(w, "hash", one->hash);
}

void prints_write_trees(const struct prints *p, struct json_writer *w)
{
    json_open(w, '[');
    for (size_t i = 0; i < p->index.count; i++) {
        if (p->items[i].of_tree) {
            struct buf path = {0};
            buf_add_str(&path, p->index.entries[i].key);
            json_open(w, '{');
            prints_write(p, buf_cstr(&path), w);
            json_close(w, '}');
            buf_release(&path);
        }
    }
    json_close(w, ']');
}
