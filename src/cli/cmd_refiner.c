/* cmd_refiner.c -- `winnow refiner train` and `refiner eval`. */
#include "winnow/refiner.h"

#include "base/env.h"
#include "cli/commands.h"
#include "option/tables.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

winnow_status cmd_refiner_train(struct cli *cli, int argc, const char *const *argv,
                                struct winnow_error *err)
{
    struct winnow_refiner_train_options options = WINNOW_REFINER_TRAIN_OPTIONS_INIT;
    struct winnow_refiner_train_result r;
    TRY(cli_parse(cli, &REFINER_TRAIN_TABLE, &options, argc, argv, err));
    TRY(cli_need_paths(cli, &REFINER_TRAIN_TABLE, 1, SIZE_MAX, err));
    TRY(winnow_refiner_train(&options, &cli->paths, &cli->env, &r, err));
    if (r.nothing_to_do) {
        return cli_say_finished(cli, options.output);
    }
    (void)printf("seed %" PRIu64 ": %" PRIu64 " examples of %" PRIu64 " pages (%" PRIu64
                 " held out; %" PRIu64 " examples and %" PRIu64 " pages left out)\n",
                 cli->env.seed, r.examples, r.pages, r.examples_held_out, r.examples_left_out,
                 r.pages_left_out);
    (void)printf("%.2fM of %.2fM parameters, %" PRIu64 " tokens (%" PRIu64 " of %s) in %" PRIu64
                 " steps (%.2f epochs), loss %.3f",
                 (double)r.trained / 1e6, (double)r.parameters / 1e6, r.tokens, r.targets,
                 options.verdicts ? "programs and verdicts" : "programs", r.steps, r.epochs,
                 r.loss);
    if (!isnan(r.held_out)) {
        (void)printf(", held out %.3f (before training %.3f)", r.held_out, r.start);
    }
    (void)printf(": %s\n", cli_field(cli, options.output));
    return WINNOW_OK;
}

winnow_status cmd_refiner_eval(struct cli *cli, int argc, const char *const *argv,
                               struct winnow_error *err)
{
    struct winnow_refiner_eval_options options = WINNOW_REFINER_EVAL_OPTIONS_INIT;
    struct winnow_refiner_eval_result result;
    TRY(cli_parse(cli, &REFINER_EVAL_TABLE, &options, argc, argv, err));
    TRY(cli_need_paths(cli, &REFINER_EVAL_TABLE, 1, SIZE_MAX, err));
    winnow_status st = winnow_refiner_eval(&options, &cli->paths, &cli->env, &result, err);
    cli_progress_end();
    if (st == WINNOW_OK) {
        if (result.unmatched > 0) {
            env_log(&cli->env, WINNOW_LOG_WARNING,
                    "%" PRIu64 " results belong to none of the pages", result.unmatched);
        }
        const char *text = options.output ? result.table : result.json;
        cli_print(text, strlen(text));
    }
    winnow_refiner_eval_result_free(&result);
    return st;
}
