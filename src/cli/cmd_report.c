/* cmd_report.c -- `winnow report RUN`. */
#include "winnow/report.h"

#include "cli/commands.h"
#include "option/tables.h"

#include <stdio.h>

winnow_status cmd_report(struct cli *cli, int argc, const char *const *argv,
                         struct winnow_error *err)
{
    struct winnow_report_options opt = WINNOW_REPORT_OPTIONS_INIT;
    TRY(cli_parse(cli, &REPORT_TABLE, &opt, argc, argv, err));
    TRY(cli_need_paths(cli, &REPORT_TABLE, 1, 1, err));
    opt.run = cli->paths.items[0];
    TRY(winnow_report(&opt, &cli->env, err));
    if (!opt.json && !opt.output && !cli->common.quiet) {
        (void)fprintf(stderr, "wrote %s/report.html\n", cli_field(cli, opt.run));
    }
    return WINNOW_OK;
}
