/* line_draw.c -- which pages a step sees, and how they are changed.
 *
 * A page's frame is what stands before its first and behind its last kept line.
 * A transplanted page is the frame of one page around the lines between first
 * and last kept one of another, or around a clean article. */
#include "lines/line_train_internal.h"

#include <assert.h>

#define DRAWS 16U /* for a page with a structure */

size_t line_draw_epoch(const struct line_page_set *pages, uint32_t per_template, struct rng *r,
                       uint32_t *out)
{
    uint32_t *order = out; /* a random order of all; then those past their template's share go */
    for (size_t i = 0; i < pages->count; i++) {
        order[i] = (uint32_t)i;
    }
    rng_shuffle_u32(r, order, pages->count);
    struct arena scratch;
    arena_init(&scratch, 4096);
    uint32_t *used = ARENA_NEW(&scratch, uint32_t, pages->templates + 1U);
    size_t count = 0;
    for (size_t i = 0; i < pages->count; i++) {
        uint32_t template_index = pages->items[order[i]].template_index;
        if (template_index == UINT32_MAX || used[template_index]++ < per_template) {
            out[count++] = order[i];
        }
    }
    arena_release(&scratch);
    return count;
}

/* First and behind-last kept line; false where none is kept. */
static bool body_of(const struct line_page *p, size_t *from, size_t *to)
{
    *from = 0;
    *to = p->count;
    while (*from < *to && p->labels[*from] != LINE_KEEP) {
        (*from)++;
    }
    while (*to > *from && p->labels[*to - 1] != LINE_KEEP) {
        (*to)--;
    }
    return *to > *from;
}

/* A page and the features of its tags, or none. */
struct drawn_page {
    const struct line_page *page;
    struct line_structure *structure;
};

static struct drawn_page draw_page(const struct line_page *p, bool with_structure, uint32_t rows,
                                   struct arena *keep)
{
    struct drawn_page d = {p, NULL};
    if (p->structure && with_structure) {
        struct page_elements elements;
        page_elements_build(p->structure, keep, &elements);
        size_t count = p->count > 0 ? p->rows[p->count - 1] + 1U : 0;
        d.structure = ARENA_NEW(keep, struct line_structure, 1);
        line_structure_build(&elements, 0, count, rows, keep, d.structure);
    }
    return d;
}

static void add_lines(struct line_sample *s, const struct drawn_page *d, size_t from, size_t to)
{
    const struct line_page *p = d->page;
    for (size_t i = from; i < to && s->count < LINE_PART_MAX; i++, s->count++) {
        s->lines[s->count] = p->lines[i];
        s->labels[s->count] = p->labels[i];
        if (s->origins && d->structure) {
            s->origins[s->count] = (struct line_origin){d->structure, p->rows[i]};
        }
    }
}

static void make_room(struct line_sample *out, size_t room, bool structure)
{
    out->lines = ARENA_NEW(&out->keep, struct str, room);
    out->labels = ARENA_NEW(&out->keep, unsigned char, room);
    out->origins = structure ? ARENA_NEW(&out->keep, struct line_origin, room) : NULL;
    out->count = 0;
}

/* Each line keeps the features of the tags around it where it comes from: a frame is
 * transplanted with its structure.  Where one of the two has none the sample has none. */
static bool transplant(const struct drawn_page *frame_drawn, const struct drawn_page *body_drawn,
                       struct line_sample *out)
{
    const struct line_page *frame = frame_drawn->page, *body = body_drawn->page;
    size_t frame_from, frame_to, from, to;
    if (!body_of(frame, &frame_from, &frame_to) || !body_of(body, &from, &to)) {
        return false;
    }
    make_room(out, (size_t)frame->count + body->count + 1,
              frame_drawn->structure && body_drawn->structure);
    size_t start = 0;
    if (frame_from > 0 &&
        frame->labels[0] != LINE_KEEP) { /* the page's title belongs to the body */
        start = 1;
        if (from > 0 && body->labels[0] != LINE_KEEP) {
            add_lines(out, body_drawn, 0, 1);
        }
    }
    add_lines(out, frame_drawn, start, frame_from);
    add_lines(out, body_drawn, from, to);
    add_lines(out, frame_drawn, frame_to, frame->count);
    return true;
}

/* Copies the n-grams without those that chance leaves out. */
static void drop_tokens(const struct line_train_options *opt, struct rng *r, struct line_sample *s)
{
    struct line_features *f = &s->f;
    size_t total = f->count > 0 ? f->ends[f->count * LINE_GROUPS - 1] : 0;
    uint32_t *tokens = ARENA_NEW(&s->keep, uint32_t, total + 1);
    uint32_t *ends = ARENA_NEW(&s->keep, uint32_t, f->count * LINE_GROUPS + 1);
    uint32_t hidden = LINE_GROUPS; /* a group that the page goes without */
    if (rng_uniform(r) < opt->group_dropout) {
        hidden = (uint32_t)rng_below(r, LINE_GROUPS);
    }
    uint64_t cut = (uint64_t)(opt->token_dropout * 65536.0);
    uint32_t at = 0, count = 0;
    uint64_t bits = 0;
    for (size_t i = 0; i < f->count * LINE_GROUPS; i++) {
        for (; at < f->ends[i]; at++) {
            bits = at % 4 == 0 ? rng_u64(r) : bits >> 16;
            if ((bits & 65535) >= cut && i % LINE_GROUPS != hidden) {
                tokens[count++] = f->tokens[at];
            }
        }
        ends[i] = count;
    }
    f->tokens = tokens;
    f->ends = ends;
}

/* Another page or an article; for a frame with a structure a page that has one, too, where a
 * few draws find it. */
static const struct line_page *draw_body(const struct line_train_data *data, bool structure,
                                         struct rng *r)
{
    const struct line_page_set *pages = data->pages, *articles = data->articles;
    if (!structure && articles->count > 0 && rng_below(r, 2) == 0) {
        return &articles->items[rng_below(r, articles->count)];
    }
    const struct line_page *p = &pages->items[rng_below(r, pages->count)];
    for (unsigned i = 0; structure && !p->structure && i < DRAWS; i++) {
        p = &pages->items[rng_below(r, pages->count)];
    }
    return p;
}

void line_draw_sample(const struct line_train_options *opt, const struct line_train_data *data,
                      uint32_t page, uint32_t rows, struct rng *r, struct line_sample *out)
{
    const struct line_page *p = &data->pages->items[page];
    arena_reset(&out->keep);
    bool structure = p->structure && rng_uniform(r) >= opt->structure_dropout;
    struct drawn_page frame = draw_page(p, structure, rows, &out->keep);
    bool changed = false;
    if (rng_uniform(r) < opt->transplant) {
        const struct line_page *other = draw_body(data, structure, r);
        struct drawn_page body = draw_page(other, structure, rows, &out->keep);
        changed = transplant(&frame, &body, out);
    }
    if (!changed) {
        make_room(out, (size_t)p->count + 1, frame.structure);
        add_lines(out, &frame, 0, p->count);
    }
    line_features_build(out->lines, out->origins, out->count, rows, &out->keep, &out->f);
    drop_tokens(opt, r, out);
}
