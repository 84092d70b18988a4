/* report_options.c -- the table of `report`. */
#include "winnow/report.h"

#include "option/tables.h"

static const struct option OPTIONS[] = {
    OPT_OUTPUT(struct winnow_report_options, output, "FILE",
               "where to write; RUN/report.html unless given, - for standard output"),
    OPT_FLAG(0, "json", struct winnow_report_options, json,
             "the figures as JSON, to standard output unless -o is given"),
    OPT_U32(0, "samples", struct winnow_report_options, samples, 0, 20,
            "documents shown for each reason of removal, before and after"),
    OPT_END,
};

static const struct winnow_report_options DEFAULTS = {.samples = 3};

const struct option_table REPORT_TABLE = {
    .command = "report",
    .summary = "the HTML report of a run, a proof or a study",
    .usage = "[options] RUN",
    .example = "  # write runs/debian-docs/report.html anew\n"
               "  winnow report runs/debian-docs\n"
               "  # its figures for a script\n"
               "  winnow report runs/debian-docs --json\n"
               "  # a proof alone; a folder of prove/ and study/ shows both\n"
               "  winnow report proof\n",
    .options = OPTIONS,
    .defaults = &DEFAULTS,
    .size = sizeof DEFAULTS,
};
