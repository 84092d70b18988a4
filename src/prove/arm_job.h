/* arm_job.h -- one arm under one seed: trained, measured, and kept as a file. */
#ifndef WINNOW_PROVE_ARM_JOB_H
#define WINNOW_PROVE_ARM_JOB_H

#include "prove/select_job.h"

#define ARM_CURVE_MAX 64

struct arm_share {
    uint32_t source;
    double documents, tokens; /* shares of the arm's */
};

struct arm_result {
    uint64_t documents, tokens_available, tokens_trained;
    double epochs; /* passes over its own documents */
    double loss, flops;
    struct arm_share *shares; /* of sources that it has, by source */
    size_t share_count;
    struct fit_point curve[ARM_CURVE_MAX + 1]; /* values: raw, clean */
    size_t curve_count;
    struct yard_reading reading;
    const char *told; /* JSON: what the way to train has to say (train/sampling.h) */
};

/* The result lives in keep. */
winnow_status arm_job_run(const struct experiment *x, uint64_t seed, const struct selection *s,
                          uint32_t arm, const char *folder, const struct winnow_env *env,
                          struct arena *keep, struct arm_result *out, struct winnow_error *err);

winnow_status arm_result_write(const struct experiment *x, const struct arm_result *r,
                               const char *path, struct winnow_error *err);
winnow_status arm_result_read(const struct experiment *x, const char *path, struct arena *keep,
                              struct arm_result *out, struct winnow_error *err);

#endif /* WINNOW_PROVE_ARM_JOB_H */
