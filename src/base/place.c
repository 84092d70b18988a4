/* place.c -- see place.h.
 *
 * Of each thing read we keep itself and the chain of folders above it, up to the
 * root.  A folder to be filled holds it where one of the chain lies in that folder's
 * tree: for plain paths that is the folder itself; where a part of its tree is
 * mounted elsewhere, it is that part.  Cost: a stat for each folder above an input
 * and one for each file in the output folder, which is walked only where it exists. */
#include "base/place.h"

#include "base/buf.h"
#include "base/file.h"
#include "base/grow.h"
#include "base/map.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct thing {
    const char *path;
    bool folder;
};

struct places {
    struct thing *things;
    size_t count, cap;
    struct map above;  /* "device:inode" of folders above and of folders read: things' index */
    struct map read;   /* of files and folders that are read themselves */
    struct map parent; /* texts of folders that have been climbed */
    struct arena keep; /* paths */
};

struct places *places_new(void)
{
    struct places *p = mem_zalloc(sizeof *p);
    arena_init(&p->keep, 4096);
    return p;
}

void places_free(struct places *p)
{
    if (p) {
        map_release(&p->above);
        map_release(&p->read);
        map_release(&p->parent);
        mem_free(p->things);
        arena_release(&p->keep);
        mem_free(p);
    }
}

struct identity {
    char text[40];
};

static struct identity identify(const struct stat *st)
{
    struct identity id;
    (void)snprintf(id.text, sizeof id.text, "%llx:%llx", (unsigned long long)st->st_dev,
                   (unsigned long long)st->st_ino);
    return id;
}

/* The folder that path lies in, or path itself where it is one; of what does not
 * exist yet the nearest folder above that does. */
static void nearest_folder(const char *path, struct buf *out)
{
    char *real = realpath(path, NULL);
    buf_clear(out);
    buf_add_text(out, real ? real : path);
    free(real); /* realpath(3) allocates by malloc */
    while (out->len > 0 && !file_is_dir(buf_cstr(out))) {
        while (out->len > 1 && out->ptr[out->len - 1] == '/') {
            out->len--;
        }
        size_t base = (size_t)(file_base(buf_cstr(out)) - out->ptr);
        out->len = base > 1 && base < out->len ? base - 1 : base;
        if (base == 0) {
            out->len = 0;
        }
    }
    if (out->len == 0) {
        buf_add_char(out, '.');
    }
}

/* each() for the folder and all above it, until it says that it is enough. */
static winnow_status climb(const char *folder, bool (*each)(void *ctx, const struct stat *st),
                           void *ctx, struct winnow_error *err)
{
    struct stat st, last = {0};
    int fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        return error_errno(err, "cannot open folder", folder);
    }
    bool first = true, enough = false;
    while (!enough && fstat(fd, &st) == 0 &&
           (first || st.st_dev != last.st_dev || st.st_ino != last.st_ino)) {
        enough = each(ctx, &st);
        first = false;
        last = st;
        int above = openat(fd, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (above < 0) {
            break; /* no right to look further up */
        }
        (void)close(fd);
        fd = above;
    }
    (void)close(fd);
    return WINNOW_OK;
}

struct adding {
    struct places *p;
    uint64_t thing;
};

static bool add_above(void *ctx, const struct stat *st)
{
    struct adding *a = ctx;
    struct identity id = identify(st);
    bool is_new = false;
    uint64_t *thing = map_put(&a->p->above, str_of(id.text), &is_new);
    *thing = is_new ? a->thing : *thing;
    return !is_new; /* what lies above was added with it */
}

/* shown: what sentences call it. */
static winnow_status add(struct places *p, const char *path, const char *shown,
                         struct winnow_error *err)
{
    struct stat st;
    if (stat(path, &st) != 0) {
        return WINNOW_OK;
    }
    GROW(p->things, p->count, p->cap, 16);
    struct adding a = {p, p->count};
    struct identity id = identify(&st);
    bool is_new = false;
    p->things[p->count++] =
        (struct thing){arena_strndup(&p->keep, shown, strlen(shown)), S_ISDIR(st.st_mode)};
    uint64_t *thing = map_put(&p->read, str_of(id.text), &is_new);
    *thing = is_new ? a.thing : *thing;
    /* A folder with thousands of shards is climbed once. */
    struct buf folder = {0};
    winnow_status status = WINNOW_OK;
    nearest_folder(path, &folder);
    (void)map_put(&p->parent, buf_str(&folder), &is_new);
    if (is_new) {
        status = climb(buf_cstr(&folder), add_above, &a, err);
    }
    buf_release(&folder);
    return status;
}

winnow_status places_add(struct places *p, const char *path, struct winnow_error *err)
{
    return add(p, path, path, err);
}

winnow_status places_add_stdin(struct places *p, struct winnow_error *err)
{
    struct stat st;
    bool file = fstat(STDIN_FILENO, &st) == 0 && S_ISREG(st.st_mode);
    return file ? add(p, "/proc/self/fd/0", "standard input", err) : WINNOW_OK;
}

winnow_status places_add_tree(struct places *p, const char *path, struct winnow_error *err)
{
    struct buf name = {0};
    buf_add_text(&name, path);
    (void)buf_cstr(&name);
    char *const roots[] = {name.ptr, NULL};
    FTS *walk = fts_open(roots, FTS_PHYSICAL | FTS_COMFOLLOW | FTS_NOCHDIR, NULL);
    winnow_status st = walk ? WINNOW_OK : error_errno(err, "cannot open folder", path);
    const FTSENT *e = NULL;
    while (st == WINNOW_OK && (e = fts_read(walk)) != NULL) {
        if (e->fts_info == FTS_D) {
            st = add(p, e->fts_path, e->fts_path, err);
        }
    }
    if (walk) {
        (void)fts_close(walk);
    }
    buf_release(&name);
    return st;
}

/* ---- something that is read in the folder to be filled ---- */

/* What is read, where e is it or holds it.  A file with several names is the input
 * itself only where all of them lie in the folder: else what is removed is a name, and
 * the input keeps its own. */
static const uint64_t *find_in(const struct places *p, const FTSENT *e, struct map *names)
{
    struct identity id = identify(e->fts_statp);
    if (e->fts_info == FTS_D) {
        return map_get(&p->above, str_of(id.text));
    }
    if (!S_ISREG(e->fts_statp->st_mode) || !map_get(&p->read, str_of(id.text))) {
        return NULL;
    }
    uint64_t *met = map_put(names, str_of(id.text), NULL);
    return ++*met == e->fts_statp->st_nlink ? map_get(&p->read, str_of(id.text)) : NULL;
}

static winnow_status refuse_within(const struct places *p, const char *folder,
                                   struct winnow_error *err)
{
    struct buf name = {0};
    struct map names = {0}; /* of files that are read: how many of theirs were met */
    buf_add_text(&name, folder);
    (void)buf_cstr(&name);
    char *const roots[] = {name.ptr, NULL};
    FTS *walk = fts_open(roots, FTS_PHYSICAL | FTS_COMFOLLOW | FTS_NOCHDIR, NULL);
    winnow_status st = walk ? WINNOW_OK : error_errno(err, "cannot open folder", folder);
    const FTSENT *e = NULL;
    while (st == WINNOW_OK && (e = fts_read(walk)) != NULL) {
        bool has_stat = e->fts_info == FTS_D || e->fts_info == FTS_F;
        const uint64_t *thing = has_stat ? find_in(p, e, &names) : NULL;
        if (thing) {
            st = error_set(err, WINNOW_E_USAGE,
                           "%s, which is read, lies in the output folder %s; name another one "
                           "with -o",
                           p->things[*thing].path, folder);
        }
    }
    if (walk) {
        (void)fts_close(walk);
    }
    map_release(&names);
    buf_release(&name);
    return st;
}

/* ---- the output in a folder that is read ---- */

struct looking {
    const struct places *p;
    const struct thing *found;
};

static bool look_above(void *ctx, const struct stat *st)
{
    struct looking *l = ctx;
    struct identity id = identify(st);
    const uint64_t *thing = map_get(&l->p->read, str_of(id.text));
    if (thing && l->p->things[*thing].folder) {
        l->found = &l->p->things[*thing];
    }
    return l->found != NULL;
}

static winnow_status refuse_around(const struct places *p, const char *output,
                                   struct winnow_error *err)
{
    struct looking l = {p, NULL};
    struct buf folder = {0};
    nearest_folder(output, &folder);
    winnow_status st = climb(buf_cstr(&folder), look_above, &l, err);
    if (st == WINNOW_OK && l.found) {
        st = error_set(err, WINNOW_E_USAGE,
                       "the output %s lies in %s, which is read: the next call would read it, "
                       "too; name a place outside with -o",
                       output, l.found->path);
    }
    buf_release(&folder);
    return st;
}

winnow_status places_refuse_folder(const struct places *p, const char *folder,
                                   struct winnow_error *err)
{
    if (file_is_dir(folder)) {
        TRY(refuse_within(p, folder, err));
    }
    return refuse_around(p, folder, err);
}

static winnow_status refuse_same(const struct places *p, const struct stat *st, const char *output,
                                 struct winnow_error *err)
{
    struct identity id = identify(st);
    const uint64_t *thing = S_ISREG(st->st_mode) ? map_get(&p->read, str_of(id.text)) : NULL;
    if (!thing) {
        return WINNOW_OK;
    }
    return error_set(err, WINNOW_E_USAGE,
                     "%s is read and would be written over by the output %s; name another file",
                     p->things[*thing].path, output);
}

winnow_status places_refuse_file(const struct places *p, const char *file, bool in_folder,
                                 struct winnow_error *err)
{
    struct stat st;
    if (stat(file, &st) == 0) {
        TRY(refuse_same(p, &st, file, err));
    }
    return in_folder ? refuse_around(p, file, err) : WINNOW_OK;
}

winnow_status places_refuse_open(const struct places *p, int fd, struct winnow_error *err)
{
    struct stat st;
    return fstat(fd, &st) == 0 ? refuse_same(p, &st, "on standard output", err) : WINNOW_OK;
}
