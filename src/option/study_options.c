/* study_options.c -- the table of `study causal`. */
#include "winnow/study.h"

#include "option/tables.h"
#include "option/text_options.h"

#define T struct winnow_study_options

static const struct option OPTIONS[] = {
    OPT_FILE(0, "items", T, items,
             "facts as JSON lines: {\"subject\": \"Lyon\", \"pattern\": \"[X] lies in [Y].\", "
             "\"object\": \"France\"}"),
    OPT_FILE(0, "model", T, model, "model folder or .gguf file, trained on the corpus"),
    OPT_OUTPUT(T, output, "FOLDER",
               "causal.json and rows.jsonl, what was counted and said of each fact (default: JSON "
               "on standard output, and nothing to go on with)"),
    OPT_U32(0, "bootstrap", T, bootstrap, 0, 100000, "redraws of subjects, for intervals; 0: none"),
    KEY_OPTIONS(T, ),
    OPT_END,
};

const struct option_table STUDY_CAUSAL_TABLE = {
    .command = "study causal",
    .summary = "estimate what co-occurrence in a corpus does to the facts a model states",
    .usage = "[options] --items FACTS --model MODEL CORPUS...",
    .example = "  echo '{\"subject\": \"Lyon\", \"pattern\": \"[X] lies in [Y].\", \"object\": "
               "\"France\"}' "
               ">>facts.jsonl\n"
               "  winnow train corpus/ --tokens 10M -o model\n"
               "  winnow study causal --items facts.jsonl --model model corpus/ -o study\n"
               "  winnow report study                                # with effects as a picture\n",
    .options = OPTIONS,
    .defaults = &WINNOW_STUDY_OPTIONS_INIT,
    .size = sizeof(T),
};
