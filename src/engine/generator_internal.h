/* generator_internal.h -- what the files of the generator share.
 *
 *     generator.c          requests in, answers out, memory
 *     generate_schedule.c  who takes part in the next forward pass, with which tokens
 *     generate_step.c      that pass through the layers
 *     generate_attention.c attention over pages
 *     generate_head.c      the head, and the choice of the next token
 *     generate_sample.c    chance in that choice
 */
#ifndef WINNOW_ENGINE_GENERATOR_INTERNAL_H
#define WINNOW_ENGINE_GENERATOR_INTERNAL_H

#include "engine/engine_internal.h"
#include "engine/generator.h"
#include "engine/kv_cache.h"

enum slot_state {
    SLOT_QUEUED,  /* holds no pages */
    SLOT_RUNNING, /* takes part in passes */
    SLOT_DONE,
};

/* A request from its submission to its answer. */
struct slot {
    struct generate_request request;
    enum slot_state state;
    enum generate_end end;
    uint32_t *tokens; /* [context] the prompt, then what was chosen */
    float *margins;   /* [context] */
    uint64_t *bits;   /* what may come next, where masked */
    bool masked;
    uint32_t prompt, length; /* tokens of the prompt, and in all */
    uint32_t chosen;         /* margins there are */
    uint32_t computed;       /* positions whose keys and values are in pages */
    uint32_t computed_most;
    uint32_t *pages;
    uint32_t page_count;
    uint32_t announced; /* pages that other rows can find */
    uint64_t parent;    /* id of the last of them */
};

/* A row's share of a pass. */
struct step_part {
    struct slot *slot;
    uint32_t first; /* of its tokens in the pass */
    uint32_t from;  /* position of that one */
    uint32_t count;
    bool last; /* a token is chosen behind the last one */
};

/* Queries of one row that attention works on in one go. */
struct attention_piece {
    uint32_t part;
    uint32_t head;  /* a kv head where grouped */
    uint32_t query; /* first of the part */
    uint32_t count;
    bool grouped; /* all heads of a kv head, one query after the other */
};

/* The best tokens of a row in one chunk of the vocabulary. */
struct choice {
    float top, second;
    uint32_t token; /* UINT32_MAX: none is allowed */
};

/* One worker's scratch beside the engine's. */
struct generate_scratch {
    void *query;     /* left: [panel][step of H][gemm_rows] */
    float *scores;   /* [block][keys_max] */
    void *p;         /* left: [panel][step of keys][gemm_rows] */
    uint64_t packed; /* number of the phase that the engine's scratch is packed for */
};

struct generator {
    struct engine *e;
    const struct winnow_env *env;
    uint32_t rows, context, window, step_tokens;
    uint32_t block;    /* queries of an attention piece, whole panels */
    uint32_t keys_max; /* context rounded up to whole panels */

    struct arena arena;
    struct kv_cache cache;
    struct generate_scratch *scratch;
    uint64_t bytes;

    struct slot *slots; /* a ring in the order of submission */
    uint32_t first, waiting, running;

    /* The pass in work. */
    struct step_part *parts;
    uint32_t part_count;
    uint32_t *tokens;     /* [step_tokens] */
    uint32_t *token_page; /* [step_tokens] the page that each lies in */
    struct attention_piece *pieces;
    size_t piece_count;
    uint32_t *wanted; /* parts behind which a token is chosen */
    uint32_t wanted_count;
    struct choice *choices; /* [chunk][rows] */
    uint32_t layer;
    uint64_t phase; /* number of the round of the pool */

    struct generator_stats stats;
};

/* Admits waiting requests and fills parts; at least one part where a request
 * is not done. */
void generate_plan(struct generator *g);
/* A request is done, or gives its pages back. */
void generate_drop_pages(struct generator *g, struct slot *s);
/* Tells the cache about pages that have become full. */
void generate_announce(struct generator *g, struct slot *s);

/* The parts through all layers; keys and values go into their pages. */
void generate_forward(struct generator *g);

size_t generate_pieces_max(const struct generator *g);
/* Cuts the parts' attention into pieces. */
void generate_cut_attention(struct generator *g);
void generate_attention_piece(void *generator, size_t piece, uint32_t worker);

/* generate_sample.c: adds to the logits of the n tokens from `token` on what makes the largest
 * of them a draw; key is of the request and of the position that is chosen for. */
uint64_t generate_sample_key(uint64_t seed, uint32_t position);
void generate_add_chance(float *x, size_t n, uint32_t token, float temperature, uint64_t key);

/* Fills the choice of each wanted part, in choices[0..]. */
void generate_choose(struct generator *g);
size_t generate_chunks(const struct generator *g);

/* Runs a phase of a pass on the pool. */
static inline void generate_run(struct generator *g, size_t pieces,
                                void (*work)(void *generator, size_t piece, uint32_t worker))
{
    g->phase++;
    pool_run(g->e->pool, pieces, work, g);
}

/* True once a phase and worker: its scratch is to be filled. */
static inline bool generate_first_piece(struct generator *g, uint32_t worker)
{
    bool first = g->scratch[worker].packed != g->phase;
    g->scratch[worker].packed = g->phase;
    return first;
}

#endif /* WINNOW_ENGINE_GENERATOR_INTERNAL_H */
