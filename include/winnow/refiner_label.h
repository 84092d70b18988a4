/* refiner_label.h -- training data for refiners from a large model.
 *
 * An expert behind a completion server is asked what a refiner shall learn: two
 * scores a document, three programs a chunk (Zhou et al. 2409.17115, appendix A.1;
 * src/teach/expert.h has the questions).  The folder of output holds
 *
 *     documents.jsonl          {"id", "text", "program", "education", "format"}
 *     chunks.jsonl             {"id", "text", "chunks": [{"first", "last", "program"}]}
 *     documents-answers.jsonl  every answer as it came, with its question's hash;
 *     chunks-answers.jsonl     appended as answers come
 *     label.json               counts and settings, last
 *
 * docs/formats/refiner.md states them.  Killed at any moment, the same call goes
 * on: what was answered is not asked again, and the files become what they would
 * have been, given a server that answers the same question the same way.
 */
#ifndef WINNOW_REFINER_LABEL_H
#define WINNOW_REFINER_LABEL_H

#include "winnow/server.h"
#include "winnow/tokenizer.h"

#ifdef __cplusplus
extern "C" {
#endif

enum winnow_label_level {
    WINNOW_LABEL_BOTH,      /* chunks of the documents that are kept */
    WINNOW_LABEL_DOCUMENTS, /* documents.jsonl only */
    WINNOW_LABEL_CHUNKS,    /* chunks.jsonl only, of all documents */
};

struct winnow_refiner_label_options {
    struct winnow_server_options server;
    struct winnow_text_options text;
    const char *output; /* folder */
    int level;          /* enum winnow_label_level */
    double share;       /* of the documents, drawn by id and env->seed */
    /* Tokens are counted as three bytes each: the expert's tokenizer is not at hand. */
    uint32_t document_tokens; /* shown of a document when it is scored */
    uint32_t chunk_tokens;    /* of a chunk; a longer line is not shown */
    uint32_t answer_tokens;   /* the longest answer */
    double removal_max;       /* share of a chunk; a program that removes more is no label */
};
#define WINNOW_REFINER_LABEL_OPTIONS_INIT                                           \
    (WINNOW_NEW(winnow_refiner_label_options){.server = WINNOW_SERVER_OPTIONS_INIT, \
                                              .text = WINNOW_TEXT_OPTIONS_INIT,     \
                                              .share = 1,                           \
                                              .document_tokens = 2000,              \
                                              .chunk_tokens = 1500,                 \
                                              .answer_tokens = 1024,                \
                                              .removal_max = 0.7})

struct winnow_refiner_label_result {
    struct winnow_text_result text;
    uint64_t documents; /* drawn */
    uint64_t documents_kept, documents_dropped;
    uint64_t documents_unread;           /* a score that was needed could not be read */
    uint64_t chunks_edited, chunks_kept; /* labelled */
    uint64_t chunks_unread, chunks_over; /* not: an answer is no program; removes too much */
    uint64_t lines_skipped;              /* longer than a chunk may be */
    uint64_t calls, calls_rejected;      /* of the programs that were merged */
    uint64_t answers, answers_cut, answers_refused;
    uint64_t answers_found; /* of them: from an interrupted call */
    uint64_t retries;
    uint64_t prompt_tokens, answer_tokens; /* as the server counts them */
};

WINNOW_API winnow_status winnow_refiner_label(const struct winnow_refiner_label_options *opt,
                                              const struct winnow_list *paths,
                                              const struct winnow_env *env,
                                              struct winnow_refiner_label_result *result,
                                              struct winnow_error *err);

#ifdef __cplusplus
}
#endif

#endif /* WINNOW_REFINER_LABEL_H */
