/* effects.h -- what a treatment does to an outcome, by strata of what confounds both.
 *
 *     naive       mean Y of the treated less mean Y of the others
 *     back-door   sum over z of P(z) (E[Y | 1, z] - E[Y | 0, z])       Pearl's adjustment
 *
 * after Elazar et al. 2207.14251, who count an empty cell as 0; here strata without both kinds
 * are left out, P(z) is over those that stay, and how many rows they have is told.
 */
#ifndef WINNOW_STUDY_EFFECTS_H
#define WINNOW_STUDY_EFFECTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct effect_row {
    uint64_t stratum;
    uint32_t unit; /* rows of a unit are drawn together */
    bool treated, outcome;
};

struct effect {
    size_t rows, treated, used;   /* used: rows of strata with both kinds */
    size_t outcomes;              /* rows whose outcome is true */
    size_t strata, strata_used;   /* used: with both kinds */
    size_t redraws, redraws_used; /* used: in which an effect can be told */
    double naive, adjusted;       /* NaN where it cannot be told */
    double low, high;             /* of adjusted, 95 %, by redraws of units */
};

struct effect effect_of(const struct effect_row *rows, size_t count, uint32_t units,
                        uint32_t redraws, uint64_t seed);

#endif /* WINNOW_STUDY_EFFECTS_H */
