/* synth_plan.h -- which seed is shown to the writer with which prompt, and with what chance. */
#ifndef WINNOW_SYNTH_SYNTH_PLAN_H
#define WINNOW_SYNTH_SYNTH_PLAN_H

#include "synth/synth_prompts.h"
#include "synth/synth_seeds.h"

/* Requests have numbers from 0: first all seeds once, in their order, then all of them a second
 * time, with another prompt each. */
struct synth_plan {
    const struct synth_prompts *prompts;
    size_t seeds;
    uint64_t requests;
    uint64_t seed; /* of the run */
};

void synth_plan_init(struct synth_plan *p, const struct winnow_synthesize_options *opt,
                     const struct synth_prompts *prompts, const struct synth_seeds *seeds,
                     uint64_t seed);

struct synth_request {
    size_t seed;       /* in the order of asking */
    uint32_t round;    /* the how-manieth time that it is shown, from 0 */
    uint32_t *order;   /* all prompts, as they are drawn for this seed */
    uint64_t sampling; /* of the writer's chance; 31 bits */
};

/* order has room for all prompts; text is the seed's. */
void synth_plan_request(const struct synth_plan *p, uint64_t number, struct str text,
                        uint32_t *order, struct synth_request *out);

static inline size_t synth_plan_seed_of(const struct synth_plan *p, uint64_t number)
{
    return (size_t)(number % p->seeds);
}

#endif /* WINNOW_SYNTH_SYNTH_PLAN_H */
