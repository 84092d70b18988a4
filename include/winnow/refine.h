/* refine.h -- every document as its own program (ProX, Zhou et al. 2409.17115). */
#ifndef WINNOW_REFINE_H
#define WINNOW_REFINE_H

#include "winnow/run.h"

enum winnow_refine_dialect {
    WINNOW_DIALECT_WINNOW, /* docs/formats/programs.md */
    WINNOW_DIALECT_REFINEX,
    WINNOW_DIALECT_ULTRAX,
    WINNOW_DIALECT_PROX, /* what the released ProX models emit, quirks included */
};

struct winnow_refine_options {
    /* JSON lines (plain, .gz, .zst), held in memory: {"id", "program"} for a whole
     * document, or {"id", "chunks": [{"first", "last", "program"}]} with lines
     * from 0.  A document without a program is kept as it is. */
    const char *programs;
    int dialect; /* enum winnow_refine_dialect */
};
#define WINNOW_REFINE_OPTIONS_INIT \
    ((struct winnow_refine_options){.dialect = WINNOW_DIALECT_WINNOW})

#endif /* WINNOW_REFINE_H */
