/* rules.c -- values and limits as tables, and what goes over all of them.
 *
 * A set measures (values) and judges (limits).  Values are attributes whatever is
 * decided, so that other limits need no second reading; the first limit that breaks
 * is the reason in the ledger.  Options, attributes and reasons are made of these
 * tables: a new limit is a row here, one in option/rules_options.c and a field. */
#include "rules/rules.h"

#include "base/json_write.h"
#include "base/mem.h"
#include "rules/rules_internal.h"
#include "rules/rules_unicode.h"

#include <inttypes.h>
#include <math.h>

static const struct {
    enum rules_set set;
    const char *name;
} SETS[RULES_SETS] = {
    {RULES_GOPHER, "gopher"},
    {RULES_REPETITION, "gopher-repetition"},
    {RULES_C4, "c4"},
    {RULES_FINEWEB, "fineweb"},
    {RULES_COMPLETE, "complete"},
};

static const struct rules_value_info VALUES[RULES_VALUES] = {
    [GOPHER_WORDS] = {RULES_GOPHER, "gopher__words"},
    [GOPHER_WORD_LENGTH] = {RULES_GOPHER, "gopher__word_length"},
    [GOPHER_HASH_RATIO] = {RULES_GOPHER, "gopher__hash_ratio"},
    [GOPHER_ELLIPSIS_RATIO] = {RULES_GOPHER, "gopher__ellipsis_ratio"},
    [GOPHER_BULLET_LINES] = {RULES_GOPHER, "gopher__bullet_lines"},
    [GOPHER_ELLIPSIS_LINES] = {RULES_GOPHER, "gopher__ellipsis_lines"},
    [GOPHER_ALPHA_WORDS] = {RULES_GOPHER, "gopher__alpha_words"},
    [GOPHER_STOP_WORDS] = {RULES_GOPHER, "gopher__stop_words"},
    [REPETITION_CHARS] = {RULES_REPETITION, "gopher_repetition__chars"},
    [REPETITION_PARAGRAPHS] = {RULES_REPETITION, "gopher_repetition__paragraphs"},
    [REPETITION_PARAGRAPH_CHARS] = {RULES_REPETITION, "gopher_repetition__paragraph_chars"},
    [REPETITION_LINES] = {RULES_REPETITION, "gopher_repetition__lines"},
    [REPETITION_LINE_CHARS] = {RULES_REPETITION, "gopher_repetition__line_chars"},
    [REPETITION_TOP_2_GRAM] = {RULES_REPETITION, "gopher_repetition__top_2_gram"},
    [REPETITION_TOP_3_GRAM] = {RULES_REPETITION, "gopher_repetition__top_3_gram"},
    [REPETITION_TOP_4_GRAM] = {RULES_REPETITION, "gopher_repetition__top_4_gram"},
    [REPETITION_DUP_5_GRAM] = {RULES_REPETITION, "gopher_repetition__dup_5_gram"},
    [REPETITION_DUP_6_GRAM] = {RULES_REPETITION, "gopher_repetition__dup_6_gram"},
    [REPETITION_DUP_7_GRAM] = {RULES_REPETITION, "gopher_repetition__dup_7_gram"},
    [REPETITION_DUP_8_GRAM] = {RULES_REPETITION, "gopher_repetition__dup_8_gram"},
    [REPETITION_DUP_9_GRAM] = {RULES_REPETITION, "gopher_repetition__dup_9_gram"},
    [REPETITION_DUP_10_GRAM] = {RULES_REPETITION, "gopher_repetition__dup_10_gram"},
    [C4_LINES] = {RULES_C4, "c4__lines"},
    [C4_LINES_LONG_WORD] = {RULES_C4, "c4__lines_long_word"},
    [C4_LINES_NO_TERMINAL] = {RULES_C4, "c4__lines_no_terminal"},
    [C4_LINES_FEW_WORDS] = {RULES_C4, "c4__lines_few_words"},
    [C4_LINES_LOREM_IPSUM] = {RULES_C4, "c4__lines_lorem_ipsum"},
    [C4_LINES_JAVASCRIPT] = {RULES_C4, "c4__lines_javascript"},
    [C4_LINES_CURLY_BRACKET] = {RULES_C4, "c4__lines_curly_bracket"},
    [C4_LINES_POLICY] = {RULES_C4, "c4__lines_policy"},
    [C4_SENTENCES] = {RULES_C4, "c4__sentences"},
    [FINEWEB_LINES] = {RULES_FINEWEB, "fineweb__lines"},
    [FINEWEB_TERMINAL_LINES] = {RULES_FINEWEB, "fineweb__terminal_lines"},
    [FINEWEB_SHORT_LINES] = {RULES_FINEWEB, "fineweb__short_lines"},
    [FINEWEB_DUP_LINE_CHARS] = {RULES_FINEWEB, "fineweb__dup_line_chars"},
    [FINEWEB_NEWLINES] = {RULES_FINEWEB, "fineweb__newlines"},
    [COMPLETE_LINES] = {RULES_COMPLETE, "complete__lines"},
    [COMPLETE_LINE_CHARS] = {RULES_COMPLETE, "complete__line_chars"},
    [COMPLETE_ENDS] = {RULES_COMPLETE, "complete__ends"},
};

#define LEAST(set, value, name, field)                                       \
    {                                                                        \
        set, value, false, name, offsetof(struct winnow_rules_limits, field) \
    }
#define MOST(set, value, name, field)                                       \
    {                                                                       \
        set, value, true, name, offsetof(struct winnow_rules_limits, field) \
    }

/* In the order in which datatrove looks, so that reasons agree. */
static const struct rules_limit LIMITS[] = {
    LEAST(RULES_GOPHER, GOPHER_WORDS, "gopher.words_min", gopher_words_min),
    MOST(RULES_GOPHER, GOPHER_WORDS, "gopher.words_max", gopher_words_max),
    LEAST(RULES_GOPHER, GOPHER_WORD_LENGTH, "gopher.word_length_min", gopher_word_length_min),
    MOST(RULES_GOPHER, GOPHER_WORD_LENGTH, "gopher.word_length_max", gopher_word_length_max),
    MOST(RULES_GOPHER, GOPHER_HASH_RATIO, "gopher.hash_ratio_max", gopher_hash_ratio_max),
    MOST(RULES_GOPHER, GOPHER_ELLIPSIS_RATIO, "gopher.ellipsis_ratio_max",
         gopher_ellipsis_ratio_max),
    MOST(RULES_GOPHER, GOPHER_BULLET_LINES, "gopher.bullet_lines_max", gopher_bullet_lines_max),
    MOST(RULES_GOPHER, GOPHER_ELLIPSIS_LINES, "gopher.ellipsis_lines_max",
         gopher_ellipsis_lines_max),
    LEAST(RULES_GOPHER, GOPHER_ALPHA_WORDS, "gopher.alpha_words_min", gopher_alpha_words_min),
    LEAST(RULES_GOPHER, GOPHER_STOP_WORDS, "gopher.stop_words_min", gopher_stop_words_min),
    LEAST(RULES_REPETITION, REPETITION_CHARS, "gopher-repetition.chars_min", repetition_chars_min),
    MOST(RULES_REPETITION, REPETITION_PARAGRAPHS, "gopher-repetition.paragraphs_max",
         repetition_paragraphs_max),
    MOST(RULES_REPETITION, REPETITION_PARAGRAPH_CHARS, "gopher-repetition.paragraph_chars_max",
         repetition_paragraph_chars_max),
    MOST(RULES_REPETITION, REPETITION_LINES, "gopher-repetition.lines_max", repetition_lines_max),
    MOST(RULES_REPETITION, REPETITION_LINE_CHARS, "gopher-repetition.line_chars_max",
         repetition_line_chars_max),
    MOST(RULES_REPETITION, REPETITION_TOP_2_GRAM, "gopher-repetition.top_2_gram_max",
         repetition_top_2_gram_max),
    MOST(RULES_REPETITION, REPETITION_TOP_3_GRAM, "gopher-repetition.top_3_gram_max",
         repetition_top_3_gram_max),
    MOST(RULES_REPETITION, REPETITION_TOP_4_GRAM, "gopher-repetition.top_4_gram_max",
         repetition_top_4_gram_max),
    MOST(RULES_REPETITION, REPETITION_DUP_5_GRAM, "gopher-repetition.dup_5_gram_max",
         repetition_dup_5_gram_max),
    MOST(RULES_REPETITION, REPETITION_DUP_6_GRAM, "gopher-repetition.dup_6_gram_max",
         repetition_dup_6_gram_max),
    MOST(RULES_REPETITION, REPETITION_DUP_7_GRAM, "gopher-repetition.dup_7_gram_max",
         repetition_dup_7_gram_max),
    MOST(RULES_REPETITION, REPETITION_DUP_8_GRAM, "gopher-repetition.dup_8_gram_max",
         repetition_dup_8_gram_max),
    MOST(RULES_REPETITION, REPETITION_DUP_9_GRAM, "gopher-repetition.dup_9_gram_max",
         repetition_dup_9_gram_max),
    MOST(RULES_REPETITION, REPETITION_DUP_10_GRAM, "gopher-repetition.dup_10_gram_max",
         repetition_dup_10_gram_max),
    MOST(RULES_C4, C4_LINES_LOREM_IPSUM, "c4.lorem_ipsum_max", c4_lorem_ipsum_max),
    MOST(RULES_C4, C4_LINES_CURLY_BRACKET, "c4.curly_bracket_max", c4_curly_bracket_max),
    LEAST(RULES_C4, C4_SENTENCES, "c4.sentences_min", c4_sentences_min),
    LEAST(RULES_FINEWEB, FINEWEB_LINES, "fineweb.lines_min", fineweb_lines_min),
    LEAST(RULES_FINEWEB, FINEWEB_TERMINAL_LINES, "fineweb.terminal_lines_min",
          fineweb_terminal_lines_min),
    MOST(RULES_FINEWEB, FINEWEB_SHORT_LINES, "fineweb.short_lines_max", fineweb_short_lines_max),
    MOST(RULES_FINEWEB, FINEWEB_DUP_LINE_CHARS, "fineweb.dup_line_chars_max",
         fineweb_dup_line_chars_max),
    MOST(RULES_FINEWEB, FINEWEB_NEWLINES, "fineweb.newlines_max", fineweb_newlines_max),
    LEAST(RULES_COMPLETE, COMPLETE_LINES, "complete.lines_min", complete_lines_min),
    LEAST(RULES_COMPLETE, COMPLETE_LINE_CHARS, "complete.line_chars_min", complete_line_chars_min),
    LEAST(RULES_COMPLETE, COMPLETE_ENDS, "complete.ends_min", complete_ends_min),
};

unsigned rules_set_of(struct str name)
{
    for (size_t i = 0; i < RULES_SETS; i++) {
        if (str_is(name, SETS[i].name)) {
            return SETS[i].set;
        }
    }
    return 0;
}

const char *rules_set_name(enum rules_set set)
{
    for (size_t i = 0; i < RULES_SETS; i++) {
        if (SETS[i].set == set) {
            return SETS[i].name;
        }
    }
    return NULL;
}

const struct rules_value_info *rules_value_info(enum rules_value v)
{
    return &VALUES[v];
}

double rules_limit_of(const struct rules_limit *limit, const struct winnow_rules_limits *limits)
{
    double value;
    memcpy(&value, (const char *)limits + limit->offset, sizeof value);
    return value;
}

struct rules_gauge *rules_gauge_new(void)
{
    return mem_zalloc(sizeof(struct rules_gauge));
}

void rules_gauge_free(struct rules_gauge *g)
{
    if (!g) {
        return;
    }
    rules_words_release(&g->words);
    rules_count_release(&g->count);
    buf_release(&g->c4);
    buf_release(&g->c4_line);
    buf_release(&g->c4_lower);
    mem_free(g);
}

winnow_status rules_measure(struct rules_gauge *g, unsigned sets,
                            const struct winnow_rules_limits *limits, struct str text,
                            double values[RULES_VALUES], struct winnow_error *err)
{
    g->text = text;
    g->words.count = 0;
    if (sets & (RULES_GOPHER | RULES_REPETITION | RULES_FINEWEB)) {
        TRY(rules_words_split(&g->words, text, err));
        g->chars = rules_length(text);
    }
    if (sets & RULES_GOPHER) {
        rules_gopher(g, values);
    }
    if (sets & RULES_REPETITION) {
        TRY(rules_repetition(g, values, err));
    }
    if (sets & RULES_C4) {
        TRY(rules_c4(g, limits, values, err));
    }
    if (sets & RULES_FINEWEB) {
        TRY(rules_fineweb(g, limits, values, err));
    }
    if (sets & RULES_COMPLETE) {
        rules_complete(text, limits, values);
    }
    return WINNOW_OK;
}

const struct rules_limit *rules_judge(unsigned sets, const struct winnow_rules_limits *limits,
                                      const double values[RULES_VALUES])
{
    for (size_t i = 0; i < sizeof LIMITS / sizeof LIMITS[0]; i++) {
        const struct rules_limit *limit = &LIMITS[i];
        double bound = rules_limit_of(limit, limits), value = values[limit->value];
        if ((sets & limit->set) && (limit->most ? value > bound : value < bound)) {
            return limit;
        }
    }
    return NULL;
}

void rules_add_attributes(unsigned sets, const double values[RULES_VALUES], uint64_t chars,
                          struct buf *out)
{
    const char *comma = "";
    for (size_t v = 0; v < RULES_VALUES; v++) {
        if (!(sets & VALUES[v].set)) {
            continue;
        }
        buf_addf(out, "%s\"%s\":[[0,%" PRIu64 ",", comma, VALUES[v].name, chars);
        comma = ",";
        if (values[v] >= 0 && values[v] < 1e15 && values[v] == floor(values[v])) {
            buf_addf(out, "%.0f", values[v]); /* counts look like counts */
        } else {
            struct json_writer w = {.out = out};
            json_double(&w, values[v]);
        }
        buf_add_text(out, "]]");
    }
}
