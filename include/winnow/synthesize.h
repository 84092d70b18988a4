/* synthesize.h -- new documents made of those that are there (HARE, 2406.11410).
 *
 * HARE trains small models on cleaned text (D1), on texts that a model wrote from seeds of
 * many topics with many prompts (D2), and on the same in the shapes of tasks (D3).  A seed is a
 * document of the corpus; a prompt says what is made of it, a "text" or one of four tasks:
 *
 *     question   Question: ... / Answer: ...
 *     choice     Question: ... / A. ... D. ... / Answer: B. ...
 *     cloze      Fill in the blank: ... ____ ... / Answer: ...
 *     summary    a passage, then Summary: ...
 *
 * A model writes, here or behind a server; or templates do, rules without a model.  What comes
 * back is judged before it is a document: form, length, copies of the seed and of each other,
 * benchmark items.  Seeds per cluster, limits and thresholds are our choice, since HARE published
 * none of that code.  Options of the stage `synthesize`; winnow_stage() and recipes run it.
 */
#ifndef WINNOW_SYNTHESIZE_H
#define WINNOW_SYNTHESIZE_H

#include "winnow/run.h"
#include "winnow/server.h"

#ifdef __cplusplus
extern "C" {
#endif

enum winnow_synthesize_engine {
    WINNOW_SYNTHESIZE_TEMPLATES, /* rules; nothing is asked */
    WINNOW_SYNTHESIZE_BUILTIN,   /* our own engine */
    WINNOW_SYNTHESIZE_HTTP,      /* a completion server */
};

enum winnow_synthesize_make {
    WINNOW_MAKE_ALL,
    WINNOW_MAKE_TEXTS, /* D2 */
    WINNOW_MAKE_TASKS, /* D3 */
};

enum winnow_synthesize_originals {
    WINNOW_ORIGINALS_KEEP,  /* they go on, and what was made comes behind them */
    WINNOW_ORIGINALS_ASIDE, /* only what was made goes on */
};

struct winnow_synthesize_options {
    int engine; /* enum winnow_synthesize_engine */
    /* The model's folder or .gguf; with a server for its tokenizer and template only, or NULL. */
    const char *writer;
    int make;               /* enum winnow_synthesize_make */
    const char *prompts;    /* JSON lines of prompts, docs/synthesize.md; NULL: built in */
    uint64_t documents;     /* asked for at most; 0: per_seed for each document */
    uint64_t tokens;        /* asking ends once so many were written; 0: no limit */
    uint32_t per_seed;      /* prompts at most that a seed is shown with */
    const char *cluster;    /* member of documents, or a dotted path; seeds are drawn evenly */
    const char *attributes; /* attribute files of the input, of which cluster is a value; or NULL */
    const char *from;       /* seeds have a source that begins so; NULL: any document */
    uint32_t seed_tokens;   /* of a seed that are shown */
    uint32_t new_tokens;    /* of an answer at most; 0: 2048 of a text, 512 of a task */
    double temperature;     /* 0: the likeliest token */
    int prompt;             /* enum winnow_refine_template */
    const char *system;     /* what the model is told beforehand; "": nothing */
    uint32_t words_min, words_max; /* of an answer; 0: those of its kind */
    double near;                   /* from so much in common on two texts are copies */
    struct winnow_list benchmarks; /* what must not be in answers */
    bool decontaminate;            /* false: it is known that there are no benchmarks */
    int originals;                 /* enum winnow_synthesize_originals */
    int compute;                   /* enum winnow_compute (train.h) */
    struct winnow_server_options server;
};
#define WINNOW_SYNTHESIZE_OPTIONS_INIT                                        \
    (WINNOW_NEW(winnow_synthesize_options){                                   \
        .per_seed = 1,                                                        \
        .cluster = "cluster",                                                 \
        .seed_tokens = 1000,                                                  \
        .temperature = 0.8,                                                   \
        .system = "You write texts that a small language model learns from.", \
        .near = 0.8,                                                          \
        .decontaminate = true,                                                \
        .server = WINNOW_SERVER_OPTIONS_INIT,                                 \
    })

#ifdef __cplusplus
}
#endif

#endif /* WINNOW_SYNTHESIZE_H */
