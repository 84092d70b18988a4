/* cmd_quality_judge.c -- `winnow quality judge`: what was asked, what came back. */
#include "winnow/quality_judge.h"

#include "base/env.h"
#include "cli/commands.h"
#include "option/tables.h"

#include <inttypes.h>

winnow_status cmd_quality_judge(struct cli *cli, int argc, const char *const *argv,
                                struct winnow_error *err)
{
    struct winnow_quality_judge_options options = WINNOW_QUALITY_JUDGE_OPTIONS_INIT;
    struct winnow_quality_judge_result r = {0};
    TRY(cli_parse(cli, &QUALITY_JUDGE_TABLE, &options, argc, argv, err));
    if (!options.text.files_from) {
        TRY(cli_need_paths(cli, &QUALITY_JUDGE_TABLE, 1, SIZE_MAX, err));
    }
    winnow_status st = winnow_quality_judge(&options, &cli->paths, &cli->env, &r, err);
    if (!r.text.complete) {
        return st;
    }
    env_log(&cli->env, WINNOW_LOG_INFO,
            "%s: %" PRIu64 " pages in %" PRIu64 " pairs that were judged (%" PRIu64
            " of them the same, %" PRIu64 " otherwise in the other order), %" PRIu64 " unread",
            options.output, r.pages, r.pairs, r.same, r.split, r.unread);
    env_log(&cli->env, WINNOW_LOG_INFO,
            "%" PRIu64 " of %" PRIu64 " answers for one of the pages are for the first; %" PRIu64
            " answers (%" PRIu64 " found from an earlier call, %" PRIu64 " cut, %" PRIu64
            " refused), %" PRIu64 " retries, %" PRIu64 " tokens read, %" PRIu64 " written",
            r.first, r.for_one, r.answers, r.answers_found, r.answers_cut, r.answers_refused,
            r.retries, r.prompt_tokens, r.answer_tokens);
    return st;
}
