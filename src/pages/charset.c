/* charset.c -- settles the charset.
 *
 * Labels mean what the WHATWG Encoding Standard's table says and nothing else
 * (charset_tables.c); where they stand inside a page the HTML standard's prescan
 * says (charset_prescan.c).  On one point we know better than browsers: a label
 * that the bytes disprove is passed over.  The result is UTF-8 in every case,
 * which the HTML tokenizer and JSON need.
 */
#include "pages/charset.h"

#include "base/mem.h"
#include "base/utf8.h"
#include "pages/charset_internal.h"

#include <stdio.h>
#include <uchardet.h>

#define DETECT_MAX   ((size_t)256 << 10) /* what the detector gets to see */
#define EVIDENCE_MIN 16U /* bytes beyond ASCII: with fewer the detector guesses wildly */

/* So many characters beyond ASCII in valid UTF-8 are no text of another encoding by
 * chance, not even of one with two bytes a character. */
#define PROOF_MIN 10U

struct charset {
    uchardet_t detector;
    struct charset_decoder decoder;
    char guessed[32]; /* name of CHARSET_GUESSED */
    struct buf out;
};

struct charset *charset_new(void)
{
    struct charset *c = mem_zalloc(sizeof *c);
    c->detector = uchardet_new();
    return c;
}

void charset_free(struct charset *c)
{
    if (c) {
        uchardet_delete(c->detector);
        charset_decoder_release(&c->decoder);
        buf_release(&c->out);
        mem_free(c);
    }
}

/* What the bytes themselves say. */
struct evidence {
    bool valid;   /* UTF-8 from end to end */
    size_t count; /* characters of UTF-8 beyond ASCII */
    size_t wrong; /* bytes or pieces of characters that are none of UTF-8 */
    bool nul;     /* a NUL, as every ASCII character has in UTF-16 */
    bool clean;   /* valid, and no character is cut off at the end */
};

/* Bytes that belong together where s begins with what is no UTF-8: a first byte and those that may
 * follow it; *whole: how many it announces. */
static size_t broken_length(struct str s, size_t *whole)
{
    unsigned char lead = (unsigned char)s.ptr[0];
    *whole = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC2 ? 2 : 1;
    *whole = lead > 0xF4 ? 1 : *whole;
    size_t n = 1;
    while (n < *whole && n < s.len && ((unsigned char)s.ptr[n] & 0xC0U) == 0x80) {
        n++;
    }
    return n;
}

/* First bytes of characters beyond ASCII in valid UTF-8. */
static size_t count_leads(struct str s)
{
    size_t count = 0, at = 0;
    for (; s.len - at >= sizeof(uint64_t); at += sizeof(uint64_t)) {
        uint64_t eight; /* whose two top bits are both set */
        memcpy(&eight, s.ptr + at, sizeof eight);
        eight &= eight << 1 & 0x8080808080808080U;
        count += (size_t)((eight >> 7) * 0x0101010101010101U >> 56);
    }
    for (; at < s.len; at++) {
        count += (unsigned char)s.ptr[at] >= 0xC0;
    }
    return count;
}

static struct evidence weigh(struct str s)
{
    struct evidence e = {.nul = s.len > 0 && memchr(s.ptr, '\0', s.len)};
    bool cut = false; /* the page ends within a character */
    for (size_t at = 0; at < s.len;) {
        size_t until = at + utf8_valid_until(str_sub(s, at, s.len));
        e.count += count_leads(str_sub(s, at, until));
        at = until;
        if (at < s.len) {
            size_t whole, n = broken_length(str_sub(s, at, s.len), &whole);
            at += n;
            cut = at == s.len && n < whole;
            e.wrong += !cut;
        }
    }
    e.wrong += cut && e.count == 0; /* with no other character it may as well be Latin-1 */
    e.valid = e.wrong == 0;
    e.clean = e.valid && !cut;
    return e;
}

/* Whether bytes that are no valid UTF-8 are UTF-8 with some damage: two sequences of three
 * are right.  In other encodings a few are, by chance. */
static bool is_damaged_utf8(const struct evidence *e)
{
    return e->count > 0 && (e->wrong <= e->count / 2 || e->wrong == 1);
}

static enum charset_encoding detect(struct charset *c, struct str s)
{
    /* Names of uchardet that are no labels, and what iconv calls them. */
    static const char *const GUESSES[][2] = {
        {"IBM852", "IBM852"}, {"IBM855", "IBM855"},
        {"IBM862", "IBM862"}, {"IBM865", "IBM865"},
        {"VISCII", "VISCII"}, {"JOHAB", "JOHAB"},
        {"EUC-TW", "EUC-TW"}, {"MAC-CENTRALEUROPE", "MAC-CENTRALEUROPE"},
    };
    uchardet_reset(c->detector);
    size_t n = s.len < DETECT_MAX ? s.len : DETECT_MAX;
    size_t evidence = 0;
    for (size_t i = 0; i < n; i++) {
        evidence += (unsigned char)s.ptr[i] >= 0x80;
    }
    bool fed = evidence >= EVIDENCE_MIN && uchardet_handle_data(c->detector, s.ptr, n) == 0;
    uchardet_data_end(c->detector);
    const char *found = fed ? uchardet_get_charset(c->detector) : "";
    for (size_t i = 0; i < sizeof GUESSES / sizeof GUESSES[0]; i++) {
        if (strcmp(found, GUESSES[i][0]) == 0 &&
            charset_decoder_knows(&c->decoder, GUESSES[i][1])) {
            (void)snprintf(c->guessed, sizeof c->guessed, "%s", GUESSES[i][1]);
            return CHARSET_GUESSED;
        }
    }
    if (strcmp(found, "UHC") == 0) {
        return CHARSET_EUC_KR;
    }
    if (strcmp(found, "MAC-CYRILLIC") == 0) {
        return CHARSET_X_MAC_CYRILLIC;
    }
    enum charset_encoding e = charset_of_label(str_of(found));
    bool usable = e < CHARSET_COUNT && e != CHARSET_UTF_8 && e != CHARSET_REPLACEMENT &&
                  !charset_is_utf16(e) && e != CHARSET_X_USER_DEFINED;
    return usable ? e : CHARSET_WINDOWS_1252;
}

/* Whether a page of 7-bit bytes switches to other characters in the manner of
 * the encodings that browsers refuse to decode. */
static bool has_shifts(struct str s)
{
    return s.len > 0 && (memchr(s.ptr, 0x1B, s.len) || memchr(s.ptr, 0x0E, s.len) ||
                         str_find(s, STR_LIT("~{")) != SIZE_MAX);
}

/* What a label turns out to mean for these bytes; CHARSET_NONE where they
 * disprove it. */
static enum charset_encoding judge(struct charset *c, enum charset_encoding e, struct str s,
                                   const struct evidence *bytes)
{
    bool utf8 = bytes->valid && bytes->count > 0;
    if (e == CHARSET_UTF_8) {
        return bytes->valid || is_damaged_utf8(bytes) ? e : CHARSET_NONE;
    }
    if (charset_is_utf16(e)) { /* a page has ASCII in it, and that has NULs then */
        return bytes->nul ? e : CHARSET_NONE;
    }
    if (utf8 && (charset_is_single(e) || e == CHARSET_REPLACEMENT || bytes->count >= PROOF_MIN)) {
        return CHARSET_UTF_8;
    }
    if (e == CHARSET_REPLACEMENT) {
        return bytes->valid && !has_shifts(s) ? CHARSET_UTF_8 : e;
    }
    if (utf8) { /* few characters: the label holds if it explains them all */
        buf_clear(&c->out);
        return charset_decode(&c->decoder, e, NULL, s, &c->out) > 0 ? CHARSET_UTF_8 : e;
    }
    return e;
}

static enum charset_encoding choose(struct charset *c, const struct charset_page *page, bool *clean)
{
    struct evidence bytes = weigh(page->bytes);
    *clean = bytes.clean;
    enum charset_encoding e = charset_of_label(page->declared);
    e = e != CHARSET_NONE ? judge(c, e, page->bytes, &bytes) : e;
    if (e == CHARSET_NONE && page->markup) {
        e = charset_prescan(page->bytes);
        e = e != CHARSET_NONE ? judge(c, e, page->bytes, &bytes) : e;
    }
    if (e != CHARSET_NONE) {
        return e;
    }
    bool damaged = bytes.count >= PROOF_MIN && is_damaged_utf8(&bytes);
    return bytes.valid || damaged ? CHARSET_UTF_8 : detect(c, page->bytes);
}

static struct str repair(struct charset *c, struct str s)
{
    if (utf8_valid_until(s) == s.len) {
        return s;
    }
    buf_clear(&c->out);
    (void)utf8_add_repaired(&c->out, s);
    return buf_str(&c->out);
}

bool charset_may_be_wide(const struct charset_page *page)
{
    struct str s = page->bytes;
    return str_starts(s, STR_LIT("\xFF\xFE")) || str_starts(s, STR_LIT("\xFE\xFF")) ||
           charset_is_utf16(charset_of_label(page->declared)) ||
           (page->markup &&
            (str_starts(s, STR_LIT("<\0?\0x\0")) || str_starts(s, STR_LIT("\0<\0?\0x"))));
}

bool charset_to_utf8(struct charset *c, const struct charset_page *page, struct str *utf8,
                     const char **name)
{
    struct str s = page->bytes;
    enum charset_encoding e;
    bool clean = false; /* known to be valid UTF-8 */
    if (str_starts(s, STR_LIT("\xEF\xBB\xBF"))) {
        e = CHARSET_UTF_8;
        s = str_sub(s, 3, s.len);
    } else if (str_starts(s, STR_LIT("\xFF\xFE")) || str_starts(s, STR_LIT("\xFE\xFF"))) {
        e = s.ptr[0] == '\xFE' ? CHARSET_UTF_16BE : CHARSET_UTF_16LE;
        s = str_sub(s, 2, s.len);
    } else {
        e = choose(c, page, &clean);
    }
    *name = e == CHARSET_GUESSED ? c->guessed : CHARSET_NAMES[e].name;
    if (e == CHARSET_REPLACEMENT) {
        *utf8 = (struct str){NULL, 0};
        return false;
    }
    if (e == CHARSET_UTF_8) {
        *utf8 = clean ? s : repair(c, s);
        return true;
    }
    buf_clear(&c->out);
    (void)charset_decode(&c->decoder, e, c->guessed, s, &c->out);
    *utf8 = buf_str(&c->out);
    return true;
}
