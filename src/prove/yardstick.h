/* yardstick.h -- what all arms are measured with: held-out texts and tasks.
 *
 * An arm's result is one number an observation: the NLL of a held-out text, or
 * whether an item was answered rightly.  Measures are made of observations
 * afterwards (measures.h), so that seeds, texts and items can be resampled.
 *
 * Held-out texts are made distinct (by key), put into an order drawn from their
 * keys, and each counts with one window of at most eval_bytes, from a line's
 * start at a place drawn from its key:
 *
 *     raw    the first of them, whatever they are: the mixture as it is
 *     clean  those that the rules let pass (or given ones), domain by domain in turn
 *
 * until each part holds half of eval_tokens (4 bytes counted a token).  Points of a learning
 * curve are measured with the first eighth of each part.
 */
#ifndef WINNOW_PROVE_YARDSTICK_H
#define WINNOW_PROVE_YARDSTICK_H

#include "eval/eval.h"
#include "prove/texts.h"

#define YARD_DOMAINS_MAX 16

struct yard_text {
    struct str text;
    uint32_t domain; /* index into domains */
    bool raw, clean, curve;
};

struct yard_domain {
    struct str name;
    uint64_t documents, bytes; /* clean texts that are measured */
    uint64_t items;            /* cloze items */
};

struct yardstick {
    struct yard_text *texts;
    size_t text_count;
    struct str *views;       /* the texts, as eval_nll wants them */
    struct str *curve_views; /* those of the curve, and which they are */
    uint32_t *curve_texts;
    size_t curve_count;
    struct yard_domain domains[YARD_DOMAINS_MAX];
    uint32_t domain_count;
    struct eval_suite *suite;
    size_t item_count; /* observations: texts, then items */
    bool has_clean;
    uint64_t held_documents; /* distinct ones there were to choose from */
    uint64_t skipped_items;  /* of task files, of kinds that cannot be scored */
    struct arena keep;
};

struct yard_options {
    uint64_t eval_tokens;
    uint32_t eval_bytes;
    const char *clean_rules;      /* rule sets by comma; "none" */
    const struct held_set *clean; /* given clean texts, or NULL */
    uint32_t cloze_items;         /* a domain */
    struct winnow_list tasks;
    uint64_t task_limit;
};

winnow_status yardstick_init(struct yardstick *y, const struct yard_options *opt,
                             const struct held_set *held, const struct source_names *names,
                             struct winnow_error *err);
void yardstick_release(struct yardstick *y);

/* Hash of all that is measured. */
uint64_t yardstick_hash(const struct yardstick *y);

/* What a model got. */
struct yard_reading {
    double *nll;      /* a text, summed */
    uint32_t *tokens; /* a text */
    float *acc;       /* an item */
};

/* Room for a reading in keep. */
void yard_reading_init(struct yard_reading *r, const struct yardstick *y, struct arena *keep);

/* The whole yardstick. */
winnow_status yardstick_read(const struct yardstick *y, struct eval_scorer *scorer,
                             struct yard_reading *out, struct winnow_error *err);

/* Mean NLL of texts: of the curve's; and of all, from a reading. */
struct yard_curve {
    double raw, clean; /* NaN where there is none */
};
winnow_status yardstick_read_curve(const struct yardstick *y, struct eval_scorer *scorer,
                                   struct yard_curve *out, struct winnow_error *err);
struct yard_curve yardstick_means(const struct yardstick *y, const struct yard_reading *r);

#endif /* WINNOW_PROVE_YARDSTICK_H */
