/* line_train_internal.h -- pages as a training step sees them. */
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

#endif /* WINNOW_LINES_LINE_TRAIN_INTERNAL_H */
