/* mix.h -- how much of each source, in which order: weights, caps, epochs, copies by score.
 *
 * Options of the stage `mix`; winnow_stage() and recipes run it.  docs/mix.md is the manual. */
#ifndef WINNOW_MIX_H
#define WINNOW_MIX_H

#include "winnow/common.h"

#ifdef __cplusplus
extern "C" {
#endif

struct winnow_mix_options {
    const char *by;             /* member or attribute that says which group a document is of */
    const char *attributes;     /* folder of attribute files of this input, or NULL */
    struct winnow_list weights; /* NAME=W: shares of the output, by each other; *=W: all others */
    struct winnow_list epochs;  /* NAME=E: exactly so often */
    struct winnow_list caps;    /* NAME=N: tokens of the output at most */
    uint64_t tokens;            /* of the output; 0: as many as come in of what has a weight */
    double epochs_max;          /* of any group without --epochs of its own */
    const char *tokenizer;      /* counts tokens; NULL: 4 bytes of text are taken for one */
    const char *upsample;       /* member or attribute with a score: copies rise with it; or NULL */
    uint32_t upsample_max;      /* copies of a document at most */
    double upsample_power;      /* of the curve over quantiles */
    double upsample_drop;       /* share with the lowest scores that is left out */
    double validation;          /* share set aside to measure with; 0: none */
    const char *clusters;       /* run of dedup, or rows of id and cluster: they stay together */
    uint64_t shard_size;        /* bytes of documents in an output shard, before packing */
};
#define WINNOW_MIX_OPTIONS_INIT                          \
    (WINNOW_NEW(winnow_mix_options){.by = "source",      \
                                    .epochs_max = 4,     \
                                    .upsample_max = 7,   \
                                    .upsample_power = 1, \
                                    .shard_size = 128ULL << 20})

#ifdef __cplusplus
}
#endif

#endif /* WINNOW_MIX_H */
