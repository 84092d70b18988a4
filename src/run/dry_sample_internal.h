/* dry_sample_internal.h -- a part of a run's input, spread over it, for a dry run.
 *
 * Up to SAMPLE_PIECES shards at even distances give their first bytes (of files that
 * are no documents: files at even distances, of archives their first bytes). */
#ifndef WINNOW_RUN_DRY_SAMPLE_INTERNAL_H
#define WINNOW_RUN_DRY_SAMPLE_INTERNAL_H

#include "run/run_internal.h"

struct sample_size {
    size_t piece_bytes;   /* of each shard, and of an archive */
    uint64_t files_bytes; /* of all files that are no documents */
    double seconds;       /* that its run may take */
};

struct sample {
    const struct sample_size *size;
    const char *folder; /* of this size, in the temporary one; "sample" below it exists */
    const char **names; /* of the stages' folders in the sample's run */
    struct winnow_list paths;
    const struct shard **of; /* of which shard of the input each path is a part */
    bool *copied;            /* cut off somewhere, and under a name of ours */
    double share;            /* of the input's bytes that it is */
    uint64_t bytes;
    double until;                 /* no trial of a model begins behind that moment (env_seconds) */
    struct input_account account; /* of what could not be copied */
};

/* files: the input are files that are no documents. */
winnow_status sample_take(struct run *r, const struct shard_list *in, bool files, struct sample *s,
                          struct winnow_error *err);

/* Whether what an account calls so was cut off by the sample: that it breaks off says nothing. */
bool sample_cut(const struct sample *s, struct str name);

/* Names the user's files in an error in place of their copies. */
void sample_name_originals(const struct sample *s, struct winnow_error *err);

#endif /* WINNOW_RUN_DRY_SAMPLE_INTERNAL_H */
