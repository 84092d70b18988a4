/* eval.h -- how good a model is: held-out NLL and tasks.
 *
 * A scorer joins an engine and a tokenizer.  It gives the negative
 * log-likelihood of texts (eval_nll), and that of the answers of a suite of
 * tasks (eval_suite_score), from which accuracies follow (eval_summarise).
 *
 *     TRY(eval_scorer_new(engine, tokenizer, &opt, &scorer, err));
 *     TRY(eval_nll(scorer, texts, count, nll, err));
 *
 *     eval_suite_new()
 *     TRY(eval_suite_add_file(suite, "blimp.jsonl.zst", &file, err));
 *     TRY(eval_suite_add_cloze(suite, documents, count, &cloze, err));
 *     TRY(eval_suite_score(suite, scorer, scores, err));
 *     eval_summarise(suite, scores, task, &summary);
 *
 * A suite is read-only once it is filled: several scorers, each with an engine
 * of its own, may score it side by side.  All results are the same whatever
 * the number of threads and however texts are packed.  NLL is in nats.
 */
#ifndef WINNOW_EVAL_EVAL_H
#define WINNOW_EVAL_EVAL_H

#include "base/error.h"
#include "base/str.h"

struct engine;
struct tokenizer;

/* ---- texts ------------------------------------------------------------- */

struct eval_scorer_options {
    uint32_t window; /* longest sequence, at most the engine's tokens_max; 0: the model's context */
    uint32_t batch_tokens; /* packed for one call of the engine; 0: 16,384 */
    uint32_t start; /* token before each text; MODEL_NO_TOKEN: the tokenizer's BOS, else EOS, else
                       none */
};
#define EVAL_SCORER_OPTIONS_INIT ((struct eval_scorer_options){.start = UINT32_MAX})

struct eval_scorer;

/* Engine and tokenizer must outlive the scorer. */
winnow_status eval_scorer_new(struct engine *engine, const struct tokenizer *tokenizer,
                              const struct eval_scorer_options *opt, struct eval_scorer **out,
                              struct winnow_error *err);
void eval_scorer_free(struct eval_scorer *s);

/* One text.  Every token is predicted, the first one from the start token;
 * where there is none, the first token is not, and its bytes do not count.  A
 * text longer than the window goes on in windows that share one token: the last
 * of a window is the first of the next, where it only serves as context. */
struct eval_text_nll {
    double nll;      /* summed over tokens */
    uint64_t tokens; /* predicted */
    uint64_t bytes;  /* of UTF-8 that these tokens stand for */
};

winnow_status eval_nll(struct eval_scorer *s, const struct str *texts, size_t count,
                       struct eval_text_nll *out, struct winnow_error *err);

/* Nats per token and bits per byte; NaN where nothing was predicted. */
double eval_nll_mean(const struct eval_text_nll *sum);
double eval_bits_per_byte(const struct eval_text_nll *sum);
void eval_nll_add(struct eval_text_nll *sum, const struct eval_text_nll *more);

/* ---- tasks ------------------------------------------------------------- */

enum eval_kind {
    EVAL_PAIR,   /* a good and a bad sentence (BLiMP) */
    EVAL_CHOICE, /* one context, several answers, one of them right */
    EVAL_SCHEMA, /* several contexts, one ending; one context is right */
    EVAL_GREEDY, /* one context, one answer: right if each of its tokens is the likeliest */
};

/* Of an item, at most. */
#define EVAL_OPTIONS_MAX 64

/* What the model is asked for: ln p(continuation | context). */
struct eval_option {
    struct str context, continuation;
    uint32_t chars; /* of the answer, without the delimiter before it */
};

struct eval_item {
    enum eval_kind kind;
    uint32_t task; /* among the suite's tasks */
    uint32_t option_count, gold;
    const struct eval_option *options;
    struct str id;     /* from the file, or made */
    struct str source; /* made cloze items: the document; else the id */
};

struct eval_task {
    const char *name;  /* "blimp_adjunct_island", "arc_easy", "cloze_wiki" */
    const char *group; /* "blimp", "cloze", or the task's own name */
    enum eval_kind kind;
    double chance;       /* expected accuracy of guessing */
    size_t first, count; /* its items, which lie together */
};

struct eval_suite;

struct eval_suite *eval_suite_new(void);
void eval_suite_free(struct eval_suite *s);

struct eval_file_options {
    uint64_t limit;        /* items a task (a subtask, for minimal pairs); 0: all */
    const char *delimiter; /* between context and answer; NULL: the record's own, else the task's */
    uint32_t shots;        /* answered items of the same task put in front */
};
#define EVAL_FILE_OPTIONS_INIT ((struct eval_file_options){0})

/* Task records, one JSON object a line, plain or compressed (docs/formats/tasks.md).
 * Kinds that the suite cannot score are left out; their number is added to
 * *skipped (may be NULL). */
winnow_status eval_suite_add_file(struct eval_suite *s, const char *path,
                                  const struct eval_file_options *opt, uint64_t *skipped,
                                  struct winnow_error *err);

struct eval_document {
    struct str id, text, domain;
};

struct eval_cloze_options {
    uint32_t options;      /* with the true one */
    uint32_t context;      /* most characters before the cut */
    uint32_t length;       /* characters of each continuation */
    uint32_t per_document; /* most items of one document */
    uint32_t per_domain;   /* most items of one domain; 0: all */
    uint64_t seed;
};
#define EVAL_CLOZE_OPTIONS_INIT   \
    ((struct eval_cloze_options){ \
        .options = 4, .context = 400, .length = 48, .per_document = 2, .per_domain = 1000})

/* Items from held-out text, one task "cloze_<domain>" a domain: which of the
 * continuations goes on this text?  The others come from other documents of the
 * same domain and have as many characters.  Where a domain has too few
 * documents that are long enough, it gets no task.  Views of the documents are
 * copied.  docs/formats/tasks.md says how the places are drawn. */
winnow_status eval_suite_add_cloze(struct eval_suite *s, const struct eval_document *documents,
                                   size_t count, const struct eval_cloze_options *opt,
                                   struct winnow_error *err);

size_t eval_suite_task_count(const struct eval_suite *s);
const struct eval_task *eval_suite_task(const struct eval_suite *s, size_t i);
size_t eval_suite_item_count(const struct eval_suite *s);
const struct eval_item *eval_suite_item(const struct eval_suite *s, size_t i);

struct eval_item_score {
    float acc;              /* 1 right, 0 wrong; a tie of k answers gives 1 / k */
    float acc_norm;         /* the same with each ln p divided by its answer's characters */
    double nll;             /* of the right answer */
    uint32_t tokens, bytes; /* of the right answer */
};

/* Fills scores[0 .. eval_suite_item_count()). */
winnow_status eval_suite_score(const struct eval_suite *s, struct eval_scorer *scorer,
                               struct eval_item_score *scores, struct winnow_error *err);

/* The same for the items first .. first + count - 1 alone, in their places. */
winnow_status eval_suite_score_some(const struct eval_suite *s, struct eval_scorer *scorer,
                                    size_t first, size_t count, struct eval_item_score *scores,
                                    struct winnow_error *err);

struct eval_summary {
    uint64_t items;
    double chance;
    double acc, acc_stderr;
    double acc_norm, acc_norm_stderr;
    double normalised, normalised_stderr; /* (acc - chance) / (1 - chance) */
    double nll;                           /* mean over items, of the right answer */
    double bits_per_byte;                 /* of the right answers */
};

/* Of the items first .. first + count - 1; standard errors are those of a mean
 * of independent items.  chance is the mean over the items. */
void eval_summarise(const struct eval_suite *s, const struct eval_item_score *scores, size_t first,
                    size_t count, struct eval_summary *out);

#endif /* WINNOW_EVAL_EVAL_H */
