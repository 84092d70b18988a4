/* charset_decode.c -- bytes of a known encoding to UTF-8.
 *
 * Single-byte encodings and UTF-16 are decoded here, those of East Asia by
 * iconv(3), whose tables agree with the Encoding Standard's but for what
 * repaired() adds.  iconv stops at what it cannot convert; how many bytes one
 * U+FFFD then stands for is the standard's rule: never a byte of ASCII, so
 * that a broken character cannot swallow the tag behind it.
 */
#include "base/utf8.h"
#include "pages/charset_internal.h"

#include <errno.h>
#include <stdio.h>

bool charset_is_single(enum charset_encoding e)
{
    return e >= CHARSET_IBM866 && e <= CHARSET_X_MAC_CYRILLIC;
}

bool charset_is_utf16(enum charset_encoding e)
{
    return e == CHARSET_UTF_16BE || e == CHARSET_UTF_16LE;
}

void charset_decoder_release(struct charset_decoder *d)
{
    if (d->open_name[0]) {
        (void)iconv_close(d->converter);
        d->open_name[0] = '\0';
    }
    buf_release(&d->euc);
}

bool charset_decoder_knows(struct charset_decoder *d, const char *name)
{
    if (!name || strcmp(d->open_name, name) == 0) {
        return name != NULL;
    }
    iconv_t converter = iconv_open("UTF-8", name);
    /* NOLINTNEXTLINE(performance-no-int-to-ptr): what iconv_open() is specified to return */
    if (converter == (iconv_t)-1) {
        return false;
    }
    if (d->open_name[0]) {
        (void)iconv_close(d->converter);
    }
    d->converter = converter;
    (void)snprintf(d->open_name, sizeof d->open_name, "%s", name);
    return true;
}

static unsigned byte_at(struct str s, size_t at)
{
    return at < s.len ? (unsigned char)s.ptr[at] : 0;
}

static bool within(unsigned byte, unsigned from, unsigned to)
{
    return byte >= from && byte <= to;
}

/* Bytes of ASCII from s[at] on. */
static size_t ascii_run(struct str s, size_t at)
{
    size_t end = at;
    while (end < s.len && (unsigned char)s.ptr[end] < 0x80) {
        end++;
    }
    return end - at;
}

/* index: of the upper half; NULL maps it to U+F780 on (x-user-defined). */
static size_t decode_single(const uint16_t *index, struct str s, struct buf *out)
{
    size_t bad = 0;
    for (size_t at = 0; at < s.len;) {
        size_t n = ascii_run(s, at);
        buf_add(out, s.ptr + at, n);
        at += n;
        for (; at < s.len && (unsigned char)s.ptr[at] >= 0x80; at++) {
            unsigned i = (unsigned char)s.ptr[at] - 0x80U;
            uint32_t code = index ? index[i] : 0xF780U + i;
            bad += code == 0;
            utf8_add(out, code ? code : UTF8_REPLACEMENT);
        }
    }
    return bad;
}

static size_t decode_utf16(bool big, struct str s, struct buf *out)
{
    size_t bad = 0;
    uint32_t high = 0; /* a lead surrogate that waits for its other half */
    for (size_t at = 0; at + 1 < s.len; at += 2) {
        uint32_t unit = byte_at(s, at + (big ? 0 : 1)) << 8 | byte_at(s, at + (big ? 1 : 0));
        if (high && within(unit, 0xDC00, 0xDFFF)) {
            utf8_add(out, 0x10000 + ((high - 0xD800) << 10) + (unit - 0xDC00));
            high = 0;
            continue;
        }
        if (high) {
            utf8_add(out, UTF8_REPLACEMENT);
            bad++;
        }
        high = within(unit, 0xD800, 0xDBFF) ? unit : 0;
        if (within(unit, 0xDC00, 0xDFFF)) {
            utf8_add(out, UTF8_REPLACEMENT);
            bad++;
        } else if (!high) {
            utf8_add(out, unit);
        }
    }
    if (high || s.len % 2 != 0) {
        utf8_add(out, UTF8_REPLACEMENT);
        bad++;
    }
    return bad;
}

/* Of a character in GB18030's four bytes; 0 where the bytes are none. */
static size_t gb_four(struct str s, size_t at, uint32_t *code)
{
    if (!within(byte_at(s, at), 0x81, 0xFE) || !within(byte_at(s, at + 1), '0', '9') ||
        !within(byte_at(s, at + 2), 0x81, 0xFE) || !within(byte_at(s, at + 3), '0', '9')) {
        return 0;
    }
    uint32_t pointer = (((byte_at(s, at) - 0x81) * 10 + byte_at(s, at + 1) - '0') * 126 +
                        byte_at(s, at + 2) - 0x81) *
                           10 +
                       byte_at(s, at + 3) - '0';
    if (within(pointer, 19043, 19050)) { /* 82359037 on: glibc has the form of 2005 */
        *code = 0x9FB4 + pointer - 19043;
    } else if (within(pointer, 39076, 39085)) { /* 84318236 on */
        *code = 0xFE10 + pointer - 39076;
    }
    return 4;
}

/* What iconv could not convert at s[at]: bytes to pass over, and what to put
 * there where the standard does have a character. */
static size_t repaired(enum charset_encoding e, struct str s, size_t at, uint32_t *code)
{
    unsigned lead = byte_at(s, at), next = byte_at(s, at + 1);
    size_t left = s.len - at;
    bool gb = e == CHARSET_GBK || e == CHARSET_GB18030;
    *code = UTF8_REPLACEMENT;
    if (gb && lead == 0x80) {
        *code = 0x20AC;
    }
    if (lead < 0x80 && e != CHARSET_GUESSED) {
        return 0; /* the converter has passed over what it refused (UHC does so once) */
    }
    if (lead == 0x80 || lead == 0xFF || left == 1 || e == CHARSET_GUESSED) {
        return 1;
    }
    if (e == CHARSET_BIG5) {
        for (size_t i = 0; i < CHARSET_BIG5_MORE_COUNT; i++) {
            if (CHARSET_BIG5_MORE[i].bytes == (lead << 8 | next)) {
                *code = CHARSET_BIG5_MORE[i].code;
                return 2;
            }
        }
    }
    if (gb && within(next, '0', '9')) {
        size_t n = gb_four(s, at, code);
        bool cut = left == 2 || (left == 3 && within(byte_at(s, at + 2), 0x81, 0xFE));
        return n > 0 ? n : (cut ? left : 1);
    }
    if (next < 0x80) {
        return 1;
    }
    if (e == CHARSET_EUC_JP && lead == 0x8F && within(next, 0xA1, 0xFE) && left > 2) {
        return byte_at(s, at + 2) < 0x80 ? 2 : 3;
    }
    bool alone = (e == CHARSET_SHIFT_JIS && (within(lead, 0xA0, 0xDF) || lead > 0xFC)) ||
                 (e == CHARSET_EUC_JP && lead <= 0xA0 && lead != 0x8E && lead != 0x8F);
    return alone ? 1 : 2;
}

/* Appends what the converter makes of s. */
static size_t convert(struct charset_decoder *d, enum charset_encoding e, struct str s,
                      struct buf *out)
{
    size_t bad = 0;
    (void)iconv(d->converter, NULL, NULL, NULL, NULL);
    union { /* iconv wants its input without const, and does not write to it */
        const char *from;
        char *to;
    } in = {s.ptr};
    size_t left = s.len, told = SIZE_MAX;
    bool failed = false, flush = false;
    while (left > 0 || flush) {
        size_t room = left + 64;
        char *to = buf_reserve(out, room);
        size_t free_bytes = room;
        if (!flush) {
            size_t n = iconv(d->converter, &in.to, &left, &to, &free_bytes);
            out->len += room - free_bytes;
            failed = n == (size_t)-1 && errno != E2BIG;
            flush = left == 0 || failed;
            continue;
        }
        /* What waits for a second half (in Big5-HKSCS) comes before the next. */
        (void)iconv(d->converter, NULL, NULL, &to, &free_bytes);
        out->len += room - free_bytes;
        flush = false;
        if (failed) {
            uint32_t code = UTF8_REPLACEMENT;
            size_t used = left > 0 ? repaired(e, s, s.len - left, &code) : 0;
            used = used == 0 && left == told && left > 0 ? 1 : used;
            told = left;
            utf8_add(out, code);
            bad += code == UTF8_REPLACEMENT;
            in.from += used;
            left -= used;
        }
    }
    return bad;
}

/* ISO-2022-JP is EUC-JP under escapes: what is between two is converted as that.
 * Errors go through as 0xFF, which EUC-JP has not. */
enum jp_mode { JP_ASCII, JP_ROMAN, JP_KATAKANA, JP_PAIRS };
struct escapes {
    enum jp_mode mode;
    struct buf *euc;
};

/* Length of the escape sequence at s[at], 0 where there is none. */
static size_t take_escape(struct escapes *x, struct str s, size_t at)
{
    static const struct {
        const char *text;
        enum jp_mode mode;
    } ESCAPES[] = {{"\x1B(B", JP_ASCII},
                   {"\x1B(J", JP_ROMAN},
                   {"\x1B(I", JP_KATAKANA},
                   {"\x1B$@", JP_PAIRS},
                   {"\x1B$B", JP_PAIRS}};
    for (size_t i = 0; i < sizeof ESCAPES / sizeof ESCAPES[0]; i++) {
        if (str_starts(str_sub(s, at, s.len), str_of(ESCAPES[i].text))) {
            x->mode = ESCAPES[i].mode;
            return 3;
        }
    }
    return 0;
}

/* One character of the current mode as EUC-JP; returns its bytes in s. */
static size_t take_character(struct escapes *x, struct str s, size_t at)
{
    unsigned c = byte_at(s, at), next = byte_at(s, at + 1);
    bool shifted = x->mode == JP_KATAKANA || x->mode == JP_PAIRS;
    if (shifted && within(c, 0x21, x->mode == JP_PAIRS ? 0x7E : 0x5F)) {
        if (x->mode == JP_KATAKANA) {
            buf_add_char(x->euc, '\x8E');
            buf_add_char(x->euc, (char)(c | 0x80));
            return 1;
        }
        if (!within(next, 0x21, 0x7E)) {
            buf_add_char(x->euc, '\xFF');
            return next == 0x1B || at + 1 >= s.len ? 1 : 2;
        }
        buf_add_char(x->euc, (char)(c | 0x80));
        buf_add_char(x->euc, (char)(next | 0x80));
        return 2;
    }
    bool wrong = c >= 0x80 || c == 0x0E || c == 0x0F || c == 0x1B || (shifted && c > ' ');
    buf_add_char(x->euc, wrong ? '\xFF' : (char)c);
    return 1;
}

static size_t decode_iso_2022_jp(struct charset_decoder *d, struct str s, struct buf *out)
{
    struct escapes x = {JP_ASCII, &d->euc};
    size_t bad = 0;
    buf_clear(x.euc);
    for (size_t at = 0; at < s.len;) {
        size_t n = byte_at(s, at) == 0x1B ? take_escape(&x, s, at) : 0;
        unsigned c = byte_at(s, at);
        if (n == 0 && x.mode == JP_ROMAN && (c == '\\' || c == '~')) {
            bad += convert(d, CHARSET_EUC_JP, buf_str(x.euc), out);
            buf_clear(x.euc);
            utf8_add(out, c == '\\' ? 0xA5 : 0x203E);
            n = 1;
        }
        at += n > 0 ? n : take_character(&x, s, at);
    }
    return bad + convert(d, CHARSET_EUC_JP, buf_str(x.euc), out);
}

/* Old pages write GBK's A3A0 for a wide space; glibc has a private code point. */
static void mend_spaces(struct buf *out, size_t from)
{
    static const struct str PRIVATE = {"\xEE\x97\xA5", 3}; /* U+E5E5 */
    size_t at;
    while ((at = str_find(str_sub(buf_str(out), from, out->len), PRIVATE)) != SIZE_MAX) {
        memcpy(out->ptr + from + at, "\xE3\x80\x80", 3); /* U+3000 */
        from += at + 3;
    }
}

size_t charset_decode(struct charset_decoder *d, enum charset_encoding e, const char *guessed,
                      struct str s, struct buf *out)
{
    static const char *const CONVERTERS[CHARSET_COUNT] = {
        [CHARSET_GBK] = "GB18030",
        [CHARSET_GB18030] = "GB18030",
        [CHARSET_BIG5] = "BIG5-HKSCS",
        [CHARSET_EUC_JP] = "EUC-JP-MS",
        [CHARSET_ISO_2022_JP] = "EUC-JP-MS",
        [CHARSET_SHIFT_JIS] = "CP932",
        [CHARSET_EUC_KR] = "UHC",
    };
    if (charset_is_single(e)) {
        return decode_single(CHARSET_SINGLE[e - CHARSET_IBM866], s, out);
    }
    if (e == CHARSET_X_USER_DEFINED) {
        return decode_single(NULL, s, out);
    }
    if (charset_is_utf16(e)) {
        return decode_utf16(e == CHARSET_UTF_16BE, s, out);
    }
    const char *name = e == CHARSET_GUESSED ? guessed : CONVERTERS[e];
    if (!charset_decoder_knows(
            d, name)) { /* a system without gconv modules: nothing is lost of ASCII */
        return decode_single(CHARSET_SINGLE[CHARSET_WINDOWS_1252 - CHARSET_IBM866], s, out);
    }
    if (e == CHARSET_ISO_2022_JP) {
        return decode_iso_2022_jp(d, s, out);
    }
    size_t from = out->len;
    size_t bad = convert(d, e, s, out);
    if (e == CHARSET_GBK || e == CHARSET_GB18030) {
        mend_spaces(out, from);
    }
    return bad;
}
