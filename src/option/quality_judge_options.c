/* quality_judge_options.c -- the table of `quality judge`. */
#include "winnow/quality_judge.h"

#include "option/server_options.h"
#include "option/tables.h"
#include "option/text_options.h"

#define T struct winnow_quality_judge_options

static const struct option OPTIONS[] = {
    OPT_OUTPUT(T, output, "FOLDER",
               "where judgements and answers go; a folder begun earlier is gone on with"),
    OPT_COUNT(0, "pairs", T, pairs, 1, 1e9, "judgements"),
    OPT_COUNT(0, "pages", T, pages, 0, 1e9,
              "pages that are drawn to make pairs of, by id and seed; 0: two a judgement"),
    OPT_U32(0, "page-tokens", T, page_tokens, 16, 1 << 20,
            "shown of a page (three bytes count as one)"),
    OPT_U32(0, "answer-tokens", T, answer_tokens, 1, 1 << 20, "the longest answer"),
    OPT_FLAG(0, "both-orders", T, both_orders,
             "ask twice, each page once in front; where the answers differ neither is better"),
    SERVER_OPTIONS(T),
    TEXT_OPTIONS(T),
    OPT_END,
};

const struct option_table QUALITY_JUDGE_TABLE = {
    .command = "quality judge",
    .summary = "ask a large model which of two pages is better, for quality train --pairs",
    .usage = "--url URL [options] CORPUS... -o FOLDER",
    .example =
        "  # an instructed model behind vLLM, SGLang or llama-server\n"
        "  winnow quality judge --url http://127.0.0.1:8000 --pairs 2000 corpus/ -o judged/\n"
        "  # killed or out of credit: the same command goes on, nothing is asked twice\n"
        "  winnow quality train --pairs judged/pairs.jsonl --smooth corpus/ -o rater.bin\n"
        "  # who stands first is often preferred: ask in both orders, for twice the cost\n"
        "  winnow quality judge --url http://127.0.0.1:8000 --both-orders corpus/ -o twice/\n",
    .options = OPTIONS,
    .defaults = &WINNOW_QUALITY_JUDGE_OPTIONS_INIT,
    .size = sizeof(T),
};
