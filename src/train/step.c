/* step.c -- the rate, clipping and bias correction of a step, and what it is counted as. */
#include "train/step.h"

#include <math.h>

double trainer_rate(const struct trainer_options *o, uint64_t step)
{
    if (step <= o->warmup) {
        return o->lr * (double)step / (double)o->warmup;
    }
    if (step >= o->steps) {
        return o->lr * o->lr_end;
    }
    double done = (double)(step - o->warmup) / (double)(o->steps - o->warmup);
    return o->lr * (o->lr_end + (1 - o->lr_end) * 0.5 * (1 + cos(3.14159265358979323846 * done)));
}

void step_sums_add(struct step_sums *s, const struct model_config *c, const struct token_batch *b,
                   double nll)
{
    s->nll += nll;
    s->targets += batch_targets(b);
    s->tokens += batch_tokens(b);
    for (size_t i = 0; i < b->sequences; i++) {
        s->flops += 3 * model_config_flops(c, b->starts[i + 1] - b->starts[i]);
    }
}

winnow_status step_plan(const struct trainer_options *o, uint64_t step, double norm,
                        struct adamw_step *out, struct winnow_error *err)
{
    double rate = trainer_rate(o, step);
    if (!isfinite(norm)) {
        return error_set(err, WINNOW_E_INTERNAL,
                         "training: the gradient of step %llu is not finite (learning rate %g?)",
                         (unsigned long long)step, rate);
    }
    *out = (struct adamw_step){
        .rate = (float)(rate / (1 - pow(o->beta1, (double)step))),
        .beta1 = (float)o->beta1,
        .beta2 = (float)o->beta2,
        .root = (float)(1 / sqrt(1 - pow(o->beta2, (double)step))),
        .eps = (float)o->eps,
        .decay = (float)(rate * o->weight_decay),
        .gradient = o->clip > 0 && norm > o->clip ? (float)(o->clip / norm) : 1.0F,
    };
    return WINNOW_OK;
}

struct trainer_result step_end(struct step_sums *s, const struct trainer_options *o, uint64_t step,
                               double norm)
{
    const struct trainer_result r = {
        .step = step,
        .loss = s->nll / (double)(s->targets > 0 ? s->targets : 1),
        .grad_norm = norm,
        .lr = trainer_rate(o, step),
        .targets = s->targets,
        .tokens = s->tokens,
        .flops = s->flops,
    };
    *s = (struct step_sums){0};
    return r;
}
