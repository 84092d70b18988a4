/* choice.h -- from vectors of a pool and of targets to the rows that are chosen.
 *
 * The methods see rows, not documents and not models. */
#ifndef WINNOW_SELECT_CHOICE_H
#define WINNOW_SELECT_CHOICE_H

#include "winnow/select.h"

#include "select/pursuit.h"
#include "vectors/store.h"

/* One subtask: examples of what is wanted. */
struct choice_target {
    const struct store *store;
    const char *name;
};

struct choice_problem {
    const struct winnow_select_options *opt;
    const struct store *pool;
    const double *scores; /* by row, of methods by score; NaN: none; else NULL */
    const bool *inside;   /* by row: whether it is a candidate, and counts; NULL: all are */
    const struct choice_target *targets;
    size_t target_count;
    size_t budget;
    struct pool *threads;
    const struct kernels *k;
    const struct winnow_env *env;
};

struct choice_pick {
    uint32_t row;
    double weight; /* of its loss in training; they sum to the number of picks */
    double gain;   /* what it brings: share of the target explained, or similarity */
};

struct choice_point {
    size_t picks;
    double residual; /* mean over targets of what is not explained, of 1 */
};

/* In the order of choosing. */
struct choice {
    struct choice_pick *picks;
    size_t count, cap;
    struct choice_point *curve; /* pursuit only */
    size_t curve_count, curve_cap;
    uint64_t copies; /* candidates left out as copies */
    size_t rounds;
    bool exhausted; /* nothing else points to the target: fewer than the budget */
};
void choice_release(struct choice *c);

winnow_status choose(const struct choice_problem *p, struct choice *out, struct winnow_error *err);

/* ---- for the methods ---- */

void choice_add(struct choice *c, struct choice_pick pick);
void choice_point_add(struct choice *c, struct choice_point point);

/* A view of a store's rows with the factors that a method compares by. */
enum choice_factors {
    FACTORS_STACKED, /* each part over its mean norm, times the root of its rate; stacked, of norm 1
                      */
    FACTORS_COSINE,  /* each part of norm 1, times its share of the rates */
};
struct choice_rows {
    struct vector_rows rows;
    float *scales;
};
/* s: the problem's pool, or the store of one of its targets; parts are divided by the mean norms
 * of the pool. */
winnow_status choice_rows_make(const struct choice_problem *p, const struct store *s,
                               enum choice_factors factors, struct choice_rows *out,
                               struct winnow_error *err);
void choice_rows_release(struct choice_rows *r);

/* All examples of all targets in f32, of norm 1 (FACTORS_STACKED) or parts of norm 1
 * (FACTORS_COSINE: the factors are on the pool's side only); of[i]: the subtask of each. */
struct choice_examples {
    float *x; /* [count][width] */
    uint32_t *of;
    size_t count, width;
};
winnow_status choice_examples_make(const struct choice_problem *p, enum choice_factors factors,
                                   struct choice_examples *out, struct winnow_error *err);
void choice_examples_release(struct choice_examples *e);

winnow_status choose_pursuit(const struct choice_problem *p, struct choice *out,
                             struct winnow_error *err);
winnow_status choose_top_k(const struct choice_problem *p, struct choice *out,
                           struct winnow_error *err);
winnow_status choose_round_robin(const struct choice_problem *p, struct choice *out,
                                 struct winnow_error *err);
winnow_status choose_facility(const struct choice_problem *p, struct choice *out,
                              struct winnow_error *err);
winnow_status choose_scored(const struct choice_problem *p, struct choice *out,
                            struct winnow_error *err);
winnow_status choose_random(const struct choice_problem *p, struct choice *out,
                            struct winnow_error *err);

#endif /* WINNOW_SELECT_CHOICE_H */
