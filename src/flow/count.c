/* count.c -- the smallest method: read, count, add up.
 *
 * Work goes in rounds.  In each, one piece of work reads the next group of
 * blocks while the others count the documents of the group before; then the
 * counts are added in the order of the blocks.  Sums do not depend on that
 * order, but the first bad line and the rows' order do.
 */
#include "winnow/count.h"

#include "base/env.h"
#include "base/hash.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/pool.h"
#include "corpus/id_set.h"
#include "corpus/shard_reader.h"
#include "corpus/shards.h"
#include "model/model_file.h"
#include "token/tokenizer.h"

#include <inttypes.h>

#define GROUP_MAX   64U
#define BLOCK_BYTES ((size_t)4 << 20)    /* the reader's */
#define FIXED_BYTES ((uint64_t)40 << 20) /* of the program */

/* Counts by name. */
struct tally {
    struct map names;
    struct winnow_counts *rows;
    size_t cap;
};

/* One block and what was counted in it. */
struct slot {
    struct shard_block block;
    struct tally tally;
    struct buf ids;               /* hashes */
    struct input_account account; /* of its bad lines */
    winnow_status status;
    struct winnow_error error;
};

struct group {
    struct slot slots[GROUP_MAX];
    size_t count;
};

struct worker {
    struct block_parser *parser;
    struct tokenizer_scratch *scratch;
    struct u32_list tokens;
};

struct counting {
    const struct winnow_count_options *opt;
    const struct winnow_env *env;
    struct shard_list shards;
    size_t shard, group_size;
    uint64_t bytes_before;   /* of the shards that are done */
    uint64_t held, held_max; /* bytes of next */
    struct line_budget budget;
    struct shard_reader *reader;
    struct tokenizer *tokenizer;
    struct worker *workers;
    struct group *now, *next;
    winnow_status read_status;
    struct winnow_error read_error;
    struct tally sum;
    struct id_set ids;
};

static struct winnow_counts *tally_row(struct tally *t, struct str name)
{
    bool is_new = false;
    uint64_t *index = map_put(&t->names, name, &is_new);
    if (is_new) {
        *index = t->names.count - 1;
        if (t->names.count > t->cap) {
            size_t cap = t->cap ? 2 * t->cap : 8;
            t->rows = mem_realloc(t->rows, t->cap * sizeof *t->rows, cap * sizeof *t->rows);
            t->cap = cap;
        }
        t->rows[*index] = (struct winnow_counts){0};
    }
    return &t->rows[*index];
}

static void tally_release(struct tally *t)
{
    map_release(&t->names);
    mem_free(t->rows);
    *t = (struct tally){0};
}

static void add_counts(struct winnow_counts *to, const struct winnow_counts *c)
{
    to->documents += c->documents;
    to->bytes += c->bytes;
    to->text_bytes += c->text_bytes;
    to->words += c->words;
    to->tokens += c->tokens;
    to->bad += c->bad;
}

/* Without branches: words are short, so that these would be guessed wrong. */
static uint64_t count_words(struct str s)
{
    uint64_t words = 0;
    unsigned before = 1;
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        unsigned space = (unsigned)(c == ' ') | (unsigned)((unsigned char)(c - '\t') < 5U);
        words += before & (space ^ 1U);
        before = space;
    }
    return words;
}

static struct str row_name(const struct counting *c, const struct slot *slot, struct str source)
{
    switch (c->opt->by) {
    case WINNOW_COUNT_BY_SHARD:
        return str_of(slot->block.shard);
    case WINNOW_COUNT_BY_SOURCE:
        return source.len > 0 ? source : STR_LIT("-");
    default:
        return STR_LIT("total");
    }
}

static void count_document(struct counting *c, struct worker *w, struct slot *slot,
                           const struct document *d)
{
    struct winnow_counts *row = tally_row(&slot->tally, row_name(c, slot, d->source));
    row->documents++;
    row->bytes += d->raw.len;
    row->text_bytes += d->text.len;
    row->words += count_words(d->text);
    if (c->tokenizer) {
        w->tokens.len = 0;
        tokenizer_encode(c->tokenizer, w->scratch, d->text, TOKENIZER_PLAIN_SPECIAL, &w->tokens);
        row->tokens += w->tokens.len;
    }
    if (c->opt->ids) {
        uint64_t hash = hash64(d->id, 0);
        buf_add(&slot->ids, &hash, sizeof hash);
    }
}

static void count_block(struct counting *c, struct worker *w, struct slot *slot)
{
    struct parsed item;
    block_parser_start(w->parser, &slot->block);
    for (;;) {
        slot->status = block_parser_next(w->parser, &item, &slot->error);
        if (slot->status != WINNOW_OK || item.kind == PARSED_END) {
            return;
        }
        if (item.kind == PARSED_DOCUMENT) {
            count_document(c, w, slot, &item.document);
            continue;
        }
        tally_row(&slot->tally, row_name(c, slot, (struct str){NULL, 0}))->bad += !item.bad.torn;
        account_bad(&slot->account, slot->block.shard, &item.bad);
    }
}

/* A line longer than a block comes alone, where --memory says so. */
static bool may_hold(void *ctx, size_t bytes)
{
    const struct counting *c = ctx;
    return c->next->count == 0 || c->held + bytes <= c->held_max;
}

/* Bytes of groups: a line is held in one group while another is counted, parsed and
 * encoded beside it. */
static void plan_memory(struct counting *c, uint64_t limit)
{
    uint64_t fixed = FIXED_BYTES + 2 * BLOCK_BYTES * (uint64_t)c->group_size;
    c->held_max = UINT64_MAX / 2;
    if (limit > 0) {
        uint64_t room = limit > FIXED_BYTES ? limit - FIXED_BYTES : 0;
        c->held_max = room / 8;
        fixed = fixed < limit / 2 ? fixed : limit / 2;
        c->budget = (struct line_budget){limit, fixed, c->opt->tokenizer ? 8 : 4, NULL};
    }
}

/* Fills next with blocks, across shards; an empty group is the end. */
static winnow_status read_group(struct counting *c, struct winnow_error *err)
{
    c->next->count = 0;
    c->held = 0;
    while (c->next->count < c->group_size && c->shard < c->shards.count &&
           (c->next->count == 0 || c->held + BLOCK_BYTES <= c->held_max)) {
        const struct shard *s = &c->shards.items[c->shard];
        if (!c->reader) {
            struct shard_reader_options opt = SHARD_READER_OPTIONS_INIT;
            opt.line_max = (size_t)c->opt->line_max;
            opt.budget = c->budget;
            opt.window_max = c->budget.limit > 0 ? c->budget.limit / 4 : 0;
            opt.may_hold = may_hold;
            opt.may_hold_ctx = c;
            opt.stamp = &s->stamp;
            opt.keep_going = true;
            TRY(shard_reader_open(&c->reader, s->path, s->name, &opt, err));
        }
        bool more = true;
        struct slot *slot = &c->next->slots[c->next->count];
        TRY(shard_reader_next(c->reader, &slot->block, &more, err));
        if (slot->block.waits) {
            return WINNOW_OK;
        }
        if (more) {
            c->next->count++;
            c->held += slot->block.bytes.len;
            continue;
        }
        c->bytes_before += s->bytes;
        shard_reader_close(c->reader);
        c->reader = NULL;
        c->shard++;
    }
    return WINNOW_OK;
}

static void work(void *ctx, size_t piece, uint32_t worker)
{
    struct counting *c = ctx;
    if (piece == 0) {
        c->read_status = read_group(c, &c->read_error);
    } else {
        count_block(c, &c->workers[worker], &c->now->slots[piece - 1]);
    }
}

/* Adds what a block gave to the sum, and empties its slot. */
static winnow_status join(struct counting *c, struct slot *slot, struct winnow_error *err)
{
    if (slot->status != WINNOW_OK) {
        *err = slot->error;
        return slot->status;
    }
    for (size_t i = 0; i < slot->tally.names.count; i++) {
        struct str name = slot->tally.names.entries[i].key;
        add_counts(tally_row(&c->sum, name), &slot->tally.rows[i]);
    }
    tally_release(&slot->tally);
    for (size_t at = 0; at < slot->ids.len; at += sizeof(uint64_t)) {
        uint64_t hash;
        memcpy(&hash, slot->ids.ptr + at, sizeof hash);
        TRY(id_set_add(&c->ids, hash, err));
    }
    buf_clear(&slot->ids);
    const struct input_account *a = &slot->account;
    bool stop = c->opt->on_bad == WINNOW_COUNT_BAD_STOP;
    if (stop && a->bad > 0) {
        return error_set(err, WINNOW_E_FORMAT, "%.*s", STR_ARG(a->first_bad));
    }
    if (stop && a->lost.count > 0) {
        return error_set(err, WINNOW_E_FORMAT, "%s: %s", a->lost.items[0].name,
                         a->lost.items[0].reason);
    }
    account_add(c->shards.account, a);
    account_release(&slot->account);
    return WINNOW_OK;
}

static winnow_status run_rounds(struct counting *c, struct pool *pool, struct winnow_error *err)
{
    env_progress(c->env, "count", "bytes", 0, c->shards.bytes);
    do {
        pool_run(pool, c->now->count + 1, work, c);
        for (size_t i = 0; i < c->now->count; i++) {
            TRY(join(c, &c->now->slots[i], err));
        }
        if (c->read_status != WINNOW_OK) {
            *err = c->read_error;
            return c->read_status;
        }
        struct group *g = c->now;
        c->now = c->next;
        c->next = g;
        uint64_t done = c->bytes_before + (c->reader ? shard_reader_bytes_read(c->reader) : 0);
        if (done < c->shards.bytes || c->now->count == 0) {
            env_progress(c->env, "count", "bytes", done, c->shards.bytes);
        }
        TRY(env_check(c->env, err));
    } while (c->now->count > 0);
    return WINNOW_OK;
}

static winnow_status set_up(struct counting *c, struct winnow_list paths, uint32_t threads,
                            struct winnow_error *err)
{
    const struct shards_options find = {
        .paths = paths, .files_from = c->opt->files_from, .kind = SHARDS_DOCUMENTS};
    TRY(shards_find(&find, &c->shards, err));
    account_warn_skipped(c->shards.account, c->env);
    if (c->opt->on_bad == WINNOW_COUNT_BAD_STOP) {
        TRY(account_need_all(c->shards.account, err));
    }
    if (c->opt->tokenizer) {
        TRY(model_load_tokenizer(c->opt->tokenizer, &c->tokenizer, err));
    }
    const struct document_keys keys = {.text = c->opt->text_key, .id = c->opt->id_key};
    for (uint32_t i = 0; i < threads; i++) {
        c->workers[i].parser = block_parser_new(&keys);
        c->workers[i].scratch = c->tokenizer ? tokenizer_scratch_new(c->tokenizer) : NULL;
    }
    return WINNOW_OK;
}

static void tear_down(struct counting *c, uint32_t threads)
{
    struct group *groups[] = {c->now, c->next};
    for (size_t g = 0; g < 2; g++) {
        for (size_t i = 0; i < GROUP_MAX; i++) {
            struct slot *slot = &groups[g]->slots[i];
            shard_block_release(&slot->block);
            tally_release(&slot->tally);
            buf_release(&slot->ids);
            account_release(&slot->account);
        }
        mem_free(groups[g]);
    }
    for (uint32_t i = 0; i < threads; i++) {
        block_parser_free(c->workers[i].parser);
        tokenizer_scratch_free(c->workers[i].scratch);
        u32_list_release(&c->workers[i].tokens);
    }
    mem_free(c->workers);
    shard_reader_close(c->reader);
    shard_list_release(&c->shards);
    tokenizer_free(c->tokenizer);
    id_set_release(&c->ids);
}

/* The tally becomes the result, which owns it from here on. */
static void hand_over(struct counting *c, struct winnow_count_result *out)
{
    struct arena *keep = mem_alloc(sizeof *keep);
    arena_init(keep, 4096);
    for (size_t i = 0; i < c->sum.names.count; i++) {
        struct str name = c->sum.names.entries[i].key;
        add_counts(&out->total, &c->sum.rows[i]);
        c->sum.rows[i].name = arena_strndup(keep, name.ptr, name.len);
    }
    out->total.name = "total";
    out->rows = c->sum.rows;
    out->row_count = c->sum.names.count;
    out->repeated_ids = c->ids.repeated;
    out->keep = keep;
    map_release(&c->sum.names);
}

/* Bad lines, and what was lost, as a sentence and a status. */
static winnow_status conclude(struct counting *c, const struct winnow_count_result *out,
                              struct winnow_error *err)
{
    struct input_account *a = c->shards.account;
    struct buf text = {0};
    winnow_status st = WINNOW_OK;
    a->documents = out->total.documents;
    if (a->documents == 0) {
        account_say_empty(a, &text);
    } else {
        account_say_bad(a, &text);
        buf_add_text(&text, text.len > 0 && a->lost.count > 0 ? "; " : "");
        account_say_lost(a, &text);
    }
    bool fails =
        a->documents == 0 || a->lost.count > 0 || c->opt->on_bad == WINNOW_COUNT_BAD_REPORT;
    if (text.len > 0 && fails) {
        st = error_set(err, WINNOW_E_FORMAT, "%s", buf_cstr(&text));
    } else if (text.len > 0) {
        env_log(c->env, WINNOW_LOG_WARNING, "%s", buf_cstr(&text));
    }
    buf_release(&text);
    return st;
}

void winnow_count_result_free(struct winnow_count_result *r)
{
    mem_free(r->rows);
    if (r->keep) {
        arena_release(r->keep);
        mem_free(r->keep);
    }
    *r = (struct winnow_count_result){0};
}

winnow_status winnow_count(const struct winnow_count_options *opt, struct winnow_list paths,
                           const struct winnow_env *env, struct winnow_count_result *out,
                           struct winnow_error *err)
{
    *out = (struct winnow_count_result){0};
    struct pool *pool = pool_new(env->threads);
    uint32_t threads = pool_threads(pool);
    struct counting c = {
        .opt = opt,
        .env = env,
        .group_size = threads < GROUP_MAX ? threads : GROUP_MAX,
        .workers = mem_zalloc(threads * sizeof *c.workers),
        .now = mem_zalloc(sizeof *c.now),
        .next = mem_zalloc(sizeof *c.next),
    };
    plan_memory(&c, env->memory_max);
    winnow_status st = set_up(&c, paths, threads, err);
    st = st == WINNOW_OK ? run_rounds(&c, pool, err) : st;
    hand_over(&c, out);
    if (st == WINNOW_OK) {
        out->complete = true;
        st = conclude(&c, out, err);
    }
    tear_down(&c, threads);
    pool_free(pool);
    return st;
}
