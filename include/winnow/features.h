/* features.h -- vectors of documents: gradients along a training, hidden states, or hashed
 * n-grams. */
#ifndef WINNOW_FEATURES_H
#define WINNOW_FEATURES_H

#include "winnow/train.h"

#ifdef __cplusplus
extern "C" {
#endif

enum winnow_vectors {
    WINNOW_GRADIENTS,
    WINNOW_HIDDEN_STATES,
    WINNOW_NGRAMS /* hashed words of the text: no model */
};
enum winnow_sketch {
    WINNOW_FACTORED, /* projections of each matrix, folded */
    WINNOW_HASHED    /* a CountSketch of the gradient itself: slower, an oracle */
};
enum winnow_pooling { WINNOW_MEAN, WINNOW_WEIGHTED, WINNOW_LAST };

struct winnow_features_options {
    const char *output;        /* the store's folder */
    struct winnow_list models; /* checkpoints of one training, or its folder */
    const char *like;          /* a store: made as it was, with its models */
    int vectors;               /* enum winnow_vectors */
    int sketch;                /* enum winnow_sketch */
    int pooling;               /* enum winnow_pooling; of hidden states */
    uint32_t dim;        /* 0: 4,096 factored, 8,192 hashed, 512 n-grams; states have the model's */
    uint32_t words;      /* of n-grams: in a row, at most */
    uint32_t characters; /* of n-grams: in a row within a word, too; 0: none */
    uint32_t rank;       /* of factored sketches */
    bool raw;            /* gradients as they are, not as the optimizer would step */
    uint32_t calibration; /* texts that projections are fitted on */
    uint32_t context;     /* tokens of a document at most */
    int compute;          /* enum winnow_compute */
    uint64_t limit;       /* documents; 0: all */
    const char *text_key, *id_key;
};
#define WINNOW_FEATURES_OPTIONS_INIT      \
    (WINNOW_NEW(winnow_features_options){ \
        .words = 1, .rank = 16, .calibration = 128, .context = 512, .compute = WINNOW_BF16})

struct winnow_features_result {
    uint64_t documents, documents_bad, tokens, targets, cut, empty, marked;
    uint32_t checkpoints, dim;
    bool nothing_to_do;
};

/* Writes options->output/vectors.bin (docs/formats/vectors.md), going on where an earlier call
 * stopped. */
WINNOW_API winnow_status winnow_features(const struct winnow_features_options *options,
                                         const struct winnow_list *paths,
                                         const struct winnow_env *env,
                                         struct winnow_features_result *result,
                                         struct winnow_error *err);

#ifdef __cplusplus
}
#endif

#endif /* WINNOW_FEATURES_H */
