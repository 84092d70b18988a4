#include "cli/commands.h"
#include "option/rules_options.h"

winnow_status cmd_rules(struct cli *cli, int argc, const char *const *argv,
                        struct winnow_error *err)
{
    struct winnow_rules_options options = WINNOW_RULES_OPTIONS_INIT;
    return cli_corpus_command(cli, &RULES_TABLE, &options, argc, argv, err);
}
