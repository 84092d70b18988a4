/* prune.h -- keep the documents that a small model finds easy, middling or hard.
 *
 * Options of the stages `prune` and `holdout`; winnow_stage() and recipes run them. */
#ifndef WINNOW_PRUNE_H
#define WINNOW_PRUNE_H

#include "winnow/server.h"
#include "winnow/train.h"

#ifdef __cplusplus
extern "C" {
#endif

enum winnow_criterion { WINNOW_MEDIUM, WINNOW_LOW, WINNOW_HIGH };

struct winnow_prune_options {
    int criterion;  /* enum winnow_criterion */
    double rate;    /* share of the pool that is kept */
    bool by_source; /* a band of each source's own distribution: by "source" */
    /* NULL, or what tells groups that have a band each: a member ("source", "meta.topic"), or
     * "cluster": of an earlier diversify. */
    const char *by;
    const char *clusters; /* attributes of a diversify; NULL: of the stage before in the run */
    const char *reference_model; /* folder or .gguf: nothing is trained or set aside */
    const char *score_attribute; /* folder of attributes with a score: nothing is scored */
    const char *score_from;      /* the same, of an earlier stage of this run: "quality", "score" */
    const char *score_name;      /* of that score: "winnow__nll", "winnow__quality" */
    bool cross_fit;              /* two references, each scores the other's half */
    uint64_t reference_tokens;   /* what a reference is trained on */
    double reference_share_max;  /* of the documents, set aside for it at most */
    uint64_t document_tokens;    /* of a document in training at most; 0: all */
    uint32_t fixed_length;       /* score.h; 0: whole documents */
    uint32_t window, stride;     /* score.h */
    const char *tokenizer;       /* NULL: trained on the reference's part */
    struct winnow_small_model model;
    /* With server.url the model that a server has scores, as in score.h: nothing is trained or
     * set aside. */
    struct winnow_server_options server;
};
#define WINNOW_PRUNE_OPTIONS_INIT                                       \
    (WINNOW_NEW(winnow_prune_options){.criterion = WINNOW_MEDIUM,       \
                                      .rate = 0.5,                      \
                                      .score_name = "winnow__nll",      \
                                      .reference_tokens = 1000000,      \
                                      .reference_share_max = 0.5,       \
                                      .document_tokens = 2048,          \
                                      .fixed_length = 256,              \
                                      .model = WINNOW_SMALL_MODEL_INIT, \
                                      .server = WINNOW_SERVER_OPTIONS_INIT})

/* Sets a share of the documents aside, by the hash of their normalised text: all
 * copies of a text land on one side, and every part of the program that asks with
 * the same share gets the same answer.  The first thing a run with a proof does. */
struct winnow_holdout_options {
    double share;
    bool main; /* of HTML pages only the part that extract has marked as main; pages without one
                  are not set aside */
};
#define WINNOW_HOLDOUT_OPTIONS_INIT (WINNOW_NEW(winnow_holdout_options){.share = 0.05})

#ifdef __cplusplus
}
#endif

#endif /* WINNOW_PRUNE_H */
