/* line_train.h -- trains a line model on labelled pages.
 *
 * AdamW on the log-loss of each line, lines weighted by length, warm-up and
 * cosine.  A training page is a page of the set, or (one in `transplant`) the
 * frame of one page around the body of another or of a clean article, so that
 * frames and bodies are not learned by heart together.  N-grams are dropped at
 * random, and so is what is known of a page's tags, so that one model reads pages with and
 * without.
 *
 * The same pages, options and seed give the same weights bit for bit under one
 * kernel table, whatever the number of threads. */
#ifndef WINNOW_LINES_LINE_TRAIN_H
#define WINNOW_LINES_LINE_TRAIN_H

#include "base/pool.h"
#include "lines/line_model.h"
#include "lines/line_pages.h"

struct line_train_options {
    double epochs;
    uint32_t batch_pages;
    double lr, table_lr; /* at the top; table_lr: of the n-gram vectors */
    double warmup;       /* share of the steps */
    double weight_decay; /* decoupled; matrices only */
    double clip;
    double token_dropout;     /* share of n-grams not seen */
    double group_dropout;     /* share of pages of which one group is not seen */
    double structure_dropout; /* share of pages with a structure of which it is not seen */
    double transplant;        /* share of pages with another body */
    double length_weight;     /* a line of n bytes counts 1 + length_weight * min(n, 400) / 50 */
    double page_power;        /* and a page of n lines n^-page_power of that */
    uint32_t per_template;    /* pages of a template an epoch */
};
#define LINE_TRAIN_OPTIONS_INIT                            \
    ((struct line_train_options){.epochs = 12,             \
                                 .batch_pages = 16,        \
                                 .lr = 2e-3,               \
                                 .table_lr = 2e-3,         \
                                 .warmup = 0.05,           \
                                 .weight_decay = 0.05,     \
                                 .clip = 1,                \
                                 .token_dropout = 0.2,     \
                                 .group_dropout = 0.1,     \
                                 .structure_dropout = 0.3, \
                                 .transplant = 0.3,        \
                                 .length_weight = 0.3,     \
                                 .page_power = 0.3,        \
                                 .per_template = 4})

struct line_train_data {
    const struct line_page_set *pages, *articles; /* articles may be empty */
    struct pool *pool;
    const struct winnow_env *env;
    const char *checkpoint; /* a file to go on from and to leave behind; NULL: none */
    double save_seconds;    /* between two of its writings at least */
};

struct line_train_result {
    uint64_t steps, pages, lines;
    double loss; /* mean of the last tenth of the steps */
};

/* What a step takes of memory beside the weights: batch_pages pages, the longest there
 * are, each perhaps with the longest body; all of that has been read by then. */
uint64_t line_train_step_bytes(const struct line_config *c, const struct line_train_options *opt,
                               const struct line_page_set *pages,
                               const struct line_page_set *articles);

/* Trains m, which line_model_new() made, in place.  Where the checkpoint is there it
 * goes on from it, to the same weights as without a break; WINNOW_E_FORMAT where that
 * is of another training.  The file stays, for the caller to remove once the model is
 * stored. */
winnow_status line_train(struct line_model *m, const struct line_train_options *opt,
                         const struct line_train_data *data, struct line_train_result *result,
                         struct winnow_error *err);

#endif /* WINNOW_LINES_LINE_TRAIN_H */
