/* stage.c -- what a stage may ask for while it runs: its folder, its input, its notes,
 * and the attributes that an earlier pass wrote.
 *
 * Notes go into stats.json and belong to the result; timings go into timings.json, which
 * alone may differ between two runs of the same thing. */
#include "base/env.h"
#include "base/file.h"
#include "base/grow.h"
#include "base/json_file.h"
#include "base/mem.h"
#include "corpus/json_lines.h"
#include "corpus/shard_reader.h"
#include "run/run_internal.h"

#include <stdio.h>

void note_set(struct note_list *list, const char *key, struct str json, struct arena *keep)
{
    struct str copy = {arena_strndup(keep, json.ptr, json.len), json.len};
    for (size_t i = 0; i < list->count; i++) {
        if (strcmp(list->items[i].key, key) == 0) {
            list->items[i].json = copy;
            return;
        }
    }
    GROW(list->items, list->count, list->cap, 8);
    list->items[list->count++] =
        (struct note){.key = arena_strndup(keep, key, strlen(key)), .json = copy};
}

void note_list_release(struct note_list *list)
{
    mem_free(list->items);
    *list = (struct note_list){0};
}

static void note_number(struct note_list *list, const char *key, double value, struct arena *keep)
{
    struct buf text = {0};
    struct json_writer w = {.out = &text};
    json_double(&w, value);
    note_set(list, key, buf_str(&text), keep);
    buf_release(&text);
}

void stage_note(struct stage *s, const char *key, struct str json)
{
    note_set(&s->notes, key, json, &s->run->keep);
}

void stage_note_double(struct stage *s, const char *key, double value)
{
    note_number(&s->notes, key, value, &s->run->keep);
}

void stage_timing(struct stage *s, const char *key, double value)
{
    note_number(&s->timings, key, value, &s->run->keep);
}

const struct winnow_env *stage_env(const struct stage *s)
{
    return s->run->env;
}

struct winnow_ranks *stage_ranks(const struct stage *s)
{
    return s->shared ? s->run->env->ranks : NULL;
}

bool stage_leads(const struct stage *s)
{
    return ranks_lead(s->run->env->ranks);
}

struct pool *stage_pool(struct stage *s)
{
    return s->run->pool;
}

const char *stage_folder(const struct stage *s)
{
    return s->folder;
}

uint64_t stage_documents(const struct stage *s)
{
    return s->documents;
}

uint64_t stage_ordinals(const struct stage *s)
{
    return s->ordinals;
}

const struct shard_list *stage_input(const struct stage *s)
{
    return &s->input;
}

const char *stage_earlier_attributes(const struct stage *s, const char *command, const char *name,
                                     struct buf *out)
{
    for (size_t i = (size_t)(s - s->run->stages); i > 0; i--) {
        const struct stage *before = &s->run->stages[i - 1];
        if (strcmp(before->kind->table->command, command) == 0) {
            return stage_file(before, "attributes", name, out);
        }
    }
    return NULL;
}

void stage_keys(const struct stage *s, struct document_keys *keys, size_t *line_max)
{
    const struct winnow_corpus_options *corpus = s->run->corpus;
    *keys = (struct document_keys){corpus->text_key, corpus->id_key, corpus->chat};
    *line_max = (size_t)corpus->line_max;
}

const char *stage_file(const struct stage *s, const char *what, const char *name, struct buf *out)
{
    buf_clear(out);
    buf_addf(out, "%s/%s/%s", s->folder, what, name);
    return buf_cstr(out);
}

const char *stage_path(const struct stage *s, const char *name, struct buf *out)
{
    struct winnow_error ignored; /* the write that follows says what is wrong */
    struct buf folder = {0};
    if (file_make_dirs(file_join(&folder, s->folder, "state"), &ignored) != WINNOW_OK) {
        ignored.text[0] = '\0';
    }
    buf_release(&folder);
    return stage_file(s, "state", name, out);
}

winnow_status run_read_json(const char *path, struct json_parser *parser, struct json_value *root,
                            bool *found, struct winnow_error *err)
{
    *found = file_exists(path);
    return *found ? json_read_file(path, (size_t)1 << 30, parser, root, err) : WINNOW_OK;
}

/* ---- reading an attribute back ---- */

struct attribute_walk {
    winnow_status (*each)(void *ctx, uint64_t ordinal, struct str id, struct json_value attributes,
                          struct winnow_error *err);
    void *ctx;
    uint64_t memory_max;
    uint64_t base, number; /* ordinal before the shard's first line; the line that is next */
};

/* {"id", "attributes"}, and "line" where rows and lines may differ. */
static winnow_status walk_line(void *ctx, const struct json_line *line, struct winnow_error *err)
{
    struct attribute_walk *walk = ctx;
    struct str id = {"", 0};
    (void)json_as_str(json_get(line->root, "id"), &id);
    (void)json_as_u64(json_get(line->root, "line"), &walk->number);
    uint64_t ordinal = walk->base + walk->number++ - 1;
    return walk->each(walk->ctx, ordinal, id, json_get(line->root, "attributes"), err);
}

static winnow_status walk_shard(struct attribute_walk *walk, const char *path, uint64_t base,
                                struct winnow_error *err)
{
    struct shard_reader_options opt = SHARD_READER_OPTIONS_INIT;
    opt.budget = line_budget_of_run(walk->memory_max, 1);
    walk->base = base;
    walk->number = 1;
    const struct json_lines lines = {.opt = &opt, .line = walk_line, .ctx = walk};
    return json_lines_read(path, &lines, err);
}

/* The pass that writes it, which must have run. */
static const char *pass_of(const struct stage *s, const char *attribute)
{
    for (size_t i = 0; i < s->attributes.count; i++) {
        if (strcmp(s->attributes.items[i], attribute) == 0) {
            return s->attribute_passes.items[i];
        }
    }
    return NULL;
}

/* On to the ordinal behind the last line of a shard, from its completion. */
static winnow_status read_base(const struct stage *s, const char *pass, const char *shard,
                               uint64_t *base, struct winnow_error *err)
{
    struct json_parser *parser = json_parser_new();
    struct json_value root = {0};
    struct buf path = {0};
    bool found = false;
    uint64_t lines = 0;
    buf_addf(&path, "%s/completions/%s/%s.json", s->folder, pass, shard);
    winnow_status st = run_read_json(buf_cstr(&path), parser, &root, &found, err);
    if (st == WINNOW_OK && (!found || !json_as_u64(json_get(root, "lines"), &lines))) {
        st = error_set(err, WINNOW_E_INTERNAL, "%s does not say how long its shard is",
                       buf_cstr(&path));
    }
    *base += lines;
    buf_release(&path);
    json_parser_free(parser);
    return st;
}

winnow_status stage_each_attribute(struct stage *s, const char *attribute,
                                   winnow_status (*each)(void *ctx, uint64_t ordinal, struct str id,
                                                         struct json_value attributes,
                                                         struct winnow_error *err),
                                   void *ctx, struct winnow_error *err)
{
    const char *pass = pass_of(s, attribute);
    if (!pass) {
        return error_set(err, WINNOW_E_INTERNAL, "%s: no pass wrote the attribute '%s'", s->name,
                         attribute);
    }
    struct attribute_walk walk = {each, ctx, s->run->env->memory_max, 0, 0};
    struct buf folder = {0}, path = {0};
    winnow_status st = WINNOW_OK;
    uint64_t base = 0;
    (void)stage_file(s, "attributes", attribute, &folder);
    for (size_t i = 0; i < s->input.count && st == WINNOW_OK; i++) {
        (void)file_join(&path, buf_cstr(&folder), s->input.items[i].name);
        if (!file_exists(buf_cstr(&path))) { /* --limit ended before it */
            break;
        }
        st = walk_shard(&walk, buf_cstr(&path), base, err);
        if (st == WINNOW_OK) {
            st = read_base(s, pass, s->input.items[i].name, &base, err);
        }
    }
    buf_release(&folder);
    buf_release(&path);
    return st;
}
