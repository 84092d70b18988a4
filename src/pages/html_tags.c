/* html_tags.c -- what the names of tags and references mean. */
#include "base/utf8.h"
#include "pages/html_internal.h"

#define B TAG_BLOCK
#define O TAG_BREAKOUT
#define W TAG_WORDS
#define V TAG_VOID
#define L TAG_LIST
#define S TAG_SCOPE
#define R TAG_ROOT

/* clang-format off */
static const struct html_tag TAGS[] = { /* sorted */
    {"a", W | TAG_LINK, 0}, {"abbr", W, 0}, {"acronym", W, 0}, {"address", B, 0}, {"area", V, 0},
    {"article", B, 0}, {"aside", B, 0}, {"b", O | W | TAG_BOLD, 0}, {"base", V, 0}, {"bdi", W, 0},
    {"bdo", W, 0}, {"big", O | W, 0}, {"blockquote", B | O, 0}, {"body", B | O | R, 0},
    {"br", B | O | V, 0}, {"button", B, 0}, {"caption", B | S, 0}, {"center", B | O, 0},
    {"cite", W, 0}, {"code", O | W, 0}, {"col", V, 0}, {"data", W, 0}, {"dd", B | O, HTML_TERM},
    {"del", W, 0}, {"details", B, 0}, {"dfn", W, 0}, {"dialog", B, 0}, {"dir", B | L, 0},
    {"div", B | O, 0}, {"dl", B | O | L, 0}, {"dt", B | O, HTML_TERM}, {"em", O | W, 0},
    {"embed", O | V, 0}, {"fieldset", B, 0}, {"figcaption", B, 0}, {"figure", B, 0},
    {"font", W, 0}, {"footer", B, 0}, {"form", B, 0}, {"frameset", B, 0}, {"h1", B | O, 0},
    {"h2", B | O, 0}, {"h3", B | O, 0}, {"h4", B | O, 0}, {"h5", B | O, 0}, {"h6", B | O, 0},
    {"head", B | O | R, 0}, {"header", B, 0}, {"hgroup", B, 0}, {"hr", B | O | V, 0},
    {"html", B | R, 0}, {"i", O | W, 0}, {"iframe", TAG_RAW, 0}, {"img", O | V, 0}, {"input", V, 0},
    {"ins", W, 0}, {"kbd", W, 0}, {"label", W, 0}, {"legend", B, 0}, {"li", B | O, HTML_ITEM},
    {"link", V, 0}, {"listing", B | O | TAG_PRE, 0}, {"main", B, 0}, {"mark", W, 0},
    {"menu", B | O | L, 0}, {"meta", O | V, 0}, {"nav", B, 0}, {"nobr", O | W, 0},
    {"noembed", TAG_RAW, 0}, {"noframes", TAG_RAW, 0}, {"noscript", TAG_RAW, 0},
    {"ol", B | O | L, 0}, {"optgroup", B, 0}, {"option", B, HTML_OPTION}, {"output", W, 0},
    {"p", B | O, HTML_P}, {"param", V, 0}, {"picture", W, 0}, {"plaintext", B | TAG_PRE, 0},
    {"pre", B | O | TAG_PRE, 0}, {"q", W, 0}, {"rb", W, 0}, {"rp", W, 0}, {"rt", W, 0},
    {"ruby", O | W, 0}, {"s", O | W, 0}, {"samp", W, 0}, {"script", TAG_RAW, 0}, {"search", B, 0},
    {"section", B, 0}, {"select", B, 0}, {"small", O | W, 0}, {"source", V, 0}, {"span", O | W, 0},
    {"strike", O | W, 0}, {"strong", O | W | TAG_BOLD, 0}, {"style", TAG_RAW, 0},
    {"sub", O | W, 0}, {"summary", B, 0}, {"sup", O | W, 0}, {"svg", TAG_SKIP, 0},
    {"table", B | O | S, 0}, {"tbody", B, HTML_ROWS}, {"td", TAG_CELL | S, HTML_CELL},
    {"template", TAG_SKIP, 0}, {"textarea", TAG_RAW, 0}, {"tfoot", B, HTML_ROWS},
    {"th", TAG_CELL | S, HTML_CELL}, {"thead", B, HTML_ROWS}, {"time", W, 0},
    {"title", TAG_TITLE, 0}, {"tr", B, HTML_ROW}, {"track", V, 0}, {"tt", O | W, 0}, {"u", O | W, 0},
    {"ul", B | O | L, 0}, {"var", O | W, 0}, {"wbr", V, 0}, {"xmp", B | TAG_PRE, 0},
};
/* clang-format on */

/* Every tag of every page is looked up: a call of strncasecmp() a step would cost more than the
 * few letters that decide. */
static int compare(struct str a, const char *b)
{
    size_t i = 0;
    for (; i < a.len && b[i] != '\0'; i++) {
        unsigned char c = (unsigned char)a.ptr[i];
        c = c >= 'A' && c <= 'Z' ? (unsigned char)(c | 0x20) : c;
        if (c != (unsigned char)b[i]) {
            return c < (unsigned char)b[i] ? -1 : 1;
        }
    }
    return i < a.len ? 1 : b[i] != '\0' ? -1 : 0;
}

const struct html_tag *html_tag_find(struct str name)
{
    size_t low = 0, high = sizeof TAGS / sizeof TAGS[0];
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = compare(name, TAGS[middle].name);
        if (order == 0) {
            return &TAGS[middle];
        }
        if (order < 0) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return NULL;
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
