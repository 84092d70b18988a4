/* texts.c -- encoding on all threads, joined in order.
 *
 * A corpus too large for bytes_max is sampled by key: each time the text taken
 * passes the bound, the share that is taken is halved and what no longer belongs
 * is dropped.  What remains is the largest of the nested samples 1, 1/2, 1/4, ...
 * that fits, which depends on the documents only, not on their order. */
#include "prove/texts.h"

#include "base/env.h"
#include "base/grow.h"
#include "base/hash.h"
#include "base/mem.h"
#include "corpus/packing.h"
#include "corpus/split.h"
#include "corpus/texts.h"
#include "train/small_model.h"

#include <assert.h>
#include <stdio.h>

#define COPY_BYTES    80U  /* of the map that numbers copies, a text */
#define HELD_BYTES    128U /* of a held-out text beside it */
#define NAME_BYTES    96U  /* of a source's name beside it: a map's place and entry */
#define LOADING_BYTES ((uint64_t)24 << 20) /* blocks on their way */

void source_names_release(struct source_names *s)
{
    map_release(&s->map);
}

struct str source_name(const struct source_names *s, uint32_t source)
{
    return s->map.entries[source].key;
}

/* The document's own "source", else its shard's name up to the first folder or
 * extension. */
static uint32_t source_of(struct source_names *names, struct str source)
{
    bool is_new;
    uint64_t *v = map_put(&names->map, source, &is_new);
    if (is_new) {
        *v = names->map.count - 1;
        names->bytes += source.len + NAME_BYTES;
    }
    return (uint32_t)*v;
}

static struct str source_text(const struct document *d, const char *shard)
{
    if (d->source.len > 0) {
        return d->source;
    }
    struct str s = shard_stem(shard);
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] == '/') {
            return str_sub(s, 0, i);
        }
    }
    return s;
}

void text_set_release(struct text_set *t)
{
    token_docs_release(&t->docs);
    account_release(&t->account);
    mem_free(t->meta);
    *t = (struct text_set){0};
}

void held_set_release(struct held_set *h)
{
    mem_free(h->items);
    account_release(&h->account);
    arena_release(&h->keep);
    *h = (struct held_set){0};
}

static void held_add(struct held_set *h, struct held_text item)
{
    GROW(h->items, h->count, h->cap, 256);
    if (!h->keep.block_size) {
        arena_init(&h->keep, (size_t)1 << 20);
    }
    item.text.ptr = arena_strndup(&h->keep, item.text.ptr, item.text.len);
    item.id.ptr = arena_strndup(&h->keep, item.id.ptr, item.id.len);
    h->bytes += item.text.len;
    h->items[h->count++] = item;
}

/* ---- loading ---- */

struct piece_held {
    size_t text_at, text_len, id_at, id_len;
    uint64_t key;
    uint32_t source; /* in the piece's names */
};

/* What one block gives; sources are numbered within the piece. */
struct piece {
    uint32_t worker;
    struct token_docs docs;
    struct text_meta *meta;
    size_t meta_cap;
    struct map sources;
    struct buf held_bytes;
    struct piece_held *held;
    size_t held_count, held_cap;
    uint64_t read;
};

struct loader {
    const struct text_load *load;
    uint64_t memory_max, before; /* --memory; of it, what there was before the first document */
    struct source_names *names;
    uint64_t named; /* bytes of the names that there were before */
    struct text_set *out;
    struct map copies; /* key -> documents of it so far */
    struct tokenizer_scratch **scratch;
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
    token_docs_release(&p->docs);
    mem_free(p->meta);
    map_release(&p->sources);
    buf_release(&p->held_bytes);
    mem_free(p->held);
    mem_free(p);
}

static uint32_t piece_source(struct piece *p, struct str source)
{
    bool is_new;
    uint64_t *v = map_put(&p->sources, source, &is_new);
    if (is_new) {
        *v = p->sources.count - 1;
    }
    return (uint32_t)*v;
}

static void piece_hold_out(struct piece *p, const struct document *d, uint64_t key, uint32_t source)
{
    GROW(p->held, p->held_count, p->held_cap, 64);
    p->held[p->held_count++] = (struct piece_held){
        p->held_bytes.len, d->text.len, p->held_bytes.len + d->text.len, d->id.len, key, source};
    buf_add_str(&p->held_bytes, d->text);
    buf_add_str(&p->held_bytes, d->id);
}

static winnow_status load_document(void *ctx, void *piece, const struct document *d,
                                   const char *shard, struct winnow_error *err)
{
    struct loader *l = ctx;
    struct piece *p = piece;
    float weight = 1;
    uint64_t key = split_key(d->text);
    p->read++;
    if (l->load->heldout_share > 0 && split_is_heldout(key, l->load->heldout_share)) {
        piece_hold_out(p, d, key, piece_source(p, source_text(d, shard)));
        return WINNOW_OK;
    }
    /* out->sampled changes between rounds only, when no worker runs */
    if (split_unit(key, 0, "sample") >= l->out->sampled) {
        return WINNOW_OK;
    }
    if (l->load->weigh) {
        TRY(l->load->weigh(l->load->weigh_ctx, d, &weight, err));
    }
    GROW(p->meta, p->docs.count, p->meta_cap, 256);
    uint64_t id = hash64(d->id, 0);
    p->meta[p->docs.count] =
        (struct text_meta){.key = key,
                           .id = id > 0 ? id : 1,
                           .source = piece_source(p, source_text(d, shard)),
                           .bytes = d->text.len < UINT32_MAX ? (uint32_t)d->text.len : UINT32_MAX,
                           .weight = weight,
                           .named = d->source.len > 0};
    tokenizer_encode(l->load->tokenizer, l->scratch[p->worker], d->text, TOKENIZER_PLAIN_SPECIAL,
                     &p->docs.tokens);
    token_docs_end(&p->docs);
    return WINNOW_OK;
}

static void append(struct text_set *t, const struct token_docs *docs, size_t i,
                   struct text_meta meta)
{
    size_t n;
    const uint32_t *tokens = token_docs_at(docs, i, &n);
    memcpy(u32_list_reserve(&t->docs.tokens, n), tokens, n * sizeof *tokens);
    t->docs.tokens.len += n;
    GROW(t->meta, t->docs.count, t->meta_cap, 1024);
    t->meta[t->docs.count] = meta;
    t->bytes += meta.bytes;
    token_docs_end(&t->docs);
}

/* Drops what lies outside of the share that is taken now. */
static void shrink(struct text_set *t)
{
    t->sampled /= 2;
    size_t kept = 0, at = 0, start = 0;
    t->bytes = 0;
    for (size_t i = 0; i < t->docs.count; i++) {
        size_t end = t->docs.ends[i], n = end - start;
        if (split_unit(t->meta[i].key, 0, "sample") < t->sampled) {
            memmove(t->docs.tokens.ptr + at, t->docs.tokens.ptr + start,
                    n * sizeof *t->docs.tokens.ptr);
            at += n;
            t->meta[kept] = t->meta[i];
            t->bytes += t->meta[i].bytes;
            t->docs.ends[kept++] = at;
        }
        start = end;
    }
    t->docs.count = kept;
    t->docs.tokens.len = at;
}

/* What is held of a corpus: tokens, rows, and a number for each text of its own. */
static uint64_t held_of(const struct loader *l)
{
    const struct text_set *t = l->out;
    uint64_t rows = t->docs.count * (sizeof *t->meta + sizeof *t->docs.ends);
    uint64_t held = l->load->held ? l->load->held->bytes : 0;
    return t->docs.tokens.len * sizeof *t->docs.tokens.ptr + rows + l->copies.count * COPY_BYTES +
           held + l->names->bytes - l->named;
}

/* How many tokens a corpus has is known when it is read. */
static winnow_status check_room(const struct loader *l, struct winnow_error *err)
{
    uint64_t rest = l->load->memory_rest > LOADING_BYTES ? l->load->memory_rest : LOADING_BYTES;
    char what[96];
    (void)snprintf(what, sizeof what, "%s: the first %zu documents as tokens, with a model beside,",
                   l->load->command, l->out->docs.count);
    return memory_need(l->memory_max, what, l->before + held_of(l) + rest, l->load->remedy, err);
}

static winnow_status load_join(void *ctx, void *piece, bool *stop, struct winnow_error *err)
{
    struct loader *l = ctx;
    struct piece *p = piece;
    struct text_set *t = l->out;
    uint32_t *sources = mem_alloc((p->sources.count + 1) * sizeof *sources);
    for (size_t i = 0; i < p->sources.count; i++) {
        sources[i] = source_of(l->names, p->sources.entries[i].key);
    }
    for (size_t i = 0; i < p->held_count; i++) {
        const struct piece_held *h = &p->held[i];
        t->documents_held_out++;
        if (l->load->held) {
            held_add(l->load->held,
                     (struct held_text){{p->held_bytes.ptr + h->text_at, h->text_len},
                                        {p->held_bytes.ptr + h->id_at, h->id_len},
                                        h->key,
                                        sources[h->source]});
        }
    }
    t->documents_read += p->read;
    for (size_t i = 0; i < p->docs.count && !*stop; i++) {
        struct text_meta m = p->meta[i];
        if (split_unit(m.key, 0, "sample") >= t->sampled) {
            continue;
        }
        m.source = sources[m.source];
        struct str key = {(const char *)&m.key, sizeof m.key};
        uint64_t *copies = map_put(&l->copies, key, NULL);
        m.copy = (uint32_t)(*copies)++;
        append(t, &p->docs, i, m);
        *stop = l->load->limit > 0 && t->docs.count >= l->load->limit;
        while (l->load->bytes_max > 0 && t->bytes > l->load->bytes_max && t->docs.count > 1) {
            shrink(t);
        }
    }
    mem_free(sources);
    piece_free(ctx, p);
    return check_room(l, err);
}

winnow_status text_set_load(const struct text_load *load, struct pool *pool,
                            const struct winnow_env *env, struct source_names *names,
                            struct text_set *out, struct winnow_error *err)
{
    struct shard_list shards = {0};
    const struct shards_options find = {.paths = load->paths, .kind = SHARDS_DOCUMENTS, .env = env};
    *out = (struct text_set){.sampled = 1};
    struct loader l = {.load = load,
                       .names = names,
                       .named = names->bytes,
                       .out = out,
                       .memory_max = env->memory_max,
                       .before = env->memory_max > 0 ? mem_resident() : 0};
    uint32_t threads = pool_threads(pool);
    l.scratch = mem_zalloc(threads * sizeof(struct tokenizer_scratch *));
    for (uint32_t i = 0; i < threads; i++) {
        l.scratch[i] = tokenizer_scratch_new(load->tokenizer);
    }
    const struct scan_ops ops = {&l, piece_new, load_document, load_join, piece_free, NULL};
    const struct scan_options scan = {.keys = load->keys,
                                      .instead = "leave such lines out of the input"};
    struct scan_counts counts = {0};
    winnow_status st = shards_find(&find, &shards, err);
    if (st == WINNOW_OK) {
        account_warn_skipped(shards.account, env);
        st = scan_documents(&shards, &scan, pool, env, &ops, &counts, err);
        account_warn_bad(shards.account, env);
    }
    if (st == WINNOW_OK) {
        account_add(&out->account, shards.account);
        st = account_need_documents(shards.account, err);
    }
    out->documents_bad = counts.bad;
    for (uint32_t i = 0; i < threads; i++) {
        tokenizer_scratch_free(l.scratch[i]);
    }
    mem_free(l.scratch);
    map_release(&l.copies);
    shard_list_release(&shards);
    return st;
}

winnow_status held_set_load(const struct winnow_list *paths, const struct document_keys *keys,
                            const struct winnow_env *env, struct source_names *names,
                            struct held_set *out, struct winnow_error *err)
{
    struct shard_list shards = {0};
    const struct shards_options find = {.paths = *paths, .kind = SHARDS_DOCUMENTS, .env = env};
    winnow_status st = shards_find(&find, &shards, err);
    struct winnow_text_result read = {0};
    struct texts t = {0};
    texts_over(&t, &shards, keys, env, &read);
    bool more = st == WINNOW_OK;
    uint64_t before = mem_resident() + LOADING_BYTES, named = names->bytes;
    while (st == WINNOW_OK && more) {
        struct document d;
        st = texts_next(&t, &d, &more, err);
        if (st == WINNOW_OK && more) {
            held_add(out, (struct held_text){d.text, d.id, split_key(d.text),
                                             source_of(names, source_text(&d, texts_shard(&t)))});
            st = memory_need(env->memory_max, "prove with these held-out texts",
                             before + out->bytes + out->count * HELD_BYTES + names->bytes - named,
                             "hold out fewer (--heldout, --clean)", err);
        }
    }
    if (st == WINNOW_OK) {
        account_warn_skipped(shards.account, env);
        account_warn_bad(shards.account, env);
        account_add(&out->account, shards.account);
        st = account_need_documents(shards.account, err);
    }
    texts_release(&t);
    shard_list_release(&shards);
    return st;
}

/* ---- tokenizer ---- */

struct training_text {
    struct texts texts;
    double heldout_share, sample;
};

static winnow_status next_training_text(void *ctx, struct str *text, bool *more,
                                        struct winnow_error *err)
{
    struct training_text *t = ctx;
    for (;;) {
        struct document d;
        TRY(texts_next(&t->texts, &d, more, err));
        if (!*more) {
            return WINNOW_OK;
        }
        uint64_t key = split_key(d.text);
        if (!split_is_heldout(key, t->heldout_share) &&
            split_unit(key, 0, "tokenizer") < t->sample) {
            *text = d.text;
            return WINNOW_OK;
        }
    }
}

static bool compressed(const char *path)
{
    return packing_of_name(str_of(path)) != PACKING_PLAIN;
}

winnow_status text_tokenizer_train(const struct text_tokenizer *opt, const struct winnow_env *env,
                                   struct tokenizer **out, struct winnow_error *err)
{
    struct shard_list shards = {0};
    const struct shards_options find = {.paths = opt->paths, .kind = SHARDS_DOCUMENTS, .env = env};
    winnow_status st = shards_find(&find, &shards, err);
    if (st != WINNOW_OK) {
        shard_list_release(&shards);
        return st;
    }
    double bytes = 1;
    for (size_t i = 0; i < shards.count; i++) {
        bytes += (double)shards.items[i].bytes * (compressed(shards.items[i].path) ? 4 : 1);
    }
    struct winnow_text_result read = {0};
    struct training_text t = {.heldout_share = opt->heldout_share,
                              .sample = (double)opt->sample_bytes / bytes};
    texts_over(&t.texts, &shards, opt->keys, env, &read);
    st = small_model_train_tokenizer(opt->vocab, env, next_training_text, &t, out, err);
    st = st == WINNOW_OK ? account_need_documents(shards.account, err) : st;
    texts_release(&t.texts);
    shard_list_release(&shards);
    return st;
}
