/* facts.c -- reads facts, and numbers what they are made of. */
#include "study/facts.h"

#include "base/grow.h"
#include "base/mem.h"
#include "corpus/json_lines.h"

void facts_release(struct facts *f)
{
    for (size_t i = 0; i < f->relations.count; i++) {
        mem_free(f->choices[i].objects);
    }
    mem_free(f->choices);
    mem_free(f->items);
    map_release(&f->subjects);
    map_release(&f->objects);
    map_release(&f->patterns);
    map_release(&f->relations);
    *f = (struct facts){0};
}

void pattern_parts(struct str pattern, struct str *before, struct str *middle)
{
    size_t x = str_find(pattern, STR_LIT("[X]"));
    struct str rest = str_sub(pattern, x + 3, pattern.len);
    *before = str_sub(pattern, 0, x);
    *middle = str_sub(rest, 0, str_find(rest, STR_LIT("[Y]")));
}

static bool is_pattern(struct str pattern)
{
    size_t x = str_find(pattern, STR_LIT("[X]"));
    if (x == SIZE_MAX) {
        return false;
    }
    struct str rest = str_sub(pattern, x + 3, pattern.len);
    size_t y = str_find(rest, STR_LIT("[Y]"));
    if (y == SIZE_MAX) {
        return false;
    }
    for (size_t i = y + 3; i < rest.len; i++) {
        unsigned char c = (unsigned char)rest.ptr[i];
        if (c >= 0x80 || (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z')) {
            return false;
        }
    }
    return true;
}

winnow_status fact_line_read(struct json_value root, struct fact_line *out,
                             struct winnow_error *err)
{
    *out = (struct fact_line){0};
    if (json_kind(root) != JSON_OBJECT || !json_as_str(json_get(root, "subject"), &out->subject) ||
        !json_as_str(json_get(root, "object"), &out->object) ||
        !json_as_str(json_get(root, "pattern"), &out->pattern) || str_trim(out->subject).len == 0 ||
        str_trim(out->object).len == 0) {
        return error_set(err, WINNOW_E_FORMAT,
                         "a fact is an object with the strings \"subject\", \"pattern\" and "
                         "\"object\"");
    }
    if (!is_pattern(out->pattern)) {
        return error_set(err, WINNOW_E_FORMAT,
                         "the pattern \"%.*s\" is to have [X], for the subject, before [Y], for "
                         "the object, and no word behind [Y]",
                         out->pattern.len < 80 ? (int)out->pattern.len : 80, out->pattern.ptr);
    }
    pattern_parts(out->pattern, &out->before, &out->middle);
    if (!json_as_str(json_get(root, "relation"), &out->relation)) {
        out->relation = out->pattern;
    }
    return WINNOW_OK;
}

static uint32_t number(struct map *m, struct str name)
{
    bool is_new;
    uint64_t *value = map_put(m, name, &is_new);
    if (is_new) {
        *value = m->count - 1;
    }
    return (uint32_t)*value;
}

static void add_choice(struct facts *f, uint32_t relation, uint32_t object)
{
    while (f->choices_cap < f->relations.count) {
        size_t was = f->choices_cap;
        GROW(f->choices, f->choices_cap, f->choices_cap, 16);
        memset(f->choices + was, 0, (f->choices_cap - was) * sizeof *f->choices);
    }
    struct relation *r = &f->choices[relation];
    for (size_t i = 0; i < r->count; i++) {
        if (r->objects[i] == object) {
            return;
        }
    }
    GROW(r->objects, r->count, r->cap, 8);
    r->objects[r->count++] = object;
}

static winnow_status take_line(void *ctx, const struct json_line *line, struct winnow_error *err)
{
    struct facts *f = ctx;
    struct fact_line l;
    TRY(fact_line_read(line->root, &l, err));
    struct fact fact = {number(&f->subjects, str_trim(l.subject)),
                        number(&f->objects, str_trim(l.object)), number(&f->patterns, l.pattern),
                        number(&f->relations, l.relation)};
    add_choice(f, fact.relation, fact.object);
    GROW(f->items, f->count, f->cap, 256);
    f->items[f->count++] = fact;
    return WINNOW_OK;
}

winnow_status facts_read(const char *path, struct facts *out, struct winnow_error *err)
{
    *out = (struct facts){0};
    const struct json_lines lines = {.line = take_line, .ctx = out};
    TRY(json_lines_read(path, &lines, err));
    if (out->count == 0) {
        return error_set(err, WINNOW_E_FORMAT, "%s: there is no fact in it", path);
    }
    for (size_t i = 0; i < out->relations.count; i++) {
        if (out->choices[i].count < 2) {
            struct str name = out->relations.entries[i].key;
            return error_set(err, WINNOW_E_FORMAT,
                             "%s: all facts of the relation \"%.*s\" have the same object: there "
                             "is nothing to choose from",
                             path, name.len < 80 ? (int)name.len : 80, name.ptr);
        }
    }
    return WINNOW_OK;
}
