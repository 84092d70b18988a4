/* study_internal.h -- what the parts of `study causal` share: facts, counts, answers, effects. */
#ifndef WINNOW_STUDY_STUDY_INTERNAL_H
#define WINNOW_STUDY_STUDY_INTERNAL_H

#include "winnow/study.h"

#include "base/env.h"
#include "base/pool.h"
#include "study/effects.h"
#include "study/fact_counts.h"

enum who { MODEL, RANDOM_WEIGHTS, ORACLE, WHOS };
extern const char *const STUDY_WHO[];
enum treatment { MEMORISED, SUBJECT, PATTERN, TREATMENTS };
extern const char *const STUDY_TREATMENT[];

struct study {
    const struct winnow_study_options *opt;
    const struct winnow_env *env;
    struct winnow_study_result *result;
    const char *checkpoint; /* a folder to go on from; NULL: none */
    struct facts facts;
    struct fact_counts counts;
    struct pool *pool;
    uint32_t *says[WHOS]; /* objects, of each fact */
    struct effect effects[TREATMENTS][WHOS];
};

/* answers.c: fills says. */
winnow_status study_ask_models(struct study *s, struct winnow_error *err);

/* causal.c: how often an object stands with a fact's subject, and behind its pattern. */
uint64_t study_with_subject(const struct study *s, const struct fact *f, uint32_t object);
uint64_t study_with_pattern(const struct study *s, const struct fact *f, uint32_t object);

/* causal_results.c */
void study_write_json(const struct study *s, struct buf *out);
void study_write_table(const struct study *s, struct buf *out);
void study_write_rows(const struct study *s, struct buf *out);

#endif /* WINNOW_STUDY_STUDY_INTERNAL_H */
