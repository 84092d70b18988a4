/* prune_survey.h -- what `prune` knows of each document of its input beside its
 * score: side, source, size; and what it says of it in prune.json. */
#ifndef WINNOW_PRUNE_PRUNE_SURVEY_H
#define WINNOW_PRUNE_PRUNE_SURVEY_H

#include "base/map.h"
#include "prune/band.h"
#include "run/stage.h"

enum survey_role {
    SURVEY_ABSENT, /* no document has this ordinal: a bad line */
    SURVEY_POOL,
    SURVEY_REFERENCE
};

/* One document, by ordinal. */
struct survey_row {
    uint64_t draw;    /* on the line along which the reference's part is cut */
    uint64_t id_hash; /* ties of scores, and alignment with given attributes */
    uint32_t bytes;   /* of text */
    uint32_t source, group;
    bool upper; /* the half of the corpus it lies in */
    enum survey_role role;
};

struct survey_names {
    struct map met;    /* in the order in which threads met them ... */
    uint32_t *by_name; /* ... and as sorted by name */
};

struct survey {
    struct survey_row *rows;
    size_t count, cap;           /* rows up to the largest ordinal */
    struct survey_names sources; /* where documents come from */
    struct survey_names groups;  /* what has a band each; empty: all have one */
    uint64_t documents;
};
void survey_release(struct survey *s);

/* With a lock held by the caller. */
void survey_add(struct survey *s, const struct document *d, const struct selector_document *at);
/* The group of a document that was added; in any order. */
void survey_group(struct survey *s, uint64_t ordinal, struct str name);

/* Numbers sources and groups by name, which does not depend on threads. */
void survey_finish(struct survey *s);
struct str survey_source(const struct survey *s, uint32_t source);
struct str survey_group_name(const struct survey *s, uint32_t group);

/* ---- prune.json ---- */

struct prune_example {
    const char *where;
    uint64_t ordinal;
    char *id, *text; /* filled by a pass */
};

#define PRUNE_EXAMPLES_MAX 32

struct prune_examples {
    struct prune_example items[PRUNE_EXAMPLES_MAX];
    size_t count;
};
void prune_examples_release(struct prune_examples *e);

/* Documents at and around the edges of the first band; items are by ordinal. */
winnow_status prune_examples_choose(struct prune_examples *e, const struct selector_item *items,
                                    size_t count, const struct band_edges *edges,
                                    struct winnow_error *err);

/* The members edges, quantiles, histogram, composition and examples. */
winnow_status prune_write_distribution(const struct survey *s, const struct selector_item *items,
                                       const struct band_edges *edges, size_t groups,
                                       const struct prune_examples *examples, struct json_writer *w,
                                       struct winnow_error *err);

#endif /* WINNOW_PRUNE_PRUNE_SURVEY_H */
