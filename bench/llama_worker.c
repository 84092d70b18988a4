/* llama_worker.c -- llama.cpp's side of the benches, through its C interface.
 *
 *     llama_worker score MODEL THREADS CONTEXT UBATCH     then, a line each: BATCH
 *     llama_worker generate MODEL THREADS CONTEXT SEQUENCES UNIFIED   then: BATCH NEW
 *     llama_worker first MODEL THREADS PROMPT
 *     llama_worker quantize IN.gguf OUT.gguf bf16|q8_0
 *
 * Compiled by bench/peers.py against a llama.cpp or (with -DIK) ik_llama.cpp
 * tree; not part of the build.  Batches are dump_engine's.  Times are those of
 * llama_decode() and of waiting for it alone: what is done with the logits
 * (log-softmax, choosing a token) stays outside them.
 *
 * score computes the logits of every token, sequence by sequence with the cache
 * cleared between, and answers "seconds nll", the mean NLL of the file's tokens
 * at the first line only, to show that the same thing was computed.
 *
 * generate takes the sequences as prompts, all in one call, and then goes on
 * with the likeliest token of each, NEW times, all rows in one call; context is
 * that of one row.  Answers "seconds_of_prompts seconds_of_decoding".  UNIFIED 1
 * keeps all rows in one cache (ik_llama.cpp has no other way).
 *
 * first loads the model, runs the prompt once and prints the likeliest next token.
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

static struct llama_context *session(struct llama_model *m, int threads, int context, int ubatch,
                                     int sequences, int unified)
{
    struct llama_context_params p = llama_context_default_params();
    p.n_ctx = (uint32_t)context;
    p.n_batch = (uint32_t)context;
    p.n_ubatch = (uint32_t)ubatch;
    p.n_seq_max = (uint32_t)sequences;
    p.n_threads = (uint32_t)threads;
    p.n_threads_batch = (uint32_t)threads;
#ifdef IK
    p.flash_attn = true;
    (void)unified;
#else
    p.kv_unified = unified;
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

struct prompts {
    uint32_t count;
    const uint32_t *starts, *tokens;
};

static struct prompts read_batch(const char *path)
{
    static uint32_t words[1 << 22];
    FILE *f = fopen(path, "rb");
    must(f != NULL, "cannot open the batch");
    size_t count = fread(words, sizeof *words, sizeof words / sizeof *words, f);
    fclose(f);
    must(count > 2 && count > 2 + (size_t)words[0], "no batch");
    return (struct prompts){words[0], words + 1, words + 2 + words[0]};
}

static void add(struct llama_batch *b, uint32_t token, int pos, int sequence, int logits)
{
    int i = b->n_tokens++;
    b->token[i] = (llama_token)token;
    b->pos[i] = pos;
    b->n_seq_id[i] = 1;
    b->seq_id[i][0] = sequence;
    b->logits[i] = (int8_t)logits;
}

static double decode(struct llama_context *ctx, struct llama_batch batch)
{
    double from = now();
    must(llama_decode(ctx, batch) == 0, "decoding failed");
    llama_synchronize(ctx);
    return now() - from;
}

static void score_file(struct llama_context *ctx, int vocab, const char *path, int context,
                       int want_nll)
{
    struct prompts in = read_batch(path);
    struct llama_batch batch = llama_batch_init(context, 0, 1);
    double seconds = 0, nll = 0;
    size_t targets = 0;
    for (uint32_t s = 0; s < in.count; s++) {
        int length = (int)(in.starts[s + 1] - in.starts[s]);
        must(length <= context, "a sequence is longer than the context");
        batch.n_tokens = 0;
        for (int i = 0; i < length; i++) {
            add(&batch, in.tokens[in.starts[s] + (uint32_t)i], i, 0, 1);
        }
        clear_cache(ctx);
        seconds += decode(ctx, batch);
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
    struct llama_context *ctx = session(m, atoi(arg[1]), context, atoi(arg[3]), 1, 1);
    char line[4096];
    for (int call = 0; fgets(line, sizeof line, stdin); call++) {
        line[strcspn(line, "\n")] = 0;
        score_file(ctx, llama_n_vocab(vocabulary(m)), line, context, call == 0);
    }
    llama_free(ctx);
    return 0;
}

static int likeliest(struct llama_context *ctx, int row, int vocab)
{
    const float *v = llama_get_logits_ith(ctx, row);
    int best = 0;
    for (int i = 1; i < vocab; i++) {
        best = v[i] > v[best] ? i : best;
    }
    return best;
}

static void generate_file(struct llama_context *ctx, int vocab, const char *path, int count,
                          int context)
{
    struct prompts in = read_batch(path);
    struct llama_batch batch = llama_batch_init((int)in.starts[in.count], 0, 1);
    static int last[1024];
    must(in.count <= sizeof last / sizeof *last, "too many prompts");
    clear_cache(ctx);
    batch.n_tokens = 0;
    for (uint32_t s = 0; s < in.count; s++) {
        int length = (int)(in.starts[s + 1] - in.starts[s]);
        must(length + count <= context, "the context of a row is too short");
        for (int i = 0; i < length; i++) {
            add(&batch, in.tokens[in.starts[s] + (uint32_t)i], i, (int)s, i + 1 == length);
        }
        last[s] = batch.n_tokens - 1;
    }
    double prompts = decode(ctx, batch), decoding = 0;
    for (int n = 0; n < count; n++) {
        static uint32_t chosen[1024];
        for (uint32_t s = 0; s < in.count; s++) {
            chosen[s] = (uint32_t)likeliest(ctx, last[s], vocab);
            last[s] = (int)s;
        }
        batch.n_tokens = 0;
        for (uint32_t s = 0; s < in.count; s++) {
            add(&batch, chosen[s], (int)(in.starts[s + 1] - in.starts[s]) + n, (int)s, 1);
        }
        decoding += decode(ctx, batch);
    }
    llama_batch_free(batch);
    printf("%.6f %.6f\n", prompts, decoding);
    fflush(stdout);
}

static int generate(char **arg)
{
    int context = atoi(arg[2]), sequences = atoi(arg[3]);
    struct llama_model *m = load(arg[0], 1);
    struct llama_context *ctx =
        session(m, atoi(arg[1]), context * sequences, 512, sequences, atoi(arg[4]));
    char path[4096];
    int count;
    while (scanf("%4095s %d", path, &count) == 2) {
        generate_file(ctx, llama_n_vocab(vocabulary(m)), path, count, context);
    }
    llama_free(ctx);
    return 0;
}

static int quantize(char **arg)
{
    struct llama_model_quantize_params p = llama_model_quantize_default_params();
    p.allow_requantize = true;
    p.ftype = strcmp(arg[2], "bf16") == 0 ? LLAMA_FTYPE_MOSTLY_BF16 : LLAMA_FTYPE_MOSTLY_Q8_0;
    must(llama_model_quantize(arg[0], arg[1], &p) == 0, "cannot convert");
    return 0;
}

static int first(char **arg)
{
    struct llama_model *m = load(arg[0], 0);
    llama_token prompt[512];
    int count =
        llama_tokenize(vocabulary(m), arg[2], (int32_t)strlen(arg[2]), prompt, 512, false, false);
    must(count > 0, "cannot encode the prompt");
    struct llama_context *ctx = session(m, atoi(arg[1]), 512, 512, 1, 1);
    struct llama_batch batch = llama_batch_init(count, 0, 1);
    batch.n_tokens = 0;
    for (int i = 0; i < count; i++) {
        add(&batch, (uint32_t)prompt[i], i, 0, i + 1 == count);
    }
    must(llama_decode(ctx, batch) == 0, "decoding failed");
    printf("%d\n", likeliest(ctx, count - 1, llama_n_vocab(vocabulary(m))));
    fflush(stdout);
    _Exit(0); /* what is over with the process need not be taken down in time */
}

int main(int argc, char **argv)
{
    llama_backend_init();
    if (argc == 6 && strcmp(argv[1], "score") == 0) {
        return score(argv + 2);
    }
    if (argc == 7 && strcmp(argv[1], "generate") == 0) {
        return generate(argv + 2);
    }
    if (argc == 5 && strcmp(argv[1], "first") == 0) {
        return first(argv + 2);
    }
    if (argc == 5 && strcmp(argv[1], "quantize") == 0) {
        return quantize(argv + 2);
    }
    fprintf(stderr, "usage: see the head of llama_worker.c\n");
    return 2;
}
