/* bpe_train.c -- learns merges from word counts.
 *
 * Again and again the pair of neighbours that occurs most often becomes a token
 * (Gage 1994, Sennrich et al. 2016).  A pair knows the words it was seen in, so
 * that a merge touches those only.  The queue is a heap that is put right late:
 * an entry whose count is no longer the pair's goes back with the true one.
 * Equal counts go to the smaller ids, as in `tokenizers`, whose BpeTrainer this
 * equals: special tokens first, then the 256 bytes in the order of their
 * characters in the byte alphabet, then the merges.
 *
 * Cost: counting is linear in the text; a merge in the words it changes.
 * Memory: 12 bytes a symbol of the distinct words, 8 a pair's sight of a word.
 */
#include "base/env.h"
#include "base/grow.h"
#include "base/mem.h"
#include "token/train_internal.h"

#include <assert.h>
#include <stdlib.h>

/* A distinct word as symbols[start .. start+len), len shrinking by merges. */
struct train_word {
    size_t start;
    uint32_t len;
    uint64_t count;
};

/* A sight of a pair in a word; sights of a pair form a list. */
struct sight {
    uint32_t word, next; /* next: index + 1, 0 none */
};

struct pair {
    uint32_t left, right;
    int64_t count;
    uint32_t sights; /* index + 1 of the newest */
    uint32_t last;   /* word + 1 that was added last, to add it once */
    bool grew;       /* in this merge, to be queued */
};

struct queued {
    int64_t count;
    uint32_t pair;
};

struct trainer {
    struct tokenizer *t;
    uint32_t *symbols;
    struct train_word *words;
    size_t word_count;
    struct pair *pairs;
    size_t pair_count, pair_cap;
    uint32_t *slots; /* index + 1 of pairs by (left, right) */
    size_t slot_count;
    struct sight *sights;
    size_t sight_count, sight_cap;
    struct queued *heap;
    size_t heap_len, heap_cap;
    struct u32_list grown;
};

/* ---- pairs ---- */

static size_t pair_slot(const struct trainer *tr, uint32_t left, uint32_t right)
{
    uint64_t h = ((uint64_t)left << 32 | right) * 0x9E3779B97F4A7C15U;
    size_t mask = tr->slot_count - 1, at = (size_t)(h ^ h >> 32) & mask;
    while (tr->slots[at] != 0) {
        const struct pair *p = &tr->pairs[tr->slots[at] - 1];
        if (p->left == left && p->right == right) {
            break;
        }
        at = (at + 1) & mask;
    }
    return at;
}

static void grow_pairs(struct trainer *tr)
{
    size_t cap = tr->pair_cap == 0 ? 4096 : tr->pair_cap * 2;
    tr->pairs = mem_realloc(tr->pairs, tr->pair_cap * sizeof *tr->pairs, cap * sizeof *tr->pairs);
    tr->pair_cap = cap;
    mem_free(tr->slots);
    tr->slot_count = cap * 2;
    tr->slots = mem_zalloc(tr->slot_count * sizeof *tr->slots);
    for (size_t i = 0; i < tr->pair_count; i++) {
        tr->slots[pair_slot(tr, tr->pairs[i].left, tr->pairs[i].right)] = (uint32_t)(i + 1);
    }
}

static struct pair *pair_put(struct trainer *tr, uint32_t left, uint32_t right)
{
    if (tr->pair_count == tr->pair_cap) {
        grow_pairs(tr);
    }
    size_t at = pair_slot(tr, left, right);
    if (tr->slots[at] == 0) {
        tr->pairs[tr->pair_count] = (struct pair){.left = left, .right = right};
        tr->slots[at] = (uint32_t)++tr->pair_count;
    }
    return &tr->pairs[tr->slots[at] - 1];
}

/* Adds by to the pair's count; a gain notes the word. */
static void pair_change(struct trainer *tr, uint32_t left, uint32_t right, int64_t by,
                        uint32_t word)
{
    struct pair *p = pair_put(tr, left, right);
    p->count += by;
    if (by <= 0) {
        return;
    }
    if (!p->grew) {
        p->grew = true;
        u32_list_add(&tr->grown, (uint32_t)(p - tr->pairs));
    }
    if (p->last == word + 1) {
        return;
    }
    p->last = word + 1;
    GROW(tr->sights, tr->sight_count, tr->sight_cap, 65536);
    tr->sights[tr->sight_count] = (struct sight){word, p->sights};
    p->sights = (uint32_t)++tr->sight_count;
}

/* ---- queue ---- */

static bool before(const struct trainer *tr, struct queued a, struct queued b)
{
    if (a.count != b.count) {
        return a.count > b.count;
    }
    const struct pair *p = &tr->pairs[a.pair], *q = &tr->pairs[b.pair];
    return p->left != q->left ? p->left < q->left : p->right < q->right;
}

static void heap_push(struct trainer *tr, struct queued e)
{
    GROW(tr->heap, tr->heap_len, tr->heap_cap, 4096);
    size_t at = tr->heap_len++;
    while (at > 0 && before(tr, e, tr->heap[(at - 1) / 2])) {
        tr->heap[at] = tr->heap[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    tr->heap[at] = e;
}

static struct queued heap_pop(struct trainer *tr)
{
    assert(tr->heap_len > 0);
    struct queued top = tr->heap[0], e = tr->heap[--tr->heap_len];
    size_t at = 0;
    for (size_t child = 1; child < tr->heap_len; child = 2 * at + 1) {
        child += child + 1 < tr->heap_len && before(tr, tr->heap[child + 1], tr->heap[child]);
        if (!before(tr, tr->heap[child], e)) {
            break;
        }
        tr->heap[at] = tr->heap[child];
        at = child;
    }
    tr->heap[at] = e;
    return top;
}

static void queue_grown(struct trainer *tr)
{
    for (size_t i = 0; i < tr->grown.len; i++) {
        struct pair *p = &tr->pairs[tr->grown.ptr[i]];
        p->grew = false;
        if (p->count > 0) {
            heap_push(tr, (struct queued){p->count, tr->grown.ptr[i]});
        }
    }
    tr->grown.len = 0;
}

/* The pair that is merged next; false when all are rarer than count_min. */
static bool next_pair(struct trainer *tr, uint64_t count_min, uint32_t *pair)
{
    while (tr->heap_len > 0) {
        struct queued top = heap_pop(tr);
        int64_t count = tr->pairs[top.pair].count;
        if (top.count != count) {
            if (count > 0) {
                heap_push(tr, (struct queued){count, top.pair});
            }
            continue;
        }
        *pair = top.pair;
        return top.count > 0 && (uint64_t)top.count >= count_min;
    }
    return false;
}

/* ---- words ---- */

/* Replaces each left, right in the word by made. */
static void merge_in_word(struct trainer *tr, uint32_t index, struct pair pair, uint32_t made)
{
    struct train_word *w = &tr->words[index];
    uint32_t *s = tr->symbols + w->start;
    int64_t count = (int64_t)w->count;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < w->len;) {
        if (i + 1 >= w->len || s[i] != pair.left || s[i + 1] != pair.right) {
            s[kept++] = s[i++];
            continue;
        }
        if (kept > 0) {
            pair_change(tr, s[kept - 1], pair.left, -count, index);
            pair_change(tr, s[kept - 1], made, count, index);
        }
        if (i + 2 < w->len) {
            pair_change(tr, pair.right, s[i + 2], -count, index);
            pair_change(tr, made, s[i + 2], count, index);
        }
        s[kept++] = made;
        i += 2;
    }
    w->len = kept;
}

static void merge_pair(struct trainer *tr, uint32_t index, uint32_t made)
{
    struct pair pair = tr->pairs[index];
    tr->pairs[index].sights = 0;
    tr->pairs[index].last = 0;
    for (uint32_t at = pair.sights; at != 0; at = tr->sights[at - 1].next) {
        merge_in_word(tr, tr->sights[at - 1].word, pair, made);
    }
    tr->pairs[index].count = 0;
    queue_grown(tr);
}

/* Each neighbour in a word is a sight, and each merge in it makes up to two more.  Pairs and
 * queue take some 2.5 KB a token, measured on words of random letters, where they are most. */
uint64_t train_bytes(uint64_t words, uint64_t bytes, uint32_t vocab_size)
{
    uint64_t sights = bytes > words ? bytes - words : 0;
    uint64_t pairs = (uint64_t)vocab_size * 2560, most = sights * 12;
    return words * sizeof(struct train_word) + bytes * sizeof(uint32_t) +
           3 * sights * sizeof(struct sight) + (pairs < most ? pairs : most) + ((uint64_t)2 << 20);
}

/* The words as symbols, and the pairs in them; c is empty then. */
static void load_words(struct trainer *tr, struct word_counts *c)
{
    size_t words = 0, symbols = 0;
    for (size_t k = 0; k < WORD_SHARDS; k++) {
        words += c->shards[k].count;
        symbols += c->shards[k].bytes.len;
    }
    assert(words < UINT32_MAX);
    tr->words = mem_alloc(words * sizeof *tr->words);
    tr->symbols = mem_alloc(symbols * sizeof *tr->symbols);
    symbols = 0;
    for (size_t k = 0; k < WORD_SHARDS; k++) {
        struct word_map *m = &c->shards[k];
        for (size_t i = 0; i < m->count; i++) {
            struct str text = word_text(m, &m->words[i]);
            uint32_t index = (uint32_t)tr->word_count++;
            tr->words[index] = (struct train_word){symbols, (uint32_t)text.len, m->words[i].count};
            for (size_t b = 0; b < text.len; b++) {
                tr->symbols[symbols++] = tr->t->byte_ids[(uint8_t)text.ptr[b]];
            }
            const uint32_t *s = tr->symbols + tr->words[index].start;
            for (size_t b = 0; b + 1 < text.len; b++) {
                pair_change(tr, s[b], s[b + 1], (int64_t)m->words[i].count, index);
            }
        }
        word_map_release(m);
    }
    queue_grown(tr);
}

/* ---- the vocabulary ---- */

static winnow_status put_specials(struct tokenizer *t, const struct winnow_list *specials,
                                  struct winnow_error *err)
{
    for (size_t i = 0; i < specials->count; i++) {
        struct str text = str_of(specials->items[i]);
        if (text.len == 0 || map_get(&t->ids, text)) {
            return error_set(err, WINNOW_E_USAGE,
                             "the special token \"%s\" is empty or given twice",
                             specials->items[i]);
        }
        TRY(tokenizer_put(t, text, i, true, err));
        tokenizer_add_added(
            t, (struct added_token){.content = text, .id = (uint32_t)i, .special = true});
    }
    if (specials->count > 0) {
        t->bos = t->eos = 0;
    }
    return WINNOW_OK;
}

/* The bytes in the order of their characters. */
static winnow_status put_bytes(struct tokenizer *t, struct winnow_error *err)
{
    for (uint32_t code = 0x21; code <= 0x143; code++) {
        if (alphabet_byte(code) >= 0) {
            char byte = (char)alphabet_byte(code);
            struct buf text = {0};
            alphabet_add(&text, (struct str){&byte, 1});
            uint32_t *id = &t->byte_ids[(uint8_t)byte];
            *id = t->size;
            winnow_status st = WINNOW_OK;
            if (map_get(&t->ids, buf_str(&text))) {
                *id = (uint32_t)*map_get(&t->ids, buf_str(&text));
            } else {
                st = tokenizer_put(t, buf_str(&text), t->size, true, err);
            }
            buf_release(&text);
            TRY(st);
        }
    }
    return WINNOW_OK;
}

/* train_bytes() is an estimate: what is there is looked at as it grows, with what the next
 * table of pairs takes.  How much more is to come can only be guessed. */
static winnow_status check_room(const struct trainer *tr, const struct winnow_env *env,
                                struct winnow_error *err)
{
    if (env->memory_max == 0 || tr->t->merges.count % 8 != 0) {
        return WINNOW_OK;
    }
    bool grows = tr->pair_cap - tr->pair_count < tr->pair_cap / 16;
    uint64_t held = mem_resident() + (grows ? tr->slot_count * sizeof *tr->slots : 0);
    held += env->memory_max / 64;
    return memory_need(env->memory_max, "training a tokenizer of so many tokens",
                       held > env->memory_max ? held + held / 4 : 0, "lower --vocab", err);
}

static winnow_status learn(struct trainer *tr, const struct tokenizer_train_options *options,
                           const struct winnow_env *env, struct winnow_error *err)
{
    struct tokenizer *t = tr->t;
    struct buf text = {0};
    winnow_status st = WINNOW_OK;
    uint32_t pair = 0;
    while (st == WINNOW_OK && t->size < options->vocab_size &&
           next_pair(tr, options->count_min, &pair)) {
        struct pair p = tr->pairs[pair];
        buf_clear(&text);
        buf_add_str(&text, t->tokens[p.left]);
        buf_add_str(&text, t->tokens[p.right]);
        const uint64_t *known = map_get(&t->ids, buf_str(&text));
        uint32_t made = known ? (uint32_t)*known : t->size;
        if (!known) {
            st = tokenizer_put(t, buf_str(&text), made, true, err);
        }
        uint32_t rank = (uint32_t)t->merges.count;
        merge_table_put(&t->merges, (struct merge){p.left, p.right, rank, made});
        merge_pair(tr, pair, made);
        st = st == WINNOW_OK ? check_room(tr, env, err) : st;
        if (st == WINNOW_OK && rank % 256 == 0) {
            env_progress(env, "learn merges", "tokens", t->size, options->vocab_size);
            st = env_check(env, err);
        }
    }
    buf_release(&text);
    return st;
}

static void trainer_release(struct trainer *tr)
{
    mem_free(tr->symbols);
    mem_free(tr->words);
    mem_free(tr->pairs);
    mem_free(tr->slots);
    mem_free(tr->sights);
    mem_free(tr->heap);
    u32_list_release(&tr->grown);
}

static winnow_status prepare(struct tokenizer *t, const struct tokenizer_train_options *options,
                             struct winnow_error *err)
{
    uint64_t least = 256 + options->specials.count;
    if (options->vocab_size < least || options->vocab_size > TOKENIZER_SIZE_MAX) {
        return error_set(err, WINNOW_E_USAGE,
                         "a vocabulary of %u is out of range: the bytes and special tokens alone "
                         "are %llu",
                         (unsigned)options->vocab_size, (unsigned long long)least);
    }
    TRY(tokenizer_set_byte_level(t, str_of(options->pre), err));
    TRY(tokenizer_reserve(t, options->vocab_size, options->vocab_size, err));
    TRY(put_specials(t, &options->specials, err));
    TRY(put_bytes(t, err));
    t->classes = arena_alloc(&t->keep, CLASSES_SIZE, 1);
    classes_fill(t->classes);
    t->byte_level = true;
    t->fast = scan_only(t);
    normalize_prepare(t);
    if (t->fast == SCAN_NONE) {
        return error_set(err, WINNOW_E_USAGE,
                         "cannot train with the pre-tokenizer \"%s\" (known: gpt2, llama3, qwen2)",
                         options->pre);
    }
    return WINNOW_OK;
}

winnow_status tokenizer_train(const struct tokenizer_train_options *options,
                              const struct winnow_env *env, tokenizer_next_text next_text,
                              void *ctx, struct tokenizer **out, struct winnow_error *err)
{
    struct trainer tr = {.t = tokenizer_new()};
    struct word_counts *counts = mem_zalloc(sizeof *counts);
    winnow_status st = prepare(tr.t, options, err);
    if (st == WINNOW_OK) {
        st = word_counts_read(counts, tr.t, options, env, next_text, ctx, err);
    }
    if (st == WINNOW_OK) {
        load_words(&tr, counts);
        word_counts_release(counts);
        st = learn(&tr, options, env, err);
    } else {
        word_counts_release(counts);
    }
    if (st == WINNOW_OK) {
        st = tokenizer_finish(tr.t, err);
    }
    mem_free(counts);
    trainer_release(&tr);
    if (st != WINNOW_OK) {
        tokenizer_free(tr.t);
        return st;
    }
    *out = tr.t;
    return WINNOW_OK;
}
