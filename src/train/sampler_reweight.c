/* sampler_reweight.c -- sequences of a step weigh by what they lose in it, after "Dynamic
 * Loss-Based Sample Reweighting" (Sow et al. 2025).
 *
 * With l the mean loss of a sequence, low and high the least and the largest of the step,
 *
 *     h = (2 l - high - low) / (high - low)     in [-1, 1]
 *     f = min(h + 1, 1)    linupper: what is learnt already weighs less
 *         1 - h^2          quadratic: the middle weighs most
 *         |h|              extremes: both ends weigh most
 *     w = exp((f - 1) / temperature)
 *
 * and weights are scaled to a mean of 1 over the targets of the step, so that all steps are as
 * large as plain ones and equal weights are plain training to the bit.  The paper's sequences
 * are all of one length, and then this is its rule.  Ours are as long as documents are, some a
 * few tokens, whose losses lie far out: low and high are taken over sequences of at least
 * ENOUGH targets (over all, where fewer than two are that long), and h is kept in [-1, 1].
 *
 * The first burn_in of the steps is plain.  Nothing is kept from step to step. */
#include "base/mem.h"
#include "train/sampling.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define ENOUGH 32U

struct reweighting {
    const struct winnow_sampling *opt;
    struct learner learner;
    uint64_t burn_in; /* steps */
};

struct bounds {
    double low, high;
    size_t count;
};

static struct bounds find_bounds(const struct engine_losses *l, uint32_t enough)
{
    struct bounds b = {HUGE_VAL, -HUGE_VAL, 0};
    for (size_t s = 0; s < l->sequences; s++) {
        if (l->targets[s] >= enough) {
            double mean = l->nll[s] / l->targets[s];
            b.low = mean < b.low ? mean : b.low;
            b.high = mean > b.high ? mean : b.high;
            b.count++;
        }
    }
    return b;
}

static double curve_at(int curve, double h)
{
    switch (curve) {
    case WINNOW_LINUPPER:
        return h < 0 ? h + 1 : 1;
    case WINNOW_QUADRATIC:
        return 1 - h * h;
    default:
        return fabs(h);
    }
}

static void weigh(void *ctx, const struct engine_losses *l, float *weights)
{
    const struct reweighting *r = ctx;
    struct bounds b = find_bounds(l, ENOUGH);
    b = b.count < 2 ? find_bounds(l, 1) : b;
    double range = b.high - b.low, sum = 0, targets = 0;
    bool plain = r->learner.kind->steps(r->learner.of) < r->burn_in || !(range > 1e-6);
    for (size_t s = 0; s < l->sequences; s++) {
        double w = 1;
        if (!plain && l->targets[s] > 0) {
            double h = (2 * l->nll[s] / l->targets[s] - b.high - b.low) / range;
            h = h < -1 ? -1 : h > 1 ? 1 : h;
            w = exp((curve_at(r->opt->curve, h) - 1) / r->opt->temperature);
        }
        weights[s] = (float)w;
        sum += w * l->targets[s];
        targets += l->targets[s];
    }
    for (size_t s = 0; !plain && s < l->sequences; s++) {
        weights[s] = (float)((double)weights[s] * targets / sum);
    }
}

static winnow_status reweight_open(const struct sampling_home *home, struct sampling *s,
                                   struct winnow_error *err)
{
    (void)err;
    struct reweighting *r = mem_zalloc(sizeof *r);
    *r = (struct reweighting){.opt = home->opt,
                              .learner = home->learner,
                              .burn_in =
                                  (uint64_t)llround(home->opt->burn_in * (double)home->steps)};
    engine_weigh_by(home->learner.kind->engine(home->learner.of), weigh, r);
    s->state = r;
    return WINNOW_OK;
}

static void reweight_close(void *state)
{
    struct reweighting *r = state;
    engine_weigh_by(r->learner.kind->engine(r->learner.of), NULL, NULL);
    mem_free(r);
}

static bool reweight_word(struct winnow_sampling *o, const char *word)
{
    static const char *const CURVES[] = {[WINNOW_LINUPPER] = "linupper",
                                         [WINNOW_QUADRATIC] = "quadratic",
                                         [WINNOW_EXTREMES] = "extremes"};
    for (int i = 0; i <= WINNOW_EXTREMES; i++) {
        if (strcmp(word, CURVES[i]) == 0) {
            o->curve = i;
            return true;
        }
    }
    char *end;
    double temperature = *word >= '0' && *word <= '9' ? strtod(word, &end) : 0;
    if (!(temperature >= 0.01 && temperature <= 1000) || *end != 0) {
        return false;
    }
    o->temperature = temperature;
    return true;
}

static const char *const OPTIONS[] = {"curve", "temperature", "burn-in", NULL};

const struct sampling_kind SAMPLER_REWEIGHT = {.name = "reweight",
                                               .options = OPTIONS,
                                               .losses_first = true,
                                               .word = reweight_word,
                                               .open = reweight_open,
                                               .close = reweight_close};
