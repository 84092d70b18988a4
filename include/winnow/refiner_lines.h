/* refiner_lines.h -- trains a line model, the kind of refiner that is built in.
 *
 * It reads a page's lines at once and gives each a verdict; `winnow refine`
 * writes the verdicts as a program of remove_lines(). */
#ifndef WINNOW_REFINER_LINES_H
#define WINNOW_REFINER_LINES_H

#include "winnow/train.h"

#ifdef __cplusplus
extern "C" {
#endif

struct winnow_refiner_lines_options {
    const char *output; /* the model folder */
    /* Paths given: JSON lines of pages with "lines" and "label" (1 keep, 0 drop,
     * others not judged), plain, .gz or .zst. */
    struct winnow_list templates; /* the same; pages of one "source" share a template */
    struct winnow_list articles;  /* JSON lines with "text": bodies to put into frames */
    const char *lines_alone;      /* NULL, or a model whose weights read pages without structure */
    uint32_t per_template;        /* pages of a template an epoch */
    uint32_t rows, embed, hidden, dim, layers, ffn;
    double epochs, lr, table_lr, weight_decay;
    double token_dropout, group_dropout, structure_dropout, transplant, length_weight, page_power;
    uint32_t batch_pages;
    double checkpoint; /* seconds between two at least; a broken-off training goes on */
    int compute;       /* enum winnow_compute of train.h */
    double keep_above; /* written into the folder: lines less likely to be text go */
};
#define WINNOW_REFINER_LINES_OPTIONS_INIT                               \
    (WINNOW_NEW(winnow_refiner_lines_options){.per_template = 4,        \
                                              .rows = 32768,            \
                                              .embed = 48,              \
                                              .hidden = 96,             \
                                              .dim = 96,                \
                                              .layers = 3,              \
                                              .ffn = 192,               \
                                              .epochs = 12,             \
                                              .lr = 2e-3,               \
                                              .table_lr = 2e-3,         \
                                              .weight_decay = 0.05,     \
                                              .token_dropout = 0.2,     \
                                              .group_dropout = 0.1,     \
                                              .structure_dropout = 0.3, \
                                              .transplant = 0.3,        \
                                              .length_weight = 0.3,     \
                                              .page_power = 0.3,        \
                                              .batch_pages = 16,        \
                                              .checkpoint = 60,         \
                                              .compute = WINNOW_F32,    \
                                              .keep_above = 0.5})

struct winnow_refiner_lines_result {
    uint64_t pages, lines, articles; /* read */
    uint64_t steps, parameters;
    double loss;        /* mean of the last tenth of the steps */
    bool nothing_to_do; /* an earlier call did all of it; the rest is 0 */
};

/* *result is filled in where the call succeeds.  Order, dropout and first weights come from
 * env->seed.  Writes config.json and model.safetensors into opt->output. */
WINNOW_API winnow_status winnow_refiner_train_lines(const struct winnow_refiner_lines_options *opt,
                                                    const struct winnow_list *paths,
                                                    const struct winnow_env *env,
                                                    struct winnow_refiner_lines_result *result,
                                                    struct winnow_error *err);

#ifdef __cplusplus
}
#endif

#endif /* WINNOW_REFINER_LINES_H */
