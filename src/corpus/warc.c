/* warc.c -- a record is a header of lines, a blank line, and a block whose
 * length the header states.
 *
 *     WARC/1.0 CRLF
 *     WARC-Type: response CRLF
 *     Content-Length: 3456 CRLF
 *     CRLF
 *     <3456 bytes> CRLF CRLF
 *
 * The length decides where the next record starts.  A header that makes no
 * sense is one bad record, and the next line that begins with "WARC/1." is
 * taken for the next header.
 *
 * Bytes pass through one window: what the caller may look at lies at its
 * start, and is dropped with the next call.
 */
#include "corpus/warc.h"

#include "base/mem.h"
#include "corpus/byte_source.h"

#include <inttypes.h>
#include <stdio.h>
#include <strings.h>

#define HEADER_MAX ((size_t)256 << 10)
#define STEP       ((size_t)64 << 10)

struct warc_reader {
    struct byte_source *source;
    const char *path;
    size_t block_max;
    struct buf window;
    size_t taken;    /* bytes of the window that the last record used */
    uint64_t offset; /* of the window's first byte */
    bool ended, tear_told;
    char reason[256];
};

winnow_status warc_open(struct warc_reader **out, const char *path, uint64_t offset,
                        size_t block_max, struct winnow_error *err)
{
    *out = NULL;
    struct byte_source *source = NULL;
    TRY(byte_source_open(&source, path, err));
    uint64_t skipped = 0;
    winnow_status st = byte_source_skip(source, offset, &skipped, err);
    if (st == WINNOW_OK && skipped < offset) {
        st = error_set(err, WINNOW_E_FORMAT,
                       "%s holds only %" PRIu64 " bytes, but was read up to byte %" PRIu64
                       " before: it has changed",
                       path, skipped, offset);
    }
    if (st != WINNOW_OK) {
        byte_source_close(source);
        return st;
    }
    struct warc_reader *r = mem_zalloc(sizeof *r);
    r->source = source;
    r->path = path;
    r->block_max = block_max;
    r->offset = offset;
    *out = r;
    return WINNOW_OK;
}

void warc_close(struct warc_reader *r)
{
    if (r) {
        byte_source_close(r->source);
        buf_release(&r->window);
        mem_free(r);
    }
}

/* Reads until the window holds `want` bytes or nothing more comes. */
static winnow_status need(struct warc_reader *r, size_t want, struct winnow_error *err)
{
    while (!r->ended && r->window.len < want) {
        size_t left = want - r->window.len;
        size_t room = left < STEP ? STEP : (left > 16 * STEP ? 16 * STEP : left);
        char *at = buf_reserve(&r->window, room);
        size_t got = 0;
        TRY(byte_source_read(r->source, at, room, &got, err));
        r->window.len += got;
        r->ended = got == 0;
    }
    return WINNOW_OK;
}

winnow_status warc_is_warc(struct warc_reader *r, bool *yes, struct str *page,
                           struct winnow_error *err)
{
    *page = (struct str){NULL, 0};
    TRY(need(r, 16, err));
    *yes = str_starts(buf_str(&r->window), STR_LIT("WARC/"));
    if (!*yes) {
        TRY(need(r, r->block_max + 1, err));
        *page = r->window.len > r->block_max ? *page : buf_str(&r->window);
    }
    return WINNOW_OK;
}

static void drop(struct warc_reader *r, size_t n)
{
    memmove(r->window.ptr, r->window.ptr + n, r->window.len - n);
    r->window.len -= n;
    r->offset += n;
}

/* Drops n bytes that may go past the window; *dropped is less at the end. */
static winnow_status drop_far(struct warc_reader *r, uint64_t n, uint64_t *dropped,
                              struct winnow_error *err)
{
    size_t near = r->window.len < n ? r->window.len : (size_t)n;
    *dropped = near;
    if (near > 0) {
        drop(r, near);
    }
    if (near < n && !r->ended) {
        uint64_t more = 0;
        TRY(byte_source_skip(r->source, n - near, &more, err));
        r->offset += more;
        *dropped += more;
        r->ended = *dropped < n;
    }
    return WINNOW_OK;
}

/* Length of the header with its blank line, or 0 where the window holds none. */
static size_t header_length(struct str s)
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
    size_t n = strlen(name);
    if (line.len <= n || line.ptr[n] != ':' || strncasecmp(line.ptr, name, n) != 0) {
        return false;
    }
    *value = str_trim(str_sub(line, n + 1, line.len));
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

static enum warc_kind kind_of(struct str type)
{
    if (str_is(type, "response")) {
        return WARC_RESPONSE;
    }
    if (str_is(type, "resource")) {
        return WARC_RESOURCE;
    }
    return str_is(type, "conversion") ? WARC_CONVERSION : WARC_OTHER;
}

static struct str bare_id(struct str s)
{
    s = unbracket(s);
    return str_starts(s, STR_LIT("urn:uuid:")) ? str_sub(s, 9, s.len) : s;
}

/* Reads the header's fields; false where it is none. */
static bool parse_header(struct str header, struct warc_record *record, uint64_t *length)
{
    struct str line, value;
    bool has_length = false, own = false;
    record->kind = WARC_OTHER;
    if (!str_next_line(&header, &line) || !str_starts(line, STR_LIT("WARC/"))) {
        return false;
    }
    while (str_next_line(&header, &line)) {
        if (is_field(line, "Content-Length", &value)) {
            has_length = parse_length(value, length);
        } else if (is_field(line, "WARC-Type", &value)) {
            record->kind = kind_of(value);
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
    return has_length;
}

static void set_bad(struct warc_reader *r, struct warc_record *record)
{
    uint64_t offset = record->offset;
    *record = (struct warc_record){
        .kind = WARC_BAD, .offset = offset, .offset_end = r->offset, .reason = str_of(r->reason)};
}

/* Everything that was left has been read: either a clean end or a tear. */
static void at_end(struct warc_reader *r, struct warc_record *record, bool *more, bool inside)
{
    const char *torn = byte_source_torn(r->source);
    if (r->tear_told || (!torn && !inside)) {
        *more = false;
        return;
    }
    r->tear_told = true;
    if (r->window.len > 0) {
        drop(r, r->window.len);
    }
    (void)snprintf(r->reason, sizeof r->reason, "the file cannot be read to its end: %s",
                   torn ? torn : "its last record breaks off");
    set_bad(r, record);
    record->torn = true;
}

/* Looks for a line "WARC/1." behind the bytes that are no header. */
static winnow_status resync(struct warc_reader *r, struct warc_record *record,
                            struct winnow_error *err)
{
    size_t from = 1;
    for (;;) {
        TRY(need(r, HEADER_MAX, err));
        struct str s = buf_str(&r->window);
        size_t at = s.len > from ? str_find(str_sub(s, from, s.len), STR_LIT("WARC/1.")) : SIZE_MAX;
        if (at != SIZE_MAX && s.ptr[from + at - 1] == '\n') {
            drop(r, from + at);
            break;
        }
        if (at != SIZE_MAX) {
            from += at + 1;
            continue;
        }
        size_t keep = s.len < 8 ? s.len : 8;
        drop(r, s.len - keep);
        from = 1;
        if (r->ended) {
            drop(r, r->window.len);
            break;
        }
    }
    (void)snprintf(r->reason, sizeof r->reason, "no WARC header at byte %" PRIu64, record->offset);
    set_bad(r, record);
    return WINNOW_OK;
}

/* The block behind a header of n bytes; it stays in the window until the next
 * call. */
static winnow_status take_block(struct warc_reader *r, struct warc_record *record, size_t n,
                                uint64_t length, bool *more, struct winnow_error *err)
{
    uint64_t dropped = 0;
    if (record->kind == WARC_OTHER || length > r->block_max) {
        bool other = record->kind == WARC_OTHER;
        TRY(drop_far(r, n + length, &dropped, err));
        if (dropped < n + length) {
            at_end(r, record, more, true);
            return WINNOW_OK;
        }
        (void)snprintf(r->reason, sizeof r->reason,
                       "the record is %" PRIu64 " bytes long, the limit is %zu", length,
                       r->block_max);
        set_bad(r, record);
        record->kind = other ? WARC_OTHER : WARC_BAD;
        return WINNOW_OK;
    }
    size_t whole = n + (size_t)length;
    const char *before = r->window.ptr;
    TRY(need(r, whole, err));
    if (r->window.len < whole) {
        at_end(r, record, more, true);
        return WINNOW_OK;
    }
    if (r->window.ptr != before) { /* the window moved: the views of the header too */
        (void)parse_header(str_sub(buf_str(&r->window), 0, n), record, &length);
    }
    record->block = str_sub(buf_str(&r->window), n, whole);
    record->offset_end = r->offset + whole;
    r->taken = whole;
    return WINNOW_OK;
}

winnow_status warc_next(struct warc_reader *r, struct warc_record *record, bool *more,
                        struct winnow_error *err)
{
    *more = true;
    if (r->taken > 0) {
        drop(r, r->taken);
        r->taken = 0;
    }
    for (;;) { /* the blank lines between records */
        TRY(need(r, 1, err));
        size_t n = 0;
        while (n < r->window.len && (r->window.ptr[n] == '\r' || r->window.ptr[n] == '\n')) {
            n++;
        }
        if (n == 0) {
            break;
        }
        drop(r, n);
    }
    *record = (struct warc_record){.offset = r->offset};
    if (r->window.len == 0) {
        at_end(r, record, more, false);
        return WINNOW_OK;
    }
    size_t n = 0;
    for (size_t want = 4096; n == 0 && want <= HEADER_MAX; want *= 2) {
        TRY(need(r, want, err));
        n = header_length(buf_str(&r->window));
        if (r->window.len < want) {
            break;
        }
    }
    uint64_t length = 0;
    if (n == 0 && r->ended && str_starts(buf_str(&r->window), STR_LIT("WARC/"))) {
        at_end(r, record, more, true);
        return WINNOW_OK;
    }
    if (n == 0 || !parse_header(str_sub(buf_str(&r->window), 0, n), record, &length) ||
        length > UINT64_MAX / 2) {
        return resync(r, record, err);
    }
    return take_block(r, record, n, length, more, err);
}
