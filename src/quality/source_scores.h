/* source_scores.h -- scores by source: how far apart sources are, and what the name of the
 * source alone would have said.
 *
 * A score that only repeats where a document comes from adds nothing to a choice of sources.
 * Two numbers say how much of it that is: the share of the scores' variance that lies between
 * sources (as an adjusted R squared, so that many small sources explain nothing by chance),
 * and, where the truth is known, the area under the curve of the source's share of good
 * documents, learned on other documents than it is measured on.
 */
#ifndef WINNOW_QUALITY_SOURCE_SCORES_H
#define WINNOW_QUALITY_SOURCE_SCORES_H

#include "base/json_write.h"
#include "base/map.h"
#include "quality/auc.h"

struct source_sums {
    uint64_t documents, kept, without_score;
    double mean, squares;       /* squares: sum of squared distances to the mean */
    uint64_t known[2], good[2]; /* by fold */
};

struct source_truth {
    double score; /* NaN: none */
    uint32_t source;
    bool good;
    unsigned char fold;
};

/* All-zero is empty. */
struct source_scores {
    struct map names;
    struct source_sums *sums; /* by the number of the source */
    struct str *by_name;      /* once they are sorted: views into names */
    size_t count, cap;
    struct source_truth *truths;
    size_t truth_count, truth_cap;
};
void source_scores_release(struct source_scores *s);

/* The number of a source of that name. */
uint32_t source_scores_number(struct source_scores *s, struct str name);

/* One document; score NaN: it has none.  In the order of the input. */
void source_scores_add(struct source_scores *s, uint32_t source, double score, bool kept);

/* What is known of it; folds 0 and 1 learn for each other. */
void source_scores_know(struct source_scores *s, uint32_t source, double score, bool good,
                        unsigned fold);

/* Numbers the sources by name: whoever met them in what order, sums come out alike.  Before
 * anything that follows is asked. */
void source_scores_sort(struct source_scores *s);
struct str source_scores_name(const struct source_scores *s, size_t number);

struct source_spread {
    uint64_t documents, scored;
    double mean, sd;
    double between; /* share of the variance, 0..1; NaN where it cannot be told */
};
struct source_spread source_scores_spread(const struct source_scores *s);

struct source_aucs {
    struct auc score;   /* of the documents that have one */
    struct auc sources; /* of the source alone; no interval */
};
struct source_aucs source_scores_aucs(const struct source_scores *s);

/* {"a": {"documents": 3, "kept": 2, "mean": 0.5, "sd": 0.1}, ...}, of the first 1,000. */
void source_scores_json(const struct source_scores *s, struct json_writer *w);

uint64_t source_scores_bytes(const struct source_scores *s);

/* What a source's documents are expected to be: the share of good ones among those known,
 * drawn towards the share of all by one document. */
double source_share(uint64_t good, uint64_t known, double share_of_all);

#endif /* WINNOW_QUALITY_SOURCE_SCORES_H */
