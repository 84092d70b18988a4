/* web.h -- one HTTP exchange at a time, its answer read as it comes.
 *
 * Unlike remote/transport.h, which holds whole answers of many servers, this holds a window of
 * one: what is not taken waits in the network (the exchange is paused).  Redirects are the
 * caller's.  A web belongs to one thread; its connections are kept alive between exchanges. */
#ifndef WINNOW_STORAGE_WEB_H
#define WINNOW_STORAGE_WEB_H

#include "storage/settings.h"

struct web_request {
    const char *method, *url;
    const char *const *headers; /* "name: value"; NULL behind the last */
    struct str body;            /* of PUT and POST; lives until the exchange ends */
    bool proxied_plain;         /* http: its proxy is another one */
};

struct web_answer {
    int status;  /* 0: none came */
    bool failed; /* before its end: reason says why; else it came whole, or is still coming */
    bool hopeless;
    const char *reason;        /* static */
    bool odd_name, odd_speech; /* why: no such host; TLS with what speaks none, perhaps */
    double retry_after;        /* seconds; < 0: none given */
    bool has_length, has_range;
    uint64_t length;      /* of the body, as it was announced */
    uint64_t from, total; /* of Content-Range; total UINT64_MAX: unknown */
    /* Headers; "" where they are not there. */
    struct buf etag, modified, location, next; /* next: of Link, rel="next" */
    struct buf region, linked_etag, linked_size, commit;
};

struct web;

winnow_status web_open(struct web **out, const struct storage_settings *settings,
                       const struct winnow_env *env, struct winnow_error *err);
void web_close(struct web *w);

/* Ends what is under way; a connection whose answer was taken whole stays. */
void web_stop(struct web *w);

/* Ends what is under way, sends, and waits for the answer's headers.  Fails when asked to
 * stop only: all else is in the answer. */
winnow_status web_send(struct web *w, const struct web_request *r, struct winnow_error *err);
const struct web_answer *web_answer(const struct web *w);

/* The next bytes of the body; *got is 0 at its end, and where the exchange failed. */
winnow_status web_read(struct web *w, char *to, size_t room, size_t *got, struct winnow_error *err);

/* Sleeps, but for being asked to stop. */
winnow_status web_pause(const struct winnow_env *env, double seconds, struct winnow_error *err);

/* Takes in a line of an answer's head ("ETag: ..."), as web_send() does. */
void web_take_header(struct web_answer *a, struct str line, double now);

/* Of at most 18 digits and nothing else. */
bool web_number(struct str s, uint64_t *out);
void web_answer_release(struct web_answer *a);

#endif /* WINNOW_STORAGE_WEB_H */
