/* program_gbnf.c -- the grammar as text for servers.
 *
 *     root ::= lead? ( alone | call ( "\n" call )* "\n"? )
 *
 * with one rule a spelling, and lines as a rule made from the digits of the
 * bounds.
 *
 * That a range does not end before it starts takes a rule for each line it may
 * start at (here for lines 7 to 12):
 *
 *     span ::= "7" span7 | "8" span8 | "9" span9 | "1" span1
 *     span1 ::= "0" span10 | "1" span11 | "2" span12
 *     span11 ::= ", " from11
 *     from11 ::= "11" | "12"
 *
 * Starts are spelt digit by digit, so that a server, which follows all alternatives
 * side by side, never follows more than eleven.  The text grows by some 150 bytes
 * a line of the chunk; beyond SPAN_LINES_MAX lines the order of a range's ends is
 * left to the parser. */
#include "program/program_grammar.h"
#include "program/program_spelling.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

static void add_literal(struct buf *out, struct str s)
{
    if (s.len == 0) {
        return;
    }
    buf_add_text(out, " \"");
    buf_add_str(out, s); /* spellings hold neither quotes nor backslashes */
    buf_add_char(out, '"');
}

static const char *rule_of(char placeholder)
{
    switch (placeholder) {
    case SPELL_SOURCE:
        return " source";
    case SPELL_TARGET:
        return " target";
    default:
        return " line";
    }
}

/* Bytes before the next placeholder. */
static size_t literal_length(struct str s)
{
    size_t n = 0;
    while (n < s.len && (uint8_t)s.ptr[n] >= 0x20) {
        n++;
    }
    return n;
}

/* What stands between the two lines of a range, ", line_end=" or ", ". */
static struct str middle_of(struct str from)
{
    return str_sub(from, 1, 1 + literal_length(str_sub(from, 1, from.len)));
}

static bool is_named(struct str middle)
{
    return middle.len > 2;
}

/* The rule of a range's two lines and what is between. */
static const char *span_of(struct str middle)
{
    return is_named(middle) ? "named" : "span";
}

static void add_spelling(struct buf *out, const char *text, bool spans)
{
    struct str rest = str_of(text);
    while (rest.len > 0) {
        size_t n = literal_length(rest);
        add_literal(out, str_sub(rest, 0, n));
        rest = str_sub(rest, n, rest.len);
        if (rest.len > 0 && spans && rest.ptr[0] == SPELL_FROM) {
            struct str middle = middle_of(rest);
            buf_addf(out, " %s", span_of(middle));
            rest = str_sub(rest, 2 + middle.len, rest.len); /* both lines */
        } else if (rest.len > 0) {
            buf_add_text(out, rule_of(rest.ptr[0]));
            rest = str_sub(rest, 1, rest.len);
        }
    }
}

static void add_rule(struct buf *out, const char *name, const struct spelling_set *set, bool alone,
                     bool spans)
{
    buf_addf(out, "%s ::=", name);
    bool first = true;
    for (const struct spelling *s = set->items; s->text; s++) {
        if (s->alone == alone) {
            buf_add_text(out, first ? "" : " |");
            add_spelling(out, s->text, spans);
            first = false;
        }
    }
    buf_add_char(out, '\n');
}

/* ---- lines ---- */

static void add_class(struct buf *out, char lo, char hi)
{
    if (lo == hi) {
        buf_addf(out, " \"%c\"", lo);
    } else {
        buf_addf(out, " [%c-%c]", lo, hi);
    }
}

static void add_digits(struct buf *out, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        buf_add_text(out, " [0-9]");
    }
}

static void add_alternative(struct buf *out, bool *first)
{
    buf_add_text(out, *first ? "" : " |");
    *first = false;
}

/* Numbers of n digits from lo to hi, both written with n digits: those with the
 * common prefix, then above lo, between, below hi. */
static void add_same_length(struct buf *out, const char *lo, const char *hi, bool *first)
{
    size_t n = strlen(lo), same = 0;
    while (same < n && lo[same] == hi[same]) {
        same++;
    }
    if (same == n) {
        add_alternative(out, first);
        add_literal(out, str_of(lo));
        return;
    }
    /* lo itself and what shares more with it than with hi, longest part first. */
    add_alternative(out, first);
    add_literal(out, str_of(lo));
    for (size_t i = n - 1; i > same; i--) {
        if (lo[i] < '9') {
            add_alternative(out, first);
            add_literal(out, (struct str){lo, i});
            add_class(out, (char)(lo[i] + 1), '9');
            add_digits(out, n - i - 1);
        }
    }
    if (lo[same] + 1 < hi[same]) {
        add_alternative(out, first);
        add_literal(out, (struct str){lo, same});
        add_class(out, (char)(lo[same] + 1), (char)(hi[same] - 1));
        add_digits(out, n - same - 1);
    }
    for (size_t i = same + 1; i < n; i++) {
        if (hi[i] > '0') {
            add_alternative(out, first);
            add_literal(out, (struct str){hi, i});
            add_class(out, '0', (char)(hi[i] - 1));
            add_digits(out, n - i - 1);
        }
    }
    add_alternative(out, first);
    add_literal(out, str_of(hi));
}

/* Behind "name ::=". */
static void add_lines(struct buf *out, uint64_t lo, uint64_t hi)
{
    bool first = true;
    char from[16], to[16];
    for (uint64_t low = lo; low <= hi;) {
        uint64_t nines = 9;
        while (nines < low) {
            nines = nines * 10 + 9;
        }
        uint64_t high = nines < hi ? nines : hi;
        (void)snprintf(from, sizeof from, "%llu", (unsigned long long)low);
        (void)snprintf(to, sizeof to, "%llu", (unsigned long long)high);
        add_same_length(out, from, to, &first);
        low = high + 1;
    }
    buf_add_char(out, '\n');
}

/* ---- ranges ---- */

#define SPAN_LINES_MAX 1000U

/* Whether numbers in lo..hi start with the digits of prefix, beside itself. */
static bool goes_on(uint64_t prefix, uint64_t lo, uint64_t hi)
{
    for (uint64_t from = prefix * 10, to = prefix * 10 + 9; prefix > 0 && from <= hi;
         from *= 10, to = to * 10 + 9) {
        if (to >= lo) {
            return true;
        }
    }
    return false;
}

static bool is_within(uint64_t n, uint64_t lo, uint64_t hi)
{
    return n >= lo && n <= hi;
}

/* The digits that may follow prefix (-1: none is written), each with its rule. */
static void add_next_digits(struct buf *out, const char *name, int64_t prefix,
                            const uint64_t bounds[2], bool first)
{
    for (uint64_t digit = 0; digit < 10; digit++) {
        uint64_t n = prefix < 0 ? digit : (uint64_t)prefix * 10 + digit;
        if (is_within(n, bounds[0], bounds[1]) || goes_on(n, bounds[0], bounds[1])) {
            buf_addf(out, "%s \"%d\" %s%llu", first ? "" : " |", (int)digit, name,
                     (unsigned long long)n);
            first = false;
        }
    }
}

static void add_span_rules(struct buf *out, struct str middle, uint64_t lo, uint64_t hi)
{
    const char *name = span_of(middle);
    const uint64_t bounds[2] = {lo, hi};
    buf_addf(out, "%s ::=", name);
    add_next_digits(out, name, -1, bounds, true);
    buf_add_char(out, '\n');
    for (uint64_t n = 0; n <= hi; n++) {
        bool starts = is_within(n, lo, hi), more = goes_on(n, lo, hi);
        if (!starts && !more) {
            continue;
        }
        buf_addf(out, "%s%llu ::=", name, (unsigned long long)n);
        if (starts) {
            add_literal(out, middle);
            buf_addf(out, " from%llu", (unsigned long long)n);
        }
        if (more) {
            add_next_digits(out, name, (int64_t)n, bounds, !starts);
        }
        buf_add_char(out, '\n');
    }
}

/* The rules that the calls' ranges name.  Each dialect has ranges with names, of
 * one kind, or without, or both. */
static void add_spans(struct buf *out, const struct spelling_set *set, uint64_t lo, uint64_t hi)
{
    bool written[2] = {false, false};
    for (const struct spelling *s = set->items; s->text; s++) {
        const char *from = strchr(s->text, SPELL_FROM);
        struct str middle = from ? middle_of(str_of(from)) : (struct str){"", 0};
        if (from && !written[is_named(middle)]) {
            written[is_named(middle)] = true;
            add_span_rules(out, middle, lo, hi);
        }
    }
    for (uint64_t n = lo; n <= hi; n++) {
        buf_addf(out, "from%llu ::=", (unsigned long long)n);
        add_lines(out, n, hi);
    }
}

/* ---- strings ---- */

static void add_string_rules(struct buf *out, const struct spelling_set *set, uint32_t bytes)
{
    if (set->bare) {
        buf_addf(out,
                 "source ::= \"\\\"\" \" \"? bare{1,%u} \"\\\"\"\n"
                 "target ::= \"\\\"\" ( bare | \" \" ){0,%u} \"\\\"\"\n"
                 "bare ::= [^\\x00-\\x08\\x0A-\\x1F \\x7F\",=)] \" \"?\n",
                 bytes / 2 > 0 ? bytes / 2 : 1, bytes / 2);
        return;
    }
    buf_addf(out,
             "source ::= \"\\\"\" double{1,%u} \"\\\"\" | \"'\" single{1,%u} \"'\"\n"
             "target ::= \"\\\"\" double{0,%u} \"\\\"\" | \"'\" single{0,%u} \"'\"\n"
             "double ::= [^\\x00-\\x08\\x0A-\\x1F\\x7F\"\\\\] | escape\n"
             "single ::= [^\\x00-\\x08\\x0A-\\x1F\\x7F'\\\\] | escape\n"
             "escape ::= \"\\\\\" [\\\\\"'t]\n",
             bytes, bytes, bytes, bytes);
}

static bool uses(const struct spelling_set *set, const char *placeholders)
{
    for (const struct spelling *s = set->items; s->text; s++) {
        if (strpbrk(s->text, placeholders)) {
            return true;
        }
    }
    return false;
}

static bool has_calls(const struct spelling_set *set)
{
    for (const struct spelling *s = set->items; s->text; s++) {
        if (!s->alone) {
            return true;
        }
    }
    return false;
}

void program_grammar_gbnf(const struct program_grammar_spec *spec, struct buf *out)
{
    struct spelling_set set = spelling_set_of(spec->dialect, spec->level);
    assert(set.items);
    if (!has_calls(&set)) {
        buf_add_text(out, "root ::= [ \\n]? alone\n");
        add_rule(out, "alone", &set, true, false);
        return;
    }
    uint64_t lo = (uint64_t)spec->first + set.first_line,
             hi = (uint64_t)spec->last + set.first_line;
    bool spans = hi - lo < SPAN_LINES_MAX;
    buf_add_text(out, "root ::= [ \\n]? ( alone | call ( \"\\n\" call )* \"\\n\"? )\n");
    add_rule(out, "alone", &set, true, spans);
    add_rule(out, "call", &set, false, spans);
    if (spans) {
        add_spans(out, &set, lo, hi);
    }
    if (!spans || uses(&set, "\3")) {
        buf_add_text(out, "line ::=");
        add_lines(out, lo, hi);
    }
    if (uses(&set, "\4\5")) {
        add_string_rules(out, &set, spec->string_bytes);
    }
}
