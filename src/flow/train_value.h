/* train_value.h -- the target that documents are valued by, and what a training found of each
 * document as attributes. */
#ifndef WINNOW_FLOW_TRAIN_VALUE_H
#define WINNOW_FLOW_TRAIN_VALUE_H

#include "vectors/feature_texts.h"

#define TRAIN_VALUE_FOLDER "value"
#define TRAIN_VALUE_FILE   "values.jsonl"
#define TRAIN_VALUE_NAME   "winnow__value"

/* All examples of the target as one batch.  All-zero is none. */
struct train_value {
    struct feature_texts texts;
    struct tune_batch batch;
};
void train_value_release(struct train_value *v);

/* folder: where what is made of the texts lies meanwhile. */
winnow_status train_value_read(const struct feature_reading *how, const char *folder,
                               struct pool *pool, const struct winnow_env *env,
                               struct train_value *out, struct winnow_error *err);

/* Attribute rows of the documents, read once more for their ids, into folder/name. */
struct train_value_writing {
    struct winnow_list paths;
    struct document_keys keys;
    const char *const *names; /* of the attributes, NULL-terminated */
    const double *values;     /* a number of each name for the first `count` documents; NaN: none */
    size_t count;
    const char *folder, *name;
};
winnow_status train_value_write(const struct train_value_writing *w, const struct winnow_env *env,
                                struct winnow_error *err);

#endif /* WINNOW_FLOW_TRAIN_VALUE_H */
