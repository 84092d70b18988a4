/* extract_options.c -- the table of `extract`. */
#include "winnow/extract.h"

#include "option/corpus_options.h"
#include "option/tables.h"

static const char *const PACKINGS[] = {"zst", "gz", "none", NULL};

static const struct option OPTIONS[] = {
    OPT_TEXT(0, "source", struct winnow_extract_options, source, "NAME",
             "source of every document (default: the first folder of its path)"),
    OPT_FLAG(0, "rows", struct winnow_extract_options, rows,
             "a table row is one line, with | between its cells; else each cell is a line"),
    OPT_LIST(
        0, "main", struct winnow_extract_options, main, "SELECTOR,...",
        "keep this element of HTML pages only: tag, #id, .class, [role=main]; SOURCE=SELECTOR for "
        "the pages of one source"),
    OPT_FLAG(0, "mark-main", struct winnow_extract_options, mark_main,
             "mark what --main names instead, so that holdout can set only that aside"),
    OPT_FLAG(0, "structure", struct winnow_extract_options, structure,
             "what a page's tags say of its lines, for refine, which takes it out again"),
    OPT_SIZE(0, "page-max", struct winnow_extract_options, page_max, 1024, 1073741824.0,
             "longer pages are bad"),
    OPT_SIZE(0, "shard-size", struct winnow_extract_options, shard_size, 1024, 1e15,
             "documents in a shard, before compression"),
    OPT_ENUM(0, "packing", struct winnow_extract_options, packing, PACKINGS,
             "compression of the shards"),
    OPT_END,
};

const struct option_table EXTRACT_TABLE = {
    .command = "extract",
    .summary = "web pages and text files to documents of visible lines",
    .usage = "[options] PATHS... -o FOLDER",
    .example =
        "  winnow extract pages/ -o runs/pages                # HTML, text, Markdown, WARC, WET\n"
        "  winnow extract '/usr/share/doc/**/*.html' -o runs/docs\n"
        "  winnow extract crawl.warc.gz -o - | winnow count -\n"
        "  winnow extract --rows --source wiki dump/ -o runs/wiki\n"
        "  winnow extract --main 'main,[role=main],git-doc=#content' docs/ -o runs/main\n",
    .options = OPTIONS,
    .shared = &CORPUS_TABLE,
    .defaults = &WINNOW_EXTRACT_OPTIONS_INIT,
    .size = sizeof(struct winnow_extract_options),
};
