/* train_options.c -- the table of `train`. */
#include "winnow/train.h"

#include "option/model_options.h"
#include "option/tables.h"

#define T struct winnow_train_options

static const struct option OPTIONS[] = {
    OPT_OUTPUT(T, output, "FOLDER", "the model folder"),
    OPT_FILE(0, "tokenizer", T, tokenizer,
             "tokenizer.json or its folder (default: one is trained on the corpus)"),
    OPT_COUNT(0, "tokens", T, tokens, 0, 1e15, "to train on; 0: one epoch"),
    OPT_REAL(0, "epochs-max", T, epochs_max, 0.01, 1e6, "refuse to repeat documents more often"),
    OPT_COUNT(0, "document-tokens", T, document_tokens, 0, 1e12,
              "use the first N tokens of a document; 0: all"),
    OPT_U32(0, "keep-checkpoints", T, keep_checkpoints, 0, 32,
            "models kept on the way at equal distances, the last one among them, for features"),
    OPT_COUNT(0, "limit", T, limit, 0, 1e15, "use the first N documents; 0: all"),
    OPT_TEXT(0, "text-key", T, text_key, "KEY", "key of the text"),
    OPT_TEXT(0, "id-key", T, id_key, "KEY", "key of the id"),
    SMALL_MODEL_OPTIONS(T),
    OPT_END,
};

const struct option_table TRAIN_TABLE = {
    .command = "train",
    .summary = "a small Llama-architecture model from scratch",
    .usage = "[options] CORPUS... -o FOLDER",
    .example =
        "  winnow train corpus/ -o models/small --tokens 10M\n"
        "  winnow train corpus/ -o models/wide --dim 256 --layers 6 --heads 4 --vocab 8192\n"
        "  winnow train corpus/ -o models/muon --optimizer muon --batch-tokens 2048 --lr 8e-3\n"
        "  winnow train corpus/ -o models/own --tokenizer gpt2/   # again after a kill: goes on\n",
    .options = OPTIONS,
    .defaults = &WINNOW_TRAIN_OPTIONS_INIT,
    .size = sizeof(T),
};
