/* prompt_scores.h -- what a served model gives each token of a prompt: requests and answers.
 *
 * Pure functions over JSON, as completion.h.  No two servers ask alike (docs/formats/servers.md):
 *
 *   vLLM          /v1/completions, "prompt_logprobs": an object of log-probabilities by id
 *   SGLang        /generate, "return_logprob": rows [log-probability, id, text]
 *   llama-server  gives those of generated tokens only: one token a request, which is forced by
 *                 "logit_bias" and answered with what it had before that bias
 *   others        /v1/completions, "echo" and "logprobs", as OpenAI's interface had them
 *
 * A prompt is ids, so that the tokens are those that the built-in scorer would score.
 */
#ifndef WINNOW_REMOTE_PROMPT_SCORES_H
#define WINNOW_REMOTE_PROMPT_SCORES_H

#include "remote/completion.h"

/* Whether a server of that kind answers for the last token of a request alone. */
bool prompt_scores_by_token(enum completion_server server);

/* What stands behind an address, "/completions" or "/generate"; *root: behind its host, not
 * behind its version. */
const char *prompt_scores_path(enum completion_server server, bool *root);

/* Appends the body of a request; count is at least 2. */
void prompt_scores_write(enum completion_server server, const char *model, const uint32_t *ids,
                         size_t count, struct buf *out);

/* Appends to out, as floats, -ln p of ids[1] .. ids[count - 1], each after those before it; by
 * token of the last one alone.  WINNOW_E_FORMAT says what is missing, or that the ids are not
 * those that were asked for. */
winnow_status prompt_scores_read(enum completion_server server, struct json_parser *p,
                                 struct str body, const uint32_t *ids, size_t count,
                                 struct buf *out, struct winnow_error *err);

#endif /* WINNOW_REMOTE_PROMPT_SCORES_H */
