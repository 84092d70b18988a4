/* line_pages.h -- labelled pages and clean articles to train a line model on.
 *
 * One JSON object a line.  A page has "lines" (strings) and "label" (numbers:
 * 1 keep, 0 drop, anything else: not judged, shown to the model but not
 * learned from); "source" names where it is from, "structure" what its tags say of the
 * lines (page_structure.h), as if they were a text's.  An article has "text"; its
 * lines are all to be kept. */
#ifndef WINNOW_LINES_LINE_PAGES_H
#define WINNOW_LINES_LINE_PAGES_H

#include "base/arena.h"
#include "base/error.h"
#include "base/str.h"
#include "corpus/page_structure.h"

enum line_label { LINE_DROP, LINE_KEEP, LINE_NOT_JUDGED };

struct line_page {
    struct str *lines;     /* those with words, the first LINE_PART_MAX of them */
    unsigned char *labels; /* enum line_label */
    uint32_t count;
    struct page_structure *structure; /* of all its lines; NULL: not known */
    uint32_t *rows;                   /* of it, of each line */
    uint32_t template_index;          /* of line_page_set.templates; UINT32_MAX: none */
};

struct line_page_set {
    struct line_page *items;
    size_t count, cap;
    uint32_t templates; /* sources of pages made from few templates */
    struct arena keep;
    uint64_t memory_max; /* --memory, 0: none; asked at each block */
    uint64_t beside;     /* of it, what is yet to come */
};

enum line_page_kind {
    LINE_PAGES,     /* each counts for itself */
    LINE_TEMPLATES, /* many pages of a source are made from one template */
    LINE_ARTICLES,  /* clean text */
};

void line_page_set_release(struct line_page_set *set);

/* Adds the pages of a file (plain, .gz, .zst), of an article at most the first
 * article_lines lines.  WINNOW_E_FORMAT names the line and what is wrong. */
winnow_status line_page_set_read(struct line_page_set *set, const char *path,
                                 enum line_page_kind kind, struct winnow_error *err);

#endif /* WINNOW_LINES_LINE_PAGES_H */
