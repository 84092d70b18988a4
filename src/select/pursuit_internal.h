/* pursuit_internal.h -- one target on its way, for pursuit.c and pursuit_step.c. */
#ifndef WINNOW_SELECT_PURSUIT_INTERNAL_H
#define WINNOW_SELECT_PURSUIT_INTERNAL_H

#include "base/env.h"
#include "select/pursuit.h"

struct chase {
    const struct pursuit_problem *p;
    const struct pursuit_options *opt;
    const struct kernels *k;
    enum pursuit_way way;
    const float *b;
    double norm; /* of b */
    size_t width;

    /* Columns in the fit. */
    uint32_t *rows;
    float *columns; /* [cap][width] */
    double *gram;   /* [cap][cap] */
    double *c, *w;
    size_t count, cap;

    double *residual;      /* [width] */
    double size;           /* its norm */
    unsigned char *banned; /* [n] of rows that came in and were not wanted; omp and block */

    uint32_t *candidates; /* places in `which`, by falling correlation */
    size_t candidate_count, candidate_cap;
    float *heap; /* their correlations while they are looked for */

    bool done;
    winnow_status status;
    struct winnow_error err;
    struct pursuit *out;
};

winnow_status chase_open(struct chase *c, struct winnow_error *err);
void chase_release(struct chase *c);

/* From the correlations of all candidates with the residual: the best ones. */
void chase_look(struct chase *c, const float *correlations);

/* Fits them; sets done at the end. */
void chase_step(struct chase *c);

#endif /* WINNOW_SELECT_PURSUIT_INTERNAL_H */
