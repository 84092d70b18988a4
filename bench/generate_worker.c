/* generate_worker.c -- batched greedy generation, for bench/ and tests/oracle/.
 *
 *     generate_worker MODEL f32|bf16|int8 THREADS BATCH NEW [ROWS [OUT [STOP...]]]
 *
 * BATCH is u32 words as dump_engine has them: the number n of sequences, n + 1
 * starts, the tokens; its sequences are the prompts, ROWS (32) of them worked on
 * at once.  Every answer has NEW tokens, or ends at one of the STOP ids.  Prints
 *
 *     seconds S prompt P decode D new N kernels NAME
 *
 * S being the time for all of it, weights packed and memory touched before, P and
 * D tokens a second in passes with pieces of prompts and in those without, N
 * tokens chosen.  OUT gets a line an answer: token and margin pairs.
 */
#include "base/env.h"
#include "base/file.h"
#include "base/mem.h"
#include "batch_file.h"
#include "engine/generator.h"
#include "model/model_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct job {
    struct token_batch prompts;
    uint32_t new_max;
    uint32_t stops[16];
    size_t stop_count;
    FILE *out;
    uint64_t count; /* new tokens */
};

static winnow_status submit(struct generator *g, const struct job *j, size_t i,
                            struct winnow_error *err)
{
    struct generate_request r = {.prompt = j->prompts.tokens + j->prompts.starts[i],
                                 .prompt_count = j->prompts.starts[i + 1] - j->prompts.starts[i],
                                 .new_max = j->new_max,
                                 .stops = j->stops,
                                 .stop_count = j->stop_count,
                                 .tag = i};
    return generator_submit(g, &r, err);
}

static void write_answer(const struct job *j, const struct generate_answer *a)
{
    size_t count = a->count + (a->end == GENERATE_STOPPED ? 1U : 0U);
    for (size_t i = 0; i < count; i++) {
        (void)fprintf(j->out, "%s%ld:%.6g", i > 0 ? " " : "",
                      i < a->count ? (long)a->tokens[i] : -1L, (double)a->margins[i]);
    }
    (void)fprintf(j->out, "\n");
}

static winnow_status work(struct generator *g, struct job *j, struct winnow_error *err)
{
    for (size_t in = 0, out = 0; out < j->prompts.sequences; out++) {
        while (in < j->prompts.sequences && generator_waiting(g) < generator_window(g)) {
            TRY(submit(g, j, in++, err));
        }
        struct generate_answer a;
        TRY(generator_next(g, &a, err));
        j->count += a.count;
        if (j->out) {
            write_answer(j, &a);
        }
    }
    return WINNOW_OK;
}

static double rate(uint64_t tokens, double seconds)
{
    return seconds > 0 ? (double)tokens / seconds : 0.0;
}

static void report(const struct generator_stats *s, const struct generator_stats *before,
                   double seconds, uint64_t count, const char *kernels)
{
    (void)printf(
        "seconds %.4f prompt %.1f decode %.1f new %llu kernels %s\n", seconds,
        rate(s->prompt_tokens - before->prompt_tokens, s->prompt_seconds - before->prompt_seconds),
        rate(s->decode_tokens - before->decode_tokens, s->decode_seconds - before->decode_seconds),
        (unsigned long long)count, kernels);
    (void)fprintf(stderr, "passes %llu shared %llu preempted %llu pages %u of %u\n",
                  (unsigned long long)(s->steps - before->steps),
                  (unsigned long long)(s->shared_tokens - before->shared_tokens),
                  (unsigned long long)s->preemptions, s->pages_most, s->pages);
}

static winnow_status run(struct engine *e, struct job *j, uint32_t rows,
                         const struct winnow_env *env, struct winnow_error *err)
{
    struct generator *g = NULL;
    struct generator_options opt = {.rows = rows};
    /* Once for nothing: packs the weights and touches the memory.  Its prompts are
     * shifted by a token, so that none of their pages is found again. */
    struct job warm = *j;
    uint32_t *shifted = mem_alloc((j->prompts.starts[j->prompts.sequences] + 1) * sizeof *shifted);
    memcpy(shifted + 1, j->prompts.tokens,
           j->prompts.starts[j->prompts.sequences] * sizeof *shifted);
    shifted[0] = 0;
    warm.prompts.tokens = shifted;
    warm.new_max = 2;
    warm.out = NULL;
    winnow_status st = generator_new(e, &opt, env, &g, err);
    if (st == WINNOW_OK) {
        st = work(g, &warm, err);
    }
    mem_free(shifted);
    struct generator_stats before = {0};
    if (st == WINNOW_OK) {
        before = *generator_stats(g);
    }
    double start = env_seconds();
    if (st == WINNOW_OK) {
        st = work(g, j, err);
    }
    double seconds = env_seconds() - start;
    if (st == WINNOW_OK) {
        report(generator_stats(g), &before, seconds, j->count, engine_kernels(e));
    }
    generator_free(g);
    return st;
}

static winnow_status generate(char **arg, int count, struct winnow_error *err)
{
    struct buf words = {0};
    struct job j = {.new_max = (uint32_t)strtoul(arg[4], NULL, 10)};
    struct winnow_env env = {.kernels = getenv("WINNOW_KERNELS")};
    struct model *m = NULL;
    struct engine *e = NULL;
    struct pool *pool = pool_new((uint32_t)strtoul(arg[2], NULL, 10));
    struct engine_options opt = ENGINE_OPTIONS_INIT;
    opt.compute = strcmp(arg[1], "bf16") == 0   ? ENGINE_BF16
                  : strcmp(arg[1], "int8") == 0 ? ENGINE_INT8
                                                : ENGINE_F32;
    for (int i = 7; i < count && j.stop_count < 16; i++) {
        j.stops[j.stop_count++] = (uint32_t)strtoul(arg[i], NULL, 10);
    }
    winnow_status st = model_load(arg[0], &m, err);
    if (st == WINNOW_OK) {
        st = batch_file_read(arg[3], &words, &j.prompts, err);
    }
    if (st == WINNOW_OK && count > 6 && !(j.out = fopen(arg[6], "w"))) {
        st = error_errno(err, "cannot write", arg[6]);
    }
    if (st == WINNOW_OK) {
        st = engine_new(m, pool, &opt, &env, &e, err);
    }
    if (st == WINNOW_OK) {
        st = run(e, &j, count > 5 ? (uint32_t)strtoul(arg[5], NULL, 10) : 32, &env, err);
    }
    if (j.out && fclose(j.out) != 0 && st == WINNOW_OK) {
        st = error_errno(err, "cannot write", arg[6]);
    }
    engine_free(e);
    model_free(m);
    pool_free(pool);
    buf_release(&words);
    return st;
}

int main(int argc, char **argv)
{
    struct winnow_error err;
    if (argc < 6) {
        (void)fprintf(stderr, "usage: see the head of bench/generate_worker.c\n");
        return 2;
    }
    if (generate(argv + 1, argc - 1, &err) != WINNOW_OK) {
        (void)fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    return 0;
}
