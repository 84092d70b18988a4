/* settings.c -- see settings.h. */
#include "run/settings.h"

#include "base/file.h"
#include "run/json_copy.h"

#include <stdlib.h>

#define SETTINGS_MAX ((size_t)1 << 24) /* bytes; a list of a million paths */

/* A path is what it leads to; a glob or a pipe, its text. */
static void add_path(struct json_writer *w, const char *path)
{
    char *real = realpath(path, NULL);
    json_text(w, real ? real : path);
    free(real); /* realpath(3) allocates by malloc */
}

static void add_optional(struct json_writer *w, const char *key, const char *value)
{
    json_member_text(w, key, value ? value : "");
}

/* What the options of every command from corpus to corpus and the input add. */
static void add_corpus(const struct run *r, struct json_writer *w)
{
    const struct winnow_corpus_options *c = r->corpus;
    json_member_u64(w, "limit", c->limit);
    json_member_i64(w, "on-bad", WINNOW_ON_BAD_STOP - c->on_bad); /* as ever */
    json_member_bool(w, "keep-removed", c->keep_removed);
    json_member_u64(w, "line-max", c->line_max);
    add_optional(w, "text-key", c->text_key);
    add_optional(w, "id-key", c->id_key);
    if (c->chat != WINNOW_CHAT_PLAIN) {
        json_member_i64(w, "chat", c->chat);
    }
    add_optional(w, "files-from", c->files_from);
    json_member_open(w, "input", '[');
    for (size_t i = 0; i < r->paths.count; i++) {
        add_path(w, r->paths.items[i]);
    }
    json_close(w, ']');
}

void settings_describe(struct stage *s)
{
    struct buf text = {0};
    struct json_writer w = {.out = &text};
    json_open(&w, '{');
    json_member_text(&w, "command", s->kind->table->command);
    option_write_key(s->kind->table, s->options, &w);
    json_member_u64(&w, "seed", s->run->env->seed);
    if (s->first) {
        add_corpus(s->run, &w);
    }
    json_close(&w, '}');
    s->settings = arena_strndup(&s->run->keep, text.ptr, text.len);
    buf_release(&text);
}

static const struct stage *find_stage(const struct run *r, const char *name)
{
    for (size_t i = 0; i < r->request->count; i++) {
        if (strcmp(r->stages[i].name, name) == 0) {
            return &r->stages[i];
        }
    }
    return NULL;
}

static bool same_value(struct json_value a, struct json_value b)
{
    struct buf x = {0}, y = {0};
    struct json_writer wx = {.out = &x}, wy = {.out = &y};
    json_copy(&wx, a);
    json_copy(&wy, b);
    bool same = str_eq(buf_str(&x), buf_str(&y));
    buf_release(&x);
    buf_release(&y);
    return same;
}

/* Names of members of now that there are otherwise there. */
static void add_differences(struct str now, struct str there, struct buf *out)
{
    struct json_parser *a = json_parser_new(), *b = json_parser_new();
    struct json_value x = {0}, y = {0};
    struct winnow_error ignored;
    if (json_parse(a, now, &x, &ignored) == WINNOW_OK &&
        json_parse(b, there, &y, &ignored) == WINNOW_OK) {
        struct json_iter it = json_walk(x);
        while (json_next(&it)) {
            struct json_value other = json_get_str(y, it.key);
            if (json_kind(other) == JSON_NONE || !same_value(it.value, other)) {
                buf_addf(out, "%s%.*s", out->len > 0 ? ", " : "", STR_ARG(it.key));
            }
        }
    }
    json_parser_free(a);
    json_parser_free(b);
}

bool settings_same(const struct run *r, const char *name, const char *folder, struct buf *out)
{
    const struct stage *s = find_stage(r, name);
    struct buf path = {0}, text = {0};
    struct winnow_error ignored;
    bool same = false;
    if (s && file_read(file_join(&path, folder, "settings"), SETTINGS_MAX, &text, &ignored) ==
                 WINNOW_OK) {
        struct str there = str_trim(buf_str(&text));
        same = str_is(there, s->settings);
        if (!same) {
            add_differences(str_of(s->settings), there, out);
        }
    }
    buf_release(&path);
    buf_release(&text);
    return same;
}
