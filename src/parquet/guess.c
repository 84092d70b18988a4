/* guess.c -- types only widen: whole numbers become reals beside reals, and what has no type in
 * common becomes strings that hold JSON.
 *
 * Objects whose keys are data (a member for each id, say) would become thousands of columns;
 * past MEMBERS_MAX such an object is a string, too. */
#include "parquet/guess.h"

#include "base/grow.h"
#include "base/mem.h"
#include "parquet/layout.h"

#define MEMBERS_MAX 1000U
#define NODES_MAX   20000U
#define DEPTH_MAX   20U /* of values; a list is two levels of a schema */

enum {
    MET_BOOL = 1,
    MET_INT = 2,
    MET_REAL = 4,
    MET_STRING = 8,
    MET_LIST = 16,
    MET_OBJECT = 32,
    MET_EMPTY = 64, /* an object without members, which no schema has */
    MET_MUCH = 128,
    MET_BIG = 256,  /* a whole number that no INT64 holds: digits, not a real, keep it */
    MET_EXACT = 512 /* one that an INT64 holds and no DOUBLE: beside reals, digits keep it */
};

static size_t add_node(struct guess *g, struct str name)
{
    GROW(g->nodes, g->count, g->cap, 64);
    char *copy = mem_alloc(name.len + 1);
    if (name.len > 0) {
        memcpy(copy, name.ptr, name.len);
    }
    g->nodes[g->count] = (struct guess_node){.name = {copy, name.len}};
    return g->count++;
}

static void add_root(struct guess *g)
{
    if (g->count == 0) {
        (void)add_node(g, STR_LIT("schema"));
    }
}

static void link_node(struct guess *g, size_t parent, size_t child)
{
    struct guess_node *p = &g->nodes[parent];
    if (p->first == 0) {
        p->first = child;
    } else {
        g->nodes[p->last].next = child;
    }
    p->last = child;
    p->members++;
}

size_t guess_member(struct guess *g, size_t node, struct str name)
{
    add_root(g);
    buf_clear(&g->key);
    buf_addf(&g->key, "%zu/", node);
    buf_add_str(&g->key, name);
    const uint64_t *had = map_get(&g->names, buf_str(&g->key));
    if (had) {
        return (size_t)*had;
    }
    if (g->nodes[node].members >= (node == 0 ? NODES_MAX : MEMBERS_MAX) || g->count >= NODES_MAX) {
        return SIZE_MAX;
    }
    size_t child = add_node(g, name);
    *map_put(&g->names, buf_str(&g->key), NULL) = child;
    link_node(g, node, child);
    return child;
}

static void push(struct guess *g, size_t *depth, size_t node, struct json_value v)
{
    size_t values = *depth;
    GROW(g->stack_node, *depth, g->node_cap, 64);
    GROW(g->stack_value, values, g->value_cap, 64);
    g->stack_node[*depth] = node;
    g->stack_value[*depth] = v;
    ++*depth;
}

static void see_container(struct guess *g, size_t node, struct json_value v, size_t *depth)
{
    struct json_iter it = json_walk(v);
    bool list = json_kind(v) == JSON_ARRAY, any = false;
    size_t before = *depth;
    while (json_next(&it)) {
        any = true;
        size_t child = guess_member(g, node, list ? STR_LIT("element") : it.key);
        if (child == SIZE_MAX) {
            g->nodes[node].kinds |= MET_MUCH;
            *depth = before;
            return;
        }
        push(g, depth, child, it.value);
    }
    for (size_t a = before, b = *depth; a + 1 < b; a++) { /* members in the order they are met */
        b--;
        size_t swap_node = g->stack_node[a];
        struct json_value swap_value = g->stack_value[a];
        g->stack_node[a] = g->stack_node[b];
        g->stack_value[a] = g->stack_value[b];
        g->stack_node[b] = swap_node;
        g->stack_value[b] = swap_value;
    }
    g->nodes[node].kinds |= !any && !list ? MET_EMPTY : 0U;
}

static unsigned whole_kind(int64_t i)
{
    double d = (double)i; /* which rounds up to 2^63 near the end, and that is no int64_t */
    return d < 0x1p63 && (int64_t)d == i ? MET_INT : MET_INT | MET_EXACT;
}

static unsigned kind_of(struct json_value v)
{
    int64_t i;
    uint64_t u;
    switch (json_kind(v)) {
    case JSON_BOOL:
        return MET_BOOL;
    case JSON_NUMBER:
        return json_as_i64(v, &i) ? whole_kind(i) : json_as_u64(v, &u) ? MET_BIG : MET_REAL;
    case JSON_STRING:
        return MET_STRING;
    case JSON_ARRAY:
        return MET_LIST;
    case JSON_OBJECT:
        return MET_OBJECT;
    default:
        return 0;
    }
}

/* A list's only member is its item; beside objects it could be mistaken for one of theirs, but
 * then the node is a string anyway. */
void guess_see(struct guess *g, size_t node, struct json_value v)
{
    add_root(g);
    size_t depth = 0;
    push(g, &depth, node, v);
    while (depth > 0) {
        depth--;
        size_t at = g->stack_node[depth];
        struct json_value value = g->stack_value[depth];
        unsigned kind = kind_of(value);
        g->nodes[at].kinds |= kind;
        if ((kind == MET_LIST || kind == MET_OBJECT) && !(g->nodes[at].kinds & MET_MUCH)) {
            see_container(g, at, value, &depth);
        }
    }
}

/* ---- as a schema ---- */

void element_write(const struct element_text *e, struct buf *out)
{
    struct thrift_out t = {.out = out};
    if (e->children == 0) {
        thrift_put_int(&t, 1, THRIFT_I32, e->type);
    }
    if (e->repetition >= 0) {
        thrift_put_int(&t, 3, THRIFT_I32, e->repetition);
    }
    thrift_put_binary(&t, 4, e->name);
    if (e->children > 0) {
        thrift_put_int(&t, 5, THRIFT_I32, (int64_t)e->children);
    }
    if (e->converted >= 0) {
        thrift_put_int(&t, 6, THRIFT_I32, e->converted);
    }
    if (e->logical >= 0) {
        struct thrift_out u = thrift_put_struct(&t, 10);
        struct thrift_out none = thrift_put_struct(&u, e->logical);
        thrift_end(&none);
        thrift_end(&u);
    }
    thrift_end(&t);
}

static void write_leaf(struct str name, int type, bool text, struct buf *out)
{
    const struct element_text e = {.type = type,
                                   .repetition = PARQUET_OPTIONAL,
                                   .converted = text ? 0 : -1,
                                   .logical = text ? LOGICAL_STRING : -1,
                                   .name = name};
    element_write(&e, out);
}

static void write_group(struct str name, int repetition, bool list, size_t children,
                        struct buf *out)
{
    const struct element_text e = {.repetition = repetition,
                                   .converted = list ? 3 : -1,
                                   .logical = list ? LOGICAL_LIST : -1,
                                   .children = children,
                                   .name = name};
    element_write(&e, out);
}

/* Whether the node is a group, of members or of items. */
static bool is_group(const struct guess_node *n, size_t depth)
{
    unsigned k = n->kinds & ~(unsigned)MET_EMPTY;
    return n->first > 0 && depth < DEPTH_MAX && (k == MET_LIST || k == MET_OBJECT);
}

static void write_scalar(const struct guess_node *n, struct buf *out)
{
    unsigned k = n->kinds;
    if (k == MET_BOOL) {
        write_leaf(n->name, PARQUET_BOOLEAN, false, out);
    } else if ((k & ~(unsigned)MET_EXACT) == MET_INT) {
        write_leaf(n->name, PARQUET_INT64, false, out);
    } else if (k == MET_REAL || k == (MET_INT | MET_REAL)) {
        write_leaf(n->name, PARQUET_DOUBLE, false, out);
    } else {
        write_leaf(n->name, PARQUET_BYTE_ARRAY, true, out);
    }
}

size_t guess_elements(const struct guess *g, size_t node, struct buf *out)
{
    size_t path[DEPTH_MAX + 1], depth = 0, written = 0, at = node;
    for (;;) {
        const struct guess_node *n = &g->nodes[at];
        bool group = is_group(n, depth);
        if (!group) {
            write_scalar(n, out);
            written++;
        } else if (n->kinds == MET_LIST) {
            write_group(n->name, PARQUET_OPTIONAL, true, 1, out);
            write_group(STR_LIT("list"), PARQUET_REPEATED, false, 1, out);
            written += 2;
        } else {
            write_group(n->name, PARQUET_OPTIONAL, false, n->members, out);
            written++;
        }
        if (group) {
            path[depth++] = at;
            at = n->first;
            continue;
        }
        while (depth > 0 && g->nodes[at].next == 0) {
            at = path[--depth];
        }
        if (depth == 0) {
            return written;
        }
        at = g->nodes[at].next;
    }
}

void guess_release(struct guess *g)
{
    for (size_t i = 0; i < g->count; i++) {
        union {
            const char *from;
            void *to;
        } name = {g->nodes[i].name.ptr};
        mem_free(name.to);
    }
    mem_free(g->nodes);
    map_release(&g->names);
    buf_release(&g->key);
    mem_free(g->stack_node);
    mem_free(g->stack_value);
    *g = (struct guess){0};
}
