/* cmd_train.c -- `winnow train`. */
#include "winnow/train.h"

#include "cli/commands.h"
#include "flow/standard_output.h"
#include "option/tables.h"

#include <inttypes.h>
#include <stdio.h>

winnow_status cmd_train(struct cli *cli, int argc, const char *const *argv,
                        struct winnow_error *err)
{
    struct winnow_train_options options = WINNOW_TRAIN_OPTIONS_INIT;
    struct winnow_train_result r = {0};
    TRY(cli_parse(cli, &TRAIN_TABLE, &options, argc, argv, err));
    TRY(cli_need_paths(cli, &TRAIN_TABLE, 1, SIZE_MAX, err));
    TRY(standard_output_check(&cli->paths, NULL, &TRAIN_TABLE, &options, err));
    winnow_status st = winnow_train(&options, &cli->paths, &cli->env, &r, err);
    if (st == WINNOW_OK && r.nothing_to_do) {
        return cli_say_finished(cli, options.output);
    }
    if (r.steps == 0) {
        return st;
    }
    (void)printf("%.2fM parameters, %" PRIu64 " tokens in %" PRIu64
                 " steps (%.2f epochs of %" PRIu64
                 " documents), loss %.3f (mean of the last tenth of the steps): %s\n",
                 (double)r.parameters / 1e6, r.tokens, r.steps, r.epochs, r.documents, r.loss,
                 cli_field(cli, options.output));
    return st;
}
