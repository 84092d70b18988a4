/* completion_client.h -- asks a server many things at once, hears back in order.
 *
 *     completion_client_open(&opt, env, &c, err);
 *     for (;;) {
 *         while (more && completion_client_room(c)) completion_client_submit(c, &request, err);
 *         if (completion_client_pending(c) == 0) break;
 *         completion_client_next(c, &answer, err);      the oldest request's
 *     }
 *
 * At most `concurrency` requests are under way and `window` are held (waiting,
 * under way, or answered before their turn), so memory is bounded whatever the
 * server does.  What may pass (no connection, cut off, time-out, 408, 429, 5xx,
 * an answer that is no completion) is tried again: after the time that the
 * server asks for (Retry-After), else after a back-off that doubles, each with a
 * jitter drawn from the seed.  When the tries are used up, next() fails with a
 * sentence that names the address and the remedy; nothing that has to do with
 * the server's health ever becomes an answer, so that what a run writes does not
 * depend on it.  A request that the server refuses for what it is (400, 413,
 * 422: too long, say) is an answer: one with a reason.
 */
#ifndef WINNOW_REMOTE_COMPLETION_CLIENT_H
#define WINNOW_REMOTE_COMPLETION_CLIENT_H

#include "base/env.h"
#include "remote/completion.h"

struct completion_client_options {
    const char *url;      /* "http://host:8000", ".../v1" or the whole address of the endpoint */
    int server;           /* enum completion_server */
    bool chat;            /* /chat/completions rather than /completions */
    bool scores;          /* what the model gives each token of a prompt of ids, no text */
    const char *model;    /* NULL: the first that /v1/models lists */
    const char *key;      /* sent as "Authorization: Bearer KEY"; NULL: none */
    const char *proxy;    /* NULL: none */
    uint32_t concurrency; /* requests under way */
    uint32_t window;      /* requests held; 0: four times concurrency */
    uint32_t retries;     /* further tries of a request */
    double seconds_max, connect_seconds_max;
    double backoff_seconds, backoff_seconds_max; /* first and longest pause between tries */
    size_t answer_bytes_max;                     /* of a response's body */
    uint64_t seed;                               /* of the jitter */
};
#define COMPLETION_CLIENT_OPTIONS_INIT                             \
    ((struct completion_client_options){.concurrency = 16,         \
                                        .retries = 8,              \
                                        .seconds_max = 600,        \
                                        .connect_seconds_max = 10, \
                                        .backoff_seconds = 0.5,    \
                                        .backoff_seconds_max = 30, \
                                        .answer_bytes_max = (size_t)4 << 20})

struct completion_answer {
    uint64_t number; /* of its request, from 0 */
    struct completion_text text;
    const char *refused; /* why the server would not answer; NULL: it did */
    const float *nll;    /* of prompts' scores: -ln p of the tokens that prompt_scores.h names */
    size_t nll_count;
    uint32_t tries;
};

/* What the client has seen so far. */
struct completion_counts {
    uint64_t answered, refused, cut;
    uint64_t retries;
    uint64_t prompt_tokens, answer_tokens;
};

struct completion_client;

/* Asks /v1/models where the server's kind or the model is not given.  Strings of
 * opt are copied. */
winnow_status completion_client_open(const struct completion_client_options *opt,
                                     const struct winnow_env *env, struct completion_client **out,
                                     struct winnow_error *err);
void completion_client_close(struct completion_client *c);

enum completion_server completion_client_server(const struct completion_client *c);
const char *completion_client_model(const struct completion_client *c);

/* How many tokens the model takes at once, as the server lists it; 0 where it does not, or was
 * not asked. */
uint64_t completion_client_context(const struct completion_client *c);

uint32_t completion_client_window(const struct completion_client *c);
bool completion_client_room(const struct completion_client *c);
uint32_t completion_client_pending(const struct completion_client *c);

/* Takes a request on (everything is copied) and starts it where there is a free
 * connection; there must be room. */
winnow_status completion_client_submit(struct completion_client *c,
                                       const struct completion_request *request,
                                       struct winnow_error *err);

/* Waits for the answer to the oldest request; one must be pending.  The answer
 * holds until the next call of any kind.  After a failure only close() may follow. */
winnow_status completion_client_next(struct completion_client *c, struct completion_answer *out,
                                     struct winnow_error *err);

const struct completion_counts *completion_client_counts(const struct completion_client *c);

/* Reads the key in a file: one line, white space around it taken away. */
winnow_status completion_key_read(const char *path, struct buf *out, struct winnow_error *err);

/* The same for a key that is known; where names where it came from. */
winnow_status completion_key_check(struct str key, const char *where, struct buf *out,
                                   struct winnow_error *err);

#endif /* WINNOW_REMOTE_COMPLETION_CLIENT_H */
