/* rules_unicode.c -- classes of code points by utf8proc's categories and two
 * tables of ranges, with ASCII answered first: nearly all text is ASCII. */
#include "rules/rules_unicode.h"

#include "base/utf8.h"

#include <utf8proc.h>

struct span {
    uint32_t first, last;
};

/* The punctuation that CCNet's text normaliser removes, with the control
 * characters other than line feed: what datatrove calls PUNCTUATION. */
static const struct span SYMBOLS[] = {
    {0x0000, 0x0008}, {0x000B, 0x001F}, {0x0021, 0x002F}, {0x003A, 0x0040}, {0x005B, 0x0060},
    {0x007B, 0x009F}, {0x00AB, 0x00AB}, {0x00B4, 0x00B4}, {0x00BB, 0x00BB}, {0x2013, 0x2014},
    {0x2019, 0x2019}, {0x201C, 0x201E}, {0x2026, 0x2026}, {0x2236, 0x2236}, {0x2501, 0x2501},
    {0x25BA, 0x25BA}, {0x3001, 0x3002}, {0x3008, 0x300D}, {0x3010, 0x3011}, {0xFF01, 0xFF01},
    {0xFF05, 0xFF05}, {0xFF08, 0xFF09}, {0xFF0C, 0xFF0C}, {0xFF0E, 0xFF0E}, {0xFF11, 0xFF11},
    {0xFF1A, 0xFF1B}, {0xFF1F, 0xFF1F}, {0xFF5E, 0xFF5E},
};

/* Sentence_Terminal of Unicode 15.1 with the Khmer signs U+17D4..17D6, 17D9 and
 * 17DA: what datatrove calls TERMINAL_PUNCTUATION. */
static const struct span TERMINALS[] = {
    {0x0021, 0x0021},   {0x002E, 0x002E},   {0x003F, 0x003F},   {0x0589, 0x0589},
    {0x061D, 0x061F},   {0x06D4, 0x06D4},   {0x0700, 0x0702},   {0x07F9, 0x07F9},
    {0x0837, 0x0837},   {0x0839, 0x0839},   {0x083D, 0x083E},   {0x0964, 0x0965},
    {0x104A, 0x104B},   {0x1362, 0x1362},   {0x1367, 0x1368},   {0x166E, 0x166E},
    {0x1735, 0x1736},   {0x17D4, 0x17D6},   {0x17D9, 0x17DA},   {0x1803, 0x1803},
    {0x1809, 0x1809},   {0x1944, 0x1945},   {0x1AA8, 0x1AAB},   {0x1B5A, 0x1B5B},
    {0x1B5E, 0x1B5F},   {0x1B7D, 0x1B7E},   {0x1C3B, 0x1C3C},   {0x1C7E, 0x1C7F},
    {0x203C, 0x203D},   {0x2047, 0x2049},   {0x2E2E, 0x2E2E},   {0x2E3C, 0x2E3C},
    {0x2E53, 0x2E54},   {0x3002, 0x3002},   {0xA4FF, 0xA4FF},   {0xA60E, 0xA60F},
    {0xA6F3, 0xA6F3},   {0xA6F7, 0xA6F7},   {0xA876, 0xA877},   {0xA8CE, 0xA8CF},
    {0xA92F, 0xA92F},   {0xA9C8, 0xA9C9},   {0xAA5D, 0xAA5F},   {0xAAF0, 0xAAF1},
    {0xABEB, 0xABEB},   {0xFE52, 0xFE52},   {0xFE56, 0xFE57},   {0xFF01, 0xFF01},
    {0xFF0E, 0xFF0E},   {0xFF1F, 0xFF1F},   {0xFF61, 0xFF61},   {0x10A56, 0x10A57},
    {0x10F55, 0x10F59}, {0x10F86, 0x10F89}, {0x11047, 0x11048}, {0x110BE, 0x110C1},
    {0x11141, 0x11143}, {0x111C5, 0x111C6}, {0x111CD, 0x111CD}, {0x111DE, 0x111DF},
    {0x11238, 0x11239}, {0x1123B, 0x1123C}, {0x112A9, 0x112A9}, {0x1144B, 0x1144C},
    {0x115C2, 0x115C3}, {0x115C9, 0x115D7}, {0x11641, 0x11642}, {0x1173C, 0x1173E},
    {0x11944, 0x11944}, {0x11946, 0x11946}, {0x11A42, 0x11A43}, {0x11A9B, 0x11A9C},
    {0x11C41, 0x11C42}, {0x11EF7, 0x11EF8}, {0x11F43, 0x11F44}, {0x16A6E, 0x16A6F},
    {0x16AF5, 0x16AF5}, {0x16B37, 0x16B38}, {0x16B44, 0x16B44}, {0x16E98, 0x16E98},
    {0x1BC9F, 0x1BC9F}, {0x1DA88, 0x1DA88},
};

static bool in_spans(const struct span *spans, size_t count, uint32_t code)
{
    size_t lo = 0, hi = count;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (code > spans[mid].last) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    return lo < count && code >= spans[lo].first;
}

#define IN_SPANS(spans, code) in_spans(spans, sizeof(spans) / sizeof(spans)[0], code)

size_t rules_code_at(struct str s, size_t at, uint32_t *code)
{
    unsigned char first = (unsigned char)s.ptr[at];
    if (first < 0x80) {
        *code = first;
        return 1;
    }
    size_t n = utf8_decode(s, at, code);
    if (n == 0) {
        *code = UTF8_REPLACEMENT;
        return 1;
    }
    return n;
}

bool rules_is_space(uint32_t code)
{
    if (code < 0x80) {
        return code == ' ' || (code >= 0x09 && code <= 0x0D) || (code >= 0x1C && code <= 0x1F);
    }
    return code == 0x85 || code == 0xA0 || code == 0x1680 || (code >= 0x2000 && code <= 0x200A) ||
           code == 0x2028 || code == 0x2029 || code == 0x202F || code == 0x205F || code == 0x3000;
}

bool rules_is_symbol(uint32_t code)
{
    if (code < 0x80) {
        bool alnum = (code | 0x20U) - 'a' < 26 || code - '0' < 10;
        return !alnum && code != ' ' && code != '\t' && code != '\n';
    }
    return IN_SPANS(SYMBOLS, code) || IN_SPANS(TERMINALS, code);
}

bool rules_is_terminal(uint32_t code)
{
    if (code < 0x80) {
        return code == '.' || code == '!' || code == '?';
    }
    return IN_SPANS(TERMINALS, code);
}

size_t rules_length(struct str s)
{
    size_t n = 0;
    uint32_t code;
    for (size_t at = 0; at < s.len; n++) {
        at += rules_code_at(s, at, &code);
    }
    return n;
}

struct str rules_strip_start(struct str s)
{
    size_t at = 0;
    uint32_t code;
    while (at < s.len) {
        size_t n = rules_code_at(s, at, &code);
        if (!rules_is_space(code)) {
            break;
        }
        at += n;
    }
    return str_sub(s, at, s.len);
}

/* Where the last code point of s starts (s is not empty). */
static size_t last_start(struct str s)
{
    size_t least = s.len > 4 ? s.len - 4 : 0;
    for (size_t at = s.len - 1; at > least; at--) {
        if (!utf8_continues(s.ptr[at])) {
            uint32_t code;
            return at + rules_code_at(s, at, &code) == s.len ? at : s.len - 1;
        }
    }
    uint32_t code;
    return least + rules_code_at(s, least, &code) == s.len ? least : s.len - 1;
}

uint32_t rules_last_code(struct str s)
{
    uint32_t code = 0;
    if (s.len > 0) {
        (void)rules_code_at(s, last_start(s), &code);
    }
    return code;
}

struct str rules_strip_end(struct str s)
{
    while (s.len > 0) {
        size_t at = last_start(s);
        uint32_t code;
        (void)rules_code_at(s, at, &code);
        if (!rules_is_space(code)) {
            break;
        }
        s.len = at;
    }
    return s;
}

/* Bytes of the line end at s[at], or 0. */
static size_t line_end(struct str s, size_t at)
{
    unsigned char c = (unsigned char)s.ptr[at];
    if (c < 0x80) {
        if (c == '\r') {
            return at + 1 < s.len && s.ptr[at + 1] == '\n' ? 2 : 1;
        }
        return (c >= 0x0A && c <= 0x0C) || (c >= 0x1C && c <= 0x1E);
    }
    if (c == 0xC2) {
        return at + 1 < s.len && (unsigned char)s.ptr[at + 1] == 0x85 ? 2 : 0;
    }
    if (c == 0xE2 && at + 2 < s.len && (unsigned char)s.ptr[at + 1] == 0x80) {
        unsigned char d = (unsigned char)s.ptr[at + 2];
        return d == 0xA8 || d == 0xA9 ? 3 : 0;
    }
    return 0;
}

bool rules_next_line(struct str *rest, struct str *line)
{
    if (rest->len == 0) {
        return false;
    }
    for (size_t at = 0; at < rest->len; at++) {
        unsigned char c = (unsigned char)rest->ptr[at];
        if (c > 0x1E && c != 0xC2 && c != 0xE2) {
            continue;
        }
        size_t n = line_end(*rest, at);
        if (n > 0) {
            *line = str_sub(*rest, 0, at);
            *rest = str_sub(*rest, at + n, rest->len);
            return true;
        }
    }
    *line = *rest;
    *rest = str_sub(*rest, rest->len, rest->len);
    return true;
}

bool rules_next_piece(struct str *rest, struct str *piece)
{
    struct str s = rules_strip_start(*rest);
    size_t at = 0;
    while (at < s.len) {
        uint32_t code;
        size_t n = rules_code_at(s, at, &code);
        if (rules_is_space(code)) {
            break;
        }
        at += n;
    }
    *piece = str_sub(s, 0, at);
    *rest = str_sub(s, at, s.len);
    return at > 0;
}
