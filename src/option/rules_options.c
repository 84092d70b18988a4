/* rules_options.c -- the table of `rules`: every limit of every set is an option.
 *
 * What each means is said in include/winnow/rules.h and docs/. */
#include "winnow/rules.h"

#include "option/corpus_options.h"
#include "option/tables.h"

/* A limit of struct winnow_rules_limits. */
#define BOUND(name, field, help) \
    OPT_REAL(0, name, struct winnow_rules_options, limits.field, 0, 1e18, help)
#define CUT(name, field, help) OPT_FLAG(0, name, struct winnow_rules_options, limits.field, help)

static const struct option OPTIONS[] = {
    OPT_LIST(0, "sets", struct winnow_rules_options, sets, "NAME,...",
             "filters: gopher, gopher-repetition, c4, fineweb (default: these), complete"),
    OPT_FLAG(0, "filter", struct winnow_rules_options, filter,
             "remove documents that break a limit"),
    OPT_FLAG(0, "edit", struct winnow_rules_options, edit,
             "cut the lines and citations that c4 cuts; without it no text is changed"),
    OPT_FLAG(0, "annotate", struct winnow_rules_options, annotate,
             "write every measured value to attributes/rules/"),
    BOUND("gopher-words-min", gopher_words_min, "gopher: least words, symbols not counted"),
    BOUND("gopher-words-max", gopher_words_max, "gopher: most words"),
    BOUND("gopher-word-length-min", gopher_word_length_min, "gopher: least mean word length"),
    BOUND("gopher-word-length-max", gopher_word_length_max, "gopher: most mean word length"),
    BOUND("gopher-hash-ratio-max", gopher_hash_ratio_max, "gopher: most hash signs a word"),
    BOUND("gopher-ellipsis-ratio-max", gopher_ellipsis_ratio_max, "gopher: most ellipses a word"),
    BOUND("gopher-bullet-lines-max", gopher_bullet_lines_max,
          "gopher: most lines that begin with a bullet"),
    BOUND("gopher-ellipsis-lines-max", gopher_ellipsis_lines_max,
          "gopher: most lines that end in an ellipsis"),
    BOUND("gopher-alpha-words-min", gopher_alpha_words_min, "gopher: least words with a letter"),
    BOUND("gopher-stop-words-min", gopher_stop_words_min, "gopher: least different stop words"),
    BOUND("repetition-chars-min", repetition_chars_min, "gopher-repetition: least characters"),
    BOUND("repetition-paragraphs-max", repetition_paragraphs_max,
          "gopher-repetition: most paragraphs that were there before"),
    BOUND("repetition-paragraph-chars-max", repetition_paragraph_chars_max,
          "gopher-repetition: their share of the characters"),
    BOUND("repetition-lines-max", repetition_lines_max,
          "gopher-repetition: most lines that were there before"),
    BOUND("repetition-line-chars-max", repetition_line_chars_max,
          "gopher-repetition: their share of the characters"),
    BOUND("repetition-top-2-gram-max", repetition_top_2_gram_max,
          "gopher-repetition: characters of the most frequent 2-gram"),
    BOUND("repetition-top-3-gram-max", repetition_top_3_gram_max,
          "gopher-repetition: characters of the most frequent 3-gram"),
    BOUND("repetition-top-4-gram-max", repetition_top_4_gram_max,
          "gopher-repetition: characters of the most frequent 4-gram"),
    BOUND("repetition-dup-5-gram-max", repetition_dup_5_gram_max,
          "gopher-repetition: characters of 5-grams that were there before"),
    BOUND("repetition-dup-6-gram-max", repetition_dup_6_gram_max,
          "gopher-repetition: characters of 6-grams that were there before"),
    BOUND("repetition-dup-7-gram-max", repetition_dup_7_gram_max,
          "gopher-repetition: characters of 7-grams that were there before"),
    BOUND("repetition-dup-8-gram-max", repetition_dup_8_gram_max,
          "gopher-repetition: characters of 8-grams that were there before"),
    BOUND("repetition-dup-9-gram-max", repetition_dup_9_gram_max,
          "gopher-repetition: characters of 9-grams that were there before"),
    BOUND("repetition-dup-10-gram-max", repetition_dup_10_gram_max,
          "gopher-repetition: characters of 10-grams that were there before"),
    BOUND("c4-lorem-ipsum-max", c4_lorem_ipsum_max, "c4: most lines with \"lorem ipsum\""),
    BOUND("c4-curly-bracket-max", c4_curly_bracket_max, "c4: most lines with a curly bracket"),
    BOUND("c4-sentences-min", c4_sentences_min, "c4: least sentences in the lines left"),
    OPT_U32(0, "c4-line-words-min", struct winnow_rules_options, limits.c4_line_words_min, 0, 1e9,
            "c4: cut lines of fewer words"),
    OPT_U32(0, "c4-word-length-max", struct winnow_rules_options, limits.c4_word_length_max, 1, 4e9,
            "c4: cut lines with a longer word"),
    CUT("c4-terminal-punctuation", c4_terminal_punctuation, "c4: cut lines that end no sentence"),
    CUT("c4-javascript", c4_javascript, "c4: cut lines with \"javascript\""),
    CUT("c4-policy", c4_policy,
        "c4: cut lines that speak of cookies, privacy policy, terms of use"),
    CUT("c4-citations", c4_citations, "c4: cut [1], [edit] and [citation needed]"),
    BOUND("fineweb-lines-min", fineweb_lines_min, "fineweb: least lines"),
    BOUND("fineweb-terminal-lines-min", fineweb_terminal_lines_min,
          "fineweb: least lines that end a sentence"),
    BOUND("fineweb-short-lines-max", fineweb_short_lines_max, "fineweb: most short lines"),
    BOUND("fineweb-dup-line-chars-max", fineweb_dup_line_chars_max,
          "fineweb: most characters in lines that were there before"),
    BOUND("fineweb-newlines-max", fineweb_newlines_max, "fineweb: most line feeds a word"),
    OPT_U32(0, "fineweb-short-line-chars", struct winnow_rules_options,
            limits.fineweb_short_line_chars, 0, 1e9, "fineweb: characters of a short line"),
    BOUND("complete-lines-min", complete_lines_min, "complete: least lines with a letter"),
    BOUND("complete-line-chars-min", complete_line_chars_min,
          "complete: least share of characters in lines that are whole sentences"),
    BOUND("complete-ends-min", complete_ends_min, "complete: 1: the last line must be one"),
    OPT_U32(0, "complete-line-words-min", struct winnow_rules_options,
            limits.complete_line_words_min, 0, 1e9, "complete: least words of such a line"),
    OPT_END,
};

const struct option_table RULES_TABLE = {
    .command = "rules",
    .summary = "measure and filter documents by the field's heuristic rules",
    .usage = "[options] CORPUS... -o FOLDER",
    .example =
        "  winnow rules corpus/ -o runs/clean                     # all four filters; texts stay\n"
        "  winnow rules --no-filter corpus/ -o runs/measured      # values only, nothing leaves\n"
        "  winnow rules --sets gopher,fineweb --gopher-words-min 20 corpus/ -o runs/mine\n"
        "  winnow rules --sets c4 --edit --no-c4-terminal-punctuation corpus/ -o -   # as FineWeb "
        "ran "
        "C4\n"
        "  sqlite3 runs/clean/ledger.db \"SELECT rule, count(*) FROM ledger GROUP BY rule\"\n",
    .options = OPTIONS,
    .shared = &CORPUS_TABLE,
    .defaults = &WINNOW_RULES_OPTIONS_INIT,
    .size = sizeof(struct winnow_rules_options),
};
