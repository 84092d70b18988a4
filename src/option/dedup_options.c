/* dedup_options.c -- the table of `dedup`. */
#include "winnow/dedup.h"

#include "option/corpus_options.h"
#include "option/tables.h"

#define T struct winnow_dedup_options

static const char *const METHODS[] = {"exact", "minhash", NULL};
static const char *const UNITS[] = {"document", "paragraph", "line", NULL};
static const char *const KEEPS[] = {"first", "longest", "best", NULL};
static const char *const VERIFIES[] = {"estimate", "exact", "none", NULL};

static const struct option OPTIONS[] = {
    OPT_ENUM(0, "method", T, method, METHODS,
             "the same text, or nearly the same (minhash, over words)"),
    OPT_ENUM(0, "unit", T, unit, UNITS,
             "exact: what is compared; of others each document keeps "
             "what no earlier place says"),
    OPT_FLAG(0, "spaces", T, spaces,
             "exact: runs of white space count as one space, at the ends as none"),
    OPT_FLAG(0, "fold-case", T, fold_case, "exact: letters count without case"),
    OPT_U32(0, "unit-words", T, unit_words, 1, 1000,
            "paragraphs and lines of fewer words are left alone"),
    OPT_SHARE(0, "threshold", T, threshold, 0, 1,
              "minhash: Jaccard index of shingles from which two documents are near-copies"),
    OPT_U32(0, "bands", T, bands, 1, 1024, "minhash: of a signature"),
    OPT_U32(0, "rows", T, rows, 1, 128,
            "minhash: of a band; documents that agree in all are compared"),
    OPT_U32(0, "ngram", T, ngram, 1, 64, "minhash: words of a shingle"),
    OPT_FLAG(0, "numbers", T, numbers,
             "minhash: numbers count; without, each is the same 0, as in FineWeb"),
    OPT_ENUM(0, "verify", T, verify, VERIFIES,
             "minhash: how compared: by signatures, by all shingles, or not at all (as others do)"),
    OPT_ENUM(0, "keep", T, keep, KEEPS, "minhash: which document of a cluster stays"),
    OPT_TEXT(0, "best", T, best, "KEY",
             "--keep best: the member whose number is greatest, as quality or meta.score"),
    OPT_FLAG(0, "direct", T, direct,
             "minhash: what is near the one that stays only over others stays, too"),
    OPT_FILES(0, "against", T, against, "RUN",
              "minhash: earlier runs with such a dedup; near-copies of what they kept end"),
    OPT_HOW(OPTION_COUNT, "max-cluster", T, cluster_max, 0, 1e18, "N",
            "stop before anything is removed where a cluster has more documents; 0: no limit"),
    OPT_HOW(OPTION_SHARE, "max-removed", T, removed_max, 0, 1, "SHARE",
            "the same where more of all documents would go; 1: no limit"),
    OPT_HOW(OPTION_SHARE, "max-source-removed", T, source_removed_max, 0, 1, "SHARE",
            "the same of any source of 20 documents or more; 1: no limit"),
    OPT_END,
};

const struct option_table DEDUP_TABLE = {
    .command = "dedup",
    .summary = "keep one of each, exactly or nearly: documents, paragraphs or lines",
    .usage = "[options] CORPUS... -o FOLDER",
    .example =
        "  winnow dedup corpus/ -o runs/once                  # the same text, byte for byte\n"
        "  winnow dedup --method minhash corpus/ -o runs/near # 8 in 10 shingles of 5 words "
        "shared\n"
        "  winnow dedup --unit line --spaces corpus/ -o runs/lines\n"
        "  winnow dedup --method minhash --against runs/near new/ -o runs/new   # not again\n"
        "  winnow dedup --method minhash --keep longest --max-source-removed 50% corpus/ -o r\n"
        "  sqlite3 runs/near/ledger.db \"SELECT id, score, detail FROM ledger WHERE "
        "verdict='remove'\"\n"
        "\n"
        "docs/dedup.md says how it is done, and what to look at.\n",
    .options = OPTIONS,
    .shared = &CORPUS_TABLE,
    .defaults = &WINNOW_DEDUP_OPTIONS_INIT,
    .size = sizeof(T),
};
