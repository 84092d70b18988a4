/* blocklist.h -- documents by where they come from: those of listed addresses go.
 *
 * Options of the stage `blocklist`; winnow_stage() and recipes run it.  A document's address is
 * its "url", else "metadata.url".  docs/masking.md says which lists are read and what matches.
 */
#ifndef WINNOW_BLOCKLIST_H
#define WINNOW_BLOCKLIST_H

#include "winnow/common.h"

#ifdef __cplusplus
extern "C" {
#endif

struct winnow_blocklist_options {
    struct winnow_list lists;      /* files, or folders of UT1's kind */
    struct winnow_list categories; /* names of lists that count; none: all */
    bool filter;                   /* remove documents of listed addresses */
    bool annotate;                 /* write the categories to attributes/blocklist/ */
};
#define WINNOW_BLOCKLIST_OPTIONS_INIT \
    (WINNOW_NEW(winnow_blocklist_options){.filter = true, .annotate = true})

#ifdef __cplusplus
}
#endif

#endif /* WINNOW_BLOCKLIST_H */
