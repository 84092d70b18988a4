/* sampling.c -- the table of ways to train. */
#include "train/sampling.h"

#include "base/mem.h"

static const char *const NO_OPTIONS[] = {NULL};
static const struct sampling_kind SAMPLER_UNIFORM = {.name = "uniform", .options = NO_OPTIONS};

static const struct sampling_kind *const KINDS[] = {
    [WINNOW_UNIFORM] = &SAMPLER_UNIFORM,   [WINNOW_LFR] = &SAMPLER_LFR,
    [WINNOW_REWEIGHT] = &SAMPLER_REWEIGHT, [WINNOW_OPUS] = &SAMPLER_OPUS,
    [WINNOW_GREATS] = &SAMPLER_GREATS,     [WINNOW_RESAMPLE] = &SAMPLER_RESAMPLE,
};

const struct sampling_kind *sampling_kind_at(size_t i)
{
    return i < sizeof KINDS / sizeof *KINDS ? KINDS[i] : NULL;
}

const struct sampling_kind *sampling_kind_of(const struct winnow_sampling *o)
{
    return KINDS[o->sampler];
}

void sampling_trainer(const struct winnow_sampling *o, uint64_t batch_tokens,
                      struct trainer_options *trainer)
{
    trainer->losses_first = sampling_kind_of(o)->losses_first;
    if (trainer->losses_first && trainer->tokens_max < batch_tokens) {
        trainer->tokens_max = (uint32_t)batch_tokens;
    }
}

double sampling_reads(const struct winnow_sampling *o)
{
    const struct sampling_kind *kind = sampling_kind_of(o);
    return kind->reads ? kind->reads(o) : 1;
}

double sampling_passes(const struct winnow_sampling *o)
{
    const struct sampling_kind *kind = sampling_kind_of(o);
    return kind->passes ? kind->passes(o) : 1;
}

winnow_status sampling_open(const struct sampling_home *home, struct sampling *out,
                            struct winnow_error *err)
{
    *out = (struct sampling){
        .kind = sampling_kind_of(home->opt), .sampler = home->inner, .learner = home->learner};
    return out->kind->open ? out->kind->open(home, out, err) : WINNOW_OK;
}

void sampling_close(struct sampling *s)
{
    if (s->state) {
        s->kind->close(s->state);
        s->state = NULL;
    }
}

double sampling_flops(const struct sampling *s)
{
    return s->state && s->kind->flops ? s->kind->flops(s->state) : 0;
}

struct sampling_document *sampling_documents(const struct sampling *s, size_t count)
{
    if (!s->state || !s->kind->documents) {
        return NULL;
    }
    struct sampling_document *out = mem_zalloc((count + 1) * sizeof *out);
    s->kind->documents(s->state, out);
    return out;
}

void sampling_tell(const struct sampling *s, struct json_writer *w)
{
    if (s->state && s->kind->tell) {
        s->kind->tell(s->state, w);
    }
}
