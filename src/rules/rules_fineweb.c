/* rules_fineweb.c -- the filters that FineWeb added (Penedo et al. 2024,
 * 2406.17557, section 3.6), as datatrove 0.10.1 defines them: lines are those
 * between line feeds that hold more than white space, taken as they are (a line
 * that ends in a blank ends in no sentence mark). */
#include "base/hash.h"
#include "rules/rules_internal.h"
#include "rules/rules_unicode.h"

#include <math.h>

static size_t count_feeds(struct str s)
{
    size_t n = 0;
    for (size_t i = 0; i < s.len; i++) {
        n += s.ptr[i] == '\n';
    }
    return n;
}

winnow_status rules_fineweb(struct rules_gauge *g, const struct winnow_rules_limits *limits,
                            double values[RULES_VALUES], struct winnow_error *err)
{
    size_t feeds = count_feeds(g->text);
    TRY(rules_count_start(&g->count, feeds + 1, err));
    size_t lines = 0, terminal = 0, brief = 0, repeated_chars = 0;
    for (struct str rest = g->text, line; str_next_line(&rest, &line);) {
        if (rules_strip_start(line).len == 0) {
            continue;
        }
        size_t chars = rules_length(line);
        terminal += rules_is_terminal(rules_last_code(line));
        brief += chars <= limits->fineweb_short_line_chars;
        if (rules_count_add(&g->count, hash64(line, 0), lines)->times > 1) {
            repeated_chars += chars;
        }
        lines++;
    }
    double n = (double)lines;
    values[FINEWEB_LINES] = n;
    values[FINEWEB_TERMINAL_LINES] = lines ? (double)terminal / n : (double)NAN;
    values[FINEWEB_SHORT_LINES] = lines ? (double)brief / n : (double)NAN;
    values[FINEWEB_DUP_LINE_CHARS] =
        lines ? (double)repeated_chars / (double)(g->chars - feeds) : (double)NAN;
    values[FINEWEB_NEWLINES] =
        g->words.count ? (double)feeds / (double)g->words.count : (double)NAN;
    return WINNOW_OK;
}
