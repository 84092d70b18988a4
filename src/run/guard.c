/* guard.c -- see guard.h. */
#include "run/guard.h"

#include "base/claim.h"
#include "base/file.h"
#include "base/json.h"
#include "run/run_internal.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define START_BYTES     ((size_t)1 << 16) /* of a file, to see what it is */
#define LINES_LOOKED_AT 20                /* of them, those that are not empty */

/* A folder's own path says that nothing may be written into it; its shards, where
 * links in it lead. */
static winnow_status add_folders(struct places *p, struct winnow_list paths,
                                 struct winnow_error *err)
{
    for (size_t i = 0; i < paths.count; i++) {
        const char *path = paths.items[i], *deep = strstr(path, "**");
        if (storage_is_address(path)) {
            continue; /* nothing is written there */
        }
        if (strcmp(path, "-") == 0) {
            TRY(places_add_stdin(p, err));
        } else if (file_is_dir(path)) {
            TRY(places_add_tree(p, path, err));
        } else if (deep) { /* a glob over all that lies below */
            struct buf root = {0};
            buf_add(&root, path, strcspn(path, "*?["));
            while (root.len > 0 && root.ptr[root.len - 1] != '/') {
                root.len--;
            }
            buf_add_text(&root, ".");
            winnow_status st = places_add_tree(p, buf_cstr(&root), err);
            buf_release(&root);
            TRY(st);
        }
    }
    return WINNOW_OK;
}

winnow_status guard_corpora(struct places *p, const struct guarded *what, struct winnow_error *err)
{
    struct shard_list found = {0};
    struct winnow_error ignored; /* what cannot be read is told where it is read */
    const struct shards_options find = {
        .paths = what->paths, .files_from = what->files_from, .kind = what->kind, .local = true};
    bool list_is_piped = what->files_from && strcmp(what->files_from, "-") == 0;
    bool look = !what->shards && !list_is_piped && (what->paths.count > 0 || what->files_from);
    const struct shard_list *shards = what->shards;
    winnow_status st = add_folders(p, what->paths, err);
    if (st == WINNOW_OK && what->files_from) {
        st = places_add(p, what->files_from, err);
    }
    if (st == WINNOW_OK && look && shards_find(&find, &found, &ignored) == WINNOW_OK) {
        shards = &found;
    }
    for (size_t i = 0; st == WINNOW_OK && shards && i < shards->count; i++) {
        st = shards->items[i].remote ? WINNOW_OK : places_add(p, shards->items[i].path, err);
    }
    shard_list_release(&found);
    return st;
}

static winnow_status add_option(void *ctx, const struct option *o, const char *path,
                                struct winnow_error *err)
{
    (void)o;
    const struct guarded corpus = {.paths = {&path, 1}};
    return file_is_dir(path) ? guard_corpora(ctx, &corpus, err) : places_add(ctx, path, err);
}

winnow_status guard_options(struct places *p, const struct option_table *table, const void *options,
                            struct winnow_error *err)
{
    return option_each_path(table, options, add_option, p, err);
}

winnow_status guard_recorded(const char *run, const char *output, struct winnow_error *err)
{
    struct json_parser *parser = json_parser_new();
    struct json_value root = {0};
    struct places *p = places_new();
    struct buf path = {0};
    bool found = false;
    winnow_status st =
        run_read_json(file_join(&path, run, "input.json"), parser, &root, &found, err);
    struct json_iter it = json_walk(json_get(root, "files"));
    while (st == WINNOW_OK && json_next(&it)) {
        struct str file;
        if (json_as_str(json_get(it.value, "path"), &file)) {
            buf_clear(&path);
            buf_add_str(&path, file);
            st = places_add(p, buf_cstr(&path), err);
        }
    }
    st = st == WINNOW_OK ? places_refuse_file(p, output, false, err) : st;
    places_free(p);
    buf_release(&path);
    json_parser_free(parser);
    return st;
}

static winnow_status add_all(struct places *p, const struct guarded *what,
                             const struct option_table *table, const void *options,
                             struct winnow_error *err)
{
    TRY(guard_corpora(p, what, err));
    return table ? guard_options(p, table, options, err) : WINNOW_OK;
}

winnow_status guard_folder(const char *output, const struct guarded *what,
                           const struct option_table *table, const void *options,
                           struct winnow_error *err)
{
    struct places *p = places_new();
    winnow_status st = add_all(p, what, table, options, err);
    if (st == WINNOW_OK) {
        st = places_refuse_folder(p, output, err);
    }
    places_free(p);
    return st;
}

/* A file in a folder that winnow filled is part of what is there. */
static winnow_status refuse_part(const char *output, struct winnow_error *err)
{
    char *real = realpath(output, NULL);
    if (!real) {
        return WINNOW_OK; /* nothing there yet */
    }
    winnow_status st = WINNOW_OK;
    for (char *slash = strrchr(real, '/'); slash && slash > real && st == WINNOW_OK;
         slash = strrchr(real, '/')) {
        *slash = '\0';
        if (claim_is(real, NULL)) {
            st = error_set(err, WINNOW_E_USAGE,
                           "%s is a part of %s, which winnow filled, and would be written over; "
                           "name another file with -o",
                           output, real);
        }
    }
    free(real); /* realpath(3) allocates by malloc */
    return st;
}

/* Whether a line, or a member of an array, is an object with a text. */
static bool is_document(struct json_parser *parser, struct str line)
{
    static const char *const KEYS[] = {"text", "raw_content", "content", "messages",
                                       "body", "html",        "lines"};
    struct json_value object;
    struct winnow_error ignored;
    bool found = false;
    line = str_ends(line, STR_LIT(",")) ? str_sub(line, 0, line.len - 1) : line;
    if (json_parse(parser, line, &object, &ignored) == WINNOW_OK) {
        for (size_t i = 0; i < sizeof KEYS / sizeof *KEYS; i++) {
            found = found || json_kind(json_get(object, KEYS[i])) != JSON_NONE;
        }
    }
    return found;
}

/* Whether s begins as a corpus does: packed, of another format, or with an object that has a
 * text, be it behind a mark, empty lines, a bad one or a bracket. */
static bool begins_with_documents(struct str s)
{
    static const struct str KINDS[] = {
        {"\x1F\x8B", 2}, {"\x28\xB5\x2F\xFD", 4}, {"\xFD\x37zXZ", 5}, {"BZh", 3},
        {"PAR1", 4},     {"ARROW1", 6},           {"WARC/", 5}};
    bool found = s.len >= 4 && memcmp(s.ptr + 1, "*M\x18", 3) == 0; /* zstd's frame to be skipped */
    for (size_t i = 0; i < sizeof KINDS / sizeof *KINDS; i++) {
        found = found || str_starts(s, KINDS[i]);
    }
    s = str_starts(s, STR_LIT("\xEF\xBB\xBF")) ? str_sub(s, 3, s.len) : s;
    struct json_parser *parser = json_parser_new();
    struct str line = {NULL, 0};
    struct str begin = str_trim(s);
    if (str_starts(begin, STR_LIT("["))) {
        found = found || str_starts(str_trim(str_sub(begin, 1, begin.len)), STR_LIT("{"));
    }
    for (size_t looked = 0; !found && looked < LINES_LOOKED_AT && str_next_line(&s, &line);) {
        line = str_trim(line);
        looked += line.len > 0;
        found = str_starts(line, STR_LIT("{")) && is_document(parser, line);
    }
    json_parser_free(parser);
    return found;
}

/* Outputs of these commands are no corpora: one that lies where they are to go was put there
 * by mistake. */
static winnow_status refuse_corpus(const char *output, struct winnow_error *err)
{
    struct buf start = {0};
    winnow_status st = WINNOW_OK;
    int fd = file_exists(output) && !file_is_special(output) && !file_is_dir(output)
                 ? open(output, O_RDONLY | O_CLOEXEC)
                 : -1;
    if (fd < 0) {
        return st;
    }
    ssize_t got = read(fd, buf_reserve(&start, START_BYTES), START_BYTES);
    start.len = got > 0 ? (size_t)got : 0;
    if (begins_with_documents(buf_str(&start))) {
        st =
            error_set(err, WINNOW_E_USAGE,
                      "%s holds documents and would be written over; name another file with -o, or "
                      "remove that one first",
                      output);
    }
    (void)close(fd);
    buf_release(&start);
    return st;
}

/* What takes hours to make must not fail where it is written. */
static winnow_status need_place(const char *output, struct winnow_error *err)
{
    const char *slash = strrchr(output, '/');
    struct buf folder = {0};
    winnow_status st = WINNOW_OK;
    buf_add(&folder, output, slash ? (size_t)(slash - output) : 0);
    buf_add_text(&folder, slash == output ? "/" : slash ? "" : ".");
    const char *path = buf_cstr(&folder);
    if (file_is_dir(output)) {
        st = error_set(err, WINNOW_E_USAGE, "-o %s is a folder; name a file", output);
    } else if (!file_is_dir(path)) {
        st = error_set(err, WINNOW_E_IO, "cannot write %s: there is no folder %s; make it first",
                       output, path);
    } else if (access(path, W_OK) != 0 && !file_is_special(output)) {
        st = error_errno(err, "cannot write into the folder", path);
    }
    buf_release(&folder);
    return st;
}

winnow_status guard_file(const char *output, const struct guarded *what,
                         const struct option_table *table, const void *options,
                         struct winnow_error *err)
{
    bool to_stdout = !output || strcmp(output, "-") == 0;
    TRY(to_stdout ? WINNOW_OK : need_place(output, err));
    TRY(to_stdout ? WINNOW_OK : refuse_part(output, err));
    struct places *p = places_new();
    winnow_status st = add_all(p, what, table, options, err);
    if (st == WINNOW_OK && to_stdout) {
        st = places_refuse_open(p, STDOUT_FILENO, err);
    } else if (st == WINNOW_OK) {
        bool read_in_folder = shard_stem(output).len < strlen(output);
        st = places_refuse_file(p, output, read_in_folder, err);
    }
    places_free(p);
    return st == WINNOW_OK && !to_stdout ? refuse_corpus(output, err) : st;
}
