/* rules.h -- measures a text by the heuristic filters and judges it.
 *
 * Measuring and judging are two steps: the measured values do not depend on the
 * limits, so they can be kept as annotations and judged again.  (C4 is the one
 * that edits: its counts are those of the lines left after its line options.)
 *
 *     struct rules_gauge *g = rules_gauge_new();         one a worker
 *     TRY(rules_measure(g, sets, &limits, text, values, err));
 *     const struct rules_limit *broken = rules_judge(sets, &limits, values);
 */
#ifndef WINNOW_RULES_RULES_H
#define WINNOW_RULES_RULES_H

#include "winnow/rules.h"

#include "base/buf.h"
#include "base/error.h"

/* Sets of filters, to be joined by |. */
enum rules_set {
    RULES_GOPHER = 1,
    RULES_REPETITION = 2,
    RULES_C4 = 4,
    RULES_FINEWEB = 8,
    RULES_COMPLETE = 16,
};
#define RULES_SETS 5

/* "gopher", "gopher-repetition", "c4", "fineweb", "complete"; 0 for any other name. */
unsigned rules_set_of(struct str name);
const char *rules_set_name(enum rules_set set);

enum rules_value {
    /* gopher; ratios are to all words, punctuation included */
    GOPHER_WORDS,       /* words that are not symbols only */
    GOPHER_WORD_LENGTH, /* mean code points of these */
    GOPHER_HASH_RATIO,  /* '#' */
    GOPHER_ELLIPSIS_RATIO,
    GOPHER_BULLET_LINES, /* share of lines that begin with - or a bullet */
    GOPHER_ELLIPSIS_LINES,
    GOPHER_ALPHA_WORDS, /* share of words with a letter */
    GOPHER_STOP_WORDS,  /* of: the be to of and that have with */
    /* gopher-repetition; shares of the text's code points but for two */
    REPETITION_CHARS,      /* the text's code points */
    REPETITION_PARAGRAPHS, /* share of paragraphs that were there before */
    REPETITION_PARAGRAPH_CHARS,
    REPETITION_LINES, /* share of lines that were there before */
    REPETITION_LINE_CHARS,
    REPETITION_TOP_2_GRAM, /* the most frequent n-gram's occurrences */
    REPETITION_TOP_3_GRAM,
    REPETITION_TOP_4_GRAM,
    REPETITION_DUP_5_GRAM, /* n-grams that were there before, not overlapping */
    REPETITION_DUP_6_GRAM,
    REPETITION_DUP_7_GRAM,
    REPETITION_DUP_8_GRAM,
    REPETITION_DUP_9_GRAM,
    REPETITION_DUP_10_GRAM,
    /* c4: lines, cut for the first of the reasons in this order */
    C4_LINES,
    C4_LINES_LONG_WORD,
    C4_LINES_NO_TERMINAL,
    C4_LINES_FEW_WORDS,
    C4_LINES_LOREM_IPSUM, /* these two condemn the document */
    C4_LINES_JAVASCRIPT,
    C4_LINES_CURLY_BRACKET,
    C4_LINES_POLICY,
    C4_SENTENCES, /* in the lines that are left */
    /* fineweb: shares of lines with anything in them */
    FINEWEB_LINES, /* how many these are */
    FINEWEB_TERMINAL_LINES,
    FINEWEB_SHORT_LINES,
    FINEWEB_DUP_LINE_CHARS, /* of the text's code points but line feeds */
    FINEWEB_NEWLINES,       /* line feeds a word */
    /* complete: rules_complete.c says when a line is */
    COMPLETE_LINES,      /* lines with a letter in them */
    COMPLETE_LINE_CHARS, /* share of their code points in complete ones */
    COMPLETE_ENDS,       /* 1: the last of them is complete */
    RULES_VALUES
};

struct rules_value_info {
    enum rules_set set;
    const char *name; /* "gopher__words", as in attributes */
};
const struct rules_value_info *rules_value_info(enum rules_value v);

struct rules_limit {
    enum rules_set set;
    enum rules_value value;
    bool most;        /* else least */
    const char *name; /* "gopher.words_min", as in the ledger */
    size_t offset;    /* of the double in struct winnow_rules_limits */
};

double rules_limit_of(const struct rules_limit *limit, const struct winnow_rules_limits *limits);

/* Scratch memory that goes from text to text. */
struct rules_gauge;
struct rules_gauge *rules_gauge_new(void);
void rules_gauge_free(struct rules_gauge *g);

/* Fills the values of the sets asked for, in time linear in the text.  A value
 * that is undefined for the text (a share of no words) is NaN. */
winnow_status rules_measure(struct rules_gauge *g, unsigned sets,
                            const struct winnow_rules_limits *limits, struct str text,
                            double values[RULES_VALUES], struct winnow_error *err);

/* What C4 left of the text measured last, until the next one. */
struct str rules_c4_text(const struct rules_gauge *g);

/* Sentences of a line, as C4 counts them: rules_c4.c states the rule. */
size_t rules_sentences(struct str line);

/* The first limit broken, sets in the order of enum rules_set, or NULL.  NaN
 * breaks none. */
const struct rules_limit *rules_judge(unsigned sets, const struct winnow_rules_limits *limits,
                                      const double values[RULES_VALUES]);

/* `"gopher__words":[[0,chars,132]],...`: the values of the sets as members of
 * the attributes of a text of that many code points; NaN is null. */
void rules_add_attributes(unsigned sets, const double values[RULES_VALUES], uint64_t chars,
                          struct buf *out);

#endif /* WINNOW_RULES_RULES_H */
