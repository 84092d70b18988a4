/* quality_learn_internal.h -- what the ways to learn (two corpora, judgements, silos) share. */
#ifndef WINNOW_QUALITY_QUALITY_LEARN_INTERNAL_H
#define WINNOW_QUALITY_QUALITY_LEARN_INTERNAL_H

#include "winnow/quality.h"

#include "base/json_write.h"
#include "corpus/document.h"
#include "quality/quality_train.h"

struct learning {
    const struct winnow_quality_train_options *opt;
    const struct winnow_env *env;
    struct winnow_quality_train_result *result;
    struct quality_examples examples;
    struct quality_lessons lessons;
    struct quality_train_options train;
    struct quality_net net;
    struct buf checkpoint;
    struct buf results; /* JSON of what the silos came to */
};

/* Takes one document of a corpus. */
typedef winnow_status (*learn_take)(struct learning *l, const struct document *d, void *ctx,
                                    struct winnow_error *err);

/* All documents of a corpus, which has to be whole. */
winnow_status learn_read(struct learning *l, const struct winnow_text_options *text,
                         struct winnow_list paths, learn_take take, void *ctx,
                         struct winnow_error *err);

/* Whether --memory holds the examples and their training. */
winnow_status learn_memory(const struct learning *l, struct winnow_error *err);

/* The model, and what was measured where --results asks for it (write fills an open object);
 * then nothing is left of the checkpoint. */
winnow_status learn_write(struct learning *l,
                          void (*write)(const struct learning *l, struct json_writer *w),
                          struct winnow_error *err);

/* quality_rate.c: a rater of judgements. */
winnow_status learn_judgements(struct learning *l, const struct winnow_list *paths,
                               struct winnow_error *err);

/* quality_silos.c: a model of silos that keep their documents. */
winnow_status learn_silos(struct learning *l, const struct winnow_list *paths,
                          struct winnow_error *err);

#endif /* WINNOW_QUALITY_QUALITY_LEARN_INTERNAL_H */
