/* exchange.c -- messages to the ranks that their keys belong to, in rounds of bounded size: each
 * rank fills its letters until they are full or it has no more, then all meet and swap. */
#include "base/mem.h"
#include "ranks/ranks_internal.h"

#include <string.h>

#define ROUND_BYTES ((size_t)16 << 20)

struct letters {
    const struct ranks_exchange *how;
    struct buf *to; /* of each rank: lengths and messages */
    struct buf out, in;
    size_t *out_bytes, *in_bytes;
    size_t held;
    bool ended;
};

static winnow_status alone(const struct ranks_exchange *how, struct winnow_error *err)
{
    for (;;) {
        uint32_t to;
        struct str message;
        bool more = false;
        TRY(how->next(how->ctx, &to, &message, &more, err));
        if (!more) {
            return WINNOW_OK;
        }
        TRY(how->take(how->ctx, 0, message, err));
    }
}

static winnow_status fill(struct letters *l, uint32_t count, struct winnow_error *err)
{
    size_t most = l->how->round_bytes > 0 ? l->how->round_bytes : ROUND_BYTES;
    while (!l->ended && l->held < most) {
        uint32_t to = 0;
        struct str message = {NULL, 0};
        bool more = false;
        TRY(l->how->next(l->how->ctx, &to, &message, &more, err));
        if (!more) {
            l->ended = true;
            break;
        }
        if (to >= count || message.len > RANKS_ROUND_MAX / 4) {
            return error_set(err, WINNOW_E_INTERNAL, "a message of %zu bytes for rank %u",
                             message.len, to);
        }
        uint32_t len = (uint32_t)message.len;
        buf_add(&l->to[to], &len, sizeof len);
        buf_add_str(&l->to[to], message);
        l->held += sizeof len + message.len;
    }
    return WINNOW_OK;
}

static winnow_status take(struct letters *l, uint32_t count, struct winnow_error *err)
{
    const char *at = l->in.ptr;
    for (uint32_t from = 0; from < count; from++) {
        const char *end = at + l->in_bytes[from];
        while (at < end) {
            uint32_t len;
            memcpy(&len, at, sizeof len);
            at += sizeof len;
            TRY(l->how->take(l->how->ctx, from, (struct str){at, len}, err));
            at += len;
        }
    }
    return WINNOW_OK;
}

/* *again: somebody has more. */
static winnow_status turn(struct winnow_ranks *r, struct letters *l, bool *again,
                          struct winnow_error *err)
{
    uint32_t count = ranks_count(r);
    uint64_t going_on;
    winnow_status st = fill(l, count, err);
    TRY(ranks_agree(r, st, err));
    buf_clear(&l->out);
    for (uint32_t i = 0; i < count; i++) {
        buf_add_str(&l->out, buf_str(&l->to[i]));
        l->out_bytes[i] = l->to[i].len;
        buf_clear(&l->to[i]);
    }
    l->held = 0;
    TRY(ranks_swap(r, &l->out, l->out_bytes, &l->in, l->in_bytes, err));
    st = take(l, count, err);
    going_on = !l->ended;
    TRY(ranks_agree(r, st, err));
    TRY(ranks_sum(r, &going_on, 1, err));
    *again = going_on > 0;
    return WINNOW_OK;
}

winnow_status ranks_exchange(struct winnow_ranks *r, const struct ranks_exchange *how,
                             struct winnow_error *err)
{
    if (!r) {
        return alone(how, err);
    }
    uint32_t count = ranks_count(r);
    struct letters l = {.how = how,
                        .to = mem_zalloc(count * sizeof *l.to),
                        .out_bytes = mem_zalloc(count * sizeof *l.out_bytes),
                        .in_bytes = mem_zalloc(count * sizeof *l.in_bytes)};
    winnow_status st = WINNOW_OK;
    for (bool again = true; again && st == WINNOW_OK;) {
        st = turn(r, &l, &again, err);
    }
    for (uint32_t i = 0; i < count; i++) {
        buf_release(&l.to[i]);
    }
    buf_release(&l.out);
    buf_release(&l.in);
    mem_free(l.to);
    mem_free(l.out_bytes);
    mem_free(l.in_bytes);
    return st;
}
