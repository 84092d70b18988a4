/* claim.c -- the file .winnow: see claim.h for what it is and why. */
#include "base/claim.h"

#include "base/file.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#define MARK "/.winnow"
#define MOST 4096U /* bytes of a mark; more is no mark */

/* Of which kind the folder is, as a view into text; empty where it has no mark. */
static struct str read_mark(const char *folder, struct buf *text)
{
    struct buf path = {0};
    struct winnow_error ignored;
    struct stat st;
    struct str rest = {"", 0}, line = {"", 0};
    buf_addf(&path, "%s" MARK, folder);
    buf_clear(text);
    if (lstat(buf_cstr(&path), &st) == 0 && S_ISREG(st.st_mode) &&
        file_read(buf_cstr(&path), MOST, text, &ignored) == WINNOW_OK) {
        rest = buf_str(text);
        (void)str_next_line(&rest, &line);
    }
    buf_release(&path);
    struct str before = STR_LIT("winnow "), after = STR_LIT(" 1");
    if (!str_starts(line, before) || !str_ends(line, after) || line.len <= before.len + after.len) {
        return (struct str){"", 0};
    }
    return str_sub(line, before.len, line.len - after.len);
}

bool claim_is(const char *folder, const char *kind)
{
    struct buf text = {0};
    struct str is = read_mark(folder, &text);
    bool same = kind ? str_is(is, kind) : is.len > 0;
    buf_release(&text);
    return same;
}

/* What a fresh folder may hold: what a kill between its making and its marking
 * leaves, and what a fresh file system has. */
static bool is_nothing(const char *name)
{
    static const char FRESH[] = ".winnow" FILE_TMP;
    static const char *const NAMES[] = {".lock", FRESH, "lost+found"};
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
        if (strcmp(name, NAMES[i]) == 0) {
            return true;
        }
    }
    return false;
}

static void note_other(void *user, const char *name)
{
    bool *empty = user;
    *empty = *empty && is_nothing(name);
}

static winnow_status refuse_other(const char *folder, struct str is, const char *kind,
                                  struct winnow_error *err)
{
    return error_set(err, WINNOW_E_USAGE,
                     "%s is a folder of winnow's for something else (%.*s, not %s); name another "
                     "one with -o",
                     folder, STR_ARG(is), kind);
}

winnow_status claim_check(const char *folder, const char *kind, struct winnow_error *err)
{
    struct stat s;
    if (!folder[0]) {
        return error_set(err, WINNOW_E_USAGE,
                         "the output folder's name is empty; name one with -o");
    }
    if (stat(folder, &s) != 0) {
        return errno == ENOENT || errno == ENOTDIR ? WINNOW_OK
                                                   : error_errno(err, "cannot open", folder);
    }
    if (!S_ISDIR(s.st_mode)) {
        return error_set(err, WINNOW_E_USAGE,
                         "%s is not a folder; what this command writes is a folder of files, so "
                         "name one with -o",
                         folder);
    }
    struct buf text = {0};
    struct str is = read_mark(folder, &text);
    bool empty = true, found = false;
    winnow_status st = WINNOW_OK;
    if (is.len > 0) {
        st = str_is(is, kind) ? WINNOW_OK : refuse_other(folder, is, kind, err);
    } else {
        st = file_list(folder, note_other, &empty, &found, err);
        if (st == WINNOW_OK && !empty) {
            st = error_set(err, WINNOW_E_USAGE,
                           "%s is neither empty nor a folder that winnow filled %s %s; name "
                           "another one with -o",
                           folder, kind[strlen(kind) - 1] == 's' ? "with" : "as a", kind);
        }
    }
    buf_release(&text);
    return st;
}

winnow_status claim_folder(const char *folder, const char *kind, int *lock,
                           struct winnow_error *err)
{
    *lock = -1;
    TRY(claim_check(folder, kind, err));
    TRY(file_make_dirs(folder, err));
    TRY(file_lock_folder(folder, lock, err));
    winnow_status st = claim_check(folder, kind, err); /* somebody may have been quicker */
    if (st == WINNOW_OK && !claim_is(folder, kind)) {
        st = claim_write(folder, kind, &(struct claim){0}, err);
    }
    if (st != WINNOW_OK) {
        file_unlock(*lock);
        *lock = -1;
    }
    return st;
}

static void take_hash(struct str line, struct str word, char out[33])
{
    if (str_starts(line, word) && line.len == word.len + 32) {
        memcpy(out, line.ptr + word.len, 32);
        out[32] = '\0';
    }
}

winnow_status claim_read(const char *folder, struct claim *out, struct winnow_error *err)
{
    struct buf text = {0}, path = {0};
    *out = (struct claim){0};
    buf_addf(&path, "%s" MARK, folder);
    winnow_status st =
        file_exists(buf_cstr(&path)) ? file_read(buf_cstr(&path), MOST, &text, err) : WINNOW_OK;
    struct str rest = buf_str(&text), line;
    while (st == WINNOW_OK && str_next_line(&rest, &line)) {
        take_hash(line, STR_LIT("settings "), out->settings);
        take_hash(line, STR_LIT("key "), out->key);
        if (str_starts(line, STR_LIT("finished"))) {
            out->finished = true;
            struct str told = str_trim(str_sub(line, strlen("finished"), line.len));
            (void)snprintf(out->told, sizeof out->told, "%.*s", STR_ARG(told));
        }
    }
    buf_release(&text);
    buf_release(&path);
    return st;
}

winnow_status claim_write(const char *folder, const char *kind, const struct claim *c,
                          struct winnow_error *err)
{
    struct buf text = {0}, path = {0};
    buf_addf(&path, "%s" MARK, folder);
    buf_addf(&text, "winnow %s 1\n", kind);
    if (c->key[0]) {
        buf_addf(&text, "settings %s\nkey %s\n", c->settings, c->key);
    }
    if (c->key[0] && c->finished) {
        buf_addf(&text, "finished%s%s\n", c->told[0] ? " " : "", c->told);
    }
    winnow_status st = file_write_atomic(buf_cstr(&path), buf_str(&text), err);
    buf_release(&text);
    buf_release(&path);
    return st;
}
