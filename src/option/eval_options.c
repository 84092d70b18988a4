/* eval_options.c -- the table of `eval`. */
#include "winnow/eval.h"

#include "option/model_options.h"
#include "option/tables.h"
#include "option/text_options.h"

#define T struct winnow_eval_options

static const struct option OPTIONS[] = {
    OPT_FILE(0, "model", T, model, "model folder or .gguf file"),
    OPT_FILE(0, "tokenizer", T, tokenizer, "tokenizer.json or its folder (default: the model's)"),
    OPT_OUTPUT(T, output, "FILE", "results as JSON (default: on standard output)"),
    OPT_FILES(0, "tasks", T, tasks, "FILE,...", "files of task records"),
    OPT_COUNT(0, "limit", T, limit, 0, 1e12, "items a task, or a paradigm of pairs; 0: all"),
    OPT_U32(0, "shots", T, shots, 0, 100, "the first N items of a task are shown, not asked"),
    OPT_TEXT(0, "delimiter", T, delimiter, "TEXT",
             "between context and answer (default: as the task has it)"),
    OPT_FILE(0, "leak-probe", T, leak_probe,
             "a benchmark: how often does the model complete its items word by word?"),
    OPT_FILE(0, "paraphrased", T, paraphrased, "the same items in other words, by id or line"),
    OPT_U32(0, "probe-tokens", T, probe_tokens, 1, 100, "tokens of a completion"),
    OPT_U32(0, "probe-points", T, probe_points, 1, 1000, "completions asked for of an item"),
    OPT_FLAG(0, "cloze", T, cloze, "make cloze items from the documents"),
    OPT_U32(0, "cloze-options", T, cloze_options, 2, 64, "answers to choose from"),
    OPT_U32(0, "cloze-context", T, cloze_context, 4, 100000, "most characters before the gap"),
    OPT_U32(0, "cloze-length", T, cloze_length, 1, 10000, "characters of each answer"),
    OPT_U32(0, "cloze-per-document", T, cloze_per_document, 1, 1000, "most items of one document"),
    OPT_U32(0, "cloze-per-domain", T, cloze_per_domain, 0, 1e9, "most items of a domain; 0: all"),
    OPT_TEXT(0, "domain-key", T, domain_key, "KEY", "key of a document's domain"),
    OPT_FLAG(0, "responses", T, responses,
             "rows are prompt and response, or messages: NLL of the responses alone"),
    OPT_U32(0, "window", T, window, 0, 1000000,
            "tokens read at once; 0: the model's context, at most 2048"),
    OPT_ENUM(0, "compute", T, compute, SCORING_COMPUTE, "number format of matrix products"),
    OPT_COUNT(0, "documents", T, documents, 0, 1e12, "documents to read at most; 0: all"),
    KEY_OPTIONS(T, ),
    OPT_END,
};

const struct option_table EVAL_TABLE = {
    .command = "eval",
    .summary = "measure a model: NLL of held-out text by domain, tasks, cloze items",
    .usage = "[options] --model PATH [CORPUS...]",
    .example = "  winnow eval --model models/small heldout.jsonl.zst -o results.json\n"
               "  winnow eval --model models/small --cloze heldout.jsonl.zst -o results.json\n"
               "  winnow eval --model models/tuned --responses questions.jsonl -o results.json\n"
               "  winnow eval --model smollm2.gguf --tasks blimp.jsonl.zst --limit 100\n"
               "  winnow eval --model models/small --leak-probe gsm8k.jsonl --paraphrased "
               "reworded.jsonl\n",
    .options = OPTIONS,
    .defaults = &WINNOW_EVAL_OPTIONS_INIT,
    .size = sizeof(T),
};
