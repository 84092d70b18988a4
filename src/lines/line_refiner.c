/* line_refiner.c -- a document through the line model: scores, then programs.
 *
 * Long documents are read in parts of LINE_PART_MAX lines, each for itself: cost is
 * linear in lines, and a line's verdict depends on its part only.  Lines without a
 * word are not shown to the model and go with their neighbours
 * (program/line_verdicts.c).  A document whose lines, weighted by bytes, score below
 * drop_below on average goes as a whole. */
#include "lines/line_refiner.h"

#include "base/buf.h"
#include "base/mem.h"
#include "lines/line_calibrate.h"
#include "lines/line_model_internal.h"
#include "program/line_verdicts.h"

#include <math.h>

struct line_reader {
    const struct line_model *m;
    struct line_pass *pass;
    struct arena scratch;
    struct arena page; /* of a document's elements */
    struct buf text;
};

struct line_reader *line_reader_new(const struct line_model *m)
{
    struct line_reader *r = mem_zalloc(sizeof *r);
    r->m = m;
    r->pass = line_pass_new(m);
    arena_init(&r->scratch, (size_t)1 << 20);
    arena_init(&r->page, (size_t)1 << 18);
    return r;
}

void line_reader_free(struct line_reader *r)
{
    if (!r) {
        return;
    }
    line_pass_free(r->pass);
    arena_release(&r->scratch);
    arena_release(&r->page);
    buf_release(&r->text);
    mem_free(r);
}

/* A document's elements in r->page, or NULL. */
static const struct page_elements *read_elements(struct line_reader *r,
                                                 const struct page_structure *structure)
{
    if (!structure) {
        return NULL;
    }
    arena_reset(&r->page);
    struct page_elements *page = ARENA_NEW(&r->page, struct page_elements, 1);
    page_elements_build(structure, &r->page, page);
    return page;
}

/* count <= LINE_PART_MAX lines, the document's from its line `first` on. */
static void score_part(struct line_reader *r, const struct str *lines,
                       const struct page_elements *page, size_t first, size_t count, float *scores)
{
    struct arena *keep = &r->scratch;
    struct str *shown = ARENA_NEW(keep, struct str, count + 1);
    struct line_structure structure;
    struct line_origin *origins = NULL;
    if (page) {
        line_structure_build(page, first, count, r->m->c.rows, keep, &structure);
        origins = ARENA_NEW(keep, struct line_origin, count + 1);
    }
    float *logits = ARENA_NEW(keep, float, count + 1);
    uint32_t *rows = ARENA_NEW(keep, uint32_t, count + 1);
    size_t shown_count = 0;
    for (size_t i = 0; i < count; i++) {
        scores[i] = line_has_words(lines[i]) ? 0.0F : NAN;
        if (!isnan(scores[i])) {
            if (origins) {
                origins[shown_count] = (struct line_origin){&structure, i};
            }
            rows[shown_count] = (uint32_t)(first + i);
            shown[shown_count++] = lines[i];
        }
    }
    struct line_features f;
    line_features_build(shown, origins, shown_count, r->m->c.rows, keep, &f);
    r->pass->m = page || !r->m->alone ? r->m : r->m->alone; /* sizes are the same */
    line_pass_run(r->pass, &f, logits);
    line_calibrate(&r->m->c.calibration, page, rows, shown_count, keep, logits);
    for (size_t i = 0, at = 0; i < count; i++) {
        if (!isnan(scores[i])) {
            scores[i] = 1.0F / (1.0F + expf(-logits[at++]));
        }
    }
}

void line_reader_scores(struct line_reader *r, const struct str *lines,
                        const struct page_structure *structure, size_t count, float *scores)
{
    const struct page_elements *page = read_elements(r, structure);
    for (size_t from = 0; from < count; from += LINE_PART_MAX) {
        size_t n = count - from < LINE_PART_MAX ? count - from : LINE_PART_MAX;
        arena_reset(&r->scratch);
        score_part(r, lines + from, page, from, n, scores + from);
    }
}

/* Sums for a document's score: of the lines that are judged, by their bytes. */
struct document_score {
    double sum, bytes;
};

static void add_scores(struct document_score *d, const struct str *lines, const float *scores,
                       size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!isnan(scores[i])) {
            d->sum += (double)scores[i] * (double)lines[i].len;
            d->bytes += (double)lines[i].len;
        }
    }
}

size_t line_reader_programs(struct line_reader *r, struct line_text in, struct line_limits limits,
                            struct arena *keep, struct line_program **programs)
{
    struct str text = in.text;
    const struct page_elements *page = read_elements(r, in.structure);
    double limit = limits.keep_above < 0 ? r->m->c.keep_above : limits.keep_above;
    struct document_score document = {0};
    size_t total = str_count_lines(text), parts = (total + LINE_PART_MAX - 1) / LINE_PART_MAX;
    *programs = ARENA_NEW(keep, struct line_program, parts);
    for (size_t part = 0; part < parts; part++) {
        size_t first = part * LINE_PART_MAX;
        size_t count = total - first < LINE_PART_MAX ? total - first : LINE_PART_MAX;
        arena_reset(&r->scratch);
        struct str *lines = ARENA_NEW(&r->scratch, struct str, count);
        float *scores = ARENA_NEW(&r->scratch, float, count);
        for (size_t i = 0; i < count; i++) {
            size_t end = str_find(text, STR_LIT("\n"));
            end = end == SIZE_MAX ? text.len : end;
            lines[i] = str_sub(text, 0, end);
            text = str_sub(text, end < text.len ? end + 1 : end, text.len);
        }
        score_part(r, lines, page, first, count, scores);
        add_scores(&document, lines, scores, count);
        buf_clear(&r->text);
        line_verdicts_program(scores, count, limit, first, &r->text);
        struct str program = {arena_strndup(keep, r->text.ptr, r->text.len), r->text.len};
        (*programs)[part] = (struct line_program){first, first + count - 1, program, false};
    }
    if (document.sum < limits.drop_below * document.bytes) {
        (*programs)[0] = (struct line_program){0, total - 1, STR_LIT("drop_doc()\n"), true};
        return 1;
    }
    return parts;
}
