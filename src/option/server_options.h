/* server_options.h -- the rows of the commands that ask a completion server. */
#ifndef WINNOW_OPTION_SERVER_OPTIONS_H
#define WINNOW_OPTION_SERVER_OPTIONS_H

#include "winnow/server.h"

#include "option/option.h"

/* Kinds by name, in the order of enum winnow_server_kind. */
extern const char *const SERVER_KINDS[];

/* type has a member `server`, a struct winnow_server_options.  Where the server is
 * and how patiently it is asked does not decide what it answers.  model: the name of
 * the option that names the model to ask for. */
#define SERVER_OPTIONS_OF(type, model_option)                                         \
    OPT_HOW(OPTION_URL, "url", type, server.url, 0, 0, "URL",                         \
            "the completion server: http://HOST:PORT"),                               \
        OPT_ENUM(0, "server", type, server.kind, SERVER_KINDS, "whose server it is"), \
        OPT_TEXT(0, model_option, type, server.model, "NAME",                         \
                 "the model to ask for (default: the first that the server lists)"),  \
        OPT_HOW(OPTION_TEXT, "key-file", type, server.key_file, 0, 0, "FILE",         \
                "a file with the server's key"),                                      \
        OPT_HOW(OPTION_TEXT, "key-env", type, server.key_env, 0, 0, "NAME",           \
                "the variable of the environment that holds the server's key"),       \
        OPT_HOW(OPTION_PROXY, "proxy", type, server.proxy, 0, 0, "URL",               \
                "a proxy on the way; those of the environment are not used"),         \
        OPT_HOW(OPTION_U32, "concurrency", type, server.concurrency, 1, 1024, "N",    \
                "requests under way at once"),                                        \
        OPT_HOW(OPTION_U32, "retries", type, server.retries, 0, 1000, "N",            \
                "further tries of a request, with growing pauses between them"),      \
        OPT_HOW(OPTION_REAL, "timeout", type, server.timeout, 0.01, 86400, "X",       \
                "seconds for one request")

/* Of commands that want texts. */
#define SERVER_OPTIONS(type)                   \
    SERVER_OPTIONS_OF(type, "model"),          \
        OPT_FLAG(0, "chat", type, server.chat, \
                 "send messages, and let the server apply its own chat template")

/* Of commands that want scores, which have models of their own besides. */
#define SERVER_SCORES_OPTIONS(type) SERVER_OPTIONS_OF(type, "served-model")
#define SERVER_SCORES_NAMES \
    "server", "served-model", "key-file", "key-env", "proxy", "concurrency", "retries", "timeout"

#endif /* WINNOW_OPTION_SERVER_OPTIONS_H */
