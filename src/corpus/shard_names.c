/* shard_names.c -- names under which outputs mirror their inputs.
 *
 * A name becomes a path below every stage's folder, a string in JSON and a row in
 * SQLite.  File names are bytes; what is no UTF-8 in them is written as %XX (and
 * a percent sign beside it as %25), so that the name can be had back.  Names that
 * would meet (equal ones, one that is another's folder, or another's while
 * that is being written) are first told apart by their folders, and refused
 * where that does not help: before anything is written, not at the end.
 *
 * Outputs are read again, by walks over their folder that pass over hidden names, _names
 * and *.tmp and take known endings only.  So the name of a shard of documents always ends
 * in such an ending and none of its parts is passed over: b.txt becomes b.txt.jsonl,
 * .b.jsonl becomes %2Eb.jsonl. */
#include "base/file.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "corpus/packing.h"
#include "corpus/shard_names_internal.h"
#include "corpus/shard_remote_internal.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

static bool is_pipe(const struct shard *s)
{
    return strcmp(s->path, "-") == 0;
}

static void escape(struct shard_list *l)
{
    for (size_t i = 0; i < l->count; i++) {
        struct str s = str_of(l->items[i].name);
        if (utf8_valid_until(s) == s.len) {
            continue;
        }
        struct buf out = {0};
        for (size_t at = 0; at < s.len;) {
            uint32_t code;
            size_t n = utf8_decode(s, at, &code);
            if (n == 0 || s.ptr[at] == '%') {
                buf_addf(&out, "%%%02X", (unsigned)(unsigned char)s.ptr[at]);
                n = 1;
            } else {
                buf_add(&out, s.ptr + at, n);
            }
            at += n;
        }
        l->items[i].name = arena_strndup(&l->keep, out.ptr, out.len);
        buf_release(&out);
    }
}

/* ---- names that would meet ---- */

/* Two shards that cannot be kept apart; a == NULL: there are none. */
struct meeting {
    const struct shard *a, *b;
};

/* Puts index + 1 under key, or gives the shard that is there. */
static const struct shard *claim(struct map *m, struct str key, const struct shard_list *l,
                                 size_t i)
{
    bool is_new = false;
    uint64_t *index = map_put(m, key, &is_new);
    if (!is_new) {
        return &l->items[*index];
    }
    *index = i;
    return NULL;
}

static struct meeting find_meeting(const struct shard_list *l)
{
    /* What a name is while it grows, and what stands beside it. */
    static const char *const BESIDE[] = {"", FILE_TMP, ".json", (".json" FILE_TMP)};
    struct map names = {0}, folders = {0};
    struct meeting found = {0};
    struct buf text = {0};
    for (size_t i = 0; i < l->count && !found.a; i++) {
        struct str name = str_of(l->items[i].name);
        const struct shard *other = claim(&names, name, l, i);
        found = (struct meeting){other, &l->items[i]};
        for (size_t k = 0; k < name.len; k++) {
            if (name.ptr[k] == '/') {
                (void)claim(&folders, str_sub(name, 0, k), l, i);
            }
        }
    }
    for (size_t i = 0; i < l->count && !found.a; i++) {
        for (size_t k = 0; k < sizeof BESIDE / sizeof *BESIDE && !found.a; k++) {
            buf_clear(&text);
            buf_addf(&text, "%s%s", l->items[i].name, BESIDE[k]);
            const uint64_t *at = map_get(&folders, buf_str(&text));
            if (!at && k == 1) {
                at = map_get(&names, buf_str(&text));
            }
            if (at) {
                found = (struct meeting){&l->items[i], &l->items[*at]};
            }
        }
    }
    map_release(&names);
    map_release(&folders);
    buf_release(&text);
    return found.a ? found : (struct meeting){0};
}

/* ---- telling them apart ---- */

/* The folder is resolved, the last component kept: two links in one folder must
 * not become one name. */
static winnow_status resolve(struct shard_list *l, struct shard *s, struct winnow_error *err)
{
    if (s->remote) { /* "s3://b/x" is called "/s3:/b/x" */
        struct buf name = {0};
        struct str address = str_of(s->path);
        size_t colon = str_find(address, STR_LIT("://")), query = str_find(address, STR_LIT("?"));
        bool web = query != SIZE_MAX && !storage_has_globs(s->path);
        buf_add_char(&name, '/');
        buf_add_str(&name, str_sub(address, 0, colon + 1));
        struct str rest = str_sub(address, colon + 3, web ? query : address.len);
        buf_add_char(&name, '/');
        buf_add_text(&name, shard_remote_name(rest, &l->keep));
        s->name = arena_strndup(&l->keep, name.ptr, name.len);
        buf_release(&name);
        return WINNOW_OK;
    }
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
    return WINNOW_OK;
}

/* Names relative to the deepest folder that holds all files. */
static winnow_status rename_all(struct shard_list *l, struct winnow_error *err)
{
    size_t common = SIZE_MAX;
    const char *first = NULL;
    for (size_t i = 0; i < l->count; i++) {
        struct shard *s = &l->items[i];
        if (is_pipe(s)) {
            continue;
        }
        TRY(resolve(l, s, err));
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
        if (is_pipe(s)) {
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

/* Standard input has no name of its own: it takes one that is free. */
static void name_pipe(struct shard_list *l)
{
    for (size_t i = 0; i < l->count; i++) {
        struct shard *s = &l->items[i];
        struct str base = str_of(s->name);
        bool ending = str_ends(base, STR_LIT(".jsonl"));
        for (unsigned n = 2; is_pipe(s); n++) {
            bool taken = false;
            for (size_t k = 0; k < l->count && !taken; k++) {
                taken = k != i && strcmp(l->items[k].name, s->name) == 0;
            }
            if (!taken) {
                break;
            }
            char text[64];
            (void)snprintf(text, sizeof text, "stdin-%u%s", n, ending ? ".jsonl" : "");
            s->name = arena_strndup(&l->keep, text, strlen(text));
        }
    }
}

/* ---- names that are found again ---- */

static void add_part(struct buf *out, struct str part, bool folder)
{
    bool tmp = folder && str_ends(part, STR_LIT(".tmp"));
    if (part.len > 0 && (part.ptr[0] == '.' || part.ptr[0] == '_')) {
        buf_addf(out, "%%%02X", (unsigned)(unsigned char)part.ptr[0]);
        part = str_sub(part, 1, part.len);
    }
    buf_add_str(out, tmp ? str_sub(part, 0, part.len - 4) : part);
    buf_add_text(out, tmp ? "%2Etmp" : "");
}

/* The name as a walk takes it, but for its ending; the same name where it is fine. */
static void name_to_find(struct str name, struct buf *out)
{
    buf_clear(out);
    for (;;) {
        size_t slash = str_find(name, STR_LIT("/"));
        add_part(out, str_sub(name, 0, slash == SIZE_MAX ? name.len : slash), slash != SIZE_MAX);
        if (slash == SIZE_MAX) {
            break;
        }
        buf_add_char(out, '/');
        name = str_sub(name, slash + 1, name.len);
    }
}

static bool is_found_again(const char *name, struct buf *text)
{
    name_to_find(str_of(name), text);
    return strcmp(buf_cstr(text), name) == 0 && shard_name_is_of_documents(name);
}

/* "b.txt.gz" becomes "b.txt.jsonl.gz", where n > 1 "b.txt-2.jsonl.gz". */
static void with_ending(const char *name, unsigned n, struct buf *text)
{
    struct buf whole = {0};
    name_to_find(str_of(name), &whole);
    const char *found = buf_cstr(&whole); /* may move it: before all views */
    struct str all = str_of(found), stem = packing_cut(all);
    struct str packing = str_sub(all, stem.len, all.len);
    bool has = shard_name_is_of_documents(found);
    struct str cut = has ? shard_stem(found) : stem;
    struct str ending = has ? str_sub(stem, cut.len, stem.len) : STR_LIT(".jsonl");
    buf_clear(text);
    buf_add_str(text, cut);
    if (n > 1) {
        buf_addf(text, "-%u", n);
    }
    buf_add_str(text, ending);
    buf_add_str(text, packing);
    buf_release(&whole);
}

static void find_all_again(struct shard_list *l)
{
    struct map taken = {0};
    struct buf text = {0};
    bool *fine = mem_zalloc((l->count + 1) * sizeof *fine);
    for (size_t i = 0; i < l->count; i++) {
        struct str name = str_of(l->items[i].name);
        fine[i] = is_found_again(l->items[i].name, &text);
        if (fine[i]) {
            (void)claim(&taken, name, l, i);
        }
        for (size_t k = 0; k < name.len; k++) {
            if (name.ptr[k] == '/') {
                (void)claim(&taken, str_sub(name, 0, k), l, i);
            }
        }
    }
    for (size_t i = 0; i < l->count; i++) {
        if (fine[i]) {
            continue;
        }
        unsigned n = 1;
        do {
            with_ending(l->items[i].name, n++, &text);
        } while (claim(&taken, buf_str(&text), l, i) != NULL);
        l->items[i].name = arena_strndup(&l->keep, text.ptr, text.len);
    }
    mem_free(fine);
    map_release(&taken);
    buf_release(&text);
}

static void give_ending(struct shard_list *l, const char *ending)
{
    struct buf text = {0};
    for (size_t i = 0; i < l->count; i++) {
        buf_clear(&text);
        buf_add_str(&text, shard_stem(l->items[i].name));
        buf_add_text(&text, ending);
        l->items[i].name = arena_strndup(&l->keep, text.ptr, text.len);
    }
    buf_release(&text);
}

winnow_status shard_names_settle(struct shard_list *list, bool documents, const char *ending,
                                 struct winnow_error *err)
{
    escape(list);
    name_pipe(list);
    bool meet = find_meeting(list).a != NULL;
    if (meet) {
        TRY(rename_all(list, err));
        escape(list);
        name_pipe(list);
    }
    for (size_t i = 0; i < list->count; i++) {
        struct shard *s = &list->items[i];
        s->shown = s->name;
        s->label = is_pipe(s) ? "standard input" : s->path;
    }
    if (documents && ending) {
        give_ending(list, ending);
    }
    if (documents) {
        find_all_again(list);
    }
    struct meeting m = find_meeting(list);
    if (m.a) {
        return error_set(
            err, WINNOW_E_USAGE,
            "%s and %s cannot lie side by side in one output, as %s and %s: rename one of them, or "
            "give them to two runs",
            m.a->path, m.b->path, m.a->name, m.b->name);
    }
    return WINNOW_OK;
}

winnow_status shard_list_fits(const struct shard_list *list, const char *folder,
                              struct winnow_error *err)
{
    static const char BESIDE[] = ".json" FILE_TMP; /* the longest */
    const size_t part_max = NAME_MAX - (sizeof BESIDE - 1);
    const size_t above = strlen(folder) + 128; /* stages/01-dedup/completions/pass/ */
    for (size_t i = 0; i < list->count; i++) {
        const char *name = list->items[i].name;
        size_t longest = 0;
        for (const char *p = name; *p;) {
            size_t len = strcspn(p, "/");
            longest = len > longest ? len : longest;
            p += len + (p[len] == '/');
        }
        if (longest > part_max) {
            return error_set(err, WINNOW_E_USAGE,
                             "%.400s: outputs are called after it, and %zu bytes are too long for "
                             "that, %zu fit; rename it, or give it on standard input",
                             list->items[i].path, longest, part_max);
        }
        if (above + strlen(name) + sizeof BESIDE > PATH_MAX) {
            return error_set(
                err, WINNOW_E_USAGE,
                "%.400s: outputs are called after it, and below %.400s the paths would "
                "be too long; read it from within its folder, or name an output "
                "with a shorter path",
                list->items[i].path, folder);
        }
    }
    return WINNOW_OK;
}
