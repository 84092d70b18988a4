/* refiner_results.h -- scores of refined pages as JSON and as a table. */
#ifndef WINNOW_TEACH_REFINER_RESULTS_H
#define WINNOW_TEACH_REFINER_RESULTS_H

#include "base/json_write.h"
#include "teach/measure.h"

struct refiner_group {
    struct str name;
    struct measure_sums *pages;
    size_t count;
    struct measure_interval scores[MEASURE_COUNT];
};

/* The member "groups" of the object that w has open. */
void refiner_results_json(const struct refiner_group *groups, size_t count, struct json_writer *w);

void refiner_results_table(const struct refiner_group *groups, size_t count, struct str name,
                           struct buf *out);

#endif /* WINNOW_TEACH_REFINER_RESULTS_H */
