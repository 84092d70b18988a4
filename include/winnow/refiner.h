/* refiner.h -- making and measuring the models that write programs. */
#ifndef WINNOW_REFINER_H
#define WINNOW_REFINER_H

#include "winnow/refine.h"

/* ---- measuring ---- */

/* Pages with what is known of them (docs/formats/refiner.md: a gold text, or a
 * label a line) are compared with what a refiner made of them: programs, or the
 * documents of a cleaned corpus, whatever tool wrote it.  With neither, every page
 * counts as kept whole.
 *
 * A cleaned document is laid beside its page by the rule by which programs are
 * derived (refine/derive.h), so all tools go through one measure.  A page that the
 * cleaned corpus does not have counts as dropped; one without a program as kept. */
struct winnow_refiner_eval_options {
    const char *programs;       /* as `winnow refine --programs` reads them */
    struct winnow_list cleaned; /* corpora */
    int dialect;                /* of the programs: enum winnow_refine_dialect */
    const char *name;           /* what is measured, for table and results */
    const char *by;             /* key of a page's group; NULL: no groups */
    const char *tokenizer;      /* to count tokens; NULL: words and signs are counted */
    uint32_t bootstrap;         /* draws of pages for the intervals; 0: none */
    uint64_t limit;             /* pages; 0: all */
    const char *output;         /* results as JSON; NULL: the caller takes them from the result */
};
#define WINNOW_REFINER_EVAL_OPTIONS_INIT   \
    ((struct winnow_refiner_eval_options){ \
        .dialect = WINNOW_DIALECT_WINNOW, .name = "refined", .by = "type", .bootstrap = 1000})

struct winnow_refiner_eval_result {
    char *json;  /* ends with a newline */
    char *table; /* the same in short, for people */
    uint64_t pages;
    uint64_t unmatched; /* programs or cleaned documents whose id no page has */
};

/* The result is the caller's to free.  Random are the bootstrap's draws, by
 * env->seed. */
WINNOW_API winnow_status winnow_refiner_eval(const struct winnow_refiner_eval_options *opt,
                                             const struct winnow_list *paths,
                                             const struct winnow_env *env,
                                             struct winnow_refiner_eval_result *result,
                                             struct winnow_error *err);
WINNOW_API void winnow_refiner_eval_result_free(struct winnow_refiner_eval_result *result);

#endif /* WINNOW_REFINER_H */
