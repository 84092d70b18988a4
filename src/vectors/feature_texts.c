/* feature_texts.c -- one pass over the corpus on all threads; tokens go to a file in the order of
 * the input, rows stay in memory. */
#include "vectors/feature_texts.h"

#include "base/env.h"
#include "base/mem.h"
#include "corpus/scan.h"
#include "corpus/spool.h"
#include "train/example_text.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define AROUND_BYTES ((size_t)1 << 16) /* that the system maps along with a page */

void feature_texts_release(struct feature_texts *t)
{
    mem_free(t->rows);
    mem_free(t->places);
    mem_free(t->weights);
    file_map_close(&t->map);
    account_release(&t->account);
    *t = (struct feature_texts){0};
}

/* A block's documents, in order. */
struct piece {
    struct store_row *rows;
    float *weights;
    size_t count, cap;
    struct u32_list tokens; /* tokens, then targets, document behind document */
    uint64_t not_prompted;
    uint32_t worker;
};

struct reader {
    const struct feature_reading *r;
    const struct winnow_env *env;
    struct feature_texts *out;
    struct example_encoder **encoders; /* a worker each */
    struct example_text *examples;
    uint32_t threads;
    uint64_t ordinal, place;
    struct hash64_stream *hash;
    struct buf path;
    int fd;
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
    mem_free(p->weights);
    u32_list_release(&p->tokens);
    mem_free(p);
}

static void append(struct u32_list *to, const struct u32_list *from)
{
    memcpy(u32_list_reserve(to, from->len + 1), from->ptr, from->len * sizeof *from->ptr);
    to->len += from->len;
}

static winnow_status read_document(void *ctx, void *piece, const struct document *d,
                                   const char *shard, struct winnow_error *err)
{
    (void)shard;
    struct reader *r = ctx;
    struct piece *p = piece;
    struct example_text *e = &r->examples[p->worker];
    float weight = 1;
    if (r->r->weigh) {
        TRY(r->r->weigh(r->r->weigh_ctx, d, &weight, err));
    }
    example_encode(r->encoders[p->worker], d->json, d->text, e);
    if (p->count == p->cap) {
        size_t cap = p->cap > 0 ? 2 * p->cap : 64;
        p->rows = mem_realloc(p->rows, p->cap * sizeof *p->rows, cap * sizeof *p->rows);
        p->weights = mem_realloc(p->weights, p->cap * sizeof *p->weights, cap * sizeof *p->weights);
        p->cap = cap;
    }
    struct str bytes = {(const char *)e->tokens.ptr, e->tokens.len * sizeof *e->tokens.ptr};
    bool empty = e->count == 0;
    p->weights[p->count] = weight;
    p->rows[p->count++] =
        (struct store_row){.id = hash64(d->id, 0),
                           .key = hash64(bytes, 0),
                           .ordinal = d->ordinal, /* in its block; shifted when pieces are joined */
                           .tokens = empty ? 0 : (uint32_t)e->tokens.len,
                           .targets = e->count,
                           .flags = (e->cut ? STORE_CUT : 0U) | (empty ? STORE_EMPTY : 0U)};
    p->not_prompted += !e->prompted;
    if (!empty) {
        append(&p->tokens, &e->tokens);
        append(&p->tokens, &e->targets);
    }
    return WINNOW_OK;
}

static winnow_status grow(struct reader *r, size_t more, struct winnow_error *err)
{
    struct feature_texts *t = r->out;
    uint64_t each = 2 * sizeof *t->rows + sizeof *t->places; /* the writer has rows of its own */
    const char *what = r->r->what ? r->r->what : "features of as many documents";
    TRY(memory_need(r->env->memory_max, what, r->r->memory_rest + (t->count + more) * each,
                    "take the first with --limit", err));
    if (t->count + more <= t->cap) {
        return WINNOW_OK;
    }
    size_t cap = t->count + more + t->cap / 2 + 1024;
    if (!mem_try_grow((void **)&t->rows, t->count * sizeof *t->rows, cap * sizeof *t->rows) ||
        !mem_try_grow((void **)&t->places, t->count * sizeof *t->places, cap * sizeof *t->places) ||
        (r->r->weigh && !mem_try_grow((void **)&t->weights, t->count * sizeof *t->weights,
                                      cap * sizeof *t->weights))) {
        return error_set(err, WINNOW_E_NOMEM, "no memory for the rows of %zu documents", cap);
    }
    t->cap = cap;
    return WINNOW_OK;
}

static void take_row(struct reader *r, struct store_row row, float weight)
{
    struct feature_texts *t = r->out;
    row.ordinal = r->ordinal++;
    const uint64_t hashed[2] = {row.id, row.key};
    hash64_stream_add(r->hash, (struct str){(const char *)hashed, sizeof hashed});
    t->places[t->count] = r->place;
    if (t->weights) {
        t->weights[t->count] = weight;
    }
    t->rows[t->count++] = row;
    r->place += 2 * (uint64_t)row.tokens;
    t->tokens += row.tokens;
    t->targets += row.targets;
    t->cut += (row.flags & STORE_CUT) > 0;
    t->empty += (row.flags & STORE_EMPTY) > 0;
    t->longest = row.tokens > t->longest ? row.tokens : t->longest;
}

static winnow_status join(void *ctx, void *piece, bool *stop, struct winnow_error *err)
{
    struct reader *r = ctx;
    struct piece *p = piece;
    uint64_t from = r->place;
    winnow_status st = grow(r, p->count, err);
    for (size_t i = 0; st == WINNOW_OK && i < p->count && !*stop; i++) {
        take_row(r, p->rows[i], p->weights[i]);
        *stop = r->r->limit > 0 && r->out->count >= r->r->limit;
    }
    if (st == WINNOW_OK) {
        r->out->not_prompted += p->not_prompted;
        const struct str bytes = {(const char *)p->tokens.ptr,
                                  (r->place - from) * sizeof *p->tokens.ptr};
        st = file_write_fd(r->fd, bytes, buf_cstr(&r->path), err);
    }
    piece_free(ctx, p);
    return st;
}

static winnow_status scan(struct reader *r, struct shard_list *shards, struct pool *pool,
                          struct winnow_error *err)
{
    const struct scan_ops ops = {.ctx = r,
                                 .new_piece = piece_new,
                                 .document = read_document,
                                 .join = join,
                                 .free_piece = piece_free};
    struct scan_counts counts = {0};
    account_warn_skipped(shards->account, r->env);
    const struct scan_options how = {.keys = &r->r->keys,
                                     .line_max = r->r->line_max,
                                     .instead = "leave such lines out of the input"};
    TRY(scan_documents(shards, &how, pool, r->env, &ops, &counts, err));
    account_warn_bad(shards->account, r->env);
    account_add(&r->out->account, shards->account);
    return account_need_documents(shards->account, err);
}

/* The shards that were given stay whose they are, with an account of their own. */
static winnow_status find_and_scan(struct reader *r, struct pool *pool, struct winnow_error *err)
{
    if (r->r->shards) {
        struct shard_list borrowed = *r->r->shards;
        struct input_account account = {0};
        borrowed.account = &account;
        winnow_status st = scan(r, &borrowed, pool, err);
        account_release(&account);
        return st;
    }
    struct shard_list shards = {0};
    const struct shards_options find = {
        .paths = r->r->paths, .kind = SHARDS_DOCUMENTS, .env = r->env};
    winnow_status st = shards_find(&find, &shards, err);
    st = st == WINNOW_OK ? scan(r, &shards, pool, err) : st;
    shard_list_release(&shards);
    return st;
}

static winnow_status cannot_write(const char *path, struct winnow_error *err)
{
    char text[128];
    const char *reason = strerror_r(errno, text, sizeof text);
    return error_set(err, WINNOW_E_IO, "cannot write %s: %s", path, reason);
}

static winnow_status spool_tokens(struct reader *r, struct pool *pool, struct winnow_error *err)
{
    const char *path = file_join(&r->path, r->r->folder, "tokens.bin");
    r->fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (r->fd < 0) {
        return cannot_write(path, err);
    }
    winnow_status st = find_and_scan(r, pool, err);
    if (close(r->fd) != 0 && st == WINNOW_OK) {
        st = cannot_write(path, err);
    }
    return st == WINNOW_OK ? file_map_open(path, &r->out->map, err) : st;
}

winnow_status feature_texts_read(const struct feature_reading *how, struct pool *pool,
                                 const struct winnow_env *env, struct feature_texts *out,
                                 struct winnow_error *err)
{
    struct reader r = {.r = how, .env = env, .out = out, .threads = pool_threads(pool), .fd = -1};
    *out = (struct feature_texts){0};
    r.encoders = mem_zalloc(r.threads * sizeof(struct example_encoder *));
    r.examples = mem_zalloc(r.threads * sizeof *r.examples);
    for (uint32_t i = 0; i < r.threads; i++) {
        r.encoders[i] = example_encoder_new(how->tokenizer, how->context);
    }
    r.hash = hash64_stream_new(0);
    winnow_status st = spool_tokens(&r, pool, err);
    out->hash = hash64_stream_value(r.hash);
    hash64_stream_free(r.hash);
    for (uint32_t i = 0; i < r.threads; i++) {
        example_encoder_free(r.encoders[i]);
        example_text_release(&r.examples[i]);
    }
    mem_free((void *)r.encoders);
    mem_free(r.examples);
    buf_release(&r.path);
    return st;
}

/* What was read of the file need not stay in memory; the pages beside it came along. */
static void let_go(const struct feature_texts *t, size_t at, size_t bytes)
{
    size_t from = at > AROUND_BYTES ? at - AROUND_BYTES : 0;
    size_t to = at + bytes + AROUND_BYTES;
    file_map_forget(str_sub(t->map.bytes, from, to < t->map.bytes.len ? to : t->map.bytes.len));
}

void feature_texts_batch(const struct feature_texts *t, const size_t *rows, size_t count,
                         struct tune_batch *out)
{
    const uint32_t *all = (const uint32_t *)(const void *)t->map.bytes.ptr;
    out->tokens.len = out->targets.len = out->starts.len = 0;
    u32_list_add(&out->starts, 0);
    for (size_t i = 0; i < count; i++) {
        uint32_t n = t->rows[rows[i]].tokens;
        const uint32_t *from = all + t->places[rows[i]];
        memcpy(u32_list_reserve(&out->tokens, n + 1), from, n * sizeof *from);
        memcpy(u32_list_reserve(&out->targets, n + 1), from + n, n * sizeof *from);
        out->tokens.len += n;
        out->targets.len += n;
        u32_list_add(&out->starts, (uint32_t)out->tokens.len);
        let_go(t, t->places[rows[i]] * sizeof *from, 2 * (size_t)n * sizeof *from);
    }
    out->batch = (struct token_batch){out->tokens.ptr, out->starts.ptr, count, out->targets.ptr};
}
