/* warc.c -- a record is a header of lines, a blank line, and a block whose
 * length the header states.
 *
 *     WARC/1.0 CRLF
 *     WARC-Type: response CRLF
 *     Content-Length: 3456 CRLF
 *     CRLF
 *     <3456 bytes> CRLF CRLF
 *
 * Lengths and headers that are wrong are warc_mend.c's; packed data that are broken
 * cost what lies up to the next member that begins with a record.
 */
#include "pages/warc_internal.h"

#include <inttypes.h>
#include <stdio.h>

void warc_set_bad(struct warc_reader *r, struct warc_record *record)
{
    uint64_t offset = record->offset;
    *record = (struct warc_record){
        .kind = WARC_BAD, .offset = offset, .offset_end = r->offset, .reason = str_of(r->reason)};
}

winnow_status warc_at_end(struct warc_reader *r, struct warc_record *record, bool *more,
                          bool inside, struct winnow_error *err)
{
    *more = true;
    if (!r->tear_told) {
        TRY(warc_pass_gap(r, err));
        if (r->reason[0]) {
            warc_set_bad(r, record);
            record->lost = true;
            return WINNOW_OK;
        }
    }
    const char *torn = byte_source_torn(r->source);
    if (r->tear_told || (!torn && !inside)) {
        *more = false;
        return WINNOW_OK;
    }
    r->tear_told = true;
    if (r->window.len > 0) {
        warc_drop(r, r->window.len);
    }
    (void)snprintf(r->reason, sizeof r->reason, "the file cannot be read to its end: %s",
                   torn ? torn : "its last record breaks off");
    warc_set_bad(r, record);
    record->lost = true;
    record->unreadable = byte_source_changed(r->source);
    return WINNOW_OK;
}

/* Whether the record is the one member whose data turned out to be corrupt, if only by its
 * checksum: then none of its bytes is to be relied on. */
static bool is_corrupt(const struct warc_reader *r, uint64_t offset)
{
    return r->ended && byte_source_corrupt(r->source) && offset == byte_source_member(r->source);
}

/* The block behind a header of n bytes; it stays in the window until the next
 * call. */
static winnow_status take_block(struct warc_reader *r, struct warc_record *record, size_t n,
                                uint64_t length, bool *more, struct winnow_error *err)
{
    bool far = length > r->block_max;
    size_t whole = far ? SIZE_MAX : n + (size_t)length, end;
    uint64_t ignored;
    TRY(warc_find_end(r, record->offset, n, whole, &end, err));
    if (is_corrupt(r, record->offset)) {
        return warc_at_end(r, record, more, true, err);
    }
    if (end == SIZE_MAX || end > r->window.len || end - n > r->block_max) {
        if (length == UINT64_MAX) {
            return warc_resync(r, record, WARC_NO_LENGTH, more, err);
        }
        if (far && r->ended && !byte_source_torn(r->source) &&
            r->window.len < n + length) { /* what is left is less */
            return warc_resync(r, record, WARC_WRONG_LENGTH, more, err);
        }
        if (far) {
            return warc_pass_block(r, record, n, length, more, err);
        }
        return warc_at_end(r, record, more, true, err);
    }
    struct str s = buf_str(&r->window);
    (void)warc_parse_header(str_sub(s, 0, n), record, &ignored); /* the window may have moved */
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
        TRY(warc_need(r, 1, err));
        size_t n = 0;
        while (n < r->window.len && (r->window.ptr[n] == '\r' || r->window.ptr[n] == '\n')) {
            n++;
        }
        if (n == 0) {
            return WINNOW_OK;
        }
        warc_drop(r, n);
    }
}

winnow_status warc_next(struct warc_reader *r, struct warc_record *record, bool *more,
                        struct winnow_error *err)
{
    *more = true;
    if (r->taken > 0) {
        warc_drop(r, r->taken);
        r->taken = 0;
    }
    TRY(pass_blank_lines(r, err));
    *record = (struct warc_record){.offset = r->offset};
    if (r->window.len == 0) {
        return warc_at_end(r, record, more, false, err);
    }
    size_t n = 0;
    for (size_t want = 4096; n == 0 && want <= WARC_HEADER_MAX; want *= 2) {
        TRY(warc_need(r, want, err));
        n = warc_header_length(buf_str(&r->window));
        if (r->window.len < want) {
            break;
        }
    }
    if (n == 0 && r->ended && str_starts(buf_str(&r->window), STR_LIT("WARC/"))) {
        return warc_at_end(r, record, more, true, err);
    }
    uint64_t length = 0;
    enum warc_header header =
        n > 0 ? warc_parse_header(str_sub(buf_str(&r->window), 0, n), record, &length)
              : WARC_HEADER_NONE;
    if (header == WARC_HEADER_WITHOUT_LENGTH && warc_is_member_start(r, record->offset)) {
        return take_block(r, record, n, UINT64_MAX, more, err); /* the member's end decides */
    }
    if (header != WARC_HEADER_GOOD || length > UINT64_MAX / 2) {
        return warc_resync(
            r, record, header == WARC_HEADER_NONE ? "no WARC header" : WARC_NO_LENGTH, more, err);
    }
    return take_block(r, record, n, length, more, err);
}
