/* line_model.h -- a small network that gives each line of a page a verdict.
 *
 *     struct line_model *m = NULL;
 *     TRY(line_model_load("models/lines", NULL, &m, err));      NULL: the one compiled in
 *     struct line_pass *p = line_pass_new(m);                   one a thread
 *     line_pass_run(p, &features, logits);
 *
 * It is no language model: it reads hashed n-grams and counts (line_features.h),
 * and writes one number a line, the log-odds that the line belongs to the
 * page's text.
 *
 *     z     sums of n-gram vectors (one table, three groups), dense features
 *     e     W2 swiglu(W1 z)                             each line by itself
 *     x     e + taps over e of the two lines either side;   x0 = page + P mean(e)
 *     x     `layers` times: attention over x0 and all lines (RoPE), SwiGLU
 *     logit head . norm(x) + bias
 *
 * A model may hold its weights twice: those for pages whose tags are known, and others for pages
 * of lines alone, which the first read less well than weights that saw nothing else.
 *
 * Pages of more than LINE_WINDOW lines are read in windows that overlap by
 * LINE_MARGIN lines on either side.
 */
#ifndef WINNOW_LINES_LINE_MODEL_H
#define WINNOW_LINES_LINE_MODEL_H

#include "winnow/common.h"

#include "lines/line_features.h"

#define LINE_WINDOW 512U
#define LINE_MARGIN 64U
#define LINE_TAPS   5U

/* Bounds of what a file may say. */
#define LINE_DIM_MAX    1024U
#define LINE_LAYERS_MAX 16U

/* What the log-odds mean (line_calibrate.h). */
struct line_calibration {
    double alone_scale, alone_bias;   /* of a page whose tags are not known */
    double tagged_scale, tagged_bias; /* of one whose tags are */
    double path_share, page_share;
};
#define LINE_CALIBRATION_INIT \
    {                         \
        1, 0, 1, 0, 0, 0      \
    }

struct line_config {
    uint32_t rows;   /* of the table of n-gram vectors, a power of two */
    uint32_t embed;  /* their length */
    uint32_t hidden; /* of the line encoder */
    uint32_t dim, layers, ffn;
    uint32_t head_dim;
    double keep_above; /* a line whose probability is lower is removed */
    struct line_calibration calibration;
};
#define LINE_CONFIG_INIT                     \
    ((struct line_config){.rows = 32768,     \
                          .embed = 48,       \
                          .hidden = 96,      \
                          .dim = 96,         \
                          .layers = 3,       \
                          .ffn = 192,        \
                          .head_dim = 32,    \
                          .keep_above = 0.5, \
                          .calibration = LINE_CALIBRATION_INIT})

struct line_model;

/* WINNOW_E_FORMAT says which size is out of bounds. */
winnow_status line_config_check(const struct line_config *c, struct winnow_error *err);

/* Weights drawn from the seed; the table of vectors starts at 0, so that an
 * n-gram never seen in training says nothing.  bf16: products round their factors
 * so, which is faster where the processor can. */
winnow_status line_model_new(const struct line_config *c, uint64_t seed, const char *kernels,
                             bool bf16, struct line_model **out, struct winnow_error *err);
void line_model_free(struct line_model *m); /* NULL is fine */
const struct line_config *line_model_config(const struct line_model *m);
size_t line_model_parameters(const struct line_model *m);

/* From here on m reads pages without tags by the weights of alone (by its own for them, where it
 * has two sets), which it owns then.  WINNOW_E_FORMAT where sizes differ; alone is the caller's
 * still. */
winnow_status line_model_give_alone(struct line_model *m, struct line_model *alone,
                                    struct winnow_error *err);

/* FLOPs of one line's verdict: 2 a number that is multiplied with (n-gram vectors
 * are added up, attention's products are left out, as is the custom). */
double line_model_flops(const struct line_model *m);

/* Whether folder says of itself that it holds a line model. */
bool line_model_is(const char *folder);

/* A folder with config.json and model.safetensors; folder NULL: the refiner that
 * is compiled in.  kernels: see winnow_env.  The file is not trusted. */
winnow_status line_model_load(const char *folder, const char *kernels, struct line_model **out,
                              struct winnow_error *err);

/* The same from bytes; name stands for the folder in sentences. */
winnow_status line_model_parse(struct str config, struct str weights, const char *name,
                               const char *kernels, struct line_model **out,
                               struct winnow_error *err);

/* Writes both files, weights as bf16.  card: members for config.json's
 * "training" object, JSON, or empty. */
winnow_status line_model_save(const struct line_model *m, const char *folder, double keep_above,
                              struct str card, struct winnow_error *err);

/* Scratch of one thread; the model must outlive it. */
struct line_pass;
struct line_pass *line_pass_new(const struct line_model *m);
void line_pass_free(struct line_pass *p);

/* The log-odds of each line of f to be kept. */
void line_pass_run(struct line_pass *p, const struct line_features *f, float *logits);

#endif /* WINNOW_LINES_LINE_MODEL_H */
