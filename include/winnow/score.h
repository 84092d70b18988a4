/* score.h -- how surprising each document is to a model.
 *
 * Options of the stage `score`; winnow_stage() and recipes run it, text.h scores texts in
 * memory.  A score is in nats a token and does not depend on threads. */
#ifndef WINNOW_SCORE_H
#define WINNOW_SCORE_H

#include "winnow/server.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The score of a document is the mean over its tokens of -ln p(token | those
 * before it); perplexity is e to that.
 *
 *   BOS     stands before the document (EOS where the model has no BOS); where it has
 *           neither, the first token is context only and not scored
 *   EOS     is not appended and not scored
 *   windows a document longer than `window` is read in windows that start `stride`
 *           tokens apart, each behind a BOS; a token is scored once, in the first window
 *           that reaches it, and so sees at least window - stride tokens before it
 *   length  with `fixed_length` L only the first L tokens are scored, and L tokens
 *           become the common length: NLL falls along a document as context grows,
 *           so that a shorter document's score is corrected by the difference between
 *           what documents of the corpus lose on average over L tokens and over its
 *           own m:  s = nll(first m) - mean curve(1..m) + mean curve(1..L)
 *
 *   rows    with `responses` rows are read as `train` and `features` read them, one sequence
 *           each, and the mean is over the tokens of responses and the EOS behind them
 *
 * A document without any scored token gets no score. */
struct winnow_score_options {
    const char *model;     /* folder or .gguf */
    const char *tokenizer; /* NULL: the model's */
    uint32_t window;       /* 0: the model's context, at most 2,048 */
    uint32_t stride;       /* 0: half the window */
    uint32_t fixed_length; /* 0: whole documents */
    bool responses;        /* rows are prompt and response, or messages: of responses alone */
    int compute;           /* enum winnow_compute (train.h) */
    const char *name;      /* of the attribute folder; "nll" */
    /* With server.url instead of model: the model that a server has scores, by the tokenizer
     * given, and by windows of at most 2,048 and the server's context less one. */
    struct winnow_server_options server;
};
#define WINNOW_SCORE_OPTIONS_INIT \
    (WINNOW_NEW(winnow_score_options){.name = "nll", .server = WINNOW_SERVER_OPTIONS_INIT})

#ifdef __cplusplus
}
#endif

#endif /* WINNOW_SCORE_H */
