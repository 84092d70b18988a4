/* checkpoint.c -- a trainer's state in one file, docs/formats/checkpoint.md.
 *
 * Numbers are written as they lie in memory, so what is loaded is what was
 * saved, bit for bit. */
#include "base/state_file.h"
#include "train/trainer_internal.h"

#define KIND "winnowC1"

struct header {
    uint64_t model;   /* fingerprint of the model's shape */
    uint64_t options; /* of the schedule and optimizer */
    uint64_t steps;
    double flops;
    uint64_t count;
};

static uint64_t fingerprint(const double *numbers, size_t n)
{
    return hash64((struct str){(const char *)numbers, n * sizeof *numbers}, 0);
}

static struct header header_of(const struct trainer *t)
{
    const struct model_config *c = model_config(t->model);
    const struct trainer_options *o = &t->opt;
    double shape[] = {
        c->vocab,       c->dim,      c->layers,    c->heads,        c->kv_heads,
        c->head_dim,    c->ffn,      c->norm_eps,  c->rope_base,    (double)c->rope_scaling,
        c->rope_factor, c->rope_low, c->rope_high, c->rope_context, c->tied,
        c->qkv_bias,    c->out_bias, c->mlp_bias};
    double options[] = {(double)o->compute,
                        (double)o->steps,
                        (double)o->warmup,
                        o->lr,
                        o->lr_end,
                        o->beta1,
                        o->beta2,
                        o->eps,
                        o->weight_decay,
                        o->clip,
                        (double)o->optimizer,
                        o->momentum,
                        (double)o->average,
                        o->dropout,
                        (double)o->dropout_seed};
    size_t numbers = sizeof options / sizeof *options;
    numbers -= o->dropout > 0 ? 0 : 2;
    if (o->average == 0 && !(o->dropout > 0)) { /* AdamW alone knows none of the three before */
        numbers -= o->optimizer == TRAINER_ADAMW ? 3 : 1;
    }
    struct header h = {.model = fingerprint(shape, sizeof shape / sizeof *shape),
                       .options = fingerprint(options, numbers),
                       .steps = t->steps,
                       .flops = t->flops,
                       .count = t->count};
    return h;
}

winnow_status trainer_save(const struct trainer *t, const char *path, struct winnow_error *err)
{
    struct header h = header_of(t);
    size_t each = t->count * sizeof(float);
    const struct str parts[] = {
        state_part(&h, sizeof h), state_part(model_values_const(t->model), each),
        state_part(t->m, each), state_part(t->v, each), state_part(t->average, each)};
    size_t count = sizeof parts / sizeof *parts;
    return state_file_write(path, KIND, parts, t->average ? count : count - 1, err);
}

static winnow_status read_state(struct trainer *t, struct state_file *f, struct winnow_error *err)
{
    struct header h, own = header_of(t);
    size_t each = t->count * sizeof(float);
    if (!state_file_take(f, &h, sizeof h) || h.model != own.model || h.count != own.count ||
        f->left.len != (t->average ? 4 : 3) * each) {
        return error_set(err, WINNOW_E_FORMAT, "checkpoint of a model of another shape");
    }
    if (h.options != own.options) {
        return error_set(err, WINNOW_E_FORMAT,
                         "checkpoint of a training with other options (schedule or optimizer)");
    }
    (void)state_file_take(f, model_values(t->model), each);
    (void)state_file_take(f, t->m, each);
    (void)state_file_take(f, t->v, each);
    if (t->average) {
        (void)state_file_take(f, t->average, each);
    }
    t->steps = h.steps;
    t->flops = h.flops;
    engine_weights_changed(t->engine);
    return WINNOW_OK;
}

winnow_status trainer_load(struct trainer *t, const char *path, struct winnow_error *err)
{
    struct state_file f;
    TRY(state_file_open(path, KIND, &f, err));
    winnow_status st = read_state(t, &f, err);
    state_file_close(&f);
    return st == WINNOW_OK ? st : error_wrap(err, st, "%s", path);
}
