/* dry_sample_internal.h -- a part of a run's input, spread over it, for a dry run.
 *
 * Of documents: what begins within windows of equal size at drawn places of the whole input,
 * laid end to end (dry_windows.c); so a large shard gives as much more than a small one as it
 * is larger.  Of files that are no documents: files at even distances, of archives their first
 * bytes in proportion. */
#ifndef WINNOW_RUN_DRY_SAMPLE_INTERNAL_H
#define WINNOW_RUN_DRY_SAMPLE_INTERNAL_H

#include "run/run_internal.h"

struct sample_size {
    size_t window_bytes;  /* of each window over documents */
    size_t piece_bytes;   /* of an archive, about */
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
    size_t windows;          /* 0: the sample is all of the input, or files of it */
    double error;            /* 95 % of documents counted by windows, of 1; NaN: not known */
    uint64_t bytes;
    double until;                 /* no trial of a model begins behind that moment (env_seconds) */
    struct input_account account; /* of what could not be copied */
    struct run_memory memory;     /* what its run has taken */
    uint64_t window;              /* of the packed shards of the whole input */
};

/* files: the input are files that are no documents. */
winnow_status sample_take(struct run *r, const struct shard_list *in, bool files, struct sample *s,
                          struct winnow_error *err);

/* The same of documents, through windows. */
winnow_status sample_windows(struct run *r, const struct shard_list *in, struct sample *s,
                             struct winnow_error *err);

/* A file of the sample, which stands for a shard: a copy, or the shard's own. */
void sample_add(struct run *r, struct sample *s, const char *path, const struct shard *of,
                bool copied);

/* Whether what an account calls so was cut off by the sample: that it breaks off says nothing. */
bool sample_cut(const struct sample *s, struct str name);

/* Names the user's files in an error in place of their copies. */
void sample_name_originals(const struct sample *s, struct winnow_error *err);

#endif /* WINNOW_RUN_DRY_SAMPLE_INTERNAL_H */
