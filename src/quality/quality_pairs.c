/* quality_pairs.c -- reads judgements, and finds those that contradict each other. */
#include "quality/quality_pairs.h"

#include "base/grow.h"
#include "base/mem.h"
#include "base/sort.h"
#include "corpus/json_lines.h"

#include <inttypes.h>
#include <math.h>

void quality_pairs_release(struct quality_pairs *p)
{
    mem_free(p->items);
    map_release(&p->names);
    *p = (struct quality_pairs){0};
}

static bool read_better(struct json_value v, float *better)
{
    struct str word;
    double share;
    if (json_as_double(v, &share)) {
        *better = (float)share;
        return share >= 0 && share <= 1;
    }
    if (!json_as_str(v, &word)) {
        return false;
    }
    *better = str_is(word, "a") ? 1.0F : str_is(word, "b") ? 0.0F : 0.5F;
    return str_is(word, "a") || str_is(word, "b") || str_is(word, "same");
}

winnow_status quality_pair_read(struct json_value root, struct str *a, struct str *b, float *better,
                                struct winnow_error *err)
{
    if (json_kind(root) != JSON_OBJECT || !json_as_str(json_get(root, "a"), a) ||
        !json_as_str(json_get(root, "b"), b)) {
        return error_set(err, WINNOW_E_FORMAT,
                         "a judgement is an object with the strings \"a\" and \"b\", two ids or "
                         "two texts, and with \"better\"");
    }
    if (!read_better(json_get(root, "better"), better)) {
        return error_set(err, WINNOW_E_FORMAT,
                         "\"better\" is to be \"a\", \"b\", \"same\" or the share, from 0 to 1, of "
                         "those who said a");
    }
    return WINNOW_OK;
}

struct reading {
    struct quality_pairs *pairs;
    bool held;
};

static uint32_t number_of(struct quality_pairs *p, struct str name, uint64_t line)
{
    bool is_new;
    uint64_t *value = map_put(&p->names, name, &is_new);
    if (is_new) {
        *value = (uint64_t)(p->names.count - 1) << 32 | (line < UINT32_MAX ? line : UINT32_MAX);
    }
    return (uint32_t)(*value >> 32);
}

static winnow_status take_line(void *ctx, const struct json_line *line, struct winnow_error *err)
{
    struct reading *r = ctx;
    struct quality_pairs *p = r->pairs;
    struct str a, b;
    struct quality_pair item = {.held = r->held};
    TRY(quality_pair_read(line->root, &a, &b, &item.better, err));
    if (str_eq(a, b)) {
        p->same++;
        return WINNOW_OK;
    }
    item.a = number_of(p, a, line->number);
    item.b = number_of(p, b, line->number);
    GROW(p->items, p->count, p->cap, 1024);
    p->items[p->count++] = item;
    return WINNOW_OK;
}

winnow_status quality_pairs_read(struct quality_pairs *p, const char *path, bool held,
                                 struct winnow_error *err)
{
    struct reading r = {p, held};
    size_t before = p->count;
    const struct json_lines lines = {.line = take_line, .ctx = &r};
    TRY(json_lines_read(path, &lines, err));
    if (p->count == before) {
        return error_set(err, WINNOW_E_FORMAT, "%s: there is no judgement of two different pages",
                         path);
    }
    return WINNOW_OK;
}

struct side {
    uint64_t key;
    int says; /* -1, 0, 1 of the pair with the lesser number first */
};

static int by_key(const void *a, const void *b)
{
    const struct side *x = a, *y = b;
    return x->key != y->key ? (x->key > y->key) - (x->key < y->key) : x->says - y->says;
}

void quality_pairs_count(const struct quality_pairs *p, uint64_t *distinct, uint64_t *both)
{
    struct side *sides = mem_alloc((p->count + 1) * sizeof *sides);
    *distinct = *both = 0;
    for (size_t i = 0; i < p->count; i++) {
        const struct quality_pair *q = &p->items[i];
        bool turned = q->a > q->b;
        int says = q->better > 0.5F ? 1 : q->better < 0.5F ? -1 : 0;
        sides[i].key = turned ? (uint64_t)q->b << 32 | q->a : (uint64_t)q->a << 32 | q->b;
        sides[i].says = turned ? -says : says;
    }
    sort(sides, p->count, sizeof *sides, by_key);
    for (size_t i = 0, from = 0; i < p->count; i++) { /* says ascends within a pair */
        if (i + 1 == p->count || sides[i + 1].key != sides[i].key) {
            ++*distinct;
            *both += sides[from].says < 0 && sides[i].says > 0;
            from = i + 1;
        }
    }
    mem_free(sides);
}

uint64_t quality_pairs_bytes(const struct quality_pairs *p)
{
    uint64_t bytes = p->cap * (sizeof *p->items + sizeof(struct side)) +
                     p->names.cap * sizeof *p->names.entries +
                     p->names.slot_count * sizeof *p->names.slots;
    for (size_t i = 0; i < p->names.count; i++) {
        bytes += p->names.entries[i].key.len;
    }
    return bytes;
}
