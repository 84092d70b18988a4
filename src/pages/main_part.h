/* main_part.h -- selectors that name the element in which people wrote.
 *
 *     main   article   #content   .body   [role=main]   div.body   table#text
 *
 * each for all pages, or behind SOURCE= for those of one source: "git-doc=#content".
 * A page of a source that has selectors of its own is not asked the general ones.  Names are
 * compared as the page writes them, tags in any case; of class and id the first bytes count
 * (html_structure.c).
 */
#ifndef WINNOW_PAGES_MAIN_PART_H
#define WINNOW_PAGES_MAIN_PART_H

#include "base/arena.h"
#include "base/error.h"
#include "base/str.h"

struct main_selector {
    struct str source;                    /* empty: of any page */
    struct str tag, class_name, id, role; /* empty: not asked for */
};

struct main_selectors {
    struct main_selector *items;
    size_t count;
};

/* WINNOW_E_USAGE names the selector that cannot be understood.  Strings point into list. */
winnow_status main_selectors_parse(const struct winnow_list *list, struct arena *keep,
                                   struct main_selectors *out, struct winnow_error *err);

/* An element as its page writes it. */
struct main_element {
    struct str tag, classes, id, role;
};

/* Whether one of the selectors for this source names the element. */
bool main_selectors_name(const struct main_selectors *s, struct str source,
                         const struct main_element *e);

#endif /* WINNOW_PAGES_MAIN_PART_H */
