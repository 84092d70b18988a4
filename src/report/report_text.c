/* report_text.c -- text into HTML, numbers into what people read.
 *
 * Everything the report shows of documents passes add_code_point(): no character of
 * theirs can open a tag, end an attribute or turn the direction of what stands
 * around it. */
#include "report/report_text.h"

#include "base/show.h"
#include "base/utf8.h"

#include <math.h>
#include <stdio.h>

static const char NOT_THERE[] = "\xE2\x80\x93"; /* en dash */
static const char MINUS[] = "\xE2\x88\x92";

static void add_code_point(struct buf *out, uint32_t code)
{
    switch (code) {
    case '&':
        buf_add_text(out, "&amp;");
        return;
    case '<':
        buf_add_text(out, "&lt;");
        return;
    case '>':
        buf_add_text(out, "&gt;");
        return;
    case '"':
        buf_add_text(out, "&quot;");
        return;
    case '\'':
        buf_add_text(out, "&#39;");
        return;
    case '\t':
    case '\n':
        buf_add_char(out, (char)code);
        return;
    default:
        break;
    }
    if (code < 0x20) {
        code += 0x2400; /* SYMBOL FOR NULL and on */
    } else if (code == 0x7F) {
        code = 0x2421;
    } else if ((code >= 0x80 && code < 0xA0) || (code & 0xFFFE) == 0xFFFE ||
               (code >= 0xFDD0 && code <= 0xFDEF)) {
        code = UTF8_REPLACEMENT;        /* no document of HTML may hold these */
    } else if (show_is_control(code)) { /* turns what stands around it */
        buf_addf(out, "\\u%04x", (unsigned)code);
        return;
    }
    utf8_add(out, code);
}

/* Where the excerpt of s ends. */
static size_t add_until(struct buf *out, struct str s, size_t code_points_max)
{
    size_t at = 0;
    for (size_t n = 0; at < s.len && n < code_points_max; n++) {
        uint32_t code;
        size_t len = utf8_decode(s, at, &code);
        add_code_point(out, len > 0 ? code : UTF8_REPLACEMENT);
        at += len > 0 ? len : 1;
    }
    return at;
}

void html_str(struct buf *out, struct str s)
{
    (void)add_until(out, s, SIZE_MAX);
}

void html_text(struct buf *out, const char *text)
{
    html_str(out, str_of(text));
}

void html_excerpt(struct buf *out, struct str s, size_t code_points_max)
{
    if (add_until(out, s, code_points_max) < s.len) {
        buf_add_text(out, "\xE2\x80\xA6");
    }
}

static struct number not_there(void)
{
    struct number n;
    (void)snprintf(n.text, sizeof n.text, "%s", NOT_THERE);
    return n;
}

/* digits is what snprintf makes of |v|; -0.000 is written 0.000. */
static struct number with_sign(double v, const char *digits, bool plus)
{
    struct number n;
    bool zero = strspn(digits, "0.") == strlen(digits);
    const char *sign = zero ? "" : v < 0 ? MINUS : plus ? "+" : "";
    (void)snprintf(n.text, sizeof n.text, "%s%.32s", sign, digits);
    return n;
}

static struct number real(double v, int decimals, bool plus)
{
    char digits[36];
    if (!isfinite(v)) {
        return not_there();
    }
    (void)snprintf(digits, sizeof digits, fabs(v) < 1e15 ? "%.*f" : "%.*e", decimals, fabs(v));
    return with_sign(v, digits, plus);
}

struct number number_real(double v, int decimals)
{
    return real(v, decimals, false);
}

struct number number_signed(double v, int decimals)
{
    return real(v, decimals, true);
}

struct number number_count(double v)
{
    char digits[36], grouped[36];
    if (!isfinite(v) || fabs(v) >= 1e15) {
        return isfinite(v) ? number_real(v, 2) : not_there();
    }
    int len = snprintf(digits, sizeof digits, "%.0f", fabs(v));
    size_t at = 0;
    for (int i = 0; i < len && at + 2 < sizeof grouped; i++) {
        if (i > 0 && (len - i) % 3 == 0) {
            grouped[at++] = ',';
        }
        grouped[at++] = digits[i];
    }
    grouped[at] = '\0';
    return with_sign(v, grouped, false);
}

/* Three significant digits and a letter. */
static struct number with_unit(double v, const char *const *units, size_t unit_count)
{
    char digits[36];
    if (!isfinite(v)) {
        return not_there();
    }
    double a = fabs(v);
    size_t unit = 0;
    while (a >= 999.5 && unit + 1 < unit_count) {
        a /= 1000;
        unit++;
    }
    int decimals = unit == 0 || a >= 99.95 ? 0 : a >= 9.995 ? 1 : 2;
    (void)snprintf(digits, sizeof digits, "%.*f%s", decimals, a, units[unit]);
    return with_sign(v, digits, false);
}

struct number number_short(double v)
{
    static const char *const UNITS[] = {"", "k", "M", "G", "T"};
    return with_unit(v, UNITS, sizeof UNITS / sizeof *UNITS);
}

struct number number_tick(double v)
{
    struct number n = number_short(v);
    char *point = strchr(n.text, '.');
    if (point) {
        char *letter = point + 1 + strspn(point + 1, "0123456789");
        char *end = letter;
        while (end > point && (end[-1] == '0' || end[-1] == '.')) {
            end--;
            if (*end == '.') {
                break;
            }
        }
        memmove(end, letter, strlen(letter) + 1);
    }
    return n;
}

struct number number_bytes(double v)
{
    static const char *const UNITS[] = {" B", " kB", " MB", " GB", " TB"};
    return with_unit(v, UNITS, sizeof UNITS / sizeof *UNITS);
}

struct number number_share(double v)
{
    char digits[36];
    if (!isfinite(v) || fabs(v) > 1e6) {
        return not_there();
    }
    (void)snprintf(digits, sizeof digits, "%.1f %%", fabs(v) * 100);
    return with_sign(v, digits, false);
}

struct number number_flops(double v)
{
    static const char *const POWERS[] = {
        "\xE2\x81\xB0", "\xC2\xB9",     "\xC2\xB2",     "\xC2\xB3",     "\xE2\x81\xB4",
        "\xE2\x81\xB5", "\xE2\x81\xB6", "\xE2\x81\xB7", "\xE2\x81\xB8", "\xE2\x81\xB9"};
    if (!isfinite(v) || v <= 0) {
        return v == 0 ? number_count(0) : not_there();
    }
    int exponent = (int)floor(log10(v));
    double mantissa = v / pow(10, exponent);
    if (mantissa >= 9.995) {
        mantissa /= 10;
        exponent++;
    }
    if (exponent < 4 || exponent > 99) {
        return number_count(v);
    }
    struct number n;
    (void)snprintf(n.text, sizeof n.text,
                   "%.2f\xC3\x97"
                   "10%s%s",
                   mantissa, exponent >= 10 ? POWERS[exponent / 10] : "", POWERS[exponent % 10]);
    return n;
}

struct number number_seconds(double v)
{
    if (!isfinite(v) || v < 0 || v > 1e9) {
        return not_there();
    }
    struct number n;
    if (v < 99.95) {
        (void)snprintf(n.text, sizeof n.text, "%.1f s", v);
    } else {
        (void)snprintf(n.text, sizeof n.text, "%d min %02d s", (int)(v / 60), (int)v % 60);
    }
    return n;
}
