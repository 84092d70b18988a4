/* ranks.c -- meetings of ranks over a transport: every one begins with ranks_agree(), so a rank
 * that failed meets the others wherever they are. */
#include "base/mem.h"
#include "ranks/ranks_internal.h"

#include <string.h>

#define SUM_CHUNK  ((size_t)1 << 13) /* values in one go */
#define CAST_BYTES ((size_t)64 << 20)

struct winnow_ranks {
    struct ranks_transport to;
    uint64_t sent;
    bool called;          /* another rank has failed; it says how at the next meeting */
    winnow_status failed; /* what that meeting came to */
    struct winnow_error why;
};

struct winnow_ranks *ranks_new(const struct ranks_transport *transport)
{
    struct winnow_ranks *r = mem_zalloc(sizeof *r);
    r->to = *transport;
    return r;
}

void ranks_free(struct winnow_ranks *r)
{
    if (r) {
        r->to.leave(r->to.ctx);
        mem_free(r);
    }
}

uint32_t ranks_rank(const struct winnow_ranks *r)
{
    return r ? r->to.rank : 0;
}

uint32_t ranks_count(const struct winnow_ranks *r)
{
    return r ? r->to.count : 1;
}

uint32_t ranks_beside(const struct winnow_ranks *r)
{
    return r ? r->to.beside : 1;
}

bool ranks_lead(const struct winnow_ranks *r)
{
    return ranks_rank(r) == 0;
}

uint64_t ranks_sent(const struct winnow_ranks *r)
{
    return r ? r->sent : 0;
}

uint32_t ranks_owner(const struct winnow_ranks *r, uint64_t key)
{
    return (uint32_t)(((key >> 32) * ranks_count(r)) >> 32);
}

winnow_status ranks_check(struct winnow_ranks *r, struct winnow_error *err)
{
    if (!r) {
        return WINNOW_OK;
    }
    r->called = r->called || r->failed != WINNOW_OK || r->to.called(r->to.ctx);
    return r->called ? error_set(err, WINNOW_E_CANCELLED, "another rank has failed") : WINNOW_OK;
}

/* The system of messages failed: nobody can be met any more. */
static winnow_status broken(struct winnow_ranks *r, struct winnow_error *err)
{
    r->failed = error_set(&r->why, WINNOW_E_IO, "the ranks of this run lost touch with each other");
    *err = r->why;
    return r->failed;
}

static winnow_status all(struct winnow_ranks *r, const void *mine, void *every, size_t bytes,
                         struct winnow_error *err)
{
    r->sent += bytes * (r->to.count - 1);
    return r->to.all(r->to.ctx, mine, every, bytes) == 0 ? WINNOW_OK : broken(r, err);
}

/* Whose failure is told: one that is no interruption before one that is, the first of those. */
static uint32_t choose(const uint8_t *every, uint32_t count)
{
    uint32_t chosen = count;
    for (uint32_t i = count; i-- > 0;) {
        bool interrupted = every[i] == WINNOW_E_CANCELLED;
        bool worse = chosen < count && every[chosen] != WINNOW_E_CANCELLED;
        chosen = every[i] != WINNOW_OK && !(interrupted && worse) ? i : chosen;
    }
    return chosen;
}

static winnow_status tell_failure(struct winnow_ranks *r, uint32_t who, const uint8_t *every,
                                  const struct winnow_error *mine, struct winnow_error *err)
{
    struct winnow_error *texts = mem_zalloc(r->to.count * sizeof *texts);
    winnow_status st = all(r, mine, texts, sizeof *texts, err);
    if (st == WINNOW_OK) {
        r->why = texts[who];
        r->failed = (winnow_status)every[who];
        st = who > 0 ? error_wrap(&r->why, r->failed, "rank %u", who) : r->failed;
        *err = r->why;
    }
    mem_free(texts);
    return st;
}

winnow_status ranks_agree(struct winnow_ranks *r, winnow_status mine, struct winnow_error *err)
{
    if (!r) {
        return mine;
    }
    if (r->failed != WINNOW_OK) {
        *err = r->why;
        return r->failed;
    }
    const uint8_t told = r->called ? WINNOW_E_CANCELLED : (uint8_t)mine;
    uint8_t *every = mem_zalloc(r->to.count);
    if (mine != WINNOW_OK && !r->called) {
        r->to.call(r->to.ctx);
    }
    winnow_status st = all(r, &told, every, 1, err);
    uint32_t who = st == WINNOW_OK ? choose(every, r->to.count) : r->to.count;
    if (who < r->to.count) {
        const struct winnow_error none = {{0}};
        st = tell_failure(r, who, every, mine == WINNOW_OK ? &none : err, err);
    }
    mem_free(every);
    return st;
}

winnow_status ranks_cast(struct winnow_ranks *r, struct buf *bytes, struct winnow_error *err)
{
    if (!r) {
        return WINNOW_OK;
    }
    uint64_t len = bytes->len;
    TRY(ranks_agree(r, WINNOW_OK, err));
    if (r->to.cast(r->to.ctx, &len, sizeof len) != 0) {
        return broken(r, err);
    }
    if (!ranks_lead(r)) {
        buf_clear(bytes);
        (void)buf_reserve(bytes, (size_t)len);
        bytes->len = (size_t)len;
    } else {
        r->sent += len * (r->to.count - 1);
    }
    for (size_t at = 0; at < bytes->len; at += CAST_BYTES) {
        size_t n = bytes->len - at < CAST_BYTES ? bytes->len - at : CAST_BYTES;
        if (r->to.cast(r->to.ctx, bytes->ptr + at, n) != 0) {
            return broken(r, err);
        }
    }
    return WINNOW_OK;
}

winnow_status ranks_swap(struct winnow_ranks *r, const struct buf *out, const size_t *out_bytes,
                         struct buf *in, size_t *in_bytes, struct winnow_error *err)
{
    uint32_t count = r->to.count;
    size_t *every = mem_zalloc((size_t)count * count * sizeof *every);
    winnow_status st = all(r, out_bytes, every, count * sizeof *every, err);
    size_t sum = 0;
    for (uint32_t i = 0; st == WINNOW_OK && i < count; i++) {
        in_bytes[i] = every[(size_t)i * count + r->to.rank];
        sum += in_bytes[i];
    }
    mem_free(every);
    TRY(st);
    buf_clear(in);
    (void)buf_reserve(in, sum + 1);
    in->len = sum;
    r->sent += out->len - out_bytes[r->to.rank];
    return r->to.swap(r->to.ctx, out->ptr, out_bytes, in->ptr, in_bytes) == 0 ? WINNOW_OK
                                                                              : broken(r, err);
}

winnow_status ranks_gather(struct winnow_ranks *r, struct str mine, struct buf *all_bytes,
                           size_t *lens, struct winnow_error *err)
{
    buf_clear(all_bytes);
    if (!r) {
        buf_add_str(all_bytes, mine);
        if (lens) {
            lens[0] = mine.len;
        }
        return WINNOW_OK;
    }
    TRY(ranks_agree(r,
                    mine.len <= RANKS_ROUND_MAX / r->to.count
                        ? WINNOW_OK
                        : error_set(err, WINNOW_E_LIMIT,
                                    "%zu bytes of one rank are more than all can be told",
                                    mine.len),
                    err));
    size_t *out_bytes = mem_alloc(r->to.count * sizeof *out_bytes);
    size_t *in_bytes = mem_alloc(r->to.count * sizeof *in_bytes);
    struct buf out = {0};
    for (uint32_t i = 0; i < r->to.count; i++) {
        buf_add_str(&out, mine);
        out_bytes[i] = mine.len;
    }
    winnow_status st = ranks_swap(r, &out, out_bytes, all_bytes, in_bytes, err);
    if (lens) {
        memcpy(lens, in_bytes, r->to.count * sizeof *lens);
    }
    buf_release(&out);
    mem_free(out_bytes);
    mem_free(in_bytes);
    return st;
}

/* Eight bytes a value, of one kind or the other. */
static winnow_status sum(struct winnow_ranks *r, void *values, size_t count, bool doubles,
                         struct winnow_error *err)
{
    if (!r) {
        return WINNOW_OK;
    }
    TRY(ranks_agree(r, WINNOW_OK, err));
    size_t most = count < SUM_CHUNK ? count : SUM_CHUNK;
    char *every = mem_alloc(r->to.count * most * 8 + 1), *at = values;
    winnow_status st = WINNOW_OK;
    for (size_t from = 0; from < count && st == WINNOW_OK; from += most) {
        size_t n = count - from < most ? count - from : most;
        st = all(r, at + from * 8, every, n * 8, err);
        for (size_t i = 0; i < n && st == WINNOW_OK; i++) {
            uint64_t whole = 0, w;
            double real = 0, d;
            for (uint32_t k = 0; k < r->to.count; k++) {
                const char *of = every + (k * n + i) * 8;
                memcpy(&w, of, 8);
                memcpy(&d, of, 8);
                whole += w;
                real += doubles ? d : 0;
            }
            memcpy(at + (from + i) * 8, doubles ? (const void *)&real : (const void *)&whole, 8);
        }
    }
    mem_free(every);
    return st;
}

winnow_status ranks_sum(struct winnow_ranks *r, uint64_t *values, size_t count,
                        struct winnow_error *err)
{
    return sum(r, values, count, false, err);
}

winnow_status ranks_sum_doubles(struct winnow_ranks *r, double *values, size_t count,
                                struct winnow_error *err)
{
    return sum(r, values, count, true, err);
}
