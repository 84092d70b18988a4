/* prox.h -- programs as the released ProX models emit them, executed as GAIR's
 * published pipeline does, quirk by quirk, so that its data can be reproduced.
 *
 * This is not a sound language (docs/formats/programs.md lists what it does
 * with commas, "=", a missing ")" and so on); use the winnow dialect for
 * anything new.  Where the original crashes or runs for as long as a number in
 * the program is large, this one reports or bounds.
 *
 * Source: behaviour of ProX's chunk executor at thresholds 0.0 and 0.95, two
 * errors allowed to none; Zhou et al. 2409.17115, appendix A.
 */
#ifndef WINNOW_PROGRAM_PROX_H
#define WINNOW_PROGRAM_PROX_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"

enum prox_verdict {
    PROX_PROCESSED, /* the program was applied (perhaps to no effect) */
    PROX_REVERTED,  /* two errors or more: the original text */
    PROX_DROPPED,   /* at most 5 % of the words, or at most 10 words, are left */
};

struct prox_result {
    enum prox_verdict verdict;
    uint32_t errors;  /* as the original counts them */
    uint32_t removed; /* lines */
    uint32_t edits;   /* places replaced */
    /* What the original passes over in silence. */
    uint32_t ignored; /* lines that are no call of its */
    uint32_t no_ops;  /* calls that could not do anything: a comma in the
                       * string, a string that is not there, an empty range */
    uint64_t words_before, words_after;
};

/* Runs the joined outputs of a document's chunks and appends the result to out:
 * nothing where it is dropped.  WINNOW_E_FORMAT for a text without words (the
 * original divides by zero), WINNOW_E_LIMIT where the program makes the text
 * grow past four times its size or costs too much. */
winnow_status prox_execute(struct str text, struct str program, struct buf *out,
                           struct prox_result *result, struct winnow_error *err);

/* What the document model's output means: it drops when "drop" is anywhere in
 * it, "do not drop" included. */
bool prox_drops(struct str output);

#endif /* WINNOW_PROGRAM_PROX_H */
