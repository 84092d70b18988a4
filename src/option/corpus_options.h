/* corpus_options.h -- the options of every command that turns a corpus into a
 * corpus (and of a recipe, at its top level). */
#ifndef WINNOW_OPTION_CORPUS_OPTIONS_H
#define WINNOW_OPTION_CORPUS_OPTIONS_H

#include "winnow/run.h"

#include "option/option.h"

extern const struct option_table CORPUS_TABLE;

/* Refuses an output that is named as a file of documents ("out.jsonl.gz"), where a
 * run folder is wanted, with the words that write that file. */
winnow_status corpus_output_check(const char *output, struct winnow_error *err);

#endif /* WINNOW_OPTION_CORPUS_OPTIONS_H */
