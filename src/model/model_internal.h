/* model_internal.h -- what model.c and model_source.c share. */
#ifndef WINNOW_MODEL_MODEL_INTERNAL_H
#define WINNOW_MODEL_MODEL_INTERNAL_H

#include "model/model.h"
#include "model/model_source.h"

/* A tensor of a model that lies in its file. */
struct bound_tensor {
    struct model_source source;
    float *vector; /* its numbers; NULL for a matrix */
};

struct model {
    struct model_config config;
    struct model_tensor *tensors;
    size_t tensor_count;
    float *values; /* NULL: the model lies in its file */
    size_t values_count;

    /* In a file: what knows the tensors' places, by the table, and all vectors in
     * the table's order, so that biases of a group follow each other here too. */
    struct bound_tensor *bound;
    float *vectors;
    void *file;
    void (*file_close)(void *file);
};

/* A model without memory for its numbers. */
winnow_status model_new_table(const struct model_config *config, struct model **out,
                              struct winnow_error *err);

/* Memory for all numbers, zero; NULL with a sentence where there is none. */
float *model_try_values(const struct model *m, struct winnow_error *err);

/* Ends the file and all that was bound to it. */
void model_release_file(struct model *m);

/* Rows of a bound matrix as model_rows() counts them, converted. */
void model_read_bound(const struct model *m, const struct model_tensor *t, size_t first,
                      size_t count, float *out);

#endif /* WINNOW_MODEL_MODEL_INTERNAL_H */
