/* study.h -- what statistics of a corpus do to what a model says.
 *
 * winnow_study_causal() counts how often subjects, objects and patterns of facts stand together in
 * a corpus, asks a model for the facts' objects, and estimates by strata how much these counts move
 * its answers.  docs/study.md is the manual. */
#ifndef WINNOW_STUDY_H
#define WINNOW_STUDY_H

#include "winnow/common.h"

#ifdef __cplusplus
extern "C" {
#endif

struct winnow_study_options {
    const char *items;  /* facts: JSON lines of subject, pattern and object */
    const char *model;  /* folder or .gguf */
    const char *output; /* folder of causal.json and rows.jsonl, to go on with after a kill; NULL:
                           nothing is kept, and the caller takes the JSON from the result */
    uint32_t bootstrap; /* redraws of subjects, for intervals; 0: none */
    const char *text_key, *id_key, *files_from;
    int chat; /* enum winnow_chat */
};
#define WINNOW_STUDY_OPTIONS_INIT (WINNOW_NEW(winnow_study_options){.bootstrap = 1000})

struct winnow_study_result {
    char *json, *table;
    uint64_t documents, sentences, facts;
    uint64_t subjects_absent; /* of which the corpus has no sentence */
    bool nothing_to_do;       /* an earlier call did all of it; the rest is 0 */
};

/* The same whatever the number of threads, and after a kill.  The result is the caller's to free in
 * any case. */
WINNOW_API winnow_status winnow_study_causal(const struct winnow_study_options *opt,
                                             const struct winnow_list *paths,
                                             const struct winnow_env *env,
                                             struct winnow_study_result *result,
                                             struct winnow_error *err);
WINNOW_API void winnow_study_result_free(struct winnow_study_result *result);

#ifdef __cplusplus
}
#endif

#endif /* WINNOW_STUDY_H */
