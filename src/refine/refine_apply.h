/* refine_apply.h -- the second half of `refine`: programs executed on their
 * documents, with every call's end in the ledger. */
#ifndef WINNOW_REFINE_REFINE_APPLY_H
#define WINNOW_REFINE_REFINE_APPLY_H

#include "program/program_file.h"
#include "refine/refine_sums.h"
#include "remote/answer_store.h"
#include "run/stage.h"

#include <pthread.h>

/* Where programs come from: file or store; the rest is its own and zero. */
struct refine_apply {
    int dialect; /* enum winnow_refine_dialect */
    const struct program_file *file;
    const struct answer_store *store;
    struct refine_sums sums;
    uint64_t seen;           /* documents that passed by in this process */
    struct applied *pending; /* executed, not decided */
    pthread_mutex_t lock;    /* of pending */
};

/* --memory that its pass takes at least, of a process that holds so much, over lines of so many
 * bytes. */
uint64_t refine_apply_least(const struct stage *stage, uint64_t resident, uint64_t line);

/* The pass that does it, and refine.json at `path` behind it. */
winnow_status refine_apply_run(struct stage *stage, struct refine_apply *a,
                               const struct refine_description *description,
                               struct winnow_error *err);

/* Whether an answer at the document level drops it: 1 drops, 0 keeps, -1 it says
 * neither, which keeps it, too. */
int refine_document_verdict(int dialect, struct str program, struct arena *scratch);

#endif /* WINNOW_REFINE_REFINE_APPLY_H */
