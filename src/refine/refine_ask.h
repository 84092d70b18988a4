/* refine_ask.h -- the first half of `refine`: every document's programs from the
 * refiner into a store, before any of them is executed. */
#ifndef WINNOW_REFINE_REFINE_ASK_H
#define WINNOW_REFINE_REFINE_ASK_H

#include "program/program_file.h"
#include "refine/program_writer.h"
#include "refine/prompt.h"
#include "remote/answer_store.h"
#include "run/stage.h"

#define REFINE_DOC_NEW_TOKENS 16U /* an answer at the document level is one call */

/* A refiner that needs no words: it reads a document and gives its programs.  A worker
 * is used by one thread at a time. */
struct direct_refiner {
    void *state;
    void *(*worker_new)(void *state);
    void (*worker_free)(void *worker);
    /* Texts of the programs live in keep. */
    winnow_status (*programs)(void *worker, const struct document *d, struct arena *keep,
                              struct program_list *out, struct winnow_error *err);
};

/* One of writer and direct; all is borrowed. */
struct refine_ask {
    const struct winnow_refine_options *opt;
    struct answer_store *store;
    const struct direct_refiner *direct;
    struct program_writer *writer;
    const struct tokenizer *tokenizer; /* NULL: prompts as text only */
    enum chat_template template;
    uint32_t doc_tokens; /* of a prompt at the document level */
    bool texts;          /* the writer reads prompts as text */
    uint64_t resident;   /* bytes that the process held before there was a refiner or a store */
};

/* Asks for what the store does not have yet, and marks it complete. */
winnow_status refine_ask_run(struct stage *stage, struct refine_ask *a, struct winnow_error *err);

#endif /* WINNOW_REFINE_REFINE_ASK_H */
