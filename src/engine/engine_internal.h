/* engine_internal.h -- what the files of the engine share. */
#ifndef WINNOW_ENGINE_ENGINE_INTERNAL_H
#define WINNOW_ENGINE_ENGINE_INTERNAL_H

#include "engine/dropout.h"
#include "engine/engine.h"
#include "math/gemm.h"

#include <stdatomic.h>

/* Letters used in comments: T tokens of a micro-batch, D dim, Q heads * head_dim,
 * KV kv_heads * head_dim, S = Q + 2 KV, F ffn, V vocabulary, H head_dim. */

/* A weight matrix in the two packed forms. */
struct packed {
    void *forward;  /* B for Y = X W' */
    void *backward; /* B for dX = dY W; NULL without gradients */
};

/* A matrix to pack: n rows of k numbers, of one tensor or of a group. */
struct engine_matrix {
    const struct model_tensor *rows; /* the first of them; model_rows() finds the others */
    size_t n, k;
    struct packed to;    /* forward NULL: its numbers are only looked at */
    size_t part;         /* rows of a piece of work forward, whole panels */
    size_t back_part;    /* and backward, each of which is packed for itself */
    size_t parts, backs; /* pieces */
};

struct engine_layer {
    const float *norm1, *norm2;
    const float *qkv_bias, *o_bias, *gate_up_bias, *down_bias; /* NULL: none */
    struct packed w_qkv, w_o, w_gate_up, w_down;

    /* Kept for the backward pass; without gradients all layers share them. */
    float *x;        /* [T][D] what enters the layer */
    float *r1, *r2;  /* [T] inverse root mean squares of the norms */
    float *qkv;      /* [T][S] after rotation */
    float *attended; /* [T][Q] */
    float *lse;      /* [heads][T] log-sums of the attention's softmax */
    float *mid;      /* [T][D] after attention */
    float *gate_up;  /* [T][2F] */
};

/* What the backward pass hands from phase to phase, one layer at a time: for
 * each product its input and the gradient of its output are here together. */
struct engine_back {
    float *dx;        /* [T][D] gradient of what leaves the layer */
    float *dnext;     /* [T][D] of what enters it; the two change places */
    float *dmid;      /* [T][D] of what the attention block leaves */
    float *norm1;     /* [T][D] the normed input of q, k, v */
    float *norm2;     /* [T][D] the normed input of gate and up */
    float *hidden;    /* [T][F] silu(gate) * up */
    float *dgate_up;  /* [T][2F] */
    float *dattended; /* [T][Q] */
    float *delta;     /* [heads][T] sums of dattended * attended a head */
    float *dqkv;      /* [T][S] */
    /* What of dmid and dx goes back into attention and the MLP: the same, or without what was
     * dropped. */
    float *dattention, *dmlp;
    float *dropped_attention, *dropped_mlp; /* [T][D], with dropout only */
    float *dnorm1, *dnorm2;                 /* [tiles][D] pieces of the norms' gradients */
    float *dnorm;                           /* [head tiles][D] the same of the last norm */
    float *logits;                          /* [block][V] of some tiles of tokens */
    uint32_t *scored;                       /* positions that have a target, in order */
    size_t scored_count;
};

/* One worker's scratch. */
struct engine_scratch {
    float *rows;   /* [tile][widest] */
    void *a, *b;   /* packed factors */
    float *chunk;  /* [tile][2][FFN_CHUNK] of gate and up */
    void *hidden;  /* packed: silu(gate) * up */
    float *logits; /* [tile][HEAD_CHUNK] */
    float *attention;
};

struct engine {
    const struct model *model;
    struct model_config c;
    struct pool *pool;
    struct gemm g;           /* products with weights */
    struct gemm g_attention; /* those of queries, keys and values */
    const struct kernels *k;
    bool gradients, losses_first, may_drop;
    bool dropping;                /* in work under dropout */
    bool packed;                  /* the packed weights are those of the model */
    const struct engine *weights; /* whose packed weights these are; NULL: its own */
    uint32_t tokens_max;
    uint32_t threads;
    uint32_t head_pad; /* head_dim rounded up to lanes */
    size_t q, kv, s;   /* widths */

    char *memory;
    size_t memory_bytes;
    struct engine_layer *layers;
    struct packed w_head;
    struct engine_matrix *matrices; /* all of them */
    size_t matrix_count;
    atomic_bool not_finite; /* a matrix in a file is not */
    const float *norm;
    const struct model_tensor *embed, *head;
    float *rope_cos, *rope_sin; /* [tokens_max][H / 2] */
    float *x;                   /* [T][D] what leaves the last layer */
    float *r;                   /* [T] of the last norm */
    float *normed;              /* [scored][D] after it; gradients only */
    struct engine_back back;
    struct engine_scratch *scratch;
    uint32_t *positions; /* [T] in its sequence */
    uint32_t *targets;   /* [T] */
    float *scales;       /* [T] scale times the weight of its sequence; gradients only */
    uint32_t *starts;    /* sequences + 1, from 0 */
    uint32_t *which;     /* the number of each sequence in the caller's batch */
    uint32_t head_rows;  /* tokens of a tile of the head's gradient */
    size_t head_tiles;   /* tiles whose logits back.logits holds */
    struct dropout dropout;
    engine_weigh weigh; /* NULL: sequences weigh what the batch says */
    void *weigh_ctx;
    /* [T] of each sequence, with losses_first only */
    double *sequence_nll;
    uint32_t *sequence_targets;
    float *sequence_weights;

    /* The micro-batch in work. */
    const uint32_t *tokens;
    size_t first; /* where it begins in the batch */
    size_t t, sequences;
    uint32_t tile; /* tokens of a tile */
    size_t tiles;
    float *nll;                       /* [T] */
    float *logits;                    /* engine_logits() only */
    float *teacher;                   /* [T][V] logits to come near to; NULL: targets */
    float scale;                      /* of the gradient */
    float *gradient;                  /* NULL: only what examples asks for */
    struct engine_examples *examples; /* what is wanted of each sequence; NULL: nothing */

    double seconds[ENGINE_PHASES];
};

/* Vocabulary entries worked on at once; a multiple of any gemm_cols. */
#define HEAD_CHUNK 1024U
/* The same of gate and up, and a multiple of GEMM_PART. */
#define FFN_CHUNK 192U
/* Tokens of a tile at most. */
#define TILE_MOST 128U
/* A tile of a weight gradient, and the tokens summed in one go. */
#define WEIGHT_ROWS  252U
#define WEIGHT_COLS  384U
#define WEIGHT_DEPTH 256U
/* Queries of a block in the backward pass of attention, in gemm_rows. */
#define ATTENTION_PANELS 4U

/* Adds the nll of the micro-batch to those of its sequences; NULL: nobody asks. */
void engine_sum_nll(const struct engine *e, double *nll);

/* Runs work on the pool and books the time. */
void engine_run(struct engine *e, enum engine_phase phase, size_t pieces,
                void (*work)(void *engine, size_t piece, uint32_t worker));

/* Sequences of the caller's batch from *at on, as many as fit, into the engine; their first
 * token is *first.  False when none are left. */
winnow_status engine_check_batch(const struct engine *e, const struct token_batch *b,
                                 struct winnow_error *err);
bool engine_next_micro(struct engine *e, const struct token_batch *b, size_t *at, size_t *first);

struct tile_span {
    size_t from, count;
};
static inline struct tile_span engine_tile(const struct engine *e, size_t tile)
{
    size_t from = tile * e->tile;
    return (struct tile_span){from, e->t - from < e->tile ? e->t - from : e->tile};
}

struct norm_rows {
    const float *x, *w;
    size_t count;
    float *r;
};

/* Rows of f32 times a packed weight matrix: out[rows][n] (+)= in[rows][k] W'. */
struct row_product {
    const float *in;
    size_t in_stride, rows, k, n;
    const void *w; /* packed B */
};
void engine_product(const struct engine *e, struct engine_scratch *s, const struct row_product *p,
                    const struct gemm_out *out);

/* The norm w of a tile's rows x[count][D], packed into s->a; r gets the inverse
 * root mean squares. */
void engine_pack_normed(const struct engine *e, struct engine_scratch *s, struct norm_rows x);

/* Sets tile and tiles for t tokens. */
void engine_cut_tiles(struct engine *e);

/* Which matrices there are, and where their packed form goes. */
void engine_list_matrices(struct engine *e);
/* Packs the weights where they changed since; the second refuses NaN and infinity. */
void engine_pack_weights(struct engine *e);
winnow_status engine_pack_checked(struct engine *e, struct winnow_error *err);
/* The micro-batch through all layers: x is filled. */
void engine_forward(struct engine *e);
/* Its steps: embeddings to the first layer's x; from there to rotated q, k and v;
 * from attended to the next layer's x. */
void engine_embed(struct engine *e);
void engine_before_attention(struct engine *e, struct engine_layer *l);
void engine_after_attention(struct engine *e, struct engine_layer *l);
/* From x: nll of each token, or logits. */
void engine_head(struct engine *e);
/* The same with gradients: fills back.dx and adds to gradient. */
void engine_head_back(struct engine *e);
/* Its tiles, each of which left a row in back.dnorm. */
size_t engine_head_tiles(const struct engine *e);
/* From back.dx through all layers. */
void engine_backward(struct engine *e);

/* Attention of one layer; pieces are sequences x heads and sequences x
 * kv_heads. */
void engine_attention(struct engine *e, const struct engine_layer *l);
void engine_attention_back(struct engine *e, const struct engine_layer *l);
size_t attention_scratch_floats(const struct engine *e);

/* dW[m][n] += the sum over tokens of dy[t][m] * x[t][n], cut into pieces. */
struct weight_gradient {
    const float *dy, *x;
    size_t dy_stride, x_stride;
    size_t tokens, m, n;
    float *dw;    /* [m][n]; NULL: no sum is wanted */
    size_t place; /* of its first number among the weights */
    bool hidden;  /* a matrix of a layer */
};
/* Rows m0.. and columns n0.. of it: what a piece works on. */
struct weight_tile {
    size_t m0, n0, m, n;
};
struct weight_tile weight_gradient_tile(const struct engine *e, const struct weight_gradient *w,
                                        size_t piece);
size_t weight_gradient_pieces(const struct engine *e, const struct weight_gradient *w);
void weight_gradient_piece(const struct engine *e, struct engine_scratch *s,
                           const struct weight_gradient *w, size_t piece);

#endif /* WINNOW_ENGINE_ENGINE_INTERNAL_H */
