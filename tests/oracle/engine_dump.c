/* engine_dump.c -- what the engine computes for a model folder, for comparison
 * with other implementations (tests/oracle/engine_vs_torch.py):
 *
 *     engine_dump f32|bf16 MODEL TOKENS OUT
 *
 * TOKENS holds uint32_t: the number of sequences, each one's length, then all
 * tokens.  OUT.logits and OUT.gradients become raw f32, the latter of the mean
 * NLL and laid out as the lines "name offset rows cols" on standard output say;
 * before them stands a line with the mean NLL. */
#include "base/file.h"
#include "base/mem.h"
#include "engine/engine.h"
#include "model/model_file.h"

#include <stdio.h>
#include <string.h>

static winnow_status write_floats(const char *stem, const char *end, const float *x, size_t n,
                                  struct winnow_error *err)
{
    struct buf path = {0};
    buf_addf(&path, "%s.%s", stem, end);
    winnow_status st =
        file_write_atomic(buf_cstr(&path), (struct str){(const char *)x, n * sizeof *x}, err);
    buf_release(&path);
    return st;
}

static winnow_status read_batch(const char *path, struct buf *bytes, struct token_batch *b,
                                struct winnow_error *err)
{
    TRY(file_read(path, (size_t)1 << 26, bytes, err));
    size_t count = bytes->len / sizeof(uint32_t);
    uint32_t *words = mem_alloc((count + 1) * sizeof *words);
    memcpy(words, bytes->ptr, count * sizeof *words);
    uint32_t at = 0;
    for (uint32_t s = 1; count > 0 && s <= words[0] && s < count; s++) {
        uint32_t n = words[s];
        words[s] = at;
        at += n;
    }
    if (count == 0 || words[0] >= count || (size_t)at + 1 + words[0] != count) {
        mem_free(words);
        return error_set(err, WINNOW_E_FORMAT, "%s: lengths do not fit the file", path);
    }
    uint32_t *starts = mem_alloc((words[0] + 1) * sizeof *starts);
    memcpy(starts, words + 1, words[0] * sizeof *starts);
    starts[words[0]] = at;
    *b = (struct token_batch){words + 1 + words[0], starts, words[0], NULL};
    return WINNOW_OK;
}

static winnow_status dump(struct engine *e, const struct model *m, const struct token_batch *b,
                          const char *out, struct winnow_error *err)
{
    size_t n = model_values_count(m), numbers = batch_tokens(b) * model_config(m)->vocab;
    float *g = mem_zalloc(n * sizeof *g), *logits = mem_zalloc(numbers * sizeof *logits);
    double sum, targets = (double)batch_targets(b);
    TRY(engine_logits(e, b, logits, err));
    TRY(engine_gradient(e, b, (float)(1 / targets), g, &sum, NULL, err));
    TRY(write_floats(out, "logits", logits, numbers, err));
    TRY(write_floats(out, "gradients", g, n, err));
    (void)printf("%.9g\n", sum / targets);
    for (size_t i = 0; i < model_tensor_count(m); i++) {
        const struct model_tensor *t = model_tensor_at(m, i);
        (void)printf("%s %zu %u %u\n", t->name, t->offset, t->rows, t->cols);
    }
    mem_free(g);
    mem_free(logits);
    return WINNOW_OK;
}

static winnow_status run(const char *const *argv, struct winnow_error *err)
{
    struct model *m;
    struct engine *e;
    struct token_batch b;
    struct buf bytes = {0};
    struct winnow_env env = {0};
    struct engine_options opt = {.gradients = true};
    opt.compute = strcmp(argv[1], "bf16") == 0 ? ENGINE_BF16 : ENGINE_F32;
    TRY(model_load(argv[2], &m, err));
    TRY(read_batch(argv[3], &bytes, &b, err));
    struct pool *pool = pool_new(2);
    TRY(engine_new(m, pool, &opt, &env, &e, err));
    TRY(dump(e, m, &b, argv[4], err));
    engine_free(e);
    pool_free(pool);
    model_free(m);
    return WINNOW_OK; /* what is left goes with the process */
}

int main(int argc, char **argv)
{
    struct winnow_error err;
    if (argc != 5) {
        (void)fprintf(stderr, "usage: engine_dump f32|bf16 MODEL TOKENS OUT\n");
        return 2;
    }
    if (run((const char *const *)argv, &err) != WINNOW_OK) {
        (void)fprintf(stderr, "engine_dump: %s\n", err.text);
        return 1;
    }
    return 0;
}
