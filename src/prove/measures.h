/* measures.h -- what the readings of all arms and seeds say: means, differences
 * from the baseline, intervals.
 *
 * An interval comes from two places.  By bootstrap, seeds and observations
 * (texts; items; whole subtasks where a task has them) are drawn again with
 * replacement, the same draw for all arms, and the statistic is computed anew:
 * it answers for the choice of texts too.  By Student's t over the paired
 * differences of seeds: it answers for few seeds, which a bootstrap cannot.
 * Tests are those of t.
 */
#ifndef WINNOW_PROVE_MEASURES_H
#define WINNOW_PROVE_MEASURES_H

#include "prove/schedule.h"
#include "prove/stats.h"

struct measure {
    const char *name, *label, *unit;
    bool lower_is_better, primary;
    bool macro;       /* over everything: the mean of the domains */
    bool nll;         /* a mean over tokens; else over items */
    bool clusters;    /* strata are drawn, not observations */
    uint32_t domains; /* that results are given for: those of the yardstick, or 0 */
    uint32_t *texts;  /* observations: texts or items of the yardstick, by index */
    uint32_t *strata; /* of each: domain, or subtask */
    uint32_t stratum_count;
    double *chance; /* of each item */
    size_t count;
};

/* One arm's number, for a domain or (domain == measure.domains) over all. */
struct cell {
    bool present; /* the domain has observations */
    double *per_seed;
    double mean, sd, low, high; /* bootstrap */
    double bits_per_byte;
    struct stats_paired difference;         /* from the baseline; mean NaN for itself */
    double *differences;                    /* a seed */
    double difference_low, difference_high; /* bootstrap */
    double p_holm;
    double detectable; /* the difference that would be seen 4 times of 5, after the correction */
    uint32_t seeds_better;
};

#define FINDINGS_LEVEL 0.05
#define FINDINGS_POWER 0.8

struct steps_ratio {
    double *per_seed; /* NaN: never reached */
    uint32_t reached;
    double median; /* NaN where half or more never do */
};

struct findings {
    const struct experiment *x;
    const struct outcome *o;
    struct measure *measures;
    uint32_t measure_count, primary;
    struct cell **cells;        /* [measure][arm * (domains + 1) + domain] */
    struct steps_ratio *ratios; /* [2 * arm + (0 raw, 1 clean)] */
    struct arena keep;
};

winnow_status findings_init(struct findings *f, const struct experiment *x, const struct outcome *o,
                            struct winnow_error *err);
void findings_release(struct findings *f);

const struct cell *findings_cell(const struct findings *f, uint32_t measure, uint32_t arm,
                                 uint32_t domain);

/* Refuses a primary measure that this experiment does not have. */
winnow_status findings_check_primary(const struct experiment *x, struct winnow_error *err);

/* The step at which values (falling, at tokens) first come down to target, as a
 * share of the whole; NaN where they never do.  n points. */
double steps_to_reach(const double *tokens, const double *values, size_t n, double target);

#endif /* WINNOW_PROVE_MEASURES_H */
