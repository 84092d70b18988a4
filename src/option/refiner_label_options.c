/* refiner_label_options.c -- the table of `refiner label`. */
#include "winnow/refiner_label.h"

#include "option/server_options.h"
#include "option/tables.h"
#include "option/text_options.h"

static const char *const LEVELS[] = {"both", "documents", "chunks", NULL};

static const struct option OPTIONS[] = {
    OPT_OUTPUT(struct winnow_refiner_label_options, output, "FOLDER",
               "where labels and answers go; a folder begun earlier is gone on with"),
    OPT_ENUM(0, "level", struct winnow_refiner_label_options, level, LEVELS,
             "score documents, write programs for chunks, or both: chunks of what is kept"),
    OPT_SHARE(0, "share", struct winnow_refiner_label_options, share, 0, 1,
              "of the documents, drawn by id and seed"),
    OPT_U32(0, "document-tokens", struct winnow_refiner_label_options, document_tokens, 16, 1 << 24,
            "shown of a document (three bytes count as one)"),
    OPT_U32(0, "chunk-tokens", struct winnow_refiner_label_options, chunk_tokens, 16, 1 << 24,
            "of a chunk; longer lines are not shown"),
    OPT_U32(0, "answer-tokens", struct winnow_refiner_label_options, answer_tokens, 1, 1 << 20,
            "the longest answer"),
    OPT_SHARE(0, "removal-max", struct winnow_refiner_label_options, removal_max, 0, 1,
              "of a chunk's bytes; a program that removes more is no label"),
    SERVER_OPTIONS(struct winnow_refiner_label_options),
    TEXT_OPTIONS(struct winnow_refiner_label_options),
    OPT_END,
};

const struct option_table REFINER_LABEL_TABLE = {
    .command = "refiner label",
    .summary = "ask a large model for the labels that refiners are trained on",
    .usage = "--url URL [options] CORPUS... -o FOLDER",
    .example =
        "  # an instructed model behind vLLM, SGLang or llama-server\n"
        "  winnow refiner label --url http://127.0.0.1:8000 corpus/ --share 1% -o labels/\n"
        "  # in the cloud; the key stands in a variable of the environment\n"
        "  winnow refiner label --url https://api.example.com/v1 --model big --key-env API_KEY \\\n"
        "      corpus/ --limit 5000 -o labels/\n"
        "  # killed or out of credit: the same command goes on, nothing is asked twice\n"
        "  winnow refiner train labels/chunks.jsonl ...\n",
    .options = OPTIONS,
    .defaults = &WINNOW_REFINER_LABEL_OPTIONS_INIT,
    .size = sizeof(struct winnow_refiner_label_options),
};
