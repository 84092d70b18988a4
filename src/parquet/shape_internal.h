/* shape_internal.h -- the schema of a file to be written, for its writer. */
#ifndef WINNOW_PARQUET_SHAPE_INTERNAL_H
#define WINNOW_PARQUET_SHAPE_INTERNAL_H

#include "parquet/guess.h"
#include "parquet/parquet.h"
#include "parquet/tree.h"

struct parquet_shape {
    bool has_like;
    struct parquet_layout like;
    struct parquet_tree like_tree;
    bool *widened; /* by node of like_tree: a column that becomes strings */
    bool any_widened;
    struct guess guess; /* of members that like has not */
    struct buf scratch;
    /* What parquet_shape_settle() makes of it. */
    struct buf elements_text; /* the elements as Thrift has them */
    struct buf pairs;
    size_t pair_count;
    struct parquet_element *elements;
    size_t element_count;
    struct parquet_tree tree;
};

/* The schema, when all lines have been seen. */
winnow_status parquet_shape_settle(struct parquet_shape *s, struct winnow_error *err);

/* The child of a struct that is called so, from `hint` on and round; 0: none. */
size_t parquet_child(const struct parquet_tree *t, size_t node, size_t hint, struct str name);

#endif /* WINNOW_PARQUET_SHAPE_INTERNAL_H */
