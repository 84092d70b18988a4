/* rules_internal.h -- what the files of the filters share. */
#ifndef WINNOW_RULES_RULES_INTERNAL_H
#define WINNOW_RULES_RULES_INTERNAL_H

#include "rules/rules.h"
#include "rules/rules_count.h"
#include "rules/rules_words.h"

struct rules_gauge {
    struct str text;
    size_t chars;             /* code points of text */
    struct rules_words words; /* of text, for all sets but c4 */
    struct rules_count count;
    struct buf c4;       /* the lines that C4 keeps */
    struct buf c4_line;  /* the line at hand without citations */
    struct buf c4_lower; /* the same in lower case */
};

void rules_gopher(struct rules_gauge *g, double values[RULES_VALUES]);
winnow_status rules_repetition(struct rules_gauge *g, double values[RULES_VALUES],
                               struct winnow_error *err);
winnow_status rules_c4(struct rules_gauge *g, const struct winnow_rules_limits *limits,
                       double values[RULES_VALUES], struct winnow_error *err);
winnow_status rules_fineweb(struct rules_gauge *g, const struct winnow_rules_limits *limits,
                            double values[RULES_VALUES], struct winnow_error *err);
void rules_complete(struct str text, const struct winnow_rules_limits *limits,
                    double values[RULES_VALUES]);

#endif /* WINNOW_RULES_RULES_INTERNAL_H */
