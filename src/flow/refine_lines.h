/* refine_lines.h -- line models, the one that is built in among them, for the
 * stage `refine`. */
#ifndef WINNOW_FLOW_REFINE_LINES_H
#define WINNOW_FLOW_REFINE_LINES_H

#include "flow/refine_ask.h"

struct line_model;

/* Whether it names a line model: "builtin" or the folder of one. */
bool refine_lines_named(const char *refiner);

/* The one named (NULL: the one built in) reads lines and gives remove_lines(), in the dialect
 * winnow.  Model and refiner are zero before; the model is freed by line_model_free(). */
winnow_status refine_lines_open(const char *refiner, const struct winnow_env *env,
                                struct line_model **model, struct direct_refiner *out,
                                struct winnow_error *err);

/* FLOPs of a line's verdict. */
winnow_status refine_lines_flops(const char *refiner, const struct winnow_env *env, double *flops,
                                 struct winnow_error *err);

#endif /* WINNOW_FLOW_REFINE_LINES_H */
