/* synth_seeds.h -- which documents are shown to the writer, in which order.
 *
 * A document's draw is a hash of its text under the run's seed, so that neither shards nor
 * order nor threads decide.  Within each value of the member `cluster` (documents without it
 * are one more) documents stand by their draws; all first ones come first, then all second
 * ones, and so on.  So a budget is spent evenly over topics, however large they are, and a
 * larger budget goes on where a smaller one ended.  Equal texts are one seed.
 *
 * Seeds lie in state/seeds.jsonl, in the order of the corpus, cut to what is shown of them.
 */
#ifndef WINNOW_SYNTH_SYNTH_SEEDS_H
#define WINNOW_SYNTH_SYNTH_SEEDS_H

#include "winnow/synthesize.h"

#include "base/json.h"
#include "remote/answer_store.h"
#include "run/stage.h"

/* All-zero is empty. */
struct synth_seeds {
    struct answer_store *store;
    uint32_t *order; /* count of them: numbers in the store, in the order of asking */
    size_t count;
    uint64_t documents; /* that could have been seeds */
    uint64_t ordinals;  /* of the stage's input */
    uint64_t clusters;
};

/* Draws at most `most` of them (UINT64_MAX: all), unless an earlier process did. */
winnow_status synth_seeds_draw(struct stage *stage, const struct winnow_synthesize_options *opt,
                               uint64_t most, struct synth_seeds *out, struct winnow_error *err);
void synth_seeds_release(struct synth_seeds *s);

/* Bytes that drawing holds for so many seeds. */
uint64_t synth_seeds_memory(uint64_t seeds);

/* One of them as it lies there. */
struct synth_seed {
    struct str id, source, cluster; /* the latter two may be empty */
    struct str text;                /* what is shown */
};

/* Scratch of a thread; all-zero is empty. */
struct synth_seed_reader {
    struct buf line;
    struct json_parser *parser;
};
void synth_seed_reader_release(struct synth_seed_reader *r);

/* The i-th in the order of asking; on any thread.  Views hold until the reader's next use. */
winnow_status synth_seeds_read(const struct synth_seeds *s, size_t i, struct synth_seed_reader *r,
                               struct synth_seed *out, struct winnow_error *err);

#endif /* WINNOW_SYNTH_SYNTH_SEEDS_H */
