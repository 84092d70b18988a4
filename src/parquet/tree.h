/* tree.h -- a Parquet schema as a tree: levels, leaves, and which groups are lists and maps.
 *
 * Nodes are the elements of the layout, each before its children, so that a subtree is the nodes
 * from one up to its `next`, and its leaves are neighbours too.
 */
#ifndef WINNOW_PARQUET_TREE_H
#define WINNOW_PARQUET_TREE_H

#include "parquet/layout.h"

#define PARQUET_DEPTH_MAX 64

/* What a value is called in JSON. */
enum leaf_kind {
    LEAF_BINARY, /* {"base64": "..."} */
    LEAF_BOOL,
    LEAF_INT,
    LEAF_UINT,
    LEAF_FLOAT,
    LEAF_DOUBLE,
    LEAF_HALF,
    LEAF_STRING,
    LEAF_DECIMAL, /* "12.50" */
    LEAF_DATE,
    LEAF_TIME,
    LEAF_TIMESTAMP,
    LEAF_INT96,
    LEAF_UUID
};

struct parquet_leaf {
    size_t node;
    enum leaf_kind kind;
    enum parquet_type type;
    size_t length; /* of a value of fixed length, 0: any */
    int32_t scale; /* of decimals */
    int unit;      /* digits of a second */
    bool utc;
    unsigned def, rep; /* the highest levels */
};

enum node_shape {
    NODE_LEAF,
    NODE_STRUCT,
    NODE_LIST, /* a group around a repeated child */
    NODE_MAP   /* the same, whose child has a key, a string, and a value: a JSON object */
};

struct parquet_node {
    const struct parquet_element *element;
    enum node_shape shape;
    size_t parent, next; /* behind its subtree */
    size_t leaf_from, leaf_to;
    size_t item;       /* of lists: the node that each item is; where that is the repeated child
                          itself, its repetition is the list's */
    unsigned def, rep; /* where it is there */
};

/* All-zero may be released. */
struct parquet_tree {
    struct parquet_node *nodes;
    struct parquet_leaf *leaves;
    size_t node_count, leaf_count;
};

/* The elements must outlive the tree.  WINNOW_E_FORMAT: a clause. */
winnow_status parquet_tree_build(struct parquet_tree *out, const struct parquet_element *elements,
                                 size_t count, struct winnow_error *err);
void parquet_tree_release(struct parquet_tree *t);

/* The name of a leaf with those of the groups around it, "a.list.element", for sentences. */
void parquet_leaf_path(const struct parquet_tree *t, size_t leaf, struct buf *out);

#endif /* WINNOW_PARQUET_TREE_H */
