/* shard_walk.c -- walks a folder to its bottom with an explicit list of folders
 * still to visit, not by recursion.
 *
 * Nothing vanishes here: whatever may be a file that was meant, and is not
 * given, is entered into the account with a reason. */
#include "base/file.h"
#include "base/grow.h"
#include "base/mem.h"
#include "base/sort.h"
#include "corpus/run_places.h"
#include "corpus/shard_walk_internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

void walked_add(struct walked *t, const char *text)
{
    GROW(t->items, t->count, t->cap, 64);
    t->items[t->count++] = text;
}

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* What a walk has found and has still to look at. */
struct tree {
    const struct walk_options *opt;
    const char *root;
    struct input_account *account;
    struct walked folders, files; /* relative to the root */
    struct arena *keep;
    struct buf path, shown;
};

/* The path of what is met, as the user would write it. */
static const char *shown(struct tree *t, const char *below)
{
    return file_join(&t->shown, t->root, below);
}

static void lose(struct tree *t, const char *below, int code)
{
    account_lose_errno(t->account, shown(t, below), code);
}

/* Whether what lies in the folder below would still be looked at. */
static bool goes_into(const struct tree *t, const char *below)
{
    return !t->opt->leads || t->opt->leads(t->opt->ctx, below);
}

/* By convention not part of a corpus; but one that looks as if is told. */
static bool is_set_apart(struct tree *t, const char *below, bool folder)
{
    const char *name = file_base(below);
    struct str s = str_of(below);
    bool tmp = str_ends(s, STR_LIT(".tmp")), hidden = name[0] == '.';
    bool apart = name[0] == '_' && (folder || !t->opt->underscores);
    if (!hidden && !apart && !tmp) {
        return false;
    }
    struct buf cut = {0};
    buf_add(&cut, below, (size_t)(name - below));
    s = str_of(hidden ? name + 1 : name); /* a pattern's "*" fits no dot in front */
    buf_add_str(&cut, tmp ? str_sub(s, 0, s.len - 4) : s);
    if ((folder && goes_into(t, below)) || t->opt->wants(t->opt->ctx, buf_cstr(&cut))) {
        account_skip(t->account, shown(t, below),
                     hidden ? "a name that begins with a dot"
                     : tmp  ? "a name that ends in .tmp"
                            : "a name that begins with _");
    }
    buf_release(&cut);
    return true;
}

/* What cannot even be looked at; known by its entry only. */
static void meet_unknown(struct tree *t, const char *below, bool wanted, unsigned char type,
                         int code)
{
    bool folder = (type == DT_DIR || type == DT_UNKNOWN) && goes_into(t, below);
    if (wanted || folder) {
        lose(t, below, code);
    } else if (t->opt->all) {
        account_skip(t->account, shown(t, below), "it cannot be looked at");
    }
}

static void meet_link(struct tree *t, const char *below, bool wanted, const struct stat *target,
                      int code)
{
    if (!target) {
        if (wanted) {
            lose(t, below, code);
        } else if (t->opt->all) {
            account_skip(t->account, shown(t, below), "a link that leads nowhere");
        }
    } else if (S_ISDIR(target->st_mode) && goes_into(t, below)) { /* maybe round in a circle */
        account_skip(t->account, shown(t, below), "a link to a folder");
    }
}

/* entry: the type that readdir(3) gave, and the name. */
static void meet(struct tree *t, DIR *dir, const char *folder, const char *entry)
{
    unsigned char type = (unsigned char)entry[0];
    const char *name = entry + 1;
    struct stat st;
    const char *below = folder[0] ? file_join(&t->path, folder, name) : name;
    if (is_set_apart(t, below, type == DT_DIR)) {
        return;
    }
    bool wanted = t->opt->wants(t->opt->ctx, below);
    if (fstatat(dirfd(dir), name, &st, AT_SYMLINK_NOFOLLOW) != 0) {
        meet_unknown(t, below, wanted, type, errno);
        return;
    }
    if (S_ISLNK(st.st_mode)) {
        bool leads = fstatat(dirfd(dir), name, &st, 0) == 0;
        if (!leads || S_ISDIR(st.st_mode)) {
            meet_link(t, below, wanted, leads ? &st : NULL, errno);
            return;
        }
    }
    if (S_ISDIR(st.st_mode)) {
        if (goes_into(t, below)) {
            walked_add(&t->folders, arena_strndup(t->keep, below, strlen(below)));
        }
    } else if (S_ISREG(st.st_mode)) {
        walked_add(&t->files, arena_strndup(t->keep, below, strlen(below)));
    } else if (wanted || t->opt->all) {
        account_skip(t->account, shown(t, below), "no regular file");
    }
}

static int compare_entries(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a + 1, *(const char *const *)b + 1);
}

/* In byte order, so that the account is the same however the folder lies on the disk. */
static void list(struct tree *t, DIR *dir, const char *folder)
{
    struct walked entries = {0};
    struct arena keep;
    arena_init(&keep, (size_t)1 << 14);
    for (;;) {
        errno = 0;
        /* NOLINTNEXTLINE(concurrency-mt-unsafe): the stream is this function's own */
        const struct dirent *e = readdir(dir);
        if (!e) {
            break;
        }
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0) {
            char *entry = arena_alloc(&keep, strlen(e->d_name) + 2, 1);
            entry[0] = (char)e->d_type;
            memcpy(entry + 1, e->d_name, strlen(e->d_name) + 1);
            walked_add(&entries, entry);
        }
    }
    int code = errno;
    sort(entries.items, entries.count, sizeof *entries.items, compare_entries);
    for (size_t i = 0; i < entries.count; i++) {
        meet(t, dir, folder, entries.items[i]);
    }
    if (code != 0) {
        lose(t, folder, code);
    }
    mem_free(entries.items);
    arena_release(&keep);
}

static winnow_status visit(struct tree *t, const char *folder, struct winnow_error *err)
{
    struct buf path = {0};
    const char *name = folder[0] ? file_join(&path, t->root, folder) : t->root;
    winnow_status st = WINNOW_OK;
    DIR *dir = NULL;
    if (folder[0] && !t->opt->runs_too && run_place_is_run(name)) {
        st = error_set(err, WINNOW_E_USAGE,
                       "%s is a run folder within %s: what it removed would come back; name the "
                       "run to read its documents, or keep runs apart from the corpus",
                       name, t->root);
    } else {
        dir = opendir(name);
        if (!dir && !folder[0]) {
            st = error_errno(err, "cannot open folder", name);
        } else if (!dir) {
            lose(t, folder, errno);
        }
    }
    if (dir) {
        list(t, dir, folder);
        (void)closedir(dir);
    }
    buf_release(&path);
    return st;
}

winnow_status walk_files(const char *root, const struct walk_options *opt, struct walked *files,
                         struct arena *keep, struct input_account *account,
                         struct winnow_error *err)
{
    struct tree t = {.opt = opt, .root = root, .account = account, .keep = keep};
    winnow_status st = WINNOW_OK;
    walked_add(&t.folders, "");
    while (t.folders.count > 0 && st == WINNOW_OK) {
        st = visit(&t, t.folders.items[--t.folders.count], err);
    }
    *files = t.files;
    mem_free(t.folders.items);
    buf_release(&t.path);
    buf_release(&t.shown);
    if (files->count > 0) {
        sort(files->items, files->count, sizeof *files->items, compare_texts);
    }
    return st;
}
