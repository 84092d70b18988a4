/* dedup_guard.h -- what a dedup takes from whom, and when that is too much.
 *
 * A dedup can empty a source without an error: boilerplate that many pages share, or a chain
 * of near-copies, makes one cluster of them.  So it is counted, by source, before anything is
 * removed; what looks wrong is said, and what passes a limit of the user's stops the run. */
#ifndef WINNOW_DEDUP_DEDUP_GUARD_H
#define WINNOW_DEDUP_DEDUP_GUARD_H

#include "winnow/dedup.h"

#include "base/env.h"
#include "base/json.h"
#include "base/json_write.h"
#include "base/map.h"

struct guard_source {
    uint64_t in, removed;
};

/* All-zero is empty. */
struct guard {
    const char *what; /* "document", "line", "paragraph" */
    uint64_t in, removed;
    struct map names;
    struct guard_source *sources; /* by the index of their name */
    size_t source_cap;
    bool many;        /* more sources than are looked at one by one: an address a page, say */
    uint64_t largest; /* documents of the largest cluster */
    struct buf first; /* id of a document of it */
    uint64_t chained, passed_over;
};
void guard_release(struct guard *g);

#define GUARD_SOURCES_MAX 10000U

/* The number of a source, which stays the same; 0 for all once there are too many. */
size_t guard_source(struct guard *g, struct str name);
void guard_count(struct guard *g, size_t source, uint64_t in, uint64_t removed);

/* Members of the object that is open: in, removed, largest, sources by name. */
void guard_write(const struct guard *g, struct json_writer *w);
/* From such an object; false where it is none. */
bool guard_read(struct guard *g, struct json_value object);

/* What was counted, as bytes for other ranks, and that of another one added. */
void guard_tell(const struct guard *g, struct buf *out);
winnow_status guard_hear(struct guard *g, struct str told, struct winnow_error *err);

/* Says what looks wrong. */
void guard_warn(const struct guard *g, const struct winnow_env *env);

/* WINNOW_E_LIMIT with what passes a limit, and what to do about it. */
winnow_status guard_check(const struct guard *g, const struct winnow_dedup_options *opt,
                          struct winnow_error *err);

/* Whether the user has set a limit. */
bool guard_wanted(const struct winnow_dedup_options *opt);

#endif /* WINNOW_DEDUP_DEDUP_GUARD_H */
