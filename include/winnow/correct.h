/* correct.h -- from examples of unwanted output to the documents that taught it, and to a model
 * without it. */
#ifndef WINNOW_CORRECT_H
#define WINNOW_CORRECT_H

#include "winnow/train.h"

#ifdef __cplusplus
extern "C" {
#endif

enum winnow_recall {
    WINNOW_RECALL_EKFAC,    /* gradients through the inverse of the curvature */
    WINNOW_RECALL_GRADIENT, /* gradients as they are */
    WINNOW_RECALL_TFIDF     /* rare tokens that are shared */
};
enum winnow_correction {
    WINNOW_CORRECT_RANK,   /* influential documents fall behind others; neutral text stays */
    WINNOW_CORRECT_ASCENT, /* their loss rises, nothing else */
    WINNOW_CORRECT_TUNE,   /* training on the neutral text alone */
    WINNOW_CORRECT_NONE    /* only the list */
};

struct winnow_correct_options {
    const char *output;   /* folder of the list and the corrected model */
    const char *model;    /* folder of the model that says what is unwanted */
    const char *unwanted; /* examples of it: documents, prompts with responses, conversations */
    const char *neutral;  /* text whose likelihoods are to stay; of it a tenth only measures */
    int recall;           /* enum winnow_recall */
    int correction;       /* enum winnow_correction */
    uint32_t calibration; /* documents that the curvature is fitted on */
    double damping;       /* share of a matrix's mean curvature that is added to it */
    uint64_t top;         /* documents that are unlearned; 0: those that stand out */
    uint64_t listed;      /* documents in the list */
    uint64_t steps;
    uint64_t batch_tokens; /* of a step's pairs, and of its neutral text */
    double lr;
    double keep;      /* weight of the divergence on neutral text */
    double sharpness; /* of the ranks */
    uint32_t context; /* tokens of a passage at most */
    int compute;      /* enum winnow_compute */
    uint64_t limit;   /* documents; 0: all */
    const char *text_key, *id_key;
};
#define WINNOW_CORRECT_OPTIONS_INIT                           \
    (WINNOW_NEW(winnow_correct_options){.calibration = 256,   \
                                        .damping = 0.1,       \
                                        .listed = 1000,       \
                                        .steps = 60,          \
                                        .batch_tokens = 2048, \
                                        .lr = 3e-4,           \
                                        .keep = 4,            \
                                        .sharpness = 1,       \
                                        .context = 512})

struct winnow_correct_result {
    uint64_t documents, documents_bad, tokens;
    uint64_t examples;
    uint64_t top;      /* documents that were unlearned, or would be */
    double stands_out; /* by how many usual spreads the most influential lies above the median */
    uint64_t steps;    /* 0: no model was made */
    /* Mean losses of the examples, and of the neutral text that only measures. */
    double unwanted_before, unwanted_after, neutral_before, neutral_after;
    double flops;
    bool nothing_to_do; /* an earlier call did all of it; the rest is 0 */
};

/* Writes options->output/influence.jsonl, the documents of paths by falling influence, and where a
 * correction is asked for a model folder around it.  Goes on where an earlier call stopped, to the
 * same bytes.  WINNOW_E_USAGE where neutral text is missing or the model has another tokenizer than
 * its weights fit, WINNOW_E_FORMAT where there is no example. */
WINNOW_API winnow_status winnow_correct(const struct winnow_correct_options *options,
                                        const struct winnow_list *paths,
                                        const struct winnow_env *env,
                                        struct winnow_correct_result *result,
                                        struct winnow_error *err);

#ifdef __cplusplus
}
#endif

#endif /* WINNOW_CORRECT_H */
