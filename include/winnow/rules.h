/* rules.h -- the field's heuristic filters, by the names they are known by.
 *
 * gopher             quality rules of the Gopher paper (2112.11446, table A1)
 * gopher-repetition  its repetition rules
 * c4                 line and page rules of C4 (1910.10683); edits where asked to
 * fineweb            FineWeb's additions (2406.17557)
 * complete           winnow's own: how much of a text stands in whole sentences; asked for by name
 *
 * Definitions and default limits are those of datatrove 0.10.1;
 * docs/evidence/rules.md compares outcome by outcome.  Options of the stage `rules`;
 * winnow_stage() and recipes run it, text.h judges texts in memory.
 */
#ifndef WINNOW_RULES_H
#define WINNOW_RULES_H

#include "winnow/common.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A document leaves at the first limit that it breaks: below a _min, above a
 * _max.  A huge _max or a _min of 0 turns a limit off. */
struct winnow_rules_limits {
    double gopher_words_min, gopher_words_max;
    double gopher_word_length_min, gopher_word_length_max;
    double gopher_hash_ratio_max, gopher_ellipsis_ratio_max;
    double gopher_bullet_lines_max, gopher_ellipsis_lines_max;
    double gopher_alpha_words_min;
    double gopher_stop_words_min;

    double repetition_chars_min;
    double repetition_paragraphs_max, repetition_paragraph_chars_max;
    double repetition_lines_max, repetition_line_chars_max;
    double repetition_top_2_gram_max, repetition_top_3_gram_max, repetition_top_4_gram_max;
    double repetition_dup_5_gram_max, repetition_dup_6_gram_max, repetition_dup_7_gram_max;
    double repetition_dup_8_gram_max, repetition_dup_9_gram_max, repetition_dup_10_gram_max;

    double c4_lorem_ipsum_max, c4_curly_bracket_max; /* lines */
    double c4_sentences_min;
    uint32_t c4_line_words_min, c4_word_length_max; /* lines that break these are cut */
    bool c4_terminal_punctuation;                   /* cut lines that do not end a sentence */
    bool c4_javascript, c4_policy;                  /* cut lines that speak of these */
    bool c4_citations;                              /* cut [1], [edit], [citation needed] */

    double fineweb_lines_min;
    double fineweb_terminal_lines_min, fineweb_short_lines_max;
    double fineweb_dup_line_chars_max, fineweb_newlines_max;
    uint32_t fineweb_short_line_chars;

    double complete_lines_min, complete_line_chars_min, complete_ends_min;
    uint32_t complete_line_words_min; /* of a complete line */
};

#define WINNOW_RULES_LIMITS_INIT                                                                 \
    {                                                                                            \
        .gopher_words_min = 50, .gopher_words_max = 100000, .gopher_word_length_min = 3,         \
        .gopher_word_length_max = 10, .gopher_hash_ratio_max = 0.1,                              \
        .gopher_ellipsis_ratio_max = 0.1, .gopher_bullet_lines_max = 0.9,                        \
        .gopher_ellipsis_lines_max = 0.3, .gopher_alpha_words_min = 0.8,                         \
        .gopher_stop_words_min = 2, .repetition_chars_min = 1, .repetition_paragraphs_max = 0.3, \
        .repetition_paragraph_chars_max = 0.2, .repetition_lines_max = 0.3,                      \
        .repetition_line_chars_max = 0.2, .repetition_top_2_gram_max = 0.2,                      \
        .repetition_top_3_gram_max = 0.18, .repetition_top_4_gram_max = 0.16,                    \
        .repetition_dup_5_gram_max = 0.15, .repetition_dup_6_gram_max = 0.14,                    \
        .repetition_dup_7_gram_max = 0.13, .repetition_dup_8_gram_max = 0.12,                    \
        .repetition_dup_9_gram_max = 0.11, .repetition_dup_10_gram_max = 0.10,                   \
        .c4_lorem_ipsum_max = 0, .c4_curly_bracket_max = 0, .c4_sentences_min = 5,               \
        .c4_line_words_min = 3, .c4_word_length_max = 1000, .c4_terminal_punctuation = true,     \
        .c4_javascript = true, .c4_policy = true, .c4_citations = true, .fineweb_lines_min = 1,  \
        .fineweb_terminal_lines_min = 0.12, .fineweb_short_lines_max = 0.67,                     \
        .fineweb_dup_line_chars_max = 0.01, .fineweb_newlines_max = 0.3,                         \
        .fineweb_short_line_chars = 30, .complete_lines_min = 1, .complete_line_chars_min = 0.5, \
        .complete_ends_min = 0, .complete_line_words_min = 3                                     \
    }

struct winnow_rules_options {
    struct winnow_list sets; /* names of filters; none: the field's four */
    bool filter;             /* remove what breaks a limit */
    bool edit;               /* and cut what C4 cuts; without it no text is changed */
    bool annotate;           /* write every measured value to attributes/rules/ */
    struct winnow_rules_limits limits;
};
#define WINNOW_RULES_OPTIONS_INIT           \
    (WINNOW_NEW(winnow_rules_options){      \
        .filter = true,                     \
        .annotate = true,                   \
        .limits = WINNOW_RULES_LIMITS_INIT, \
    })

#ifdef __cplusplus
}
#endif

#endif /* WINNOW_RULES_H */
