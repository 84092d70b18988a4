/* model_fill.h -- a tensor of a file into its place in a model; what the readers
 * of safetensors and GGUF share. */
#ifndef WINNOW_MODEL_MODEL_FILL_H
#define WINNOW_MODEL_MODEL_FILL_H

#include "model/model.h"
#include "model/tensor_type.h"

/* WINNOW_E_FORMAT, naming file, tensor and what is wrong, unless a file whose
 * tensors hold that many numbers can be the one of this config: to be asked
 * before model_new(), so that a lying config cannot make us take more than
 * twice the memory that the file accounts for. */
winnow_status model_fill_check(const struct model_config *c, uint64_t elements, const char *file,
                               struct winnow_error *err);

/* Converts view (NULL: the file has none of that name) into t's numbers.  Shape
 * and type must fit, and every number be finite. */
winnow_status model_fill(struct model *m, const struct model_tensor *t,
                         const struct tensor_view *view, const char *file,
                         struct winnow_error *err);

#endif /* WINNOW_MODEL_MODEL_FILL_H */
