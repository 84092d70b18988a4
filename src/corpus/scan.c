/* scan.c -- rounds of as many blocks as there are threads, twice over: read by
 * one, parsed by all, joined by one. */
#include "corpus/scan.h"

#include "base/env.h"
#include "base/mem.h"
#include "corpus/shard_reader.h"

#define SLOT_BYTES  ((size_t)12 << 20) /* a block of 4 MB, parsed and encoded */
#define LONG_BLOCK  ((size_t)8 << 20)
#define BLOCK_BYTES ((size_t)5 << 20) /* of it, what stays when the block is through */
#define LINE_FACTOR 8U /* of a byte of a long line: raw, parsed, encoded, what is kept of it */

/* ---- blocks in order, over all shards ---- */

struct blocks {
    const struct shard_list *shards;
    size_t next; /* shard to open */
    struct shard_reader *reader;
    struct line_budget budget;
    size_t held; /* blocks of the round so far: a long line has none beside it */
};

/* A long line is parsed and encoded alone. */
static bool may_hold(void *ctx, size_t bytes)
{
    (void)bytes;
    return ((const struct blocks *)ctx)->held == 0;
}

static struct line_budget line_budget(uint64_t limit, uint64_t rest)
{
    return (struct line_budget){limit, limit > 0 ? mem_resident() + rest : 0, LINE_FACTOR,
                                "leave such lines out of the input"};
}

static winnow_status blocks_next(struct blocks *b, struct shard_block *block, bool *more,
                                 struct winnow_error *err)
{
    for (;;) {
        if (!b->reader) {
            if (b->next == b->shards->count) {
                *more = false;
                return WINNOW_OK;
            }
            const struct shard *s = &b->shards->items[b->next++];
            struct shard_reader_options opt = SHARD_READER_OPTIONS_INIT;
            opt.stamp = &s->stamp;
            opt.keep_going = true;
            opt.budget = b->budget;
            opt.window_max = b->budget.limit / 4;
            if (b->budget.limit > 0) {
                opt.may_hold = may_hold;
                opt.may_hold_ctx = b;
            }
            TRY(shard_reader_open(&b->reader, s->path, s->name, &opt, err));
        }
        TRY(shard_reader_next(b->reader, block, more, err));
        if (*more || block->waits) {
            return WINNOW_OK;
        }
        shard_reader_close(b->reader);
        b->reader = NULL;
    }
}

static void blocks_close(struct blocks *b)
{
    if (b->reader) {
        shard_reader_close(b->reader);
        b->reader = NULL;
    }
}

/* ---- pushed ---- */

struct slot {
    struct shard_block block;
    void *piece;
    winnow_status status;
    struct winnow_error err;
    struct scan_counts counts;
    struct input_account account;
};

struct scan {
    struct input_account *account;
    const struct scan_ops *ops;
    const struct document_keys *keys;
    uint32_t threads;
    struct block_parser **parsers; /* one a thread */
    struct slot *slots;
    size_t slot_count;
};

static winnow_status parse_block(struct scan *s, struct slot *slot, uint32_t worker)
{
    struct block_parser *p = s->parsers[worker];
    block_parser_start(p, &slot->block);
    for (;;) {
        struct parsed item;
        TRY(block_parser_next(p, &item, &slot->err));
        if (item.kind == PARSED_END) {
            return WINNOW_OK;
        }
        if (item.kind == PARSED_BAD) {
            slot->counts.bad += !item.bad.torn;
            account_bad(&slot->account, slot->block.shard, &item.bad);
            continue;
        }
        slot->counts.documents++;
        TRY(s->ops->document(s->ops->ctx, slot->piece, &item.document, slot->block.shard,
                             &slot->err));
    }
}

static void work(void *ctx, size_t piece, uint32_t worker)
{
    struct scan *s = ctx;
    struct slot *slot = &s->slots[piece];
    slot->counts = (struct scan_counts){0};
    slot->piece = s->ops->new_piece(s->ops->ctx, worker);
    slot->status = parse_block(s, slot, worker);
}

static winnow_status join_round(struct scan *s, size_t n, struct scan_counts *counts, bool *stop,
                                struct winnow_error *err)
{
    winnow_status st = WINNOW_OK;
    for (size_t i = 0; i < n; i++) {
        struct slot *slot = &s->slots[i];
        if (st == WINNOW_OK && slot->status != WINNOW_OK) {
            st = slot->status;
            *err = slot->err;
        }
        if (st != WINNOW_OK || *stop) {
            s->ops->free_piece(s->ops->ctx, slot->piece);
            continue;
        }
        counts->documents += slot->counts.documents;
        counts->bad += slot->counts.bad;
        slot->account.documents = slot->counts.documents;
        account_add(s->account, &slot->account);
        account_release(&slot->account);
        st = s->ops->join(s->ops->ctx, slot->piece, stop, err);
    }
    return st;
}

/* Buffers that a long line has grown would be kept for short ones. */
static void trim(struct scan *s, size_t n)
{
    bool large = false;
    for (size_t i = 0; i < n; i++) {
        if (s->slots[i].block.bytes.cap > LONG_BLOCK) {
            shard_block_release(&s->slots[i].block);
            large = true;
        }
    }
    for (uint32_t i = 0; large && i < s->threads; i++) {
        block_parser_free(s->parsers[i]);
        s->parsers[i] = block_parser_new(s->keys);
    }
}

static winnow_status run_rounds(struct scan *s, struct blocks *blocks, struct pool *pool,
                                const struct winnow_env *env, struct scan_counts *counts,
                                struct winnow_error *err)
{
    bool more = true, stop = false;
    while (more && !stop) {
        TRY(env_check(env, err));
        size_t n = 0;
        bool waits = false;
        while (n < s->slot_count && more && !waits) {
            blocks->held = n;
            TRY(blocks_next(blocks, &s->slots[n].block, &more, err));
            waits = s->slots[n].block.waits;
            more = more || waits;
            n += more && !waits;
        }
        pool_run(pool, n, work, s);
        TRY(join_round(s, n, counts, &stop, err));
        if (env->memory_max > 0) {
            trim(s, n);
        }
    }
    return WINNOW_OK;
}

winnow_status scan_documents(const struct shard_list *shards, const struct document_keys *keys,
                             struct pool *pool, const struct winnow_env *env,
                             const struct scan_ops *ops, struct scan_counts *counts,
                             struct winnow_error *err)
{
    *counts = (struct scan_counts){0};
    uint32_t threads = pool_threads(pool);
    struct scan s = {.account = shards->account,
                     .ops = ops,
                     .slot_count = (size_t)2 * threads,
                     .keys = keys,
                     .threads = threads};
    if (env->memory_max > 0) {
        uint64_t most = env->memory_max / 4 / SLOT_BYTES;
        s.slot_count = most < 1 ? 1 : most < s.slot_count ? (size_t)most : s.slot_count;
    }
    s.parsers = mem_zalloc(threads * sizeof(struct block_parser *));
    s.slots = mem_zalloc(s.slot_count * sizeof *s.slots);
    for (uint32_t i = 0; i < threads; i++) {
        s.parsers[i] = block_parser_new(keys);
    }
    struct blocks blocks = {.shards = shards};
    blocks.budget = line_budget(env->memory_max, SLOT_BYTES + s.slot_count * BLOCK_BYTES);
    winnow_status st = run_rounds(&s, &blocks, pool, env, counts, err);
    blocks_close(&blocks);
    for (uint32_t i = 0; i < threads; i++) {
        block_parser_free(s.parsers[i]);
    }
    for (size_t i = 0; i < s.slot_count; i++) {
        shard_block_release(&s.slots[i].block);
        account_release(&s.slots[i].account);
    }
    mem_free(s.parsers);
    mem_free(s.slots);
    return st;
}

/* ---- pulled ---- */

struct pull {
    struct blocks blocks;
    struct shard_block block;
    struct block_parser *parser;
    bool started;
};

struct pull *pull_new(const struct shard_list *shards, const struct document_keys *keys,
                      uint64_t memory_max)
{
    struct pull *p = mem_zalloc(sizeof *p);
    p->blocks.shards = shards;
    p->blocks.budget = line_budget(memory_max, SLOT_BYTES);
    p->parser = block_parser_new(keys);
    return p;
}

void pull_free(struct pull *p)
{
    if (p) {
        blocks_close(&p->blocks);
        shard_block_release(&p->block);
        block_parser_free(p->parser);
        mem_free(p);
    }
}

winnow_status pull_next(struct pull *p, struct document *d, const char **shard, bool *more,
                        struct winnow_error *err)
{
    for (;;) {
        if (p->started) {
            struct parsed item;
            TRY(block_parser_next(p->parser, &item, err));
            if (item.kind == PARSED_DOCUMENT) {
                *d = item.document;
                *shard = p->block.shard;
                *more = true;
                p->blocks.shards->account->documents++;
                return WINNOW_OK;
            }
            p->started = item.kind == PARSED_BAD;
            if (p->started) {
                account_bad(p->blocks.shards->account, p->block.shard, &item.bad);
            }
            continue;
        }
        TRY(blocks_next(&p->blocks, &p->block, more, err));
        if (!*more) {
            return WINNOW_OK;
        }
        block_parser_start(p->parser, &p->block);
        p->started = true;
    }
}
