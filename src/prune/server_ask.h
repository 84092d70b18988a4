/* server_ask.h -- what a served model gives each token of a stage's documents, into a store. */
#ifndef WINNOW_PRUNE_SERVER_ASK_H
#define WINNOW_PRUNE_SERVER_ASK_H

#include "winnow/server.h"

#include "prune/scoring.h"
#include "remote/answer_store.h"
#include "run/stage.h"

struct server_ask {
    struct stage *stage;
    const struct winnow_server_options *server;
    const struct tokenizer *tokenizer;
    uint32_t start; /* token before each text and window; MODEL_NO_TOKEN: none */
    struct scoring_shape shape;
    bool responses;
    struct answer_store *store; /* not complete */
};

/* One pass over the input, two with a fixed length; the store is complete then.  The lines are
 * those of server_scores.h; with a fixed length, those of the documents that length is measured
 * on have a member "each", their NLL token by token.  The model's name goes to the stage's file
 * "server-model". */
winnow_status server_ask_run(const struct server_ask *a, struct winnow_error *err);

#endif /* WINNOW_PRUNE_SERVER_ASK_H */
