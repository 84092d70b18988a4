/* sampler_choose.c -- each step is made of what helps a target most among several times as many
 * candidates, as the optimizer would step on them: GREATS (Wang et al. 2024) and, after, OPUS (Wang
 * et al. 2026, 2602.05400), whose settings that are not public are our choice.
 *
 * With V the gradient of the target's mean loss before the step, D what the optimizer multiplies
 * gradients by (1 / (sqrt(v) + eps) of AdamW; 1 of SGD, of Muon and of AdamW's first step), g the
 * mean gradient of a candidate's tokens, and N the tokens of a step,
 *
 *     gain        <V, D g>
 *     redundancy  rate / N * <D g, sum of D g_j over the tokens picked>
 *
 * The first is exact over all weights, from the backward pass of the candidates
 * (engine/examples.h); the second is of CountSketches of the layers' matrices from the same pass.
 * The choice (train/batch_choice.h) is made of the weights of its step alone, so it belongs to the
 * learner: a training that goes on reads the candidates of earlier steps again and chooses nothing.
 *
 * The last pick is cut where the batch is full. */
#include "base/mem.h"
#include "base/rng.h"
#include "engine/examples.h"
#include "train/batch_choice.h"
#include "train/sampling.h"

#include <string.h>

#define WIDTH 2048U /* numbers of a sketch */

struct choosing {
    const struct winnow_sampling *opt;
    const struct token_batch *target;
    struct trainer *trainer;
    struct learner inner;
    struct sampler candidates;
    uint64_t batch_tokens, seed;
    size_t count; /* numbers of the model */
    float *direction, *scale;
    struct engine_examples *examples;
    /* By candidate. */
    size_t cap;
    double *dots, *scratch;
    float *sketches, *weights;
    uint32_t *tokens;
    size_t *picks;
    /* What is trained on. */
    struct u32_list chosen, targets, starts;
    struct token_batch batch;
    double flops;
};

static double reads(const struct winnow_sampling *o)
{
    return o->candidates;
}

static double pass_flops(const struct choosing *c, const struct token_batch *b)
{
    double sum = 0;
    for (size_t i = 0; i < b->sequences; i++) {
        sum += 3 * model_config_flops(model_config(trainer_model(c->trainer)),
                                      b->starts[i + 1] - b->starts[i]);
    }
    return sum;
}

static void make_room(struct choosing *c, size_t sequences)
{
    if (sequences <= c->cap) {
        return;
    }
    mem_free(c->dots);
    mem_free(c->sketches);
    mem_free(c->tokens);
    mem_free(c->picks);
    c->cap = sequences + sequences / 2;
    c->dots = mem_alloc(3 * c->cap * sizeof *c->dots);
    c->scratch = c->dots + c->cap;
    c->sketches = mem_alloc((WIDTH + 1) * c->cap * sizeof *c->sketches);
    c->weights = c->sketches + WIDTH * c->cap;
    c->tokens = mem_alloc(c->cap * sizeof *c->tokens);
    c->picks = mem_alloc(c->cap * sizeof *c->picks);
}

/* ---- what candidates promise ---- */

static winnow_status find_direction(struct choosing *c, struct winnow_error *err)
{
    double nll;
    for (size_t i = 0; i < c->count; i++) {
        c->direction[i] = 0;
        c->scale[i] = 1;
    }
    TRY(engine_gradient(trainer_engine(c->trainer), c->target,
                        (float)(1.0 / (double)batch_targets(c->target)), c->direction, &nll, NULL,
                        err));
    if (trainer_precondition(c->trainer, c->scale)) {
        (void)trainer_precondition(c->trainer, c->direction);
    }
    return WINNOW_OK;
}

/* Gains, and sketches of mean gradients. */
static winnow_status weigh_candidates(struct choosing *c, const struct token_batch *b,
                                      struct winnow_error *err)
{
    struct token_batch plain = *b;
    plain.weights = NULL;
    const struct example_results out = {.dots = c->dots, .sketches = c->sketches};
    TRY(engine_gradient_examples(trainer_engine(c->trainer), &plain, 1, NULL, c->examples, &out,
                                 err));
    for (size_t s = 0; s < b->sequences; s++) {
        uint32_t n = 0, end = b->starts[s + 1];
        for (uint32_t i = b->starts[s]; i < end; i++) {
            n += batch_target(b, i, end) != BATCH_NO_TARGET;
        }
        float each = n > 0 ? 1 / (float)n : 0;
        c->tokens[s] = n > 0 ? end - b->starts[s] : 0;
        c->dots[s] *= (double)each;
        for (size_t i = 0; i < WIDTH; i++) {
            c->sketches[s * WIDTH + i] *= each;
        }
    }
    return WINNOW_OK;
}

/* ---- the batch ---- */

/* The candidate's first `most` tokens. */
static void take_candidate(struct choosing *c, const struct token_batch *b, size_t s, uint64_t most)
{
    uint32_t from = b->starts[s], end = b->starts[s + 1];
    uint32_t n = end - from < most ? end - from : (uint32_t)most;
    for (uint32_t i = 0; i < n; i++) {
        u32_list_add(&c->chosen, b->tokens[from + i]);
        u32_list_add(&c->targets, batch_target(b, from + i, end));
    }
    c->weights[c->starts.len - 1] = b->weights ? b->weights[s] : 1;
    u32_list_add(&c->starts, (uint32_t)c->chosen.len);
}

static void fill_batch(struct choosing *c, const struct token_batch *b, size_t picks)
{
    c->chosen.len = c->targets.len = c->starts.len = 0;
    u32_list_add(&c->starts, 0);
    for (size_t i = 0; i < picks; i++) {
        uint64_t left = c->batch_tokens - c->chosen.len;
        take_candidate(c, b, c->picks[i], left);
    }
    c->batch = (struct token_batch){c->chosen.ptr, c->starts.ptr, c->starts.len - 1, c->targets.ptr,
                                    c->weights};
}

static winnow_status choose(struct choosing *c, const struct token_batch *b,
                            struct winnow_error *err)
{
    struct rng r;
    uint64_t step = trainer_steps(c->trainer);
    rng_init(&r, rng_mix(c->seed) ^ (step + 1), "choose");
    make_room(c, b->sequences);
    TRY(find_direction(c, err));
    TRY(weigh_candidates(c, b, err));
    const struct choice_of_batch choice = {
        .gain = c->dots,
        .tokens = c->tokens,
        .count = b->sequences,
        .sketches = c->sketches,
        .width = WIDTH,
        .penalty = c->opt->redundancy * trainer_next_rate(c->trainer) / (double)c->batch_tokens,
        .budget = c->batch_tokens,
        .temperature = c->opt->sampler == WINNOW_OPUS ? c->opt->temperature : 0,
        .rng = &r};
    fill_batch(c, b, batch_choice(&choice, c->picks, c->scratch));
    return WINNOW_OK;
}

/* ---- as a learner and a sampler ---- */

static winnow_status add(void *of, const struct token_batch *b, uint64_t targets_total, double *nll,
                         struct winnow_error *err)
{
    (void)targets_total; /* of all candidates */
    struct choosing *c = of;
    TRY(choose(c, b, err));
    for (size_t s = 0; nll && s < b->sequences; s++) {
        nll[s] = 0; /* of candidates nobody is told */
    }
    return trainer_add(c->trainer, &c->batch, batch_targets(&c->batch), err);
}

static winnow_status update(void *of, struct trainer_result *out, struct winnow_error *err)
{
    return trainer_update(((struct choosing *)of)->trainer, out, err);
}

static uint64_t steps(const void *of)
{
    return trainer_steps(((const struct choosing *)of)->trainer);
}

static double flops_of(const void *of)
{
    return trainer_flops(((const struct choosing *)of)->trainer);
}

static struct engine *engine(void *of)
{
    return trainer_engine(((struct choosing *)of)->trainer);
}

static float *values(void *of, size_t *count)
{
    struct choosing *c = of;
    return c->inner.kind->values(c->inner.of, count);
}

static void changed(void *of)
{
    struct choosing *c = of;
    c->inner.kind->changed(c->inner.of);
}

static winnow_status save(const void *of, const char *path, struct winnow_error *err)
{
    return trainer_save(((const struct choosing *)of)->trainer, path, err);
}

static winnow_status load(void *of, const char *path, struct winnow_error *err)
{
    return trainer_load(((struct choosing *)of)->trainer, path, err);
}

static void no_free(void *of)
{
    (void)of; /* the home's */
}

/* What a step costs is known from its candidates, whoever did it. */
static winnow_status next_batch(void *state, struct sampler_batch *out, bool *more,
                                struct winnow_error *err)
{
    struct choosing *c = state;
    TRY(c->candidates.next(c->candidates.state, out, more, err));
    if (*more) {
        c->flops += pass_flops(c, &out->batch) * 4 / 3 + pass_flops(c, c->target);
    }
    return WINNOW_OK;
}

uint64_t sampling_target_memory(const struct model_config *c)
{
    return 2 * model_config_parameters(c) * sizeof(float) + ((uint64_t)8 << 20);
}

/* ---- the way to train ---- */

static void choosing_free(void *state)
{
    struct choosing *c = state;
    engine_examples_free(c->examples);
    mem_free(c->direction);
    mem_free(c->dots);
    mem_free(c->sketches);
    mem_free(c->tokens);
    mem_free(c->picks);
    u32_list_release(&c->chosen);
    u32_list_release(&c->targets);
    u32_list_release(&c->starts);
    mem_free(c);
}

static winnow_status choosing_new(const struct sampling_home *home, struct choosing *c,
                                  struct winnow_error *err)
{
    c->count = model_values_count(trainer_model(c->trainer));
    c->direction = mem_try_alloc(2 * c->count * sizeof *c->direction);
    if (!c->direction) {
        return error_set(err, WINNOW_E_NOMEM, "no memory for the target's gradient");
    }
    c->scale = c->direction + c->count;
    const struct example_options how = {
        .direction = c->direction, .hashed = WIDTH, .seed = home->seed, .scale = c->scale};
    return engine_examples_new(trainer_engine(c->trainer), &how, &c->examples, err);
}

static winnow_status choosing_open(const struct sampling_home *home, struct sampling *s,
                                   struct winnow_error *err)
{
    static const struct learner_kind KIND = {add,    update,  steps, flops_of, engine,
                                             values, changed, save,  load,     no_free};
    struct choosing *c = mem_zalloc(sizeof *c);
    *c = (struct choosing){.opt = home->opt,
                           .target = home->target,
                           .trainer = home->trainer,
                           .inner = home->learner,
                           .candidates = home->inner,
                           .batch_tokens = home->packer->batch_tokens,
                           .seed = home->seed};
    winnow_status st = choosing_new(home, c, err);
    if (st != WINNOW_OK) {
        choosing_free(c);
        return st;
    }
    s->state = c;
    s->learner = (struct learner){c, &KIND};
    s->sampler = (struct sampler){.state = c, .next = next_batch};
    return WINNOW_OK;
}

static double choosing_flops(const void *state)
{
    return ((const struct choosing *)state)->flops;
}

static void choosing_tell(void *state, struct json_writer *w)
{
    const struct choosing *c = state;
    json_member_double(w, "candidates", c->opt->candidates);
    json_member_double(w, "redundancy", c->opt->redundancy);
    json_member_u64(w, "target_tokens", batch_tokens(c->target));
    json_member_double(w, "choosing_flops", c->flops);
}

static const char *const OPUS_OPTIONS[] = {"toward", "candidates", "redundancy", "temperature",
                                           NULL};
static const char *const GREATS_OPTIONS[] = {"toward", "candidates", "redundancy", NULL};

const struct sampling_kind SAMPLER_OPUS = {.name = "opus",
                                           .options = OPUS_OPTIONS,
                                           .reads = reads,
                                           .texts_only = true,
                                           .trainer_only = true,
                                           .by_target = true,
                                           .open = choosing_open,
                                           .close = choosing_free,
                                           .flops = choosing_flops,
                                           .tell = choosing_tell};
const struct sampling_kind SAMPLER_GREATS = {.name = "greats",
                                             .options = GREATS_OPTIONS,
                                             .reads = reads,
                                             .texts_only = true,
                                             .trainer_only = true,
                                             .by_target = true,
                                             .open = choosing_open,
                                             .close = choosing_free,
                                             .flops = choosing_flops,
                                             .tell = choosing_tell};
