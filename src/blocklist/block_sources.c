/* block_sources.c -- which files are lists, of which categories, and how long they are. */
#include "base/file.h"
#include "base/grow.h"
#include "base/mem.h"
#include "base/sort.h"
#include "blocklist/block_list.h"
#include "corpus/byte_source.h"

#include <inttypes.h>

struct names {
    char **items;
    size_t count, cap;
};

static char *copy(struct str s)
{
    char *text = mem_alloc(s.len + 1);
    memcpy(text, s.ptr, s.len);
    text[s.len] = '\0';
    return text;
}

static void names_release(struct names *n)
{
    for (size_t i = 0; i < n->count; i++) {
        mem_free(n->items[i]);
    }
    mem_free(n->items);
}

static void meet_name(void *user, const char *name)
{
    struct names *n = user;
    if (name[0] != '.') {
        GROW(n->items, n->count, n->cap, 64);
        n->items[n->count++] = copy(str_of(name));
    }
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool is_wanted(const struct winnow_blocklist_options *o, struct str category)
{
    for (size_t i = 0; i < o->categories.count; i++) {
        if (str_is(category, o->categories.items[i])) {
            return true;
        }
    }
    return o->categories.count == 0;
}

static uint32_t category_number(struct block_sources *s, struct str name)
{
    for (size_t i = 0; i < s->category_count; i++) {
        if (str_is(name, s->categories[i])) {
            return (uint32_t)i;
        }
    }
    GROW(s->categories, s->category_count, s->category_cap, 16);
    s->categories[s->category_count] = copy(name);
    return (uint32_t)s->category_count++;
}

static void add_file(struct block_sources *s, const char *path, struct str category)
{
    GROW(s->items, s->count, s->cap, 16);
    struct block_source source = {copy(str_of(path)), category_number(s, category)};
    s->items[s->count++] = source;
}

/* The lists of a category's folder; *found counts them, wanted or not. */
static void add_category(struct block_sources *s, const struct winnow_blocklist_options *o,
                         const char *folder, struct str name, size_t *found)
{
    static const char *const LISTS[] = {"domains", "urls"};
    struct buf path = {0};
    for (size_t i = 0; i < sizeof LISTS / sizeof *LISTS; i++) {
        const char *list = file_join(&path, folder, LISTS[i]);
        if (file_exists(list) && !file_is_dir(list)) {
            ++*found;
            if (is_wanted(o, name)) {
                add_file(s, list, name);
            }
        }
    }
    buf_release(&path);
}

/* The last name of a path, slashes at its end aside. */
static struct str last_name(const char *path)
{
    struct str s = str_of(path);
    while (s.len > 1 && s.ptr[s.len - 1] == '/') {
        s.len--;
    }
    size_t from = s.len;
    while (from > 0 && s.ptr[from - 1] != '/') {
        from--;
    }
    return str_sub(s, from, s.len);
}

static winnow_status add_folder(struct block_sources *s, const struct winnow_blocklist_options *o,
                                const char *folder, struct winnow_error *err)
{
    struct names names = {0};
    struct buf path = {0};
    bool there = false;
    size_t found = 0;
    add_category(s, o, folder, last_name(folder), &found);
    winnow_status st = found > 0 ? WINNOW_OK : file_list(folder, meet_name, &names, &there, err);
    sort(names.items, names.count, sizeof *names.items, by_name);
    for (size_t i = 0; i < names.count && st == WINNOW_OK; i++) {
        const char *below = file_join(&path, folder, names.items[i]);
        if (file_is_dir(below)) {
            add_category(s, o, below, str_of(names.items[i]), &found);
        }
    }
    if (st == WINNOW_OK && found == 0) {
        st = error_set(
            err, WINNOW_E_USAGE,
            "the folder %s holds no block lists: files called domains or urls, or folders "
            "of them, one a category",
            folder);
    }
    names_release(&names);
    buf_release(&path);
    return st;
}

static winnow_status count_lines(const char *path, uint64_t *lines, struct winnow_error *err)
{
    struct byte_source *source = NULL;
    size_t got = 1, room = (size_t)256 << 10;
    TRY(byte_source_open(&source, path, err));
    char *bytes = mem_alloc(room);
    winnow_status st = WINNOW_OK;
    ++*lines;
    while (st == WINNOW_OK && got > 0) {
        st = byte_source_read(source, bytes, room, &got, err);
        for (size_t i = 0; st == WINNOW_OK && i < got; i++) {
            *lines += bytes[i] == '\n' || bytes[i] == '\r';
        }
    }
    mem_free(bytes);
    byte_source_close(source);
    return st;
}

static winnow_status add_path(struct block_sources *s, const struct winnow_blocklist_options *o,
                              const char *path, struct winnow_error *err)
{
    if (!file_exists(path)) {
        return error_set(err, WINNOW_E_USAGE, "%s does not exist (--lists)", path);
    }
    if (file_is_dir(path)) {
        return add_folder(s, o, path, err);
    }
    struct str name = last_name(path);
    const char *dot = name.len > 1 ? memchr(name.ptr + 1, '.', name.len - 1) : NULL;
    name.len = dot ? (size_t)(dot - name.ptr) : name.len;
    if (is_wanted(o, name)) {
        add_file(s, path, name);
    }
    return WINNOW_OK;
}

static winnow_status check_categories(const struct block_sources *s,
                                      const struct winnow_blocklist_options *o,
                                      struct winnow_error *err)
{
    for (size_t i = 0; i < o->categories.count; i++) {
        size_t k = 0;
        while (k < s->category_count && strcmp(s->categories[k], o->categories.items[i]) != 0) {
            k++;
        }
        if (k == s->category_count) {
            return error_set(err, WINNOW_E_USAGE,
                             "the block lists have no category '%s' (--categories): a category is "
                             "the name of a list or of its folder",
                             o->categories.items[i]);
        }
    }
    return WINNOW_OK;
}

winnow_status block_sources_find(struct block_sources *s, const struct winnow_blocklist_options *o,
                                 struct winnow_error *err)
{
    if (o->lists.count == 0) {
        return error_set(err, WINNOW_E_USAGE,
                         "nothing to leave out: name lists of addresses with --lists PATH");
    }
    for (size_t i = 0; i < o->lists.count; i++) {
        TRY(add_path(s, o, o->lists.items[i], err));
    }
    TRY(check_categories(s, o, err));
    if (s->category_count > BLOCK_CATEGORIES_MAX) {
        return error_set(err, WINNOW_E_LIMIT, "the block lists have %zu categories, more than %u",
                         s->category_count, BLOCK_CATEGORIES_MAX);
    }
    for (size_t i = 0; i < s->count; i++) {
        TRY(count_lines(s->items[i].path, &s->lines, err));
    }
    return WINNOW_OK;
}

void block_sources_release(struct block_sources *s)
{
    for (size_t i = 0; i < s->count; i++) {
        mem_free(s->items[i].path);
    }
    for (size_t i = 0; i < s->category_count; i++) {
        mem_free(s->categories[i]);
    }
    mem_free(s->items);
    mem_free(s->categories);
    *s = (struct block_sources){0};
}
