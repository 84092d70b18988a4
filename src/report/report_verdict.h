/* report_verdict.h -- what a proof shows, in one honest sentence. */
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

struct report_verdict {
    enum report_outcome outcome;
    struct str arm, baseline;
    struct str measure, label, unit; /* the primary measure: its name, what it is, of what */
    bool lower_is_better;
    double seeds, seeds_planned;
    struct json_value difference; /* of arm and baseline on the primary measure */
    struct json_value random;     /* of arm and the random subset; JSON_NONE */
    struct buf sentence;          /* plain text */
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

/* Decimals for a measure's unit: NLL differences are small. */
int report_decimals(struct str unit);

#endif /* WINNOW_REPORT_REPORT_VERDICT_H */
