/* features.h -- from documents and the checkpoints of a training to a store of vectors.
 *
 *   1. texts        the corpus as sequences, once, into a file
 *   2. checkpoints  of each: its hash; for factored sketches, projections fitted on some of
 *                   the texts (those of least hash)
 *   3. vectors      checkpoint by checkpoint, batch by batch; each row on its own, so it does
 *                   not matter where an earlier call stopped
 *
 * A store is made like another one with the same models, projections and seed: so vectors of
 * a target can be compared with those of a corpus. */
#ifndef WINNOW_VECTORS_FEATURES_H
#define WINNOW_VECTORS_FEATURES_H

#include "winnow/features.h"

#include "corpus/account.h"
#include "corpus/shards.h"

/* What `winnow train --keep-checkpoints` leaves in a model's folder: a model folder a point,
 * called after its step, with moments.bin and checkpoint.json. */
#define FEATURES_TRAJECTORY "trajectory"
#define FEATURES_MOMENTS    "moments.bin"
#define FEATURES_CHECKPOINT "checkpoint.json"

struct features_job {
    const struct winnow_features_options *opt; /* of a store like another: like, limit, keys */
    struct winnow_list paths;
    /* In place of paths, of a stage: its input, read as it is read there.  NULL: paths. */
    const struct shard_list *shards;
    const struct document_keys *keys;
    size_t line_max;
    const char *output; /* folder that gets the store; exists */
    const char *work;   /* folder for what is half done; exists */
    struct input_account *account;
    const char *of; /* what warnings name: a target; NULL: the corpus */
};

winnow_status features_make(const struct features_job *job, const struct winnow_env *env,
                            struct winnow_features_result *out, struct winnow_error *err);

/* Refuses options that make no sense, and missing models. */
winnow_status features_check(const struct winnow_features_options *opt, struct winnow_error *err);

#endif /* WINNOW_VECTORS_FEATURES_H */
