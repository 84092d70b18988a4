/* mix_plan.c -- budgets into targets, targets into copies.
 *
 * Targets: groups with epochs of their own come first; the rest of the budget goes to the others
 * by weight, and what a group may not take (its cap, --epochs-max) goes to those that may.
 *
 * The curve: copies(q) = C ((q - d) / (1 - d))^p above d, rounded, at most M.  With rounding, a
 * document has k copies from where the curve is k - 1/2: copies rise with the score and never
 * fall.  C is what makes the mean over the group its epochs.  OLMo 3's data were upsampled by such
 * curves in place of a threshold, with a cap on copies; this form, steps included, is ours. */
#include "mix/mix_plan.h"

#include <math.h>

#define CURVE_STEPS 300
#define NEARLY      1e-9

double mix_plan_most(const struct winnow_mix_options *opt)
{
    return opt->upsample_max * (1 - opt->upsample_drop);
}

static double limit_of(const struct winnow_mix_options *opt, const struct mix_group *g)
{
    double units = (double)g->units, most = opt->epochs_max * units;
    if (!isnan(g->epochs)) {
        most = g->epochs * units;
    }
    if (opt->upsample) {
        most = fmin(most, mix_plan_most(opt) * units);
    }
    return isnan(g->cap) ? most : fmin(most, g->cap);
}

/* By weight, up to each group's limit: what does not fit in one goes to the others. */
static void share_out(const struct winnow_mix_options *opt, struct mix_groups *g, double rest)
{
    for (bool again = true; again;) {
        double weights = 0, left = rest;
        again = false;
        for (size_t i = 0; i < g->count; i++) {
            const struct mix_group *group = &g->items[i];
            bool open = group->weight > 0 && group->target < 0;
            weights += open ? group->weight : 0;
            left -= group->weight > 0 && group->target >= 0 ? group->target : 0;
        }
        for (size_t i = 0; i < g->count && weights > 0; i++) {
            struct mix_group *group = &g->items[i];
            double share = fmax(left, 0) * group->weight / weights, limit = limit_of(opt, group);
            if (group->weight > 0 && group->target < 0 && share > limit) {
                group->target = limit;
                again = true;
            }
        }
        for (size_t i = 0; i < g->count && !again && weights > 0; i++) {
            struct mix_group *group = &g->items[i];
            if (group->weight > 0 && group->target < 0) {
                group->target = fmax(left, 0) * group->weight / weights;
            }
        }
    }
}

void mix_plan_targets(const struct winnow_mix_options *opt, struct mix_groups *g,
                      struct mix_budget *out)
{
    double fixed = 0, natural = 0;
    for (size_t i = 0; i < g->count; i++) {
        struct mix_group *group = &g->items[i];
        bool has = !isnan(group->epochs);
        group->weight = has ? 0 : group->weight;
        group->target = has ? limit_of(opt, group) : group->weight > 0 ? -1 : 0;
        fixed += has ? group->target : 0;
        natural += group->weight > 0 ? (double)group->units : 0;
    }
    double budget = out->budget > 0 ? out->budget : fixed + natural;
    out->over_fixed = fixed > budget * (1 + NEARLY);
    share_out(opt, g, fmax(budget - fixed, 0));
    out->reached = 0;
    for (size_t i = 0; i < g->count; i++) {
        out->reached += g->items[i].target;
    }
    out->budget = budget;
}

/* ---- copies ---- */

/* Where the curve comes to k - 1/2. */
static double cut_at(const struct winnow_mix_options *opt, double c, uint32_t k)
{
    double d = opt->upsample_drop;
    return d + (1 - d) * pow((k - 0.5) / c, 1 / opt->upsample_power);
}

static double mean_copies(const struct winnow_mix_options *opt, double c)
{
    double mean = 0;
    for (uint32_t k = 1; k <= opt->upsample_max; k++) {
        mean += fmax(0, 1 - cut_at(opt, c, k));
    }
    return mean;
}

static size_t curve_cuts(const struct winnow_mix_options *opt, double epochs,
                         double cuts[MIX_COPIES_MAX])
{
    double low = log(0.5), high = log(1e300);
    for (int i = 0; i < CURVE_STEPS; i++) {
        double middle = (low + high) / 2;
        *(mean_copies(opt, exp(middle)) < epochs ? &low : &high) = middle;
    }
    size_t n = 0;
    for (uint32_t k = 1; k <= opt->upsample_max && k <= MIX_COPIES_MAX; k++) {
        double cut = cut_at(opt, exp(high), k);
        if (cut < 1) {
            cuts[n++] = cut;
        }
    }
    return n;
}

size_t mix_plan_cuts(const struct winnow_mix_options *opt, double epochs, uint32_t *base,
                     double cuts[MIX_COPIES_MAX])
{
    *base = 0;
    if (epochs <= 0) {
        return 0;
    }
    if (opt->upsample) {
        return curve_cuts(opt, epochs, cuts);
    }
    double whole = floor(epochs + NEARLY), more = epochs - whole;
    *base = (uint32_t)whole;
    if (more <= NEARLY) {
        return 0;
    }
    cuts[0] = 1 - more;
    return 1;
}

uint32_t mix_plan_copies(const struct mix_group *g, const struct mix_place *place)
{
    uint32_t copies = g->base;
    for (size_t i = 0; i < g->cut_count && mix_place_compare(&g->cuts[i], place) <= 0; i++) {
        copies++;
    }
    return copies;
}
