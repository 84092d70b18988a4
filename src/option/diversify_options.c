/* diversify_options.c -- the table of `diversify`. */
#include "winnow/diversify.h"

#include "option/corpus_options.h"
#include "option/tables.h"

#define T struct winnow_diversify_options

static const char *const METHODS[] = {"semdedup", "none", "d4", "density", "balanced", NULL};
static const char *const KEEPS[] = {"hard", "easy", NULL};

static const struct option OPTIONS[] = {
    OPT_ENUM(0, "method", T, method, METHODS,
             "none notes clusters only; the others say what of them stays"),
    OPT_TEXT(0, "budget", T, budget, "N",
             "documents that stay: a number, or a share (25%); default: half, with semdedup what "
             "--eps leaves"),
    OPT_FILE(0, "features", T, features, "vectors of this corpus, as winnow features made them"),
    OPT_FILE(0, "model", T, model,
             "vectors are its hidden states (default: hashed n-grams, no model)"),
    OPT_U32(0, "context", T, context, 8, 65536, "tokens of a document that the model reads"),
    OPT_U32(0, "dim", T, dim, 0, 16384, "numbers of a vector of n-grams; 0: 512"),
    OPT_U32(0, "words", T, words, 1, 4, "n-grams: words in a row, at most"),
    OPT_U32(0, "characters", T, characters, 0, 32,
            "n-grams: bytes in a row within a word, too; 0: none"),
    OPT_COUNT(0, "clusters", T, clusters, 0, 1e7, "0: the square root of the documents"),
    OPT_U32(0, "iterations", T, iterations, 1, 10000, "of k-means, at most"),
    OPT_U32(0, "sample", T, sample, 0, 1000000000,
            "documents a cluster that k-means learns from; 0: all"),
    OPT_FLAG(0, "random-start", T, random_start,
             "k-means begins with documents drawn at random, not with k-means++"),
    OPT_REAL(0, "eps", T, eps, 0, 2, "semdedup: documents are alike above a cosine of 1 - X"),
    OPT_ENUM(0, "keep", T, keep, KEEPS,
             "semdedup, d4: of those alike, the farthest from the centroid or the nearest"),
    OPT_SHARE(0, "dedup", T, dedup, 0.0001, 1, "d4: what its semdedup leaves"),
    OPT_SHARE(0, "even", T, even, 0, 1,
              "balanced: 1 takes as many of each cluster, 0 of each in proportion"),
    OPT_END,
};

const struct option_table DIVERSIFY_TABLE = {
    .command = "diversify",
    .summary = "clusters of documents by what they are about, and fewer that say the same",
    .usage = "[options] CORPUS... -o FOLDER",
    .example =
        "  winnow diversify corpus/ -o runs/unlike                   # semdedup, no model needed\n"
        "  winnow diversify --method none corpus/ -o runs/clusters   # clusters and their names\n"
        "  winnow diversify --method d4 --budget 50% corpus/ -o runs/d4\n"
        "  winnow diversify --method density --budget 25% --model models/small corpus/ -o runs/q\n"
        "  winnow diversify --method balanced --budget 100k corpus/ -o runs/even\n"
        "\n"
        "docs/diversify.md says how it is done, and what to look at.\n",
    .options = OPTIONS,
    .shared = &CORPUS_TABLE,
    .defaults = &WINNOW_DIVERSIFY_OPTIONS_INIT,
    .size = sizeof(T),
};
