/* cmd_eval.c -- `winnow eval`: JSON into a file or to standard output, and a table. */
#include "winnow/eval.h"

#include "cli/commands.h"
#include "option/tables.h"

#include <stdio.h>
#include <string.h>

winnow_status cmd_eval(struct cli *cli, int argc, const char *const *argv, struct winnow_error *err)
{
    struct winnow_eval_options options = WINNOW_EVAL_OPTIONS_INIT;
    struct winnow_eval_result result = {0};
    TRY(cli_parse(cli, &EVAL_TABLE, &options, argc, argv, err));
    winnow_status st = winnow_eval(&options, &cli->paths, &cli->env, &result, err);
    cli_progress_end();
    if (result.table) { /* also where a part of the documents was lost */
        const char *text = options.output ? result.table : result.json;
        cli_print(text, strlen(text));
        if (!options.output && !cli->common.quiet) { /* the JSON is for programs */
            cli_tell(result.table);
        }
    }
    winnow_eval_result_free(&result);
    return st;
}
