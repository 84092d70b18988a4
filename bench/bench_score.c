/* bench_score.c -- how fast the engine scores, and where the time goes.
 *
 *     bench_score MODEL BATCH f32|bf16|int8 [THREADS [ROUNDS]]
 *
 * MODEL and BATCH as dump_engine has them.  One line: medians over ROUNDS (9) of
 * tokens a second and of the milliseconds of each phase; weights are packed and
 * all memory is touched before. */
#include "base/env.h"
#include "base/mem.h"
#include "batch_file.h"
#include "engine/engine.h"
#include "median.h"
#include "model/model_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROUNDS_MAX = 99, COLUMNS = ENGINE_PHASES + 1 };

/* Seconds of each phase of a call, and of all of it. */
static winnow_status round_of(struct engine *e, const struct token_batch *b, float *nll,
                              double *seconds, struct winnow_error *err)
{
    for (int p = 0; p < ENGINE_PHASES; p++) {
        seconds[p] = -engine_phase_seconds(e, (enum engine_phase)p);
    }
    double from = env_seconds();
    TRY(engine_nll(e, b, nll, err));
    seconds[ENGINE_PHASES] = env_seconds() - from;
    for (int p = 0; p < ENGINE_PHASES; p++) {
        seconds[p] += engine_phase_seconds(e, (enum engine_phase)p);
    }
    return WINNOW_OK;
}

static winnow_status bench(struct engine *e, const struct token_batch *b, int rounds,
                           struct winnow_error *err)
{
    static double seconds[COLUMNS][ROUNDS_MAX];
    float *nll = mem_alloc(batch_tokens(b) * sizeof *nll);
    winnow_status st = WINNOW_OK;
    for (int r = -1; r < rounds && st == WINNOW_OK; r++) {
        double now[COLUMNS];
        st = round_of(e, b, nll, now, err);
        for (int p = 0; p < COLUMNS && r >= 0; p++) {
            seconds[p][r] = now[p];
        }
    }
    double all = median(seconds[ENGINE_PHASES], (size_t)rounds);
    (void)printf("%s: %.0f tokens/s (best %.0f)", engine_kernels(e), (double)batch_tokens(b) / all,
                 (double)batch_tokens(b) / seconds[ENGINE_PHASES][0]);
    for (int p = 0; p < ENGINE_PHASES; p++) {
        double s = median(seconds[p], (size_t)rounds);
        if (s > 0) {
            (void)printf(", %s %.0f ms (%.1f %%)", engine_phase_name((enum engine_phase)p), 1e3 * s,
                         100 * s / all);
        }
    }
    (void)printf("\n");
    mem_free(nll);
    return st;
}

int main(int argc, char **argv)
{
    if (argc < 4) {
        (void)fprintf(stderr, "usage: bench_score MODEL BATCH f32|bf16|int8 [THREADS [ROUNDS]]\n");
        return 2;
    }
    struct winnow_error err;
    struct buf words = {0};
    struct token_batch batch;
    struct model *m = NULL;
    struct engine *e = NULL;
    struct winnow_env env = {.kernels = getenv("WINNOW_KERNELS")};
    struct engine_options opt = ENGINE_OPTIONS_INIT;
    struct pool *pool = pool_new(argc > 4 ? (uint32_t)strtoul(argv[4], NULL, 10) : 0);
    long rounds = argc > 5 ? strtol(argv[5], NULL, 10) : 9;
    rounds = rounds < 1 ? 1 : rounds > ROUNDS_MAX ? ROUNDS_MAX : rounds;
    opt.compute = strcmp(argv[3], "bf16") == 0   ? ENGINE_BF16
                  : strcmp(argv[3], "int8") == 0 ? ENGINE_INT8
                                                 : ENGINE_F32;
    winnow_status st = model_load(argv[1], &m, &err);
    if (st == WINNOW_OK) {
        st = batch_file_read(argv[2], &words, &batch, &err);
    }
    if (st == WINNOW_OK) {
        st = engine_new(m, pool, &opt, &env, &e, &err);
    }
    if (st == WINNOW_OK) {
        st = bench(e, &batch, (int)rounds, &err);
    }
    if (st != WINNOW_OK) {
        (void)fprintf(stderr, "bench_score: %s\n", err.text);
    }
    engine_free(e);
    model_free(m);
    pool_free(pool);
    buf_release(&words);
    return st == WINNOW_OK ? 0 : 1;
}
