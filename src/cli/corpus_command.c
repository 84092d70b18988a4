/* corpus_command.c -- what all commands from corpus to corpus do alike. */
#include "base/env.h"
#include "cli/cmd.h"
#include "flow/stages.h"
#include "option/corpus_options.h"

#include <string.h>

winnow_status cli_corpus_parse(struct cli *cli, const struct option_table *table, void *options,
                               struct winnow_corpus_options *corpus, int argc,
                               const char *const *argv, struct winnow_error *err)
{
    const struct option_set sets[] = {{table, options, NULL}, {&CORPUS_TABLE, corpus, NULL}};
    TRY(cli_parse_sets(cli, sets, 2, argc, argv, err));
    return corpus->files_from ? WINNOW_OK : cli_need_paths(cli, table, 1, SIZE_MAX, err);
}

winnow_status cli_corpus_run(struct cli *cli, const struct option_table *table, const void *options,
                             const struct winnow_corpus_options *corpus, struct winnow_error *err)
{
    struct winnow_run_result result;
    winnow_status st =
        flow_stage(table->command, options, corpus, cli->paths, &cli->env, &result, err);
    if (st == WINNOW_OK && result.nothing_to_do) {
        return cli_say_finished(cli, corpus->output);
    }
    return st;
}

winnow_status cli_corpus_command(struct cli *cli, const struct option_table *table, int argc,
                                 const char *const *argv, struct winnow_error *err)
{
    void *options = arena_alloc(&cli->keep, 1, table->size);
    memcpy(options, table->defaults, table->size);
    struct winnow_corpus_options corpus = WINNOW_CORPUS_OPTIONS_INIT;
    TRY(cli_corpus_parse(cli, table, options, &corpus, argc, argv, err));
    return cli_corpus_run(cli, table, options, &corpus, err);
}
