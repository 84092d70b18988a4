/* engine.h -- a session that computes with a model.
 *
 * An engine joins a model, a pool of threads, a compute type and all the memory
 * a call needs, taken once when it is made.  It keeps no global state: several
 * engines, each with a pool of its own (pool_new(1) starts no thread), may run
 * side by side in different threads of the program, also on one model as long
 * as none of them changes its weights.  One engine is used by one thread at a
 * time.
 *
 * The result of a call depends on weights, batch, compute type and kernel
 * table only: not on the number of threads, and, sequence by sequence, not on
 * what else is packed into the batch.
 */
#ifndef WINNOW_ENGINE_ENGINE_H
#define WINNOW_ENGINE_ENGINE_H

#include "base/pool.h"
#include "engine/batch.h"
#include "model/model.h"

enum engine_compute {
    ENGINE_F32,
    ENGINE_BF16, /* matrix products on bf16 inputs with f32 sums; all else f32 */
    /* Products with weights on 8-bit inputs (math/gemm.h), attention's on bf16;
     * for scoring and generation, not for gradients. */
    ENGINE_INT8,
};

struct engine_options {
    enum engine_compute compute;
    /* Tokens worked on at once; memory grows with it.  A longer batch is cut
     * between sequences, so no sequence may be longer.  0: 2,048, or the
     * model's context where that is longer. */
    uint32_t tokens_max;
    bool gradients; /* memory for engine_gradient() too */
    /* Memory to know what all sequences of a micro-batch lost before their gradients are taken:
     * for engine_weigh_by(). */
    bool losses_first;
    bool dropout; /* memory for engine_drop() */
    /* Not NULL: computes with the packed weights of that engine, of the same model,
     * compute type and kernels, which must outlive this one and not change.  So
     * engines of many threads have them once.  Not with gradients. */
    const struct engine *weights;
};

#define ENGINE_OPTIONS_INIT   \
    {                         \
        .compute = ENGINE_F32 \
    }

struct engine;

/* Bytes that engine_new() will take with that many threads and the best kernels
 * of this processor (others differ by a few rows of scratch). */
uint64_t engine_memory(const struct model_config *c, const struct engine_options *opt,
                       uint32_t threads);

/* Model and pool must outlive the engine.  pool_threads(pool) threads work;
 * env gives memory_max (WINNOW_E_LIMIT where the engine alone passes it) and
 * kernels.  Without gradients the weights are packed here, with them at the first
 * call; a model in its file is for the former only, and WINNOW_E_FORMAT says that
 * a weight there is NaN or infinite. */
winnow_status engine_new(const struct model *m, struct pool *pool, const struct engine_options *opt,
                         const struct winnow_env *env, struct engine **out,
                         struct winnow_error *err);
void engine_free(struct engine *e);

/* What it took. */
uint64_t engine_bytes(const struct engine *e);

/* To be called after the weights changed, before the next call below; never for a
 * model in its file. */
void engine_weights_changed(struct engine *e);

/* nll[i] = -ln p(target of position i | the positions before it in its
 * sequence); 0 where it has no target.  The batch may hold any number of
 * tokens.  WINNOW_E_LIMIT for a sequence longer than tokens_max,
 * WINNOW_E_FORMAT for a token outside the vocabulary. */
winnow_status engine_nll(struct engine *e, const struct token_batch *b, float *nll,
                         struct winnow_error *err);

/* Adds scale * d(sum of weights[s] * nll of sequence s)/d(weights of the model) to gradient
 * (model_values_count() numbers, laid out as the weights), and stores the sum of nll, of all
 * and of each sequence (nll[b->sequences], or NULL).  For the gradient of the mean, scale is
 * 1 / batch_targets(b). */
winnow_status engine_gradient(struct engine *e, const struct token_batch *b, float scale,
                              float *gradient, double *nll_sum, double *nll,
                              struct winnow_error *err);

/* From now on gradients are those under dropout (engine/dropout.h) with this seed, and so are the
 * losses that come with them; rate 0: no longer.  An engine made for it. */
void engine_drop(struct engine *e, double rate, uint64_t seed);

/* What the sequences of a batch lost, none of them empty. */
struct engine_losses {
    const double *nll;       /* sums */
    const uint32_t *targets; /* how many each has */
    size_t sequences;
};

/* From now on engine_gradient() multiplies the weight of each sequence by the one that weigh()
 * gives it, knowing the losses of all sequences and before any gradient is taken: at about
 * nothing, since a gradient is linear in what it is multiplied by.  An engine with losses_first,
 * whose batches then have to fit tokens_max (WINNOW_E_LIMIT).  weigh NULL: no longer. */
typedef void (*engine_weigh)(void *ctx, const struct engine_losses *losses, float *weights);
void engine_weigh_by(struct engine *e, engine_weigh weigh, void *ctx);

/* As engine_gradient(), of KL(teacher || model) at each position that has a target, whichever:
 * teacher[i * vocab + v] are the logits of another model there (engine_logits()), which are used
 * up; others are not read.  *sum becomes the sum of the divergences. */
winnow_status engine_gradient_divergence(struct engine *e, const struct token_batch *b, float scale,
                                         float *teacher, float *gradient, double *sum,
                                         struct winnow_error *err);

/* logits[i * vocab + v]: for tests and for small tasks; the batch must fit
 * tokens_max. */
winnow_status engine_logits(struct engine *e, const struct token_batch *b, float *logits,
                            struct winnow_error *err);

/* scores[i * count + k] = the logit of token wanted[k] at position i, for positions that
 * have a target (which one does not matter); nothing is written for others.  The batch may
 * hold any number of tokens. */
winnow_status engine_choices(struct engine *e, const struct token_batch *b, const uint32_t *wanted,
                             size_t count, float *scores, struct winnow_error *err);

/* states[i * dim ..] = what the head sees of position i: the last layer's output after the
 * last norm.  The batch may hold any number of tokens. */
winnow_status engine_states(struct engine *e, const struct token_batch *b, float *states,
                            struct winnow_error *err);

/* Seconds spent in each phase so far, for bench/. */
enum engine_phase {
    ENGINE_PACK, /* weights to their packed form */
    ENGINE_EMBED,
    ENGINE_BLOCK,     /* forward: norms, products, rotary embedding, SwiGLU */
    ENGINE_ATTENTION, /* forward */
    ENGINE_HEAD,      /* logits, cross-entropy, and their gradients */
    ENGINE_ATTENTION_BACK,
    ENGINE_BLOCK_BACK,
    ENGINE_WEIGHTS_BACK, /* gradients of the weight matrices */
    ENGINE_PHASES
};
const char *engine_phase_name(enum engine_phase p);
double engine_phase_seconds(const struct engine *e, enum engine_phase p);

/* What engine_new() was given, or chose. */
const struct model *engine_model(const struct engine *e);
uint32_t engine_tokens_max(const struct engine *e);

/* "avx512-bf16" and so on: the kernel table in use, for settings blocks. */
const char *engine_kernels(const struct engine *e);

#endif /* WINNOW_ENGINE_ENGINE_H */
