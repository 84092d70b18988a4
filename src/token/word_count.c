/* word_count.c -- how often each word occurs, in bounded memory.
 *
 * Texts are gathered into batches of fixed size.  Of each batch, workers count
 * fixed pieces into maps of their own; then workers add these to the shards, a
 * shard being the words whose hash starts with its number.  A shard that has
 * outgrown its share of the memory drops its rarest words: it raises its floor
 * until half of the share is free ("lossy counting", Manku and Motwani 2002).
 * Batches, pieces and shards depend on the texts only, so the counts do not
 * depend on the number of threads.
 *
 * --memory drops nothing, as the tokenizer would be another one.  Where the words so far,
 * or what training makes of them, do not fit, only a sample of them by hash is counted
 * from there on, halved as often as it outgrows the limit: enough to say at the end how
 * much does.  Under a small limit batches are smaller, and of a long text a part is
 * counted at a time; the counts stay the same.
 */
#include "base/env.h"
#include "base/grow.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/pool.h"
#include "token/train_internal.h"

#include <assert.h>

#define BATCH_BYTES ((size_t)8 << 20)
#define PIECE_BYTES ((size_t)256 << 10)

/* For --memory: of each, a batch may take so many bytes a byte, the reader of texts so many. */
#define BATCH_FACTOR 12U
#define BATCH_LEAST  ((size_t)512 << 10)
#define READER_BYTES ((uint64_t)8 << 20)
#define SAMPLE_BYTES ((uint64_t)8 << 20)

/* Longer words (base64, minified code) teach nothing and are not counted. */
#define WORD_BYTES_MAX ((size_t)4096)

/* ---- a map ---- */

void word_map_release(struct word_map *m)
{
    mem_free(m->words);
    mem_free(m->slots);
    buf_release(&m->bytes);
    *m = (struct word_map){0};
}

void word_map_clear(struct word_map *m)
{
    m->count = 0;
    buf_clear(&m->bytes);
    if (m->slot_count > 0) {
        memset(m->slots, 0, m->slot_count * sizeof *m->slots);
    }
}

static size_t find_slot(const struct word_map *m, struct str word, uint64_t hash)
{
    size_t mask = m->slot_count - 1, at = (size_t)hash & mask;
    while (m->slots[at] != 0) {
        const struct word *w = &m->words[m->slots[at] - 1];
        if (w->hash == hash && str_eq(word_text(m, w), word)) {
            break;
        }
        at = (at + 1) & mask;
    }
    return at;
}

static void index_words(struct word_map *m, size_t slot_count)
{
    mem_free(m->slots);
    m->slots = mem_zalloc(slot_count * sizeof *m->slots);
    m->slot_count = slot_count;
    for (size_t i = 0; i < m->count; i++) {
        size_t at = (size_t)m->words[i].hash & (slot_count - 1);
        while (m->slots[at] != 0) {
            at = (at + 1) & (slot_count - 1);
        }
        m->slots[at] = (uint32_t)(i + 1);
    }
}

void word_map_add(struct word_map *m, struct str word, uint64_t hash, uint64_t count)
{
    if ((m->count + 1) * 2 > m->slot_count) {
        index_words(m, m->slot_count == 0 ? 1024 : m->slot_count * 2);
    }
    size_t at = find_slot(m, word, hash);
    if (m->slots[at] != 0) {
        m->words[m->slots[at] - 1].count += count;
        return;
    }
    assert(m->count < UINT32_MAX - 1 && word.len <= UINT32_MAX);
    GROW(m->words, m->count, m->cap, 512);
    m->words[m->count++] = (struct word){hash, count, m->bytes.len, (uint32_t)word.len};
    buf_add_str(&m->bytes, word);
    m->slots[at] = (uint32_t)m->count;
}

static uint64_t map_bytes(size_t words, size_t bytes)
{
    return words * (sizeof(struct word) + 4 * sizeof(uint32_t)) + bytes;
}

/* Whether the word belongs to the sample of one in 2^halvings. */
static bool is_sampled(uint64_t hash, uint32_t halvings)
{
    return ((hash >> 24) & (((uint64_t)1 << halvings) - 1)) == 0;
}

/* Keeps the words seen more often than floor that belong to the sample. */
static void keep_words(struct word_map *m, uint64_t floor, uint32_t halvings)
{
    size_t bytes = 0, kept = 0;
    for (size_t i = 0; i < m->count; i++) {
        struct word w = m->words[i];
        if (w.count > floor && is_sampled(w.hash, halvings)) {
            memmove(m->bytes.ptr + bytes, m->bytes.ptr + w.at, w.len);
            w.at = bytes;
            bytes += w.len;
            m->words[kept++] = w;
        }
    }
    m->count = kept;
    m->bytes.len = bytes;
}

/* Drops the rarest words until the rest takes at most half of memory_max. */
static void raise_floor(struct word_map *m, uint64_t *floor, uint64_t memory_max)
{
    while (m->count > 0 && map_bytes(m->count, m->bytes.len) > memory_max / 2) {
        keep_words(m, ++*floor, 0);
    }
    index_words(m, m->slot_count);
}

/* ---- a batch ---- */

struct piece {
    size_t first, texts; /* of the batch's spans */
    size_t at;           /* of its text that is longer than a part, counted up to here */
    bool done;
    struct word_map words; /* reused from batch to batch */
    uint32_t *order;       /* the words, shard by shard */
    size_t order_cap;
    size_t starts[WORD_SHARDS + 1]; /* of each shard in order */
};

struct batch {
    const struct tokenizer *t;
    struct tokenizer_scratch **scratch; /* by worker */
    struct buf text;
    struct pieces spans; /* of the texts within it */
    struct piece *pieces;
    size_t piece_count, piece_cap;
    struct word_counts *counts;
    uint32_t vocab_size;
    uint64_t shard_memory;
    size_t bytes_max, part_max; /* of a batch; of a text at a time */
    uint64_t limit, before;     /* --memory, and what there was */
    uint32_t halvings;          /* of the sample: 0 while everything fits */
};

static uint32_t shard_of(uint64_t hash)
{
    return (uint32_t)(hash >> 58);
}

static void sort_by_shard(struct piece *p)
{
    size_t counts[WORD_SHARDS] = {0};
    for (size_t i = 0; i < p->words.count; i++) {
        counts[shard_of(p->words.words[i].hash)]++;
    }
    p->starts[0] = 0;
    for (size_t k = 0; k < WORD_SHARDS; k++) {
        p->starts[k + 1] = p->starts[k] + counts[k];
        counts[k] = p->starts[k];
    }
    if (p->order_cap < p->words.count) {
        mem_free(p->order);
        p->order = mem_alloc(p->words.cap * sizeof *p->order);
        p->order_cap = p->words.cap;
    }
    for (size_t i = 0; i < p->words.count; i++) {
        p->order[counts[shard_of(p->words.words[i].hash)]++] = (uint32_t)i;
    }
}

/* Counts text[*at ..), a part of it at most; whether that was all. */
static bool count_text(struct batch *b, struct piece *p, struct str text, size_t *at)
{
    for (size_t from = *at; *at < text.len && *at - from < b->part_max;) {
        size_t end = scan_next(b->t->fast, b->t->classes, text, *at);
        struct str word = str_sub(text, *at, end);
        uint64_t hash = hash64(word, 0);
        if (word.len <= WORD_BYTES_MAX && is_sampled(hash, b->halvings)) {
            word_map_add(&p->words, word, hash, 1);
        }
        *at = end;
    }
    return *at == text.len;
}

static void count_piece(void *ctx, size_t index, uint32_t worker)
{
    struct batch *b = ctx;
    struct piece *p = &b->pieces[index];
    word_map_clear(&p->words);
    size_t i = p->first;
    for (; i < p->first + p->texts && !p->done; i++) {
        struct str text =
            str_sub(buf_str(&b->text), b->spans.spans[i].start, b->spans.spans[i].end);
        if (!count_text(b, p, normalize(b->t, b->scratch[worker], text), &p->at)) {
            break; /* goes on in the next round */
        }
        p->at = 0;
    }
    p->texts -= i - p->first;
    p->first = i;
    p->done = p->texts == 0;
    sort_by_shard(p);
}

static void add_to_shard(void *ctx, size_t shard, uint32_t worker)
{
    (void)worker;
    struct batch *b = ctx;
    struct word_map *to = &b->counts->shards[shard];
    for (size_t i = 0; i < b->piece_count; i++) {
        const struct piece *p = &b->pieces[i];
        for (size_t k = p->starts[shard]; k < p->starts[shard + 1]; k++) {
            const struct word *w = &p->words.words[p->order[k]];
            word_map_add(to, word_text(&p->words, w), w->hash, w->count);
        }
    }
}

static void bound_shard(void *ctx, size_t shard, uint32_t worker)
{
    (void)worker;
    struct batch *b = ctx;
    struct word_map *to = &b->counts->shards[shard];
    if (map_bytes(to->count, to->bytes.len) > b->shard_memory) {
        raise_floor(to, &b->counts->floors[shard], b->shard_memory);
    }
}

static void add_piece(struct batch *b, size_t first, size_t texts)
{
    if (b->piece_count == b->piece_cap) {
        size_t cap = b->piece_cap == 0 ? 64 : b->piece_cap * 2;
        b->pieces =
            mem_realloc(b->pieces, b->piece_cap * sizeof *b->pieces, cap * sizeof *b->pieces);
        memset(b->pieces + b->piece_cap, 0, (cap - b->piece_cap) * sizeof *b->pieces);
        b->piece_cap = cap;
    }
    struct piece *p = &b->pieces[b->piece_count++];
    p->first = first;
    p->texts = texts;
    p->at = 0;
    p->done = false;
}

static size_t batch_bytes(uint64_t limit)
{
    uint64_t share = limit / 128 > BATCH_LEAST ? limit / 128 : BATCH_LEAST;
    return limit > 0 && share < BATCH_BYTES ? (size_t)share : BATCH_BYTES;
}

/* What training takes of memory for the words, of which the sample speaks. */
static uint64_t words_need(const struct batch *b)
{
    uint64_t words = 0, bytes = 0;
    for (size_t k = 0; k < WORD_SHARDS; k++) {
        words += b->counts->shards[k].count << b->halvings;
        bytes += b->counts->shards[k].bytes.len << b->halvings;
    }
    uint64_t most = b->shard_memory * WORD_SHARDS; /* the rarest of more are dropped */
    double share =
        map_bytes(words, bytes) > most ? (double)most / (double)map_bytes(words, bytes) : 1;
    return (uint64_t)(share * (double)train_bytes(words, bytes, b->vocab_size));
}

/* What the limit leaves for them; at least what a sample needs. */
static uint64_t room(const struct batch *b)
{
    uint64_t beside = b->before + BATCH_FACTOR * batch_bytes(b->limit);
    return b->limit > beside + SAMPLE_BYTES ? b->limit - beside : SAMPLE_BYTES;
}

/* Drops words by hash until those that are left fit. */
static void halve_sample(struct batch *b)
{
    while (b->limit > 0 && words_need(b) >> b->halvings > room(b)) {
        b->halvings++;
        for (size_t k = 0; k < WORD_SHARDS; k++) {
            keep_words(&b->counts->shards[k], 0, b->halvings);
            index_words(&b->counts->shards[k], b->counts->shards[k].slot_count);
        }
    }
}

static bool is_counted(const struct batch *b)
{
    for (size_t i = 0; i < b->piece_count; i++) {
        if (!b->pieces[i].done) {
            return false;
        }
    }
    return true;
}

static void count_batch(struct batch *b, struct pool *pool)
{
    b->piece_count = 0;
    size_t first = 0, bytes = 0;
    for (size_t i = 0; i < b->spans.count; i++) {
        bytes += b->spans.spans[i].end - b->spans.spans[i].start;
        if (bytes >= PIECE_BYTES || i + 1 == b->spans.count) {
            add_piece(b, first, i + 1 - first);
            first = i + 1;
            bytes = 0;
        }
    }
    while (!is_counted(b)) {
        pool_run(pool, b->piece_count, count_piece, b);
        pool_run(pool, WORD_SHARDS, add_to_shard, b);
        halve_sample(b);
    }
    pool_run(pool, WORD_SHARDS, bound_shard, b);
    buf_clear(&b->text);
    b->spans.count = 0;
}

/* Says how much does where the words did not fit: a sample may be wrong by some per cent,
 * and with a larger limit batches are larger. */
static winnow_status check_room(const struct batch *b, struct winnow_error *err)
{
    if (b->halvings == 0) {
        return WINNOW_OK;
    }
    uint64_t words = words_need(b), need = b->before + words + words / 32;
    need += BATCH_FACTOR * batch_bytes(need + need / 8);
    need = need > b->limit ? need : b->limit + b->limit / 32;
    return memory_need(b->limit, "training a tokenizer on texts of as many distinct words", need,
                       "train it on fewer texts", err);
}

static winnow_status read_all(struct batch *b, struct pool *pool, const struct winnow_env *env,
                              tokenizer_next_text next_text, void *ctx, struct winnow_error *err)
{
    bool more = true;
    while (more) {
        struct str text = {0};
        TRY(next_text(ctx, &text, &more, err));
        if (more && text.len > 0) {
            size_t start = b->text.len;
            buf_add_str(&b->text, text);
            pieces_add(&b->spans, start, b->text.len);
            b->counts->bytes_read += text.len;
        }
        if (b->text.len >= b->bytes_max || !more) {
            TRY(env_check(env, err));
            count_batch(b, pool);
            env_progress(env, "count words", "bytes", b->counts->bytes_read, 0);
        }
    }
    return WINNOW_OK;
}

static void plan_memory(struct batch *b, uint64_t limit)
{
    b->bytes_max = batch_bytes(limit);
    b->part_max = limit > 0 ? b->bytes_max : SIZE_MAX;
    b->limit = limit;
    b->before = mem_resident() + READER_BYTES;
}

winnow_status word_counts_read(struct word_counts *c, const struct tokenizer *t,
                               const struct tokenizer_train_options *options,
                               const struct winnow_env *env, tokenizer_next_text next_text,
                               void *ctx, struct winnow_error *err)
{
    assert(t->fast != SCAN_NONE);
    struct pool *pool = pool_new(env->threads);
    uint32_t threads = pool_threads(pool);
    struct batch b = {.t = t,
                      .counts = c,
                      .vocab_size = options->vocab_size,
                      .shard_memory = options->memory_max / WORD_SHARDS};
    b.scratch = mem_zalloc(threads * sizeof(struct tokenizer_scratch *));
    for (uint32_t i = 0; i < threads; i++) {
        b.scratch[i] = tokenizer_scratch_new(t);
    }
    plan_memory(&b, env->memory_max);
    winnow_status st = read_all(&b, pool, env, next_text, ctx, err);
    st = st == WINNOW_OK ? check_room(&b, err) : st;
    for (uint32_t i = 0; i < threads; i++) {
        tokenizer_scratch_free(b.scratch[i]);
    }
    mem_free(b.scratch);
    for (size_t i = 0; i < b.piece_cap; i++) {
        word_map_release(&b.pieces[i].words);
        mem_free(b.pieces[i].order);
    }
    mem_free(b.pieces);
    mem_free(b.spans.spans);
    buf_release(&b.text);
    pool_free(pool);
    return st;
}

void word_counts_release(struct word_counts *c)
{
    for (size_t i = 0; i < WORD_SHARDS; i++) {
        word_map_release(&c->shards[i]);
    }
}
