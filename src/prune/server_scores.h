/* server_scores.h -- scores of a stage's documents by a model behind a completion server, for
 * `score` and `prune`.
 *
 * Tokens, windows, and the correction of length are those of scoring.h; only the log-probabilities
 * come from elsewhere (remote/prompt_scores.h).  What was answered is kept in the stage's
 * state/scores.jsonl (remote/answer_store.h), a line a document, so that nothing is asked twice:
 *
 *     {"ordinal":0,"id":"a","nll":2.31,"tokens":812}
 *     {"ordinal":1,"id":"b","refused":"longer than the context"}
 */
#ifndef WINNOW_PRUNE_SERVER_SCORES_H
#define WINNOW_PRUNE_SERVER_SCORES_H

#include "winnow/server.h"

#include "eval/document_score.h"
#include "prune/scoring.h"
#include "run/stage.h"

struct server_scores_options {
    const struct winnow_server_options *server;
    const char *tokenizer; /* of the model that is served: its folder, or tokenizer.json */
    struct scoring_shape shape;
    bool responses;
};

/* Refuses what cannot be asked, before anything is written. */
winnow_status server_scores_check(const struct server_scores_options *opt,
                                  const struct winnow_env *env, struct winnow_error *err);

struct server_scores;

/* Asks for all documents that were not answered yet (a pass over the input, two with a fixed
 * length; no server is needed when all were), then passes over the input once more and writes the
 * attributes of scoring_attributes() under that name, corrected for length; with verdicts all
 * documents go on.  What the server refused, and what has no token, has no score; warns of refused
 * documents, and notes their number and the model's name for stats.json. */
winnow_status server_scores_run(struct stage *stage, const struct server_scores_options *opt,
                                const char *attribute, bool verdicts, struct server_scores **out,
                                struct winnow_error *err);
void server_scores_close(struct server_scores *s);

const char *server_scores_model(const struct server_scores *s);

/* What an estimate says. */
#define SERVER_SCORES_SPEED "it asks a server, whose speed is not known before"

#endif /* WINNOW_PRUNE_SERVER_SCORES_H */
