/* align.h -- which elements of two sequences stand beside each other: a longest
 * common subsequence, in linear space.
 *
 * Source: Myers, "An O(ND) Difference Algorithm and Its Variations" (1986),
 * section 4b, with the recursion as a list.  Elements that only one side has are
 * left out first, which changes no common subsequence.
 *
 * Two sequences that have little in common cost the product of their lengths.
 * So the search for the middle of a part ends after a number of edits that falls
 * as the sequences grow (all in all about 2^28 steps, and never more than 128 for
 * each element); the part is then cut at the point reached furthest, and what
 * comes out is a common subsequence that may not be the longest.
 */
#ifndef WINNOW_TEACH_ALIGN_H
#define WINNOW_TEACH_ALIGN_H

#include "base/error.h"

#define ALIGN_NONE UINT32_MAX
#define ALIGN_MAX  ((size_t)1 << 29) /* elements on a side */

struct align_side {
    const uint32_t *items; /* numbers below `numbers`, equal where the elements are */
    size_t count;
};

/* match[i] becomes the place in b of what stands beside a[i], rising with i, or
 * ALIGN_NONE.  *longest says whether it is a longest one.  WINNOW_E_NOMEM where
 * its tables do not fit, WINNOW_E_LIMIT past ALIGN_MAX. */
winnow_status align(struct align_side a, struct align_side b, uint32_t numbers, uint32_t *match,
                    bool *longest, struct winnow_error *err);

#endif /* WINNOW_TEACH_ALIGN_H */
