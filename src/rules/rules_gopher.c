/* rules_gopher.c -- the quality rules of Gopher (Rae et al. 2021, 2112.11446,
 * appendix A.1.1), as datatrove 0.10.1 defines them: shares are taken over all
 * words, punctuation included; symbols-only words do not count towards the
 * document's length; stop words count once each and as they are spelt. */
#include "rules/rules_internal.h"
#include "rules/rules_unicode.h"

#include <math.h>

#define BULLET   0x2022U
#define ELLIPSIS 0x2026U

static double share(double part, double whole)
{
    return whole > 0 ? part / whole : (double)NAN;
}

/* Occurrences of the byte c. */
static size_t count_byte(struct str s, char c)
{
    size_t n = 0;
    for (size_t i = 0; i < s.len; i++) {
        n += s.ptr[i] == c;
    }
    return n;
}

/* "..." from the left without overlap, and U+2026. */
static size_t count_ellipses(struct str s)
{
    size_t n = 0;
    for (size_t at = 0; at + 3 <= s.len;) {
        const char *p = s.ptr + at;
        if ((p[0] == '.' && p[1] == '.' && p[2] == '.') || memcmp(p, "\xE2\x80\xA6", 3) == 0) {
            n++;
            at += 3;
        } else {
            at++;
        }
    }
    return n;
}

static bool ends_in_ellipsis(struct str line)
{
    return str_ends(line, STR_LIT("...")) || rules_last_code(line) == ELLIPSIS;
}

static bool starts_with_bullet(struct str line)
{
    uint32_t code = 0;
    if (line.len > 0) {
        (void)rules_code_at(line, 0, &code);
    }
    return code == '-' || code == BULLET;
}

static void measure_lines(struct str text, double values[RULES_VALUES])
{
    size_t lines = 0, bullets = 0, ellipses = 0;
    struct str line;
    while (rules_next_line(&text, &line)) {
        lines++;
        bullets += starts_with_bullet(rules_strip_start(line));
        ellipses += ends_in_ellipsis(rules_strip_end(line));
    }
    values[GOPHER_BULLET_LINES] = share((double)bullets, (double)lines);
    values[GOPHER_ELLIPSIS_LINES] = share((double)ellipses, (double)lines);
}

/* The bit of a stop word, or 0. */
static unsigned stop_word_bit(struct str word)
{
    static const char *const STOP_WORDS[] = {"the", "be",   "to",   "of",
                                             "and", "that", "have", "with"};
    for (unsigned i = 0; i < 8; i++) {
        if (str_is(word, STOP_WORDS[i])) {
            return 1U << i;
        }
    }
    return 0;
}

void rules_gopher(struct rules_gauge *g, double values[RULES_VALUES])
{
    size_t plain = 0, plain_chars = 0, alpha = 0;
    unsigned stop_words = 0;
    for (size_t i = 0; i < g->words.count; i++) {
        const struct rules_word *w = &g->words.items[i];
        if (!w->symbol) {
            plain++;
            plain_chars += w->chars;
        }
        alpha += w->alpha;
        if (w->alpha && w->bytes <= 4) {
            stop_words |= stop_word_bit(str_sub(g->text, w->start, w->start + w->bytes));
        }
    }
    double words = (double)g->words.count;
    values[GOPHER_WORDS] = (double)plain;
    values[GOPHER_WORD_LENGTH] = share((double)plain_chars, (double)plain);
    values[GOPHER_HASH_RATIO] = share((double)count_byte(g->text, '#'), words);
    values[GOPHER_ELLIPSIS_RATIO] = share((double)count_ellipses(g->text), words);
    values[GOPHER_ALPHA_WORDS] = share((double)alpha, words);
    values[GOPHER_STOP_WORDS] = (double)__builtin_popcount(stop_words);
    measure_lines(g->text, values);
}
