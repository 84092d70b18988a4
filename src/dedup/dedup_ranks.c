/* dedup_ranks.c -- who was first, over ranks: two exchanges by the key of the hash.
 *
 *     own documents ─► sorted by hash ─► the first of each, to the owner of the hash
 *     owner: sorted by hash and ordinal ─► the first of all, to the ranks that come later
 */
#include "dedup/dedup_ranks.h"

#include "base/file.h"
#include "base/mem.h"
#include "base/record_sort.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#define TAIL_BYTES  ((size_t)1 << 20)
#define RANK_SHIFT  48 /* of a record's last word: the rank, and where its text lies */
#define OFFSET_MASK (((uint64_t)1 << RANK_SHIFT) - 1)
#define SORT_MEMORY ((uint64_t)256 << 20)

/* Texts behind each other in an unlinked file, each behind its length. */
struct texts {
    int fd; /* 0: not open */
    uint64_t end;
    struct buf tail, one;
};

struct group {
    struct hash128 h;
    uint64_t count, ordinal, at;
};

struct dedup_ranks {
    struct winnow_ranks *ranks;
    const char *folder;
    uint64_t memory;
    struct record_sort *mine, *theirs;
    struct texts ids, told, firsts; /* of own documents; as others told them; of other ranks */
    struct buf message, largest_id;
    uint64_t largest, largest_ordinal;
    /* While groups are walked. */
    struct record_sort *walked;
    uint64_t ahead[4];
    bool has_ahead;
    struct hash128 first_of; /* the owner's answers: hash, */
    struct buf first;        /* and id of the first of the group */
    uint64_t first_rank, group_count, group_ordinal;
    bool in_group;
};

/* ---- texts ---- */

static winnow_status texts_open(struct texts *t, const char *folder, struct winnow_error *err)
{
    struct buf path = {0};
    winnow_status st = WINNOW_OK;
    (void)file_join(&path, folder, "texts-XXXXXX.tmp");
    t->fd = mkostemps(path.ptr, 4, O_CLOEXEC);
    if (t->fd < 0 || unlink(path.ptr) != 0) {
        st = error_errno(err, "cannot create", path.ptr);
    }
    buf_release(&path);
    return st;
}

static void texts_close(struct texts *t)
{
    if (t->fd > 0) {
        (void)close(t->fd);
    }
    buf_release(&t->tail);
    buf_release(&t->one);
}

static winnow_status texts_flush(struct texts *t, struct winnow_error *err)
{
    TRY(file_write_fd(t->fd, buf_str(&t->tail), "the file of ids", err));
    t->end += t->tail.len;
    buf_clear(&t->tail);
    return WINNOW_OK;
}

static winnow_status texts_add(struct texts *t, struct str text, uint64_t *at,
                               struct winnow_error *err)
{
    uint32_t len = (uint32_t)text.len;
    *at = t->end + t->tail.len;
    buf_add(&t->tail, &len, sizeof len);
    buf_add_str(&t->tail, text);
    return t->tail.len > TAIL_BYTES ? texts_flush(t, err) : WINNOW_OK;
}

static winnow_status read_at(const struct texts *t, uint64_t at, char *to, size_t len,
                             struct winnow_error *err)
{
    return file_read_at(t->fd, at, to, len, "the file of ids", err);
}

/* Behind texts_flush(); holds until the next call. */
static winnow_status texts_get(struct texts *t, uint64_t at, struct str *text,
                               struct winnow_error *err)
{
    uint32_t len = 0;
    char head[sizeof len];
    TRY(read_at(t, at, head, sizeof head, err));
    memcpy(&len, head, sizeof len);
    buf_clear(&t->one);
    (void)buf_reserve(&t->one, (size_t)len + 1);
    TRY(read_at(t, at + sizeof head, t->one.ptr, len, err));
    t->one.len = len;
    *text = buf_str(&t->one);
    return WINNOW_OK;
}

/* ---- own documents ---- */

winnow_status dedup_ranks_new(struct dedup_ranks **out, struct winnow_ranks *ranks,
                              const char *folder, uint64_t memory, struct winnow_error *err)
{
    struct dedup_ranks *d = mem_zalloc(sizeof *d);
    *out = d;
    d->ranks = ranks;
    d->folder = folder;
    d->memory = memory == 0 ? SORT_MEMORY : memory / 2;
    d->memory = d->memory < RECORD_MEMORY_LEAST ? RECORD_MEMORY_LEAST : d->memory;
    TRY(texts_open(&d->ids, folder, err));
    TRY(texts_open(&d->told, folder, err));
    TRY(texts_open(&d->firsts, folder, err));
    TRY(record_sort_new(&d->mine, 4, d->memory, folder, err));
    return record_sort_new(&d->theirs, 4, d->memory, folder, err);
}

void dedup_ranks_free(struct dedup_ranks *d)
{
    if (d) {
        record_sort_free(d->mine);
        record_sort_free(d->theirs);
        texts_close(&d->ids);
        texts_close(&d->told);
        texts_close(&d->firsts);
        buf_release(&d->message);
        buf_release(&d->largest_id);
        buf_release(&d->first);
        mem_free(d);
    }
}

winnow_status dedup_ranks_add(struct dedup_ranks *d, struct hash128 h, uint64_t ordinal,
                              struct str id, struct winnow_error *err)
{
    uint64_t record[4] = {h.high, h.low, ordinal, 0};
    TRY(texts_add(&d->ids, id, &record[3], err));
    return record_sort_add(d->mine, record, 1, err);
}

static winnow_status look_ahead(struct dedup_ranks *d, struct winnow_error *err)
{
    const uint64_t *record = NULL;
    TRY(record_sort_next(d->walked, &record, err));
    d->has_ahead = record != NULL;
    if (record) {
        memcpy(d->ahead, record, sizeof d->ahead);
    }
    return WINNOW_OK;
}

static winnow_status start_walk(struct dedup_ranks *d, struct record_sort *sort,
                                struct texts *texts, struct winnow_error *err)
{
    TRY(texts_flush(texts, err));
    TRY(record_sort_finish(sort, err));
    d->walked = sort;
    return look_ahead(d, err);
}

/* ---- to the owners ---- */

/* The first of a hash: {hash, ordinal, documents here} and its id. */
static winnow_status next_first(void *ctx, uint32_t *to, struct str *message, bool *more,
                                struct winnow_error *err)
{
    struct dedup_ranks *d = ctx;
    struct str id;
    *more = d->has_ahead;
    if (!d->has_ahead) {
        return WINNOW_OK;
    }
    uint64_t head[4] = {d->ahead[0], d->ahead[1], d->ahead[2], 0};
    TRY(texts_get(&d->ids, d->ahead[3], &id, err));
    while (d->has_ahead && d->ahead[0] == head[0] && d->ahead[1] == head[1]) {
        head[3]++;
        TRY(look_ahead(d, err));
    }
    buf_clear(&d->message);
    buf_add(&d->message, head, sizeof head);
    buf_add_str(&d->message, id);
    *to = ranks_owner(d->ranks, head[0]);
    *message = buf_str(&d->message);
    return WINNOW_OK;
}

/* The owner keeps {hash, ordinal, rank and place}, and there the count and the id. */
static winnow_status take_first(void *ctx, uint32_t from, struct str message,
                                struct winnow_error *err)
{
    struct dedup_ranks *d = ctx;
    uint64_t record[4], at = 0;
    memcpy(record, message.ptr, sizeof record);
    TRY(texts_add(&d->told, str_sub(message, 3 * sizeof *record, message.len), &at, err));
    record[3] = (uint64_t)from << RANK_SHIFT | at;
    return record_sort_add(d->theirs, record, 1, err);
}

/* ---- and back ---- */

static void end_group(struct dedup_ranks *d)
{
    bool more = d->group_count > d->largest ||
                (d->group_count == d->largest && d->group_ordinal < d->largest_ordinal);
    if (d->in_group && d->group_count > 1 && more) {
        d->largest = d->group_count;
        d->largest_ordinal = d->group_ordinal;
        buf_clear(&d->largest_id);
        buf_add_str(&d->largest_id, buf_str(&d->first));
    }
    d->in_group = false;
}

/* To a rank that has documents of the hash, but not the first: {hash} and the first's id. */
static winnow_status next_answer(void *ctx, uint32_t *to, struct str *message, bool *more,
                                 struct winnow_error *err)
{
    struct dedup_ranks *d = ctx;
    while (d->has_ahead) {
        uint64_t r[4], count;
        struct str told;
        memcpy(r, d->ahead, sizeof r);
        TRY(look_ahead(d, err));
        TRY(texts_get(&d->told, r[3] & OFFSET_MASK, &told, err));
        memcpy(&count, told.ptr, sizeof count);
        bool same = d->in_group && d->first_of.high == r[0] && d->first_of.low == r[1];
        if (!same) {
            end_group(d);
            d->in_group = true;
            d->first_of = (struct hash128){.high = r[0], .low = r[1]};
            d->group_count = count;
            d->group_ordinal = r[2];
            buf_clear(&d->first);
            buf_add_str(&d->first, str_sub(told, sizeof count, told.len));
            continue;
        }
        d->group_count += count;
        buf_clear(&d->message);
        buf_add(&d->message, r, 2 * sizeof *r);
        buf_add_str(&d->message, buf_str(&d->first));
        *to = (uint32_t)(r[3] >> RANK_SHIFT);
        *message = buf_str(&d->message);
        *more = true;
        return WINNOW_OK;
    }
    end_group(d);
    *more = false;
    return WINNOW_OK;
}

static winnow_status take_answer(void *ctx, uint32_t from, struct str message,
                                 struct winnow_error *err)
{
    struct dedup_ranks *d = ctx;
    uint64_t at;
    (void)from;
    return texts_add(&d->firsts, message, &at, err);
}

/* The largest of all owners. */
static winnow_status share_largest(struct dedup_ranks *d, struct winnow_error *err)
{
    size_t *lens = mem_zalloc(ranks_count(d->ranks) * sizeof *lens);
    struct buf mine = {0}, all = {0};
    buf_add(&mine, &d->largest, sizeof d->largest);
    buf_add(&mine, &d->largest_ordinal, sizeof d->largest_ordinal);
    buf_add_str(&mine, buf_str(&d->largest_id));
    winnow_status st = ranks_gather(d->ranks, buf_str(&mine), &all, lens, err);
    const char *at = all.ptr;
    for (uint32_t i = 0; i < ranks_count(d->ranks) && st == WINNOW_OK; i++) {
        uint64_t n[2];
        memcpy(n, at, sizeof n);
        if (n[0] > d->largest || (n[0] == d->largest && n[1] < d->largest_ordinal)) {
            d->largest = n[0];
            d->largest_ordinal = n[1];
            buf_clear(&d->largest_id);
            buf_add(&d->largest_id, at + sizeof n, lens[i] - sizeof n);
        }
        at += lens[i];
    }
    buf_release(&mine);
    buf_release(&all);
    mem_free(lens);
    return st;
}

winnow_status dedup_ranks_settle(struct dedup_ranks *d, struct winnow_error *err)
{
    const struct ranks_exchange firsts = {.ctx = d, .next = next_first, .take = take_first};
    const struct ranks_exchange answers = {.ctx = d, .next = next_answer, .take = take_answer};
    TRY(start_walk(d, d->mine, &d->ids, err));
    TRY(ranks_exchange(d->ranks, &firsts, err));
    record_sort_free(d->mine);
    d->mine = NULL;
    TRY(start_walk(d, d->theirs, &d->told, err));
    TRY(ranks_exchange(d->ranks, &answers, err));
    record_sort_free(d->theirs);
    d->theirs = NULL;
    TRY(texts_flush(&d->firsts, err));
    return share_largest(d, err);
}

winnow_status dedup_ranks_each(struct dedup_ranks *d,
                               winnow_status (*take)(void *ctx, struct hash128 h, struct str first,
                                                     struct winnow_error *err),
                               void *ctx, struct winnow_error *err)
{
    for (uint64_t at = 0; at < d->firsts.end;) {
        uint64_t hash[2];
        struct str message;
        TRY(texts_get(&d->firsts, at, &message, err));
        at += sizeof(uint32_t) + message.len;
        memcpy(hash, message.ptr, sizeof hash);
        TRY(take(ctx, (struct hash128){.high = hash[0], .low = hash[1]},
                 str_sub(message, sizeof hash, message.len), err));
    }
    return WINNOW_OK;
}

uint64_t dedup_ranks_largest(const struct dedup_ranks *d, struct str *first)
{
    *first = d->largest > 0 ? buf_str(&d->largest_id) : (struct str){NULL, 0};
    return d->largest;
}
