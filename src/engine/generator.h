/* generator.h -- text generation, greedy or by chance, many requests at a time.
 *
 *     while (more to ask || generator_waiting(g) > 0) {
 *         while (more to ask && generator_waiting(g) < generator_window(g)) {
 *             TRY(generator_submit(g, &request, err));     copies the prompt, never waits
 *         }
 *         TRY(generator_next(g, &answer, err));            works until the oldest is done
 *     }
 *
 * Requests are worked on side by side, and their answers come in the order in
 * which they were submitted.  A row that is done is refilled from the waiting
 * requests at once, pieces of new prompts travel in the same forward pass as
 * the single tokens of running rows (Orca's iteration-level batching, Yu et al.
 * 2022, with Sarathi's chunked prefill, Agrawal et al. 2023), and keys and
 * values lie in pages of fixed size taken from one pool (PagedAttention, Kwon
 * et al. 2023, sections 4.1 to 4.5): when it is full, new prompts wait; when a
 * running row cannot go on, the youngest one gives its pages back and is
 * computed again later.  Prompts that begin with the same whole pages share them.
 *
 * None of that shows in the answers: tokens and margins depend on weights,
 * prompt, masks, temperature, seed, compute type and kernel table only, and are those of
 * engine_logits() on the same sequence, bit for bit.
 *
 * A generator works through an engine, whose weights and activations it uses:
 * no other call on that engine may run at the same time, but may come between
 * two calls of the generator.  After engine_weights_changed() only
 * generator_free() may follow.
 */
#ifndef WINNOW_ENGINE_GENERATOR_H
#define WINNOW_ENGINE_GENERATOR_H

#include "engine/engine.h"

/* What may come next in a row.  The callbacks are called from the thread that
 * calls the generator, for each request in the order of its tokens, each token
 * once, whatever happens to the row in between. */
enum mask_answer {
    MASK_ANY,  /* every token may come; bits were not written */
    MASK_BITS, /* those whose bit is set */
    MASK_END,  /* the answer is complete here; no token is asked for */
};

struct token_mask {
    /* Fills bits (token_mask_words(vocab) words, token t being bit t % 64 of
     * word t / 64; all of them zero before the call, and bits from vocab on must
     * stay zero).  Where one token alone is allowed, it is taken without asking
     * the model.  With none, the answer ends as GENERATE_STUCK. */
    enum mask_answer (*allowed)(void *state, uint64_t *bits);
    /* token was chosen; not called for the token that ends an answer. */
    void (*accept)(void *state, uint32_t token);
};

static inline size_t token_mask_words(uint32_t vocab)
{
    return ((size_t)vocab + 63) / 64;
}

struct generate_request {
    const uint32_t *prompt; /* at least one token; BOS is the caller's to put in */
    size_t prompt_count;
    uint32_t new_max; /* tokens of the answer at most */
    /* Tokens that end an answer (and are not part of it); a mask decides first
     * whether they may come.  The array must live until the answer is there. */
    const uint32_t *stops;
    size_t stop_count;
    const struct token_mask *mask; /* NULL: any token; must live as long as the generator */
    void *mask_state;              /* one a request, until its answer is there */
    /* 0: the likeliest token.  Else tokens are drawn as exp(logit / temperature) says, by
     * numbers that depend on seed, position and token only: see generate_sample.c. */
    float temperature;
    uint64_t seed;
    uint64_t tag; /* comes back with the answer */
};

enum generate_end {
    GENERATE_STOPPED,  /* a stop token was chosen */
    GENERATE_COMPLETE, /* the mask said MASK_END */
    GENERATE_CUT,      /* new_max tokens are there, or prompt and answer fill the context */
    GENERATE_STUCK,    /* the mask allowed no token */
    GENERATE_REFUSED,  /* the prompt is empty, or as long as the context or longer */
};

/* Valid until the next call on the generator. */
struct generate_answer {
    uint64_t tag;
    enum generate_end end;
    const uint32_t *tokens; /* the stop token is not among them */
    size_t count;
    /* How sure each choice was: the best logit (of a draw, with what chance added) less the
     * second best among the allowed, INFINITY where one alone was allowed.  count of them, and one
     * more for the stop token of GENERATE_STOPPED.  Small ones explain where another program
     * continues in another way. */
    const float *margins;
    uint32_t prompt_count;
};

struct generator_options {
    uint32_t rows;        /* requests worked on at once; 0: 32 */
    uint32_t context_max; /* tokens of prompt and answer at most; 0: engine_tokens_max() */
    uint32_t page_tokens; /* of a page of the cache; 0: 32; rounded up to whole panels */
    uint32_t step_tokens; /* of a forward pass at most; 0: chosen; no less than rows */
    /* Keys and values.  0: what all rows need at full length, but 1 GiB at most,
     * and with env->memory_max no more than that leaves beside the engine.  It
     * must hold one row of context_max tokens. */
    uint64_t cache_bytes;
};

#define GENERATOR_OPTIONS_INIT \
    {                          \
        .rows = 0              \
    }

struct generator;

/* Engine and env must outlive the generator; env gives memory_max
 * (WINNOW_E_LIMIT where engine and generator together pass it) and cancel. */
winnow_status generator_new(struct engine *e, const struct generator_options *opt,
                            const struct winnow_env *env, struct generator **out,
                            struct winnow_error *err);
void generator_free(struct generator *g); /* with requests waiting, too; NULL is fine */

/* What it took beside the engine. */
uint64_t generator_bytes(const struct generator *g);

/* How many requests may wait for their answers at once (four times rows), and
 * how many do. */
uint32_t generator_window(const struct generator *g);
uint32_t generator_waiting(const struct generator *g);

/* Takes a request; never with generator_window() of them waiting.
 * WINNOW_E_FORMAT for a token outside the vocabulary.  A prompt that is too
 * long is no failure: its answer says so. */
winnow_status generator_submit(struct generator *g, const struct generate_request *request,
                               struct winnow_error *err);

/* The answer to the oldest request; never with none waiting.  After a failure
 * (WINNOW_E_CANCELLED) only generator_free() may follow. */
winnow_status generator_next(struct generator *g, struct generate_answer *answer,
                             struct winnow_error *err);

/* What happened so far, for bench/ and logs. */
struct generator_stats {
    uint64_t steps;             /* forward passes */
    uint64_t prompt_tokens;     /* computed */
    uint64_t shared_tokens;     /* of prompts, found in the cache */
    uint64_t again_tokens;      /* computed once more after a row gave its pages back */
    uint64_t new_tokens;        /* chosen, stop tokens included */
    uint64_t forced_tokens;     /* of them: the only one allowed */
    uint64_t preemptions;       /* rows that gave their pages back */
    uint64_t decode_tokens;     /* chosen in passes without any piece of a prompt */
    double decode_seconds;      /* of those passes */
    double prompt_seconds;      /* of the other passes */
    uint32_t pages, pages_most; /* there, and used at once at most */
};
const struct generator_stats *generator_stats(const struct generator *g);

#endif /* WINNOW_ENGINE_GENERATOR_H */
