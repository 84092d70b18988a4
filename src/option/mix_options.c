/* mix_options.c -- the table of `mix`. */
#include "winnow/mix.h"

#include "option/corpus_options.h"
#include "option/tables.h"

#define T struct winnow_mix_options

static const struct option OPTIONS[] = {
    OPT_TEXT(
        0, "by", T, by, "KEY",
        "what a group is: a member, dots for inner ones, or an attribute (--attributes); none: "
        "all are one"),
    OPT_FILE(0, "attributes", T, attributes, "folder of attribute files of this input"),
    OPT_LIST(0, "weights", T, weights, "NAME=W",
             "shares of the output by each other; *=W: all others together; without *, others are "
             "left out"),
    OPT_LIST(0, "epochs", T, epochs, "NAME=E", "groups that are written so often, 0.5 or 3"),
    OPT_LIST(0, "cap", T, caps, "NAME=N",
             "tokens of a group in the output at most; *=N: of each other"),
    OPT_COUNT(0, "tokens", T, tokens, 0, 1e18,
              "size of the output; 0: what comes in of groups that have a share"),
    OPT_REAL(0, "epochs-max", T, epochs_max, 0, 1000,
             "no group is written more often on the mean; above 4 it is warned of"),
    OPT_FILE(0, "tokenizer", T, tokenizer,
             "what counts tokens; without it 4 bytes of text are one"),
    OPT_TEXT(0, "upsample", T, upsample, "KEY",
             "member or attribute with a score: within a group, copies rise with it"),
    OPT_U32(0, "upsample-max", T, upsample_max, 1, 100, "copies of a document at most"),
    OPT_REAL(0, "upsample-power", T, upsample_power, 0.05, 20,
             "of the curve: copies are like the quantile to this power"),
    OPT_SHARE(0, "upsample-drop", T, upsample_drop, 0, 0.99,
              "of each group, what has the lowest scores is left out"),
    OPT_SHARE(0, "validation", T, validation, 0, 0.9,
              "set aside to measure with, by hash of the text; 0: none"),
    OPT_FILE(0, "clusters", T, clusters,
             "run of dedup, or files with \"id\" and \"cluster\": a cluster lies on one side"),
    OPT_SIZE(0, "shard-size", T, shard_size, 1024, 1e15,
             "documents in a shard, before compression"),
    OPT_END,
};

const struct option_table MIX_TABLE = {
    .command = "mix",
    .summary = "shares of sources, copies by score, one random order, a part to validate with",
    .usage = "[options] CORPUS... -o FOLDER",
    .example =
        "  winnow mix corpus/ -o runs/shuffled                          # each document once\n"
        "  winnow mix --weights wiki=2,code=1,'*=1' corpus/ -o runs/m   # halves and quarters\n"
        "  winnow mix --weights wiki=2,web=1 --tokens 1G --tokenizer tok.json corpus/ -o runs/m\n"
        "  winnow mix --epochs wiki=2 --cap web=100M corpus/ -o runs/m\n"
        "  winnow mix --upsample quality --upsample-drop 40% --tokens 1G corpus/ -o runs/m\n"
        "  winnow mix --validation 1% corpus/ -o runs/m    # runs/m/stages/01-mix/aside\n"
        "  winnow tokenizer encode -t tok.json runs/m --format nanogpt -o train.bin\n"
        "\n"
        "docs/mix.md says how it is done, and what to look at.\n",
    .options = OPTIONS,
    .shared = &CORPUS_TABLE,
    .defaults = &WINNOW_MIX_OPTIONS_INIT,
    .size = sizeof(T),
};
