/* vanished.h -- groups of which a stage keeps next to nothing: mostly a mistake of its settings,
 * and hard to see in a sum.
 *
 *     struct vanished v = {.what = "source"};
 *     vanished_look(&v, name, 750, 0);        each group: its documents in, and kept
 *     vanished_warn(&v, env, "04-prune");
 */
#ifndef WINNOW_RUN_VANISHED_H
#define WINNOW_RUN_VANISHED_H

#include "base/buf.h"
#include "base/env.h"

#define VANISHED_MIN  20U /* documents of a group that is missed */
#define VANISHED_PART 50U /* fewer than one in so many are kept */

static inline bool has_vanished(uint64_t in, uint64_t kept)
{
    return in >= VANISHED_MIN && kept * VANISHED_PART < in;
}

struct vanished {
    const char *what; /* "source" */
    size_t count;
    struct buf names; /* of the first */
};
void vanished_look(struct vanished *v, struct str name, uint64_t in, uint64_t kept);
/* Says it where there are some, and releases. */
void vanished_warn(struct vanished *v, const struct winnow_env *env, const char *stage);

#endif /* WINNOW_RUN_VANISHED_H */
