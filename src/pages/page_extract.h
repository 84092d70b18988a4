/* page_extract.h -- a page becomes a document of visible lines. */
#ifndef WINNOW_PAGES_PAGE_EXTRACT_H
#define WINNOW_PAGES_PAGE_EXTRACT_H

#include "pages/html.h"
#include "pages/main_part.h"
#include "pages/page_reader.h"

struct page_extract_options {
    const char *source; /* of every document; NULL: the first folder of its name */
    size_t page_max;    /* bytes of a page; a longer one is bad */
    bool structure;     /* the member "structure" of HTML pages (page_structure.h) */
    struct html_options html;
    struct main_selectors main; /* of HTML pages only these elements are kept */
    bool mark_main;             /* they are marked in the structure instead */
};

enum page_outcome {
    PAGE_DOCUMENT,
    PAGE_PASSED, /* none of ours: reason is http_status, mime, binary or no_text */
    PAGE_BAD     /* cannot be read: reason is a sentence */
};

/* Views hold until the next page of the same extractor. */
struct page_result {
    enum page_outcome outcome;
    struct str id;
    struct str line; /* the document as JSON, without newline */
    size_t text_bytes;
    const char *reason; /* PAGE_PASSED: a constant */
    bool lost;          /* PAGE_BAD: its file, or what is behind the page in it, cannot be read */
    bool unreadable;    /* lost: by the system */
    struct str detail;  /* PAGE_PASSED: `"status": 404`, `"mime": "image/png"`, or empty */
};

/* One a worker. */
struct page_extractor;
struct page_extractor *page_extractor_new(const struct page_extract_options *opt);
void page_extractor_free(struct page_extractor *x);

/* Fails only without memory. */
winnow_status page_extract(struct page_extractor *x, const struct page *page,
                           struct page_result *out, struct winnow_error *err);

#endif /* WINNOW_PAGES_PAGE_EXTRACT_H */
