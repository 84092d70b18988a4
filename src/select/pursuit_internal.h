/* pursuit_internal.h -- one target on its way, for pursuit.c and pursuit_*.c. */
#ifndef WINNOW_SELECT_PURSUIT_INTERNAL_H
#define WINNOW_SELECT_PURSUIT_INTERNAL_H

#include "base/env.h"
#include "select/pursuit.h"

/* Candidates that become columns together. */
#define CHASE_BLOCK 128U

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
    size_t had; /* of them, when the step began */

    /* Behind them, candidates that may become some. */
    size_t fresh, next;       /* how many; the first candidate that was not looked at */
    bool near[CHASE_BLOCK];   /* to a row held from before */
    size_t copies;            /* such were found since the last look */
    const double *held_tails; /* chase_tail() of each row held */

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

/* Columns that a step lets in at most. */
size_t chase_room(const struct chase *c);

/* The next block of candidates, until there are none: how many.  Each is widened, then each tile
 * multiplied, in any order; then they come in as far as they may. */
size_t chase_fetch(struct chase *c);
void chase_widen(struct chase *c, size_t i);
size_t chase_tiles(const struct chase *c);
void chase_multiply(struct chase *c, size_t tile);
void chase_accept(struct chase *c);

/* Whether there is room because candidates were copies of rows held from before. */
bool chase_look_again(struct chase *c);

/* The square of x without the first eighth of each part. */
double chase_tail(const struct chase *c, const float *x);

/* Keeps the columns whose keep[] is not 0, in their order. */
void chase_compact(struct chase *c, const unsigned char *keep);

/* Fits what came in; sets done at the end. */
void chase_step(struct chase *c);

#endif /* WINNOW_SELECT_PURSUIT_INTERNAL_H */
