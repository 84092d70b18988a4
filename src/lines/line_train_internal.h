/* line_train_internal.h -- pages as a training step sees them, and what a
 * checkpoint keeps. */
#ifndef WINNOW_LINES_LINE_TRAIN_INTERNAL_H
#define WINNOW_LINES_LINE_TRAIN_INTERNAL_H

#include "base/rng.h"
#include "lines/line_model_internal.h"
#include "lines/line_train.h"

/* A page of a step with what it needs; keep is reset for the next one. */
struct line_sample {
    struct arena keep;
    struct str *lines;
    unsigned char *labels;
    struct line_origin *origins; /* NULL: without structure */
    size_t count;
    struct line_features f;
};

/* Numbers of pages for one epoch in random order: all that stand for themselves,
 * per_template of each template.  Returns how many; out has room for all. */
size_t line_draw_epoch(const struct line_page_set *pages, uint32_t per_template, struct rng *r,
                       uint32_t *out);

/* The page, perhaps with another body, its features with n-grams left out. */
void line_draw_sample(const struct line_train_options *opt, const struct line_train_data *data,
                      uint32_t page, uint32_t rows, struct rng *r, struct line_sample *out);

/* Where a training is. */
struct line_train_progress {
    uint64_t step, pages;
    double recent; /* sum of losses since the last message */
    double last;   /* of the last tenth of the steps */
};

/* Weights, n-gram vectors and the moments of both. */
#define LINE_STATE_ARRAYS 6U
struct line_train_state {
    struct line_train_progress at;
    struct {
        float *numbers;
        size_t count;
    } arrays[LINE_STATE_ARRAYS];
};

/* What a training is made of: two of the same key go the same way. */
uint64_t line_checkpoint_key(const struct line_model *m, const struct line_train_options *opt,
                             const struct line_train_data *data);
winnow_status line_checkpoint_save(const char *path, uint64_t key, const struct line_train_state *s,
                                   struct winnow_error *err);
/* WINNOW_E_FORMAT: of another training, or damaged; s is then untouched. */
winnow_status line_checkpoint_load(const char *path, uint64_t key, struct line_train_state *s,
                                   struct winnow_error *err);

#endif /* WINNOW_LINES_LINE_TRAIN_INTERNAL_H */
