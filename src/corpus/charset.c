/* charset.c -- finds the charset, converts by iconv(3).
 *
 * glibc's iconv stops at the first bytes it cannot convert; they are replaced
 * one by one and the conversion goes on.  The result is UTF-8 in every case,
 * which the HTML tokenizer and JSON need.
 */
#include "corpus/charset.h"

#include "base/mem.h"
#include "base/utf8.h"

#include <ctype.h>
#include <errno.h>
#include <iconv.h>
#include <stdio.h>
#include <strings.h>
#include <uchardet.h>

#define LABEL_MAX    40U
#define PRESCAN_MAX  ((size_t)8 << 10)   /* where a page says its charset */
#define DETECT_MAX   ((size_t)256 << 10) /* what the detector gets to see */
#define EVIDENCE_MIN 16U /* bytes beyond ASCII: with fewer the detector guesses wildly */

struct charset {
    uchardet_t detector;
    iconv_t converter;
    char open_name[LABEL_MAX]; /* of the converter; empty: none */
    char name[LABEL_MAX];
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
        if (c->open_name[0]) {
            (void)iconv_close(c->converter);
        }
        buf_release(&c->out);
        mem_free(c);
    }
}

/* Names whose meaning on the web differs from iconv's, or that it lacks. */
static const char *const MEANINGS[][2] = {
    {"iso-8859-1", "windows-1252"},
    {"iso8859-1", "windows-1252"},
    {"latin1", "windows-1252"},
    {"latin-1", "windows-1252"},
    {"us-ascii", "windows-1252"},
    {"ascii", "windows-1252"},
    {"iso-8859-9", "windows-1254"},
    {"latin5", "windows-1254"},
    {"iso-8859-11", "windows-874"},
    {"tis-620", "windows-874"},
    {"gb2312", "gb18030"},
    {"gbk", "gb18030"},
    {"gb_2312-80", "gb18030"},
    {"x-gbk", "gb18030"},
    {"shift_jis", "cp932"},
    {"shift-jis", "cp932"},
    {"sjis", "cp932"},
    {"x-sjis", "cp932"},
    {"windows-31j", "cp932"},
    {"euc-kr", "uhc"},
    {"ks_c_5601-1987", "uhc"},
    {"ksc5601", "uhc"},
    {"big5", "big5-hkscs"},
    {"x-x-big5", "big5-hkscs"},
    {"windows-874", "cp874"},
    {"x-mac-roman", "macintosh"},
    {"utf8", "utf-8"},
    {"unicode-1-1-utf-8", "utf-8"},
    {"x-user-defined", "windows-1252"},
};

/* Lower case, trimmed, with its meaning on the web; false for what cannot be a
 * name. */
static bool normalize(struct str label, char out[LABEL_MAX])
{
    label = str_trim(label);
    if (label.len == 0 || label.len >= LABEL_MAX) {
        return false;
    }
    for (size_t i = 0; i < label.len; i++) {
        char ch = label.ptr[i];
        if (!isalnum((unsigned char)ch) && (ch == '\0' || !strchr("-_.:()", ch))) {
            return false;
        }
        out[i] = (char)tolower((unsigned char)ch);
    }
    out[label.len] = '\0';
    for (size_t i = 0; i < sizeof MEANINGS / sizeof MEANINGS[0]; i++) {
        if (strcmp(out, MEANINGS[i][0]) == 0) {
            (void)snprintf(out, LABEL_MAX, "%s", MEANINGS[i][1]);
            break;
        }
    }
    return true;
}

/* Where a value after key and '=' stands, quotes taken off; empty if nowhere. */
static struct str value_behind(struct str s, const char *key)
{
    size_t n = strlen(key);
    for (size_t at = 0; at + n < s.len; at++) {
        if (strncasecmp(s.ptr + at, key, n) != 0) {
            continue;
        }
        size_t i = at + n;
        while (i < s.len && isspace((unsigned char)s.ptr[i])) {
            i++;
        }
        if (i == s.len || s.ptr[i] != '=') {
            continue;
        }
        i++;
        while (i < s.len &&
               (isspace((unsigned char)s.ptr[i]) || s.ptr[i] == '"' || s.ptr[i] == '\'')) {
            i++;
        }
        size_t end = i;
        while (end < s.len && !isspace((unsigned char)s.ptr[end]) && s.ptr[end] != '\0' &&
               !strchr("\"';/>?", s.ptr[end])) {
            end++;
        }
        return str_sub(s, i, end);
    }
    return (struct str){NULL, 0};
}

/* What the page says of itself near its start: <meta charset=...>, <meta
 * content="...; charset=...">, <?xml encoding="..."?>. */
static struct str declared_inside(struct str page)
{
    struct str s = str_sub(page, 0, page.len < PRESCAN_MAX ? page.len : PRESCAN_MAX);
    if (str_starts(s, STR_LIT("<?xml"))) {
        const char *end = memchr(s.ptr, '>', s.len);
        struct str v = value_behind(str_sub(s, 0, end ? (size_t)(end - s.ptr) : s.len), "encoding");
        if (v.len > 0) {
            return v;
        }
    }
    for (size_t at = 0; at < s.len;) {
        const char *open = memchr(s.ptr + at, '<', s.len - at);
        if (!open) {
            break;
        }
        at = (size_t)(open - s.ptr) + 1;
        struct str rest = str_sub(s, at, s.len);
        if (str_starts(rest, STR_LIT("!--"))) {
            size_t end = str_find(rest, STR_LIT("-->"));
            at = end == SIZE_MAX ? s.len : at + end;
        } else if (rest.len > 5 && strncasecmp(rest.ptr, "meta", 4) == 0 &&
                   !isalnum((unsigned char)rest.ptr[4])) {
            const char *end = memchr(rest.ptr, '>', rest.len);
            struct str tag = str_sub(rest, 0, end ? (size_t)(end - rest.ptr) : rest.len);
            struct str v = value_behind(tag, "charset");
            if (v.len > 0) {
                return v;
            }
        }
    }
    return (struct str){NULL, 0};
}

/* Sequences of more than one byte that are UTF-8, up to the first that is not
 * one; *valid when there is none. */
static bool has_utf8(struct str s, bool *valid)
{
    size_t until = utf8_valid_until(s);
    *valid = until == s.len;
    for (size_t i = 0; i < until; i++) {
        if ((unsigned char)s.ptr[i] >= 0x80) {
            return true;
        }
    }
    for (size_t i = until; i < s.len; i++) { /* past a bad byte some may follow */
        uint32_t code;
        if ((unsigned char)s.ptr[i] >= 0xC2 && utf8_decode(s, i, &code) > 1) {
            return true;
        }
    }
    return false;
}

static bool is_wide(const char *name)
{
    return strncmp(name, "utf-16", 6) == 0 || strncmp(name, "utf-32", 6) == 0 ||
           strncmp(name, "ucs-", 4) == 0 || strncmp(name, "iso-10646", 9) == 0;
}

static bool is_single_byte(const char *name)
{
    return strncmp(name, "windows-", 8) == 0 || strncmp(name, "iso-8859", 8) == 0 ||
           strncmp(name, "koi8", 4) == 0 || strcmp(name, "macintosh") == 0 ||
           strcmp(name, "cp874") == 0;
}

static bool can_convert(struct charset *c, const char *name)
{
    if (strcmp(name, "utf-8") == 0 || strcmp(c->open_name, name) == 0) {
        return true;
    }
    iconv_t converter = iconv_open("UTF-8", name);
    /* NOLINTNEXTLINE(performance-no-int-to-ptr): what iconv_open() is specified to return */
    if (converter == (iconv_t)-1) {
        return false;
    }
    if (c->open_name[0]) {
        (void)iconv_close(c->converter);
    }
    c->converter = converter;
    (void)snprintf(c->open_name, sizeof c->open_name, "%s", name);
    return true;
}

static void detect(struct charset *c, struct str s)
{
    uchardet_reset(c->detector);
    size_t n = s.len < DETECT_MAX ? s.len : DETECT_MAX;
    size_t evidence = 0;
    for (size_t i = 0; i < n; i++) {
        evidence += (unsigned char)s.ptr[i] >= 0x80;
    }
    bool fed = evidence >= EVIDENCE_MIN && uchardet_handle_data(c->detector, s.ptr, n) == 0;
    uchardet_data_end(c->detector);
    const char *found = fed ? uchardet_get_charset(c->detector) : "";
    if (!normalize(str_of(found), c->name) || is_wide(c->name) || strcmp(c->name, "utf-8") == 0 ||
        !can_convert(c, c->name)) {
        (void)snprintf(c->name, sizeof c->name, "windows-1252");
        (void)can_convert(c, c->name);
    }
}

/* Settles c->name, ready to convert from. */
static void choose(struct charset *c, const struct charset_page *page)
{
    bool valid;
    bool beyond_ascii = has_utf8(page->bytes, &valid);
    bool named = normalize(page->declared, c->name) && !is_wide(c->name) && can_convert(c, c->name);
    if (!named && page->markup) {
        named = normalize(declared_inside(page->bytes), c->name) && !is_wide(c->name) &&
                can_convert(c, c->name);
    }
    bool utf8 = named && strcmp(c->name, "utf-8") == 0;
    if (valid && (!named || (beyond_ascii && is_single_byte(c->name)))) {
        (void)snprintf(c->name, sizeof c->name, "utf-8");
    } else if (!named || (utf8 && !valid && !beyond_ascii)) {
        detect(c, page->bytes);
    }
}

static struct str convert(struct charset *c, struct str s)
{
    buf_clear(&c->out);
    (void)iconv(c->converter, NULL, NULL, NULL, NULL);
    union { /* iconv wants its input without const, and does not write to it */
        const char *from;
        char *to;
    } in = {s.ptr};
    size_t left = s.len;
    while (left > 0) {
        size_t room = left + 64;
        char *out = buf_reserve(&c->out, room);
        size_t free_bytes = room;
        size_t n = iconv(c->converter, &in.to, &left, &out, &free_bytes);
        c->out.len += room - free_bytes;
        if (n == (size_t)-1 && errno != E2BIG) {
            utf8_add(&c->out, UTF8_REPLACEMENT);
            in.to++;
            left--;
        }
    }
    return buf_str(&c->out);
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

struct str charset_to_utf8(struct charset *c, const struct charset_page *page, const char **name)
{
    struct str s = page->bytes;
    const char *marked = NULL;
    size_t mark = 2;
    if (str_starts(s, STR_LIT("\xEF\xBB\xBF"))) {
        marked = "utf-8";
        mark = 3;
    } else if (str_starts(s, STR_LIT("\xFF\xFE"))) {
        marked = "utf-16le";
    } else if (str_starts(s, STR_LIT("\xFE\xFF"))) {
        marked = "utf-16be";
    }
    if (marked && can_convert(c, marked)) {
        (void)snprintf(c->name, sizeof c->name, "%s", marked);
        s = str_sub(s, mark, s.len);
    } else {
        choose(c, page);
    }
    *name = c->name;
    return strcmp(c->name, "utf-8") == 0 ? repair(c, s) : convert(c, s);
}
