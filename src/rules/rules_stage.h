/* rules_stage.h -- the stage `rules`: the field's filters. */
#ifndef WINNOW_RULES_RULES_STAGE_H
#define WINNOW_RULES_RULES_STAGE_H

#include "winnow/rules.h"

#include "run/stage.h"

extern const struct stage_kind RULES_STAGE;

/* The sets that opt names, all where it names none, joined by |. */
winnow_status rules_find_sets(const struct winnow_rules_options *opt, unsigned *sets,
                              struct winnow_error *err);

#endif /* WINNOW_RULES_RULES_STAGE_H */
