/* tree.c -- the schema's elements stand one behind the other, each with the number of its
 * children; this finds where subtrees end and what they mean (LogicalTypes.md). */
#include "parquet/tree.h"

#include "base/mem.h"

static bool is_string(const struct parquet_element *e)
{
    static const int CONVERTED[] = {0 /* UTF8 */, 4 /* ENUM */, 19 /* JSON */};
    bool is =
        e->logical == LOGICAL_STRING || e->logical == LOGICAL_ENUM || e->logical == LOGICAL_JSON;
    for (size_t i = 0; i < 3 && e->logical == LOGICAL_NONE; i++) {
        is = is || e->converted == CONVERTED[i];
    }
    return is;
}

static enum leaf_kind kind_of_bytes(const struct parquet_element *e)
{
    if (e->logical == LOGICAL_DECIMAL || (e->logical == LOGICAL_NONE && e->converted == 5)) {
        return LEAF_DECIMAL;
    }
    if (e->type == PARQUET_FIXED) {
        return e->logical == LOGICAL_UUID && e->length == 16     ? LEAF_UUID
               : e->logical == LOGICAL_FLOAT16 && e->length == 2 ? LEAF_HALF
                                                                 : LEAF_BINARY;
    }
    return is_string(e) ? LEAF_STRING : LEAF_BINARY;
}

static enum leaf_kind kind_of_ints(const struct parquet_element *e)
{
    if (e->logical == LOGICAL_NONE) {
        switch (e->converted) {
        case 5:
            return LEAF_DECIMAL;
        case 6:
            return e->type == PARQUET_INT32 ? LEAF_DATE : LEAF_INT;
        case 7:
        case 8:
            return LEAF_TIME;
        case 9:
        case 10:
            return LEAF_TIMESTAMP;
        case 11:
        case 12:
        case 13:
        case 14:
            return LEAF_UINT;
        default:
            return LEAF_INT;
        }
    }
    switch (e->logical) {
    case LOGICAL_DECIMAL:
        return LEAF_DECIMAL;
    case LOGICAL_DATE:
        return e->type == PARQUET_INT32 ? LEAF_DATE : LEAF_INT;
    case LOGICAL_TIME:
        return LEAF_TIME;
    case LOGICAL_TIMESTAMP:
        return LEAF_TIMESTAMP;
    case LOGICAL_INTEGER:
        return e->is_signed ? LEAF_INT : LEAF_UINT;
    default:
        return LEAF_INT;
    }
}

static enum leaf_kind kind_of(const struct parquet_element *e)
{
    switch (e->type) {
    case PARQUET_BOOLEAN:
        return LEAF_BOOL;
    case PARQUET_INT32:
    case PARQUET_INT64:
        return kind_of_ints(e);
    case PARQUET_INT96:
        return LEAF_INT96;
    case PARQUET_FLOAT:
        return LEAF_FLOAT;
    case PARQUET_DOUBLE:
        return LEAF_DOUBLE;
    default:
        return kind_of_bytes(e);
    }
}

static void make_leaf(struct parquet_tree *t, size_t node)
{
    static const size_t LENGTHS[] = {1, 4, 8, 12, 4, 8, 0, 0};
    const struct parquet_element *e = t->nodes[node].element;
    bool millis = e->converted == 7 || e->converted == 9;
    struct parquet_leaf *leaf = &t->leaves[t->leaf_count++];
    *leaf = (struct parquet_leaf){
        .node = node,
        .kind = kind_of(e),
        .type = e->type,
        .length = e->type == PARQUET_FIXED ? (size_t)e->length : LENGTHS[e->type],
        .scale = e->scale,
        .unit = e->unit > 0 ? e->unit
                : millis    ? 3
                            : 6,
        .utc = e->logical == LOGICAL_NONE || e->utc, /* converted types are in UTC */
        .def = t->nodes[node].def,
        .rep = t->nodes[node].rep,
    };
    if (leaf->kind == LEAF_DECIMAL && (e->scale < 0 || e->scale > 1000)) {
        leaf->kind = e->type == PARQUET_INT32 || e->type == PARQUET_INT64 ? LEAF_INT : LEAF_BINARY;
    }
}

/* Whether a group is annotated so, by either of the two ways. */
static bool annotated(const struct parquet_element *e, int logical, int converted, int other)
{
    return e->logical == logical ||
           (e->logical == LOGICAL_NONE && (e->converted == converted || e->converted == other));
}

static size_t count_children(const struct parquet_tree *t, size_t node)
{
    return (size_t)t->nodes[node].element->children;
}

/* A list's items: the only child of its repeated child, unless rules for old files say that
 * it is that child itself. */
static size_t item_of(const struct parquet_tree *t, size_t list)
{
    size_t r = list + 1;
    const struct parquet_element *e = t->nodes[r].element;
    struct str outer = t->nodes[list].element->name;
    bool tuple = e->name.len == outer.len + 6 && str_starts(e->name, outer) &&
                 str_ends(e->name, STR_LIT("_tuple"));
    if (e->type != PARQUET_GROUP || count_children(t, r) != 1 || str_is(e->name, "array") ||
        tuple || t->nodes[r + 1].element->repetition == PARQUET_REPEATED) {
        return r;
    }
    return r + 1;
}

static void find_shape(struct parquet_tree *t, size_t i)
{
    struct parquet_node *n = &t->nodes[i];
    if (n->element->type != PARQUET_GROUP) {
        n->shape = NODE_LEAF;
        return;
    }
    n->shape = NODE_STRUCT;
    bool one = i > 0 && count_children(t, i) == 1 &&
               t->nodes[i + 1].element->repetition == PARQUET_REPEATED &&
               n->element->repetition != PARQUET_REPEATED;
    if (one && annotated(n->element, LOGICAL_MAP, 1, 2)) {
        size_t r = i + 1;
        bool pair = t->nodes[r].element->type == PARQUET_GROUP && count_children(t, r) == 2;
        const struct parquet_element *key = pair ? t->nodes[r + 1].element : NULL;
        bool named = key && key->type == PARQUET_BYTE_ARRAY && is_string(key) &&
                     key->repetition == PARQUET_REQUIRED;
        n->shape = named ? NODE_MAP : NODE_LIST;
        n->item = r;
    } else if (one && annotated(n->element, LOGICAL_LIST, 3, 3)) {
        n->shape = NODE_LIST;
        n->item = item_of(t, i);
    }
}

/* Links the elements; false where their numbers of children make no tree. */
static bool link_nodes(struct parquet_tree *t, const struct parquet_element *elements, size_t count)
{
    size_t stack[PARQUET_DEPTH_MAX], left[PARQUET_DEPTH_MAX], depth = 0;
    for (size_t i = 0; i < count; i++) {
        while (depth > 0 && left[depth - 1] == 0) {
            depth--;
            t->nodes[stack[depth]].next = i;
            t->nodes[stack[depth]].leaf_to = t->leaf_count;
        }
        if (depth == 0 && i > 0) {
            return false;
        }
        struct parquet_node *n = &t->nodes[i];
        const struct parquet_element *e = &elements[i];
        const struct parquet_node *up = depth > 0 ? &t->nodes[stack[depth - 1]] : NULL;
        *n = (struct parquet_node){.element = e,
                                   .parent = up ? stack[depth - 1] : 0,
                                   .next = i + 1,
                                   .leaf_from = t->leaf_count,
                                   .leaf_to = t->leaf_count + 1};
        if (up) {
            left[depth - 1]--;
            n->def = up->def + (e->repetition != PARQUET_REQUIRED);
            n->rep = up->rep + (e->repetition == PARQUET_REPEATED);
        }
        if (e->type != PARQUET_GROUP) {
            make_leaf(t, i);
            continue;
        }
        if (e->children == 0 || depth == PARQUET_DEPTH_MAX) {
            return false;
        }
        stack[depth] = i;
        left[depth++] = (size_t)e->children;
    }
    while (depth > 0) {
        depth--;
        if (left[depth] > 0) {
            return false;
        }
        t->nodes[stack[depth]].next = count;
        t->nodes[stack[depth]].leaf_to = t->leaf_count;
    }
    return count > 0 && elements[0].type == PARQUET_GROUP;
}

winnow_status parquet_tree_build(struct parquet_tree *out, const struct parquet_element *elements,
                                 size_t count, struct winnow_error *err)
{
    *out = (struct parquet_tree){0};
    out->nodes = mem_try_alloc((count + 1) * sizeof *out->nodes);
    out->leaves = mem_try_alloc((count + 1) * sizeof *out->leaves);
    if (!out->nodes || !out->leaves) {
        return error_set(err, WINNOW_E_NOMEM, "no memory for a schema of %zu elements", count);
    }
    if (!link_nodes(out, elements, count)) {
        return error_set(err, WINNOW_E_FORMAT,
                         "the Parquet schema is corrupt, has a group without columns, or is nested "
                         "deeper than %d",
                         PARQUET_DEPTH_MAX);
    }
    out->node_count = count;
    for (size_t i = 0; i < count; i++) {
        find_shape(out, i);
    }
    return WINNOW_OK;
}

void parquet_tree_release(struct parquet_tree *t)
{
    mem_free(t->nodes);
    mem_free(t->leaves);
    *t = (struct parquet_tree){0};
}

void parquet_leaf_path(const struct parquet_tree *t, size_t leaf, struct buf *out)
{
    size_t path[PARQUET_DEPTH_MAX + 1], n = 0;
    for (size_t at = t->leaves[leaf].node; at > 0 && n <= PARQUET_DEPTH_MAX;
         at = t->nodes[at].parent) {
        path[n++] = at;
    }
    buf_clear(out);
    while (n-- > 0) {
        buf_add_str(out, t->nodes[path[n]].element->name);
        buf_add_text(out, n > 0 ? "." : "");
    }
}
