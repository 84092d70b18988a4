/* train_options.c -- the table of `train`. */
#include "winnow/train.h"

#include "option/model_options.h"
#include "option/tables.h"

#define T struct winnow_train_options

static const char *const WEIGHTS_AS[] = {"loss", "repeats", NULL};
static const char *const MEAN_OF[] = {"tokens", "documents", NULL};

static const struct option OPTIONS[] = {
    OPT_OUTPUT(T, output, "FOLDER", "the model folder"),
    OPT_FILE(0, "init", T, init, "go on from this model, with its shape and tokenizer"),
    OPT_FILE(0, "tokenizer", T, tokenizer,
             "tokenizer.json or its folder (default: one is trained on the corpus)"),
    OPT_FLAG(0, "responses", T, responses,
             "rows are prompt and response, or messages: loss on the response only"),
    OPT_COUNT(0, "tokens", T, tokens, 0, 1e15, "to train on; 0: --epochs"),
    OPT_REAL(0, "epochs", T, epochs, 0, 1e6, "passes over the documents; 0: one, with lfr 4"),
    OPT_REAL(0, "epochs-max", T, epochs_max, 0.01, 1e6,
             "with --tokens: refuse to repeat documents more often"),
    OPT_COUNT(0, "document-tokens", T, document_tokens, 0, 1e12,
              "use the first N tokens of a document; 0: all"),
    OPT_FILE(0, "weights", T, weights,
             "attributes with a weight of each document, as select writes them"),
    OPT_TEXT(0, "weight-name", T, weight_name, "NAME", "of the weight among them"),
    OPT_TEXT(0, "weight-key", T, weight_key, "KEY", "key of a document's own weight"),
    OPT_ENUM(0, "weights-as", T, weights_as, WEIGHTS_AS,
             "what weights are: factors of the loss, or how often a document comes"),
    OPT_ENUM(0, "mean-of", T, mean_of, MEAN_OF, "what a step's loss is the mean of"),
    OPT_U32(0, "lora-rank", T, lora_rank, 0, 4096,
            "train adapters on the model of --init, merged at the end; 0: all weights"),
    OPT_REAL(0, "lora-alpha", T, lora_alpha, 0, 1e6, "their scale; 0: twice the rank"),
    OPT_FILE(0, "value", T, value,
             "examples of what is wanted: what each document was worth to them goes to value/"),
    OPT_U32(0, "value-order", T, value_order, 1, 2, "2: with the curvature, twice as dear"),
    OPT_U32(0, "keep-checkpoints", T, keep_checkpoints, 0, 32,
            "models kept on the way at equal distances, the last one among them, for features"),
    SAMPLING_OPTIONS(T),
    OPT_SHARE(0, "dropout", T, dropout, 0, 0.9, "of what each layer adds, while training; 0: none"),
    OPT_COUNT(0, "limit", T, limit, 0, 1e15, "use the first N documents; 0: all"),
    OPT_TEXT(0, "text-key", T, text_key, "KEY", "key of the text"),
    OPT_TEXT(0, "id-key", T, id_key, "KEY", "key of the id"),
    SMALL_MODEL_OPTIONS(T),
    OPT_END,
};

const struct option_table TRAIN_TABLE = {
    .command = "train",
    .summary = "a small Llama-architecture model, from scratch or from another",
    .usage = "[options] CORPUS... -o FOLDER",
    .example =
        "  winnow train corpus/ -o models/small --tokens 10M\n"
        "  winnow train corpus/ -o models/wide --dim 256 --layers 6 --heads 4 --vocab 8192\n"
        "  winnow train corpus/ -o models/muon --optimizer muon --batch-tokens 2048 --lr 8e-3\n"
        "  winnow train runs/chosen --init models/small --responses --epochs 4 -o models/tuned\n"
        "  winnow train corpus/ -o models/lfr --sampler lfr      # learn, focus, review: 4 passes\n"
        "  winnow train corpus/ -o models/hard --sampler reweight --curve linupper\n"
        "  winnow train corpus/ -o models/few --sampler resample --drawn 25% --weights "
        "runs/all/stages/01-select/attributes/select --weight-name winnow__gain\n"
        "  winnow train corpus/ -o models/valued --value few.jsonl  # then select --method "
        "shapley\n"
        "  winnow train corpus/ -o models/own --tokenizer gpt2/   # again after a kill: goes on\n",
    .options = OPTIONS,
    .defaults = &WINNOW_TRAIN_OPTIONS_INIT,
    .size = sizeof(T),
};
