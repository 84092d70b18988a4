/* diversify.h -- documents in clusters of what they are about, and fewer of those that say the
 * same.
 *
 * Options of the stage `diversify`; winnow_stage() and recipes run it.  Clusters are spherical
 * k-means over vectors of the documents (winnow/features.h). */
#ifndef WINNOW_DIVERSIFY_H
#define WINNOW_DIVERSIFY_H

#include "winnow/run.h"

#ifdef __cplusplus
extern "C" {
#endif

enum winnow_diversify_method {
    WINNOW_DIVERSIFY_SEMDEDUP, /* of those alike within a cluster one stays */
    WINNOW_DIVERSIFY_NONE,     /* clusters are noted, all documents stay */
    WINNOW_DIVERSIFY_D4, /* the same, then clusters anew without what is nearest to centroids */
    WINNOW_DIVERSIFY_DENSITY,  /* drawn with a chance that falls with the density around */
    WINNOW_DIVERSIFY_BALANCED, /* the same number from each cluster, as far as it has them */
};
enum winnow_diversify_keep { WINNOW_DIVERSIFY_HARD, WINNOW_DIVERSIFY_EASY };

struct winnow_diversify_options {
    int method;           /* enum winnow_diversify_method */
    const char *features; /* vectors of this corpus; NULL: made here */
    const char *model;    /* made of this model's hidden states; NULL: of hashed n-grams */
    uint32_t context;     /* of a document that the model reads, tokens */
    uint32_t dim, words, characters; /* of n-grams, see features.h */
    uint64_t clusters;               /* 0: the square root of the documents */
    uint32_t iterations;             /* of k-means, at most */
    uint32_t sample;                 /* documents a cluster that it learns from; 0: all */
    bool random_start;               /* begin with documents drawn at random, not with k-means++ */
    const char *budget;              /* "25%" of the documents, or a number; NULL: see below */
    double eps;                      /* semdedup: alike is a cosine above 1 - eps */
    int keep;                        /* enum winnow_diversify_keep: which of those alike */
    double dedup;                    /* d4: share that its first step leaves */
    double even; /* balanced: 1 the same number from each cluster, 0 in proportion */
};
/* Without a budget semdedup goes by eps, none keeps all, and the others keep half. */
#define WINNOW_DIVERSIFY_OPTIONS_INIT                       \
    (WINNOW_NEW(winnow_diversify_options){.context = 512,   \
                                          .words = 1,       \
                                          .iterations = 20, \
                                          .sample = 256,    \
                                          .eps = 0.05,      \
                                          .dedup = 0.75,    \
                                          .even = 1})

#ifdef __cplusplus
}
#endif

#endif /* WINNOW_DIVERSIFY_H */
