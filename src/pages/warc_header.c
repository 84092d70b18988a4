/* warc_header.c -- the lines above a record's block: which of them count, and what kind
 * of record they make it. */
#include "pages/warc_internal.h"

#include <strings.h>

size_t warc_header_length(struct str s)
{
    for (size_t at = 0; at < s.len; at++) {
        const char *p = memchr(s.ptr + at, '\n', s.len - at);
        if (!p) {
            return 0;
        }
        at = (size_t)(p - s.ptr);
        if (at + 1 < s.len && s.ptr[at + 1] == '\n') {
            return at + 2;
        }
        if (at + 2 < s.len && s.ptr[at + 1] == '\r' && s.ptr[at + 2] == '\n') {
            return at + 3;
        }
    }
    return 0;
}

static struct str unbracket(struct str s)
{
    if (s.len >= 2 && s.ptr[0] == '<' && s.ptr[s.len - 1] == '>') {
        s = str_sub(s, 1, s.len - 1);
    }
    return s;
}

static bool is_field(struct str line, const char *name, struct str *value)
{
    const char *colon = line.len > 0 ? memchr(line.ptr, ':', line.len) : NULL;
    struct str key = str_trim(str_sub(line, 0, colon ? (size_t)(colon - line.ptr) : 0));
    if (key.len != strlen(name) || strncasecmp(key.ptr, name, key.len) != 0) {
        return false;
    }
    *value = str_trim(str_sub(line, (size_t)(colon - line.ptr) + 1, line.len));
    return true;
}

static bool parse_length(struct str s, uint64_t *out)
{
    *out = 0;
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] < '0' || s.ptr[i] > '9' || *out > UINT64_MAX / 100) {
            return false;
        }
        *out = *out * 10 + (uint64_t)(s.ptr[i] - '0');
    }
    return s.len > 0;
}

static bool same(struct str s, const char *text)
{
    return s.len == strlen(text) && strncasecmp(s.ptr, text, s.len) == 0;
}

static enum warc_kind kind_of(struct str type)
{
    if (same(type, "response")) {
        return WARC_RESPONSE;
    }
    if (same(type, "resource")) {
        return WARC_RESOURCE;
    }
    if (same(type, "conversion")) {
        return WARC_CONVERSION;
    }
    static const char *const OTHER[] = {"warcinfo", "request", "metadata", "revisit"};
    for (size_t i = 0; i < sizeof OTHER / sizeof OTHER[0]; i++) {
        if (same(type, OTHER[i])) {
            return WARC_OTHER;
        }
    }
    return WARC_BAD; /* a page, for all we know */
}

static struct str bare_id(struct str s)
{
    s = unbracket(s);
    return str_starts(s, STR_LIT("urn:uuid:")) ? str_sub(s, 9, s.len) : s;
}

/* The next field, with the lines that continue it. */
static bool next_field(struct str *header, struct str *line)
{
    if (!str_next_line(header, line)) {
        return false;
    }
    while (header->len > 0 && (header->ptr[0] == ' ' || header->ptr[0] == '\t')) {
        struct str more;
        (void)str_next_line(header, &more);
        line->len = (size_t)(more.ptr + more.len - line->ptr);
    }
    return true;
}

enum warc_header warc_parse_header(struct str header, struct warc_record *record, uint64_t *length)
{
    struct str line, value;
    bool has_length = false, own = false, typed = false, segment = false;
    record->kind = WARC_BAD;
    record->reason = STR_LIT("no WARC-Type in the WARC header");
    *length = 0;
    if (!next_field(&header, &line) || !str_starts(line, STR_LIT("WARC/"))) {
        return WARC_HEADER_NONE;
    }
    while (next_field(&header, &line)) {
        if (is_field(line, "Content-Length", &value)) {
            has_length = parse_length(value, length);
        } else if (is_field(line, "WARC-Type", &value)) {
            typed = true;
            record->kind = kind_of(value);
            segment = segment || same(value, "continuation");
            record->reason = STR_LIT("an unknown WARC-Type in the WARC header");
        } else if (is_field(line, "WARC-Segment-Number", &value)) {
            segment = true;
        } else if (is_field(line, "WARC-Record-ID", &value)) {
            record->id = bare_id(value);
        } else if (is_field(line, "WARC-Target-URI", &value)) {
            record->uri = unbracket(value);
            own = str_starts(record->uri, STR_LIT("metadata:"));
        } else if (is_field(line, "WARC-Date", &value)) {
            record->date = value;
        } else if (is_field(line, "Content-Type", &value)) {
            record->content_type = value;
        }
    }
    if (own) { /* the crawler's own log */
        record->kind = WARC_OTHER;
    }
    if (segment && record->kind != WARC_OTHER) {
        record->kind = WARC_BAD;
        record->reason = STR_LIT("a segment of a record that was cut, which is not joined,");
    }
    if (!has_length) {
        *length = 0;
        return typed ? WARC_HEADER_WITHOUT_LENGTH : WARC_HEADER_NONE;
    }
    return WARC_HEADER_GOOD;
}
