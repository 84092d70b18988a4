/* synth_make.h -- what was written becomes documents, each with a verdict.
 *
 * On all threads, joined in the order of the requests: the answer is read or the template
 * applied, judged, and written with its provenance to a shard in made/.  The documents that do
 * not pass are written, too: the stage's pass then removes them, with their reasons.
 */
#ifndef WINNOW_SYNTH_SYNTH_MAKE_H
#define WINNOW_SYNTH_SYNTH_MAKE_H

#include "synth/synth_answers.h"
#include "synth/synth_judge.h"
#include "synth/synth_plan.h"
#include "synth/synth_templates.h"

/* What is said of a document in its provenance. */
struct synth_writer_name {
    const char *engine;
    struct str model, hash; /* hash may be empty: a server's */
};

struct synth_sources {
    const struct winnow_synthesize_options *opt;
    const struct synth_plan *plan;
    const struct synth_seeds *seeds;
    const struct synth_templates *templates; /* or: */
    const struct synth_answers *answers;
    const struct synth_judge *judge;
    struct synth_writer_name writer;
};

#define SYNTH_ID_BYTES 20U /* "syn-" and 16 hexadecimal digits */

struct synth_made {
    uint64_t count;
    struct synth_made_verdict {
        const char *rule; /* NULL: it stays */
        float score, threshold;
        uint64_t detail; /* where it begins in details */
        uint32_t detail_len;
        uint32_t kept; /* of a copy: the answer that stays */
        bool copy;
        enum synth_kind kind;
        char id[SYNTH_ID_BYTES];
    } * verdicts;
    size_t cap;
    struct buf details;
    uint64_t by_kind[SYNTH_KINDS]; /* that stay */
    uint64_t new_tokens;
};

uint64_t synth_make_memory(uint64_t answers);

/* Makes all shards and puts them behind the stage's input. */
winnow_status synth_make(struct stage *stage, const struct synth_sources *from,
                         struct synth_made *out, struct winnow_error *err);
void synth_made_release(struct synth_made *m);

/* Appends the members of a document's ledger line. */
void synth_made_describe(const struct synth_made *m, uint64_t i, struct buf *out);

#endif /* WINNOW_SYNTH_SYNTH_MAKE_H */
