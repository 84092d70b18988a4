/* line_train_room.c -- how much memory a step of training takes, before the first.
 *
 * A step holds batch_pages pages with their features (line_draw.c) and, for the lines of
 * their windows, a gradient of the sums of n-grams.  Which pages meet is chance, and what
 * a page's arena has grown to it keeps: so all of them count as the longest. */
#include "base/mem.h"
#include "lines/line_scan.h"
#include "lines/line_train_internal.h"

struct extent {
    uint64_t page; /* bytes of the page that takes most */
    uint64_t line; /* of a line */
};

/* Of a line: what is seen of it, and its gradient. */
static uint64_t line_bytes(const struct line_scan *s, uint32_t embed)
{
    uint64_t tokens = 4 * (uint64_t)s->shown + 2; /* as line_features_build() writes them */
    uint64_t seen = sizeof *s + LINE_DENSE * sizeof(float) +
                    2 * sizeof(uint32_t) * (tokens + LINE_GROUPS) + sizeof(struct str) + 1;
    uint64_t gradient = (uint64_t)LINE_GROUPS * embed * sizeof(float);
    return seen + gradient * LINE_WINDOW / (LINE_WINDOW - 2 * LINE_MARGIN);
}

static void extent_of(const struct line_page_set *set, uint32_t embed, struct extent *e)
{
    for (size_t i = 0; i < set->count; i++) {
        uint64_t page = 0;
        for (size_t k = 0; k < set->items[i].count; k++) {
            struct line_scan scan;
            line_scan(set->items[i].lines[k], &scan);
            uint64_t bytes = line_bytes(&scan, embed);
            page += bytes;
            e->line = bytes > e->line ? bytes : e->line;
        }
        e->page = page > e->page ? page : e->page;
    }
}

uint64_t line_train_step_bytes(const struct line_config *c, const struct line_train_options *opt,
                               const struct line_page_set *pages,
                               const struct line_page_set *articles)
{
    struct extent e = {0};
    extent_of(pages, c->embed, &e);
    uint64_t frame = e.page;
    extent_of(articles, c->embed, &e);
    uint64_t sample = opt->transplant > 0 ? frame + e.page : frame;
    uint64_t most = e.line * LINE_PART_MAX; /* a sample is cut there */
    sample = sample < most ? sample : most;
    sample += sample / 4; /* an arena keeps its newest block, whether it fits again or not */
    return opt->batch_pages * (sample + LINE_PAGE_TABLES);
}
