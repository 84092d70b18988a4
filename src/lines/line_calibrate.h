/* line_calibrate.h -- what a model's log-odds mean, with a page's tags and without.
 *
 * A model that reads both kinds of page is too sure of one of them, and lines that a page
 * sets in one way (one path of tags and classes) mostly stay or go together.  So, of a page
 * whose tags are known,
 *
 *     x     (1 - path_share) x + path_share (mean of x over the lines of its path)
 *     x     x - page_share (mean, by characters, of the x above 0 on the page)
 *     x     scale x + bias
 *
 * and of any other page the last alone, with a scale and bias of its own.  The second: where the
 * model is sure of a page's text, as of an article in clean tags, it is too sure of the lines
 * around that as well, and where it is sure of none there is most to lose.  The numbers are
 * fitted on pages of sites that the model did not see (docs/evidence/structure_calibrate.py) and
 * lie in config.json; they are 0, 0, 1 and 0 where it has none.
 */
#ifndef WINNOW_LINES_LINE_CALIBRATE_H
#define WINNOW_LINES_LINE_CALIBRATE_H

#include "lines/line_model.h"
#include "lines/structure_page.h"

/* Log-odds of count lines; page NULL: its tags are not known, else rows[i] is the row of line i
 * in it.  A line's weight in the mean is 1 + root of its characters, of 400 at most. */
void line_calibrate(const struct line_calibration *c, const struct page_elements *page,
                    const uint32_t *rows, size_t count, struct arena *scratch, float *logits);

#endif /* WINNOW_LINES_LINE_CALIBRATE_H */
