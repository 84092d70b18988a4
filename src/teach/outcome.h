/* outcome.h -- what became of a page, line by line, and what should have. */
#ifndef WINNOW_TEACH_OUTCOME_H
#define WINNOW_TEACH_OUTCOME_H

#include "winnow/refine.h"

#include "teach/derive.h"
#include "teach/measure.h"
#include "teach/pair.h"

/* What a refiner made of a page. */
struct outcome {
    bool *kept;
    uint64_t *left; /* characters of each line */
    struct str text;
    size_t count;
    uint64_t calls, ill_formed, rejected, silent;
    bool has_program;
};

/* Executes programs of that dialect (enum winnow_refine_dialect) as `winnow refine`
 * does.  A program that prox refuses leaves the page as it is. */
winnow_status outcome_of_programs(struct str raw, int dialect, const struct program_text *programs,
                                  size_t count, struct arena *keep, struct outcome *out,
                                  struct winnow_error *err);

/* Lays a text that some tool made of the page beside it.  ptr NULL: the tool has
 * none for this page, which drops it. */
winnow_status outcome_of_text(struct str raw, struct str text, struct arena *keep,
                              struct outcome *out, struct winnow_error *err);

/* Gold: the labels as given, or derived from the gold text, or nothing to be kept.
 * The rest of a measure_page is filled from the outcome, lines from raw.
 * WINNOW_E_FORMAT where nothing is known of the page. */
winnow_status outcome_beside_gold(const struct pair *p, const struct outcome *o, struct arena *keep,
                                  struct measure_page *out, struct winnow_error *err);

/* Counts it: outcome_beside_gold(), measure_page() and the calls. */
winnow_status outcome_measure(const struct pair *p, const struct outcome *o, struct arena *keep,
                              struct measure_sums *out, struct winnow_error *err);

#endif /* WINNOW_TEACH_OUTCOME_H */
