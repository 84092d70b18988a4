/* prune_options.c -- the table of `prune`. */
#include "winnow/prune.h"

#include "option/corpus_options.h"
#include "option/model_options.h"
#include "option/server_options.h"
#include "option/tables.h"

#define T struct winnow_prune_options

static const struct option OPTIONS[] = {
    OPT_ENUM(0, "criterion", T, criterion, CRITERION_NAMES, "which end of the scores is kept"),
    OPT_SHARE(0, "rate", T, rate, 0.0001, 1, "share of the pool that is kept"),
    OPT_FLAG(0, "by-source", T, by_source, "a band of each source's own scores"),
    OPT_TEXT(0, "by", T, by, "KEY",
             "a band of each group: a member of documents, or \"cluster\" of a diversify before"),
    OPT_FILE(0, "clusters", T, clusters,
             "by cluster: folder of a diversify's attributes (default: of this recipe's)"),
    OPT_FILE(0, "reference-model", T, reference_model,
             "model folder or .gguf that scores (default: one is trained)"),
    OPT_FILE(0, "score-attribute", T, score_attribute,
             "folder of attributes of score or quality, in the order of the input: no scoring"),
    OPT_TEXT(0, "score-from", T, score_from, "STAGE",
             "the same of an earlier stage of this recipe: quality, score"),
    OPT_TEXT(0, "score-name", T, score_name, "NAME", "the score in these attributes"),
    OPT_FLAG(0, "cross-fit", T, cross_fit,
             "two references, each scores the other's half: nothing is set aside"),
    OPT_COUNT(0, "reference-tokens", T, reference_tokens, 1000, 1e15,
              "a reference trains on; on fewer, down to an eighth, where the corpus has no more"),
    OPT_SHARE(0, "reference-share-max", T, reference_share_max, 0.0001, 0.9,
              "documents set aside for the reference at most; it trains on fewer tokens then"),
    OPT_COUNT(0, "document-tokens", T, document_tokens, 0, 1e12,
              "the reference trains on the first N tokens of a document; 0: all"),
    OPT_U32(0, "fixed-length", T, fixed_length, 0, 1000000,
            "score the first N tokens, length taken out; 0: whole documents"),
    OPT_U32(0, "window", T, window, 0, 1000000,
            "tokens read at once; 0: the model's context, at most 2048"),
    OPT_U32(0, "stride", T, stride, 0, 1000000,
            "tokens from one window to the next; 0: half of it"),
    OPT_FILE(0, "tokenizer", T, tokenizer,
             "tokenizer.json or its folder (default: trained on the reference's part)"),
    SMALL_MODEL_OPTIONS(T),
    SERVER_SCORES_OPTIONS(T),
    OPT_END,
};

const struct option_table PRUNE_TABLE = {
    .command = "prune",
    .summary = "keep the documents that a small model finds easy, middling or hard",
    .usage = "[options] CORPUS... -o FOLDER",
    .example = "  winnow prune corpus/ -o runs/pruned                # the middle half\n"
               "  winnow prune --criterion high --rate 30% corpus/ -o runs/hard\n"
               "  winnow prune --cross-fit corpus/ -o runs/all       # no document is lost to the "
               "reference\n"
               "  winnow prune --reference-model models/small corpus/ -o runs/scored\n",
    .options = OPTIONS,
    .shared = &CORPUS_TABLE,
    .defaults = &WINNOW_PRUNE_OPTIONS_INIT,
    .size = sizeof(T),
};
