/* least_draws.h -- the texts of least draw, while a corpus streams by.
 *
 * A draw is 64 bits hashed from a document (corpus/split.h), so those of least draw are
 * a random choice that depends neither on order nor on threads, and needs no list of
 * the others.  Held is always the shortest run of least draws that reaches bytes_max. */
#ifndef WINNOW_PRUNE_LEAST_DRAWS_H
#define WINNOW_PRUNE_LEAST_DRAWS_H

#include "base/str.h"

struct drawn_text {
    uint64_t draw, ordinal;
    char *text;
    size_t len;
};

/* Starts with its bounds set and the rest zero. */
struct least_draws {
    struct drawn_text *items; /* a heap with the largest draw on top, until they are sorted */
    size_t count, cap;
    uint64_t bytes, bytes_max; /* as they count */
    uint64_t counted_max;      /* of one text; 0: all its bytes */
    bool as_one;               /* each text counts 1: bytes_max is their number */
    uint64_t text_max;         /* bytes of one text that are held; 0: all */
    uint64_t held;             /* memory that the texts take */
};

/* Whether offering it would change anything; its text is not looked at. */
bool least_draws_want(const struct least_draws *l, uint64_t draw, uint64_t ordinal);
void least_draws_offer(struct least_draws *l, uint64_t draw, uint64_t ordinal, struct str text);

/* By draw; nothing can be offered then. */
void least_draws_sort(struct least_draws *l);
void least_draws_release(struct least_draws *l);

#endif /* WINNOW_PRUNE_LEAST_DRAWS_H */
