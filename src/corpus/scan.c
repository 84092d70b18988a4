/* scan.c -- rounds of blocks: read by one, parsed by all, joined by one.
 *
 * Without --memory there are two groups of slots: piece 0 of a round reads the blocks of the
 * next one into the second group while the other pieces parse the first.  With it there is
 * one group, read first and parsed then.
 */
#include "corpus/scan.h"

#include "base/env.h"
#include "base/mem.h"
#include "corpus/block_walk.h"

#include <assert.h>

#define SLOT_BYTES  ((size_t)12 << 20) /* a block of 4 MB, parsed and encoded */
#define LONG_BLOCK  ((size_t)8 << 20)
#define BLOCK_BYTES ((size_t)5 << 20) /* of it, what stays when the block is through */
#define LINE_FACTOR 8.0 /* of a byte of a long line: raw, parsed, encoded, what is kept of it */

struct slot {
    struct shard_block block;
    void *piece;
    winnow_status status;
    struct winnow_error err;
    struct scan_counts counts;
    struct input_account account;
};

struct group {
    struct slot *slots;
    size_t count;
};

struct scan {
    struct input_account *account;
    const struct scan_ops *ops;
    const struct scan_options *opt;
    const struct winnow_env *env;
    struct pool *pool;
    struct block_walk walk;
    struct block_parser **parsers; /* one a thread */
    size_t slot_count;             /* of a group */
    struct group groups[2];
    struct group *parsing, *filling;
    bool ahead; /* the next group is read meanwhile */
    bool read_all;
    winnow_status read_status;
    struct winnow_error read_error;
};

/* Under --memory a long line is parsed and encoded alone. */
static bool may_hold(void *ctx, size_t bytes)
{
    (void)bytes;
    return ((const struct scan *)ctx)->filling->count == 0;
}

static winnow_status fill(struct scan *s, struct winnow_error *err)
{
    struct group *g = s->filling;
    g->count = 0;
    while (g->count < s->slot_count && !s->read_all) {
        struct shard_block *block = &g->slots[g->count].block;
        bool more = false;
        TRY(block_walk_next(&s->walk, block, &more, err));
        if (block->waits) {
            break;
        }
        s->read_all = !more;
        g->count += more;
    }
    return WINNOW_OK;
}

static winnow_status parse_block(struct scan *s, struct slot *slot, uint32_t worker)
{
    struct block_parser *p = s->parsers[worker];
    const struct scan_ops *ops = s->ops;
    const char *shard = slot->block.shown;
    block_parser_start(p, &slot->block);
    for (;;) {
        struct parsed item;
        TRY(block_parser_next(p, &item, &slot->err));
        if (item.kind == PARSED_END) {
            return WINNOW_OK;
        }
        if (item.kind == PARSED_DOCUMENT) {
            slot->counts.documents++;
            TRY(ops->document(ops->ctx, slot->piece, &item.document, shard, &slot->err));
            continue;
        }
        slot->counts.bad++;
        account_bad(&slot->account, slot->block.label, &item.bad);
        if (ops->bad) {
            ops->bad(ops->ctx, slot->piece, &item.bad, shard);
        }
    }
}

static void parse_slot(struct scan *s, struct slot *slot, uint32_t worker)
{
    slot->counts = (struct scan_counts){0};
    slot->piece = s->ops->new_piece(s->ops->ctx, worker);
    slot->status = parse_block(s, slot, worker);
}

static void work(void *ctx, size_t piece, uint32_t worker)
{
    struct scan *s = ctx;
    if (s->ahead && piece == 0) {
        s->read_status = fill(s, &s->read_error);
    } else {
        parse_slot(s, &s->parsing->slots[piece - s->ahead], worker);
    }
}

static winnow_status stopped_at(const struct input_account *a, struct winnow_error *err)
{
    if (a->bad > 0) {
        return error_set(err, WINNOW_E_FORMAT, "%.*s", STR_ARG(a->first_bad));
    }
    if (a->lost.count > 0) {
        return error_set(err, WINNOW_E_FORMAT, "%s: %s", a->lost.items[0].name,
                         a->lost.items[0].reason);
    }
    return WINNOW_OK;
}

/* What one block gave goes to the callback and to the sums. */
static winnow_status join_slot(struct scan *s, struct slot *slot, struct scan_counts *counts,
                               bool *stop, struct winnow_error *err)
{
    winnow_status st = slot->status;
    if (st != WINNOW_OK) {
        *err = slot->err;
    } else if (s->opt->stop_at_bad) {
        st = stopped_at(&slot->account, err);
    }
    if (st != WINNOW_OK || *stop) {
        s->ops->free_piece(s->ops->ctx, slot->piece);
        account_release(&slot->account);
        return st;
    }
    counts->documents += slot->counts.documents;
    counts->bad += slot->counts.bad;
    slot->account.documents = slot->counts.documents;
    if (s->account) { /* a stage's own output has none: nothing of it can be lost */
        account_add(s->account, &slot->account);
    }
    account_release(&slot->account);
    return s->ops->join(s->ops->ctx, slot->piece, stop, err);
}

static winnow_status join_group(struct scan *s, struct scan_counts *counts, bool *stop,
                                struct winnow_error *err)
{
    winnow_status st = WINNOW_OK;
    assert(s->parsing->count <= s->slot_count);
    for (size_t i = 0; i < s->parsing->count; i++) {
        struct slot *slot = &s->parsing->slots[i];
        if (st == WINNOW_OK) {
            st = join_slot(s, slot, counts, stop, err);
        } else {
            s->ops->free_piece(s->ops->ctx, slot->piece);
            account_release(&slot->account);
        }
    }
    return st;
}

/* Buffers that a long line has grown would be kept for short ones. */
static void trim(struct scan *s)
{
    bool large = false;
    for (size_t i = 0; i < s->parsing->count; i++) {
        if (s->parsing->slots[i].block.bytes.cap > LONG_BLOCK) {
            shard_block_release(&s->parsing->slots[i].block);
            large = true;
        }
    }
    for (uint32_t i = 0; large && i < pool_threads(s->pool); i++) {
        block_parser_free(s->parsers[i]);
        s->parsers[i] = block_parser_new(s->opt->keys);
    }
}

/* Reads a group where none was read meanwhile, and makes it the one that is parsed. */
static winnow_status take_group(struct scan *s, struct winnow_error *err)
{
    if (!s->ahead) {
        TRY(fill(s, err));
    } else if (s->read_status != WINNOW_OK) {
        *err = s->read_error;
        return s->read_status;
    }
    struct group *full = s->filling;
    s->filling = s->ahead ? s->parsing : full;
    s->parsing = full;
    return WINNOW_OK;
}

static winnow_status run_rounds(struct scan *s, struct scan_counts *counts,
                                struct winnow_error *err)
{
    bool stop = false;
    s->read_status = s->ahead ? fill(s, &s->read_error) : WINNOW_OK;
    while (!stop) {
        TRY(env_check(s->env, err));
        TRY(take_group(s, err));
        if (s->parsing->count == 0) {
            break;
        }
        pool_run(s->pool, s->parsing->count + s->ahead, work, s);
        TRY(join_group(s, counts, &stop, err));
        block_walk_progress(&s->walk);
        if (s->env->memory_max > 0) {
            trim(s);
        }
    }
    return WINNOW_OK;
}

/* How many blocks are on their way, and what of --memory is left for a long line. */
static void plan_memory(struct scan *s, struct block_walk_options *walk)
{
    const struct scan_options *opt = s->opt;
    uint64_t limit = s->env->memory_max, slot = opt->block_bytes ? opt->block_bytes : SLOT_BYTES;
    s->ahead = limit == 0;
    s->slot_count = pool_threads(s->pool);
    if (limit > 0) {
        uint64_t most = limit / 4 / slot, wanted = 2 * s->slot_count;
        s->slot_count = (size_t)(most < 1 ? 1 : most < wanted ? most : wanted);
        uint64_t fixed = mem_resident() + slot + s->slot_count * BLOCK_BYTES;
        walk->budget = (struct line_budget){
            limit, fixed, opt->line_factor > 0 ? opt->line_factor : LINE_FACTOR, opt->instead};
        walk->may_hold = may_hold;
        walk->may_hold_ctx = s;
    }
}

static void release(struct scan *s)
{
    block_walk_end(&s->walk);
    for (uint32_t i = 0; i < pool_threads(s->pool); i++) {
        block_parser_free(s->parsers[i]);
    }
    mem_free(s->parsers);
    for (size_t g = 0; g < 2; g++) {
        for (size_t i = 0; s->groups[g].slots && i < s->slot_count; i++) {
            shard_block_release(&s->groups[g].slots[i].block);
            account_release(&s->groups[g].slots[i].account);
        }
        mem_free(s->groups[g].slots);
    }
}

winnow_status scan_documents(const struct shard_list *shards, const struct scan_options *opt,
                             struct pool *pool, const struct winnow_env *env,
                             const struct scan_ops *ops, struct scan_counts *counts,
                             struct winnow_error *err)
{
    *counts = (struct scan_counts){0};
    struct scan s = {.account = shards->account, .ops = ops, .opt = opt, .env = env, .pool = pool};
    struct block_walk_options walk = {
        .line_max = opt->line_max, .env = env, .progress = opt->progress};
    plan_memory(&s, &walk);
    s.parsers = mem_zalloc(pool_threads(pool) * sizeof(struct block_parser *));
    for (uint32_t i = 0; i < pool_threads(pool); i++) {
        s.parsers[i] = block_parser_new(opt->keys);
    }
    for (size_t g = 0; g < (s.ahead ? 2U : 1U); g++) {
        s.groups[g].slots = mem_zalloc(s.slot_count * sizeof *s.groups[g].slots);
    }
    s.parsing = &s.groups[s.ahead];
    s.filling = &s.groups[0];
    block_walk_start(&s.walk, shards, &walk);
    winnow_status st = run_rounds(&s, counts, err);
    release(&s);
    return st;
}
