/* cmd_refiner_label.c -- `winnow refiner label`: what was asked, what came back. */
#include "winnow/refiner_label.h"

#include "base/env.h"
#include "cli/commands.h"
#include "option/tables.h"

#include <inttypes.h>

winnow_status cmd_refiner_label(struct cli *cli, int argc, const char *const *argv,
                                struct winnow_error *err)
{
    struct winnow_refiner_label_options options = WINNOW_REFINER_LABEL_OPTIONS_INIT;
    struct winnow_refiner_label_result r = {0};
    TRY(cli_parse(cli, &REFINER_LABEL_TABLE, &options, argc, argv, err));
    if (!options.text.files_from) {
        TRY(cli_need_paths(cli, &REFINER_LABEL_TABLE, 1, SIZE_MAX, err));
    }
    winnow_status st = winnow_refiner_label(&options, &cli->paths, &cli->env, &r, err);
    if (!r.text.complete) {
        return st;
    }
    env_log(&cli->env, WINNOW_LOG_INFO,
            "%s: %" PRIu64 " documents: %" PRIu64 " to keep, %" PRIu64 " to drop, %" PRIu64
            " unread; chunks: %" PRIu64 " edited, %" PRIu64 " kept, %" PRIu64 " unread, %" PRIu64
            " removing too much",
            options.output, r.documents, r.documents_kept, r.documents_dropped, r.documents_unread,
            r.chunks_edited, r.chunks_kept, r.chunks_unread, r.chunks_over);
    env_log(&cli->env, WINNOW_LOG_INFO,
            "%" PRIu64 " answers (%" PRIu64 " found from an earlier call, %" PRIu64 " cut, %" PRIu64
            " refused), %" PRIu64 " retries, %" PRIu64 " tokens read, %" PRIu64 " written",
            r.answers, r.answers_found, r.answers_cut, r.answers_refused, r.retries,
            r.prompt_tokens, r.answer_tokens);
    return st;
}
