/* cmd_count.c -- `winnow count`: a table, TSV, one row a shard or source and one for all. */
#include "winnow/count.h"

#include "cli/commands.h"
#include "flow/standard_output.h"
#include "option/tables.h"

#include <inttypes.h>
#include <stdio.h>

static void print_row(struct cli *cli, const struct winnow_counts *c, bool tokens)
{
    (void)printf("%s\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64, cli_field(cli, c->name),
                 c->documents, c->bytes, c->text_bytes, c->words);
    if (tokens) {
        (void)printf("\t%" PRIu64, c->tokens);
    }
    (void)printf("\t%" PRIu64 "\n", c->bad);
}

static void print_result(struct cli *cli, const struct winnow_count_options *opt,
                         const struct winnow_count_result *r)
{
    static const char *const FIRST[] = {"", "shard", "source"};
    bool tokens = opt->tokenizer != NULL;
    (void)printf("%s\tdocuments\tbytes\ttext bytes\twords%s\tbad\n", FIRST[opt->by],
                 tokens ? "\ttokens" : "");
    for (size_t i = 0; i < r->row_count && opt->by != WINNOW_COUNT_TOTAL; i++) {
        print_row(cli, &r->rows[i], tokens);
    }
    print_row(cli, &r->total, tokens);
    if (opt->ids) {
        (void)printf("repeated ids\t%" PRIu64 "\n", r->repeated_ids);
    }
}

winnow_status cmd_count(struct cli *cli, int argc, const char *const *argv,
                        struct winnow_error *err)
{
    struct winnow_count_options options = WINNOW_COUNT_OPTIONS_INIT;
    struct winnow_count_result result;
    TRY(cli_parse(cli, &COUNT_TABLE, &options, argc, argv, err));
    if (!options.files_from) {
        TRY(cli_need_paths(cli, &COUNT_TABLE, 1, SIZE_MAX, err));
    }
    TRY(standard_output_check(&cli->paths, options.files_from, &COUNT_TABLE, &options, err));
    winnow_status st = winnow_count(&options, &cli->paths, &cli->env, &result, err);
    cli_progress_end();
    if (result.complete) {
        print_result(cli, &options, &result);
    }
    winnow_count_result_free(&result);
    return st;
}
