/* shred.c -- see shred.h; the levels are those of Dremel's record shredding. */
#include "parquet/shred.h"

#include "base/grow.h"
#include "base/mem.h"
#include "parquet/json_words.h"
#include "parquet/leaf_text.h"
#include "parquet/shape_internal.h"

#define KEPT_MAX ((size_t)8 << 20)

struct shred_item {
    struct json_value value; /* document NULL: not there */
    size_t node;
    unsigned rep, def;
    bool body; /* whether it is there has been decided */
};

void shred_init(struct shred *s, const struct parquet_tree *tree, uint64_t page_bytes,
                uint64_t page_entries)
{
    *s = (struct shred){.tree = tree, .page_bytes = page_bytes, .page_entries = page_entries};
    s->leaves = mem_zalloc((tree->leaf_count + 1) * sizeof *s->leaves);
}

static void push(struct shred *s, const struct shred_item *item)
{
    GROW(s->items, s->count, s->cap, 64);
    s->items[s->count++] = *item;
}

static void entry(struct shred *s, size_t leaf, unsigned rep, unsigned def)
{
    const struct parquet_leaf *l = &s->tree->leaves[leaf];
    struct shred_leaf *to = &s->leaves[leaf];
    if (l->rep > 0) {
        buf_add_char(&to->reps, (char)(unsigned char)rep);
    }
    if (l->def > 0) {
        buf_add_char(&to->defs, (char)(unsigned char)def);
    }
    to->entries++;
}

static void missing(struct shred *s, size_t node, unsigned rep, unsigned def)
{
    const struct parquet_node *n = &s->tree->nodes[node];
    for (size_t i = n->leaf_from; i < n->leaf_to; i++) {
        entry(s, i, rep, def);
    }
}

static winnow_status refuse(const struct shred *s, size_t node, const char *what,
                            struct winnow_error *err)
{
    struct buf path = {0};
    parquet_leaf_path(s->tree, s->tree->nodes[node].leaf_from, &path);
    (void)error_set(err, WINNOW_E_FORMAT, "the column %.200s %s", buf_cstr(&path), what);
    buf_release(&path);
    return WINNOW_E_FORMAT;
}

static void put_length(struct buf *b, size_t at, size_t n)
{
    for (unsigned i = 0; i < 4; i++) {
        b->ptr[at + i] = (char)(unsigned char)(n >> (8 * i));
    }
}

static winnow_status add_value(struct shred *s, size_t node, struct json_value v,
                               struct winnow_error *err)
{
    size_t leaf = s->tree->nodes[node].leaf_from;
    const struct parquet_leaf *l = &s->tree->leaves[leaf];
    struct buf *to = &s->leaves[leaf].values;
    size_t before = to->len;
    if (l->length == 0) {
        buf_add(to, "\0\0\0\0", 4);
    }
    bool good = leaf_from_json(l, v, to);
    if (!good && l->kind == LEAF_STRING) { /* a column that takes any value */
        to->len = before + 4;
        json_words(v, to);
        good = true;
    }
    if (!good || to->len - before > INT32_MAX / 2) {
        to->len = before;
        return refuse(s, node,
                      good ? "cannot hold a value of a gigabyte"
                           : "cannot hold a value, which is of another type",
                      err);
    }
    if (l->length == 0) {
        put_length(to, before, to->len - before - 4);
    }
    return WINNOW_OK;
}

/* The children of a struct, the first on top of the stack. */
static winnow_status add_struct(struct shred *s, const struct shred_item *item,
                                struct winnow_error *err)
{
    const struct parquet_tree *t = s->tree;
    size_t from = item->node + 1, end = t->nodes[item->node].next;
    if (json_kind(item->value) != JSON_OBJECT) {
        return refuse(s, item->node, "belongs to a group and finds something else", err);
    }
    if (s->found_cap < t->node_count) {
        s->found = mem_realloc(s->found, s->found_cap * sizeof *s->found,
                               t->node_count * sizeof *s->found);
        s->found_cap = t->node_count;
    }
    for (size_t c = from; c < end; c = t->nodes[c].next) {
        s->found[c] = (struct json_value){0};
    }
    struct json_iter it = json_walk(item->value);
    for (size_t hint = from; json_next(&it);) {
        size_t c = parquet_child(t, item->node, hint, it.key);
        if (c == 0) {
            return error_set(err, WINNOW_E_FORMAT, "there is no column for the member %.*s",
                             (int)(it.key.len < 100 ? it.key.len : 100), it.key.ptr);
        }
        if (!s->found[c].document) {
            s->found[c] = it.value;
        }
        hint = t->nodes[c].next;
    }
    size_t before = s->count;
    for (size_t c = from; c < end; c = t->nodes[c].next) {
        push(s, &(struct shred_item){s->found[c], c, item->rep, item->def, false});
    }
    for (size_t a = before, b = s->count; a + 1 < b; a++) {
        b--;
        struct shred_item swap = s->items[a];
        s->items[a] = s->items[b];
        s->items[b] = swap;
    }
    return WINNOW_OK;
}

/* What every item of a list is, on the stack with the first on top. */
static void add_items(struct shred *s, const struct shred_item *list, size_t repeated, size_t item,
                      bool object)
{
    const struct parquet_node *r = &s->tree->nodes[repeated];
    struct json_iter it = json_walk(list->value);
    size_t before = s->count;
    unsigned rep = list->rep;
    while (json_next(&it)) {
        if (object) {
            size_t key = s->tree->nodes[repeated + 1].leaf_from;
            struct buf *to = &s->leaves[key].values;
            size_t at = to->len;
            buf_add(to, "\0\0\0\0", 4);
            buf_add_str(to, it.key);
            put_length(to, at, it.key.len);
            entry(s, key, rep, r->def);
        }
        push(s, &(struct shred_item){it.value, item, rep, r->def, item == repeated});
        rep = r->rep;
    }
    for (size_t a = before, b = s->count; a + 1 < b; a++) {
        b--;
        struct shred_item swap = s->items[a];
        s->items[a] = s->items[b];
        s->items[b] = swap;
    }
    if (s->count == before) {
        missing(s, repeated, list->rep, list->def);
    }
}

static winnow_status add_body(struct shred *s, const struct shred_item *item,
                              struct winnow_error *err)
{
    const struct parquet_node *n = &s->tree->nodes[item->node];
    enum json_kind kind = json_kind(item->value);
    switch (n->shape) {
    case NODE_LEAF:
        TRY(add_value(s, item->node, item->value, err));
        entry(s, n->leaf_from, item->rep, item->def);
        return WINNOW_OK;
    case NODE_STRUCT:
        return add_struct(s, item, err);
    case NODE_LIST:
        if (kind != JSON_ARRAY) {
            return refuse(s, item->node, "belongs to a list and finds something else", err);
        }
        add_items(s, item, item->node + 1, n->item, false);
        return WINNOW_OK;
    case NODE_MAP:
        if (kind != JSON_OBJECT) {
            return refuse(s, item->node, "belongs to a map and finds something else", err);
        }
        add_items(s, item, item->node + 1, s->tree->nodes[item->node + 2].next, true);
        return WINNOW_OK;
    }
    return WINNOW_OK;
}

static winnow_status add_item(struct shred *s, const struct shred_item *given,
                              struct winnow_error *err)
{
    struct shred_item item = *given;
    const struct parquet_node *n = &s->tree->nodes[item.node];
    enum json_kind kind = json_kind(item.value);
    bool there = kind != JSON_NONE && kind != JSON_NULL;
    if (!item.body && n->element->repetition == PARQUET_OPTIONAL) {
        if (!there) {
            missing(s, item.node, item.rep, item.def);
            return WINNOW_OK;
        }
        item.def = n->def;
    } else if (!item.body && n->element->repetition == PARQUET_REPEATED) {
        if (there && kind != JSON_ARRAY) {
            return refuse(s, item.node, "is a list and finds something else", err);
        }
        if (!there) {
            missing(s, item.node, item.rep, item.def);
            return WINNOW_OK;
        }
        add_items(s, &item, item.node, item.node, false);
        return WINNOW_OK;
    } else if (!there) {
        return refuse(s, item.node, "is required and finds no value", err);
    }
    return add_body(s, &item, err);
}

static void end_pages(struct shred *s)
{
    for (size_t i = 0; i < s->tree->leaf_count; i++) {
        struct shred_leaf *l = &s->leaves[i];
        struct shred_page last = {0};
        if (l->page_count > 0) {
            last = l->pages[l->page_count - 1];
        }
        if (l->values.len - last.bytes >= s->page_bytes ||
            l->entries - last.entries >= s->page_entries) {
            GROW(l->pages, l->page_count, l->page_cap, 16);
            l->pages[l->page_count++] = (struct shred_page){l->entries, l->values.len};
        }
    }
}

winnow_status shred_line(struct shred *s, struct json_value line, struct winnow_error *err)
{
    s->count = 0;
    push(s, &(struct shred_item){line, 0, 0, 0, true});
    while (s->count > 0) {
        struct shred_item item = s->items[--s->count];
        TRY(add_item(s, &item, err));
    }
    end_pages(s);
    return WINNOW_OK;
}

static void empty(struct buf *b)
{
    if (b->cap > KEPT_MAX) {
        buf_release(b);
    }
    buf_clear(b);
}

void shred_clear(struct shred *s)
{
    for (size_t i = 0; i < s->tree->leaf_count; i++) {
        struct shred_leaf *l = &s->leaves[i];
        empty(&l->values);
        empty(&l->reps);
        empty(&l->defs);
        l->entries = 0;
        l->page_count = 0;
    }
}

void shred_release(struct shred *s)
{
    for (size_t i = 0; s->leaves && i < s->tree->leaf_count; i++) {
        buf_release(&s->leaves[i].values);
        buf_release(&s->leaves[i].reps);
        buf_release(&s->leaves[i].defs);
        mem_free(s->leaves[i].pages);
    }
    mem_free(s->leaves);
    mem_free(s->items);
    mem_free(s->found);
    *s = (struct shred){0};
}
