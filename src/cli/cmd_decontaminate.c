/* cmd_decontaminate.c -- `winnow decontaminate`: a stage, or with --self-test a measurement
 * of its rules, as JSON on standard output and a table beside it. */
#include "winnow/decontaminate.h"

#include "cli/commands.h"
#include "flow/stages.h"
#include "flow/standard_output.h"
#include "option/corpus_options.h"
#include "option/tables.h"

static winnow_status self_test(struct cli *cli, const struct winnow_decontaminate_options *options,
                               const struct winnow_corpus_options *corpus, struct winnow_error *err)
{
    const struct winnow_text_options text = {
        .text_key = corpus->text_key,
        .chat = corpus->chat,
        .id_key = corpus->id_key,
        .files_from = corpus->files_from,
        .limit = corpus->limit,
        .line_max = corpus->line_max,
        .on_bad = corpus->on_bad == WINNOW_ON_BAD_STOP ? WINNOW_TEXT_STOP : WINNOW_TEXT_SKIP,
    };
    struct winnow_bytes json, table;
    if (corpus->output) {
        return error_set(err, WINNOW_E_USAGE,
                         "--self-test makes no corpus: leave -o out; its figures go to standard "
                         "output");
    }
    TRY(standard_output_check(&cli->paths, corpus->files_from, &DECONTAMINATE_TABLE, options, err));
    winnow_status st =
        winnow_decontaminate_self_test(options, &text, &cli->paths, &cli->env, &json, &table, err);
    cli_progress_end();
    if (json.ptr) { /* also where a part of the documents was lost */
        cli_print(json.ptr, json.len);
        if (!cli->common.quiet) { /* the JSON is for programs */
            cli_tell(table.ptr);
        }
    }
    winnow_bytes_free(&json);
    winnow_bytes_free(&table);
    return st;
}

winnow_status cmd_decontaminate(struct cli *cli, int argc, const char *const *argv,
                                struct winnow_error *err)
{
    struct winnow_decontaminate_options options = WINNOW_DECONTAMINATE_OPTIONS_INIT;
    struct winnow_corpus_options corpus = WINNOW_CORPUS_OPTIONS_INIT;
    TRY(cli_corpus_parse(cli, &DECONTAMINATE_TABLE, &options, &corpus, argc, argv, err));
    return options.self_test ? self_test(cli, &options, &corpus, err)
                             : cli_corpus_run(cli, &DECONTAMINATE_TABLE, &options, &corpus, err);
}
