/* line_calibrate.c -- means over paths and over the page, then a scale and a bias. */
#include "lines/line_calibrate.h"

#include <math.h>

#define CHARS_MAX 400U

struct path_mean {
    double sum, weight;
};

/* The number of the path of tags and classes that a row stands in; false: of no element. */
static bool path_of(const struct page_elements *page, uint32_t row, uint32_t *path)
{
    uint32_t node = page->s->lines[row].node;
    if (node == STRUCTURE_NONE) {
        return false;
    }
    *path = page->items[page->items[node].block].path;
    return true;
}

static double weight_of(const struct page_elements *page, uint32_t row)
{
    const struct structure_line *l = &page->s->lines[row];
    uint32_t chars = l->end - l->start;
    return 1 + sqrt(chars < CHARS_MAX ? chars : CHARS_MAX);
}

static void share_paths(double share, const struct page_elements *page, const uint32_t *rows,
                        size_t count, struct arena *scratch, float *logits)
{
    struct path_mean *means = ARENA_NEW(scratch, struct path_mean, page->path_count);
    uint32_t path;
    for (size_t i = 0; i < count; i++) {
        if (path_of(page, rows[i], &path)) {
            double weight = weight_of(page, rows[i]);
            means[path].sum += weight * (double)logits[i];
            means[path].weight += weight;
        }
    }
    for (size_t i = 0; i < count; i++) {
        if (path_of(page, rows[i], &path)) {
            double mean = means[path].sum / means[path].weight;
            logits[i] = (float)((1 - share) * (double)logits[i] + share * mean);
        }
    }
}

/* How sure the model is of the page's text: 0 where no line is likelier text than not. */
static double text_mean(const struct page_elements *page, const uint32_t *rows, size_t count,
                        const float *logits)
{
    double sum = 0, weight = 0;
    for (size_t i = 0; i < count; i++) {
        if (logits[i] > 0) {
            const struct structure_line *l = &page->s->lines[rows[i]];
            double chars = l->end - l->start;
            sum += chars * (double)logits[i];
            weight += chars;
        }
    }
    return weight > 0 ? sum / weight : 0;
}

void line_calibrate(const struct line_calibration *c, const struct page_elements *page,
                    const uint32_t *rows, size_t count, struct arena *scratch, float *logits)
{
    if (page && c->path_share > 0) {
        share_paths(c->path_share, page, rows, count, scratch, logits);
    }
    double scale = page ? c->tagged_scale : c->alone_scale;
    double bias = page ? c->tagged_bias : c->alone_bias;
    if (page && c->page_share > 0) {
        bias -= scale * c->page_share * text_mean(page, rows, count, logits);
    }
    for (size_t i = 0; i < count; i++) {
        logits[i] = (float)(scale * (double)logits[i] + bias);
    }
}
