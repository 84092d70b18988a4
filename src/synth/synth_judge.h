/* synth_judge.h -- whether what was written may be a document.
 *
 *     length      words of the written part, as near_words.h counts them
 *     repetition  half of its shingles are others of it
 *     seed        a text: the share of its 5-word shingles that a seed holds; a task: the
 *                 Jaccard index with the seed (a task quotes a sentence, that is its point)
 *     benchmarks  Llama 3's rule (half of an item's 8-grams) and HARE's (half of the answer's
 *                 n-grams are of benchmarks; n 10 of a text, 6 of a task)
 *
 * Each answer is judged for itself, on any thread; near-copies among answers are found when all
 * are there (synth_near.h).
 */
#ifndef WINNOW_SYNTH_SYNTH_JUDGE_H
#define WINNOW_SYNTH_SYNTH_JUDGE_H

#include "dedup/near_sets.h"
#include "leak/leak_judge.h"
#include "synth/synth_prompts.h"

#define SYNTH_NGRAM 5U
enum { JUDGE_LLAMA3, JUDGE_HARE_TEXT, JUDGE_HARE_TASK, SYNTH_JUDGES };

struct synth_judge {
    double near;
    bool decontaminates;
    struct leak_set set;
    struct leak_judge rules[SYNTH_JUDGES];
    struct near_alphabet *alphabet;
};

winnow_status synth_judge_open(struct synth_judge *j, const struct winnow_synthesize_options *opt,
                               struct winnow_error *err);
void synth_judge_release(struct synth_judge *j);

/* Bytes that it takes with a scratch for each thread, once it is open. */
uint64_t synth_judge_memory(const struct synth_judge *j, uint32_t threads);

/* Scratch of a thread. */
struct synth_judge_scratch;
struct synth_judge_scratch *synth_judge_scratch_new(const struct synth_judge *j);
void synth_judge_scratch_free(struct synth_judge_scratch *s);

/* The verdict on one answer: rule NULL where it may stay. */
struct synth_verdict {
    const char *rule;
    double score, threshold; /* NaN: none */
};

/* Starts with an answer's written part; length and repetition. */
winnow_status synth_judge_start(const struct synth_judge *j, struct synth_judge_scratch *s,
                                const struct synth_prompt *p, struct str written,
                                struct synth_verdict *v, struct winnow_error *err);

/* The same part against a seed; call it with each. */
winnow_status synth_judge_seed(const struct synth_judge *j, struct synth_judge_scratch *s,
                               const struct synth_prompt *p, struct str seed,
                               struct synth_verdict *v, struct winnow_error *err);

/* The whole document against the benchmarks.  Where it holds an item, detail gets the members
 * of the ledger line that say which. */
winnow_status synth_judge_leak(const struct synth_judge *j, struct synth_judge_scratch *s,
                               const struct synth_prompt *p, struct str text,
                               struct synth_verdict *v, struct buf *detail,
                               struct winnow_error *err);

#endif /* WINNOW_SYNTH_SYNTH_JUDGE_H */
