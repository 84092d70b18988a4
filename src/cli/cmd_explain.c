/* cmd_explain.c -- `winnow explain`: prints as it is found; texts pass cli_print() on their way. */
#include "winnow/run.h"

#include "cli/commands.h"
#include "option/tables.h"

static void print(void *user, const char *text, size_t len)
{
    (void)user;
    cli_print(text, len);
}

winnow_status cmd_explain(struct cli *cli, int argc, const char *const *argv,
                          struct winnow_error *err)
{
    struct winnow_explain_options options = WINNOW_EXPLAIN_OPTIONS_INIT;
    TRY(cli_parse(cli, &EXPLAIN_TABLE, &options, argc, argv, err));
    TRY(cli_need_paths(cli, &EXPLAIN_TABLE, 2, 2, err));
    return winnow_explain(cli->paths.items[0], cli->paths.items[1], &options, print, NULL,
                          &cli->env, err);
}
