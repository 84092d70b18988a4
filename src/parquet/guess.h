/* guess.h -- what type a column has, from the values that it is to hold. */
#ifndef WINNOW_PARQUET_GUESS_H
#define WINNOW_PARQUET_GUESS_H

#include "base/buf.h"
#include "base/json.h"
#include "base/map.h"

struct guess_node {
    struct str name;    /* as a member; the guess owns it */
    unsigned kinds;     /* bits of what was met */
    size_t first, last; /* members, or the one item of lists; 0: none */
    size_t next;        /* among members */
    size_t members;
};

/* A tree of what was met; node 0 is the root.  All-zero may be released. */
struct guess {
    struct guess_node *nodes;
    size_t count, cap;
    struct map names; /* "parent/name" -> node */
    struct buf key;
    size_t *stack_node;
    struct json_value *stack_value;
    size_t node_cap, value_cap;
};

/* Widens the types below `node` (the root, or what guess_member() gave) by one more value. */
void guess_see(struct guess *g, size_t node, struct json_value v);

/* The member of that name, made where there is none; SIZE_MAX where there are too many. */
size_t guess_member(struct guess *g, size_t node, struct str name);

/* Appends the node with all below it as elements of a schema, as Thrift has them; how many. */
size_t guess_elements(const struct guess *g, size_t node, struct buf *out);

void guess_release(struct guess *g);

/* One element; converted and logical < 0: none.  children 0: a leaf of that type. */
struct element_text {
    int type, repetition, converted, logical;
    size_t children;
    struct str name;
};
void element_write(const struct element_text *e, struct buf *out);

#endif /* WINNOW_PARQUET_GUESS_H */
