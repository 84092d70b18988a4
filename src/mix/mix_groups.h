/* mix_groups.h -- the groups that a corpus falls into, and what is wished of each. */
#ifndef WINNOW_MIX_MIX_GROUPS_H
#define WINNOW_MIX_MIX_GROUPS_H

#include "winnow/mix.h"

#include "base/error.h"
#include "base/map.h"

#define MIX_GROUPS_MAX 100000U
#define MIX_NO_NAME    "(none)" /* documents without the member */
#define MIX_OTHERS     "*"

/* From which place on in its group a document is written once more: score first (its bits in
 * an order that numbers have), then draw, then place in the input. */
struct mix_place {
    uint32_t score;
    uint64_t draw, ordinal;
};
int mix_place_compare(const struct mix_place *a, const struct mix_place *b);

/* Units are tokens, or bytes of text where nobody counts tokens, with one token a document. */
struct mix_group {
    struct str name; /* in the map of the groups */
    uint64_t documents, units;
    uint64_t validation; /* documents set aside, which the others do not count */
    uint64_t unscored;   /* documents without a score */
    /* the plan */
    double weight, target; /* units */
    double epochs, cap;    /* as wished: NaN: none */
    bool left_out;         /* for want of a weight, where others have one */
    uint32_t base;         /* copies of every document, and one more from each cut on */
    struct mix_place *cuts;
    size_t cut_count;
    /* what it comes to */
    uint64_t distinct, copies, units_after; /* copies: all that is written, the first included */
};

struct mix_groups {
    struct map names; /* to places in items */
    struct mix_group *items;
    size_t count, cap;
};
void mix_groups_release(struct mix_groups *g);

/* The number of the group of that name, which is added where it is new.  SIZE_MAX where there
 * would be more than MIX_GROUPS_MAX. */
size_t mix_groups_number(struct mix_groups *g, struct str name);
struct mix_group *mix_groups_find(const struct mix_groups *g, struct str name);

/* Numbers of the groups in the order of their names, into an allocation of the caller's. */
size_t *mix_groups_sorted(const struct mix_groups *g);

/* Checks the lists of the options, before anything is read. */
winnow_status mix_wishes_check(const struct winnow_mix_options *opt, struct winnow_error *err);

/* Gives the groups their weights, epochs and caps.  tokens_to_units: 1, or 4 for bytes.  A name
 * that no document has is refused, unless nothing is wished of it. */
winnow_status mix_wishes_apply(const struct winnow_mix_options *opt, double tokens_to_units,
                               struct mix_groups *g, struct winnow_error *err);

#endif /* WINNOW_MIX_MIX_GROUPS_H */
