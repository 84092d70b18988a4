/* bpe.c -- byte pair encoding of one word.
 *
 * Of all neighbours that some merge joins, the pair of lowest rank is merged,
 * the leftmost where ranks are equal, until none is left (Sennrich et al. 2016).
 * Three ways to the same ids:
 *
 *   - most words were seen before: a direct-mapped cache of one 64-byte line a
 *     word, for words of up to CACHE_KEY bytes and CACHE_IDS ids;
 *   - short words: the ranks of all pairs in an array, scanned for each merge;
 *   - long ones (a megabyte without a space): a heap of pairs, n log n.  Entries
 *     are not taken out when their pair goes; one that is popped counts only if
 *     the symbols at its place still merge at its rank.
 *
 * tests/unit/test_tokenizer.c judges all three by a plain loop.
 */
#include "base/grow.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "token/tokenizer_internal.h"

#include <assert.h>

#define SHORT_WORD 40U

/* Symbols are numbered with 32 bits; a longer word is cut. */
#define WORD_MAX ((size_t)1 << 30)

/* ---- merges ---- */

void merge_table_release(struct merge_table *m)
{
    mem_free(m->slots);
    mem_free(m->list);
    *m = (struct merge_table){0};
}

void merge_table_put(struct merge_table *m, struct merge merge)
{
    GROW(m->list, m->count, m->cap, 1024);
    m->list[m->count++] = merge;
}

static inline size_t merge_slot(const struct merge_table *m, uint32_t left, uint32_t right)
{
    uint64_t h = ((uint64_t)left << 32 | right) * 0x9E3779B97F4A7C15U;
    return (size_t)(h ^ h >> 32) & m->mask;
}

static struct merge *find_place(const struct merge_table *m, uint32_t left, uint32_t right)
{
    size_t at = merge_slot(m, left, right);
    while (m->slots[at].rank != MERGE_NONE &&
           (m->slots[at].left != left || m->slots[at].right != right)) {
        at = (at + 1) & m->mask;
    }
    return &m->slots[at];
}

void merge_table_index(struct merge_table *m)
{
    size_t size = 64;
    while (size < m->count * 2) {
        size *= 2;
    }
    mem_free(m->slots);
    m->slots = mem_alloc(size * sizeof *m->slots);
    m->mask = size - 1;
    for (size_t i = 0; i < size; i++) {
        m->slots[i].rank = MERGE_NONE;
    }
    for (size_t i = 0; i < m->count; i++) {
        *find_place(m, m->list[i].left, m->list[i].right) = m->list[i];
    }
}

/* ---- symbols of a word ---- */

static uint32_t char_id(const struct tokenizer *t, struct str c, uint32_t code)
{
    if (code < CLASSES_SIZE) {
        return t->char_ids[code];
    }
    const uint64_t *id = map_get(&t->ids, c);
    return id && t->in_model[*id] ? (uint32_t)*id : TOKENIZER_NONE;
}

/* Appends the byte tokens of a character that is none itself; false where one
 * of its bytes has no token. */
static bool add_bytes(const struct tokenizer *t, struct str c, struct u32_list *out)
{
    for (size_t i = 0; i < c.len; i++) {
        if (t->byte_ids[(uint8_t)c.ptr[i]] == TOKENIZER_NONE) {
            return false;
        }
    }
    for (size_t i = 0; i < c.len; i++) {
        u32_list_add(out, t->byte_ids[(uint8_t)c.ptr[i]]);
    }
    return true;
}

/* The symbols that merging starts from: bytes or characters.  Unknown ones are
 * unk (neighbours fused into one where the model says so), or nothing. */
static void add_symbols(const struct tokenizer *t, struct str word, struct u32_list *out)
{
    bool unk_waits = false;
    for (size_t at = 0; at < word.len;) {
        uint32_t code = 0, id = TOKENIZER_NONE;
        size_t len = 1;
        if (t->byte_level) {
            id = t->byte_ids[(uint8_t)word.ptr[at]];
        } else {
            len = utf8_decode(word, at, &code);
            id = len > 0 ? char_id(t, str_sub(word, at, at + len), code) : TOKENIZER_NONE;
            len = len > 0 ? len : 1;
        }
        struct str piece = str_sub(word, at, at + len);
        at += len;
        if (id == TOKENIZER_NONE && t->byte_fallback && add_bytes(t, piece, out)) {
            continue;
        }
        if (unk_waits && (id != TOKENIZER_NONE || !t->fuse_unk)) {
            u32_list_add(out, t->unk);
            unk_waits = false;
        }
        if (id != TOKENIZER_NONE) {
            u32_list_add(out, id);
        } else {
            unk_waits = t->unk != TOKENIZER_NONE;
        }
    }
    if (unk_waits) {
        u32_list_add(out, t->unk);
    }
}

/* ---- merging ---- */

static void merge_short(const struct merge_table *m, uint32_t *ids, size_t *count)
{
    uint32_t rank[SHORT_WORD], made[SHORT_WORD];
    size_t n = *count;
    assert(n <= SHORT_WORD);
    for (size_t i = 0; i + 1 < n; i++) {
        const struct merge *f = find_place(m, ids[i], ids[i + 1]);
        rank[i] = f->rank;
        made[i] = f->id;
    }
    while (n > 1) {
        size_t best = 0;
        for (size_t i = 1; i + 1 < n; i++) {
            best = rank[i] < rank[best] ? i : best;
        }
        if (rank[best] == MERGE_NONE) {
            break;
        }
        ids[best] = made[best];
        n--;
        for (size_t i = best + 1; i < n; i++) {
            ids[i] = ids[i + 1];
            rank[i - 1] = rank[i];
            made[i - 1] = made[i];
        }
        for (size_t i = best > 0 ? best - 1 : 0; i <= best && i + 1 < n; i++) {
            const struct merge *f = find_place(m, ids[i], ids[i + 1]);
            rank[i] = f->rank;
            made[i] = f->id;
        }
    }
    *count = n;
}

static void heap_push(struct tokenizer_scratch *s, uint64_t entry)
{
    GROW(s->heap, s->heap_len, s->heap_cap, 1024);
    size_t at = s->heap_len++;
    while (at > 0 && s->heap[(at - 1) / 2] > entry) {
        s->heap[at] = s->heap[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    s->heap[at] = entry;
}

static uint64_t heap_pop(struct tokenizer_scratch *s)
{
    assert(s->heap_len > 0);
    uint64_t top = s->heap[0];
    uint64_t entry = s->heap[--s->heap_len];
    size_t at = 0;
    for (size_t child = 1; child < s->heap_len; child = 2 * at + 1) {
        child += child + 1 < s->heap_len && s->heap[child + 1] < s->heap[child];
        if (s->heap[child] >= entry) {
            break;
        }
        s->heap[at] = s->heap[child];
        at = child;
    }
    s->heap[at] = entry;
    return top;
}

/* Pushes the pair that starts at symbol `at`, if it merges. */
static void push_pair(struct tokenizer_scratch *s, const struct merge_table *m, uint32_t at)
{
    uint32_t next = s->symbols[at].next;
    if (next == BPE_DEAD) {
        return;
    }
    const struct merge *f = find_place(m, s->symbols[at].id, s->symbols[next].id);
    if (f->rank != MERGE_NONE) {
        heap_push(s, (uint64_t)f->rank << 32 | at);
    }
}

static void merge_long(struct tokenizer_scratch *s, const struct merge_table *m, uint32_t *ids,
                       size_t *count)
{
    uint32_t n = (uint32_t)*count;
    if (n > s->symbol_cap) {
        mem_free(s->symbols);
        s->symbols = mem_alloc((size_t)n * sizeof *s->symbols);
        s->symbol_cap = n;
    }
    struct bpe_symbol *symbols = s->symbols;
    for (uint32_t i = 0; i < n; i++) {
        symbols[i] =
            (struct bpe_symbol){ids[i], i > 0 ? i - 1 : BPE_DEAD, i + 1 < n ? i + 1 : BPE_DEAD};
    }
    s->heap_len = 0;
    for (uint32_t i = 0; i + 1 < n; i++) {
        push_pair(s, m, i);
    }
    while (s->heap_len > 0) {
        uint64_t entry = heap_pop(s);
        uint32_t at = (uint32_t)entry, right = symbols[at].next;
        if (symbols[at].id == BPE_DEAD || right == BPE_DEAD) {
            continue;
        }
        const struct merge *f = find_place(m, symbols[at].id, symbols[right].id);
        if (f->rank != (uint32_t)(entry >> 32) || f->rank == MERGE_NONE) {
            continue;
        }
        symbols[at].id = f->id;
        symbols[at].next = symbols[right].next;
        if (symbols[right].next != BPE_DEAD) {
            symbols[symbols[right].next].prev = at;
        }
        symbols[right] = (struct bpe_symbol){BPE_DEAD, BPE_DEAD, BPE_DEAD};
        if (symbols[at].prev != BPE_DEAD) {
            push_pair(s, m, symbols[at].prev);
        }
        push_pair(s, m, at);
    }
    size_t kept = 0;
    for (uint32_t i = 0; i != BPE_DEAD; i = symbols[i].next) {
        ids[kept++] = symbols[i].id;
    }
    assert(kept > 0 && kept <= n);
    *count = kept;
}

/* The id of the whole word where the model takes words it knows as they are. */
static uint32_t whole_word(const struct tokenizer *t, struct tokenizer_scratch *s, struct str word)
{
    if (t->byte_level) {
        buf_clear(&s->mapped);
        alphabet_add(&s->mapped, word);
        word = buf_str(&s->mapped);
    }
    const uint64_t *id = map_get(&t->ids, word);
    return id && t->in_model[*id] ? (uint32_t)*id : TOKENIZER_NONE;
}

/* s->word: the ids of word. */
static void encode_fresh(const struct tokenizer *t, struct tokenizer_scratch *s, struct str word)
{
    s->word.len = 0;
    if (t->ignore_merges) {
        uint32_t id = whole_word(t, s, word);
        if (id != TOKENIZER_NONE) {
            u32_list_add(&s->word, id);
            return;
        }
    }
    add_symbols(t, word, &s->word);
    if (s->word.len <= SHORT_WORD) {
        merge_short(&t->merges, s->word.ptr, &s->word.len);
    } else {
        merge_long(s, &t->merges, s->word.ptr, &s->word.len);
    }
}

/* ---- cache ---- */

static inline uint64_t load8(const char *p)
{
    uint64_t v;
    memcpy(&v, p, 8);
    return v;
}

static inline uint64_t load4(const char *p)
{
    uint32_t v;
    memcpy(&v, p, 4);
    return v;
}

/* All bytes of a word of 1..24, by loads that overlap: with its length they
 * tell it from any other.  Nothing outside of the word is read. */
static inline void load_key(struct str w, uint64_t key[3])
{
    key[1] = key[2] = 0;
    if (w.len >= 8) {
        key[0] = load8(w.ptr);
        key[1] = w.len > 16 ? load8(w.ptr + 8) : load8(w.ptr + w.len - 8);
        key[2] = w.len > 16 ? load8(w.ptr + w.len - 8) : 0;
    } else if (w.len >= 4) {
        key[0] = load4(w.ptr) | load4(w.ptr + w.len - 4) << 32;
    } else {
        key[0] = (uint64_t)(uint8_t)w.ptr[0] | (uint64_t)(uint8_t)w.ptr[w.len / 2] << 8 |
                 (uint64_t)(uint8_t)w.ptr[w.len - 1] << 16;
    }
}

static inline size_t cache_index(const uint64_t key[3], size_t len)
{
    uint64_t h = key[0] * 0x9E3779B97F4A7C15U;
    h ^= (key[1] + len) * 0xC2B2AE3D27D4EB4FU;
    h ^= key[2] * 0x165667B19E3779F9U;
    h ^= h >> 29;
    return (size_t)((h * 0xBF58476D1CE4E5B9U) >> 32) & (CACHE_LINES - 1);
}

static void encode_uncached(const struct tokenizer *t, struct tokenizer_scratch *s, struct str word,
                            struct u32_list *out)
{
    while (word.len > 0) {
        size_t len = word.len < WORD_MAX ? word.len : WORD_MAX;
        encode_fresh(t, s, str_sub(word, 0, len));
        if (s->word.len > 0) {
            memcpy(u32_list_reserve(out, s->word.len), s->word.ptr, s->word.len * sizeof(uint32_t));
            out->len += s->word.len;
        }
        word = str_sub(word, len, word.len);
    }
}

void bpe_encode_word(const struct tokenizer *t, struct tokenizer_scratch *s, struct str word,
                     struct u32_list *out)
{
    if (word.len - 1 >= CACHE_KEY) { /* longer, or empty, which wraps round */
        encode_uncached(t, s, word, out);
        return;
    }
    uint64_t key[3];
    load_key(word, key);
    struct cache_line *line = &s->cache[cache_index(key, word.len)];
    if (line->len != word.len || line->key[0] != key[0] || line->key[1] != key[1] ||
        line->key[2] != key[2]) {
        encode_fresh(t, s, word);
        if (s->word.len > CACHE_IDS) {
            encode_uncached(t, s, word, out);
            return;
        }
        *line = (struct cache_line){
            {key[0], key[1], key[2]}, (uint8_t)word.len, (uint8_t)s->word.len, {0}};
        if (s->word.len > 0) {
            memcpy(line->ids, s->word.ptr, s->word.len * sizeof(uint32_t));
        }
    }
    assert(line->count <= CACHE_IDS);
    uint32_t *to =
        u32_list_reserve(out, CACHE_IDS); /* all of them: a copy of one size is cheaper */
    memcpy(to, line->ids, sizeof line->ids);
    out->len += line->count;
}
