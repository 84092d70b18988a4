/* refiner.h -- making and measuring the models that write programs. */
#ifndef WINNOW_REFINER_H
#define WINNOW_REFINER_H

#include "winnow/refine.h"
#include "winnow/train.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- measuring ---- */

/* Pages with what is known of them (docs/formats/refiner.md: a gold text, or a
 * label a line) are compared with what a refiner made of them: programs, or the
 * documents of a cleaned corpus, whatever tool wrote it.  With neither, every page
 * counts as kept whole.
 *
 * A cleaned document is laid beside its page by the rule by which programs are
 * derived (teach/derive.h), so all tools go through one measure.  A page that the
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
#define WINNOW_REFINER_EVAL_OPTIONS_INIT      \
    (WINNOW_NEW(winnow_refiner_eval_options){ \
        .dialect = WINNOW_DIALECT_WINNOW, .name = "refined", .by = "type", .bootstrap = 1000})

struct winnow_refiner_eval_result {
    char *json;  /* ends with a newline */
    char *table; /* the same in short, for people */
    uint64_t pages;
    uint64_t unmatched; /* programs or cleaned documents whose id no page has */
};

/* The result is the caller's to free, by the function below, in any case; its texts end
 * with NUL.  Random are the bootstrap's draws, by
 * env->seed. */
WINNOW_API winnow_status winnow_refiner_eval(const struct winnow_refiner_eval_options *opt,
                                             const struct winnow_list *paths,
                                             const struct winnow_env *env,
                                             struct winnow_refiner_eval_result *result,
                                             struct winnow_error *err);
WINNOW_API void winnow_refiner_eval_result_free(struct winnow_refiner_eval_result *result);

/* ---- training ---- */

/* A refiner from pages with what is to become of them: "program", "label" or
 * "clean" (docs/formats/refiner.md).  Each page is cut into chunks, each chunk asked
 * exactly as `winnow refine` asks (prompts, template, numbers), and the model learns
 * the program, and nothing of the prompt.
 *
 * base NULL: a model of the shape in `model` from scratch, its tokenizer trained on
 * pages and programs.  lora_rank 0: all weights of base are trained; otherwise
 * low-rank adapters on its matrices (Hu et al. 2106.09685), which are merged at the
 * end and also written by themselves in peft's format.
 *
 * model.context is the longest example (prompt and program) in any case, model.lr
 * the learning rate at its top: some 5e-4 for LoRA, 3e-5 for all weights, 2e-3 from
 * scratch. */
enum winnow_refiner_level { WINNOW_LEVEL_CHUNK, WINNOW_LEVEL_DOC, WINNOW_LEVEL_BOTH };
enum winnow_refiner_long_lines { WINNOW_LONG_SKIP, WINNOW_LONG_SEND, WINNOW_LONG_TRUNCATE };
enum winnow_refiner_save { WINNOW_SAVE_F32, WINNOW_SAVE_BF16 };

struct winnow_refiner_train_options {
    struct winnow_small_model model;
    const char *base;      /* model folder or .gguf; NULL: from scratch */
    const char *tokenizer; /* from scratch: file or folder; NULL: one is trained */
    const char *output;    /* the model folder */
    int prompt;       /* enum winnow_refine_template; auto: the base's own, plain from scratch */
    int level;        /* enum winnow_refiner_level */
    int dialect;      /* of given programs: enum winnow_refine_dialect, not prox */
    bool prefer_text; /* derive from the clean text where there are labels, too */
    uint32_t chunk_tokens;  /* a chunk's lines; fewer where prompt and program need the room */
    int long_lines;         /* lines past that: enum winnow_refiner_long_lines */
    uint32_t answer_tokens; /* longer programs are left out */
    bool verdicts; /* teach it a verdict at each line's end, too: winnow_refine_options.one_pass */
    double removal_max;          /* leave out pages of which a larger share goes */
    double derivable_min;        /* leave out pages of whose clean text less can be reached */
    double holdout;              /* share of the pages whose loss chooses the weights that stay */
    struct winnow_list validate; /* pages for that instead */
    uint64_t tokens;             /* budget; 0: epochs */
    double epochs;
    uint32_t lora_rank;
    double lora_alpha;
    uint32_t points;   /* how often the held-out loss is measured */
    double checkpoint; /* seconds between two checkpoints at least */
    uint64_t limit;    /* pages; 0: all */
    int save;          /* enum winnow_refiner_save: numbers of model.safetensors */
};
#define WINNOW_REFINER_TRAIN_OPTIONS_INIT                                     \
    (WINNOW_NEW(winnow_refiner_train_options){.model = {.dim = 192,           \
                                                        .layers = 6,          \
                                                        .heads = 6,           \
                                                        .vocab = 4096,        \
                                                        .context = 2048,      \
                                                        .batch_tokens = 8192, \
                                                        .lr = 5e-4,           \
                                                        .warmup = 0.05},      \
                                              .chunk_tokens = 1500,           \
                                              .answer_tokens = 512,           \
                                              .removal_max = 1,               \
                                              .derivable_min = 0.5,           \
                                              .holdout = 0.05,                \
                                              .epochs = 1,                    \
                                              .lora_alpha = 32,               \
                                              .points = 10,                   \
                                              .checkpoint = 60})

struct winnow_refiner_train_result {
    uint64_t pages, pages_left_out, examples, examples_left_out, examples_held_out;
    uint64_t steps, tokens, parameters, trained;
    uint64_t targets; /* tokens of programs, and verdicts */
    double epochs, flops;
    double loss;            /* mean of the last tenth of the steps */
    double held_out, start; /* held-out loss of what stays, and before training; NaN: none */
    bool nothing_to_do;     /* an earlier call did all of it; the rest is 0 */
};

/* Writes config.json, model.safetensors, tokenizer.json, chat_template.jinja (but for
 * plain), training.json, and adapter/ for LoRA into output.  Order, split and adapters
 * come from env->seed.  A checkpoint stands in output/checkpoint/ meanwhile: the same
 * call after an interruption goes on from it and writes the same bytes. */
WINNOW_API winnow_status winnow_refiner_train(const struct winnow_refiner_train_options *opt,
                                              const struct winnow_list *paths,
                                              const struct winnow_env *env,
                                              struct winnow_refiner_train_result *result,
                                              struct winnow_error *err);

#ifdef __cplusplus
}
#endif

#endif /* WINNOW_REFINER_H */
