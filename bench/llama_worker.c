/* llama_worker.c -- llama.cpp's side of the benches, through its C interface.
 *
 *     llama_worker score MODEL THREADS CONTEXT UBATCH     then, a line each: BATCH
 *     llama_worker first MODEL THREADS PROMPT
 *
 * Compiled by bench/peers.py against a llama.cpp or (with -DIK) ik_llama.cpp
 * tree; not part of the build.  score reads dump_engine's batch files, computes
 * the logits of every token, sequence by sequence with the cache cleared
 * between, and answers "seconds nll": the time of llama_decode() and of waiting
 * for it alone, then the mean NLL of the file's tokens, worked out outside that
 * time to show that the same thing was computed.  first loads the model, runs
 * the prompt once and prints the likeliest next token.
 *
 * Flash attention is on; ik_llama.cpp repacks the weights when it loads them and
 * takes transparent huge pages.
 */
#include "llama.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static double now(void)
{
    struct timespec t;
    timespec_get(&t, TIME_UTC);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void must(int ok, const char *what)
{
    if (!ok) {
        fprintf(stderr, "llama_worker: %s\n", what);
        exit(1);
    }
}

#ifdef IK
static const struct llama_model *vocabulary(const struct llama_model *m)
{
    return m;
}
#define clear_cache(ctx) llama_kv_cache_clear(ctx)
#else
static const struct llama_vocab *vocabulary(const struct llama_model *m)
{
    return llama_model_get_vocab(m);
}
#define clear_cache(ctx) llama_memory_clear(llama_get_memory(ctx), false)
#define llama_n_vocab    llama_vocab_n_tokens
#endif

static struct llama_model *load(const char *path, int repack)
{
    struct llama_model_params p = llama_model_default_params();
    p.n_gpu_layers = 0;
#ifdef IK
    p.repack_tensors = repack;
    p.use_thp = repack;
    p.use_mmap = !repack;
#else
    (void)repack; /* its own choice of layouts is on as it comes */
#endif
    struct llama_model *m = llama_model_load_from_file(path, p);
    must(m != NULL, "cannot load the model");
    return m;
}

static struct llama_context *session(struct llama_model *m, int threads, int context, int ubatch)
{
    struct llama_context_params p = llama_context_default_params();
    p.n_ctx = (uint32_t)context;
    p.n_batch = (uint32_t)context;
    p.n_ubatch = (uint32_t)ubatch;
    p.n_threads = (uint32_t)threads;
    p.n_threads_batch = (uint32_t)threads;
#ifdef IK
    p.flash_attn = true;
#else
    p.flash_attn_type = LLAMA_FLASH_ATTN_TYPE_ENABLED;
#endif
    struct llama_context *c = llama_init_from_model(m, p);
    must(c != NULL, "cannot make a context");
    return c;
}

static double nll_of(const float *row, int vocab, int target)
{
    float most = row[0];
    double sum = 0;
    for (int i = 1; i < vocab; i++) {
        most = row[i] > most ? row[i] : most;
    }
    for (int i = 0; i < vocab; i++) {
        sum += exp((double)(row[i] - most));
    }
    return log(sum) + (double)most - (double)row[target];
}

static void score_file(struct llama_context *ctx, int vocab, const char *path, int context,
                       int want_nll)
{
    FILE *f = fopen(path, "rb");
    must(f != NULL, "cannot open the batch");
    static uint32_t words[1 << 22];
    size_t count = fread(words, sizeof *words, sizeof words / sizeof *words, f);
    fclose(f);
    must(count > 2, "no batch");
    uint32_t n = words[0];
    const uint32_t *starts = words + 1, *tokens = words + 2 + n;
    struct llama_batch batch = llama_batch_init(context, 0, 1);
    double seconds = 0, nll = 0;
    size_t targets = 0;
    for (uint32_t s = 0; s < n; s++) {
        int length = (int)(starts[s + 1] - starts[s]);
        must(length <= context, "a sequence is longer than the context");
        batch.n_tokens = length;
        for (int i = 0; i < length; i++) {
            batch.token[i] = (llama_token)tokens[starts[s] + (uint32_t)i];
            batch.pos[i] = i;
            batch.n_seq_id[i] = 1;
            batch.seq_id[i][0] = 0;
            batch.logits[i] = 1;
        }
        clear_cache(ctx);
        double from = now();
        must(llama_decode(ctx, batch) == 0, "decoding failed");
        llama_synchronize(ctx);
        seconds += now() - from;
        for (int i = 0; want_nll && i + 1 < length; i++) {
            nll += nll_of(llama_get_logits_ith(ctx, i), vocab, batch.token[i + 1]);
            targets++;
        }
    }
    llama_batch_free(batch);
    printf("%.6f %.6f\n", seconds, targets ? nll / (double)targets : 0.0);
    fflush(stdout);
}

static int score(char **arg)
{
    int context = atoi(arg[2]);
    struct llama_model *m = load(arg[0], 1);
    struct llama_context *ctx = session(m, atoi(arg[1]), context, atoi(arg[3]));
    char line[4096];
    for (int call = 0; fgets(line, sizeof line, stdin); call++) {
        line[strcspn(line, "\n")] = 0;
        score_file(ctx, llama_n_vocab(vocabulary(m)), line, context, call == 0);
    }
    llama_free(ctx);
    return 0;
}

static int first(char **arg)
{
    struct llama_model *m = load(arg[0], 0);
    llama_token prompt[512];
    int count =
        llama_tokenize(vocabulary(m), arg[2], (int32_t)strlen(arg[2]), prompt, 512, false, false);
    must(count > 0, "cannot encode the prompt");
    struct llama_context *ctx = session(m, atoi(arg[1]), 512, 512);
    struct llama_batch batch = llama_batch_init(count, 0, 1);
    batch.n_tokens = count;
    for (int i = 0; i < count; i++) {
        batch.token[i] = prompt[i];
        batch.pos[i] = i;
        batch.n_seq_id[i] = 1;
        batch.seq_id[i][0] = 0;
        batch.logits[i] = i + 1 == count;
    }
    must(llama_decode(ctx, batch) == 0, "decoding failed");
    const float *row = llama_get_logits_ith(ctx, count - 1);
    int best = 0, vocab = llama_n_vocab(vocabulary(m));
    for (int i = 1; i < vocab; i++) {
        best = row[i] > row[best] ? i : best;
    }
    printf("%d\n", best);
    fflush(stdout);
    _Exit(0); /* what is over with the process need not be taken down in time */
}

int main(int argc, char **argv)
{
    llama_backend_init();
    if (argc == 6 && strcmp(argv[1], "score") == 0) {
        return score(argv + 2);
    }
    if (argc == 5 && strcmp(argv[1], "first") == 0) {
        return first(argv + 2);
    }
    fprintf(stderr, "usage: see the head of llama_worker.c\n");
    return 2;
}
