#include "cli/commands.h"
#include "option/holdout_options.h"

winnow_status cmd_holdout(struct cli *cli, int argc, const char *const *argv,
                          struct winnow_error *err)
{
    struct winnow_holdout_options options = WINNOW_HOLDOUT_OPTIONS_INIT;
    return cli_corpus_command(cli, &HOLDOUT_TABLE, &options, argc, argv, err);
}
