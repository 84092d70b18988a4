/* line_refiner.h -- a line model as a refiner: text in, programs out.
 *
 *     struct line_reader *r = line_reader_new(model);          one a thread
 *     arena_reset(&keep);
 *     count = line_reader_programs(r, text, -1, &keep, &programs);
 *
 * Programs are in the dialect "winnow", one a part of at most LINE_PART_MAX
 * lines, and hold remove_lines() or keep_chunk().  Lines without letters or
 * digits go with their neighbours: they are removed unless the nearest judged
 * line on each side is kept.
 *
 * A document's score is the mean of its lines' probabilities to be text, each
 * counting by its bytes.  Where it is below a limit the one program is drop_doc(). */
#ifndef WINNOW_LINES_LINE_REFINER_H
#define WINNOW_LINES_LINE_REFINER_H

#include "lines/line_model.h"

/* A program and the lines that it may touch. */
struct line_program {
    size_t first, last;
    struct str text;
    bool of_document; /* a verdict on the whole */
};

/* Lines less likely to be text go, documents of a lower score go as a whole. */
struct line_limits {
    double keep_above; /* negative: the model's */
    double drop_below; /* 0: no document goes */
};

struct line_reader;
struct line_reader *line_reader_new(const struct line_model *m);
void line_reader_free(struct line_reader *r);

/* A text with what its page's tags say of its lines, a row each, its sums made; NULL: not known. */
struct line_text {
    struct str text;
    const struct page_structure *structure;
};

/* Programs live in keep.  At least one. */
size_t line_reader_programs(struct line_reader *r, struct line_text in, struct line_limits limits,
                            struct arena *keep, struct line_program **programs);

/* The probability of each line to be text, NaN for lines that are not judged. */
void line_reader_scores(struct line_reader *r, const struct str *lines,
                        const struct page_structure *structure, size_t count, float *scores);

#endif /* WINNOW_LINES_LINE_REFINER_H */
