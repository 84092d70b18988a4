/* row_program.h -- a schema as the list of steps that write one row as JSON.
 *
 * Levels say where a value is missing and where a list goes on (Dremel's record assembly).  The
 * steps are made once a file; running them is a loop without recursion that may stop between any
 * two, so that a row of any size needs no room. */
#ifndef WINNOW_PARQUET_ROW_PROGRAM_H
#define WINNOW_PARQUET_ROW_PROGRAM_H

#include "parquet/tree.h"

enum step_kind {
    STEP_TEXT,  /* text */
    STEP_LEAF,  /* the value of leaf `from` */
    STEP_MAY,   /* below level def: null, its leaves from..to go on, and target is next */
    STEP_LIST,  /* below level def: an empty list, likewise; else its opening bracket */
    STEP_AGAIN, /* at level rep: a comma, and target is next; else the closing bracket */
    STEP_END    /* of the row */
};

struct step {
    enum step_kind kind;
    bool object; /* brackets of a list that is an object */
    unsigned level, rep;
    size_t from, to; /* leaves */
    size_t target;
    struct str text;
};

/* All-zero may be released. */
struct row_program {
    struct step *steps;
    size_t count, cap;
    struct buf text; /* that of the steps */
};

void row_program_build(struct row_program *out, const struct parquet_tree *tree);
void row_program_release(struct row_program *p);

#endif /* WINNOW_PARQUET_ROW_PROGRAM_H */
