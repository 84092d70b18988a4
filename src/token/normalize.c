/* normalize.c -- what happens to a text before it is cut into words.
 *
 * Unicode's normal forms are utf8proc's.  NFC leaves nearly all text as it is,
 * so only the stretches around characters that it may touch are given to
 * utf8proc: a character is safe if it is a starter, its own normal form and
 * never the second half of a composition; NFC(a s b) = NFC(a) NFC(s b) for every
 * safe s.  Ill-formed bytes stay and end a stretch.
 */
#include "base/mem.h"
#include "base/utf8.h"
#include "token/tokenizer_internal.h"

#include <assert.h>
#include <stdlib.h>
#include <utf8proc.h>

/* Beyond it, no character decomposes, composes or combines. */
#define NFC_TABLE 0x30000U

static bool nfc_changes(const struct tokenizer *t, uint32_t code)
{
    return code < NFC_TABLE && (t->nfc_unsafe[code >> 3] >> (code & 7) & 1);
}

static void mark_unsafe(struct tokenizer *t, uint32_t code)
{
    if (code < NFC_TABLE) {
        t->nfc_unsafe[code >> 3] |= (uint8_t)(1U << (code & 7));
    }
}

void normalize_prepare(struct tokenizer *t)
{
    bool nfc = false;
    for (size_t i = 0; i < t->norm_count; i++) {
        nfc = nfc || t->norms[i].kind == NORM_NFC;
    }
    if (!nfc) {
        return;
    }
    t->nfc_unsafe = arena_alloc(&t->keep, NFC_TABLE / 8, 1);
    for (uint32_t code = 0xC0; code < NFC_TABLE; code++) {
        if ((code >= 0xD800 && code < 0xE000)) {
            continue;
        }
        if (utf8proc_get_property((utf8proc_int32_t)code)->combining_class != 0) {
            mark_unsafe(t, code);
        }
        utf8proc_int32_t parts[16];
        int boundary = 0;
        utf8proc_ssize_t n = utf8proc_decompose_char((utf8proc_int32_t)code, parts, 16,
                                                     UTF8PROC_DECOMPOSE, &boundary);
        if (n == 1 && (uint32_t)parts[0] != code) {
            mark_unsafe(t, code);
        }
        bool hangul = code >= 0xAC00 && code <= 0xD7A3;
        for (utf8proc_ssize_t i = 1; i < n && i < 16 && !hangul; i++) {
            mark_unsafe(t, (uint32_t)parts[i]);
        }
        /* A composite that is excluded from composition does not survive. */
        char bytes[5] = {0};
        bytes[utf8_encode(code, bytes)] = '\0';
        utf8proc_uint8_t *form = n > 1 && !hangul ? utf8proc_NFC((utf8proc_uint8_t *)bytes) : NULL;
        if (form && strcmp((char *)form, bytes) != 0) {
            mark_unsafe(t, code);
        }
        free(form);
    }
    for (uint32_t code = 0x1160; code < 0x1200; code++) { /* Hangul vowels and finals */
        mark_unsafe(t, code);
    }
}

/* Appends well-formed text in the normal form that options ask for. */
static void add_form(struct buf *out, struct str s, utf8proc_option_t options)
{
    utf8proc_uint8_t *form = NULL;
    utf8proc_ssize_t len = utf8proc_map((const utf8proc_uint8_t *)s.ptr, (utf8proc_ssize_t)s.len,
                                        &form, options | UTF8PROC_STABLE);
    if (len < 0) {
        buf_add_str(out, s);
    } else {
        buf_add(out, form, (size_t)len);
    }
    free(form);
}

static void nfc(const struct tokenizer *t, struct buf *out, struct str s)
{
    size_t from = 0; /* s[from..at) is safe as it stands */
    size_t at = 0, len = 0;
    uint32_t code = 0;
    while (at < s.len) {
        if ((uint8_t)s.ptr[at] < 0x80) {
            at++;
            continue;
        }
        len = utf8_decode(s, at, &code);
        if (len == 0 || !nfc_changes(t, code)) {
            at += len > 0 ? len : 1;
            continue;
        }
        /* From the safe character before to the next safe one. */
        size_t start = at;
        if (at > from &&
            utf8_decode(s, utf8_start(s, at - 1), &code) == at - utf8_start(s, at - 1)) {
            start = utf8_start(s, at - 1);
        }
        size_t end = at + len;
        while (end < s.len && (len = utf8_decode(s, end, &code)) > 0 && nfc_changes(t, code)) {
            end += len;
        }
        buf_add_str(out, str_sub(s, from, start));
        add_form(out, str_sub(s, start, end), UTF8PROC_COMPOSE);
        from = at = end;
    }
    buf_add_str(out, str_sub(s, from, s.len));
}

/* A form other than NFC, over each well-formed stretch. */
static void other_form(struct buf *out, struct str s, utf8proc_option_t options)
{
    while (s.len > 0) {
        size_t good = utf8_valid_until(s);
        if (good > 0) {
            add_form(out, str_sub(s, 0, good), options);
        }
        if (good < s.len) {
            buf_add_char(out, s.ptr[good++]);
        }
        s = str_sub(s, good, s.len);
    }
}

/* Every space becomes U+2581: words are short, so this goes byte by byte. */
static void replace_byte(struct buf *out, struct str s, char from, struct str to)
{
    size_t count = 0;
    for (size_t i = 0; i < s.len; i++) {
        count += s.ptr[i] == from;
    }
    char *put = buf_reserve(out, s.len + count * to.len);
    const char *start = put;
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] != from) {
            *put++ = s.ptr[i];
            continue;
        }
        for (size_t k = 0; k < to.len; k++) {
            *put++ = to.ptr[k];
        }
    }
    out->len += (size_t)(put - start);
}

static void replace_all(struct buf *out, struct str s, struct str from, struct str to)
{
    assert(from.len > 0);
    if (from.len == 1) {
        replace_byte(out, s, from.ptr[0], to);
        return;
    }
    while (s.len > 0) {
        const char *hit = memmem(s.ptr, s.len, from.ptr, from.len);
        size_t at = hit ? (size_t)(hit - s.ptr) : s.len;
        buf_add_str(out, str_sub(s, 0, at));
        if (hit) {
            buf_add_str(out, to);
            at += from.len;
        }
        s = str_sub(s, at, s.len);
    }
}

static struct str strip(const struct tokenizer *t, struct str s, bool left, bool right)
{
    uint32_t code = 0;
    size_t len;
    while (left && s.len > 0 && (len = utf8_decode(s, 0, &code)) > 0 &&
           (class_of(code) & CLASS_SPACE)) {
        s = str_sub(s, len, s.len);
    }
    while (right && s.len > 0) {
        size_t at = utf8_start(s, s.len - 1);
        if (utf8_decode(s, at, &code) != s.len - at || !(class_of(code) & CLASS_SPACE)) {
            break;
        }
        s.len = at;
    }
    (void)t;
    return s;
}

static void apply(const struct tokenizer *t, const struct norm_step *n, struct str s,
                  struct buf *out)
{
    switch (n->kind) {
    case NORM_NFC:
        nfc(t, out, s);
        break;
    case NORM_NFD:
        other_form(out, s, UTF8PROC_DECOMPOSE);
        break;
    case NORM_NFKC:
        other_form(out, s, UTF8PROC_COMPOSE | UTF8PROC_COMPAT);
        break;
    case NORM_NFKD:
        other_form(out, s, UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT);
        break;
    case NORM_PREPEND:
        if (s.len > 0) {
            buf_add_str(out, n->to);
        }
        buf_add_str(out, s);
        break;
    case NORM_REPLACE:
        replace_all(out, s, n->from, n->to);
        break;
    case NORM_STRIP:
        buf_add_str(out, strip(t, s, n->strip_left, n->strip_right));
        break;
    }
}

/* All bytes below 0xCC: nothing that NFC could touch (U+0300 is CC 80). */
static bool is_nfc_at_a_glance(struct str s)
{
    uint8_t most = 0;
    for (size_t i = 0; i < s.len; i++) {
        uint8_t b = (uint8_t)s.ptr[i];
        most = b > most ? b : most;
    }
    return most < 0xCC;
}

struct str normalize(const struct tokenizer *t, struct tokenizer_scratch *s, struct str text)
{
    for (size_t i = 0; i < t->norm_count; i++) {
        if (t->norms[i].kind == NORM_NFC && is_nfc_at_a_glance(text)) {
            continue;
        }
        buf_clear(&s->spare);
        apply(t, &t->norms[i], text, &s->spare);
        struct buf swap = s->normal;
        s->normal = s->spare;
        s->spare = swap;
        text = buf_str(&s->normal);
    }
    return text;
}
