/* shards.c -- expands paths into the list of files to read.
 *
 * Folders are walked with an explicit list of folders still to visit, not by
 * recursion; a file is known by its device and inode, so that links and paths
 * written in two ways do not feed a document twice.
 *
 * A glob is matched component by component: the part before the first
 * wildcard is a folder, the walk below it compares what it meets with the
 * pattern (glob.c).
 */
#include "corpus/shards.h"

#include "base/file.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/sort.h"
#include "corpus/glob_internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/stat.h>

struct finder {
    const struct shards_options *opt;
    struct shard_list *out;
    size_t cap;
    struct map seen; /* "device:inode" of files taken */
    struct map names;
};

static const char *const DOCUMENT_ENDINGS[] = {".jsonl", ".ndjson", ".json", NULL};
static const char *const PAGE_ENDINGS[] = {".html", ".htm",      ".xhtml", ".txt", ".text",
                                           ".md",   ".markdown", ".warc",  ".wet", NULL};

static struct str without_packing(struct str name)
{
    if (str_ends(name, STR_LIT(".gz"))) {
        return str_sub(name, 0, name.len - 3);
    }
    if (str_ends(name, STR_LIT(".zst"))) {
        return str_sub(name, 0, name.len - 4);
    }
    return name;
}

/* Length of the ending of that kind, 0 where it has none. */
static size_t ending(struct str name, const char *const *endings)
{
    for (size_t i = 0; endings[i]; i++) {
        struct str e = str_of(endings[i]);
        if (name.len >= e.len && strncasecmp(name.ptr + name.len - e.len, e.ptr, e.len) == 0) {
            return e.len;
        }
    }
    return 0;
}

struct str shard_stem(const char *name)
{
    struct str s = without_packing(str_of(name));
    size_t cut = ending(s, DOCUMENT_ENDINGS);
    return str_sub(s, 0, s.len - (cut ? cut : ending(s, PAGE_ENDINGS)));
}

static bool is_wanted(const struct finder *f, const char *base)
{
    struct str s = without_packing(str_of(base));
    return ending(s, f->opt->kind == SHARDS_PAGES ? PAGE_ENDINGS : DOCUMENT_ENDINGS) > 0;
}

static bool is_skipped(const char *base)
{
    return base[0] == '.' || base[0] == '_' || str_ends(str_of(base), STR_LIT(".tmp"));
}

static void add(struct finder *f, const char *path, const char *name, const struct stat *st)
{
    char key[64];
    int n = snprintf(key, sizeof key, "%llx:%llx", (unsigned long long)st->st_dev,
                     (unsigned long long)st->st_ino);
    bool is_new = false;
    (void)map_put(&f->seen, (struct str){key, (size_t)n}, &is_new);
    struct shard_list *l = f->out;
    if (!is_new) {
        l->duplicates++;
        return;
    }
    if (l->count == f->cap) {
        size_t cap = f->cap ? 2 * f->cap : 16;
        l->items = mem_realloc(l->items, f->cap * sizeof *l->items, cap * sizeof *l->items);
        f->cap = cap;
    }
    uint64_t bytes = S_ISREG(st->st_mode) ? (uint64_t)st->st_size : 0;
    l->items[l->count++] = (struct shard){
        arena_strndup(&l->keep, path, strlen(path)),
        arena_strndup(&l->keep, name, strlen(name)),
        bytes,
    };
    l->bytes += bytes;
}

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

struct texts {
    const char **items;
    size_t count, cap;
};

static void texts_add(struct texts *t, const char *text)
{
    if (t->count == t->cap) {
        size_t cap = t->cap ? 2 * t->cap : 64;
        t->items = mem_realloc(t->items, t->cap * sizeof *t->items, cap * sizeof *t->items);
        t->cap = cap;
    }
    t->items[t->count++] = text;
}

/* What a walk has found and has still to look at. */
struct tree {
    struct texts folders, files; /* relative to the root: "a/b.html" */
    struct arena *keep;
    struct buf path;
};

static void meet(struct tree *t, DIR *dir, const char *folder, const char *name)
{
    struct stat st;
    if (is_skipped(name) || fstatat(dirfd(dir), name, &st, AT_SYMLINK_NOFOLLOW) != 0) {
        return; /* or gone since */
    }
    if (S_ISLNK(st.st_mode) && (fstatat(dirfd(dir), name, &st, 0) != 0 || S_ISDIR(st.st_mode))) {
        return; /* dangling, or a way round in a circle */
    }
    const char *below = folder[0] ? file_join(&t->path, folder, name) : name;
    if (S_ISDIR(st.st_mode)) {
        texts_add(&t->folders, arena_strndup(t->keep, below, strlen(below)));
    } else if (S_ISREG(st.st_mode)) {
        texts_add(&t->files, arena_strndup(t->keep, below, strlen(below)));
    }
}

/* All files under root, hidden ones left out, in byte order. */
static winnow_status walk(const char *root, struct texts *files, struct arena *keep,
                          struct winnow_error *err)
{
    struct tree t = {.keep = keep};
    struct buf path = {0};
    winnow_status status = WINNOW_OK;
    texts_add(&t.folders, "");
    while (t.folders.count > 0 && status == WINNOW_OK) {
        const char *folder = t.folders.items[--t.folders.count];
        const char *name = folder[0] ? file_join(&path, root, folder) : root;
        DIR *dir = opendir(name);
        if (!dir) {
            status = error_errno(err, "cannot open folder", name);
            break;
        }
        /* NOLINTNEXTLINE(concurrency-mt-unsafe): the stream is this function's own */
        for (struct dirent *e = readdir(dir); e; e = readdir(dir)) { /* NOLINT */
            meet(&t, dir, folder, e->d_name);
        }
        (void)closedir(dir);
    }
    *files = t.files;
    mem_free(t.folders.items);
    buf_release(&path);
    buf_release(&t.path);
    if (files->count > 0) {
        sort(files->items, files->count, sizeof *files->items, compare_texts);
    }
    return status;
}

/* Takes from below root what fits pattern (NULL: everything of the kind). */
static winnow_status take_tree(struct finder *f, const char *root, const char *pattern,
                               struct winnow_error *err)
{
    struct texts files = {0};
    struct arena keep;
    struct buf path = {0};
    arena_init(&keep, (size_t)1 << 16);
    winnow_status status = walk(root, &files, &keep, err);
    size_t taken = 0;
    for (size_t i = 0; i < files.count && status == WINNOW_OK; i++) {
        const char *rel = files.items[i];
        bool fits = pattern ? glob_match(pattern, rel) : is_wanted(f, file_base(rel));
        struct stat st;
        if (!fits || stat(file_join(&path, root, rel), &st) != 0) {
            continue;
        }
        add(f, buf_cstr(&path), rel, &st);
        taken++;
    }
    if (status == WINNOW_OK && taken == 0) {
        const char *kind =
            f->opt->kind == SHARDS_PAGES ? "HTML, text or WARC file" : "JSON lines file";
        status = pattern ? error_set(err, WINNOW_E_IO, "nothing fits %s under %s", pattern, root)
                         : error_set(err, WINNOW_E_IO, "no %s in folder %s", kind, root);
    }
    mem_free(files.items);
    arena_release(&keep);
    buf_release(&path);
    return status;
}

static winnow_status take_glob(struct finder *f, const char *path, struct winnow_error *err)
{
    size_t fixed = strcspn(path, "*?[");
    while (fixed > 0 && path[fixed - 1] != '/') {
        fixed--;
    }
    struct buf root = {0};
    buf_add(&root, path, fixed > 1 ? fixed - 1 : fixed);
    if (fixed == 0) {
        buf_add_char(&root, '.');
    }
    winnow_status st = take_tree(f, buf_cstr(&root), path + fixed, err);
    buf_release(&root);
    return st;
}

static winnow_status take(struct finder *f, const char *path, struct winnow_error *err)
{
    struct stat st = {0};
    if (strcmp(path, "-") == 0) {
        add(f, "-", f->opt->kind == SHARDS_PAGES ? "stdin" : "stdin.jsonl", &st);
        return WINNOW_OK;
    }
    if (stat(path, &st) != 0) {
        if (errno == ENOENT && path[strcspn(path, "*?[")] != '\0') {
            return take_glob(f, path, err);
        }
        return error_errno(err, "cannot open", path);
    }
    if (S_ISDIR(st.st_mode)) {
        return take_tree(f, path, NULL, err);
    }
    add(f, path, file_base(path), &st);
    return WINNOW_OK;
}

static winnow_status take_list(struct finder *f, const char *path, struct winnow_error *err)
{
    struct buf text = {0}, line_text = {0};
    winnow_status st =
        file_read(strcmp(path, "-") == 0 ? "/dev/stdin" : path, (size_t)1 << 30, &text, err);
    struct str rest = buf_str(&text), line;
    size_t number = 0;
    while (st == WINNOW_OK && str_next_line(&rest, &line)) {
        number++;
        if (line.len > 0 && line.ptr[line.len - 1] == '\r') {
            line.len--;
        }
        if (line.len == 0) {
            continue;
        }
        buf_clear(&line_text);
        buf_add_str(&line_text, line);
        st = take(f, buf_cstr(&line_text), err);
        if (st != WINNOW_OK) {
            st = error_wrap(err, st, "%s, line %zu", path, number);
        }
    }
    buf_release(&text);
    buf_release(&line_text);
    return st;
}

static bool names_differ(struct finder *f)
{
    bool is_new = true;
    for (size_t i = 0; i < f->out->count && is_new; i++) {
        (void)map_put(&f->names, str_of(f->out->items[i].name), &is_new);
    }
    return is_new;
}

/* Names relative to the deepest folder that holds all files. */
static winnow_status rename_all(struct finder *f, struct winnow_error *err)
{
    struct shard_list *l = f->out;
    size_t common = SIZE_MAX;
    const char *first = NULL;
    for (size_t i = 0; i < l->count; i++) {
        struct shard *s = &l->items[i];
        if (strcmp(s->path, "-") == 0) {
            continue;
        }
        /* The folder is resolved, the last component kept: two links in one
         * folder must not become one name. */
        const char *base = file_base(s->path);
        struct buf dir = {0};
        buf_add(&dir, s->path, (size_t)(base - s->path));
        char *real = realpath(dir.len > 0 ? buf_cstr(&dir) : ".", NULL);
        if (!real) {
            buf_release(&dir);
            return error_errno(err, "cannot resolve", s->path);
        }
        const char *full = file_join(&dir, real, base);
        s->name = arena_strndup(&l->keep, full, strlen(full));
        free(real); /* realpath(3) allocates by malloc */
        buf_release(&dir);
        size_t same = (size_t)(file_base(s->name) - s->name);
        for (size_t k = 0; first && k < same; k++) {
            if (k >= common || s->name[k] != first[k]) {
                same = k;
            }
        }
        common = same < common ? same : common;
        first = first ? first : s->name;
    }
    for (size_t i = 0; i < l->count; i++) {
        struct shard *s = &l->items[i];
        if (s->path[0] == '-' && s->path[1] == '\0') {
            continue;
        }
        size_t cut = common;
        while (cut > 0 && s->name[cut - 1] != '/') {
            cut--;
        }
        s->name += cut;
    }
    return WINNOW_OK;
}

winnow_status shards_find(const struct shards_options *opt, struct shard_list *out,
                          struct winnow_error *err)
{
    *out = (struct shard_list){0};
    arena_init(&out->keep, (size_t)1 << 14);
    struct finder f = {.opt = opt, .out = out};
    winnow_status st = WINNOW_OK;
    if (opt->paths.count == 0 && !opt->files_from) {
        st = error_set(err, WINNOW_E_USAGE,
                       "no corpus given: name files, folders, or - for standard input");
    }
    for (size_t i = 0; i < opt->paths.count && st == WINNOW_OK; i++) {
        st = take(&f, opt->paths.items[i], err);
    }
    if (st == WINNOW_OK && opt->files_from) {
        st = take_list(&f, opt->files_from, err);
    }
    if (st == WINNOW_OK && out->count == 0) {
        st = error_set(err, WINNOW_E_IO, "%s names no file", opt->files_from);
    }
    if (st == WINNOW_OK && !names_differ(&f)) {
        st = rename_all(&f, err);
    }
    map_release(&f.seen);
    map_release(&f.names);
    return st;
}

void shard_list_release(struct shard_list *list)
{
    mem_free(list->items);
    arena_release(&list->keep);
    *list = (struct shard_list){0};
}
