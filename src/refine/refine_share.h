/* refine_share.h -- asking for programs by several ranks: each into a store of its own, of its
 * shards, and rank 0 makes one of them, which has the bytes that one process writes. */
#ifndef WINNOW_REFINE_REFINE_SHARE_H
#define WINNOW_REFINE_REFINE_SHARE_H

#include "remote/answer_store.h"
#include "run/stage.h"

/* ask(): what the store does not have yet, over this rank's shards; it marks it complete.  Behind
 * it the stage's store is complete and not open. */
winnow_status refine_share(struct stage *stage,
                           winnow_status (*ask)(void *ctx, struct answer_store *store,
                                                struct winnow_error *err),
                           void *ctx, struct winnow_error *err);

/* Removes what launches of ranks have left of parts. */
winnow_status refine_share_clear(struct stage *stage, struct winnow_error *err);

/* Their names. */
#define REFINE_STORE "programs.jsonl"

#endif /* WINNOW_REFINE_REFINE_SHARE_H */
