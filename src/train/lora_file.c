/* lora_file.c -- a LoRA training's state in one file (docs/formats/checkpoint.md),
 * and its adapter as peft has it. */
#include "base/json_write.h"
#include "base/mem.h"
#include "base/state_file.h"
#include "model/safetensors.h"
#include "train/lora_internal.h"

#include <stdio.h>

#define KIND "winnowL1"

struct header {
    uint64_t model;   /* hash of the model that the adapters were put on */
    uint64_t options; /* of the schedule, optimizer and adapters */
    uint64_t steps;
    double flops;
    uint64_t count;
};

static uint64_t hash_numbers(const double *numbers, size_t n)
{
    return hash64((struct str){(const char *)numbers, n * sizeof *numbers}, 0);
}

static struct header header_of(const struct lora *l)
{
    const struct trainer_options *o = &l->opt.trainer;
    double options[] = {(double)o->compute, (double)o->steps, (double)o->warmup, o->lr,
                        o->lr_end,          o->beta1,         o->beta2,          o->eps,
                        o->weight_decay,    o->clip,          l->opt.alpha,      l->opt.rank,
                        (double)l->opt.seed};
    size_t base = (size_t)(l->whole - l->base);
    struct header h = {.model = hash64(state_part(l->base, base * sizeof *l->base), 0),
                       .options = hash_numbers(options, sizeof options / sizeof *options),
                       .steps = l->steps,
                       .flops = l->flops,
                       .count = l->count};
    return h;
}

winnow_status lora_save(const struct lora *l, const char *path, struct winnow_error *err)
{
    struct header h = header_of(l);
    size_t each = l->count * sizeof(float);
    const struct str parts[] = {state_part(&h, sizeof h), state_part(l->values, each),
                                state_part(l->m, each), state_part(l->v, each)};
    return state_file_write(path, KIND, parts, sizeof parts / sizeof *parts, err);
}

static winnow_status read_state(struct lora *l, struct state_file *f, struct winnow_error *err)
{
    struct header h, own = header_of(l);
    size_t each = l->count * sizeof(float);
    if (!state_file_take(f, &h, sizeof h) || h.model != own.model || h.count != own.count ||
        f->left.len != 3 * each) {
        return error_set(err, WINNOW_E_FORMAT, "checkpoint of a training on another model or rank");
    }
    if (h.options != own.options) {
        return error_set(err, WINNOW_E_FORMAT,
                         "checkpoint of a training with other options (schedule, seed or alpha)");
    }
    (void)state_file_take(f, l->values, each);
    (void)state_file_take(f, l->m, each);
    (void)state_file_take(f, l->v, each);
    l->steps = h.steps;
    l->flops = h.flops;
    lora_merge(l);
    return WINNOW_OK;
}

winnow_status lora_load(struct lora *l, const char *path, struct winnow_error *err)
{
    struct state_file f;
    TRY(state_file_open(path, KIND, &f, err));
    winnow_status st = read_state(l, &f, err);
    state_file_close(&f);
    return st == WINNOW_OK ? st : error_wrap(err, st, "%s", path);
}

static winnow_status write_config(const struct lora *l, const char *path, const char *base,
                                  struct winnow_error *err)
{
    static const char *const TARGETS[] = {"q_proj",    "k_proj",  "v_proj",   "o_proj",
                                          "gate_proj", "up_proj", "down_proj"};
    struct buf out = {0};
    struct json_writer w = {.out = &out, .pretty = true};
    json_open(&w, '{');
    json_member_text(&w, "peft_type", "LORA");
    json_member_text(&w, "task_type", "CAUSAL_LM");
    json_member_text(&w, "base_model_name_or_path", base);
    json_member_u64(&w, "r", l->opt.rank);
    json_member_double(&w, "lora_alpha", l->opt.alpha);
    json_member_double(&w, "lora_dropout", 0);
    json_member_text(&w, "bias", "none");
    json_member_bool(&w, "fan_in_fan_out", false);
    json_member_bool(&w, "inference_mode", true);
    json_member_open(&w, "target_modules", '[');
    for (size_t i = 0; i < sizeof TARGETS / sizeof *TARGETS; i++) {
        json_text(&w, TARGETS[i]);
    }
    json_close(&w, ']');
    json_close(&w, '}');
    buf_add_char(&out, '\n');
    winnow_status st = file_write_atomic(path, buf_str(&out), err);
    buf_release(&out);
    return st;
}

/* "model.layers.0.self_attn.q_proj.weight" as peft names its factors. */
static const char *factor_name(const struct lora_adapter *a, char factor, char name[128])
{
    struct str tensor = str_of(a->tensor->name);
    size_t stem = tensor.len - (sizeof ".weight" - 1);
    (void)snprintf(name, 128, "base_model.model.%.*s.lora_%c.weight", (int)stem, tensor.ptr,
                   factor);
    return name;
}

winnow_status lora_write_adapter(const struct lora *l, const char *folder, const char *base,
                                 struct winnow_error *err)
{
    struct buf path = {0};
    winnow_status st = file_make_dirs(folder, err);
    size_t count = 2 * l->adapter_count;
    struct safetensors_item *items = mem_zalloc(count * sizeof *items);
    char(*names)[128] = mem_zalloc(count * sizeof *names);
    for (size_t i = 0; i < l->adapter_count; i++) {
        const struct lora_adapter *a = &l->adapters[i].adapter;
        items[2 * i] = (struct safetensors_item){.name = factor_name(a, 'A', names[2 * i]),
                                                 .values = l->values + a->a,
                                                 .shape = {l->opt.rank, a->tensor->cols},
                                                 .dims = 2};
        items[2 * i + 1] = (struct safetensors_item){.name = factor_name(a, 'B', names[2 * i + 1]),
                                                     .values = l->values + a->b,
                                                     .shape = {a->tensor->rows, l->opt.rank},
                                                     .dims = 2};
    }
    if (st == WINNOW_OK) {
        st = safetensors_write(file_join(&path, folder, "adapter_model.safetensors"), items, count,
                               TENSOR_F32, err);
    }
    if (st == WINNOW_OK) {
        st = write_config(l, file_join(&path, folder, "adapter_config.json"), base, err);
    }
    mem_free(items);
    mem_free(names);
    buf_release(&path);
    return st;
}
