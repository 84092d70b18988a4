/* synth_plan.c -- see synth_plan.h.
 *
 * A prompt's place in a seed's order is drawn by its weight: the least of -ln(u) / weight comes
 * first, which is a draw without replacement (Efraimidis and Spirakis 2006).  u is a hash of the
 * seed's text, the prompt's name and the run's seed, so neither other prompts nor other
 * documents have a part in it. */
#include "synth/synth_plan.h"

#include "base/hash.h"
#include "base/mem.h"
#include "base/rng.h"
#include "base/sort.h"

#include <math.h>

void synth_plan_init(struct synth_plan *p, const struct winnow_synthesize_options *opt,
                     const struct synth_prompts *prompts, const struct synth_seeds *seeds,
                     uint64_t seed)
{
    uint64_t rounds = opt->per_seed < prompts->count ? opt->per_seed : prompts->count;
    uint64_t most = seeds->count * rounds;
    *p = (struct synth_plan){.prompts = prompts, .seeds = seeds->count, .seed = seed};
    p->requests = opt->documents > 0 && opt->documents < most ? opt->documents : most;
}

struct placed {
    double key;
    uint32_t prompt;
};

static int by_key(const void *a, const void *b)
{
    const struct placed *x = a, *y = b;
    if (x->key < y->key || x->key > y->key) {
        return x->key < y->key ? -1 : 1;
    }
    return x->prompt < y->prompt ? -1 : x->prompt > y->prompt;
}

void synth_plan_request(const struct synth_plan *p, uint64_t number, struct str text,
                        uint32_t *order, struct synth_request *out)
{
    size_t count = p->prompts->count;
    uint64_t key = hash64(text, p->seed);
    struct placed *placed = mem_alloc(count * sizeof *placed);
    for (size_t i = 0; i < count; i++) {
        const struct synth_prompt *prompt = &p->prompts->items[i];
        uint64_t draw = rng_mix(key ^ rng_mix(hash64(str_of(prompt->name), p->seed)));
        double u = ((double)(draw >> 11) + 0.5) * 0x1.0p-53;
        placed[i] = (struct placed){-log(u) / (double)prompt->weight, (uint32_t)i};
    }
    sort(placed, count, sizeof *placed, by_key);
    for (size_t i = 0; i < count; i++) {
        order[i] = placed[i].prompt;
    }
    mem_free(placed);
    uint32_t round = (uint32_t)(number / p->seeds);
    *out = (struct synth_request){.seed = synth_plan_seed_of(p, number),
                                  .round = round,
                                  .order = order,
                                  .sampling = rng_mix(key + round) & INT32_MAX};
}
