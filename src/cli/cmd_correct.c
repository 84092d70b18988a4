/* cmd_correct.c -- `winnow correct`: options, the call, and what came of it. */
#include "winnow/correct.h"

#include "cli/commands.h"
#include "option/tables.h"

#include <inttypes.h>
#include <stdio.h>

winnow_status cmd_correct(struct cli *cli, int argc, const char *const *argv,
                          struct winnow_error *err)
{
    struct winnow_correct_options options = WINNOW_CORRECT_OPTIONS_INIT;
    struct winnow_correct_result r = {0};
    TRY(cli_parse(cli, &CORRECT_TABLE, &options, argc, argv, err));
    TRY(cli_need_paths(cli, &CORRECT_TABLE, 1, SIZE_MAX, err));
    winnow_status st = winnow_correct(&options, &cli->paths, &cli->env, &r, err);
    if (st == WINNOW_OK && r.nothing_to_do) {
        return cli_say_finished(cli, options.output);
    }
    if (r.documents == 0) {
        return st;
    }
    (void)printf("%" PRIu64 " documents ranked by %" PRIu64
                 " example%s; the first lies %.1f usual spreads above the median, %" PRIu64
                 " %s: %s/influence.jsonl\n",
                 r.documents, r.examples, r.examples == 1 ? "" : "s", r.stands_out, r.top,
                 r.steps > 0 ? "are unlearned" : "stand out", cli_field(cli, options.output));
    if (r.steps > 0) {
        (void)printf("loss of the examples %.3f -> %.3f, of neutral text %.4f -> %.4f (%+.2f %%), "
                     "%" PRIu64 " steps: %s\n",
                     r.unwanted_before, r.unwanted_after, r.neutral_before, r.neutral_after,
                     100 * (r.neutral_after / r.neutral_before - 1), r.steps,
                     cli_field(cli, options.output));
    }
    return st;
}
