/* mix_plan.h -- how much of each group, and from which place on in it how many copies.
 *
 * Pure functions over numbers.  A group's documents stand in an order (by score, then by a draw)
 * on a line from 0 to 1, each as long as its units; a document whose middle lies at q or above is
 * written once more for each cut at q. */
#ifndef WINNOW_MIX_MIX_PLAN_H
#define WINNOW_MIX_MIX_PLAN_H

#include "mix/mix_groups.h"

#define MIX_COPIES_MAX 100U

/* The targets of all groups.  budget 0: what comes in of groups that have a share.  reached is
 * what they come to; less than budget where limits keep the rest away. */
struct mix_budget {
    double budget, reached;
    bool over_fixed; /* --epochs alone come to more than the budget */
};
void mix_plan_targets(const struct winnow_mix_options *opt, struct mix_groups *g,
                      struct mix_budget *out);

/* Where cuts lie, from the first on, so that a group is written `epochs` times on the mean; their
 * number.  base is what every document has besides. */
size_t mix_plan_cuts(const struct winnow_mix_options *opt, double epochs, uint32_t *base,
                     double cuts[MIX_COPIES_MAX]);

/* The most that a curve can give, in epochs. */
double mix_plan_most(const struct winnow_mix_options *opt);

/* Copies of a document at that place. */
uint32_t mix_plan_copies(const struct mix_group *g, const struct mix_place *place);

#endif /* WINNOW_MIX_MIX_PLAN_H */
