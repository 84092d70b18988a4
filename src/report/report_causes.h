/* report_causes.h -- what moves the model: sources that were left out, facts that are stated.
 *
 * One question asked twice.  Coarsely: a proof's arms `without:SOURCE` train again without it.
 * Finely: `study causal` estimates by strata what stating single facts does to what a model says.
 */
#ifndef WINNOW_REPORT_REPORT_CAUSES_H
#define WINNOW_REPORT_REPORT_CAUSES_H

#include "report/report_verdict.h"

/* A source that an arm of the proof leaves out. */
struct report_source {
    struct str name, arm;
    double share;                     /* of the corpus's tokens */
    struct json_value all;            /* the member of "differences" of all domains together */
    struct report_paired own, others; /* on held-out text of that source, and of all others */
};
#define REPORT_SOURCES_MAX 16U

/* In the order of the proof's arms. */
size_t report_sources_left_out(const struct report_data *d, const struct report_verdict *v,
                               struct arena *keep, struct report_source *out);

/* "worth its place", "in the way", "not told": of a model without it. */
const char *report_source_says(enum report_outcome outcome);

/* Of a proof whose first arm leaves out a source: which of them are worth their place. */
void report_sources_headline(const struct report_data *d, const struct report_verdict *v,
                             struct buf *out);

/* Of a study without a proof. */
void report_study_words(const struct report_data *d, struct buf *headline, struct buf *sentence);

#endif /* WINNOW_REPORT_REPORT_CAUSES_H */
