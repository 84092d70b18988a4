/* leak_probe.h -- `eval --leak-probe`: does a model know benchmark items by heart? */
#ifndef WINNOW_FLOW_LEAK_PROBE_H
#define WINNOW_FLOW_LEAK_PROBE_H

#include "winnow/eval.h"

#include "base/buf.h"
#include "base/error.h"

struct eval_scorer;

/* Probes the items of opt->leak_probe and, where given, of opt->paraphrased: json is an object,
 * table what people read. */
winnow_status leak_probe(const struct winnow_eval_options *opt, struct eval_scorer *scorer,
                         const struct winnow_env *env, struct buf *json, struct buf *table,
                         struct winnow_error *err);

#endif /* WINNOW_FLOW_LEAK_PROBE_H */
