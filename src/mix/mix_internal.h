/* mix_internal.h -- a mix while it runs. */
#ifndef WINNOW_MIX_MIX_INTERNAL_H
#define WINNOW_MIX_MIX_INTERNAL_H

#include "base/record_sort.h"
#include "mix/mix_clusters.h"
#include "mix/mix_groups.h"
#include "mix/mix_plan.h"
#include "mix/mix_rows.h"
#include "run/stage.h"
#include "token/tokenizer.h"

#include <pthread.h>

#define MIX_TOKEN_BYTES 4.0 /* of text, where nobody counts tokens: as in a dry run */

struct mix {
    struct stage *stage;
    const struct winnow_mix_options *opt;
    struct mix_groups groups;
    pthread_mutex_t lock; /* groups, while threads read documents */
    struct tokenizer *tokenizer;
    struct mix_clusters clusters;
    struct mix_rows rows; /* of --attributes, beside the pass that runs */
    struct record_sort *sort;
    struct mix_budget budget;
    uint64_t validation, unscored;
    bool named; /* a document had the member that groups are called by */
};

/* state/mix.json: the groups with what they come to, and the cuts that a killed run goes on with.
 */
winnow_status mix_file_write(struct mix *m, const char *path, struct winnow_error *err);
winnow_status mix_file_read(struct mix *m, const char *path, struct winnow_error *err);

/* Shares, and warnings of groups left out, worn or short of the budget. */
void mix_tell(const struct mix *m);

#endif /* WINNOW_MIX_MIX_INTERNAL_H */
