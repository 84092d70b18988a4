/* cmd_study.c -- `winnow study causal`: into a folder, with a table, or as JSON to standard output.
 */
#include "winnow/study.h"

#include "cli/commands.h"
#include "flow/standard_output.h"
#include "option/tables.h"

#include <string.h>

winnow_status cmd_study_causal(struct cli *cli, int argc, const char *const *argv,
                               struct winnow_error *err)
{
    struct winnow_study_options options = WINNOW_STUDY_OPTIONS_INIT;
    struct winnow_study_result result = {0};
    TRY(cli_parse(cli, &STUDY_CAUSAL_TABLE, &options, argc, argv, err));
    if (!options.files_from) {
        TRY(cli_need_paths(cli, &STUDY_CAUSAL_TABLE, 1, SIZE_MAX, err));
    }
    TRY(standard_output_check(&cli->paths, options.files_from, &STUDY_CAUSAL_TABLE, &options, err));
    winnow_status st = winnow_study_causal(&options, &cli->paths, &cli->env, &result, err);
    cli_progress_end();
    if (st == WINNOW_OK && result.nothing_to_do) {
        return cli_say_finished(cli, options.output);
    }
    if (result.table) {
        const char *text = options.output ? result.table : result.json;
        cli_print(text, strlen(text));
    }
    winnow_study_result_free(&result);
    return st;
}
