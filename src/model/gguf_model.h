/* gguf_model.h -- config, weights and tokenizer out of a GGUF file; use
 * model_open() and its like, which choose by the path. */
#ifndef WINNOW_MODEL_GGUF_MODEL_H
#define WINNOW_MODEL_GGUF_MODEL_H

#include "model/gguf.h"
#include "model/model.h"
#include "token/tokenizer.h"

winnow_status gguf_load_config(const char *path, struct model_config *out,
                               struct winnow_error *err);
winnow_status gguf_open_model(const char *path, struct model **out, struct winnow_error *err);
winnow_status gguf_load_tokenizer(const char *path, struct tokenizer **out,
                                  struct winnow_error *err);

/* The pieces, for an open file; name stands for it in sentences. */
winnow_status gguf_model_config(const struct gguf *file, const char *name, struct model_config *out,
                                struct winnow_error *err);
winnow_status gguf_model_tokenizer(const struct gguf *file, const char *name,
                                   struct tokenizer **out, struct winnow_error *err);

#endif /* WINNOW_MODEL_GGUF_MODEL_H */
