/* dedup.h -- one of each: documents that say the same as an earlier one end.
 *
 * Options of the stage `dedup`; winnow_stage() and recipes run it.  Which of several is
 * the first depends on the order of the input only. */
#ifndef WINNOW_DEDUP_H
#define WINNOW_DEDUP_H

#include "winnow/run.h"

#ifdef __cplusplus
extern "C" {
#endif

enum winnow_dedup_method {
    WINNOW_DEDUP_EXACT, /* the same text, after the normalisation asked for */
};

struct winnow_dedup_options {
    int method;     /* enum winnow_dedup_method */
    bool spaces;    /* runs of white space count as one space, at the ends as none */
    bool fold_case; /* letters count without case (Unicode case folding) */
};
#define WINNOW_DEDUP_OPTIONS_INIT (WINNOW_NEW(winnow_dedup_options){.method = WINNOW_DEDUP_EXACT})

#ifdef __cplusplus
}
#endif

#endif /* WINNOW_DEDUP_H */
