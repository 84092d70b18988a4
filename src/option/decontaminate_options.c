/* decontaminate_options.c -- the table of `decontaminate`. */
#include "winnow/decontaminate.h"

#include "option/corpus_options.h"
#include "option/tables.h"

#define T struct winnow_decontaminate_options

static const char *const RULES[] = {"llama3", "cluster", "gpt3", "llama2", "hare", NULL};
static const char *const ACTIONS[] = {"drop", "cut", "label", NULL};

static const struct option OPTIONS[] = {
    OPT_FILES(0, "benchmark", T, benchmarks, "FILE,...",
              "what is to be kept out: JSON lines of any task shape, or plain text"),
    OPT_ENUM(0, "rule", T, rule, RULES, "what counts as a leak"),
    OPT_ENUM(0, "action", T, action, ACTIONS, "what becomes of a document with one"),
    OPT_U32(0, "n", T, n, 0, 100, "words that must follow each other; 0: the rule's own number"),
    OPT_SHARE(0, "share", T, share, 0, 1,
              "least share of an item (hare: of the document); 0: the rule's own"),
    OPT_U32(0, "skips", T, skips, 0, 100, "llama2: words of a span that may differ"),
    OPT_U32(0, "misses", T, misses, 1, 1000, "cluster: words without a hit that end a cluster"),
    OPT_U32(0, "perfect-words", T, perfect_words, 0, 100000,
            "cluster: items up to so long must be there whole,"),
    OPT_U32(0, "relaxed-words", T, relaxed_words, 0, 100000,
            "cluster: and from so long on to the share"),
    OPT_U32(0, "item-words-min", T, item_words_min, 1, 1000, "shorter items are not looked for"),
    OPT_U32(0, "margin", T, margin, 0, 1000000, "cut: characters around a passage that go, too"),
    OPT_U32(0, "left-min", T, left_min, 0, 1000000, "cut: shorter pieces that are left go, too"),
    OPT_U32(0, "pieces-max", T, pieces_max, 1, 100000, "cut: a document in more pieces goes whole"),
    OPT_FLAG(0, "self-test", T, self_test,
             "plant items into the corpus and measure what each rule finds; makes no corpus"),
    OPT_U32(0, "self-test-items", T, self_test_items, 1, 100000, "items that are planted"),
    OPT_END,
};

const struct option_table DECONTAMINATE_TABLE = {
    .command = "decontaminate",
    .summary = "find the benchmarks' items in documents and keep them out",
    .usage = "[options] CORPUS... -o FOLDER",
    .example =
        "  winnow decontaminate --benchmark eval/boolq.jsonl,eval/mmlu.jsonl corpus/ -o "
        "runs/clean\n"
        "  winnow decontaminate --benchmark eval/ --rule gpt3 --action cut corpus/ -o runs/cut\n"
        "  winnow decontaminate --benchmark eval/ --action label corpus/ -o runs/seen\n"
        "  winnow explain runs/clean ID      # the item beside the passage\n"
        "  winnow decontaminate --benchmark eval/ --self-test --limit 2000 corpus/ > rules.json\n",
    .options = OPTIONS,
    .shared = &CORPUS_TABLE,
    .defaults = &WINNOW_DECONTAMINATE_OPTIONS_INIT,
    .size = sizeof(T),
};
