/* dump_engine.c -- the engine's numbers in files, for oracles to compare.
 *
 *     dump_engine random   CONFIG.json SEED FOLDER
 *     dump_engine convert  MODEL f32|bf16|f16 FOLDER
 *     dump_engine logits   MODEL BATCH f32|bf16|int8 OUT
 *     dump_engine nll      MODEL BATCH f32|bf16|int8 OUT
 *     dump_engine gradient MODEL BATCH f32|bf16 FOLDER
 *     dump_engine steps    MODEL BATCH f32|bf16 FOLDER
 *     dump_engine encode   MODEL TEXT OUT
 *
 * MODEL is a model folder or a .gguf file.  BATCH is u32 words: the number n of
 * sequences, n + 1 starts, the tokens.  logits and nll are raw f32; gradient
 * (of the mean loss) and the weights after ten training steps on the one batch
 * are written as model folders, tensors under their names.  encode writes the
 * ids of a text, without special tokens, as u32 words.  logits and nll also say
 * how long they took, weights being packed and memory touched before.
 */
#include "base/env.h"
#include "base/file.h"
#include "base/mem.h"
#include "batch_file.h"
#include "engine/engine.h"
#include "model/config_json.h"
#include "model/model_file.h"
#include "train/trainer.h"

#include <stdio.h>
#include <stdlib.h>

#define FILE_MAX ((size_t)1 << 32)

static winnow_status write_floats(const char *path, const float *v, size_t count,
                                  struct winnow_error *err)
{
    return file_write_atomic(path, (struct str){(const char *)v, count * sizeof *v}, err);
}

static winnow_status dump_gradient(struct engine *e, const struct token_batch *b,
                                   const struct model *m, const char *folder,
                                   struct winnow_error *err)
{
    struct model *g = NULL;
    double sum = 0;
    TRY(model_new(model_config(m), &g, err));
    winnow_status st =
        engine_gradient(e, b, 1.0F / (float)batch_targets(b), model_values(g), &sum, NULL, err);
    if (st == WINNOW_OK) {
        st = model_save(g, folder, TENSOR_F32, err);
    }
    model_free(g);
    return st;
}

static winnow_status dump_steps(struct model *m, struct pool *pool, const struct token_batch *b,
                                enum engine_compute compute, const char *folder,
                                struct winnow_error *err)
{
    struct trainer_options opt = TRAINER_OPTIONS_INIT;
    struct winnow_env env = {.seed = 1};
    struct trainer *t = NULL;
    opt.compute = compute;
    opt.steps = 10;
    opt.warmup = 3;
    TRY(trainer_new(m, pool, &opt, &env, &t, err));
    winnow_status st = WINNOW_OK;
    for (int i = 0; i < 10 && st == WINNOW_OK; i++) {
        struct trainer_result r = {0};
        st = trainer_step(t, b, &r, err);
        (void)printf("%llu\t%.9g\t%.9g\t%.9g\n", (unsigned long long)r.step, r.loss, r.grad_norm,
                     r.lr);
    }
    if (st == WINNOW_OK) {
        st = model_save(m, folder, TENSOR_F32, err);
    }
    trainer_free(t);
    return st;
}

/* logits and nll */
static winnow_status dump_forward(struct engine *e, const struct token_batch *b, bool logits,
                                  const struct model *m, const char *out, struct winnow_error *err)
{
    size_t count = batch_tokens(b) * (logits ? model_config(m)->vocab : 1);
    float *v = mem_alloc(count * sizeof *v);
    struct token_batch first = *b; /* packs the weights and touches the memory */
    first.sequences = b->sequences > 0;
    winnow_status st = engine_nll(e, &first, v, err);
    double from = env_seconds();
    if (st == WINNOW_OK) {
        st = logits ? engine_logits(e, b, v, err) : engine_nll(e, b, v, err);
    }
    double seconds = env_seconds() - from;
    if (st == WINNOW_OK) {
        (void)printf("%zu tokens %.6f seconds %s\n", batch_tokens(b), seconds, engine_kernels(e));
        st = write_floats(out, v, count, err);
    }
    mem_free(v);
    return st;
}

static winnow_status dump(const char *verb, char **arg, struct winnow_error *err)
{
    struct buf words = {0};
    struct token_batch batch;
    struct model *m = NULL;
    struct engine *e = NULL;
    struct winnow_env env = {.kernels = getenv("WINNOW_KERNELS")};
    struct engine_options opt = ENGINE_OPTIONS_INIT;
    struct pool *pool = pool_new(0);
    opt.compute = strcmp(arg[2], "bf16") == 0   ? ENGINE_BF16
                  : strcmp(arg[2], "int8") == 0 ? ENGINE_INT8
                                                : ENGINE_F32;
    opt.gradients = strcmp(verb, "gradient") == 0;
    winnow_status st = model_load(arg[0], &m, err);
    if (st == WINNOW_OK) {
        st = batch_file_read(arg[1], &words, &batch, err);
    }
    if (st == WINNOW_OK && strcmp(verb, "steps") == 0) {
        st = dump_steps(m, pool, &batch, opt.compute, arg[3], err);
    } else if (st == WINNOW_OK) {
        st = engine_new(m, pool, &opt, &env, &e, err);
        if (st == WINNOW_OK && opt.gradients) {
            st = dump_gradient(e, &batch, m, arg[3], err);
        } else if (st == WINNOW_OK) {
            st = dump_forward(e, &batch, strcmp(verb, "logits") == 0, m, arg[3], err);
        }
    }
    engine_free(e);
    model_free(m);
    pool_free(pool);
    buf_release(&words);
    return st;
}

static winnow_status make_random(char **arg, struct winnow_error *err)
{
    struct buf text = {0};
    struct model_config c;
    struct model *m = NULL;
    winnow_status st = file_read(arg[0], FILE_MAX, &text, err);
    if (st == WINNOW_OK) {
        st = config_json_parse(buf_str(&text), arg[0], &c, err);
    }
    if (st == WINNOW_OK) {
        st = model_new(&c, &m, err);
    }
    if (st == WINNOW_OK) {
        model_init_random(m, strtoull(arg[1], NULL, 10));
        st = model_save(m, arg[2], TENSOR_F32, err);
    }
    model_free(m);
    buf_release(&text);
    return st;
}

static winnow_status convert(char **arg, struct winnow_error *err)
{
    struct model *m = NULL;
    enum tensor_type type = strcmp(arg[1], "bf16") == 0  ? TENSOR_BF16
                            : strcmp(arg[1], "f16") == 0 ? TENSOR_F16
                                                         : TENSOR_F32;
    struct tokenizer *t = NULL;
    TRY(model_load(arg[0], &m, err));
    winnow_status st = model_save(m, arg[2], type, err);
    model_free(m);
    struct winnow_error none; /* a folder need not hold a tokenizer */
    if (st == WINNOW_OK && model_load_tokenizer(arg[0], &t, &none) == WINNOW_OK) {
        st = tokenizer_save_folder(t, arg[2], err);
    }
    tokenizer_free(t);
    return st;
}

static winnow_status encode(char **arg, struct winnow_error *err)
{
    struct tokenizer *t = NULL;
    struct buf text = {0};
    struct u32_list ids = {0};
    TRY(model_load_tokenizer(arg[0], &t, err));
    winnow_status st = file_read(arg[1], FILE_MAX, &text, err);
    if (st == WINNOW_OK) {
        struct tokenizer_scratch *s = tokenizer_scratch_new(t);
        tokenizer_encode(t, s, buf_str(&text), TOKENIZER_PLAIN_SPECIAL, &ids);
        tokenizer_scratch_free(s);
        st = file_write_atomic(arg[2],
                               (struct str){(const char *)ids.ptr, ids.len * sizeof *ids.ptr}, err);
    }
    u32_list_release(&ids);
    buf_release(&text);
    tokenizer_free(t);
    return st;
}

int main(int argc, char **argv)
{
    struct winnow_error err = {"usage: see the head of dump_engine.c"};
    winnow_status st = WINNOW_E_USAGE;
    if (argc == 5 && strcmp(argv[1], "random") == 0) {
        st = make_random(argv + 2, &err);
    } else if (argc == 5 && strcmp(argv[1], "convert") == 0) {
        st = convert(argv + 2, &err);
    } else if (argc == 5 && strcmp(argv[1], "encode") == 0) {
        st = encode(argv + 2, &err);
    } else if (argc == 6) {
        st = dump(argv[1], argv + 2, &err);
    }
    if (st != WINNOW_OK) {
        (void)fprintf(stderr, "dump_engine: %s\n", err.text);
    }
    return st != WINNOW_OK;
}
