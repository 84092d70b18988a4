/* cmd_tokenizer.c -- `winnow tokenizer train`, `encode` and `decode`. */
#include "winnow/tokenizer.h"

#include "base/env.h"
#include "cli/commands.h"
#include "option/tables.h"

#include <inttypes.h>

winnow_status cmd_tokenizer_train(struct cli *cli, int argc, const char *const *argv,
                                  struct winnow_error *err)
{
    struct winnow_tokenizer_train_options options = WINNOW_TOKENIZER_TRAIN_OPTIONS_INIT;
    struct winnow_text_result result = {0};
    TRY(cli_parse(cli, &TOKENIZER_TRAIN_TABLE, &options, argc, argv, err));
    if (!options.text.files_from) {
        TRY(cli_need_paths(cli, &TOKENIZER_TRAIN_TABLE, 1, SIZE_MAX, err));
    }
    winnow_status st = winnow_tokenizer_train(&options, &cli->paths, &cli->env, &result, err);
    if (result.complete) {
        env_log(&cli->env, WINNOW_LOG_INFO,
                "%s: learned from %" PRIu64 " documents, %" PRIu64 " bytes of text", options.output,
                result.documents, result.bytes);
    }
    return st;
}

winnow_status cmd_tokenizer_encode(struct cli *cli, int argc, const char *const *argv,
                                   struct winnow_error *err)
{
    struct winnow_tokenizer_encode_options options = WINNOW_TOKENIZER_ENCODE_OPTIONS_INIT;
    struct winnow_tokenizer_encode_result result = {0};
    TRY(cli_parse(cli, &TOKENIZER_ENCODE_TABLE, &options, argc, argv, err));
    if (!options.text.files_from) {
        TRY(cli_need_paths(cli, &TOKENIZER_ENCODE_TABLE, 1, SIZE_MAX, err));
    }
    winnow_status st = winnow_tokenizer_encode(&options, &cli->paths, &cli->env, &result, err);
    if (result.text.complete) {
        env_log(&cli->env, WINNOW_LOG_INFO,
                "%" PRIu64 " documents, %" PRIu64 " bytes of text, %" PRIu64 " tokens",
                result.text.documents, result.text.bytes, result.tokens);
    }
    return st;
}

winnow_status cmd_tokenizer_decode(struct cli *cli, int argc, const char *const *argv,
                                   struct winnow_error *err)
{
    struct winnow_tokenizer_decode_options options = WINNOW_TOKENIZER_DECODE_OPTIONS_INIT;
    TRY(cli_parse(cli, &TOKENIZER_DECODE_TABLE, &options, argc, argv, err));
    TRY(cli_need_paths(cli, &TOKENIZER_DECODE_TABLE, 1, SIZE_MAX, err));
    return winnow_tokenizer_decode(&options, &cli->paths, &cli->env, err);
}
