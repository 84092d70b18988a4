/* train_worker.c -- one contestant of train_vs_pytorch.py: our training step.
 *
 *     train_worker CONFIG.json SEQUENCE BATCH f32|bf16 THREADS
 *
 * Reads a command a line: "step N" trains N steps on random tokens and answers
 * "seconds loss".
 */
#include "base/env.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/rng.h"
#include "model/config_json.h"
#include "train/trainer.h"

#include <stdio.h>
#include <stdlib.h>

struct bench {
    struct model *model;
    struct pool *pool;
    struct trainer *trainer;
    struct rng rng;
    uint32_t *tokens, *starts;
    struct token_batch batch;
    uint32_t vocab;
};

static winnow_status step(struct bench *b, int count, struct winnow_error *err)
{
    struct trainer_result r = {0};
    double seconds = 0;
    for (int i = 0; i < count; i++) {
        for (size_t t = 0; t < batch_tokens(&b->batch); t++) {
            b->tokens[t] = (uint32_t)rng_below(&b->rng, b->vocab);
        }
        double from = env_seconds();
        TRY(trainer_step(b->trainer, &b->batch, &r, err));
        seconds += env_seconds() - from;
    }
    (void)printf("%.6f %.6f\n", seconds, r.loss);
    return WINNOW_OK;
}

static winnow_status setup(struct bench *b, char **arg, struct winnow_error *err)
{
    struct buf text = {0};
    struct model_config c;
    struct winnow_env env = {.kernels = getenv("WINNOW_KERNELS")};
    struct trainer_options opt = TRAINER_OPTIONS_INIT;
    uint32_t length = (uint32_t)strtoul(arg[1], NULL, 10);
    size_t count = strtoul(arg[2], NULL, 10);
    TRY(file_read(arg[0], (size_t)1 << 20, &text, err));
    winnow_status st = config_json_parse(buf_str(&text), arg[0], &c, err);
    buf_release(&text);
    TRY(st);
    TRY(model_new(&c, &b->model, err));
    model_init_random(b->model, 1);
    b->pool = pool_new((uint32_t)strtoul(arg[4], NULL, 10));
    opt.compute = strcmp(arg[3], "bf16") == 0 ? ENGINE_BF16 : ENGINE_F32;
    const char *most = getenv("TOKENS_MAX");
    opt.tokens_max = most ? (uint32_t)strtoul(most, NULL, 10) : 0;
    opt.lr = 1e-4;
    TRY(trainer_new(b->model, b->pool, &opt, &env, &b->trainer, err));
    rng_init(&b->rng, 1, "tokens");
    b->vocab = c.vocab;
    b->tokens = mem_zalloc(count * length * sizeof *b->tokens);
    b->starts = mem_alloc((count + 1) * sizeof *b->starts);
    for (size_t i = 0; i <= count; i++) {
        b->starts[i] = (uint32_t)i * length;
    }
    b->batch = (struct token_batch){.tokens = b->tokens, .starts = b->starts, .sequences = count};
    return WINNOW_OK;
}

int main(int argc, char **argv)
{
    struct bench b = {0};
    struct winnow_error err = {"usage: train_worker CONFIG.json SEQUENCE BATCH f32|bf16 THREADS"};
    char line[64];
    winnow_status st = argc == 6 ? setup(&b, argv + 1, &err) : WINNOW_E_USAGE;
    while (st == WINNOW_OK && fgets(line, sizeof line, stdin)) {
        if (strncmp(line, "step ", 5) == 0) {
            st = step(&b, (int)strtol(line + 5, NULL, 10), &err);
        } else {
            st = error_set(&err, WINNOW_E_USAGE, "what is \"%.40s\"? only \"step N\" is known",
                           line);
        }
        (void)fflush(stdout);
    }
    if (st != WINNOW_OK) {
        (void)fprintf(stderr, "train_worker: %s\n", err.text);
    } else if (getenv("PHASES")) {
        for (int p = 0; p < ENGINE_PHASES; p++) {
            (void)fprintf(stderr, "%-16s %8.3f s\n", engine_phase_name((enum engine_phase)p),
                          engine_phase_seconds(trainer_engine(b.trainer), (enum engine_phase)p));
        }
    }
    trainer_free(b.trainer);
    pool_free(b.pool);
    model_free(b.model);
    mem_free(b.starts);
    mem_free(b.tokens);
    return st != WINNOW_OK;
}
