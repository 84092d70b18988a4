/* score_options.c -- the table of `score`. */
#include "winnow/score.h"

#include "option/corpus_options.h"
#include "option/model_options.h"
#include "option/server_options.h"
#include "option/tables.h"

#define T struct winnow_score_options

static const struct option OPTIONS[] = {
    OPT_FILE(0, "model", T, model,
             "model folder or .gguf file that scores here (--url: one that is served)"),
    OPT_FILE(0, "tokenizer", T, tokenizer, "tokenizer.json or its folder (default: the model's)"),
    OPT_U32(0, "window", T, window, 0, 1000000,
            "tokens read at once; 0: the model's context, at most 2048"),
    OPT_U32(0, "stride", T, stride, 0, 1000000,
            "tokens from one window to the next; 0: half of it"),
    OPT_U32(0, "fixed-length", T, fixed_length, 0, 1000000,
            "score the first N tokens, length taken out; 0: whole documents"),
    OPT_FLAG(0, "responses", T, responses,
             "rows are prompt and response, or messages: score the responses alone"),
    OPT_ENUM(0, "compute", T, compute, SCORING_COMPUTE, "number format of matrix products"),
    OPT_TEXT(0, "name", T, name, "NAME", "of the folder under attributes/"),
    SERVER_SCORES_OPTIONS(T),
    OPT_END,
};

const struct option_table SCORE_TABLE = {
    .command = "score",
    .summary = "how surprising each document is to a model, as annotation",
    .usage = "[options] --model PATH CORPUS... -o FOLDER",
    .example =
        "  winnow score --model models/small corpus/ -o runs/scored\n"
        "  zcat runs/scored/stages/01-score/attributes/nll/*.gz | head\n"
        "  winnow prune --score-attribute runs/scored/stages/01-score/attributes/nll \\\n"
        "      --criterion low corpus/ -o runs/easy       # any band, without scoring again\n"
        "  winnow score --url http://gpu:8000 --tokenizer Qwen2.5-7B/ corpus/ -o runs/by-7b\n",
    .options = OPTIONS,
    .shared = &CORPUS_TABLE,
    .defaults = &WINNOW_SCORE_OPTIONS_INIT,
    .size = sizeof(T),
};
