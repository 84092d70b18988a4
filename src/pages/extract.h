/* extract.h -- the stage `extract`: pages and text files to documents. */
#ifndef WINNOW_PAGES_EXTRACT_H
#define WINNOW_PAGES_EXTRACT_H

#include "winnow/extract.h"

#include "pages/page_extract.h"
#include "run/stage.h"

extern const struct stage_kind EXTRACT_STAGE;

/* What the options say of one page; borrows their texts.  WINNOW_E_USAGE for selectors that cannot
 * be understood. */
winnow_status extract_page_options(const struct winnow_extract_options *opt, struct arena *keep,
                                   struct page_extract_options *out, struct winnow_error *err);

#endif /* WINNOW_PAGES_EXTRACT_H */
