#ifndef WINNOW_OPTION_TOKENIZER_OPTIONS_H
#define WINNOW_OPTION_TOKENIZER_OPTIONS_H

#include "winnow/tokenizer.h"

#include "option/option.h"

extern const struct option_table TOKENIZER_TRAIN_TABLE;
extern const struct option_table TOKENIZER_ENCODE_TABLE;
extern const struct option_table TOKENIZER_DECODE_TABLE;

#endif /* WINNOW_OPTION_TOKENIZER_OPTIONS_H */
