/* html_tags.c -- what the names of tags and references mean. */
#include "base/utf8.h"
#include "pages/html_internal.h"

#include <strings.h>

struct tag {
    const char *name;
    unsigned classes;
};

#define B TAG_BLOCK
#define O TAG_BREAKOUT

/* clang-format off */
static const struct tag TAGS[] = { /* sorted */
    {"address", B}, {"article", B}, {"aside", B}, {"b", O}, {"big", O}, {"blockquote", B | O},
    {"body", B | O}, {"br", B | O}, {"button", B}, {"caption", B}, {"center", B | O}, {"code", O}, {"dd", B | O},
    {"details", B}, {"dialog", B}, {"dir", B}, {"div", B | O}, {"dl", B | O}, {"dt", B | O},
    {"em", O}, {"embed", O}, {"fieldset", B}, {"figcaption", B}, {"figure", B}, {"footer", B},
    {"form", B}, {"frameset", B}, {"h1", B | O}, {"h2", B | O}, {"h3", B | O}, {"h4", B | O},
    {"h5", B | O}, {"h6", B | O}, {"head", B | O}, {"header", B}, {"hgroup", B}, {"hr", B | O},
    {"html", B}, {"i", O}, {"iframe", TAG_RAW}, {"img", O}, {"legend", B}, {"li", B | O},
    {"listing", B | O | TAG_PRE}, {"main", B}, {"menu", B | O}, {"meta", O}, {"nav", B},
    {"nobr", O}, {"noembed", TAG_RAW}, {"noframes", TAG_RAW}, {"noscript", TAG_RAW}, {"ol", B | O},
    {"optgroup", B}, {"option", B}, {"p", B | O}, {"plaintext", B | TAG_PRE},
    {"pre", B | O | TAG_PRE}, {"ruby", O}, {"s", O}, {"script", TAG_RAW}, {"search", B},
    {"section", B}, {"select", B}, {"small", O}, {"span", O}, {"strike", O}, {"strong", O},
    {"style", TAG_RAW}, {"sub", O}, {"summary", B}, {"sup", O}, {"svg", TAG_SKIP},
    {"table", B | O}, {"tbody", B}, {"td", TAG_CELL}, {"template", TAG_SKIP},
    {"textarea", TAG_RAW}, {"tfoot", B}, {"th", TAG_CELL}, {"thead", B}, {"title", TAG_TITLE},
    {"tr", B}, {"tt", O}, {"u", O}, {"ul", B | O}, {"var", O}, {"xmp", B | TAG_PRE},
};
/* clang-format on */

static int compare(struct str a, const char *b)
{
    size_t n = strlen(b);
    int order = strncasecmp(a.ptr, b, a.len < n ? a.len : n);
    return order != 0 ? order : (a.len > n) - (a.len < n);
}

unsigned html_tag_class(struct str name)
{
    size_t low = 0, high = sizeof TAGS / sizeof TAGS[0];
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = compare(name, TAGS[middle].name);
        if (order == 0) {
            return TAGS[middle].classes;
        }
        if (order < 0) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return 0;
}

static const struct html_entity *find_entity(struct str name)
{
    size_t low = 0, high = HTML_ENTITY_COUNT;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct html_entity *e = &HTML_ENTITIES[middle];
        int order = strncmp(name.ptr, e->name, name.len);
        if (order == 0 && e->name[name.len] == '\0') {
            return e;
        }
        if (order <= 0) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return NULL;
}

/* What browsers take the C1 controls for: windows-1252. */
static const uint16_t C1[32] = {
    0x20AC, 0x81,   0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160,
    0x2039, 0x0152, 0x8D,   0x017D, 0x8F,   0x90,   0x2018, 0x2019, 0x201C, 0x201D, 0x2022,
    0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0x9D,   0x017E, 0x0178,
};

static int digit_value(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : 99;
}

static size_t numeric(struct str s, size_t at, char out[8], size_t *out_len)
{
    size_t i = at + 2;
    uint32_t base = 10, code = 0;
    if (i < s.len && (s.ptr[i] | 0x20) == 'x') {
        base = 16;
        i++;
    }
    size_t first = i;
    for (; i < s.len && digit_value(s.ptr[i]) < (int)base; i++) {
        code = code * base + (uint32_t)digit_value(s.ptr[i]);
        code = code > 0x110000 ? 0x110000 : code;
    }
    if (i == first) {
        return 0;
    }
    if (code >= 0x80 && code < 0xA0) {
        code = C1[code - 0x80];
    }
    if (code == 0 || code > 0x10FFFF || (code >= 0xD800 && code < 0xE000)) {
        code = UTF8_REPLACEMENT;
    }
    *out_len = utf8_encode(code, out);
    return i - at + (i < s.len && s.ptr[i] == ';' ? 1 : 0);
}

size_t html_reference(struct str s, size_t at, char out[8], size_t *out_len)
{
    enum { NAME_MAX_LEN = 31, OPEN_MAX_LEN = 6 };
    if (at + 2 >= s.len) {
        return 0;
    }
    if (s.ptr[at + 1] == '#') {
        return numeric(s, at, out, out_len);
    }
    size_t n = 0;
    while (n <= NAME_MAX_LEN && at + 1 + n < s.len) {
        char c = s.ptr[at + 1 + n];
        char lower = (char)(c | 0x20);
        if (!(lower >= 'a' && lower <= 'z') && !(c >= '0' && c <= '9')) {
            break;
        }
        n++;
    }
    struct str name = {s.ptr + at + 1, n};
    bool closed = at + 1 + n < s.len && s.ptr[at + 1 + n] == ';';
    const struct html_entity *e = closed ? find_entity(name) : NULL;
    if (!e) {
        closed = false;
        name.len = n < OPEN_MAX_LEN ? n : OPEN_MAX_LEN;
        for (; name.len >= 2 && !(e && e->open); name.len--) {
            e = find_entity(name);
        }
        name.len++;
        if (!e || !e->open) {
            return 0;
        }
    }
    *out_len = strlen(e->text);
    memcpy(out, e->text, *out_len);
    return 1 + name.len + (closed ? 1 : 0);
}
