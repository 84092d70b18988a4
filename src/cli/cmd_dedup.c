#include "cli/commands.h"
#include "option/dedup_options.h"

winnow_status cmd_dedup(struct cli *cli, int argc, const char *const *argv,
                        struct winnow_error *err)
{
    struct winnow_dedup_options options = WINNOW_DEDUP_OPTIONS_INIT;
    return cli_corpus_command(cli, &DEDUP_TABLE, &options, argc, argv, err);
}
