/* cmd_refiner_lines.c -- `winnow refiner train-lines`. */
#include "winnow/refiner_lines.h"

#include "cli/commands.h"
#include "option/tables.h"

#include <inttypes.h>
#include <stdio.h>

winnow_status cmd_refiner_lines(struct cli *cli, int argc, const char *const *argv,
                                struct winnow_error *err)
{
    struct winnow_refiner_lines_options options = WINNOW_REFINER_LINES_OPTIONS_INIT;
    struct winnow_refiner_lines_result r;
    TRY(cli_parse(cli, &REFINER_LINES_TABLE, &options, argc, argv, err));
    TRY(cli_need_paths(cli, &REFINER_LINES_TABLE, 1, SIZE_MAX, err));
    TRY(winnow_refiner_train_lines(&options, &cli->paths, &cli->env, &r, err));
    if (r.nothing_to_do) {
        return cli_say_finished(cli, options.output);
    }
    (void)printf("%.2fM parameters, %" PRIu64 " steps over %" PRIu64 " pages of %" PRIu64
                 " lines, loss %.4f: %s\n",
                 (double)r.parameters / 1e6, r.steps, r.pages, r.lines, r.loss,
                 cli_field(cli, options.output));
    return WINNOW_OK;
}
