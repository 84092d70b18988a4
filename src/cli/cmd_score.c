#include "cli/commands.h"
#include "option/score_options.h"

winnow_status cmd_score(struct cli *cli, int argc, const char *const *argv,
                        struct winnow_error *err)
{
    struct winnow_score_options options = WINNOW_SCORE_OPTIONS_INIT;
    return cli_corpus_command(cli, &SCORE_TABLE, &options, argc, argv, err);
}
