/* corpus_options.h -- the options of every command that turns a corpus into a
 * corpus (and of a recipe, at its top level). */
#ifndef WINNOW_OPTION_CORPUS_OPTIONS_H
#define WINNOW_OPTION_CORPUS_OPTIONS_H

#include "winnow/run.h"

#include "option/option.h"

extern const struct option_table CORPUS_TABLE;

#endif /* WINNOW_OPTION_CORPUS_OPTIONS_H */
