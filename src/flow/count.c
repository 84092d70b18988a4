/* count.c -- the smallest method: read, count, add up.
 *
 * corpus/scan.h reads blocks and counts their documents on all threads; what each block
 * gave is added in the order of the blocks.  Sums do not depend on that order, but the
 * first bad line and the rows' order do.
 */
#include "winnow/count.h"

#include "base/env.h"
#include "base/grow.h"
#include "base/hash.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/pool.h"
#include "corpus/id_set.h"
#include "corpus/scan.h"
#include "model/model_file.h"
#include "token/tokenizer.h"

/* For --memory, where nothing is encoded: a block of 4 MB, and a byte of a long line. */
#define COUNT_BYTES  ((size_t)8 << 20)
#define COUNT_FACTOR 4.0

/* The same for what is gathered: a row with its name's entry, and pieces on their way. */
#define ROW_BYTES    (sizeof(struct winnow_counts) + sizeof(struct map_entry) + 5 * sizeof(uint64_t))
#define BESIDE_BYTES ((uint64_t)4 << 20)

/* Counts by name. */
struct tally {
    struct map names;
    struct winnow_counts *rows;
    size_t cap;
};

/* What was counted in one block. */
struct piece {
    uint32_t worker;
    struct tally tally;
    struct buf ids; /* hashes */
};

struct worker {
    struct tokenizer_scratch *scratch;
    struct u32_list tokens;
};

struct counting {
    const struct winnow_count_options *opt;
    const struct winnow_env *env;
    struct shard_list shards;
    struct tokenizer *tokenizer;
    struct worker *workers;
    struct tally sum;
    struct id_set ids;
    uint64_t before;     /* for --memory: what there was when reading began, */
    uint64_t blocks;     /* and what blocks on their way take at most */
    uint64_t name_bytes; /* of the names in sum */
    uint64_t bytes;      /* of the lines in sum */
};

static struct winnow_counts *tally_row(struct tally *t, struct str name)
{
    bool is_new = false;
    uint64_t *index = map_put(&t->names, name, &is_new);
    if (is_new) {
        *index = t->names.count - 1;
        GROW(t->rows, *index, t->cap, 8);
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

static struct str row_name(const struct counting *c, const char *shard, struct str source)
{
    switch (c->opt->by) {
    case WINNOW_COUNT_BY_SHARD:
        return str_of(shard);
    case WINNOW_COUNT_BY_SOURCE:
        return source.len > 0 ? source : STR_LIT("-");
    default:
        return STR_LIT("total");
    }
}

static void *new_piece(void *ctx, uint32_t worker)
{
    (void)ctx;
    struct piece *p = mem_zalloc(sizeof *p);
    p->worker = worker;
    return p;
}

static void free_piece(void *ctx, void *piece)
{
    (void)ctx;
    struct piece *p = piece;
    tally_release(&p->tally);
    buf_release(&p->ids);
    mem_free(p);
}

static winnow_status count_document(void *ctx, void *piece, const struct document *d,
                                    const char *shard, struct winnow_error *err)
{
    (void)err;
    const struct counting *c = ctx;
    struct piece *p = piece;
    struct worker *w = &c->workers[p->worker];
    struct winnow_counts *row = tally_row(&p->tally, row_name(c, shard, d->source));
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
        buf_add(&p->ids, &hash, sizeof hash);
    }
    return WINNOW_OK;
}

static void count_bad(void *ctx, void *piece, const struct bad_line *bad, const char *shard)
{
    (void)bad;
    struct piece *p = piece;
    tally_row(&p->tally, row_name(ctx, shard, (struct str){NULL, 0}))->bad++;
}

/* The least limit for so much; a quarter of it, or as much as there is use for, is taken by
 * blocks on their way. */
static uint64_t with_blocks(const struct counting *c, uint64_t gathered)
{
    uint64_t held = c->before + gathered, quarter = held / 3;
    return held + (quarter < c->blocks ? quarter : c->blocks);
}

/* What is gathered grows with the sources and the ids.  Where it does not fit, what does
 * is said for an input that goes on as it began. */
static winnow_status check_room(const struct counting *c, size_t more_ids, struct winnow_error *err)
{
    uint64_t rows = c->sum.names.count * ROW_BYTES + c->name_bytes;
    uint64_t ids = c->ids.size * sizeof *c->ids.slots;
    if (2 * (c->ids.used + more_ids) > c->ids.size) {
        ids *= 3; /* the table that follows is twice as large, and both are held */
    }
    if (with_blocks(c, rows + ids) <= c->env->memory_max || c->env->memory_max == 0) {
        return WINNOW_OK;
    }
    double rest = c->bytes > 0 ? (double)c->shards.bytes / (double)c->bytes : 1;
    uint64_t all = (uint64_t)((double)(rows + ids) * (rest > 1 ? rest : 1));
    bool many_ids = c->opt->ids && ids > rows;
    if (!many_ids && c->opt->by != WINNOW_COUNT_BY_SOURCE) {
        return memory_need(c->env->memory_max, "count", with_blocks(c, all), "no limit", err);
    }
    const char *what =
        many_ids ? "count --ids of as many documents" : "count --by source of as many sources";
    return memory_need(c->env->memory_max, what, with_blocks(c, all),
                       many_ids ? "leave --ids out" : "count without --by source", err);
}

/* Adds what a block gave to the sum. */
static winnow_status join(void *ctx, void *piece, bool *stop, struct winnow_error *err)
{
    (void)stop;
    struct counting *c = ctx;
    struct piece *p = piece;
    for (size_t i = 0; i < p->tally.names.count; i++) {
        struct str name = p->tally.names.entries[i].key;
        size_t had = c->sum.names.count;
        add_counts(tally_row(&c->sum, name), &p->tally.rows[i]);
        c->bytes += p->tally.rows[i].bytes + p->tally.rows[i].documents;
        c->name_bytes += c->sum.names.count > had ? name.len + 1 : 0;
    }
    winnow_status st = check_room(c, p->ids.len / sizeof(uint64_t), err);
    for (size_t at = 0; at < p->ids.len && st == WINNOW_OK; at += sizeof(uint64_t)) {
        uint64_t hash;
        memcpy(&hash, p->ids.ptr + at, sizeof hash);
        st = id_set_add(&c->ids, hash, err);
    }
    free_piece(c, p);
    return st;
}

static winnow_status count_all(struct counting *c, struct pool *pool, struct winnow_error *err)
{
    const struct document_keys keys = {c->opt->text_key, c->opt->id_key, c->opt->chat};
    const size_t block_bytes = c->opt->by == WINNOW_COUNT_BY_SOURCE ? 2 * COUNT_BYTES : COUNT_BYTES;
    c->before = mem_resident() + BESIDE_BYTES;
    c->blocks = 2 * pool_threads(pool) * block_bytes;
    const struct scan_options scan = {
        .keys = &keys,
        .line_max = (size_t)c->opt->line_max,
        .stop_at_bad = c->opt->on_bad == WINNOW_COUNT_BAD_STOP,
        .progress = "count",
        .block_bytes = c->tokenizer ? 0 : block_bytes,
        .line_factor = c->tokenizer ? 0 : COUNT_FACTOR,
    };
    const struct scan_ops ops = {c, new_piece, count_document, join, free_piece, count_bad};
    struct scan_counts counts;
    return scan_documents(&c->shards, &scan, pool, c->env, &ops, &counts, err);
}

static winnow_status set_up(struct counting *c, struct winnow_list paths, uint32_t threads,
                            struct winnow_error *err)
{
    const struct shards_options find = {
        .paths = paths, .files_from = c->opt->files_from, .kind = SHARDS_DOCUMENTS, .env = c->env};
    TRY(shards_find(&find, &c->shards, err));
    account_warn_skipped(c->shards.account, c->env);
    if (c->opt->on_bad == WINNOW_COUNT_BAD_STOP) {
        TRY(account_need_all(c->shards.account, err));
    }
    if (c->opt->tokenizer) {
        TRY(model_load_tokenizer(c->opt->tokenizer, &c->tokenizer, err));
    }
    for (uint32_t i = 0; i < threads; i++) {
        c->workers[i].scratch = c->tokenizer ? tokenizer_scratch_new(c->tokenizer) : NULL;
    }
    return WINNOW_OK;
}

static void tear_down(struct counting *c, uint32_t threads)
{
    for (uint32_t i = 0; i < threads; i++) {
        tokenizer_scratch_free(c->workers[i].scratch);
        u32_list_release(&c->workers[i].tokens);
    }
    mem_free(c->workers);
    shard_list_release(&c->shards);
    tokenizer_free(c->tokenizer);
    id_set_release(&c->ids);
}

/* The tally becomes the result, which owns it from here on, names and all. */
static void hand_over(struct counting *c, struct winnow_count_result *out)
{
    struct arena *keep = mem_alloc(sizeof *keep);
    *keep = c->sum.names.keys;
    c->sum.names.keys = (struct arena){0};
    for (size_t i = 0; i < c->sum.names.count; i++) {
        add_counts(&out->total, &c->sum.rows[i]);
        c->sum.rows[i].name = c->sum.names.entries[i].key.ptr;
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

winnow_status winnow_count(const struct winnow_count_options *opt, const struct winnow_list *paths,
                           const struct winnow_env *env, struct winnow_count_result *out,
                           struct winnow_error *err)
{
    *out = (struct winnow_count_result){0};
    struct pool *pool = pool_new(env->threads);
    uint32_t threads = pool_threads(pool);
    struct counting c = {.opt = opt, .env = env};
    c.workers = mem_zalloc(threads * sizeof *c.workers);
    winnow_status st = set_up(&c, *paths, threads, err);
    st = st == WINNOW_OK ? count_all(&c, pool, err) : st;
    hand_over(&c, out);
    if (st == WINNOW_OK) {
        out->complete = true;
        st = conclude(&c, out, err);
    }
    tear_down(&c, threads);
    pool_free(pool);
    return st;
}
