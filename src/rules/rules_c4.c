/* rules_c4.c -- the line and page rules of C4 (Raffel et al. 2020, 1910.10683,
 * section 2.2), as datatrove 0.10.1 defines them.
 *
 * A line is cut for the first reason that holds, in the order of the values in
 * rules.h; two of them condemn the document instead.  Where citations are cut,
 * the blank before them stays, so that "... as shown [3]" ends in no sentence
 * mark: the reference implementation does so too, and C4 was made that way.
 *
 * Sentences are counted in the lines that are left: one a line, and one more
 * wherever a sentence mark stands between words, that is, where a word other
 * than punctuation follows it.  A full stop after a single letter ("J. Smith")
 * and runs of full stops are no sentence marks.  No list of abbreviations. */
#include "rules/rules_internal.h"
#include "rules/rules_unicode.h"

#include <utf8proc.h>

enum line_fate {
    LINE_KEPT = -1, /* otherwise the value that counts the reason */
};

static const char *const POLICY_PHRASES[] = {
    "terms of use", "privacy policy", "cookie policy",
    "uses cookies", "use of cookies", "use cookies",
    NULL,
};

/* Bytes of the citation that starts at s[at], or 0: "[", digits, "]", or
 * "[edit]", or "[citation needed]". */
static size_t citation_at(struct str s, size_t at)
{
    struct str rest = str_sub(s, at, s.len);
    if (str_starts(rest, STR_LIT("[edit]"))) {
        return 6;
    }
    if (str_starts(rest, STR_LIT("[citation needed]"))) {
        return 17;
    }
    for (size_t i = 1; i < rest.len;) {
        uint32_t code;
        size_t n = rules_code_at(rest, i, &code);
        if (code == ']') {
            return i + 1;
        }
        if (utf8proc_category((utf8proc_int32_t)code) != UTF8PROC_CATEGORY_ND) {
            return 0;
        }
        i += n;
    }
    return 0;
}

/* The line without its citations, in g->c4_line where there are any. */
static struct str without_citations(struct rules_gauge *g, struct str line)
{
    if (!memchr(line.ptr, '[', line.len)) {
        return line;
    }
    buf_clear(&g->c4_line);
    size_t from = 0;
    for (size_t at = 0; at < line.len;) {
        size_t n = line.ptr[at] == '[' ? citation_at(line, at) : 0;
        if (n > 0) {
            buf_add_str(&g->c4_line, str_sub(line, from, at));
            from = at + n;
        }
        at += n > 0 ? n : 1;
    }
    buf_add_str(&g->c4_line, str_sub(line, from, line.len));
    return buf_str(&g->c4_line);
}

static bool ends_a_sentence(struct str line)
{
    if (line.len == 0 || str_ends(line, STR_LIT("..."))) {
        return false;
    }
    char last = line.ptr[line.len - 1];
    return last == '.' || last == '?' || last == '!' || last == '"' || last == '\'';
}

/* ASCII letters lowered: the phrases looked for are ASCII. */
static struct str lower(struct rules_gauge *g, struct str line)
{
    buf_clear(&g->c4_lower);
    char *out = buf_reserve(&g->c4_lower, line.len + 1);
    for (size_t i = 0; i < line.len; i++) {
        char c = line.ptr[i];
        out[i] = c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
    }
    return (struct str){out, line.len};
}

static bool has(struct str s, const char *needle)
{
    return memmem(s.ptr, s.len, needle, strlen(needle)) != NULL;
}

static bool has_policy_phrase(struct str lowered)
{
    for (size_t i = 0; POLICY_PHRASES[i]; i++) {
        if (has(lowered, POLICY_PHRASES[i])) {
            return true;
        }
    }
    return false;
}

/* Why the line goes.  *line is stripped, and loses its citations. */
static int line_fate(struct rules_gauge *g, const struct winnow_rules_limits *limits,
                     struct str *line)
{
    size_t words = 0;
    for (struct str rest = *line, word; rules_next_piece(&rest, &word); words++) {
        if (word.len > limits->c4_word_length_max &&
            rules_length(word) > limits->c4_word_length_max) {
            return C4_LINES_LONG_WORD;
        }
    }
    if (limits->c4_citations) {
        *line = without_citations(g, *line);
    }
    if (limits->c4_terminal_punctuation && !ends_a_sentence(*line)) {
        return C4_LINES_NO_TERMINAL;
    }
    if (words < limits->c4_line_words_min) {
        return C4_LINES_FEW_WORDS;
    }
    struct str lowered = lower(g, *line);
    if (has(lowered, "lorem ipsum")) {
        return C4_LINES_LOREM_IPSUM;
    }
    if (limits->c4_javascript && has(lowered, "javascript")) {
        return C4_LINES_JAVASCRIPT;
    }
    if (memchr(line->ptr, '{', line->len)) {
        return C4_LINES_CURLY_BRACKET;
    }
    if (limits->c4_policy && has_policy_phrase(lowered)) {
        return C4_LINES_POLICY;
    }
    return LINE_KEPT;
}

static bool is_punctuation(struct str word)
{
    for (size_t at = 0; at < word.len;) {
        uint32_t code;
        at += rules_code_at(word, at, &code);
        utf8proc_category_t c = utf8proc_category((utf8proc_int32_t)code);
        if (c < UTF8PROC_CATEGORY_PC || c > UTF8PROC_CATEGORY_PO) {
            return false;
        }
    }
    return true;
}

/* Whether word, which follows previous, can end a sentence. */
static bool is_sentence_mark(struct str line, const struct rules_word *previous,
                             const struct rules_word *word)
{
    uint32_t code;
    (void)rules_code_at(line, word->start, &code);
    if (!word->symbol || !rules_is_terminal(code)) {
        return false;
    }
    if (code != '.') {
        return true;
    }
    bool initial =
        previous->chars == 1 && previous->alpha && previous->start + previous->bytes == word->start;
    return word->chars == 1 && !initial;
}

size_t rules_sentences(struct str line)
{
    size_t sentences = 0, at = 0;
    bool ended = true; /* the next word proper starts a sentence */
    struct rules_word previous = {0}, word;
    while (rules_words_next(line, &at, &word)) {
        struct str bytes = str_sub(line, word.start, word.start + word.bytes);
        if (sentences == 0) {
            sentences = 1;
            ended = is_sentence_mark(line, &previous, &word);
        } else if (is_sentence_mark(line, &previous, &word)) {
            ended = true;
        } else if (ended && !is_punctuation(bytes)) {
            sentences++;
            ended = false;
        }
        previous = word;
    }
    return sentences;
}

winnow_status rules_c4(struct rules_gauge *g, const struct winnow_rules_limits *limits,
                       double values[RULES_VALUES], struct winnow_error *err)
{
    for (int v = C4_LINES; v <= C4_SENTENCES; v++) {
        values[v] = 0;
    }
    buf_clear(&g->c4);
    if (g->text.len > UINT32_MAX) {
        return error_set(err, WINNOW_E_LIMIT, "a text of %zu bytes is too long for the rules",
                         g->text.len);
    }
    for (struct str rest = g->text, line; rules_next_line(&rest, &line);) {
        line = rules_strip_end(rules_strip_start(line));
        values[C4_LINES]++;
        int fate = line_fate(g, limits, &line);
        if (fate != LINE_KEPT) {
            values[fate]++;
            continue;
        }
        values[C4_SENTENCES] += (double)rules_sentences(line);
        if (g->c4.len > 0) {
            buf_add_char(&g->c4, '\n');
        }
        buf_add_str(&g->c4, line);
    }
    return WINNOW_OK;
}

struct str rules_c4_text(const struct rules_gauge *g)
{
    return rules_strip_end(rules_strip_start(buf_str(&g->c4)));
}
