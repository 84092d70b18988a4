/* blocklist_options.c -- the table of `blocklist`. */
#include "winnow/blocklist.h"

#include "option/corpus_options.h"
#include "option/tables.h"

#define T struct winnow_blocklist_options

static const struct option OPTIONS[] = {
    OPT_FILES(0, "lists", T, lists, "PATH,...",
              "lists of addresses, or folders of them: domains and urls, a folder a category"),
    OPT_LIST(0, "categories", T, categories, "NAME,...", "those that count (default: all)"),
    OPT_FLAG(0, "filter", T, filter, "remove documents of listed addresses"),
    OPT_FLAG(0, "annotate", T, annotate, "write the categories to attributes/blocklist/"),
    OPT_END,
};

const struct option_table BLOCKLIST_TABLE = {
    .command = "blocklist",
    .summary = "leave out documents whose address is on a list",
    .usage = "[options] --lists PATH,... CORPUS... -o FOLDER",
    .example =
        "  winnow blocklist --lists blacklists/ --categories adult,malware corpus/ -o runs/clean\n"
        "  winnow blocklist --lists mine.txt,hosts.gz corpus/ -o -\n"
        "  winnow blocklist --lists blacklists/ --no-filter corpus/ -o runs/seen # noted only\n",
    .options = OPTIONS,
    .shared = &CORPUS_TABLE,
    .defaults = &WINNOW_BLOCKLIST_OPTIONS_INIT,
    .size = sizeof(T),
};
