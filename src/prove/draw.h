/* draw.h -- which documents an arm trains on under one seed, and in what order.
 *
 * Under a seed every document gets a draw from its key, so all copies of a text,
 * in all corpora, have the same one.  Along this line of draws lie
 *
 *     0 ---- reference ---- U ---- pool ---- V -------------------- 1
 *
 * the part that trains the reference model, up to U, which no arm ever sees, and
 * the pool, from which bands and random subsets are taken.  Arms that are
 * corpora of their own take their documents from U to V too (further where that
 * is not enough), so arms differ by what selection did, not by which part of the
 * corpus chance gave them.  Without a reference U is 0.
 *
 * An arm's documents are ordered by another draw, shared by all arms: what two
 * arms have in common comes in the same relative order.
 */
#ifndef WINNOW_PROVE_DRAW_H
#define WINNOW_PROVE_DRAW_H

#include "prove/texts.h"
#include "prune/selector.h"

/* A corpus in the order of its draws. */
struct draw_line {
    const struct text_set *set;
    uint32_t *items; /* documents, ascending draw */
    uint64_t *draws;
    uint64_t *ends; /* stream tokens up to and with the item */
    size_t count;
};

/* Leaves out documents that cannot be trained on and those whose key is in
 * excluded (8 bytes a key; may be NULL). */
void draw_line_init(struct draw_line *l, const struct text_set *set, const struct map *excluded,
                    const struct packer_options *packer, uint64_t seed);
void draw_line_release(struct draw_line *l);

/* Leaves out the documents of a source. */
void draw_line_leave_out(struct draw_line *l, uint32_t source);

/* Tokens of items from..to (exclusive). */
uint64_t draw_line_tokens(const struct draw_line *l, size_t from, size_t to);

/* The first item whose draw is above u. */
size_t draw_line_above(const struct draw_line *l, uint64_t u);

/* Where tokens are reached when going from item `from`: whole draws only, so
 * copies stay together; count where the corpus ends before. */
size_t draw_line_reach(const struct draw_line *l, size_t from, uint64_t tokens);

/* Items of an arm and the order of training. */
struct arm_draw {
    uint32_t *items; /* documents, without repetition */
    size_t count;
    uint64_t tokens; /* of their streams */
    uint32_t *order; /* documents as trained, repeated where epochs ask for it */
    size_t order_count;
    float *weights; /* by document of the set, of a mean of 1 over the items; NULL: all are 1 */
};
void arm_draw_release(struct arm_draw *a);

/* All items of the line from..to. */
void arm_draw_range(const struct draw_line *l, size_t from, size_t to, struct arm_draw *out);

/* Those of the line's items from.. in whose mask the bit is set (masks[0] is item from). */
void arm_draw_chosen(const struct draw_line *l, size_t from, size_t to, const uint16_t *masks,
                     uint16_t bit, struct arm_draw *out);

/* A random subset of the items from..to with at least so many tokens.  like:
 * NULL, or an arm whose make-up it copies: in each stratum (source and length to
 * the next power of two) as many tokens as there. */
void arm_draw_random(const struct draw_line *l, size_t from, size_t to, uint64_t tokens,
                     const struct arm_draw *like, uint64_t seed, struct arm_draw *out);

/* Leaves the first items that hold so many tokens. */
void arm_draw_cut(struct arm_draw *a, const struct text_set *set,
                  const struct packer_options *packer, uint64_t tokens);

/* Fills weights from those of the line's items from..to (weights[0] is item from's); false: all
 * are 0. */
bool arm_draw_weigh(struct arm_draw *a, const struct draw_line *l, size_t from, size_t to,
                    const float *weights);

/* Fills order for training on so many tokens; epochs are shuffled anew. */
void arm_draw_order(struct arm_draw *a, const struct text_set *set, uint64_t tokens, uint64_t seed);

/* The same order where each document comes as often in an epoch as its weight says; what is no
 * whole number is rounded by chance, anew in every epoch. */
void arm_draw_order_copies(struct arm_draw *a, const struct text_set *set,
                           const struct packer_options *packer, uint64_t tokens, uint64_t seed);

#endif /* WINNOW_PROVE_DRAW_H */
