#include "cli/commands.h"
#include "option/refine_options.h"

winnow_status cmd_refine(struct cli *cli, int argc, const char *const *argv,
                         struct winnow_error *err)
{
    struct winnow_refine_options options = WINNOW_REFINE_OPTIONS_INIT;
    return cli_corpus_command(cli, &REFINE_TABLE, &options, argc, argv, err);
}
