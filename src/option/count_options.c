/* count_options.c -- the table of `count`. */
#include "winnow/count.h"

#include "option/tables.h"
#include "option/text_options.h"

static const char *const BY[] = {"total", "shard", "source", NULL};
static const char *const ON_BAD[] = {"report", "skip", "stop", NULL};

static const struct option OPTIONS[] = {
    OPT_FILE(0, "tokenizer", struct winnow_count_options, tokenizer,
             "count tokens too: tokenizer.json or a folder with one"),
    OPT_ENUM(0, "by", struct winnow_count_options, by, BY, "one row for all, a shard or a source"),
    OPT_FLAG(0, "ids", struct winnow_count_options, ids,
             "count repeated ids too (16 bytes of memory a document)"),
    OPT_ENUM(0, "on-bad", struct winnow_count_options, on_bad, ON_BAD,
             "at lines that are no documents: fail at the end, only warn, fail at once"),
    KEY_OPTIONS(struct winnow_count_options, ),
    OPT_SIZE(0, "line-max", struct winnow_count_options, line_max, 1024, 4294967296.0,
             "longer lines are bad"),
    OPT_END,
};

const struct option_table COUNT_TABLE = {
    .command = "count",
    .summary = "documents, bytes, words and tokens of a corpus",
    .usage = "[options] CORPUS...",
    .example = "  winnow count corpus/                               # JSON lines, .gz, .zst\n"
               "  winnow count --by source --tokenizer models/gpt2 corpus/*.jsonl.zst\n"
               "  winnow extract pages/ -o - | winnow count -\n",
    .options = OPTIONS,
    .defaults = &WINNOW_COUNT_OPTIONS_INIT,
    .size = sizeof(struct winnow_count_options),
};
