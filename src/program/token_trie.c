/* token_trie.c -- the tokens sorted by their bytes, then one pass. */
#include "program/token_trie.h"

#include "base/mem.h"
#include "base/sort.h"

struct entry {
    struct str bytes;
    uint32_t id;
};

static int by_bytes(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    int c = str_cmp(x->bytes, y->bytes);
    return c != 0 ? c : (x->id > y->id) - (x->id < y->id);
}

static size_t collect(const struct tokenizer *t, struct entry *entries, size_t *bytes)
{
    size_t n = 0;
    for (uint32_t id = 0; id < tokenizer_vocab_size(t); id++) {
        struct str s = tokenizer_token_bytes(t, id);
        if (s.len > 0 && s.len <= TOKEN_TRIE_DEPTH && !tokenizer_is_special(t, id)) {
            entries[n++] = (struct entry){s, id};
            *bytes += s.len;
        }
    }
    sort(entries, n, sizeof *entries, by_bytes);
    return n;
}

/* Bytes that two neighbours share. */
static size_t shared(struct str a, struct str b)
{
    size_t n = 0;
    while (n < a.len && n < b.len && a.ptr[n] == b.ptr[n]) {
        n++;
    }
    return n;
}

static void fill(struct token_trie *t, const struct entry *entries, size_t count)
{
    uint32_t path[TOKEN_TRIE_DEPTH] = {0}; /* nodes from the root to where the last token ended */
    struct str last = {"", 0};
    for (size_t i = 0; i < count; i++) {
        struct str s = entries[i].bytes;
        size_t same = shared(last, s);
        for (size_t d = same; d < last.len; d++) {
            t->nodes[path[d]].end = (uint32_t)t->count;
        }
        for (size_t d = same; d < s.len; d++) {
            path[d] = (uint32_t)t->count;
            t->nodes[t->count++] =
                (struct token_node){.byte = (uint8_t)s.ptr[d], .depth = (uint8_t)d};
        }
        struct token_node *node = &t->nodes[path[s.len - 1]];
        node->first = node->tokens == 0 ? (uint32_t)i : node->first;
        node->tokens++;
        t->ids[i] = entries[i].id;
        t->longest = s.len > t->longest ? (uint32_t)s.len : t->longest;
        last = s;
    }
    for (size_t d = 0; d < last.len; d++) {
        t->nodes[path[d]].end = (uint32_t)t->count;
    }
}

winnow_status token_trie_new(const struct tokenizer *t, struct token_trie *out,
                             struct winnow_error *err)
{
    uint32_t vocab = tokenizer_vocab_size(t);
    *out = (struct token_trie){.vocab = vocab};
    size_t bytes = 0, count = 0;
    struct entry *entries = mem_try_alloc((size_t)vocab * sizeof *entries);
    if (entries) {
        count = collect(t, entries, &bytes);
        out->nodes = mem_try_alloc(bytes * sizeof *out->nodes);
        out->ids = mem_try_alloc(count * sizeof *out->ids);
    }
    if (!entries || !out->nodes || !out->ids || bytes >= UINT32_MAX) {
        mem_free(entries);
        token_trie_release(out);
        return error_set(err, WINNOW_E_NOMEM, "no memory for the %u tokens of a grammar's masks",
                         (unsigned)vocab);
    }
    fill(out, entries, count);
    mem_free(entries);
    return WINNOW_OK;
}

void token_trie_release(struct token_trie *t)
{
    mem_free(t->nodes);
    mem_free(t->ids);
    *t = (struct token_trie){0};
}
