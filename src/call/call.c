/* call.c -- what the calls for one text share: bytes that are handed over, options, and
 * working memory for any number of threads.
 *
 * A caller from another language knows nothing of workers, so objects keep their scratch
 * in a stack behind a lock that is held for a few instructions: as many lie there as
 * threads have been inside at once. */
#include "base/mem.h"
#include "call/call_internal.h"
#include "option/corpus_options.h"
#include "option/option_json.h"

#include <string.h>

void winnow_bytes_free(struct winnow_bytes *b)
{
    mem_free(b->ptr);
    *b = (struct winnow_bytes){0};
}

struct winnow_bytes bytes_take(struct buf *b)
{
    (void)buf_cstr(b);
    struct winnow_bytes out = {b->ptr, b->len};
    *b = (struct buf){0};
    return out;
}

void spares_init(struct spares *s)
{
    *s = (struct spares){0};
    (void)pthread_mutex_init(&s->lock, NULL);
}

void *spares_take(struct spares *s)
{
    (void)pthread_mutex_lock(&s->lock);
    void *item = s->count > 0 ? s->items[--s->count] : NULL;
    (void)pthread_mutex_unlock(&s->lock);
    return item;
}

bool spares_give(struct spares *s, void *item)
{
    (void)pthread_mutex_lock(&s->lock);
    bool room = s->count < SPARES;
    if (room) {
        s->items[s->count++] = item;
    }
    (void)pthread_mutex_unlock(&s->lock);
    return room;
}

winnow_status call_options(const struct option_table *table, const char *json, void *values,
                           struct arena *keep, struct winnow_error *err)
{
    const struct option_set set = {table, values, NULL};
    memcpy(values, table->defaults, table->size);
    return option_read_json(&set, 1, str_of(json ? json : ""), keep, err);
}
