/* llama_worker.c -- llama.cpp's side of the benches, through its C interface.
 *
 *     llama_worker score MODEL THREADS CONTEXT UBATCH     then, a line each: BATCH
 *     llama_worker generate MODEL THREADS CONTEXT SEQUENCES UNIFIED   then: BATCH NEW
 *     llama_worker programs MODEL THREADS CONTEXT SEQUENCES UNIFIED UBATCH MIXED
 *                                                             then: JOBS FIRST COUNT GRAMMAR
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
 * programs answers requests of many lengths, SEQUENCES at a time, a new one as soon
 * as one is done; with MIXED 1 prompts and single tokens go into the same calls, as in
 * llama.cpp's server, with 0 single tokens wait until no prompt is left to compute.
 * What all prompts begin with is computed once where the cache is unified.
 * JOBS has u32 words: how many requests, then for each the number of its prompt's
 * tokens, of new tokens and of the grammar's bytes, the tokens and the grammar, filled
 * up to a word; FIRST and COUNT say which are worked on.  With GRAMMAR 0 each answer has
 * all its new tokens, the likeliest ones.  With 1 the likeliest that the grammar allows,
 * the grammar being asked about that token first and about all only where it refuses;
 * an answer may then end early.  Answers "seconds tokens": with GRAMMAR 1 all of the
 * time, and how many tokens were chosen.
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

/* ---- programs ---- */

#ifndef IK

struct job {
    const uint32_t *prompt;
    uint32_t prompt_count, new_max, grammar_bytes;
    const char *grammar;
};

/* One sequence at work. */
struct slot {
    const struct job *job; /* NULL: free */
    uint32_t computed, chosen;
    uint32_t token;                /* the last one chosen */
    int row;                       /* of the logits wanted, -1: none */
    struct llama_sampler *grammar; /* NULL: any token */
};

struct programs {
    struct llama_context *ctx;
    const struct llama_vocab *vocab;
    int vocab_count, sequences, unified, batch_max, mixed;
    struct llama_batch batch;
    struct slot slots[256];
    llama_token_data *data; /* of the vocabulary */
    uint32_t shared;        /* tokens that all prompts begin with, in sequence `sequences` */
};

static struct job *read_jobs(const char *path, uint32_t *count)
{
    static uint32_t words[1 << 22];
    FILE *f = fopen(path, "rb");
    must(f != NULL, "cannot open the jobs");
    size_t n = fread(words, sizeof *words, sizeof words / sizeof *words, f);
    fclose(f);
    must(n > 1, "no jobs");
    struct job *jobs = calloc(words[0], sizeof *jobs);
    const uint32_t *w = words + 1;
    for (uint32_t i = 0; i < words[0]; i++) {
        jobs[i] = (struct job){w + 3, w[0], w[1], w[2], (const char *)(w + 3 + w[0])};
        w += 3 + w[0] + (w[2] + 3) / 4;
        must(w <= words + n, "the jobs are cut off");
    }
    *count = words[0];
    return jobs;
}

static uint32_t shared_start(const struct job *jobs, uint32_t count)
{
    uint32_t n = jobs[0].prompt_count - 1;
    for (uint32_t i = 1; i < count; i++) {
        uint32_t k = 0;
        while (k < n && k + 1 < jobs[i].prompt_count && jobs[i].prompt[k] == jobs[0].prompt[k]) {
            k++;
        }
        n = k;
    }
    return n;
}

static void start_slot(struct programs *p, int at, const struct job *job, int with_grammar)
{
    struct slot *s = &p->slots[at];
    *s = (struct slot){.job = job, .computed = p->shared, .row = -1};
    llama_memory_seq_rm(llama_get_memory(p->ctx), at, -1, -1);
    if (p->shared > 0) {
        llama_memory_seq_cp(llama_get_memory(p->ctx), p->sequences, at, 0, (int)p->shared);
    }
    if (with_grammar && job->grammar_bytes > 0) {
        char *text = calloc(job->grammar_bytes + 1, 1);
        memcpy(text, job->grammar, job->grammar_bytes);
        s->grammar = llama_sampler_init_grammar(p->vocab, text, "root");
        must(s->grammar != NULL, "the grammar is refused");
        free(text);
    }
}

/* The next token of a running answer, or as much of its prompt as there is room for. */
static void add_slot(struct programs *p, int at)
{
    struct slot *s = &p->slots[at];
    s->row = -1;
    if (s->chosen > 0) {
        add(&p->batch, s->token, (int)s->computed++, at, 1);
        s->row = p->batch.n_tokens - 1;
    }
    while (s->computed < s->job->prompt_count && p->batch.n_tokens < p->batch_max) {
        int last = s->computed + 1 == s->job->prompt_count;
        add(&p->batch, s->job->prompt[s->computed], (int)s->computed, at, last);
        s->computed++;
        s->row = last ? p->batch.n_tokens - 1 : -1;
    }
}

/* Those that choose tokens, or those whose prompts are not computed yet. */
static void add_slots(struct programs *p, int choosing)
{
    for (int i = 0; i < p->sequences; i++) {
        if (p->slots[i].job && (p->slots[i].chosen > 0) == choosing) {
            add_slot(p, i);
        }
    }
}

static int allowed(struct slot *s, llama_token token)
{
    llama_token_data one = {token, 1.0F, 0.0F};
    llama_token_data_array array = {&one, 1, -1, false};
    llama_sampler_apply(s->grammar, &array);
    return one.logit != -INFINITY;
}

static llama_token choose(struct programs *p, struct slot *s)
{
    int best = likeliest(p->ctx, s->row, p->vocab_count);
    if (!s->grammar) {
        return best;
    }
    if (!allowed(s, best)) {
        const float *v = llama_get_logits_ith(p->ctx, s->row);
        for (int i = 0; i < p->vocab_count; i++) {
            p->data[i] = (llama_token_data){i, v[i], 0.0F};
        }
        llama_token_data_array array = {p->data, (size_t)p->vocab_count, -1, false};
        llama_sampler_apply(s->grammar, &array);
        best = 0;
        for (int i = 1; i < p->vocab_count; i++) {
            best = p->data[i].logit > p->data[best].logit ? i : best;
        }
    }
    if (!llama_vocab_is_eog(p->vocab, best)) {
        llama_sampler_accept(s->grammar, best);
    }
    return best;
}

static void end_slot(struct slot *s)
{
    llama_sampler_free(s->grammar);
    *s = (struct slot){.row = -1};
}

static void run_jobs(struct programs *p, const struct job *jobs, uint32_t count, int with_grammar)
{
    double from = now(), decoding = 0;
    uint32_t next = 0, done = 0;
    size_t tokens = 0;
    llama_memory_clear(llama_get_memory(p->ctx), false);
    p->shared = p->unified && count > 1 ? shared_start(jobs, count) : 0;
    p->batch.n_tokens = 0;
    for (uint32_t i = 0; i < p->shared; i++) {
        add(&p->batch, jobs[0].prompt[i], (int)i, p->sequences, 0);
    }
    if (p->shared > 0) {
        decoding += decode(p->ctx, p->batch);
    }
    while (done < count) {
        p->batch.n_tokens = 0;
        for (int i = 0; i < p->sequences; i++) {
            p->slots[i].row = -1;
            if (!p->slots[i].job && next < count) {
                start_slot(p, i, &jobs[next++], with_grammar);
            }
        }
        if (p->mixed) { /* single tokens first */
            add_slots(p, 1);
        }
        add_slots(p, 0);
        if (p->batch.n_tokens == 0) {
            add_slots(p, 1);
        }
        decoding += decode(p->ctx, p->batch);
        for (int i = 0; i < p->sequences; i++) {
            struct slot *s = &p->slots[i];
            if (!s->job || s->row < 0) {
                continue;
            }
            s->token = (uint32_t)choose(p, s);
            s->chosen++;
            tokens++;
            if (s->chosen >= s->job->new_max ||
                (s->grammar && llama_vocab_is_eog(p->vocab, (llama_token)s->token))) {
                end_slot(s);
                done++;
            }
        }
    }
    printf("%.6f %zu\n", with_grammar ? now() - from : decoding, tokens);
    fflush(stdout);
}

static int programs(char **arg)
{
    int context = atoi(arg[2]), sequences = atoi(arg[3]), unified = atoi(arg[4]);
    must(sequences < 256, "too many sequences");
    struct llama_model *m = load(arg[0], 1);
    static struct programs p;
    int all = sequences + unified;
    p.ctx = session(m, atoi(arg[1]), context * all, atoi(arg[5]), all, unified);
    p.vocab = vocabulary(m);
    p.vocab_count = llama_n_vocab(p.vocab);
    p.sequences = sequences;
    p.unified = unified;
    p.batch_max = atoi(arg[5]);
    p.mixed = atoi(arg[6]);
    p.batch = llama_batch_init(p.batch_max + sequences, 0, 1);
    p.data = calloc((size_t)p.vocab_count, sizeof *p.data);
    char path[4096];
    unsigned first, count;
    int with_grammar;
    while (scanf("%4095s %u %u %d", path, &first, &count, &with_grammar) == 4) {
        uint32_t there;
        struct job *jobs = read_jobs(path, &there);
        must(first <= there && count <= there - first && count > 0, "no such jobs");
        run_jobs(&p, jobs + first, count, with_grammar);
        free(jobs);
    }
    llama_free(p.ctx);
    return 0;
}
#endif

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
#ifndef IK
    if (argc == 9 && strcmp(argv[1], "programs") == 0) {
        return programs(argv + 2);
    }
#endif
    if (argc == 5 && strcmp(argv[1], "first") == 0) {
        return first(argv + 2);
    }
    if (argc == 5 && strcmp(argv[1], "quantize") == 0) {
        return quantize(argv + 2);
    }
    fprintf(stderr, "usage: see the head of llama_worker.c\n");
    return 2;
}
