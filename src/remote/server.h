/* server.h -- from a command's options to a client of a completion server. */
#ifndef WINNOW_REMOTE_SERVER_H
#define WINNOW_REMOTE_SERVER_H

#include "winnow/server.h"

#include "remote/completion_client.h"

/* Fills out; strings are opt's, the key's text is key's.  Opens nothing, but reads
 * the key.  WINNOW_E_USAGE where the address or a key that is named is missing. */
winnow_status server_client_options(const struct winnow_server_options *opt,
                                    const struct winnow_env *env, struct buf *key,
                                    struct completion_client_options *out,
                                    struct winnow_error *err);

/* Refuses, before anything is written, an address, a proxy or a key that cannot be
 * used.  The sentence quotes none of them. */
winnow_status server_check(const struct winnow_server_options *opt, const struct winnow_env *env,
                           struct winnow_error *err);

/* Answers of two models do not mix in one folder: the file at path keeps the name
 * of the model that was asked first.  WINNOW_E_USAGE where it is another one. */
winnow_status server_same_model(const char *path, const char *model, struct winnow_error *err);

#endif /* WINNOW_REMOTE_SERVER_H */
