/* quality_options.c -- the tables of `quality` and `quality train`. */
#include "winnow/quality.h"

#include "option/corpus_options.h"
#include "option/tables.h"
#include "option/text_options.h"

#define T struct winnow_quality_options

static const struct option OPTIONS[] = {
    OPT_FILE(0, "model", T, model, "fastText model, .bin or .ftz, of fastText or of quality train"),
    OPT_TEXT(0, "label", T, label, "LABEL", "whose probability is the score"),
    OPT_SHARE(0, "min", T, min, 0, 1, "remove documents that score less"),
    OPT_SHARE(0, "max", T, max, 0, 1, "remove documents that score more"),
    OPT_TEXT(0, "name", T, name, "NAME", "the folder under attributes/"),
    OPT_TEXT(0, "truth", T, truth, "KEY",
             "member that says of a document whether it is good (true, 1): the AUC is told"),
    OPT_END,
};

const struct option_table QUALITY_TABLE = {
    .command = "quality",
    .summary = "score documents with a classifier of texts, as DCLM and FineWeb do",
    .usage = "[options] --model MODEL.bin CORPUS... -o FOLDER",
    .example =
        "  winnow quality train good/ --against bad/ -o hq.bin\n"
        "  winnow quality --model hq.bin corpus/ -o runs/scored          # scores only, all stay\n"
        "  winnow quality --model hq.bin --min 0.018 corpus/ -o runs/hq  # at least that\n"
        "  # a band of the scores, here the best tenth of each source:\n"
        "  winnow prune --score-attribute runs/scored/stages/01-quality/attributes/quality \\\n"
        "      --score-name winnow__quality --criterion high --rate 10% --by-source \\\n"
        "      corpus/ -o runs/best\n",
    .options = OPTIONS,
    .shared = &CORPUS_TABLE,
    .defaults = &WINNOW_QUALITY_OPTIONS_INIT,
    .size = sizeof(T),
};

#undef T
#define T struct winnow_quality_train_options

static const char *const REBALANCES[] = {"smote", "weights", "none", NULL};

static const struct option TRAIN[] = {
    OPT_OUTPUT(T, output, "FILE", "the model, a .bin that fastText reads, too"),
    OPT_FILES(0, "against", T, against, "CORPUS", "bad documents; the paths given are good ones"),
    OPT_TEXT(0, "label-key", T, label_key, "KEY",
             "member that says of each document whether it is good (true, 1), for --against"),
    OPT_FILE(0, "pairs", T, pairs,
             "judgements of pages in pairs, as JSON lines: {\"a\": ID, \"b\": ID, \"better\": "
             "\"a\"}; without a corpus a and b are texts"),
    OPT_FILE(0, "pairs-held", T, pairs_held, "judgements to measure with, in place of --holdout"),
    OPT_FLAG(0, "smooth", T, smooth,
             "after each epoch labels of judgements move towards what the model believes"),
    OPT_SHARE(0, "smooth-rate", T, smooth_rate, 0, 1, "by what share of the way"),
    OPT_FLAG(0, "silos", T, silos,
             "each path is a silo that keeps its documents: models cross, no text"),
    OPT_FLAG(0, "choose", T, choose, "each silo leaves out documents whose label is ambiguous"),
    OPT_SHARE(0, "doubt", T, doubt, 0, 1,
              "at most that share of each label, of what a model of the silo's other half rates "
              "otherwise"),
    OPT_ENUM(0, "rebalance", T, rebalance, REBALANCES,
             "how each silo evens out its labels: by weights, or by mixtures of the rarer ones"),
    OPT_U32(0, "rounds", T, rounds, 1, 10000,
            "times that the silos' models are averaged; --epochs are of all rounds together"),
    OPT_FLAG(0, "centralised", T, centralised,
             "train on all silos' documents at once, too, and tell both measures"),
    OPT_HOW(OPTION_TEXT, "results", T, results, 0, 0, "FILE", "what was measured, as JSON"),
    OPT_SHARE(0, "holdout", T, holdout, 0, 0.9, "of the documents, to measure with"),
    OPT_U32(0, "dim", T, dim, 1, 4096, "numbers a word"),
    OPT_U32(0, "word-ngrams", T, word_ngrams, 1, 16, "n-grams of up to N words"),
    OPT_U32(0, "bucket", T, bucket, 1, 1 << 28, "rows that n-grams are hashed into"),
    OPT_U32(0, "minn", T, minn, 0, 64, "least characters of pieces of words"),
    OPT_U32(0, "maxn", T, maxn, 0, 64, "most characters of pieces of words; 0: no pieces"),
    OPT_COUNT(0, "min-count", T, count_min, 1, 1e9, "rarer words get no row of their own"),
    OPT_REAL(0, "epochs", T, epochs, 0.01, 1e4, "passes over the documents"),
    OPT_REAL(0, "lr", T, lr, 1e-6, 100, "learning rate at the start; it falls to 0"),
    OPT_U32(0, "batch", T, batch, 1, 1024, "documents a step"),
    OPT_TEXT(0, "good-label", T, good_label, "LABEL",
             "what good documents are called in the model"),
    OPT_TEXT(0, "bad-label", T, bad_label, "LABEL", "what bad ones are called"),
    OPT_HOW(OPTION_REAL, "checkpoint", T, checkpoint, 0, 1e6, "X",
            "seconds between two checkpoints at least"),
    TEXT_OPTIONS(T),
    OPT_END,
};

const struct option_table QUALITY_TRAIN_TABLE = {
    .command = "quality train",
    .summary = "train a classifier of good and bad texts, in fastText's format",
    .usage = "[options] GOOD... --against BAD -o MODEL.bin",
    .example =
        "  winnow quality train wiki/ --against crawl/ -o hq.bin\n"
        "  winnow quality train --label-key label judged.jsonl -o hq.bin\n"
        "  winnow quality train --word-ngrams 3 --maxn 4 --minn 2 good/ --against bad/ -o hq.bin\n"
        "  # from judgements which of two pages is better, some of them wrong:\n"
        "  echo '{\"a\": \"id7\", \"b\": \"id3\", \"better\": \"a\"}' >>judged.jsonl\n"
        "  winnow quality train --pairs judged.jsonl --smooth corpus/ -o rater.bin\n"
        "  # documents that may not leave their folders; what crosses is a model, no text:\n"
        "  winnow quality train --silos --label-key good north/ south/ -o common.bin\n"
        "  # killed: the same command goes on from hq.bin.checkpoint\n",
    .options = TRAIN,
    .defaults = &WINNOW_QUALITY_TRAIN_OPTIONS_INIT,
    .size = sizeof(T),
};
