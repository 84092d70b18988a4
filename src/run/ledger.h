/* ledger.h -- lines that say what became of each document, and their index.
 * docs/formats/run.md has both formats. */
#ifndef WINNOW_RUN_LEDGER_H
#define WINNOW_RUN_LEDGER_H

#include "base/env.h"
#include "base/json_write.h"
#include "run/stage.h"

struct ledger_line {
    struct str id;
    uint64_t line;
    enum stage_verdict verdict;
    const char *rule;        /* NULL: none */
    double score, threshold; /* NaN: none */
    uint32_t times;          /* that a kept one is written; told where it is more than once */
    struct str detail;       /* further members, without braces */
};

/* "keep", "edit", "remove", "aside". */
const char *ledger_verdict_name(enum stage_verdict v);

/* The line with its newline. */
void ledger_add_line(const struct ledger_line *line, struct buf *out);

/* rule, score and threshold as members of the open object, where there are any. */
void ledger_write_reason(struct json_writer *w, const char *rule, double score, double threshold);

/* Writes <run>/ledger.db over the ledgers of the stage folders named ("01-rules");
 * *duplicates is the number of ids of the first stage's input that more than one
 * document has.  Whole or not at all. */
winnow_status ledger_index(const char *run, const struct winnow_list *stages,
                           const struct winnow_env *env, uint64_t *duplicates,
                           struct winnow_error *err);

#endif /* WINNOW_RUN_LEDGER_H */
