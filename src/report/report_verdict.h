/* report_verdict.h -- what a proof shows, in two honest sentences. */
#ifndef WINNOW_REPORT_REPORT_VERDICT_H
#define WINNOW_REPORT_REPORT_VERDICT_H

#include "base/buf.h"
#include "report/report_data.h"

enum report_outcome {
    OUTCOME_NO_PROOF, /* the run proved nothing, or nothing yet */
    OUTCOME_BETTER,   /* the interval of the difference lies on the better side of 0 */
    OUTCOME_WORSE,
    OUTCOME_UNCLEAR, /* it holds 0 */
};

/* The paired difference of two arms that the proof itself does not compare. */
struct report_paired {
    bool there;             /* both arms have results of two seeds or more */
    double mean, low, high; /* 95 %, t over seeds */
    double *per_seed;       /* in the arena given */
    size_t seeds, better;   /* better: of these */
    enum report_outcome outcome;
};

struct report_verdict {
    enum report_outcome outcome;
    struct str arm, baseline;
    struct str measure, label, unit; /* the primary measure: its name, what it is, of what */
    bool lower_is_better;
    bool of_sources; /* arm is the corpus without a source: it asks for that, not for a corpus */
    double seeds, seeds_planned;
    struct json_value difference; /* of arm and baseline on the primary measure */
    struct report_paired random;  /* of arm and the random subset on that measure */
    struct buf headline;          /* plain text: use it or not, by how much, because of what */
    struct buf sentence;          /* plain text: the figures behind that */
    struct arena keep;
};

void report_verdict_find(const struct report_data *d, struct report_verdict *out);
void report_verdict_release(struct report_verdict *v);

/* "better", "worse", "unclear" (also class names of the style sheet) or "no proof". */
const char *report_outcome_name(enum report_outcome outcome);

/* What a member of "differences" says by its "better". */
enum report_outcome report_outcome_of(struct json_value difference);

/* The member of "differences" for these; domain "" is all domains together. */
struct json_value report_difference(const struct report_data *d, struct str arm,
                                    struct str baseline, struct str measure, struct str domain);

/* The arm's member of "arms"; the measure's of "measures". */
struct json_value report_arm(const struct report_data *d, struct str name);
struct json_value report_measure(const struct report_data *d, struct str name);

/* The first arm of that kind, or an empty view. */
struct str report_arm_of_kind(const struct report_data *d, const char *kind);

/* The arm's "results" of that measure; domain "" is all domains together. */
struct json_value report_result(const struct report_data *d, struct str arm, struct str measure,
                                struct str domain);

void report_pair(const struct report_data *d, struct str arm, struct str other, struct str measure,
                 struct arena *keep, struct report_paired *out);

/* Half the width of the 95 % interval of a mean (Student's t) from the sum and the
 * sum of squares of n values; NaN for one. */
double report_t_half(double sum, double sum_of_squares, size_t n);

/* Decimals for a measure's unit: NLL differences are small. */
int report_decimals(struct str unit);

#endif /* WINNOW_REPORT_REPORT_VERDICT_H */
