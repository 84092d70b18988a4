#include "cli/commands.h"
#include "option/prune_options.h"

winnow_status cmd_prune(struct cli *cli, int argc, const char *const *argv,
                        struct winnow_error *err)
{
    struct winnow_prune_options options = WINNOW_PRUNE_OPTIONS_INIT;
    return cli_corpus_command(cli, &PRUNE_TABLE, &options, argc, argv, err);
}
