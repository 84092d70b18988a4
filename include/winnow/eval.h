/* eval.h -- how good a model is: held-out text and tasks. */
#ifndef WINNOW_EVAL_H
#define WINNOW_EVAL_H

#include "winnow/chat.h"
#include "winnow/common.h"

#ifdef __cplusplus
extern "C" {
#endif

/* NLL is measured on the documents of the paths given, by domain; tasks come
 * from files (docs/formats/tasks.md) and, with `cloze`, from those documents.
 *
 *   BOS      stands before each text (EOS where the tokenizer has no BOS); where it has
 *            neither, the first token is context only
 *   windows  a text longer than `window` goes on in windows that share one token
 *
 * With `responses` rows are read as `train` and `features` read them: what is longer than the
 * window loses the start of its prompt, or where the response alone is longer, its end. */
struct winnow_eval_options {
    const char *model;        /* folder or .gguf */
    const char *tokenizer;    /* NULL: the model's */
    const char *output;       /* results as JSON; NULL: the caller takes them from the result */
    struct winnow_list tasks; /* files of task records */
    uint64_t limit;           /* items a task (a paradigm of minimal pairs); 0: all */
    uint32_t shots;           /* the first so many items of a task are shown, not asked */
    const char *delimiter;    /* between context and answer; NULL: as the task has it */
    const char
        *leak_probe; /* a benchmark whose items' text is to be completed (docs/formats/eval.md) */
    const char *paraphrased;             /* the same items in other words */
    uint32_t probe_tokens, probe_points; /* of a completion; completions an item */
    bool cloze;                          /* make cloze items from the documents */
    uint32_t cloze_options, cloze_context, cloze_length, cloze_per_document, cloze_per_domain;
    const char *domain_key; /* key of a document's domain; dots for inner ones */
    bool responses;     /* rows are prompt and response, or messages: NLL of the responses alone */
    uint32_t window;    /* 0: the model's context, at most 2,048 */
    int compute;        /* enum winnow_compute (train.h) */
    uint64_t documents; /* of the paths, at most; 0: all */
    const char *text_key, *id_key, *files_from;
    int chat; /* enum winnow_chat */
};
#define WINNOW_EVAL_OPTIONS_INIT                               \
    (WINNOW_NEW(winnow_eval_options){.probe_tokens = 5,        \
                                     .probe_points = 5,        \
                                     .cloze_options = 4,       \
                                     .cloze_context = 400,     \
                                     .cloze_length = 48,       \
                                     .cloze_per_document = 2,  \
                                     .cloze_per_domain = 1000, \
                                     .domain_key = "source"})

struct winnow_eval_result {
    char *json;  /* as lm-evaluation-harness writes results; ends with a newline */
    char *table; /* the same in short, for people */
    uint64_t documents, documents_bad, items, items_skipped;
};

/* The result is the caller's to free, by the function below, in any case; its texts end
 * with NUL.  Random is only the making of cloze items,
 * by env->seed. */
WINNOW_API winnow_status winnow_eval(const struct winnow_eval_options *opt,
                                     const struct winnow_list *paths, const struct winnow_env *env,
                                     struct winnow_eval_result *result, struct winnow_error *err);
WINNOW_API void winnow_eval_result_free(struct winnow_eval_result *result);

#ifdef __cplusplus
}
#endif

#endif /* WINNOW_EVAL_H */
