/* rules_complete.c -- how much of a text says something whole.
 *
 * HARE's first corpus leaves out "semantically incomplete" text and does not say what that is
 * (2406.11410), so this is our definition.  A line is complete when it
 *
 *   - has at least complete_line_words_min words with a letter in them, and
 *   - ends, white space, closing quotes and brackets and marks of emphasis aside, in a mark
 *     that ends a sentence (in any script) or leads on to what follows (: ;), and
 *   - does not break off: no ellipsis stands at its end ("Read more ...").
 *
 * Lines without a letter (rules, numbers, bullets) count neither way.  docs/masking.md has what
 * the definition finds of labelled lines and of sentences that were cut. */
#include "base/utf8.h"
#include "rules/rules_internal.h"
#include "rules/rules_unicode.h"

#include <math.h>

#define ELLIPSIS 0x2026U

static bool closes(uint32_t code)
{
    switch (code) {
    case '"':
    case '\'':
    case ')':
    case ']':
    case '}':
    case '>':
    case '*':
    case '_':
    case '`':
    case 0x00BB: /* quotes and brackets of other scripts */
    case 0x2019:
    case 0x201C:
    case 0x201D:
    case 0x203A:
    case 0x300D:
    case 0x300F:
    case 0xFF09:
        return true;
    default:
        return false;
    }
}

static bool leads_on(uint32_t code)
{
    return code == ':' || code == ';' || code == 0xFF1A || code == 0xFF1B;
}

/* The line up to the mark that ends it. */
static struct str without_closing(struct str line)
{
    for (;;) {
        line = rules_strip_end(line);
        if (line.len == 0 || !closes(rules_last_code(line))) {
            return line;
        }
        line.len = utf8_start(line, line.len - 1);
    }
}

static bool ends_well(struct str line)
{
    line = without_closing(line);
    uint32_t last = rules_last_code(line);
    bool breaks_off = last == ELLIPSIS || str_ends(line, STR_LIT(".."));
    return !breaks_off && (rules_is_terminal(last) || leads_on(last));
}

/* Words with a letter in them, counted no further than `most`. */
static size_t count_words(struct str line, size_t most)
{
    struct rules_word word;
    size_t n = 0;
    for (size_t at = 0; n < most && rules_words_next(line, &at, &word);) {
        n += word.alpha;
    }
    return n;
}

void rules_complete(struct str text, const struct winnow_rules_limits *limits,
                    double values[RULES_VALUES])
{
    size_t lines = 0, chars = 0, complete_chars = 0;
    size_t least = limits->complete_line_words_min > 0 ? limits->complete_line_words_min : 1;
    bool complete = false;
    for (struct str rest = text, line; rules_next_line(&rest, &line);) {
        size_t words = count_words(line, least);
        if (words == 0) {
            continue;
        }
        size_t n = rules_length(line);
        complete = words >= least && ends_well(line);
        lines++;
        chars += n;
        complete_chars += complete ? n : 0;
    }
    values[COMPLETE_LINES] = (double)lines;
    values[COMPLETE_LINE_CHARS] = lines ? (double)complete_chars / (double)chars : (double)NAN;
    values[COMPLETE_ENDS] = lines ? (double)complete : (double)NAN;
}
