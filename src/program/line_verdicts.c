/* line_verdicts.c -- a number a line becomes remove_lines() calls.
 *
 * Lines that nobody judged (blank ones) stay if a neighbour stays on either side of
 * their gap: a blank line between kept and removed text stays with the kept. */
#include "program/line_verdicts.h"

#include <math.h>

/* Scores become 1 (kept) or 0; lines that are not judged go with their neighbours. */
static void decide(float *scores, size_t count, double keep_above)
{
    bool before = false; /* the nearest judged line above is kept */
    for (size_t i = 0; i < count; i++) {
        if (!isnan(scores[i])) {
            before = (double)scores[i] >= keep_above;
            scores[i] = before ? 1.0F : 0.0F;
        } else if (!before) {
            scores[i] = 0.0F;
        }
    }
    bool after = false;
    for (size_t i = count; i-- > 0;) {
        if (isnan(scores[i])) {
            scores[i] = after ? 1.0F : 0.0F;
        } else {
            after = scores[i] > 0;
        }
    }
}

void line_verdicts_program(float *scores, size_t count, double keep_above, size_t first,
                           struct buf *out)
{
    decide(scores, count, keep_above);
    size_t start = out->len;
    for (size_t i = 0; i < count;) {
        size_t end = i + 1;
        while (end < count && scores[end] == scores[i]) {
            end++;
        }
        if (scores[i] == 0.0F) {
            buf_addf(out, "remove_lines(line_start=%zu, line_end=%zu)\n", first + i,
                     first + end - 1);
        }
        i = end;
    }
    if (out->len == start) {
        buf_add_text(out, "keep_chunk()\n");
    }
}
