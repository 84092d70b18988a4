/* refine.h -- every document as its own program (ProX, Zhou et al. 2409.17115).
 *
 * A refiner, a small language model, reads a document and writes a program for it;
 * the stage executes it.  Programs are asked for first, all of them, and kept in the
 * run folder (state/programs.jsonl); then they are executed.  So nothing is asked
 * for twice: not after an interruption, and not where another run executes the same
 * file by `programs`.  Options of the stage `refine`; winnow_stage() and recipes run it, text.h
 * refines texts in memory.
 */
#ifndef WINNOW_REFINE_H
#define WINNOW_REFINE_H

#include "winnow/run.h"
#include "winnow/server.h"

#ifdef __cplusplus
extern "C" {
#endif

enum winnow_refine_dialect {
    WINNOW_DIALECT_WINNOW, /* docs/formats/programs.md */
    WINNOW_DIALECT_REFINEX,
    WINNOW_DIALECT_ULTRAX,
    WINNOW_DIALECT_PROX, /* what the released ProX models emit, quirks included */
};

enum winnow_refine_level {
    WINNOW_REFINE_CHUNK, /* one question a chunk: which lines and strings go */
    WINNOW_REFINE_DOC,   /* one a document: keep it or drop it */
    WINNOW_REFINE_BOTH,  /* that one; then the first about what stays */
};

enum winnow_refine_engine {
    WINNOW_ENGINE_BUILTIN, /* our own, on this machine's processors */
    WINNOW_ENGINE_HTTP,    /* a completion server, which has the refiner loaded */
};

enum winnow_refine_template {
    WINNOW_TEMPLATE_AUTO, /* the model's own; plain where it has none */
    WINNOW_TEMPLATE_PLAIN,
    WINNOW_TEMPLATE_LLAMA2,
    WINNOW_TEMPLATE_CHATML,
};

enum winnow_long_lines {
    WINNOW_LONG_LINES_SKIP,     /* they are not shown and stay as they are */
    WINNOW_LONG_LINES_SEND,     /* whole, in a chunk of their own */
    WINNOW_LONG_LINES_TRUNCATE, /* their first tokens */
};

struct winnow_refine_options {
    /* JSON lines (plain, .gz, .zst), held in memory: {"id", "program"} for a whole
     * document, or {"id", "chunks": [{"first", "last", "program"}]} with lines
     * from 0.  A document without a program is kept as it is. */
    const char *programs;
    /* Instead: a model folder or .gguf, or "builtin" (NULL is, too): a line model inside
     * the library.  With WINNOW_ENGINE_HTTP the model that the server has, for its
     * tokenizer and template only; NULL: chunks are measured in bytes, three a token,
     * and prompts are sent as text. */
    const char *refiner;
    int engine;         /* enum winnow_refine_engine */
    int dialect;        /* enum winnow_refine_dialect */
    int level;          /* enum winnow_refine_level */
    int prompt;         /* enum winnow_refine_template */
    const char *system; /* what the refiner is told beforehand; "": nothing */
    uint32_t chunk_tokens, new_tokens;
    int long_lines; /* enum winnow_long_lines */
    bool grammar;   /* hold the refiner to the grammar of its dialect */
    /* The refiner was taught verdicts (winnow_refiner_train_options.verdicts): one pass over a
     * chunk judges its lines, and nothing is generated.  Chunks in dialect winnow only. */
    bool one_pass;
    double keep_above; /* with one_pass: lines less likely to stay go */
    /* Of a line model: documents go whose lines are text with a lower mean probability,
     * weighted by bytes; 0: none do. */
    double drop_below;
    int compute;                         /* enum winnow_compute (train.h) */
    struct winnow_server_options server; /* of WINNOW_ENGINE_HTTP */
};
#define WINNOW_REFINE_OPTIONS_INIT                                       \
    (WINNOW_NEW(winnow_refine_options){                                  \
        .dialect = WINNOW_DIALECT_WINNOW,                                \
        .level = WINNOW_REFINE_CHUNK,                                    \
        .system = "You are a helpful, respectful and honest assistant.", \
        .chunk_tokens = 1500,                                            \
        .new_tokens = 256,                                               \
        .grammar = true,                                                 \
        .keep_above = 0.5,                                               \
        .server = WINNOW_SERVER_OPTIONS_INIT,                            \
    })

#ifdef __cplusplus
}
#endif

#endif /* WINNOW_REFINE_H */
