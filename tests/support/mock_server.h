/* mock_server.h -- an HTTP server on loopback that behaves as badly as a test wants.
 *
 * It listens on a port that the system chooses, answers each request as the
 * handler says, and is bounded: at most MOCK_CONNECTIONS at once, heads of 64 kB,
 * bodies of 16 MB.  The handler is called by one thread at a time. */
#ifndef WINNOW_TESTS_MOCK_SERVER_H
#define WINNOW_TESTS_MOCK_SERVER_H

#include "base/buf.h"

#define MOCK_CONNECTIONS 64

struct mock_request {
    uint32_t number; /* from 0, in the order of arrival */
    struct str head; /* request line and headers */
    struct str path; /* "/v1/completions" */
    struct str body;
};

struct mock_reply {
    int status;
    double delay;       /* seconds before the first byte */
    size_t cut;         /* hang up after so many bytes of the body; SIZE_MAX: all */
    bool hang_up;       /* without any answer */
    struct buf headers; /* further ones, each "Name: value\r\n" */
    struct buf body;
};

typedef void (*mock_handler)(void *ctx, const struct mock_request *request,
                             struct mock_reply *reply);

struct mock_server;
struct mock_server *mock_server_start(mock_handler handler, void *ctx);
void mock_server_stop(struct mock_server *s); /* cuts off what is under way */

uint16_t mock_server_port(const struct mock_server *s);
uint32_t mock_server_requests(struct mock_server *s);
uint32_t mock_server_peak(struct mock_server *s); /* most exchanges under way at once */

/* Appends the answer of a completion to the reply's body: as text for a path that
 * ends in /completions, as a message for /chat/completions. */
void mock_reply_text(const struct mock_request *request, struct mock_reply *reply, struct str text,
                     const char *finish);

#endif /* WINNOW_TESTS_MOCK_SERVER_H */
