/* pursuit.h -- few rows whose weighted sum, with weights >= 0, comes nearest to a target:
 *
 *     min |sum_j w_j a_j - b|   over w >= 0 with at most `budget` of them not 0
 *
 * Rows are unit vectors (their factors see to that), targets are any.  Three ways:
 *
 *   cosamp  every step looks at the 2 budget best correlated rows beside those it has, fits
 *           all of them, keeps the budget largest and fits again (Needell and Tropp 2008, with
 *           weights >= 0 as in Gradient Trajectory Pursuit): some 5 steps in all
 *   omp     one row a step (orthogonal matching pursuit): the slow twin
 *   block   budget / 20 rows a step, none taken back: for budgets beyond what cosamp can tell
 *           apart, budget ln(rows / budget) > 0.4 width
 *
 * Several targets take their steps together, eight to a sweep over the rows.
 */
#ifndef WINNOW_SELECT_PURSUIT_H
#define WINNOW_SELECT_PURSUIT_H

#include "vectors/vector_rows.h"

enum pursuit_way { PURSUIT_AUTO, PURSUIT_COSAMP, PURSUIT_OMP, PURSUIT_BLOCK };

struct pursuit_options {
    enum pursuit_way way;
    uint32_t iterations; /* of cosamp at most */
    double pivot;        /* nnls.h: the square of the distance of a copy */
    /* Rows whose correlation with the residual is below this share of its norm are noise. */
    double floor;
    /* A row nearer (by cosine) than this to one of `held`, or to a better correlated one that
     * comes in with it, is left out. */
    double copy;
};
#define PURSUIT_OPTIONS_INIT \
    ((struct pursuit_options){.iterations = 30, .pivot = 1e-6, .copy = 0.98})

struct pursuit_atom {
    uint32_t row;
    double weight;
    double gain; /* weight * <row, b>: these sum to |b|^2 - |residual|^2 */
};

struct pursuit_point {
    size_t atoms;
    double residual; /* of |b| */
};

/* One target's answer, by falling weight. */
struct pursuit {
    struct pursuit_atom *atoms;
    size_t count;
    struct pursuit_point *curve; /* after each step */
    size_t curve_count, curve_cap;
    double residual;
    size_t steps;
};
void pursuit_release(struct pursuit *p);

struct pursuit_problem {
    const struct vector_rows *rows;
    const uint32_t *which; /* candidates, ascending */
    size_t n;
    const float *targets; /* [count][width] */
    size_t count;
    size_t budget;     /* of each target */
    bool *taken;       /* [rows]: no candidate; near copies of held rows are entered */
    const float *held; /* [held_count][width] rows chosen before */
    size_t held_count;
};

/* out has room for `count`.  The same for any number of threads and any order of candidates
 * but for exact ties, which go to the lower row. */
winnow_status pursuit_run(const struct pursuit_problem *p, const struct pursuit_options *opt,
                          const struct kernels *k, struct pool *pool, const struct winnow_env *env,
                          struct pursuit *out, struct winnow_error *err);

/* sqrt(2 ln n / width): what the best of n rows of noise reaches. */
double pursuit_noise_floor(size_t n, size_t width);

/* The largest budget that cosamp is sure of, and that a shard should have. */
size_t pursuit_budget_max(size_t n, size_t width);

#endif /* WINNOW_SELECT_PURSUIT_H */
