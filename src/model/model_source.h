/* model_source.h -- the tensors of a file as those of a model; what the readers
 * of safetensors and GGUF share.
 *
 *     TRY(model_source_check(&config, elements, path, err));
 *     TRY(model_new_in_file(&config, file, close, &m, err));
 *     for each tensor t of m: TRY(model_bind(m, t, &source, err));
 */
#ifndef WINNOW_MODEL_MODEL_SOURCE_H
#define WINNOW_MODEL_MODEL_SOURCE_H

#include "model/model.h"
#include "model/tensor_type.h"

/* Where a tensor's numbers lie. */
struct model_source {
    const struct tensor_view *view; /* in a file_map */
    const char *file;               /* for sentences */
    /* The rows of each head of that many stand in the order of interleaved rotary
     * embedding: row 2 i of the file is our row i, row 2 i + 1 our row i + half a
     * head.  0: all rows stand in our order. */
    uint32_t interleaved;
};

/* WINNOW_E_FORMAT, naming file, tensor and what is wrong, unless a file whose
 * tensors hold that many numbers can be the one of this config: to be asked
 * first, so that a lying config cannot make us take more than twice the memory
 * that the file accounts for. */
winnow_status model_source_check(const struct model_config *c, uint64_t elements, const char *file,
                                 struct winnow_error *err);

/* A model that lies in file, in which all sources' views and names live: it ends
 * with close(file), here already where this fails.  To be used when each of its
 * tensors is bound. */
winnow_status model_new_in_file(const struct model_config *config, void *file,
                                void (*close)(void *file), struct model **out,
                                struct winnow_error *err);

/* The sentence for a tensor that the file does not have. */
winnow_status model_source_missing(const char *file, const char *name, struct winnow_error *err);

/* Shape and type must fit; the numbers of a vector are read, and must be finite. */
winnow_status model_bind(struct model *m, const struct model_tensor *t,
                         const struct model_source *source, struct winnow_error *err);

#endif /* WINNOW_MODEL_MODEL_SOURCE_H */
