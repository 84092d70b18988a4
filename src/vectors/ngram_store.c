/* ngram_store.c -- a store of hashed n-grams: one pass says in how many documents what is, the
 * next makes the vectors.  Both are cheap beside what uses them, so a call after a kill does
 * them again; rows that are there stay. */
#include "base/env.h"
#include "base/mem.h"
#include "corpus/scan.h"
#include "corpus/spool.h"
#include "math/kernels.h"
#include "vectors/features_internal.h"
#include "vectors/ngrams.h"

#include <string.h>

#define NGRAMS_PROGRAM ((uint64_t)40 << 20) /* the program and the blocks on their way */
#define NGRAMS_SCRATCH ((uint64_t)24 << 20) /* of a worker over a text of NGRAMS_TEXT_MAX */

struct ngram_making {
    struct making *m;
    struct ngrams_shape shape;
    struct ngrams_counts counts;
    struct ngrams_scratch **scratches; /* a worker each */
    struct hash64_stream *hash;
    bool given;   /* counts are another store's */
    bool vectors; /* the second pass */
    size_t next;  /* row that is joined next */
};

/* A block's documents, in order. */
struct piece {
    struct store_row *rows;
    size_t *ends; /* of a document's buckets */
    size_t count, cap;
    struct u32_list buckets;
    float *vectors;
    uint32_t worker;
};

static void *piece_new(void *ctx, uint32_t worker)
{
    (void)ctx;
    struct piece *p = mem_zalloc(sizeof *p);
    p->worker = worker;
    return p;
}

static void piece_free(void *ctx, void *piece)
{
    (void)ctx;
    struct piece *p = piece;
    mem_free(p->rows);
    mem_free(p->ends);
    mem_free(p->vectors);
    u32_list_release(&p->buckets);
    mem_free(p);
}

static void widen(const struct ngram_making *n, struct piece *p)
{
    size_t cap = p->cap > 0 ? 2 * p->cap : 64, dim = n->shape.dim;
    p->rows = mem_realloc(p->rows, p->cap * sizeof *p->rows, cap * sizeof *p->rows);
    p->ends = mem_realloc(p->ends, p->cap * sizeof *p->ends, cap * sizeof *p->ends);
    if (n->vectors) {
        p->vectors =
            mem_realloc(p->vectors, p->cap * dim * sizeof(float), cap * dim * sizeof(float));
    }
    p->cap = cap;
}

static winnow_status read_document(void *ctx, void *piece, const struct document *d,
                                   const char *shard, struct winnow_error *err)
{
    (void)shard;
    struct ngram_making *n = ctx;
    struct piece *p = piece;
    struct ngrams_scratch *s = n->scratches[p->worker];
    uint32_t words;
    bool cut;
    TRY(ngrams_read(&n->shape, d->text, s, &words, &cut, err));
    if (p->count == p->cap) {
        widen(n, p);
    }
    p->rows[p->count] =
        (struct store_row){.id = hash64(d->id, 0),
                           .key = hash64(d->text, 0),
                           .tokens = words,
                           .targets = words,
                           .flags = (cut ? STORE_CUT : 0U) | (words == 0 ? STORE_EMPTY : 0U)};
    if (n->vectors) {
        ngrams_vector(&n->shape, &n->counts, s, p->vectors + p->count * n->shape.dim);
    } else {
        ngrams_buckets(s, &p->buckets);
    }
    p->ends[p->count++] = p->buckets.len;
    return WINNOW_OK;
}

/* ---- first pass ---- */

static winnow_status grow(struct ngram_making *n, size_t more, struct winnow_error *err)
{
    struct making *m = n->m;
    struct feature_texts *t = &m->texts;
    TRY(memory_need(m->env->memory_max, "features of as many documents",
                    mem_resident() + more * 2 * sizeof *t->rows, "take the first with --limit",
                    err));
    if (t->count + more <= t->cap) {
        return WINNOW_OK;
    }
    size_t cap = t->count + more + t->cap / 2 + 1024;
    if (!mem_try_grow((void **)&t->rows, t->count * sizeof *t->rows, cap * sizeof *t->rows)) {
        return error_set(err, WINNOW_E_NOMEM, "no memory for the rows of %zu documents", cap);
    }
    t->cap = cap;
    return WINNOW_OK;
}

static void take_row(struct ngram_making *n, const struct piece *p, size_t i)
{
    struct feature_texts *t = &n->m->texts;
    struct store_row row = p->rows[i];
    size_t from = i > 0 ? p->ends[i - 1] : 0;
    const uint64_t hashed[2] = {row.id, row.key};
    row.ordinal = t->count;
    hash64_stream_add(n->hash, (struct str){(const char *)hashed, sizeof hashed});
    if (!n->given) {
        ngrams_count(&n->counts, p->buckets.ptr + from, p->ends[i] - from);
    }
    t->rows[t->count++] = row;
    t->tokens += row.tokens;
    t->targets += row.targets;
    t->cut += (row.flags & STORE_CUT) > 0;
    t->empty += (row.flags & STORE_EMPTY) > 0;
}

static winnow_status join_counts(void *ctx, void *piece, bool *stop, struct winnow_error *err)
{
    struct ngram_making *n = ctx;
    const struct piece *p = piece;
    uint64_t limit = n->m->opt.limit;
    winnow_status st = grow(n, p->count, err);
    for (size_t i = 0; st == WINNOW_OK && i < p->count && !*stop; i++) {
        take_row(n, p, i);
        *stop = limit > 0 && n->m->texts.count >= limit;
    }
    piece_free(ctx, piece);
    return st;
}

/* ---- second pass ---- */

static winnow_status put_row(struct ngram_making *n, const struct piece *p, size_t i,
                             struct winnow_error *err)
{
    struct store_writer *w = &n->m->writer;
    const struct store_row *row = &w->rows[n->next];
    if (row->id != p->rows[i].id || row->key != p->rows[i].key) {
        return error_set(err, WINNOW_E_FORMAT,
                         "document %zu of the input was another one when it was first read: files "
                         "were written to meanwhile",
                         n->next);
    }
    if (row->done || row->flags & STORE_EMPTY) {
        return WINNOW_OK;
    }
    return store_put(w, n->next, 0, p->vectors + i * n->shape.dim, err);
}

static winnow_status join_vectors(void *ctx, void *piece, bool *stop, struct winnow_error *err)
{
    struct ngram_making *n = ctx;
    const struct piece *p = piece;
    winnow_status st = WINNOW_OK;
    for (size_t i = 0; st == WINNOW_OK && i < p->count && !*stop; i++) {
        st = put_row(n, p, i, err);
        *stop = ++n->next == n->m->texts.count;
    }
    if (st == WINNOW_OK) {
        st = store_sync_now_and_then(&n->m->writer, err);
    }
    piece_free(ctx, piece);
    return st;
}

/* ---- both ---- */

static winnow_status pass(struct ngram_making *n, const struct shard_list *shards, bool vectors,
                          struct winnow_error *err)
{
    const struct features_job *job = n->m->job;
    const struct document_keys own = {.text = n->m->opt.text_key, .id = n->m->opt.id_key};
    const struct scan_ops ops = {.ctx = n,
                                 .new_piece = piece_new,
                                 .document = read_document,
                                 .join = vectors ? join_vectors : join_counts,
                                 .free_piece = piece_free};
    const struct scan_options how = {.keys = job->keys ? job->keys : &own,
                                     .line_max = job->line_max,
                                     .progress = vectors ? "vectors" : "words of vectors",
                                     .instead = "leave such lines out of the input"};
    struct scan_counts counts = {0};
    n->vectors = vectors;
    return scan_documents(shards, &how, n->m->pool, n->m->env, &ops, &counts, err);
}

static void describe(struct ngram_making *n)
{
    n->m->writer.parts[0] = (struct store_part){.weights = ngrams_counts_hash(&n->counts)};
    n->m->writer.head = (struct store_head){.kind = STORE_TEXT,
                                            .sketch = STORE_NGRAMS,
                                            .parts = 1,
                                            .dim = n->shape.dim,
                                            .rows = n->m->texts.count,
                                            .rank = n->shape.words | n->shape.characters << 8,
                                            .form = NGRAMS_FORM,
                                            .corpus = n->m->texts.hash};
}

/* The counts lie beside the store before it has its name. */
static winnow_status start(struct ngram_making *n, struct winnow_error *err)
{
    struct making *m = n->m;
    struct buf path = {0};
    describe(n);
    m->writer.rows = m->texts.rows;
    m->texts.rows = NULL;
    winnow_status st = ngrams_counts_write(&n->counts, &n->shape,
                                           file_join(&path, m->job->output, NGRAMS_FILE), err);
    if (st == WINNOW_OK) {
        st = store_start(&m->writer, file_join(&path, m->job->work, STORE_FILE), err);
    }
    buf_release(&path);
    TRY(st);
    return making_check_disk(m, err);
}

static winnow_status make_over(struct ngram_making *n, const struct shard_list *shards,
                               struct winnow_error *err)
{
    struct making *m = n->m;
    account_warn_skipped(shards->account, m->env);
    TRY(pass(n, shards, false, err));
    m->texts.hash = hash64_stream_value(n->hash);
    account_warn_bad(shards->account, m->env);
    account_add(&m->texts.account, shards->account);
    TRY(account_need_documents(shards->account, err));
    if (m->texts.empty == m->texts.count) {
        return error_set(err, WINNOW_E_FORMAT,
                         "none of the %zu documents has a word: there is nothing to compare",
                         m->texts.count);
    }
    TRY(start(n, err));
    return pass(n, shards, true, err);
}

static winnow_status find_and_make(struct ngram_making *n, struct winnow_error *err)
{
    struct making *m = n->m;
    if (m->job->shards) {
        struct shard_list borrowed = *m->job->shards;
        struct input_account account = {0};
        borrowed.account = &account;
        winnow_status st = make_over(n, &borrowed, err);
        account_release(&account);
        return st;
    }
    struct shard_list shards = {0};
    struct winnow_list files;
    TRY(spool_paths(&m->job->paths, m->job->work, m->env, &m->keep, &files, err));
    const struct shards_options find = {.paths = files, .kind = SHARDS_DOCUMENTS, .env = m->env};
    winnow_status st = shards_find(&find, &shards, err);
    st = st == WINNOW_OK ? make_over(n, &shards, err) : st;
    shard_list_release(&shards);
    return st;
}

static winnow_status take_counts(struct ngram_making *n, struct winnow_error *err)
{
    if (!n->m->opt.like) {
        ngrams_counts_init(&n->counts);
        return WINNOW_OK;
    }
    struct buf path = {0};
    winnow_status st = ngrams_counts_read(&n->counts, &n->shape,
                                          file_join(&path, n->m->opt.like, NGRAMS_FILE), err);
    buf_release(&path);
    n->given = true;
    return st;
}

winnow_status ngram_store_make(struct making *m, struct winnow_error *err)
{
    struct ngram_making n = {
        .m = m,
        .shape = {m->opt.dim > 0 ? m->opt.dim : NGRAMS_DIM, m->opt.words, m->opt.characters}};
    uint32_t threads = pool_threads(m->pool);
    TRY(memory_need(m->env->memory_max, "features",
                    NGRAMS_PROGRAM + threads * NGRAMS_SCRATCH + NGRAMS_BUCKETS * sizeof(uint32_t) +
                        (m->job->of ? mem_resident() : 0),
                    "use fewer threads (-t)", err));
    n.scratches = mem_zalloc(threads * sizeof *n.scratches); /* NOLINT: pointers */
    for (uint32_t i = 0; i < threads; i++) {
        n.scratches[i] = ngrams_scratch_new();
    }
    n.hash = hash64_stream_new(0);
    winnow_status st = take_counts(&n, err);
    st = st == WINNOW_OK ? find_and_make(&n, err) : st;
    hash64_stream_free(n.hash);
    for (uint32_t i = 0; i < threads; i++) {
        ngrams_scratch_free(n.scratches[i]);
    }
    mem_free((void *)n.scratches);
    ngrams_counts_release(&n.counts);
    return st;
}
