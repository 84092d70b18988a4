/* line_model_internal.h -- weights and activations of a line model.
 *
 * n lines of a window, T = n + 1 rows (the page's token first), d = dim,
 * f = ffn, h = hidden, c = columns of z = LINE_GROUPS * embed + LINE_DENSE + LINE_STRUCTURE. */
#ifndef WINNOW_LINES_LINE_MODEL_INTERNAL_H
#define WINNOW_LINES_LINE_MODEL_INTERNAL_H

#include "lines/line_model.h"
#include "math/gemm.h"

#define LINE_ROWS_MAX (LINE_WINDOW + 1U)
#define LINE_NORM_EPS 1e-5F

/* y = x w', w being out x in. */
struct line_matrix {
    size_t at; /* in the weights */
    uint32_t out, in;
    void *forward, *backward; /* packed; backward in training only */
};

struct line_layer {
    size_t norm1, norm2;
    struct line_matrix qkv, out, up, down;
};

/* A tensor as files have it. */
struct line_tensor {
    char name[32];
    size_t at;
    uint32_t rows, cols;
    bool decays; /* matrices: weight decay */
};
#define LINE_TENSORS_MAX (8U + 6U * LINE_LAYERS_MAX)

struct line_model {
    struct line_config c;
    uint32_t columns; /* of z */
    uint32_t heads;
    struct gemm gemm;
    float *weights; /* all but the table */
    size_t weight_count;
    float *table; /* rows x embed */
    struct line_tensor tensors[LINE_TENSORS_MAX];
    size_t tensor_count;
    struct line_matrix encoder_in, encoder_out, page_in;
    size_t page, taps, norm, head, bias;
    struct line_layer layers[LINE_LAYERS_MAX];
    float *rope_cos, *rope_sin; /* LINE_ROWS_MAX x head_dim / 2 */
    bool training;
    struct line_model *alone; /* weights that read pages without tags; NULL: these do */
};

/* What a window's forward pass leaves for its backward pass. */
struct line_layer_pass {
    float *x_in, *x_mid;        /* T x d: before attention, before the feed-forward */
    float *r1, *r2;             /* T */
    float *qkv, *probs, *mixed; /* T x 3d, heads x T x T, T x d */
    float *gates;               /* T x 2f */
};

struct line_pass {
    const struct line_model *m;
    uint32_t n;
    float *z, *gates, *hidden, *e; /* n x c, n x 2h, n x h, n x d */
    float *mean;                   /* d */
    struct line_layer_pass layers[LINE_LAYERS_MAX];
    float *x_out, *r;   /* T x d, T */
    float *rows, *wide; /* scratch: T x max(d, h), T x max(3d, 2f, 2h) */
    void *pack_a, *pack_b;

    /* backward */
    float *dx, *drows, *dwide, *de, *dprobs, *dz;
};

/* The row of weights that a tensor starts with. */
static inline float *line_at(const struct line_model *m, size_t at)
{
    return m->weights + at;
}

/* Weights and structures, uninitialised but for the layout. */
winnow_status line_model_layout(const struct line_config *c, const char *kernels, bool training,
                                enum gemm_type type, struct line_model **out,
                                struct winnow_error *err);

/* After weights have changed. */
void line_model_pack(struct line_model *m);

struct line_pass *line_pass_new_for(const struct line_model *m, bool training);

/* Lines from..from+n-1 of f (n <= LINE_WINDOW) into logits. */
void line_forward(struct line_pass *p, const struct line_features *f, size_t from, size_t n,
                  float *logits);

/* After line_forward() of the same window: adds to grads (as weights) and writes
 * to dz (n x LINE_GROUPS * embed) the gradient of the n-gram sums. */
void line_backward(struct line_pass *p, const float *dlogits, float *grads, float *dz);

/* y (stride out) = x w', or y += */
void line_multiply(struct line_pass *p, const struct line_matrix *w, const float *x, size_t rows,
                   float *y, bool add);

/* A window and the lines of it whose logits count. */
struct line_window {
    size_t from, count, own_from, own_to;
};
/* The index-th window of a part of so many lines; false behind the last. */
bool line_window_at(size_t lines, size_t index, struct line_window *out);

/* 1 / sqrt(n-grams of the group), the factor on their sum. */
float line_group_scale(uint32_t tokens);

#endif /* WINNOW_LINES_LINE_MODEL_INTERNAL_H */
