/* refine_lines.h -- line models, the one that is built in among them, for the
 * stage `refine`. */
#ifndef WINNOW_REFINE_REFINE_LINES_H
#define WINNOW_REFINE_REFINE_LINES_H

#include "lines/line_refiner.h"
#include "refine/refine_ask.h"

/* A line model on its way through a pass. */
struct refine_lines {
    struct line_model *model;
    struct line_limits limits;
};

/* Whether it names a line model: "builtin" or the folder of one. */
bool refine_lines_named(const char *refiner);

/* The one that opt names (NULL: the one built in) reads lines and gives remove_lines() and
 * drop_doc(), in the dialect winnow.  out works as long as lines does, which is zero before
 * and released by refine_lines_release(). */
winnow_status refine_lines_open(const struct winnow_refine_options *opt,
                                const struct winnow_env *env, struct refine_lines *lines,
                                struct direct_refiner *out, struct winnow_error *err);
void refine_lines_release(struct refine_lines *lines);

/* FLOPs of a line's verdict. */
winnow_status refine_lines_flops(const char *refiner, const struct winnow_env *env, double *flops,
                                 struct winnow_error *err);

#endif /* WINNOW_REFINE_REFINE_LINES_H */
