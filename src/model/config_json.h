/* config_json.h -- the config.json of a model folder. */
#ifndef WINNOW_MODEL_CONFIG_JSON_H
#define WINNOW_MODEL_CONFIG_JSON_H

#include "base/buf.h"
#include "model/config.h"
#include "model/tensor_type.h"

/* Reads what HF transformers writes for model types llama, mistral and qwen2.
 * Anything that would make another computation of it (an unknown rope_scaling,
 * another activation, quantised weights) is refused by name.  name stands for
 * the file in sentences. */
winnow_status config_json_parse(struct str json, const char *name, struct model_config *out,
                                struct winnow_error *err);

/* Appends a config.json for weights stored as type.  WINNOW_E_FORMAT where no
 * model type of transformers has that mixture of biases. */
winnow_status config_json_write(const struct model_config *c, enum tensor_type type,
                                struct buf *out, struct winnow_error *err);

#endif /* WINNOW_MODEL_CONFIG_JSON_H */
