/* warc.c -- a record is a header of lines, a blank line, and a block whose
 * length the header states.
 *
 *     WARC/1.0 CRLF
 *     WARC-Type: response CRLF
 *     Content-Length: 3456 CRLF
 *     CRLF
 *     <3456 bytes> CRLF CRLF
 *
 * The length decides where the next record starts, unless it is wrong: in files
 * whose members (gzip, zstd) are one record each, the member's end is the
 * record's, and elsewhere a header where none should be, or none where one
 * should be, gives a wrong length away.  A header that makes no sense is one bad
 * record, and the next line that begins like one is taken for the next header.
 *
 * Bytes pass through one window: what the caller may look at lies at its
 * start, and is dropped with the next call.
 */
#include "pages/warc.h"

#include "base/mem.h"
#include "corpus/byte_source.h"

#include <inttypes.h>
#include <stdio.h>
#include <strings.h>

#define HEADER_MAX ((size_t)256 << 10)
#define STEP       ((size_t)64 << 10)
#define AHEAD      ((size_t)32) /* what is looked at behind a record */

struct warc_reader {
    struct byte_source *source;
    const char *path;
    const struct file_stamp *found;
    size_t block_max;
    struct buf window;
    size_t taken;    /* bytes of the window that the last record used */
    uint64_t offset; /* of the window's first byte */
    bool ended, tear_told;
    /* Where members begin in and behind the window, as offsets in ascending order. */
    uint64_t *marks;
    size_t mark_count, mark_room, mark_first;
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

void warc_expect(struct warc_reader *r, const struct file_stamp *found)
{
    r->found = found;
    byte_source_expect(r->source, found);
}

/* Begins again at an offset that was passed over. */
static winnow_status restart(struct warc_reader *r, uint64_t offset, struct winnow_error *err)
{
    struct byte_source *source = NULL;
    uint64_t skipped = 0;
    TRY(byte_source_open(&source, r->path, err));
    winnow_status st = byte_source_skip(source, offset, &skipped, err);
    if (st == WINNOW_OK && skipped < offset) {
        st = error_set(err, WINNOW_E_FORMAT, "%s changes while it is read", r->path);
    }
    if (st != WINNOW_OK) {
        byte_source_close(source);
        return st;
    }
    byte_source_expect(source, r->found);
    byte_source_close(r->source);
    r->source = source;
    r->window.len = 0;
    r->mark_first = r->mark_count = 0;
    r->offset = offset;
    r->ended = false;
    return WINNOW_OK;
}

void warc_close(struct warc_reader *r)
{
    if (r) {
        byte_source_close(r->source);
        buf_release(&r->window);
        mem_free(r->marks);
        mem_free(r);
    }
}

static void add_mark(struct warc_reader *r, uint64_t at)
{
    if (r->mark_count > 0 && r->marks[r->mark_count - 1] >= at) {
        return;
    }
    if (r->mark_count == r->mark_room && r->mark_first > r->mark_room / 2) {
        r->mark_count -= r->mark_first;
        memmove(r->marks, r->marks + r->mark_first, r->mark_count * sizeof *r->marks);
        r->mark_first = 0;
    }
    if (r->mark_count == r->mark_room) {
        size_t room = r->mark_room ? r->mark_room * 2 : 64, size = sizeof *r->marks;
        r->marks = mem_realloc(r->marks, r->mark_room * size, room * size);
        r->mark_room = room;
    }
    r->marks[r->mark_count++] = at;
}

/* Index in the window of the first member that begins at or behind `from` with a
 * record; SIZE_MAX where none is in the window. */
static size_t member_from(const struct warc_reader *r, size_t from)
{
    for (size_t i = r->mark_first; i < r->mark_count; i++) {
        if (r->marks[i] < r->offset + from) {
            continue;
        }
        size_t at = (size_t)(r->marks[i] - r->offset);
        if (at < r->window.len &&
            str_starts(str_sub(buf_str(&r->window), at, r->window.len), STR_LIT("WARC/"))) {
            return at;
        }
    }
    return SIZE_MAX;
}

static bool is_member_start(const struct warc_reader *r, uint64_t offset)
{
    for (size_t i = r->mark_first; i < r->mark_count && r->marks[i] <= offset; i++) {
        if (r->marks[i] == offset) {
            return true;
        }
    }
    return false;
}

uint64_t warc_bytes_read(const struct warc_reader *r)
{
    return byte_source_bytes_read(r->source);
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
        uint64_t member = byte_source_member(r->source);
        if (got > 0 && member != UINT64_MAX) {
            add_mark(r, member);
        }
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

const char *warc_torn(const struct warc_reader *r)
{
    return byte_source_torn(r->source);
}

static void drop(struct warc_reader *r, size_t n)
{
    memmove(r->window.ptr, r->window.ptr + n, r->window.len - n);
    r->window.len -= n;
    r->offset += n;
    while (r->mark_first < r->mark_count && r->marks[r->mark_first] < r->offset) {
        r->mark_first++;
    }
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

enum header { HEADER_NONE, HEADER_WITHOUT_LENGTH, HEADER_GOOD };

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

/* Reads the header's fields. */
static enum header parse_header(struct str header, struct warc_record *record, uint64_t *length)
{
    struct str line, value;
    bool has_length = false, own = false, typed = false, segment = false;
    record->kind = WARC_BAD;
    record->reason = STR_LIT("no WARC-Type in the WARC header");
    *length = 0;
    if (!next_field(&header, &line) || !str_starts(line, STR_LIT("WARC/"))) {
        return HEADER_NONE;
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
        return typed ? HEADER_WITHOUT_LENGTH : HEADER_NONE;
    }
    return HEADER_GOOD;
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
    record->unreadable = byte_source_changed(r->source);
}

static const char WRONG_LENGTH[] = "a wrong Content-Length in the WARC header";
static const char NO_LENGTH[] = "no usable Content-Length in the WARC header";

bool warc_begins(struct str s)
{
    struct str line;
    bool version = s.len > 9 && str_starts(s, STR_LIT("WARC/")) && s.ptr[5] >= '0' &&
                   s.ptr[5] <= '9' && s.ptr[6] == '.';
    if (!version || !str_next_line(&s, &line) || line.len >= 16 || !str_next_line(&s, &line)) {
        return false;
    }
    return line.len > 0 && memchr(line.ptr, ':', line.len);
}

/* Where the next header begins in s, from `from` on: at a line's start. */
static size_t find_record(struct str s, size_t from)
{
    while (from < s.len) {
        size_t at = str_find(str_sub(s, from, s.len), STR_LIT("\nWARC/"));
        if (at == SIZE_MAX) {
            break;
        }
        if (warc_begins(str_sub(s, from + at + 1, s.len))) {
            return from + at + 1;
        }
        from += at + 1;
    }
    return SIZE_MAX;
}

/* Looks for the next header behind the window's first byte, and gives what was
 * passed over as one bad record. */
static winnow_status resync(struct warc_reader *r, struct warc_record *record, const char *reason,
                            struct winnow_error *err)
{
    for (size_t from = 0;;) {
        TRY(need(r, HEADER_MAX, err));
        struct str s = buf_str(&r->window);
        size_t line = find_record(s, from), member = member_from(r, 1);
        size_t at = line < member ? line : member;
        if (at != SIZE_MAX) {
            drop(r, at);
            break;
        }
        size_t keep = s.len < AHEAD || r->ended ? 0 : AHEAD;
        drop(r, s.len - keep);
        if (r->ended) {
            break;
        }
    }
    (void)snprintf(r->reason, sizeof r->reason, "%s at byte %" PRIu64, reason, record->offset);
    set_bad(r, record);
    return WINNOW_OK;
}

/* What follows a block that ends at `end`. */
enum behind { BEHIND_RECORD, BEHIND_NEWLINES, BEHIND_OTHER };

static enum behind look_behind(const struct warc_reader *r, size_t end)
{
    struct str s = str_sub(buf_str(&r->window), end, r->window.len);
    size_t n = 0;
    while (n < s.len && (s.ptr[n] == '\r' || s.ptr[n] == '\n')) {
        n++;
    }
    if ((n == s.len && r->ended) || str_starts(str_sub(s, n, s.len), STR_LIT("WARC/"))) {
        return BEHIND_RECORD;
    }
    return n > 0 ? BEHIND_NEWLINES : BEHIND_OTHER;
}

/* Without the blank lines that end a record. */
static size_t without_end(struct str s, size_t from, size_t end)
{
    for (int i = 0; i < 2 && end > from && s.ptr[end - 1] == '\n'; i++) {
        end -= end - from > 1 && s.ptr[end - 2] == '\r' ? 2 : 1;
    }
    return end;
}

/* Fills the window up to `want` bytes and a little more, or to the member that
 * begins with a record before that. */
static winnow_status fill_block(struct warc_reader *r, size_t n, size_t want, size_t *member,
                                struct winnow_error *err)
{
    size_t most = want + AHEAD;
    for (;;) {
        size_t step = r->window.len + STEP;
        *member = member_from(r, n);
        if (*member != SIZE_MAX || r->ended || r->window.len >= most) {
            return WINNOW_OK;
        }
        TRY(need(r, step < most ? step : most, err));
    }
}

/* Where the block that begins at n ends in truth, which its header says ends at
 * `whole` (SIZE_MAX: it says nothing), or SIZE_MAX where it breaks off. */
static winnow_status find_end(struct warc_reader *r, uint64_t offset, size_t n, size_t whole,
                              size_t *end, struct winnow_error *err)
{
    size_t member, most = n + r->block_max;
    bool alone = is_member_start(r, offset); /* a record, and perhaps a member, of its own */
    TRY(fill_block(r, n, whole < most ? whole : most, &member, err));
    *end = whole;
    if (member < whole) { /* too long, if it is not the newlines that are missing */
        *end = without_end(buf_str(&r->window), n, member);
        return WINNOW_OK;
    }
    if (whole <= r->window.len) {
        enum behind behind = look_behind(r, whole);
        if (behind == BEHIND_RECORD) {
            return WINNOW_OK;
        }
        size_t inside = find_record(str_sub(buf_str(&r->window), 0, whole), n);
        if (inside != SIZE_MAX) {
            *end = without_end(buf_str(&r->window), n, inside);
            return WINNOW_OK;
        }
        if (behind == BEHIND_OTHER || alone) {
            TRY(fill_block(r, whole, most, &member, err));
        }
        if (behind == BEHIND_NEWLINES &&
            (!alone || find_record(buf_str(&r->window), whole) < member)) {
            return WINNOW_OK; /* the length is right, what comes behind is another matter */
        }
    }
    struct str s = buf_str(&r->window);
    /* A length past the limit may be true: the words of a text are no sign then. */
    size_t next = whole == SIZE_MAX ? SIZE_MAX : find_record(s, n);
    next = next < member ? next : member;
    if (next == SIZE_MAX &&
        !(r->ended && !byte_source_torn(r->source) && (alone || whole < s.len))) {
        *end = whole <= s.len ? whole : SIZE_MAX;
        return WINNOW_OK;
    }
    *end = without_end(s, n, next == SIZE_MAX ? s.len : next);
    return WINNOW_OK;
}

/* A block longer than may be held is passed over, up to the member that begins
 * behind it; its header is at `start`. */
static winnow_status pass_block(struct warc_reader *r, struct warc_record *record, size_t n,
                                uint64_t length, bool *more, struct winnow_error *err)
{
    uint64_t dropped = 0, start = record->offset;
    bool other = record->kind == WARC_OTHER;
    TRY(drop_far(r, n + length, &dropped, err));
    bool whole = dropped == n + length;
    if (whole) {
        TRY(need(r, AHEAD, err));
        whole = look_behind(r, 0) != BEHIND_OTHER;
    }
    if (!whole && !byte_source_torn(r->source) && byte_source_again(r->source)) {
        TRY(restart(r, start + n, err));
        return resync(r, record, WRONG_LENGTH, err);
    }
    if (!whole && dropped < n + length) {
        at_end(r, record, more, true);
        return WINNOW_OK;
    }
    (void)snprintf(r->reason, sizeof r->reason,
                   "the record is %" PRIu64 " bytes long, the limit is %zu", length, r->block_max);
    set_bad(r, record);
    record->kind = other ? WARC_OTHER : WARC_BAD;
    return WINNOW_OK;
}

/* The block behind a header of n bytes; it stays in the window until the next
 * call. */
static winnow_status take_block(struct warc_reader *r, struct warc_record *record, size_t n,
                                uint64_t length, bool *more, struct winnow_error *err)
{
    bool far = length > r->block_max;
    size_t whole = far ? SIZE_MAX : n + (size_t)length, end;
    uint64_t ignored;
    TRY(find_end(r, record->offset, n, whole, &end, err));
    if (end == SIZE_MAX || end > r->window.len || end - n > r->block_max) {
        if (length == UINT64_MAX) {
            return resync(r, record, NO_LENGTH, err);
        }
        if (far && r->ended && !byte_source_torn(r->source) &&
            r->window.len < n + length) { /* what is left is less */
            return resync(r, record, WRONG_LENGTH, err);
        }
        if (far) {
            return pass_block(r, record, n, length, more, err);
        }
        at_end(r, record, more, true);
        return WINNOW_OK;
    }
    struct str s = buf_str(&r->window);
    (void)parse_header(str_sub(s, 0, n), record, &ignored); /* the window may have moved */
    record->offset_end = r->offset + end;
    if (record->kind == WARC_OTHER) {
        *record = (struct warc_record){
            .kind = WARC_OTHER, .offset = record->offset, .offset_end = record->offset_end};
    } else if (record->kind == WARC_BAD) {
        (void)snprintf(r->reason, sizeof r->reason, "%.*s at byte %" PRIu64,
                       STR_ARG(record->reason), record->offset);
        record->reason = str_of(r->reason);
    } else {
        record->block = str_sub(s, n, end);
        record->reason = (struct str){NULL, 0};
    }
    r->taken = end;
    return WINNOW_OK;
}

/* Drops the blank lines between records. */
static winnow_status pass_blank_lines(struct warc_reader *r, struct winnow_error *err)
{
    for (;;) {
        TRY(need(r, 1, err));
        size_t n = 0;
        while (n < r->window.len && (r->window.ptr[n] == '\r' || r->window.ptr[n] == '\n')) {
            n++;
        }
        if (n == 0) {
            return WINNOW_OK;
        }
        drop(r, n);
    }
}

winnow_status warc_next(struct warc_reader *r, struct warc_record *record, bool *more,
                        struct winnow_error *err)
{
    *more = true;
    if (r->taken > 0) {
        drop(r, r->taken);
        r->taken = 0;
    }
    TRY(pass_blank_lines(r, err));
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
    if (n == 0 && r->ended && str_starts(buf_str(&r->window), STR_LIT("WARC/"))) {
        at_end(r, record, more, true);
        return WINNOW_OK;
    }
    uint64_t length = 0;
    enum header header =
        n > 0 ? parse_header(str_sub(buf_str(&r->window), 0, n), record, &length) : HEADER_NONE;
    if (header == HEADER_WITHOUT_LENGTH && is_member_start(r, record->offset)) {
        return take_block(r, record, n, UINT64_MAX, more, err); /* the member's end decides */
    }
    if (header != HEADER_GOOD || length > UINT64_MAX / 2) {
        return resync(r, record, header == HEADER_NONE ? "no WARC header" : NO_LENGTH, err);
    }
    return take_block(r, record, n, length, more, err);
}
