/* line_scan.c -- one pass over a line's bytes.
 *
 * A word is a run of letters and digits.  Bytes past ASCII count as lower-case
 * letters, but for U+00A0..U+00BF and U+2000..U+206F, which are punctuation,
 * and for characters of U+3000..U+9FFF, each of which is a word of its own (no
 * spaces stand between words there).  Bytes that are no UTF-8 do no harm. */
#include "lines/line_scan.h"

#define SHAPE_MAX 24U

static const char *const STOP_WORDS[] = {
    "the",  "of",   "and", "to", "in",   "a",    "is",  "that", "for",   "it",   "as",
    "was",  "with", "be",  "by", "on",   "not",  "he",  "this", "are",   "or",   "his",
    "from", "at",   "but", "an", "they", "have", "had", "you",  "which", "were", "their",
};

enum { STOP_COUNT = sizeof STOP_WORDS / sizeof STOP_WORDS[0], STOP_LENGTH_MAX = 5 };

static bool is_stop(const char *word, size_t len)
{
    if (len > STOP_LENGTH_MAX) {
        return false;
    }
    for (size_t i = 0; i < STOP_COUNT; i++) {
        if (strlen(STOP_WORDS[i]) == len && memcmp(STOP_WORDS[i], word, len) == 0) {
            return true;
        }
    }
    return false;
}

/* The kind of the character at s[at]; its bytes in *len; *alone for a character
 * that is a word by itself. */
static enum byte_kind kind_at(struct str s, size_t at, size_t *len, bool *alone)
{
    unsigned char c = (unsigned char)s.ptr[at];
    *len = 1;
    *alone = false;
    if (c < 0x80) {
        if (c >= 'a' && c <= 'z') {
            return BYTE_LOWER;
        }
        if (c >= 'A' && c <= 'Z') {
            return BYTE_UPPER;
        }
        if (c >= '0' && c <= '9') {
            return BYTE_DIGIT;
        }
        return c <= ' ' || c == 0x7F ? BYTE_SPACE : BYTE_PUNCT;
    }
    unsigned char d = at + 1 < s.len ? (unsigned char)s.ptr[at + 1] : 0;
    if (c == 0xC2 && d >= 0x80 && d < 0xC0) {
        *len = 2;
        return d == 0xA0 ? BYTE_SPACE : BYTE_PUNCT;
    }
    if (at + 2 < s.len && c == 0xE2 && (d == 0x80 || d == 0x81)) {
        *len = 3;
        return BYTE_PUNCT;
    }
    if (at + 2 < s.len && c >= 0xE3 && c <= 0xE9) {
        *len = 3;
        *alone = true;
    }
    return BYTE_LOWER;
}

static uint32_t hash_bytes(const char *p, size_t len, uint32_t seed)
{
    uint32_t h = seed;
    for (size_t i = 0; i < len; i++) {
        h = (h ^ (unsigned char)p[i]) * 0x01000193U;
    }
    return line_mix(h);
}

#define WORD_BYTES 32U /* of a word are looked at */

/* The word being read. */
struct word_state {
    char folded[WORD_BYTES];
    char tail[4]; /* its last bytes, a ring */
    size_t len;
    bool capital;
};

static void word_byte(struct word_state *w, char c, enum byte_kind kind)
{
    char folded = c;
    if (kind == BYTE_UPPER) {
        folded = (char)(c - 'A' + 'a');
        w->capital |= w->len == 0;
    } else if (kind == BYTE_DIGIT) {
        folded = '0';
    }
    if (w->len < WORD_BYTES) {
        w->folded[w->len] = folded;
    }
    w->tail[w->len % 4] = folded;
    w->len++;
}

static void word_end(struct word_state *w, struct line_scan *out)
{
    if (w->len == 0) {
        return;
    }
    size_t len = w->len < WORD_BYTES ? w->len : WORD_BYTES;
    size_t three = w->len < 3 ? w->len : 3;
    char tail[3] = {0};
    for (size_t i = 0; i < three; i++) {
        tail[i] = w->tail[(w->len - three + i) % 4];
    }
    const struct line_word word = {
        .hash = hash_bytes(w->folded, len, 0x811C9DC5U),
        .prefix = hash_bytes(w->folded, three, 0x2545F491U),
        .suffix = hash_bytes(tail, three, 0x9E3779B9U),
        .stop = is_stop(w->folded, w->len),
        .capital = w->capital,
    };
    uint32_t at = out->word_count < LINE_HEAD
                      ? out->word_count
                      : LINE_HEAD + (out->word_count - LINE_HEAD) % LINE_TAIL;
    out->words[at] = word;
    out->word_count++;
    out->stop_count += word.stop;
    out->capital_count += word.capital;
    out->hash = line_mix(out->hash ^ word.hash);
    w->len = 0;
    w->capital = false;
}

static void count_punct(struct line_scan *out, char c)
{
    switch (c) {
    case ',':
    case ';':
        out->commas++;
        break;
    case '|':
    case '>':
        out->bars++;
        break;
    case '"':
    case '\'':
        out->quotes++;
        break;
    case '(':
    case ')':
        out->parens++;
        break;
    case '{':
    case '}':
    case '[':
    case ']':
        out->braces++;
        break;
    case '=':
    case '_':
    case '<':
    case '\\':
        out->code++;
        break;
    case '$':
    case '%':
        out->money++;
        break;
    case '@':
        out->at_sign = true;
        break;
    default:
        break;
    }
}

/* U+00A9, U+00AB and U+00BB, U+00A3, U+00B7; U+2018..U+201F, U+2022, U+2026, U+203A. */
static void count_high_punct(struct line_scan *out, const char *p, size_t len)
{
    unsigned char last = (unsigned char)p[len - 1];
    if (len == 2) {
        out->copyright |= last == 0xA9;
        out->bars += last == 0xAB || last == 0xBB || last == 0xB7;
        out->money += last == 0xA3;
    } else if ((unsigned char)p[1] == 0x80) {
        out->quotes += last >= 0x98 && last <= 0x9F;
        out->bars += last == 0xA2 || last == 0xBA;
        if (last == 0xA6) {
            out->last = '~'; /* stands for an ellipsis */
        }
    }
}

static void note_ends(struct line_scan *out, char c, enum byte_kind kind)
{
    if (out->first == 0) {
        out->first = c;
    }
    bool closing = c == '"' || c == '\'' || c == ')' || c == ']';
    if (!closing || kind != BYTE_PUNCT) {
        out->last = c;
    }
}

/* The tail is a ring while it fills: put it in order. */
static void unroll_tail(struct line_scan *out)
{
    out->shown = out->word_count < LINE_WORDS ? out->word_count : LINE_WORDS;
    if (out->word_count <= LINE_WORDS) {
        return;
    }
    struct line_word ring[LINE_TAIL];
    memcpy(ring, out->words + LINE_HEAD, sizeof ring);
    uint32_t start = (out->word_count - LINE_HEAD) % LINE_TAIL;
    for (uint32_t i = 0; i < LINE_TAIL; i++) {
        out->words[LINE_HEAD + i] = ring[(start + i) % LINE_TAIL];
    }
}

void line_scan(struct str line, struct line_scan *out)
{
    memset(out, 0, sizeof *out);
    out->bytes = line.len < UINT32_MAX ? (uint32_t)line.len : UINT32_MAX;
    line.len = out->bytes;
    struct word_state word = {.len = 0};
    uint32_t shape = 0, shape_len = 0;
    int shape_last = -1;
    size_t len = 1;
    for (size_t at = 0; at < line.len; at += len) {
        bool alone = false;
        enum byte_kind kind = kind_at(line, at, &len, &alone);
        char c = line.ptr[at];
        out->kinds[kind] += (uint32_t)len;
        out->high += (unsigned char)c >= 0x80 ? (uint32_t)len : 0;
        int symbol = kind == BYTE_PUNCT ? (unsigned char)c : (int)kind;
        if (symbol != shape_last && shape_len < SHAPE_MAX) {
            shape = (shape ^ (uint32_t)symbol) * 0x01000193U;
            shape_len++;
            shape_last = symbol;
        }
        if (kind == BYTE_SPACE) {
            out->indent += out->first == 0;
            word_end(&word, out);
            continue;
        }
        note_ends(out, c, kind);
        if (kind == BYTE_PUNCT) {
            word_end(&word, out);
            if (len == 1) {
                count_punct(out, c);
                out->link |= c == ':' && at + 2 < line.len && line.ptr[at + 1] == '/';
            } else {
                count_high_punct(out, line.ptr + at, len);
            }
            continue;
        }
        for (size_t i = 0; i < len; i++) {
            word_byte(&word, line.ptr[at + i], kind);
        }
        if (alone) {
            word_end(&word, out);
        }
    }
    word_end(&word, out);
    unroll_tail(out);
    out->shape = line_mix(shape ^ 0x5BD1E995U);
    struct str trimmed = str_trim(line);
    out->ellipsis = out->last == '~' || str_ends(trimmed, STR_LIT("..."));
}

bool line_has_words(struct str line)
{
    size_t len = 1;
    for (size_t at = 0; at < line.len; at += len) {
        bool alone = false;
        enum byte_kind kind = kind_at(line, at, &len, &alone);
        if (kind == BYTE_LOWER || kind == BYTE_UPPER || kind == BYTE_DIGIT) {
            return true;
        }
    }
    return false;
}
