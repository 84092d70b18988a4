/* selector.h -- what picks documents of a corpus: the seam between a method and those
 * who drive it.  A stage drives it over a corpus, a proof over the pool that it draws
 * under each seed, with the same options; so the proof proves what ships.
 *
 *     open                             options, surroundings
 *     wants, offer    each document    in any order, one at a time: what prepare needs
 *     prepare                          trains or loads; goes on where it was interrupted
 *     spent           each document    whether it served to prepare and is no part of the pool
 *     score           each other one   on any thread, a worker each
 *     choose                           which of all that were scored
 *
 * What a selector does depends on its options, the documents, their draws, the seed and the
 * kernel table only: never on threads, order of calls, time or interruptions.  One that
 * takes no text and no scores (it reads vectors that lie beside the corpus, say) leaves
 * wants, offer, spent, worker_new, worker_free and score NULL. */
#ifndef WINNOW_PRUNE_SELECTOR_H
#define WINNOW_PRUNE_SELECTOR_H

#include "base/error.h"
#include "base/pool.h"
#include "base/str.h"

struct tokenizer;

struct selector_document {
    uint64_t ordinal; /* its number in the corpus */
    uint64_t key;     /* of its text, corpus/split.h */
    uint64_t draw; /* its place on the line from whose beginning a method takes what it trains on */
    bool upper;    /* where a method halves the corpus: in the second half */
    struct str text; /* may be empty for wants() and spent() */
};

/* The draw of a document under a seed; a proof's pools lie along the same line. */
uint64_t selector_draw(uint64_t key, uint64_t seed);

/* Fills draw and upper. */
void selector_place(struct selector_document *d, uint64_t seed);

struct selector_score {
    double value;              /* NaN: none */
    uint64_t tokens, computed; /* scored, and read for it */
    double flops;
};

/* A document when all are scored.  One whose score is NaN stands outside: it is never
 * chosen and not counted. */
struct selector_item {
    double score;
    uint64_t key;   /* ties are broken by it */
    uint64_t id;    /* hash64() of its id, or 1 for 0; where a method looks things up by it */
    uint32_t group; /* its source, where the traits say by_source; else 0 */
    bool kept;      /* out */
    float weight;   /* out, where the traits say weighs: of its loss in training; 0: not kept */
};

/* What is known of a method by its options alone. */
struct selector_traits {
    double share;    /* of the pool that it chooses, about */
    bool by_source;  /* each source's documents are chosen among themselves */
    bool sets_aside; /* documents may be spent */
    bool weighs;     /* what is chosen has weights */
    uint64_t tokens; /* that it trains on */
    uint64_t bytes;  /* that it takes with one thread */
};

struct selector_cost {
    double preparing, measuring; /* FLOPs: training; what score() is corrected by */
    double loss;                 /* of the training; NaN where there is none */
    uint64_t tokens;             /* trained on */
};

/* Where a selector works.  All is borrowed. */
struct selector_home {
    const struct winnow_env *env; /* its seed too */
    struct pool *pool;            /* for prepare() */
    const char *folder; /* exists: models, checkpoints; what stands there is gone on from */
    const struct tokenizer *tokenizer; /* used where the options name none; NULL: make one */
};

struct selector;

struct selector_kind {
    const char *name;
    const struct option_table *table; /* of its options */

    winnow_status (*check)(const void *options, struct winnow_error *err);
    void (*traits)(const void *options, struct selector_traits *out);

    /* Options must live as long as the selector. */
    struct selector *(*open)(const void *options, const struct selector_home *home);
    void (*close)(struct selector *s);

    bool (*wants)(const struct selector *s, const struct selector_document *d);
    void (*offer)(struct selector *s, const struct selector_document *d);
    uint64_t (*held)(const struct selector *s); /* bytes of what was offered */
    winnow_status (*prepare)(struct selector *s, struct winnow_error *err);
    void (*cost)(const struct selector *s, struct selector_cost *out); /* once prepared */

    bool (*spent)(const struct selector *s, const struct selector_document *d);
    void *(*worker_new)(struct selector *s);
    void (*worker_free)(void *worker);
    winnow_status (*score)(void *worker, const struct selector_document *d,
                           struct selector_score *out, struct winnow_error *err);

    /* options: those it was opened with, or such that differ in what choosing looks at
     * only (a proof's arms).  Groups are numbered from 0. */
    winnow_status (*choose)(struct selector *s, const void *options, struct selector_item *items,
                            size_t count, size_t groups, struct winnow_error *err);
};

#endif /* WINNOW_PRUNE_SELECTOR_H */
