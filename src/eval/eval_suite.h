/* eval_suite.h -- how a suite is filled. */
#ifndef WINNOW_EVAL_EVAL_SUITE_H
#define WINNOW_EVAL_EVAL_SUITE_H

#include "base/arena.h"
#include "eval/eval.h"

/* The arena that owns the suite's strings and options. */
struct arena *eval_suite_arena(struct eval_suite *s);

/* The task of that name, which is made where there is none. */
uint32_t eval_suite_find_task(struct eval_suite *s, struct str name, struct str group,
                              enum eval_kind kind);

/* What the task holds so far. */
uint64_t eval_suite_task_items(const struct eval_suite *s, uint32_t task);

/* The item's views belong to the arena already. */
void eval_suite_add_item(struct eval_suite *s, const struct eval_item *item);

/* Puts each task's items together, in the order in which they were added, and
 * counts them: to be called after the last add. */
void eval_suite_sort(struct eval_suite *s);

#endif /* WINNOW_EVAL_EVAL_SUITE_H */
