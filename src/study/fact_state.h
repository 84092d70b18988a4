/* fact_state.h -- counts of facts as a file, to go on from (docs/formats/checkpoint.md). */
#ifndef WINNOW_STUDY_FACT_STATE_H
#define WINNOW_STUDY_FACT_STATE_H

#include "corpus/shards.h"
#include "study/fact_counts.h"

/* What the shards before `next` came to. */
winnow_status fact_state_write(const struct fact_counts *c, const char *path,
                               const struct shard_list *shards, size_t next,
                               struct winnow_error *err);

/* Into counts of the same facts that have counted nothing; bad lines go into the account. */
winnow_status fact_state_read(struct fact_counts *c, const char *path,
                              const struct shard_list *shards, size_t *next,
                              struct winnow_error *err);

#endif /* WINNOW_STUDY_FACT_STATE_H */
