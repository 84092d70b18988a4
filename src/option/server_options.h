/* server_options.h -- the rows of the commands that ask a completion server. */
#ifndef WINNOW_OPTION_SERVER_OPTIONS_H
#define WINNOW_OPTION_SERVER_OPTIONS_H

#include "winnow/server.h"

#include "option/option.h"

/* Kinds by name, in the order of enum winnow_server_kind. */
extern const char *const SERVER_KINDS[];

/* type has a member `server`, a struct winnow_server_options. */
#define SERVER_OPTIONS(type)                                                                    \
    OPT_TEXT(0, "url", type, server.url, "URL", "the completion server: http://HOST:PORT"),     \
        OPT_ENUM(0, "server", type, server.kind, SERVER_KINDS, "whose server it is"),           \
        OPT_TEXT(0, "model", type, server.model, "NAME",                                        \
                 "the model to ask for (default: the first that the server lists)"),            \
        OPT_FLAG(0, "chat", type, server.chat,                                                  \
                 "send messages, and let the server apply its own chat template"),              \
        OPT_TEXT(0, "key-file", type, server.key_file, "FILE", "a file with the server's key"), \
        OPT_TEXT(0, "key-env", type, server.key_env, "NAME",                                    \
                 "the variable of the environment that holds the server's key"),                \
        OPT_TEXT(0, "proxy", type, server.proxy, "URL",                                         \
                 "a proxy on the way; those of the environment are not used"),                  \
        OPT_U32(0, "concurrency", type, server.concurrency, 1, 1024,                            \
                "requests under way at once"),                                                  \
        OPT_U32(0, "retries", type, server.retries, 0, 1000,                                    \
                "further tries of a request, with growing pauses between them"),                \
        OPT_REAL(0, "timeout", type, server.timeout, 0.01, 86400, "seconds for one request")

#endif /* WINNOW_OPTION_SERVER_OPTIONS_H */
