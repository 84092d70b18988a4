/* completion.h -- requests and answers of OpenAI-compatible servers, as text.
 *
 * Pure functions over JSON: completion_client.h sends and receives.  What the
 * servers agree on is the interface of OpenAI's /v1/completions (a prompt as it
 * stands) and /v1/chat/completions (messages, the server's own template).  Where
 * they differ (docs/formats/servers.md): the field of a grammar, and whether
 * fields of their own are refused.  Grammars are GBNF, which llama.cpp defined
 * and which XGrammar, behind vLLM and SGLang, reads too.
 */
#ifndef WINNOW_REMOTE_COMPLETION_H
#define WINNOW_REMOTE_COMPLETION_H

#include "base/buf.h"
#include "base/error.h"
#include "base/json.h"
#include "remote/secrets.h"

enum completion_server {
    COMPLETION_AUTO, /* ask /v1/models whose it is */
    COMPLETION_LLAMA_CPP,
    COMPLETION_VLLM,
    COMPLETION_SGLANG,
    COMPLETION_OPENAI, /* anything else: only what the interface itself has */
};

struct completion_request {
    struct str prompt;   /* all that the model reads, BOS apart; in a chat the user's message */
    struct str system;   /* chat only; may be empty */
    const uint32_t *ids; /* the prompt as tokens instead, BOS included; NULL: prompt; no chat */
    size_t id_count;
    struct str grammar; /* GBNF; empty: none */
    uint32_t tokens_max;
    double temperature; /* 0: greedy */
    uint64_t seed;
};

/* Appends the body of a request, not streamed; greedy is temperature 0, where known also
 * top_k 1.  server is not COMPLETION_AUTO. */
void completion_write(enum completion_server server, bool chat, const char *model,
                      const struct completion_request *r, struct buf *out);

/* Whether a grammar reaches a server of that kind at all. */
bool completion_takes_grammar(enum completion_server server);

struct completion_text {
    struct str text;
    bool cut;                              /* it ended at tokens_max */
    uint64_t prompt_tokens, answer_tokens; /* as the server counts; 0 where it does not */
};

/* Reads an answer; text holds until the parser is used again.  WINNOW_E_FORMAT
 * says what is missing. */
winnow_status completion_read(struct json_parser *p, struct str body, struct completion_text *out,
                              struct winnow_error *err);

struct completion_models {
    struct str model; /* the first that is listed */
    enum completion_server server;
    uint64_t context; /* tokens that it takes at once; 0: not said */
};

/* An answer of /v1/models. */
winnow_status completion_read_models(struct json_parser *p, struct str body,
                                     struct completion_models *out, struct winnow_error *err);

/* Appends, on one line and cut to some 200 bytes, what an error's body says, with
 * secrets that it echoes hidden. */
void completion_add_reason(struct json_parser *p, struct str body, const struct secrets *secrets,
                           struct buf *out);

#endif /* WINNOW_REMOTE_COMPLETION_H */
