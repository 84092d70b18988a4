/* shards.c -- expands paths into the list of files to read.
 *
 * A file is known by its device and inode, so that links and paths written in two
 * ways do not feed a document twice.  That a file of another name is one already taken
 * enters the account; a path that two patterns give is no news.
 *
 * A glob is matched component by component: the part before the first
 * wildcard is a folder, the walk below it (shard_walk.c) compares what it meets with the
 * pattern (glob.c).
 */
#include "corpus/shards.h"

#include "base/file.h"
#include "base/grow.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/url.h"
#include "corpus/glob_internal.h"
#include "corpus/packing.h"
#include "corpus/run_places.h"
#include "corpus/shard_names_internal.h"
#include "corpus/shard_remote_internal.h"
#include "corpus/shard_walk_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

struct finder {
    const struct shards_options *opt;
    struct shard_list *out;
    size_t cap;
    bool listed;     /* the path at hand stands in a list, not in a recipe */
    struct map seen; /* "device:inode" of files taken -> which of the list it is */
};

static const char *const DOCUMENT_ENDINGS[] = {".jsonl", ".ndjson", ".json", ".parquet", NULL};
static const char *const PAGE_ENDINGS[] = {".html", ".htm",      ".xhtml", ".txt", ".text",
                                           ".md",   ".markdown", ".warc",  ".wet", NULL};

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
    struct str s = packing_cut(str_of(name));
    size_t cut = ending(s, DOCUMENT_ENDINGS);
    return str_sub(s, 0, s.len - (cut ? cut : ending(s, PAGE_ENDINGS)));
}

bool shard_name_is_of_documents(const char *name)
{
    return ending(packing_cut(str_of(file_base(name))), DOCUMENT_ENDINGS) > 0;
}

/* A file in a folder; in a glob. */
static bool kind_wanted(const void *finder, const char *below)
{
    const struct finder *f = finder;
    struct str s = packing_cut(str_of(file_base(below)));
    return ending(s, f->opt->kind == SHARDS_PAGES ? PAGE_ENDINGS : DOCUMENT_ENDINGS) > 0;
}

static bool pattern_wanted(const void *pattern, const char *below)
{
    return glob_match(pattern, below);
}

static bool pattern_leads(const void *pattern, const char *below)
{
    return glob_leads_into(pattern, below);
}

/* Whether the file can be opened; pipes and devices are not tried. */
static bool is_readable(const char *path, const struct stat *st)
{
    if (!S_ISREG(st->st_mode)) {
        return true;
    }
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        (void)close(fd);
    }
    return fd >= 0;
}

/* Whether both paths are one name in one folder, however it is spelled. */
static bool is_same_name(const char *a, const char *b)
{
    const char *paths[2] = {a, b};
    struct stat folders[2];
    if (strcmp(a, b) == 0) {
        return true;
    }
    bool same = strcmp(file_base(a), file_base(b)) == 0;
    for (int i = 0; i < 2 && same; i++) {
        struct buf folder = {0};
        buf_add(&folder, paths[i], (size_t)(file_base(paths[i]) - paths[i]));
        buf_add_char(&folder, '.');
        same = stat(buf_cstr(&folder), &folders[i]) == 0;
        buf_release(&folder);
    }
    return same && folders[0].st_dev == folders[1].st_dev && folders[0].st_ino == folders[1].st_ino;
}

static void skip_same(struct finder *f, const char *path, const char *taken)
{
    f->out->duplicates++;
    if (!is_same_name(path, taken)) {
        struct buf reason = {0};
        buf_addf(&reason, "the same file as %s", taken);
        account_skip(f->out->account, path, buf_cstr(&reason));
        buf_release(&reason);
    }
}

static void add(struct finder *f, const char *path, const char *name, const struct stat *st)
{
    char key[64];
    int n = snprintf(key, sizeof key, "%llx:%llx", (unsigned long long)st->st_dev,
                     (unsigned long long)st->st_ino);
    bool is_new = false;
    uint64_t *which = map_put(&f->seen, (struct str){key, (size_t)n}, &is_new);
    struct shard_list *l = f->out;
    if (!is_new) {
        skip_same(f, path, l->items[*which].path);
        return;
    }
    *which = l->count;
    GROW(l->items, l->count, f->cap, 16);
    bool regular = S_ISREG(st->st_mode) && strcmp(path, "-") != 0;
    uint64_t bytes = regular ? (uint64_t)st->st_size : 0;
    l->items[l->count++] = (struct shard){
        .path = arena_strndup(&l->keep, path, strlen(path)),
        .name = arena_strndup(&l->keep, name, strlen(name)),
        .bytes = bytes,
        .stamp = regular ? stamp_of(st) : (struct file_stamp){0},
        .once = !regular,
    };
    l->bytes += bytes;
}

/* A file that was met, not named: what cannot be read does not end the command. */
static void take_met(struct finder *f, const char *path, const char *rel)
{
    struct stat st;
    if (stat(path, &st) != 0 || !is_readable(path, &st)) {
        account_lose_errno(f->out->account, path, errno);
    } else {
        size_t had = f->out->count;
        add(f, path, rel, &st);
        if (f->out->count > had) {
            f->out->items[had].met = true;
        }
    }
}

static void skip_kind(struct finder *f, const char *path)
{
    struct str name = str_of(file_base(path)), inner = packing_cut(name);
    struct buf reason = {0};
    size_t at = inner.len; /* of the ending below that of the packing, too: .warc.gz */
    while (at > 0 && name.ptr[at - 1] != '.') {
        at--;
    }
    at = at > 0 ? at - 1 : inner.len;
    if (at < name.len) {
        buf_addf(&reason, "%s is not read", name.ptr + at);
    } else {
        buf_add_text(&reason, "no ending that is read");
    }
    account_skip(f->out->account, path, buf_cstr(&reason));
    buf_release(&reason);
}

/* Whether pages are among what is left out. */
static bool has_pages(const struct input_account *a)
{
    for (size_t i = 0; i < a->skipped.held; i++) {
        if (ending(packing_cut(str_of(a->skipped.items[i].name)), PAGE_ENDINGS) > 0) {
            return true;
        }
    }
    return false;
}

static winnow_status refuse_nothing(const struct finder *f, const char *root, const char *pattern,
                                    const uint64_t before[2], struct winnow_error *err)
{
    const struct input_account *a = f->out->account;
    const char *kind =
        f->opt->kind == SHARDS_PAGES ? "HTML, text or WARC file" : "JSON lines or Parquet file";
    struct buf text = {0};
    winnow_status status = WINNOW_E_IO;
    if (pattern) {
        buf_addf(&text, "nothing fits %s under %s", pattern, root);
    } else {
        buf_addf(&text, "no %s in folder %s", kind, root);
    }
    if (a->lost.count > before[0]) {
        status = WINNOW_E_FORMAT;
        buf_add_text(&text, "; ");
        account_say_lost(a, &text);
    } else if (a->skipped.count > before[1]) {
        buf_add_text(&text, "; ");
        account_say_skipped(a, &text);
    }
    if (f->opt->kind == SHARDS_DOCUMENTS && has_pages(a)) {
        buf_add_text(&text, "; `winnow extract` makes documents of pages");
    }
    (void)error_set(err, WINNOW_E_IO, "%s", buf_cstr(&text));
    buf_release(&text);
    return status;
}

/* A file that a pattern matched, by the folder that it lies in: looked at once for each. */
static winnow_status check_matched(const char *path, struct buf *checked, struct winnow_error *err)
{
    struct str folder = {path, (size_t)(file_base(path) - path)};
    if (folder.len > 0 && str_eq(folder, buf_str(checked))) {
        return WINNOW_OK;
    }
    buf_clear(checked);
    buf_add_str(checked, folder);
    return run_place_file(path, true, err);
}

/* Takes from below root what fits pattern (NULL: everything of the kind). */
static winnow_status take_tree(struct finder *f, const char *root, const char *pattern,
                               struct winnow_error *err)
{
    struct walked files = {0};
    struct arena keep;
    struct buf path = {0}, checked = {0};
    const uint64_t before[2] = {f->out->account->lost.count, f->out->account->skipped.count};
    struct walk_options opt = {.wants = kind_wanted, .ctx = f, .all = true};
    if (pattern) {
        opt =
            (struct walk_options){.wants = pattern_wanted, .leads = pattern_leads, .ctx = pattern};
        /* where each level is named, whoever goes into a run means it */
        opt.runs_too = !strstr(pattern, "**");
    }
    opt.underscores = f->opt->kind == SHARDS_PAGES;
    arena_init(&keep, (size_t)1 << 16);
    winnow_status status = walk_files(root, &opt, &files, &keep, f->out->account, err);
    size_t taken = 0;
    for (size_t i = 0; i < files.count && status == WINNOW_OK; i++) {
        const char *below = files.items[i];
        (void)file_join(&path, root, below);
        if (opt.wants(opt.ctx, below)) {
            status = pattern ? check_matched(buf_cstr(&path), &checked, err) : WINNOW_OK;
            if (status != WINNOW_OK) {
                break;
            }
            size_t had = f->out->count + f->out->duplicates;
            take_met(f, buf_cstr(&path), below);
            taken += f->out->count + f->out->duplicates - had;
        } else if (opt.all) {
            skip_kind(f, buf_cstr(&path));
        }
    }
    if (status == WINNOW_OK && taken == 0) {
        status = refuse_nothing(f, root, pattern, before, err);
    }
    mem_free(files.items);
    arena_release(&keep);
    buf_release(&path);
    buf_release(&checked);
    return status;
}

/* Compares what a run gave, the items from first on, with what it says it has. */
static winnow_status check_run(const struct finder *f, const char *run, size_t first,
                               struct winnow_error *err)
{
    struct map names = {0};
    for (size_t i = first; i < f->out->count; i++) {
        bool is_new;
        (void)map_put(&names, str_of(f->out->items[i].name), &is_new);
    }
    winnow_status st = run_place_check(run, &names, err);
    map_release(&names);
    return st;
}

/* A run means its documents. */
static winnow_status take_folder(struct finder *f, const char *path, struct winnow_error *err)
{
    struct buf documents = {0};
    size_t first = f->out->count;
    uint64_t before = f->out->duplicates + f->out->account->lost.count;
    winnow_status st = run_place_documents(path, &documents, err);
    bool run = st == WINNOW_OK && strcmp(buf_cstr(&documents), path) != 0;
    st = st == WINNOW_OK ? take_tree(f, buf_cstr(&documents), NULL, err) : st;
    if (st == WINNOW_OK && run && f->opt->kind == SHARDS_DOCUMENTS &&
        before == f->out->duplicates + f->out->account->lost.count) {
        st = check_run(f, path, first, err);
    }
    buf_release(&documents);
    return st;
}

static winnow_status take_glob(struct finder *f, const char *path, struct winnow_error *err)
{
    size_t fixed = strcspn(path, "*?[");
    while (fixed > 0 && path[fixed - 1] != '/') {
        fixed--;
    }
    struct buf root = {0}, documents = {0};
    buf_add(&root, path, fixed > 1 ? fixed - 1 : fixed);
    if (fixed == 0) {
        buf_add_char(&root, '.');
    }
    winnow_status st = WINNOW_OK;
    if (strstr(path + fixed, "**") && file_is_dir(buf_cstr(&root))) {
        st = run_place_documents(buf_cstr(&root), &documents, err);
        if (st == WINNOW_OK && strcmp(buf_cstr(&documents), buf_cstr(&root)) != 0) {
            st = error_set(err, WINNOW_E_USAGE,
                           "%s would bring back what the run %s removed: name the run to read its "
                           "documents",
                           path, buf_cstr(&root));
        }
    }
    st = st == WINNOW_OK ? take_tree(f, buf_cstr(&root), path + fixed, err) : st;
    buf_release(&root);
    buf_release(&documents);
    return st;
}

/* "https://host/x" where no such file is, and "~/x", which the shell did not expand. */
static winnow_status refuse_missing(const char *path, struct winnow_error *err)
{
    size_t scheme = strspn(path, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+");
    if (scheme > 1 && strncmp(path + scheme, "://", 3) == 0) {
        return error_set(
            err, WINNOW_E_USAGE,
            "%s is an address that is not read here, where s3://BUCKET/KEY, "
            "hf://datasets/OWNER/NAME/PATH and https://HOST/FILE are read as corpora: fetch it "
            "first and name the file",
            path);
    }
    if (path[0] == '~') {
        return error_set(err, WINNOW_E_USAGE,
                         "cannot open %s: a shell makes your home folder of ~ only where it is "
                         "not quoted; write the path whole",
                         path);
    }
    return WINNOW_OK;
}

/* ---- addresses ---- */

#define SIZE_SAID_MAX ((uint64_t)1 << 50) /* of one object, in sums of what servers say */

static void add_remote(struct finder *f, const struct storage_object *o, bool met)
{
    struct buf key = {0};
    bool is_new = false;
    struct shard_list *l = f->out;
    buf_addf(&key, "at %s", o->url);
    uint64_t *which = map_put(&f->seen, buf_str(&key), &is_new);
    buf_release(&key);
    if (!is_new) {
        l->duplicates++;
        return;
    }
    uint64_t bytes = o->bytes < SIZE_SAID_MAX ? o->bytes : SIZE_SAID_MAX;
    struct storage_object *copy = arena_alloc(&l->keep, 1, sizeof *copy);
    *copy = *o;
    *which = l->count;
    GROW(l->items, l->count, f->cap, 16);
    l->items[l->count++] = (struct shard){.path = o->address,
                                          .remote = copy,
                                          .name = shard_remote_name(str_of(o->below), &l->keep),
                                          .bytes = bytes,
                                          .met = met};
    l->bytes += bytes;
}

static winnow_status refuse_secret(const struct finder *f, const char *path,
                                   struct winnow_error *err)
{
    struct url_parts p;
    url_split(str_of(path), &p);
    if (f->listed || !p.has_query || storage_has_globs(path)) {
        return WINNOW_OK;
    }
    struct buf shown = {0};
    url_redact(str_of(path), &shown);
    winnow_status st =
        error_set(err, WINNOW_E_USAGE,
                  "%.300s has something behind '?', which is often a key, and options are written "
                  "down: put the address into a file, and give that with --files-from",
                  buf_cstr(&shown));
    buf_release(&shown);
    return st;
}

/* Finds what fits; *pattern is what the names have to, or NULL. */
static winnow_status find_remote(const struct finder *f, const char *path, const char **pattern,
                                 struct storage_found *found, struct winnow_error *err)
{
    struct shard_list *l = f->out;
    size_t fixed = strcspn(path, "*?[");
    *pattern = NULL;
    if (!l->storage) {
        TRY(storage_open(&l->storage, f->opt->env, err));
    }
    if (!storage_has_globs(path) || path[fixed] == '\0') {
        return storage_find(l->storage, path, &l->keep, found, err);
    }
    size_t root = fixed;
    while (root > 0 && path[root - 1] != '/') {
        root--;
    }
    *pattern = path + root;
    return storage_list(l->storage, path, fixed, &l->keep, found, err);
}

static winnow_status take_found(struct finder *f, const char *path, const char *pattern,
                                struct storage_found *found, struct winnow_error *err)
{
    const uint64_t before[2] = {f->out->account->lost.count, f->out->account->skipped.count};
    struct walk_options walk = {.wants = kind_wanted, .ctx = f, .all = true};
    if (pattern) {
        walk = (struct walk_options){.wants = pattern_wanted, .ctx = pattern};
    }
    walk.underscores = f->opt->kind == SHARDS_PAGES;
    const struct remote_walk how = {.walk = &walk,
                                    .root = path,
                                    .glob = pattern != NULL,
                                    .deep = pattern && strstr(pattern, "**"),
                                    .account = f->out->account};
    TRY(shard_remote_cut(&how, found, err));
    TRY(found->count > 0 ? storage_object_try(&found->items[0], err) : WINNOW_OK);
    for (size_t i = 0; i < found->count; i++) {
        add_remote(f, &found->items[i], true);
    }
    return found->count > 0 ? WINNOW_OK : refuse_nothing(f, path, pattern, before, err);
}

static winnow_status take_remote(struct finder *f, const char *path, struct winnow_error *err)
{
    struct storage_found found = {0};
    const char *pattern = NULL;
    if (f->opt->local) {
        return WINNOW_OK;
    }
    TRY(f->opt->env ? refuse_secret(f, path, err) : refuse_missing(path, err));
    TRY(find_remote(f, path, &pattern, &found, err));
    if (found.folder) {
        return take_found(f, path, pattern, &found, err);
    }
    for (size_t i = 0; i < found.count; i++) {
        add_remote(f, &found.items[i], false);
    }
    return WINNOW_OK;
}

static winnow_status take(struct finder *f, const char *path, struct winnow_error *err)
{
    struct stat st = {0};
    if (storage_is_address(path)) {
        return take_remote(f, path, err);
    }
    if (strcmp(path, "-") == 0) {
        if (fstat(STDIN_FILENO, &st) != 0) {
            st = (struct stat){0}; /* closed: reading it says so */
        }
        add(f, "-", f->opt->kind == SHARDS_PAGES ? "stdin" : "stdin.jsonl", &st);
        return WINNOW_OK;
    }
    if (stat(path, &st) != 0) {
        int code = errno;
        TRY(refuse_missing(path, err));
        errno = code;
        if (errno == ENOENT && path[strcspn(path, "*?[")] != '\0') {
            return take_glob(f, path, err);
        }
        return error_errno(err, "cannot open", path);
    }
    if (S_ISDIR(st.st_mode)) {
        return take_folder(f, path, err);
    }
    if (!is_readable(path, &st)) {
        return error_errno(err, "cannot open", path);
    }
    TRY(S_ISREG(st.st_mode) ? run_place_file(path, false, err) : WINNOW_OK);
    add(f, path, file_base(path), &st);
    return WINNOW_OK;
}

/* The next path of a list, as lines, or as find -print0 writes them where there is a NUL. */
static bool next_path(struct str *rest, bool nul, struct str *path)
{
    if (!nul) {
        bool more = str_next_line(rest, path);
        if (more && path->len > 0 && path->ptr[path->len - 1] == '\r') {
            path->len--;
        }
        return more;
    }
    if (rest->len == 0) {
        return false;
    }
    const char *end = memchr(rest->ptr, '\0', rest->len);
    size_t len = end ? (size_t)(end - rest->ptr) : rest->len;
    *path = str_sub(*rest, 0, len);
    *rest = str_sub(*rest, len + (end ? 1 : 0), rest->len);
    return true;
}

static winnow_status take_list(struct finder *f, const char *path, struct winnow_error *err)
{
    struct buf text = {0}, name = {0};
    winnow_status st =
        file_read(strcmp(path, "-") == 0 ? "/dev/stdin" : path, (size_t)1 << 30, &text, err);
    struct str rest = buf_str(&text), item;
    f->listed = true;
    bool nul = rest.len > 0 && memchr(rest.ptr, '\0', rest.len) != NULL;
    for (size_t number = 1; st == WINNOW_OK && next_path(&rest, nul, &item); number++) {
        bool newline = nul && item.len == 1 && item.ptr[0] == '\n'; /* behind the last NUL */
        if (item.len == 0 || newline) {
            continue;
        }
        buf_clear(&name);
        buf_add_str(&name, item);
        st = take(f, buf_cstr(&name), err);
        if (st != WINNOW_OK) {
            st = error_wrap(err, st, "%s, %s %zu", path, nul ? "path" : "line", number);
        }
    }
    buf_release(&text);
    buf_release(&name);
    return st;
}

winnow_status shards_find(const struct shards_options *opt, struct shard_list *out,
                          struct winnow_error *err)
{
    *out = (struct shard_list){0};
    arena_init(&out->keep, (size_t)1 << 14);
    out->account = mem_zalloc(sizeof *out->account);
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
    if (st == WINNOW_OK && out->count == 0 && !opt->local) {
        st = error_set(err, WINNOW_E_IO, "%s names no file", opt->files_from);
    }
    st = st == WINNOW_OK ? shard_names_settle(out, opt->kind == SHARDS_DOCUMENTS, opt->ending, err)
                         : st;
    for (size_t i = 0; i < out->count && st == WINNOW_OK; i++) {
        account_input(out->account, out->items[i].label);
    }
    map_release(&f.seen);
    return st;
}

bool shard_list_once(const struct shard_list *list)
{
    bool once = false;
    for (size_t i = 0; i < list->count && !once; i++) {
        once = list->items[i].once;
    }
    return once;
}

void shard_list_lose(struct shard_list *list, size_t i, struct str reason)
{
    account_lose(list->account, list->items[i].path, reason, true);
    list->bytes -= list->items[i].bytes;
    list->count--;
    memmove(&list->items[i], &list->items[i + 1], (list->count - i) * sizeof *list->items);
}

void shard_list_release(struct shard_list *list)
{
    if (list->account) {
        account_release(list->account);
        mem_free(list->account);
    }
    mem_free(list->items);
    storage_close(list->storage);
    arena_release(&list->keep);
    *list = (struct shard_list){0};
}
