/* cmd_verify.c -- `winnow verify`: success is said, or it would look like nothing done. */
#include "winnow/run.h"

#include "cli/commands.h"
#include "option/tables.h"

#include <stdio.h>

winnow_status cmd_verify(struct cli *cli, int argc, const char *const *argv,
                         struct winnow_error *err)
{
    struct {
        bool unused;
    } none = {false};
    TRY(cli_parse(cli, &VERIFY_TABLE, &none, argc, argv, err));
    TRY(cli_need_paths(cli, &VERIFY_TABLE, 1, 1, err));
    TRY(winnow_verify(cli->paths.items[0], &cli->env, err));
    (void)printf("%s: verified\n", cli_field(cli, cli->paths.items[0]));
    return WINNOW_OK;
}
