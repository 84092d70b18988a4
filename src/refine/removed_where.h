/* removed_where.h -- what a page's tags say of lines that were removed. */
#ifndef WINNOW_REFINE_REMOVED_WHERE_H
#define WINNOW_REFINE_REMOVED_WHERE_H

#include "base/json_write.h"
#include "corpus/page_structure.h"

/* The member "where" of the object that w has open, for the lines from..to:
 *
 *     "where": [{"from": 0, "to": 6, "in": "nav.menu", "links": 0.97}, ...]
 *
 * One object for each run of lines that goes with one element, the largest of which nothing
 * stays; links is the share of its characters within <a>.  At most REMOVED_WHERE_MAX. */
#define REMOVED_WHERE_MAX 16U
void removed_where(const struct page_structure *s, size_t from, size_t to, struct arena *scratch,
                   struct json_writer *w);

#endif /* WINNOW_REFINE_REMOVED_WHERE_H */
