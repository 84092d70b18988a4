/* refiner_lines_options.c -- the table of `refiner train-lines`. */
#include "winnow/refiner_lines.h"

#include "option/tables.h"

#define T struct winnow_refiner_lines_options

static const char *const COMPUTE[] = {"f32", "bf16", NULL};

static const struct option OPTIONS[] = {
    OPT_OUTPUT(T, output, "FOLDER", "the model folder"),
    OPT_FILES(0, "templates", T, templates, "FILE",
              "pages of which those of one \"source\" share a template"),
    OPT_U32(0, "per-template", T, per_template, 1, 100000, "of these N a template an epoch"),
    OPT_FILES(0, "articles", T, articles, "FILE",
              "clean documents whose text is put into frames of pages"),
    OPT_REAL(0, "epochs", T, epochs, 0.01, 1e4, "passes over the pages"),
    OPT_U32(0, "batch", T, batch_pages, 1, 4096, "pages a step"),
    OPT_REAL(0, "lr", T, lr, 1e-8, 1, "learning rate at the top"),
    OPT_REAL(0, "table-lr", T, table_lr, 1e-8, 1, "the same of the n-gram vectors"),
    OPT_REAL(0, "weight-decay", T, weight_decay, 0, 10, "decoupled, of matrices"),
    OPT_SHARE(0, "token-dropout", T, token_dropout, 0, 0.95, "of n-grams not seen"),
    OPT_SHARE(0, "group-dropout", T, group_dropout, 0, 1,
              "of pages of which one group of n-grams is not seen"),
    OPT_SHARE(0, "structure-dropout", T, structure_dropout, 0, 1,
              "of pages with a structure of which it is not seen"),
    OPT_FILE(0, "lines-alone", T, lines_alone,
             "a line model, trained on pages without structure: its weights read such pages"),
    OPT_SHARE(0, "transplant", T, transplant, 0, 1, "of pages that get another body"),
    OPT_REAL(0, "length-weight", T, length_weight, 0, 100,
             "a line of n bytes counts 1 + X min(n, 400) / 50"),
    OPT_REAL(0, "page-power", T, page_power, 0, 1, "lines of a page of n lines count n^-X"),
    OPT_U32(0, "rows", T, rows, 16, 1 << 22, "n-gram vectors, a power of two"),
    OPT_U32(0, "embed", T, embed, 16, 1024, "their length"),
    OPT_U32(0, "hidden", T, hidden, 16, 1024, "width of the line encoder"),
    OPT_U32(0, "dim", T, dim, 32, 1024, "width of the transformer"),
    OPT_U32(0, "layers", T, layers, 1, 16, "its layers"),
    OPT_U32(0, "ffn", T, ffn, 16, 4096, "width of its feed-forward part"),
    OPT_HOW(OPTION_REAL, "checkpoint", T, checkpoint, 0, 1e6, "X",
            "seconds between two checkpoints at least"),
    OPT_ENUM(0, "compute", T, compute, COMPUTE, "number format of matrix products"),
    OPT_SHARE(0, "keep-above", T, keep_above, 0, 1, "lines less likely to be text are removed"),
    OPT_END,
};

const struct option_table REFINER_LINES_TABLE = {
    .command = "refiner train-lines",
    .summary = "train a line model, the kind of refiner that is built in",
    .usage = "[options] PAGES... -o FOLDER",
    .example = "  # pages.jsonl: {\"lines\": [\"Home\", \"It rained.\"], \"label\": [0, 1]}\n"
               "  winnow refiner train-lines pages.jsonl -o my-refiner\n"
               "  winnow refine --refiner my-refiner corpus/ -o runs/refined\n"
               "  # pages with \"structure\", too: weights of their own for lines alone\n"
               "  winnow refiner train-lines lines.jsonl -o alone\n"
               "  winnow refiner train-lines pages.jsonl --lines-alone alone -o both\n"
               "  # killed: the same command goes on from the last checkpoint\n",
    .options = OPTIONS,
    .defaults = &WINNOW_REFINER_LINES_OPTIONS_INIT,
    .size = sizeof(T),
};
