/* program_mask.c -- trie of tokens times automaton.
 *
 * Within a string nearly every token may come, and the walk visits the whole trie;
 * but there are few such states: which string of which call, its quote, where in a
 * character, and how much room is left, which matters only below the length of the
 * longest token.  So these masks are kept.  Lines do not belong to the key; hence a
 * token that ends a string and reaches the next call's number is left out (none
 * does in practice, and single bytes always remain). */
#include "program/program_mask.h"

#include "base/hash.h"
#include "base/mem.h"
#include "program/token_trie.h"

#include <assert.h>

#define KEPT_MAX 256U /* masks */

struct kept_mask {
    uint64_t key; /* 0: free */
    uint64_t *bits;
};

struct program_mask {
    struct program_grammar *grammar;
    const struct tokenizer *tokenizer;
    struct token_trie trie;
    uint32_t stops[PROGRAM_MASK_STOPS];
    size_t stop_count, words;
    struct kept_mask kept[KEPT_MAX * 2]; /* open addressing */
    size_t kept_count;
    uint64_t asked, found;
    struct program_state path[TOKEN_TRIE_DEPTH + 1];
};

winnow_status program_mask_new(const struct tokenizer *t,
                               const struct program_mask_options *options,
                               struct program_mask **out, struct winnow_error *err)
{
    assert(options->stop_count <= PROGRAM_MASK_STOPS);
    struct program_mask *m = mem_zalloc(sizeof *m);
    m->tokenizer = t;
    m->words = token_mask_words(options->vocab);
    winnow_status st = token_trie_new(t, &m->trie, err);
    if (st == WINNOW_OK && m->trie.vocab > options->vocab) {
        st = error_set(err, WINNOW_E_FORMAT, "the tokenizer has %u tokens, its model only %u",
                       (unsigned)m->trie.vocab, (unsigned)options->vocab);
    }
    if (st != WINNOW_OK) {
        program_mask_free(m);
        return st;
    }
    m->grammar = program_grammar_new(options->dialect, options->level);
    for (size_t i = 0; i < options->stop_count; i++) {
        if (options->stops[i] < options->vocab) {
            m->stops[m->stop_count++] = options->stops[i];
        }
    }
    *out = m;
    return WINNOW_OK;
}

static void drop_kept(struct program_mask *m)
{
    for (size_t i = 0; i < KEPT_MAX * 2; i++) {
        mem_free(m->kept[i].bits);
        m->kept[i] = (struct kept_mask){0};
    }
    m->kept_count = 0;
}

void program_mask_free(struct program_mask *m)
{
    if (!m) {
        return;
    }
    drop_kept(m);
    token_trie_release(&m->trie);
    program_grammar_free(m->grammar);
    mem_free(m);
}

void program_mask_start(struct program_mask *m, const struct program_grammar_spec *spec,
                        struct program_row *row)
{
    *row = (struct program_row){m, program_grammar_start(m->grammar, spec)};
}

static bool in_string(const struct program_state *s)
{
    return s->phase == PHASE_STRING || s->phase == PHASE_ESCAPE;
}

/* What the mask of a state within a string depends on; never 0. */
static uint64_t key_of(const struct program_mask *m, const struct program_state *s)
{
    uint64_t room = (uint64_t)(s->length_max - s->length);
    room = room < m->trie.longest ? room : m->trie.longest;
    return (uint64_t)s->node << 32 | room << 16 | (uint64_t)s->utf8 << 8 | (uint64_t)s->solid << 7 |
           (uint64_t)(s->phase == PHASE_ESCAPE) << 6 | (uint64_t)(s->quote == '\'') << 5 | 1;
}

static struct kept_mask *find_kept(struct program_mask *m, uint64_t key)
{
    size_t i = hash64((struct str){(const char *)&key, sizeof key}, 0) % (KEPT_MAX * 2);
    while (m->kept[i].key != 0 && m->kept[i].key != key) {
        i = (i + 1) % (KEPT_MAX * 2);
    }
    return &m->kept[i];
}

static void walk(struct program_mask *m, const struct program_state *from, uint64_t *bits)
{
    const struct token_trie *t = &m->trie;
    bool string = in_string(from);
    m->path[0] = *from;
    for (size_t i = 0; i < t->count;) {
        const struct token_node *n = &t->nodes[i];
        struct program_state *s = &m->path[n->depth + 1];
        *s = m->path[n->depth];
        bool may = program_grammar_step(m->grammar, s, n->byte);
        if (!may || (string && s->phase == PHASE_NUMBER)) {
            i = n->end;
            continue;
        }
        for (uint32_t k = 0; k < n->tokens; k++) {
            uint32_t id = t->ids[n->first + k];
            bits[id / 64] |= (uint64_t)1 << (id % 64);
        }
        i++;
    }
}

static void add_string_mask(struct program_mask *m, const struct program_state *s, uint64_t *bits)
{
    uint64_t key = key_of(m, s);
    struct kept_mask *k = find_kept(m, key);
    if (k->key == 0) {
        if (m->kept_count == KEPT_MAX) {
            drop_kept(m);
            k = find_kept(m, key);
        }
        k->bits = mem_zalloc(m->words * sizeof *k->bits);
        k->key = key;
        m->kept_count++;
        walk(m, s, k->bits);
    } else {
        m->found++;
    }
    memcpy(bits, k->bits, m->words * sizeof *bits);
}

enum mask_answer program_mask_allowed(void *row, uint64_t *bits)
{
    const struct program_row *r = row;
    struct program_mask *m = r->mask;
    enum program_end end = program_grammar_end(m->grammar, &r->state);
    if (end == PROGRAM_MUST_END) {
        return MASK_END;
    }
    m->asked++;
    if (in_string(&r->state)) {
        add_string_mask(m, &r->state, bits);
    } else {
        walk(m, &r->state, bits);
    }
    for (size_t i = 0; end == PROGRAM_MAY_END && i < m->stop_count; i++) {
        bits[m->stops[i] / 64] |= (uint64_t)1 << (m->stops[i] % 64);
    }
    return MASK_BITS;
}

void program_mask_accept(void *row, uint32_t token)
{
    struct program_row *r = row;
    struct str bytes = tokenizer_token_bytes(r->mask->tokenizer, token);
    for (size_t i = 0; i < bytes.len; i++) {
        bool may = program_grammar_step(r->mask->grammar, &r->state, (uint8_t)bytes.ptr[i]);
        assert(may); /* the mask let no other token through */
    }
}

void program_mask_counts(const struct program_mask *m, uint64_t *asked, uint64_t *found)
{
    *asked = m->asked;
    *found = m->found;
}
