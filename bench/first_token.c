/* first_token.c -- winnow's side of load_vs_llamacpp.py: a program that loads a
 * model and its tokenizer, runs a prompt once and prints the likeliest token.
 *
 *     first_token MODEL f32|bf16|int8 THREADS PROMPT
 *
 * MODEL is a model folder or a .gguf file.  What counts is the time of the whole
 * process, so nothing is warmed up.
 */
#include "base/pool.h"
#include "engine/generator.h"
#include "model/model_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static winnow_status encode(const char *path, const char *prompt, struct u32_list *ids,
                            struct winnow_error *err)
{
    struct tokenizer *t = NULL;
    TRY(model_load_tokenizer(path, &t, err));
    struct tokenizer_scratch *s = tokenizer_scratch_new(t);
    tokenizer_encode(t, s, (struct str){prompt, strlen(prompt)}, TOKENIZER_PLAIN_SPECIAL, ids);
    tokenizer_scratch_free(s);
    tokenizer_free(t);
    return WINNOW_OK;
}

static winnow_status first(struct engine *e, const struct u32_list *ids,
                           const struct winnow_env *env, struct winnow_error *err)
{
    struct generator_options opt = {.rows = 1};
    struct generator *g = NULL;
    struct generate_answer answer;
    struct generate_request request = {.prompt = ids->ptr, .prompt_count = ids->len, .new_max = 1};
    TRY(generator_new(e, &opt, env, &g, err));
    winnow_status st = generator_submit(g, &request, err);
    if (st == WINNOW_OK) {
        st = generator_next(g, &answer, err);
    }
    if (st == WINNOW_OK && answer.count == 1) {
        (void)printf("%u\n", (unsigned)answer.tokens[0]);
    }
    generator_free(g);
    return st;
}

int main(int argc, char **argv)
{
    struct winnow_error err = {"usage: first_token MODEL f32|bf16|int8 THREADS PROMPT"};
    winnow_status st = WINNOW_E_USAGE;
    struct model *m = NULL;
    struct engine *e = NULL;
    struct pool *pool = NULL;
    struct u32_list ids = {0};
    struct winnow_env env = {.kernels = getenv("WINNOW_KERNELS")};
    struct engine_options opt = ENGINE_OPTIONS_INIT;
    if (argc == 5) {
        opt.compute = strcmp(argv[2], "bf16") == 0   ? ENGINE_BF16
                      : strcmp(argv[2], "int8") == 0 ? ENGINE_INT8
                                                     : ENGINE_F32;
        opt.tokens_max = 512;
        pool = pool_new((uint32_t)strtoul(argv[3], NULL, 10));
        st = encode(argv[1], argv[4], &ids, &err);
    }
    if (st == WINNOW_OK) {
        st = model_open(argv[1], &m, &err);
    }
    if (st == WINNOW_OK) {
        st = engine_new(m, pool, &opt, &env, &e, &err);
    }
    if (st == WINNOW_OK) {
        st = first(e, &ids, &env, &err);
    }
    if (st != WINNOW_OK) {
        (void)fprintf(stderr, "first_token: %s\n", err.text);
    }
    engine_free(e);
    model_free(m);
    pool_free(pool);
    u32_list_release(&ids);
    return st != WINNOW_OK;
}
