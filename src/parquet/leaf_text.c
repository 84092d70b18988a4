/* leaf_text.c -- numbers as they are, times as ISO 8601, bytes in base64.
 *
 * What has no such form (a time past the day's end, an infinite number) has another that goes back
 * to the same bytes: the bare integer, "Infinity", or {"base64": "..."} of the plain bytes, which
 * every kind of column takes. */
#include "parquet/leaf_text.h"

#include "base/base64.h"
#include "base/json_write.h"
#include "parquet/wide.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define DAY_SECONDS  86400
#define JULIAN_EPOCH 2440588

static uint64_t little(struct str s)
{
    uint64_t v = 0;
    for (size_t i = 0; i < s.len && i < 8; i++) {
        v |= (uint64_t)(unsigned char)s.ptr[i] << (8 * i);
    }
    return v;
}

static void add_little(struct buf *out, uint64_t v, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        buf_add_char(out, (char)(unsigned char)(v >> (8 * i)));
    }
}

static int64_t integer(struct str s)
{
    uint64_t v = little(s);
    return s.len == 4 ? (int32_t)(uint32_t)v : (int64_t)v;
}

/* ---- strings and bytes ---- */

/* Whether any of eight bytes is below a space, a quote or a backslash. */
static bool has_special(uint64_t w)
{
    const uint64_t ones = 0x0101010101010101ULL, high = 0x8080808080808080ULL;
    uint64_t quote = w ^ (ones * '"'), slash = w ^ (ones * '\\');
    uint64_t low = (w - ones * 0x20) & ~w;
    return ((low | ((quote - ones) & ~quote) | ((slash - ones) & ~slash)) & high) != 0;
}

static size_t plain_run(struct str s, size_t at)
{
    size_t i = at;
    uint64_t w;
    while (i + 8 <= s.len) {
        memcpy(&w, s.ptr + i, 8);
        if (has_special(w)) {
            break;
        }
        i += 8;
    }
    while (i < s.len && (unsigned char)s.ptr[i] >= ' ' && s.ptr[i] != '"' && s.ptr[i] != '\\') {
        i++;
    }
    return i - at;
}

void leaf_quote(struct str s, struct buf *out)
{
    buf_add_char(out, '"');
    for (size_t at = 0; at < s.len;) {
        size_t n = plain_run(s, at);
        buf_add(out, s.ptr + at, n);
        at += n;
        if (at == s.len) {
            break;
        }
        json_escape(out, (unsigned char)s.ptr[at++]);
    }
    buf_add_char(out, '"');
}

static void add_base64(struct str s, struct buf *out)
{
    buf_add_text(out, "{\"base64\": \"");
    base64_add(out, s);
    buf_add_text(out, "\"}");
}

/* ---- numbers ---- */

static double half(unsigned v)
{
    unsigned exponent = v >> 10 & 31U, fraction = v & 1023U;
    double d = exponent == 0    ? ldexp(fraction, -24)
               : exponent == 31 ? (fraction ? (double)NAN : (double)INFINITY)
                                : ldexp(1024 + fraction, (int)exponent - 25);
    return v & 0x8000U ? -d : d;
}

static unsigned to_half(double d)
{
    unsigned sign = signbit(d) ? 0x8000U : 0;
    d = fabs(d);
    if (isnan(d)) {
        return sign | 0x7E00U;
    }
    if (d >= 65520) {
        return sign | 0x7C00U;
    }
    int exponent = 0;
    (void)frexp(d, &exponent);
    if (d < ldexp(1, -14)) {
        return sign | (unsigned)lrint(ldexp(d, 24));
    }
    /* A fraction that is rounded up to 1,024 carries into the exponent, as it should. */
    unsigned fraction = (unsigned)lrint(ldexp(d, 11 - exponent));
    return sign | (((unsigned)(exponent + 14) << 10) + fraction - 1024U);
}

/* The shortest text that reads back as the same number, with a point or an exponent. */
static void add_real(double d, int least, int most, struct buf *out)
{
    if (!isfinite(d)) {
        buf_add_text(out, isnan(d) ? "\"NaN\"" : d > 0 ? "\"Infinity\"" : "\"-Infinity\"");
        return;
    }
    char text[40];
    for (int digits = least; digits <= most; digits++) {
        (void)snprintf(text, sizeof text, "%.*g", digits, d);
        double back = most == 17 ? strtod(text, NULL) : (double)strtof(text, NULL);
        if (back == d) {
            break;
        }
    }
    buf_add_text(out, text);
    if (!strpbrk(text, ".e")) {
        buf_add_text(out, ".0");
    }
}

static bool real_from_json(struct json_value v, double *d)
{
    struct str s;
    if (json_as_double(v, d)) {
        return true;
    }
    if (!json_as_str(v, &s)) {
        return false;
    }
    *d = str_is(s, "NaN")         ? (double)NAN
         : str_is(s, "Infinity")  ? (double)INFINITY
         : str_is(s, "-Infinity") ? -(double)INFINITY
                                  : 0;
    return *d != 0;
}

static bool add_real_bytes(const struct parquet_leaf *leaf, double d, struct buf *out)
{
    uint64_t bits = 0;
    if (leaf->kind == LEAF_DOUBLE) {
        memcpy(&bits, &d, 8);
    } else if (leaf->kind == LEAF_FLOAT) {
        float f = (float)d;
        uint32_t word;
        memcpy(&word, &f, 4);
        bits = word;
    } else {
        bits = to_half(d);
    }
    add_little(out, bits, leaf->length);
    return true;
}

static void real_to_json(const struct parquet_leaf *leaf, struct str value, struct buf *out)
{
    uint64_t bits = little(value);
    if (leaf->kind == LEAF_DOUBLE) {
        double d;
        memcpy(&d, &bits, 8);
        add_real(d, 15, 17, out);
        return;
    }
    float f = leaf->kind == LEAF_HALF ? (float)half((unsigned)bits) : 0;
    if (leaf->kind == LEAF_FLOAT) {
        uint32_t word = (uint32_t)bits;
        memcpy(&f, &word, 4);
    }
    add_real((double)f, 6, 9, out);
}

static bool int_from_json(const struct parquet_leaf *leaf, struct json_value v, struct buf *out)
{
    int64_t i = 0;
    uint64_t u = 0;
    bool narrow = leaf->length == 4;
    if (leaf->kind == LEAF_UINT
            ? json_as_u64(v, &u) && (!narrow || u <= UINT32_MAX)
            : json_as_i64(v, &i) && (!narrow || (i >= INT32_MIN && i <= INT32_MAX))) {
        add_little(out, leaf->kind == LEAF_UINT ? u : (uint64_t)i, leaf->length);
        return true;
    }
    return false;
}

/* ---- days and times ---- */

/* Days since 1970 to a date of the Gregorian calendar, by 400-year eras of 146,097 days that
 * begin in March. */
static void add_date(int64_t days, struct buf *out)
{
    int64_t z = days + 719468;
    int64_t era = (z >= 0 ? z : z - 146096) / 146097;
    int64_t doe = z - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    int64_t mp = (5 * doy + 2) / 153;
    int64_t month = mp < 10 ? mp + 3 : mp - 9;
    int64_t year = yoe + era * 400 + (month <= 2);
    buf_addf(out,
             year < 0      ? "-%04" PRId64
             : year > 9999 ? "+%" PRId64
                           : "%04" PRId64,
             year < 0 ? -year : year);
    buf_addf(out, "-%02" PRId64 "-%02" PRId64, month, doy - (153 * mp + 2) / 5 + 1);
}

static int64_t days_of(int64_t year, int64_t month, int64_t day)
{
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t yoe = year - era * 400;
    int64_t doy = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

static int64_t power10(int n)
{
    int64_t v = 1;
    while (n-- > 0) {
        v *= 10;
    }
    return v;
}

/* Of the day, in parts of a second with so many digits. */
static void add_clock(int64_t parts, int digits, struct buf *out)
{
    int64_t unit = power10(digits), seconds = parts / unit, rest = parts % unit;
    buf_addf(out, "%02" PRId64 ":%02" PRId64 ":%02" PRId64, seconds / 3600, seconds / 60 % 60,
             seconds % 60);
    if (rest > 0) {
        buf_addf(out, ".%0*" PRId64, digits, rest);
    }
}

static void add_moment(int64_t days, int64_t parts, int digits, bool utc, struct buf *out)
{
    buf_add_char(out, '"');
    add_date(days, out);
    buf_add_char(out, 'T');
    add_clock(parts, digits, out);
    buf_add_text(out, utc ? "Z\"" : "\"");
}

static void time_to_json(const struct parquet_leaf *leaf, struct str value, struct buf *out)
{
    int64_t v = integer(value), day = DAY_SECONDS * power10(leaf->unit);
    if (leaf->kind == LEAF_DATE) {
        buf_add_char(out, '"');
        add_date(v, out);
        buf_add_char(out, '"');
    } else if (leaf->kind == LEAF_TIMESTAMP) {
        int64_t days = v / day - (v % day < 0);
        add_moment(days, v - days * day, leaf->unit, leaf->utc, out);
    } else if (v >= 0 && v < day) {
        buf_add_char(out, '"');
        add_clock(v, leaf->unit, out);
        buf_add_char(out, '"');
    } else {
        buf_addf(out, "%" PRId64, v);
    }
}

static void int96_to_json(struct str value, struct buf *out)
{
    int64_t parts = (int64_t)little(str_sub(value, 0, 8));
    int64_t day = (int32_t)(uint32_t)little(str_sub(value, 8, 12));
    if (parts < 0 || parts >= DAY_SECONDS * power10(9)) {
        add_base64(value, out);
    } else {
        add_moment(day - JULIAN_EPOCH, parts, 9, false, out);
    }
}

static bool digits(struct str *s, size_t least, size_t most, int64_t *v)
{
    size_t n = 0;
    *v = 0;
    while (n < s->len && n < most && s->ptr[n] >= '0' && s->ptr[n] <= '9') {
        *v = *v * 10 + (s->ptr[n++] - '0');
    }
    *s = str_sub(*s, n, s->len);
    return n >= least;
}

static bool letter(struct str *s, char c)
{
    bool is = s->len > 0 && s->ptr[0] == c;
    *s = str_sub(*s, is ? 1 : 0, s->len);
    return is;
}

static bool take_date(struct str *s, int64_t *days)
{
    int64_t year, month, day;
    bool minus = letter(s, '-');
    (void)(minus || letter(s, '+'));
    if (!digits(s, 4, 10, &year) || !letter(s, '-') || !digits(s, 2, 2, &month) ||
        !letter(s, '-') || !digits(s, 2, 2, &day)) {
        return false;
    }
    *days = days_of(minus ? -year : year, month, day);
    return month >= 1 && month <= 12 && day >= 1 && day <= 31;
}

static bool take_clock(struct str *s, int unit, int64_t *parts)
{
    int64_t h, m, sec, rest = 0;
    if (!digits(s, 2, 2, &h) || !letter(s, ':') || !digits(s, 2, 2, &m) || !letter(s, ':') ||
        !digits(s, 2, 2, &sec)) {
        return false;
    }
    if (letter(s, '.')) {
        size_t before = s->len;
        if (!digits(s, 1, 9, &rest)) {
            return false;
        }
        int n = (int)(before - s->len);
        if (n > unit) {
            return false; /* finer than the column */
        }
        rest *= power10(unit - n);
    }
    *parts = (h * 3600 + m * 60 + sec) * power10(unit) + rest;
    return h < 24 && m < 60 && sec < 60;
}

static bool moment_from(struct str s, int unit, int64_t *days, int64_t *parts)
{
    if (!take_date(&s, days) || !(letter(&s, 'T') || letter(&s, ' ')) ||
        !take_clock(&s, unit, parts)) {
        return false;
    }
    (void)letter(&s, 'Z');
    return s.len == 0;
}

static bool time_from_json(const struct parquet_leaf *leaf, struct json_value v, struct buf *out)
{
    struct str s;
    int64_t days = 0, parts = 0, all = 0;
    if (!json_as_str(v, &s)) {
        return leaf->kind != LEAF_INT96 && int_from_json(leaf, v, out);
    }
    bool good;
    if (leaf->kind == LEAF_DATE) {
        good = take_date(&s, &all) && s.len == 0 && all >= INT32_MIN && all <= INT32_MAX;
    } else if (leaf->kind == LEAF_TIME) {
        good = take_clock(&s, leaf->unit, &all) && s.len == 0;
    } else {
        good = moment_from(s, leaf->kind == LEAF_INT96 ? 9 : leaf->unit, &days, &parts);
    }
    if (good && leaf->kind == LEAF_INT96) {
        good = days >= INT32_MIN && days < INT32_MAX - JULIAN_EPOCH;
        add_little(out, (uint64_t)parts, 8);
        add_little(out, (uint64_t)(days + JULIAN_EPOCH), 4);
        return good;
    }
    if (good && leaf->kind == LEAF_TIMESTAMP) {
        /* The first day of all may begin before the first moment: added up from the other side. */
        int64_t day = DAY_SECONDS * power10(leaf->unit);
        bool before = days < 0 && parts > 0;
        good = !__builtin_mul_overflow(before ? days + 1 : days, day, &all) &&
               !__builtin_add_overflow(all, before ? parts - day : parts, &all);
    }
    if (good) {
        add_little(out, (uint64_t)all, leaf->length);
    }
    return good;
}

/* ---- UUID ---- */

static void uuid_to_json(struct str value, struct buf *out)
{
    buf_add_char(out, '"');
    for (size_t i = 0; i < 16; i++) {
        buf_addf(out, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "",
                 (unsigned)(unsigned char)value.ptr[i]);
    }
    buf_add_char(out, '"');
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool uuid_from_json(struct json_value v, struct buf *out)
{
    struct str s;
    if (!json_as_str(v, &s) || s.len != 36) {
        return false;
    }
    for (size_t i = 0, at = 0; i < 16; i++) {
        at += i == 4 || i == 6 || i == 8 || i == 10;
        int a = hex_digit(s.ptr[at]), b = hex_digit(s.ptr[at + 1]);
        if (a < 0 || b < 0) {
            return false;
        }
        buf_add_char(out, (char)(unsigned char)(a * 16 + b));
        at += 2;
    }
    return true;
}

/* ---- any ---- */

void leaf_to_json(const struct parquet_leaf *leaf, struct str value, struct buf *out)
{
    switch (leaf->kind) {
    case LEAF_BOOL:
        buf_add_text(out, value.ptr[0] ? "true" : "false");
        break;
    case LEAF_INT:
        buf_addf(out, "%" PRId64, integer(value));
        break;
    case LEAF_UINT:
        buf_addf(out, "%" PRIu64, little(value));
        break;
    case LEAF_FLOAT:
    case LEAF_DOUBLE:
    case LEAF_HALF:
        real_to_json(leaf, value, out);
        break;
    case LEAF_STRING:
        leaf_quote(value, out);
        break;
    case LEAF_DECIMAL:
        if (!wide_to_json(value, leaf->type == PARQUET_INT32 || leaf->type == PARQUET_INT64,
                          leaf->scale, out)) {
            add_base64(value, out);
        }
        break;
    case LEAF_DATE:
    case LEAF_TIME:
    case LEAF_TIMESTAMP:
        time_to_json(leaf, value, out);
        break;
    case LEAF_INT96:
        int96_to_json(value, out);
        break;
    case LEAF_UUID:
        uuid_to_json(value, out);
        break;
    case LEAF_BINARY:
        add_base64(value, out);
        break;
    }
}

static bool bytes_from_json(const struct parquet_leaf *leaf, struct json_value v, struct buf *out)
{
    struct str s;
    size_t before = out->len;
    return json_as_str(json_get(v, "base64"), &s) && base64_read(s, out) &&
           (leaf->length == 0 || out->len - before == leaf->length);
}

bool leaf_from_json(const struct parquet_leaf *leaf, struct json_value v, struct buf *out)
{
    bool flag;
    double real;
    struct str s;
    if (json_kind(v) == JSON_OBJECT) {
        return bytes_from_json(leaf, v, out);
    }
    switch (leaf->kind) {
    case LEAF_BOOL:
        if (!json_as_bool(v, &flag)) {
            return false;
        }
        buf_add_char(out, flag ? '\1' : '\0');
        return true;
    case LEAF_INT:
    case LEAF_UINT:
        return int_from_json(leaf, v, out);
    case LEAF_FLOAT:
    case LEAF_DOUBLE:
    case LEAF_HALF:
        return real_from_json(v, &real) && add_real_bytes(leaf, real, out);
    case LEAF_STRING:
        if (!json_as_str(v, &s)) {
            return false;
        }
        buf_add_str(out, s);
        return true;
    case LEAF_DECIMAL:
        return json_as_str(v, &s) &&
               wide_from_text(s, leaf->type == PARQUET_INT32 || leaf->type == PARQUET_INT64,
                              leaf->scale, leaf->length, out);
    case LEAF_UUID:
        return uuid_from_json(v, out);
    case LEAF_BINARY:
        return false;
    default:
        return time_from_json(leaf, v, out);
    }
}
