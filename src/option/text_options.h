/* text_options.h -- the rows of the commands that read a corpus without writing one. */
#ifndef WINNOW_OPTION_TEXT_OPTIONS_H
#define WINNOW_OPTION_TEXT_OPTIONS_H

#include "winnow/tokenizer.h"

#include "option/option.h"

/* By name, in the order of enum winnow_text_on_bad. */
extern const char *const TEXT_ON_BAD[];
extern const char *const CHAT_NAMES[]; /* enum winnow_chat */

/* What of a line is text and id, and which further files there are; at is what stands
 * before the names of the members ("text." or nothing). */
#define KEY_OPTIONS(type, at)                                                                 \
    OPT_TEXT(0, "text-key", type, at text_key, "KEY",                                         \
             "key of the text, dots for inner ones (default: text, raw_content or content)"), \
        OPT_TEXT(0, "id-key", type, at id_key, "KEY",                                         \
                 "key of the id, dots for inner ones (default: id)"),                         \
        OPT_ENUM(0, "messages-as", type, at chat, CHAT_NAMES,                                 \
                 "how messages, prompts and responses become texts, where there is none"),    \
        OPT_TEXT(0, "files-from", type, at files_from, "FILE",                                \
                 "a list of further paths, one a line")

/* type has a member `text`, a struct winnow_text_options. */
#define TEXT_OPTIONS(type)                                                                       \
    OPT_COUNT(0, "limit", type, text.limit, 0, 1e18, "read the first N documents only; 0: all"), \
        OPT_ENUM(0, "on-bad", type, text.on_bad, TEXT_ON_BAD,                                    \
                 "what to do at a line that is no document"),                                    \
        KEY_OPTIONS(type, text.),                                                                \
        OPT_SIZE(0, "line-max", type, text.line_max, 1024, 4294967296.0, "longer lines are bad")

#endif /* WINNOW_OPTION_TEXT_OPTIONS_H */
