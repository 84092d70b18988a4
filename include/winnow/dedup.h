/* dedup.h -- one of each: documents, paragraphs or lines that say the same as another end.
 *
 * Options of the stage `dedup`; winnow_stage() and recipes run it.  What comes out depends on
 * the order of the input, never on threads, shards or memory. */
#ifndef WINNOW_DEDUP_H
#define WINNOW_DEDUP_H

#include "winnow/run.h"

#ifdef __cplusplus
extern "C" {
#endif

enum winnow_dedup_method {
    WINNOW_DEDUP_EXACT,   /* the same text, after the normalisation asked for */
    WINNOW_DEDUP_MINHASH, /* nearly the same: shingles of words in common */
};

enum winnow_dedup_unit { WINNOW_DEDUP_DOCUMENT, WINNOW_DEDUP_PARAGRAPH, WINNOW_DEDUP_LINE };
enum winnow_dedup_keep { WINNOW_KEEP_FIRST, WINNOW_KEEP_LONGEST, WINNOW_KEEP_BEST };
enum winnow_dedup_verify { WINNOW_VERIFY_ESTIMATE, WINNOW_VERIFY_EXACT, WINNOW_VERIFY_NONE };

struct winnow_dedup_options {
    int method;          /* enum winnow_dedup_method */
    int unit;            /* enum winnow_dedup_unit; exact: what is compared */
    bool spaces;         /* runs of white space count as one space, at the ends as none */
    bool fold_case;      /* letters count without case (Unicode case folding) */
    uint32_t unit_words; /* paragraphs and lines of fewer words are not compared */

    /* minhash */
    uint32_t bands, rows;       /* of a signature; candidates agree in all rows of a band */
    uint32_t ngram;             /* words of a shingle */
    bool numbers;               /* they count; otherwise each is the same 0 */
    double threshold;           /* Jaccard index from which a candidate is a near-copy */
    int verify;                 /* enum winnow_dedup_verify: how that is found */
    int keep;                   /* enum winnow_dedup_keep: which of a cluster stays */
    const char *best;           /* the member whose number tells the best, e.g. "meta.score" */
    bool direct;                /* only what is near the one that stays ends */
    struct winnow_list against; /* earlier runs with such a dedup, whose documents stay */

    /* Guards: the run stops before anything is removed.  0 and 1: no limit. */
    uint64_t cluster_max;      /* documents of a cluster */
    double removed_max;        /* share of all documents */
    double source_removed_max; /* share of the documents of a source */
};
#define WINNOW_DEDUP_OPTIONS_INIT                                   \
    (WINNOW_NEW(winnow_dedup_options){.method = WINNOW_DEDUP_EXACT, \
                                      .unit_words = 3,              \
                                      .bands = 14,                  \
                                      .rows = 8,                    \
                                      .ngram = 5,                   \
                                      .threshold = 0.8,             \
                                      .removed_max = 1,             \
                                      .source_removed_max = 1})

#ifdef __cplusplus
}
#endif

#endif /* WINNOW_DEDUP_H */
