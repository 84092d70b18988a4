/* program_mask.h -- keeps a model inside the grammar of programs.
 *
 * For a tokenizer, a dialect and a level: which tokens may come next.  A token may
 * come when the grammar takes all of its bytes; a token that ends an answer, when
 * the program is whole.  A mask costs a walk over the part of the vocabulary's trie
 * that the grammar admits: some dozens of nodes within a call, all of it within a
 * string, where masks are kept by state and shared by all requests.
 *
 *     program_mask_start(m, &spec, &row);
 *     program_mask_allowed(m, &row, bits)   then, for the token chosen,
 *     program_mask_accept(m, &row, token)
 *
 * Source: the trie of tokens against an automaton is that of Willard and Louf,
 * "Efficient Guided Generation" (2307.09702), with states explored as they come.
 */
#ifndef WINNOW_PROGRAM_PROGRAM_MASK_H
#define WINNOW_PROGRAM_PROGRAM_MASK_H

#include "engine/generator.h"
#include "program/program_grammar.h"
#include "token/tokenizer.h"

/* One thread at a time. */
struct program_mask;

struct program_mask_options {
    int dialect; /* enum winnow_refine_dialect */
    enum program_level level;
    uint32_t vocab;        /* the model's, which may be larger than the tokenizer's */
    const uint32_t *stops; /* tokens that end an answer, at most PROGRAM_MASK_STOPS; copied */
    size_t stop_count;
};
#define PROGRAM_MASK_STOPS 4U

/* The tokenizer must outlive it. */
winnow_status program_mask_new(const struct tokenizer *t,
                               const struct program_mask_options *options,
                               struct program_mask **out, struct winnow_error *err);
void program_mask_free(struct program_mask *m);

/* One answer being written. */
struct program_row {
    struct program_mask *mask;
    struct program_state state;
};
void program_mask_start(struct program_mask *m, const struct program_grammar_spec *spec,
                        struct program_row *row);

/* These are struct token_mask's two calls, with a row as state. */
enum mask_answer program_mask_allowed(void *row, uint64_t *bits);
void program_mask_accept(void *row, uint32_t token);

/* For bench/ and tests: masks asked for, and of them those found ready. */
void program_mask_counts(const struct program_mask *m, uint64_t *asked, uint64_t *found);

#endif /* WINNOW_PROGRAM_PROGRAM_MASK_H */
