/* writer_http.h -- a refiner behind a completion server.
 *
 * Prompts are sent as tokens where the caller has them (one BOS, no special token
 * out of a document's text), else as text, to which the server adds BOS; with
 * `chat`, system and user text, in the server's own template.  The grammar goes
 * along as GBNF where the server knows one; whatever comes back, the strict
 * parser decides.
 */
#ifndef WINNOW_REFINE_WRITER_HTTP_H
#define WINNOW_REFINE_WRITER_HTTP_H

#include "base/env.h"
#include "refine/program_writer.h"
#include "remote/completion_client.h"

/* Opens the client; env is borrowed until the writer's end. */
winnow_status writer_http_open(const struct completion_client_options *opt,
                               const struct winnow_env *env, struct program_writer **out,
                               struct winnow_error *err);

const char *writer_http_model(const struct program_writer *w);

#endif /* WINNOW_REFINE_WRITER_HTTP_H */
