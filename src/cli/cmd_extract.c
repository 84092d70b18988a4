#include "cli/commands.h"
#include "option/extract_options.h"

winnow_status cmd_extract(struct cli *cli, int argc, const char *const *argv,
                          struct winnow_error *err)
{
    struct winnow_extract_options options = WINNOW_EXTRACT_OPTIONS_INIT;
    return cli_corpus_command(cli, &EXTRACT_TABLE, &options, argc, argv, err);
}
