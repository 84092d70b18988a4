/* cmd_prove.c -- `winnow prove`: results are files; one line says where they are. */
#include "winnow/prove.h"

#include "base/env.h"
#include "cli/commands.h"
#include "option/tables.h"

#include <stdio.h>

winnow_status cmd_prove(struct cli *cli, int argc, const char *const *argv,
                        struct winnow_error *err)
{
    struct winnow_prove_options options = WINNOW_PROVE_OPTIONS_INIT;
    struct winnow_prove_result result = {0};
    TRY(cli_parse(cli, &PROVE_TABLE, &options, argc, argv, err));
    TRY(cli_need_paths(cli, &PROVE_TABLE, 1, SIZE_MAX, err));
    winnow_status st = winnow_prove(&options, &cli->paths, &cli->env, &result, err);
    if (result.complete) {
        (void)printf("%u seeds, %u arms, %.3g FLOPs: %s/results.json\n", result.seeds, result.arms,
                     result.flops, cli_field(cli, options.output));
        env_log(&cli->env, WINNOW_LOG_INFO, "prove: as a page: winnow report %s", options.output);
    }
    return st;
}
