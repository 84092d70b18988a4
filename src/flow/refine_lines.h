/* refine_lines.h -- the refiner that is built in, for the stage `refine`. */
#ifndef WINNOW_FLOW_REFINE_LINES_H
#define WINNOW_FLOW_REFINE_LINES_H

#include "flow/refine_ask.h"

struct line_model;

/* It reads lines and gives remove_lines(), in the dialect winnow.  Model and
 * refiner are zero before; the model is freed by line_model_free(). */
winnow_status refine_lines_open(const struct winnow_env *env, struct line_model **model,
                                struct direct_refiner *out, struct winnow_error *err);

#endif /* WINNOW_FLOW_REFINE_LINES_H */
