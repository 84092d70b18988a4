/* prune_attribute.h -- scores that lie in attribute files already. */
#ifndef WINNOW_PRUNE_PRUNE_ATTRIBUTE_H
#define WINNOW_PRUNE_PRUNE_ATTRIBUTE_H

#include "prune/prune_survey.h"

/* The score of {"name": [[start, end, score]]}, NaN where there is none that is finite. */
double attribute_score(struct json_value attributes, const char *name);

/* Rows of the attribute files under folder, in order. */
struct attribute_place {
    const char *path;
    uint64_t line;
};
typedef winnow_status (*attribute_row)(void *ctx, struct str id, struct json_value attributes,
                                       const struct attribute_place *place,
                                       struct winnow_error *err);
winnow_status attribute_each(const char *folder, attribute_row each, void *ctx,
                             struct winnow_error *err);

/* Fills the items' scores from the attribute files under folder, whose rows have
 * to be about the surveyed documents, in their order: checked by id.  more: rows may be about
 * others, too, that a stage since has taken out. */
struct attribute_wanted {
    const char *folder, *name;
    bool more;
};
winnow_status attribute_read(const struct attribute_wanted *want, const struct survey *s,
                             struct selector_item *items, struct winnow_error *err);

#endif /* WINNOW_PRUNE_PRUNE_ATTRIBUTE_H */
