/* counts.c -- documents in = kept + removed + aside + bad, per stage, reason, source.
 *
 * Jobs count for themselves; sums are added in order.  Sources are bounded in number
 * (COUNT_SOURCES_MAX): behind that they are only part of the totals.  Their names are, too
 * (COUNT_SOURCE_BYTES), as they come from documents and are held until the end.  counts_check()
 * is the law of the house, asked at each stage's end and by `winnow verify`. */
#include "run/counts.h"

#include "base/mem.h"
#include "base/sort.h"
#include "base/utf8.h"
#include "run/vanished.h"

#include <inttypes.h>

static const char *const FIELD_NAMES[COUNT_FIELDS] = {"in",    "kept", "edited", "removed",
                                                      "aside", "bad",  "copies"};
static const char *const REASON_NAMES[COUNT_REASONS] = {
    "reasons", "aside_reasons", "edit_reasons", "bad_reasons", "keep_reasons", "dropped_keys"};

void counts_release(struct counts *c)
{
    for (size_t i = 0; i < COUNT_REASONS; i++) {
        map_release(&c->reasons[i]);
    }
    map_release(&c->sources_in);
    map_release(&c->sources_kept);
    *c = (struct counts){0};
}

static void add_source(struct counts *c, struct str source, uint64_t in, uint64_t kept)
{
    source = utf8_cut(source, COUNT_SOURCE_BYTES);
    if (c->sources_in.count >= COUNT_SOURCES_MAX && !map_get(&c->sources_in, source)) {
        return;
    }
    *map_put(&c->sources_in, source, NULL) += in;
    if (kept > 0) {
        *map_put(&c->sources_kept, source, NULL) += kept;
    }
}

void counts_source(struct counts *c, struct str source, uint64_t n, enum count_field field)
{
    add_source(c, source, n, field == COUNT_KEPT ? n : 0);
}

void counts_add(struct counts *c, const struct counts *other)
{
    for (size_t i = 0; i < COUNT_FIELDS; i++) {
        c->documents[i] += other->documents[i];
        c->bytes[i] += other->bytes[i];
        c->text_bytes[i] += other->text_bytes[i];
    }
    for (size_t i = 0; i < COUNT_REASONS; i++) {
        for (size_t k = 0; k < other->reasons[i].count; k++) {
            const struct map_entry *e = &other->reasons[i].entries[k];
            *map_put(&c->reasons[i], e->key, NULL) += e->value;
        }
    }
    for (size_t k = 0; k < other->sources_in.count; k++) {
        const struct map_entry *e = &other->sources_in.entries[k];
        const uint64_t *kept = map_get(&other->sources_kept, e->key);
        add_source(c, e->key, e->value, kept ? *kept : 0);
    }
}

void counts_reason(struct counts *c, enum count_reason kind, struct str reason)
{
    *map_put(&c->reasons[kind], reason, NULL) += 1;
}

static int by_name(const void *a, const void *b)
{
    const struct map_entry *const *x = a, *const *y = b;
    return str_cmp((*x)->key, (*y)->key);
}

/* The entries by name, in an allocation of the caller's. */
static const struct map_entry **sorted_entries(const struct map *m)
{
    /* NOLINTNEXTLINE(bugprone-sizeof-expression): pointers are what is sorted */
    const struct map_entry **sorted = mem_alloc((m->count + 1) * sizeof *sorted);
    for (size_t i = 0; i < m->count; i++) {
        sorted[i] = &m->entries[i];
    }
    sort(sorted, m->count, sizeof *sorted, by_name); /* NOLINT(bugprone-sizeof-expression) */
    return sorted;
}

static void write_reasons(const struct map *m, const char *name, struct json_writer *w)
{
    const struct map_entry **sorted = sorted_entries(m);
    json_member_open(w, name, '{');
    for (size_t i = 0; i < m->count; i++) {
        json_key_str(w, sorted[i]->key);
        json_u64(w, sorted[i]->value);
    }
    json_close(w, '}');
    mem_free(sorted);
}

static void write_sources(const struct counts *c, struct json_writer *w)
{
    const struct map_entry **sorted = sorted_entries(&c->sources_in);
    json_member_open(w, "sources", '{');
    for (size_t i = 0; i < c->sources_in.count; i++) {
        const uint64_t *kept = map_get(&c->sources_kept, sorted[i]->key);
        json_key_str(w, sorted[i]->key);
        json_open(w, '{');
        json_member_u64(w, "in", sorted[i]->value);
        json_member_u64(w, "kept", kept ? *kept : 0);
        json_close(w, '}');
    }
    json_close(w, '}');
    json_member_open(w, "vanished", '[');
    for (size_t i = 0; i < c->sources_in.count; i++) {
        const uint64_t *kept = map_get(&c->sources_kept, sorted[i]->key);
        if (has_vanished(sorted[i]->value, kept ? *kept : 0)) {
            json_str(w, sorted[i]->key);
        }
    }
    json_close(w, ']');
    mem_free(sorted);
}

static void write_fields(const uint64_t *values, const char *name, unsigned without,
                         struct json_writer *w)
{
    json_member_open(w, name, '{');
    for (unsigned i = 0; i < COUNT_FIELDS; i++) {
        if (!(without & 1U << i) && (i != COUNT_COPIES || values[i] > 0)) {
            json_member_u64(w, FIELD_NAMES[i], values[i]);
        }
    }
    json_close(w, '}');
}

void counts_write(const struct counts *c, struct json_writer *w)
{
    write_fields(c->documents, "documents", 0, w);
    write_fields(c->bytes, "bytes", 1U << COUNT_EDITED, w);
    write_fields(c->text_bytes, "text_bytes", 1U << COUNT_EDITED | 1U << COUNT_BAD, w);
    for (size_t i = 0; i < COUNT_REASONS; i++) {
        if (i != REASON_DROPPED_KEY || c->reasons[i].count > 0) {
            write_reasons(&c->reasons[i], REASON_NAMES[i], w);
        }
    }
    write_sources(c, w);
}

static winnow_status read_fields(uint64_t *values, struct json_value object, const char *name,
                                 struct winnow_error *err)
{
    struct json_value v = json_get(object, name);
    if (json_kind(v) != JSON_OBJECT) {
        return error_set(err, WINNOW_E_FORMAT, "no object \"%s\" among the counts", name);
    }
    for (size_t i = 0; i < COUNT_FIELDS; i++) {
        uint64_t n = 0;
        if (json_as_u64(json_get(v, FIELD_NAMES[i]), &n)) {
            values[i] += n;
        }
    }
    return WINNOW_OK;
}

winnow_status counts_read(struct counts *c, struct json_value object, struct winnow_error *err)
{
    TRY(read_fields(c->documents, object, "documents", err));
    TRY(read_fields(c->bytes, object, "bytes", err));
    TRY(read_fields(c->text_bytes, object, "text_bytes", err));
    for (size_t i = 0; i < COUNT_REASONS; i++) {
        struct json_iter it = json_walk(json_get(object, REASON_NAMES[i]));
        while (json_next(&it)) {
            uint64_t n = 0;
            if (!json_as_u64(it.value, &n)) {
                return error_set(err, WINNOW_E_FORMAT, "a count of \"%s\" is no number",
                                 REASON_NAMES[i]);
            }
            *map_put(&c->reasons[i], it.key, NULL) += n;
        }
    }
    struct json_iter it = json_walk(json_get(object, "sources"));
    while (json_next(&it)) {
        uint64_t in = 0, kept = 0;
        (void)json_as_u64(json_get(it.value, "in"), &in);
        (void)json_as_u64(json_get(it.value, "kept"), &kept);
        add_source(c, it.key, in, kept);
    }
    return WINNOW_OK;
}

winnow_status counts_check(const struct counts *c, const char *stage, struct winnow_error *err)
{
    const uint64_t *d = c->documents;
    uint64_t sum = d[COUNT_KEPT] + d[COUNT_REMOVED] + d[COUNT_ASIDE] + d[COUNT_BAD];
    if (sum != d[COUNT_IN] || d[COUNT_EDITED] > d[COUNT_KEPT]) {
        return error_set(err, WINNOW_E_INTERNAL,
                         "%s: %" PRIu64 " documents came in, but %" PRIu64 " kept + %" PRIu64
                         " removed + %" PRIu64 " aside + %" PRIu64 " bad make %" PRIu64,
                         stage, d[COUNT_IN], d[COUNT_KEPT], d[COUNT_REMOVED], d[COUNT_ASIDE],
                         d[COUNT_BAD], sum);
    }
    return WINNOW_OK;
}
