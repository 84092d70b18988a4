/* model_path.h -- what somebody gave as a model. */
#ifndef WINNOW_MODEL_MODEL_PATH_H
#define WINNOW_MODEL_MODEL_PATH_H

#include "base/error.h"

/* A GGUF file: by its name, or by its first bytes. */
bool model_path_is_gguf(const char *path);

/* Refuses what is neither a GGUF file nor a folder with a config.json, with a
 * sentence on what it is instead and what to give. */
winnow_status model_path_check(const char *path, struct winnow_error *err);

#endif /* WINNOW_MODEL_MODEL_PATH_H */
