/* program_file.c -- programs by document id.
 *
 * The file is read once into one table of programs; a map gives each id the
 * place of its first, and chunks of one document stand next to each other.  A
 * count closes each document's programs. */
#include "program/program_file.h"

#include "base/grow.h"
#include "base/json_span.h"
#include "base/map.h"
#include "base/mem.h"
#include "corpus/json_lines.h"

#include <inttypes.h>

struct program_file {
    struct map by_id; /* id to index into documents */
    struct entry {
        uint32_t first, count; /* in programs */
    } * documents;
    size_t document_cap;
    struct program_text *programs;
    size_t count, cap;
    struct arena text;
    uint64_t bytes, bytes_max;
    struct program_list line; /* being read */
};

void program_list_release(struct program_list *l)
{
    mem_free(l->items);
    *l = (struct program_list){0};
}

void program_list_add(struct program_list *l, struct program_text t)
{
    GROW(l->items, l->count, l->cap, 256);
    l->items[l->count++] = t;
}

static winnow_status read_chunk(struct json_value chunk, struct program_list *out,
                                struct winnow_error *err)
{
    uint64_t first = 0, last = 0;
    struct str text, level = {"", 0};
    if (!json_as_u64(json_get(chunk, "first"), &first) ||
        !json_as_u64(json_get(chunk, "last"), &last) ||
        !json_as_str(json_get(chunk, "program"), &text) || first > last) {
        return error_set(err, WINNOW_E_FORMAT,
                         "a chunk needs whole numbers \"first\" and \"last\" in order and a string "
                         "\"program\"");
    }
    (void)json_as_str(json_get(chunk, "level"), &level);
    program_list_add(
        out, (struct program_text){(size_t)first, (size_t)last, text, str_is(level, "doc")});
    return WINNOW_OK;
}

winnow_status program_list_read(struct json_value object, struct program_list *out,
                                struct winnow_error *err)
{
    struct str text;
    struct json_value chunks = json_get(object, "chunks");
    out->count = 0;
    if (json_as_str(json_get(object, "program"), &text)) {
        program_list_add(out, (struct program_text){0, SIZE_MAX, text, false});
    } else if (json_kind(chunks) == JSON_ARRAY) {
        for (struct json_iter it = json_walk(chunks); json_next(&it);) {
            TRY(read_chunk(it.value, out, err));
        }
    } else {
        return error_set(err, WINNOW_E_FORMAT, "neither a string \"program\" nor \"chunks\"");
    }
    return WINNOW_OK;
}

static winnow_status add_program(struct program_file *f, struct program_text t,
                                 struct winnow_error *err)
{
    f->bytes += t.text.len + sizeof t + 64;
    if (f->bytes_max > 0 && f->bytes > f->bytes_max) {
        return error_set(err, WINNOW_E_LIMIT,
                         "the programs take more than --memory %" PRIu64
                         " bytes; give more, or cut corpus and programs in parts",
                         f->bytes_max);
    }
    GROW(f->programs, f->count, f->cap, 256);
    t.text.ptr = arena_strndup(&f->text, t.text.ptr, t.text.len);
    f->programs[f->count++] = t;
    return WINNOW_OK;
}

static winnow_status add_document(void *ctx, const struct json_line *line, struct winnow_error *err)
{
    struct program_file *f = ctx;
    struct str id;
    if (!json_span_id(line->root, line->text, "id", &id)) {
        return error_set(err, WINNOW_E_FORMAT, "no field \"id\" that is a string or a number");
    }
    bool is_new = false;
    uint64_t *index = map_put(&f->by_id, id, &is_new);
    if (!is_new) {
        return error_set(err, WINNOW_E_FORMAT, "a second program for id \"%.*s\"", STR_ARG(id));
    }
    *index = f->by_id.count - 1;
    GROW(f->documents, f->by_id.count - 1, f->document_cap, 256);
    struct entry *e = &f->documents[*index];
    e->first = (uint32_t)f->count;
    TRY(program_list_read(line->root, &f->line, err));
    for (size_t i = 0; i < f->line.count; i++) {
        TRY(add_program(f, f->line.items[i], err));
    }
    e->count = (uint32_t)(f->count - e->first);
    return WINNOW_OK;
}

winnow_status program_file_open(const char *path, uint64_t memory_max, struct program_file **out,
                                struct winnow_error *err)
{
    struct program_file *f = mem_zalloc(sizeof *f);
    f->bytes_max = memory_max;
    arena_init(&f->text, (size_t)1 << 20);
    const struct json_lines lines = {.line = add_document, .ctx = f};
    winnow_status st = json_lines_read(path, &lines, err);
    if (st != WINNOW_OK) {
        program_file_close(f);
        return st;
    }
    *out = f;
    return WINNOW_OK;
}

void program_file_close(struct program_file *f)
{
    if (!f) {
        return;
    }
    map_release(&f->by_id);
    mem_free(f->documents);
    mem_free(f->programs);
    program_list_release(&f->line);
    arena_release(&f->text);
    mem_free(f);
}

size_t program_file_find(const struct program_file *f, struct str id,
                         const struct program_text **programs)
{
    const uint64_t *index = map_get(&f->by_id, id);
    if (!index) {
        return 0;
    }
    const struct entry *e = &f->documents[*index];
    *programs = f->programs + e->first;
    return e->count;
}

uint64_t program_file_documents(const struct program_file *f)
{
    return f->by_id.count;
}
