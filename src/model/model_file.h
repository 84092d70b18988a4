/* model_file.h -- models on disk.
 *
 * A model folder is what HF transformers reads and writes: config.json,
 * model.safetensors (or shards with model.safetensors.index.json) and
 * tokenizer.json.  A path that ends in .gguf is a GGUF file with all of it
 * inside.  Nothing in either is trusted.
 *
 * Loading is strict: a tensor that is missing, has another shape than the
 * config says, or is there without the architecture knowing it, is refused with
 * a sentence that names it, since a model computed without part of its weights
 * gives wrong scores without any sign.
 */
#ifndef WINNOW_MODEL_MODEL_FILE_H
#define WINNOW_MODEL_MODEL_FILE_H

#include "model/model.h"
#include "model/tensor_type.h"
#include "token/tokenizer.h"

/* Config and weights, the latter converted to f32 in memory. */
winnow_status model_load(const char *path, struct model **out, struct winnow_error *err);

/* The same for engines that only compute: the weights stay in the file, mapped
 * until model_free(), and engine_new() packs them from there (and is where one that
 * is NaN or infinite is refused).  Results are those of model_load(), bit for bit.
 * A file that is changed in place meanwhile changes the embedding of tokens, one
 * that is cut short ends the process; replacing it by another is fine. */
winnow_status model_open(const char *path, struct model **out, struct winnow_error *err);

/* The config alone: cheap, for estimates. */
winnow_status model_load_config(const char *path, struct model_config *out,
                                struct winnow_error *err);

/* The tokenizer of a model folder, or the one inside a GGUF file. */
winnow_status model_load_tokenizer(const char *path, struct tokenizer **out,
                                   struct winnow_error *err);

/* Writes config.json and model.safetensors into folder, which is made where it
 * does not exist.  The numbers are stored as type: TENSOR_F32, TENSOR_BF16 or
 * TENSOR_F16.  tokenizer.json is the tokenizer's to write. */
winnow_status model_save(const struct model *m, const char *folder, enum tensor_type type,
                         struct winnow_error *err);

#endif /* WINNOW_MODEL_MODEL_FILE_H */
