/* extract.h -- web pages and text files as documents of visible lines.
 *
 * HTML, plain text, Markdown, WARC and WET files, plain, gzip or zstd, become
 * JSON lines (docs/formats/corpus.md).  Options of the stage `extract`: the
 * first stage of a recipe, or winnow_stage() alone; text.h reads one page in memory.
 */
#ifndef WINNOW_EXTRACT_H
#define WINNOW_EXTRACT_H

#include "winnow/common.h"

#ifdef __cplusplus
extern "C" {
#endif

enum winnow_packing { WINNOW_PACKING_ZST, WINNOW_PACKING_GZ, WINNOW_PACKING_NONE };

struct winnow_extract_options {
    const char *source;  /* "source" of every document; NULL: the first folder of its name */
    bool rows;           /* a table row is one line, cells between " | "; else a cell is a line */
    uint64_t page_max;   /* bytes; a longer page is bad */
    uint64_t shard_size; /* bytes of documents in a shard, before compression */
    int packing;         /* enum winnow_packing, of the shards */
    struct winnow_list main; /* selectors of the element that is kept of HTML pages: "main", "#id",
                                ".class", "[role=main]", "SOURCE=#id"; none: all of a page */
    bool mark_main; /* such elements are marked in the structure, for holdout, not cut out */
    bool structure; /* what the tags say of each line, for refine (docs/formats/structure.md) */
};
#define WINNOW_EXTRACT_OPTIONS_INIT      \
    (WINNOW_NEW(winnow_extract_options){ \
        .page_max = (uint64_t)32 << 20, .shard_size = (uint64_t)128 << 20, .structure = true})

#ifdef __cplusplus
}
#endif

#endif /* WINNOW_EXTRACT_H */
