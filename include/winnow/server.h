/* server.h -- how a completion server is reached.
 *
 * Any server with OpenAI's interface: llama.cpp's llama-server, vLLM, SGLang, or
 * one in the cloud.  Shared by what asks one: `refine --engine http`, `refiner
 * label`.  docs/formats/servers.md says what is sent.
 */
#ifndef WINNOW_SERVER_H
#define WINNOW_SERVER_H

#include "winnow/common.h"

#ifdef __cplusplus
extern "C" {
#endif

enum winnow_server_kind {
    WINNOW_SERVER_AUTO, /* ask it */
    WINNOW_SERVER_LLAMA_CPP,
    WINNOW_SERVER_VLLM,
    WINNOW_SERVER_SGLANG,
    WINNOW_SERVER_OPENAI /* anything else: no grammar, no fields of its own */
};

struct winnow_server_options {
    const char *url;      /* http://HOST:PORT, with or without /v1 */
    int kind;             /* enum winnow_server_kind */
    const char *model;    /* NULL: the first that the server lists */
    bool chat;            /* messages, and the server's own template, rather than whole prompts */
    const char *key_file; /* a file with the key that is sent as "Authorization: Bearer" */
    const char *key_env;  /* or the name of a variable of the environment (env->variable) */
    const char *proxy;    /* NULL: none, whatever the environment says */
    uint32_t concurrency; /* requests under way at once */
    uint32_t retries;     /* further tries of a request, with growing pauses */
    double timeout;       /* seconds for one request */
};
#define WINNOW_SERVER_OPTIONS_INIT                       \
    {                                                    \
        .concurrency = 16, .retries = 8, .timeout = 600, \
    }

#ifdef __cplusplus
}
#endif

#endif /* WINNOW_SERVER_H */
