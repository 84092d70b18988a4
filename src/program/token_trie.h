/* token_trie.h -- the tokens of a vocabulary by their bytes.
 *
 * Nodes stand in depth-first order, so a walk that a byte ends jumps to `end`:
 *
 *     for (i = 0; i < count;) { i = may(nodes[i].byte) ? i + 1 : nodes[i].end; }
 */
#ifndef WINNOW_PROGRAM_TOKEN_TRIE_H
#define WINNOW_PROGRAM_TOKEN_TRIE_H

#include "token/tokenizer.h"

/* Longer tokens are left out; none of the usual vocabularies has one. */
#define TOKEN_TRIE_DEPTH 256U

struct token_node {
    uint32_t end;           /* the node behind this one's subtree */
    uint32_t first, tokens; /* its tokens: ids[first .. first + tokens - 1] */
    uint8_t byte, depth;    /* depth from 0 */
};

struct token_trie {
    struct token_node *nodes;
    size_t count;
    uint32_t *ids;
    uint32_t vocab, longest; /* in bytes */
};

/* Special tokens and those without bytes are left out. */
winnow_status token_trie_new(const struct tokenizer *t, struct token_trie *out,
                             struct winnow_error *err);
void token_trie_release(struct token_trie *t);

#endif /* WINNOW_PROGRAM_TOKEN_TRIE_H */
