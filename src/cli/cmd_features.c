/* cmd_features.c -- `winnow features`: options, the call, and what came of it in a line. */
#include "winnow/features.h"

#include "cli/commands.h"
#include "option/tables.h"

#include <inttypes.h>
#include <stdio.h>

winnow_status cmd_features(struct cli *cli, int argc, const char *const *argv,
                           struct winnow_error *err)
{
    struct winnow_features_options options = WINNOW_FEATURES_OPTIONS_INIT;
    struct winnow_features_result r = {0};
    TRY(cli_parse(cli, &FEATURES_TABLE, &options, argc, argv, err));
    TRY(cli_need_paths(cli, &FEATURES_TABLE, 1, SIZE_MAX, err));
    winnow_status st = winnow_features(&options, &cli->paths, &cli->env, &r, err);
    if (st == WINNOW_OK && r.nothing_to_do) {
        return cli_say_finished(cli, options.output);
    }
    if (r.documents == 0) {
        return st;
    }
    if (r.checkpoints == 0) {
        (void)printf("%" PRIu64 " documents, %" PRIu64 " words, %" PRIu64 " cut, %" PRIu64
                     " without a word; %u numbers each: %s\n",
                     r.documents, r.tokens, r.cut, r.empty, r.dim, cli_field(cli, options.output));
        return st;
    }
    (void)printf("%" PRIu64 " documents, %" PRIu64 " tokens (%" PRIu64 " with a loss), %" PRIu64
                 " cut, %" PRIu64 " without a vector, %" PRIu64
                 " zero or not finite; %u checkpoints of %u numbers: %s\n",
                 r.documents, r.tokens, r.targets, r.cut, r.empty, r.marked, r.checkpoints, r.dim,
                 cli_field(cli, options.output));
    return st;
}
