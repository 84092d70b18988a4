/* synth_sentences.c -- see synth_sentences.h.  One pass over the bytes each. */
#include "synth/synth_sentences.h"

#include "base/grow.h"
#include "base/hash.h"
#include "base/mem.h"

#include <ctype.h>

#define WORD_BYTES_MAX 64U /* longer ones are no words */

static bool is_word_byte(char c)
{
    unsigned char b = (unsigned char)c;
    return isalnum(b) || b >= 0x80;
}

/* ---- sentences ---- */

static bool is_abbreviation(struct str before)
{
    static const char *const KNOWN[] = {"mr",  "mrs", "ms",  "dr", "prof",   "st",  "no", "vs",
                                        "etc", "e.g", "i.e", "cf", "fig",    "vol", "al", "inc",
                                        "ltd", "co",  "jr",  "sr", "approx", "ca",  "c",  NULL};
    size_t from = before.len;
    while (from > 0 && (is_word_byte(before.ptr[from - 1]) || before.ptr[from - 1] == '.')) {
        from--;
    }
    struct str word = str_sub(before, from, before.len);
    if (word.len == 1 && isupper((unsigned char)word.ptr[0])) {
        return true; /* an initial */
    }
    for (size_t i = 0; KNOWN[i]; i++) {
        size_t n = strlen(KNOWN[i]);
        bool same = word.len == n;
        for (size_t k = 0; k < n && same; k++) {
            same = tolower((unsigned char)word.ptr[k]) == KNOWN[i][k];
        }
        if (same) {
            return true;
        }
    }
    return false;
}

/* Whether a sentence ends behind line[at], a full stop or its like. */
static bool ends_at(struct str line, size_t at)
{
    size_t next = at + 1;
    while (next < line.len && strchr("\"')]", line.ptr[next]) && line.ptr[next] != '\0') {
        next++;
    }
    if (next == line.len) {
        return true;
    }
    if (line.ptr[next] != ' ') {
        return false;
    }
    while (next < line.len && line.ptr[next] == ' ') {
        next++;
    }
    if (next < line.len && islower((unsigned char)line.ptr[next])) {
        return false;
    }
    return line.ptr[at] != '.' || !is_abbreviation(str_sub(line, 0, at));
}

static void add_sentence(struct synth_sentences *s, struct str text)
{
    text = str_trim(text);
    if (text.len == 0) {
        return;
    }
    GROW(s->items, s->count, s->cap, 64);
    s->items[s->count++] = text;
}

void synth_sentences_split(struct synth_sentences *s, struct str text)
{
    struct str rest = text, line;
    s->count = 0;
    while (str_next_line(&rest, &line)) {
        size_t from = 0;
        for (size_t i = 0; i < line.len; i++) {
            char c = line.ptr[i];
            if ((c == '.' || c == '!' || c == '?') && ends_at(line, i)) {
                while (i + 1 < line.len && line.ptr[i + 1] != ' ') {
                    i++; /* closing quotes and brackets */
                }
                add_sentence(s, str_sub(line, from, i + 1));
                from = i + 1;
            }
        }
        add_sentence(s, str_sub(line, from, line.len));
    }
}

void synth_sentences_release(struct synth_sentences *s)
{
    mem_free(s->items);
    *s = (struct synth_sentences){0};
}

/* ---- words ---- */

static void add_word(struct synth_words *w, struct str text)
{
    char lower[WORD_BYTES_MAX];
    size_t digits = 0;
    if (text.len > WORD_BYTES_MAX) {
        return;
    }
    for (size_t i = 0; i < text.len; i++) {
        lower[i] = (char)tolower((unsigned char)text.ptr[i]);
        digits += isdigit((unsigned char)text.ptr[i]) != 0;
    }
    enum synth_shape shape = digits == text.len                    ? SHAPE_NUMBER
                             : isupper((unsigned char)text.ptr[0]) ? SHAPE_CAPITAL
                                                                   : SHAPE_LOWER;
    GROW(w->items, w->count, w->cap, 64);
    w->items[w->count++] =
        (struct synth_word){text, hash64((struct str){lower, text.len}, 0), shape};
}

void synth_words_split(struct synth_words *w, struct str text)
{
    w->count = 0;
    for (size_t i = 0; i < text.len;) {
        size_t from = i;
        while (i < text.len &&
               (is_word_byte(text.ptr[i]) ||
                (i > from && i + 1 < text.len && (text.ptr[i] == '\'' || text.ptr[i] == '-') &&
                 is_word_byte(text.ptr[i + 1])))) {
            i++;
        }
        if (i > from) {
            add_word(w, str_sub(text, from, i));
        } else {
            i++;
        }
    }
}

void synth_words_release(struct synth_words *w)
{
    mem_free(w->items);
    *w = (struct synth_words){0};
}
