/* ask.h -- a request with its authorization, redirects and patience. */
#ifndef WINNOW_STORAGE_ASK_H
#define WINNOW_STORAGE_ASK_H

#include "storage/storage.h"
#include "storage/web.h"

#include <pthread.h>

#define WEBS_KEPT 16U

struct storage {
    struct storage_settings settings;
    const struct winnow_env *env;
    pthread_mutex_t lock;        /* of what follows */
    struct web *webs[WEBS_KEPT]; /* that nobody uses now, with their connections */
    size_t web_count;
};

/* One that is idle, or a new one; and back. */
winnow_status storage_take_web(const struct storage *s, struct web **out, struct winnow_error *err);
void storage_give_web(const struct storage *s, struct web *w);

struct ask {
    const char *method, *url;
    const char *shown; /* what sentences call it */
    bool range;        /* only bytes from..to, to being the last one; UINT64_MAX: to the end */
    uint64_t from, to;
    bool s3;     /* signed, where there are keys; redirects are answers */
    bool linked; /* a redirect that says what is behind it is an answer */
};

/* Whether it is an address of the hub, where its token may go. */
bool ask_is_of_hub(const struct storage *s, const char *url);

/* Sends it until something answers that trying again would not change, which web_answer()
 * then is, whatever its status.  WINNOW_E_IO: a sentence. */
winnow_status ask_send(struct web *w, const struct storage *s, const struct ask *a,
                       struct winnow_error *err);

/* The whole body, of at most max bytes, of what answers with 200. */
winnow_status ask_whole(struct web *w, const struct storage *s, const struct ask *a, size_t max,
                        struct buf *body, struct winnow_error *err);

/* Sends it once: fails where it is forbidden only, since all else may be otherwise later. */
winnow_status ask_permission(struct web *w, const struct storage *s, const struct ask *a,
                             struct winnow_error *err);

/* Says why a status is no success: WINNOW_E_IO. */
winnow_status ask_refuse(struct web *w, const struct storage *s, const struct ask *a,
                         struct winnow_error *err);

/* Waits before try number n (from 1) of what failed: longer each time, or as the server asked. */
winnow_status ask_wait(const struct storage *s, uint32_t n, double retry_after,
                       struct winnow_error *err);

#endif /* WINNOW_STORAGE_ASK_H */
