/* quality_pairs.h -- judgements: which of two pages is better.
 *
 * A file of JSON lines:
 *
 *     {"a": "...", "b": "...", "better": "a"}
 *
 * a and b are ids of documents, or the texts themselves; better is "a", "b", "same" or the
 * share, from 0 to 1, of those asked who said a.  Other members are not looked at.
 */
#ifndef WINNOW_QUALITY_QUALITY_PAIRS_H
#define WINNOW_QUALITY_QUALITY_PAIRS_H

#include "base/error.h"
#include "base/json.h"
#include "base/map.h"

struct quality_pair {
    uint32_t a, b; /* numbers of names */
    float better;  /* probability that it is a */
    bool held;     /* of a file to measure with */
};

struct quality_pairs {
    struct quality_pair *items;
    size_t count, cap;
    struct map names; /* ids or texts; value: of the line where it stands first, 0 unknown */
    uint64_t same;    /* lines with the same on both sides: not among the items */
};
void quality_pairs_release(struct quality_pairs *p);

/* One line; WINNOW_E_FORMAT says what is wrong with it. */
winnow_status quality_pair_read(struct json_value root, struct str *a, struct str *b, float *better,
                                struct winnow_error *err);

/* Adds a file's; "-" is standard input. */
winnow_status quality_pairs_read(struct quality_pairs *p, const char *path, bool held,
                                 struct winnow_error *err);

/* How many pairs (whichever side is which) were judged, and how many of them both ways. */
void quality_pairs_count(const struct quality_pairs *p, uint64_t *distinct, uint64_t *both);

uint64_t quality_pairs_bytes(const struct quality_pairs *p);

#endif /* WINNOW_QUALITY_QUALITY_PAIRS_H */
