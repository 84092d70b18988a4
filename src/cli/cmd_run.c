/* cmd_run.c -- `winnow run`: a recipe and what the command line says against it.
 *
 * Threads, memory and seed may stand in both; the recipe needs to know which of
 * them somebody really wrote, as an option's default says nothing. */
#include "winnow/run.h"

#include "base/env.h"
#include "cli/commands.h"
#include "option/tables.h"

#include <inttypes.h>
#include <stdio.h>

/* `-s 0` says something, too. */
static unsigned from_command_line(const struct cli *cli)
{
    static const struct {
        const char *option;
        unsigned bit;
    } ROWS[] = {{"threads", WINNOW_THREADS_FROM_ENV},
                {"memory", WINNOW_MEMORY_FROM_ENV},
                {"seed", WINNOW_SEED_FROM_ENV}};
    unsigned out = 0;
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        out |= cli->given & option_bit(&CLI_TABLE, ROWS[i].option) ? ROWS[i].bit : 0;
    }
    return out;
}

winnow_status cmd_run(struct cli *cli, int argc, const char *const *argv, struct winnow_error *err)
{
    struct winnow_run_options options = WINNOW_RUN_OPTIONS_INIT;
    struct winnow_run_result result;
    TRY(cli_parse(cli, &RUN_TABLE, &options, argc, argv, err));
    TRY(cli_need_paths(cli, &RUN_TABLE, 1, 1, err));
    options.from_env = from_command_line(cli);
    winnow_status st = winnow_run(cli->paths.items[0], &options, &cli->env, &result, err);
    if (st == WINNOW_OK && result.nothing_to_do) {
        env_log(&cli->env, WINNOW_LOG_INFO, "finished before; nothing is left to do");
    }
    if (result.complete) {
        (void)fprintf(result.to_stdout ? stderr : stdout,
                      "%" PRIu64 " documents in, %" PRIu64 " kept (%.1f MB of %.1f MB)\n",
                      result.documents_in, result.documents_kept, (double)result.bytes_kept / 1e6,
                      (double)result.bytes_in / 1e6);
    }
    return st;
}
