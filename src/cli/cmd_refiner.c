#include "base/env.h"
#include "cli/commands.h"
#include "option/refiner_options.h"

#include <inttypes.h>
#include <stdio.h>

winnow_status cmd_refiner_eval(struct cli *cli, int argc, const char *const *argv,
                               struct winnow_error *err)
{
    struct winnow_refiner_eval_options options = WINNOW_REFINER_EVAL_OPTIONS_INIT;
    struct winnow_refiner_eval_result result;
    TRY(cli_parse(cli, &REFINER_EVAL_TABLE, &options, argc, argv, err));
    TRY(cli_need_paths(cli, &REFINER_EVAL_TABLE, 1, SIZE_MAX, err));
    winnow_status st = winnow_refiner_eval(&options, &cli->paths, &cli->env, &result, err);
    cli_progress_end();
    if (st == WINNOW_OK) {
        if (result.unmatched > 0) {
            env_log(&cli->env, WINNOW_LOG_WARNING,
                    "%" PRIu64 " results belong to none of the pages", result.unmatched);
        }
        (void)fputs(options.output ? result.table : result.json, stdout);
    }
    winnow_refiner_eval_result_free(&result);
    return st;
}
