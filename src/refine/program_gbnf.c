/* program_gbnf.c -- the grammar as text for servers.
 *
 *     root ::= lead? ( alone | call ( "\n" call )* "\n"? )
 *
 * with one rule a spelling, and lines as a rule made from the digits of the
 * bounds. */
#include "refine/program_grammar.h"
#include "refine/program_spelling.h"

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

static void add_spelling(struct buf *out, const char *text)
{
    struct str rest = str_of(text);
    while (rest.len > 0) {
        size_t n = 0;
        while (n < rest.len && (uint8_t)rest.ptr[n] >= 0x20) {
            n++;
        }
        add_literal(out, str_sub(rest, 0, n));
        if (n < rest.len) {
            buf_add_text(out, rule_of(rest.ptr[n]));
            n++;
        }
        rest = str_sub(rest, n, rest.len);
    }
}

static void add_rule(struct buf *out, const char *name, const struct spelling_set *set, bool alone)
{
    buf_addf(out, "%s ::=", name);
    bool first = true;
    for (const struct spelling *s = set->items; s->text; s++) {
        if (s->alone == alone) {
            buf_add_text(out, first ? "" : " |");
            add_spelling(out, s->text);
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

static void add_line_rule(struct buf *out, uint32_t lo, uint32_t hi)
{
    buf_add_text(out, "line ::=");
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
        add_rule(out, "alone", &set, true);
        return;
    }
    buf_add_text(out, "root ::= [ \\n]? ( alone | call ( \"\\n\" call )* \"\\n\"? )\n");
    add_rule(out, "alone", &set, true);
    add_rule(out, "call", &set, false);
    add_line_rule(out, spec->first + set.first_line, spec->last + set.first_line);
    if (uses(&set, "\4\5")) {
        add_string_rules(out, &set, spec->string_bytes);
    }
}
