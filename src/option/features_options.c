/* features_options.c -- the table of `features`. */
#include "winnow/features.h"

#include "option/model_options.h"
#include "option/tables.h"

#define T struct winnow_features_options

static const char *const VECTORS[] = {"gradients", "states", "ngrams", NULL};
static const char *const SKETCHES[] = {"factored", "hashed", NULL};
static const char *const POOLING[] = {"mean", "weighted", "last", NULL};

static const struct option OPTIONS[] = {
    OPT_OUTPUT(T, output, "FOLDER", "the vectors' folder"),
    OPT_FILES(0, "model", T, models, "PATH",
              "model folder; of a training with --keep-checkpoints all of them; again for more"),
    OPT_FILE(0, "like", T, like, "vectors to be compared with: the same models and settings"),
    OPT_ENUM(0, "vectors", T, vectors, VECTORS,
             "gradients of the loss, hidden states, or hashed n-grams (no model)"),
    OPT_ENUM(0, "sketch", T, sketch, SKETCHES,
             "gradients: each matrix projected, or a CountSketch of all (slower)"),
    OPT_ENUM(0, "pooling", T, pooling, POOLING,
             "states: their mean, weighted by position, or the last"),
    OPT_U32(0, "dim", T, dim, 0, 1000000,
            "numbers a vector; 0: 4096 factored, 8192 hashed, 512 n-grams"),
    OPT_U32(0, "words", T, words, 1, 4, "ngrams: words in a row, at most"),
    OPT_U32(0, "characters", T, characters, 0, 32,
            "ngrams: bytes in a row within a word, too; 0: none"),
    OPT_U32(0, "rank", T, rank, 8, 64, "of a matrix's projections, a multiple of 8"),
    OPT_FLAG(0, "raw", T, raw, "gradients as they are, not as the optimizer would step"),
    OPT_U32(0, "calibration", T, calibration, 1, 100000,
            "documents that projections are fitted on"),
    OPT_U32(0, "context", T, context, 8, 65536, "tokens of a document at most"),
    OPT_ENUM(0, "compute", T, compute, SMALL_MODEL_COMPUTE, "number format of matrix products"),
    OPT_COUNT(0, "limit", T, limit, 0, 1e15, "use the first N documents; 0: all"),
    OPT_TEXT(0, "text-key", T, text_key, "KEY", "key of the text"),
    OPT_TEXT(0, "id-key", T, id_key, "KEY", "key of the id"),
    OPT_END,
};

const struct option_table FEATURES_TABLE = {
    .command = "features",
    .summary =
        "vectors of documents: along a model's training, of its hidden states, or of n-grams",
    .usage = "[options] CORPUS... -o FOLDER",
    .example =
        "  winnow train warmup/ -o models/warm --keep-checkpoints 3\n"
        "  winnow features pool.jsonl --model models/warm -o vectors/pool\n"
        "  winnow features few.jsonl --like vectors/pool -o vectors/few  # comparable with it\n"
        "  winnow features pool.jsonl --model models/warm --vectors states --pooling weighted \\\n"
        "      -o vectors/states\n"
        "  winnow features pool.jsonl --vectors ngrams -o vectors/words  # without a model\n",
    .options = OPTIONS,
    .defaults = &WINNOW_FEATURES_OPTIONS_INIT,
    .size = sizeof(T),
};
