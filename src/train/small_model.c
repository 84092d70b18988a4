/* small_model.c -- the options of a small model to shapes, packing and training.
 *
 * Every command that trains one (train, prune, prove, refiner train) comes through
 * here, so the same options give the same model everywhere. */
#include "train/small_model.h"

#include "base/file.h"
#include "base/round.h"
#include "model/model_file.h"

#include <math.h>

winnow_status small_model_check(const struct winnow_small_model *s, struct winnow_error *err)
{
    uint32_t kv = s->kv_heads ? s->kv_heads : s->heads;
    if (s->heads == 0 || s->dim % s->heads != 0 || (s->dim / s->heads) % 2 != 0) {
        return error_set(err, WINNOW_E_USAGE,
                         "--dim %u cannot be shared by --heads %u: each head needs the same, even "
                         "width",
                         s->dim, s->heads);
    }
    if (s->heads % kv != 0) {
        return error_set(err, WINNOW_E_USAGE, "--heads %u is no multiple of --kv-heads %u",
                         s->heads, kv);
    }
    if (s->context > s->batch_tokens) {
        return error_set(err, WINNOW_E_USAGE,
                         "--context %u does not fit into a step of --batch-tokens %llu", s->context,
                         (unsigned long long)s->batch_tokens);
    }
    return WINNOW_OK;
}

struct model_config small_model_shape(const struct winnow_small_model *s)
{
    struct model_config c = MODEL_CONFIG_INIT;
    c.vocab = s->vocab;
    c.dim = s->dim;
    c.layers = s->layers;
    c.heads = s->heads;
    c.kv_heads = s->kv_heads ? s->kv_heads : s->heads;
    c.head_dim = s->dim / s->heads;
    c.ffn = s->ffn ? s->ffn : (uint32_t)round_up(s->dim * 8 / 3, 32);
    c.context = s->context;
    return c;
}

winnow_status small_model_config(const struct winnow_small_model *s, const struct tokenizer *t,
                                 struct model_config *out, struct winnow_error *err)
{
    TRY(small_model_check(s, err));
    struct model_config c = small_model_shape(s);
    c.vocab = tokenizer_vocab_size(t);
    c.bos = tokenizer_bos(t) != TOKENIZER_NONE ? tokenizer_bos(t) : tokenizer_eos(t);
    c.eos = tokenizer_eos(t);
    *out = c;
    return model_config_check(&c, err);
}

winnow_status small_model_train_tokenizer(uint32_t vocab, const struct winnow_env *env,
                                          tokenizer_next_text next_text, void *ctx,
                                          struct tokenizer **out, struct winnow_error *err)
{
    static const char *const SPECIALS[] = {"<|endoftext|>"};
    struct tokenizer_train_options opt = TOKENIZER_TRAIN_OPTIONS_INIT;
    opt.vocab_size = vocab;
    opt.specials = (struct winnow_list){SPECIALS, 1};
    return tokenizer_train(&opt, env, next_text, ctx, out, err);
}

winnow_status small_model_tokenizer(const char *named, const char *file,
                                    small_model_make_tokenizer make, void *ctx,
                                    struct tokenizer **out, struct winnow_error *err)
{
    if (named) {
        return model_load_tokenizer(named, out, err);
    }
    if (file_exists(file)) {
        return tokenizer_load(file, out, err);
    }
    TRY(make(ctx, out, err));
    return tokenizer_save(*out, file, err);
}

void small_model_packer(const struct winnow_small_model *s, const struct model_config *c,
                        uint64_t document_tokens, struct packer_options *out)
{
    *out = (struct packer_options){
        .bos = c->bos,
        .eos = c->eos,
        .context = s->context,
        .batch_tokens = s->batch_tokens,
        .document_tokens = document_tokens,
    };
}

void small_model_trainer(const struct winnow_small_model *s, uint64_t steps,
                         struct trainer_options *out)
{
    *out = (struct trainer_options)TRAINER_OPTIONS_INIT;
    out->compute = s->compute == WINNOW_BF16 ? ENGINE_BF16 : ENGINE_F32;
    out->steps = steps;
    out->warmup = (uint64_t)llround(s->warmup * (double)steps);
    out->lr = s->lr;
    out->lr_end = s->lr_end;
    out->average = (uint64_t)llround(s->average * (double)steps);
    out->weight_decay = s->weight_decay;
    static const enum trainer_optimizer OF[] = {
        [WINNOW_ADAMW] = TRAINER_ADAMW, [WINNOW_MUON] = TRAINER_MUON, [WINNOW_SGD] = TRAINER_SGD};
    out->optimizer = OF[s->optimizer];
    out->tokens_max = (uint32_t)(s->batch_tokens < 4096 ? s->batch_tokens : 4096);
    out->tokens_max = out->tokens_max < s->context ? s->context : out->tokens_max;
}

uint64_t small_model_memory(const struct winnow_small_model *s, const struct model_config *c,
                            uint32_t threads)
{
    struct trainer_options opt;
    small_model_trainer(s, 1, &opt);
    return trainer_memory(c, &opt, threads) + model_config_parameters(c) * sizeof(float);
}
