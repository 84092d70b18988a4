/* warc_mend.c -- where a record ends whose header does not say it, or says it wrongly.
 *
 * The length decides where the next record starts, unless it is wrong: in files
 * whose members (gzip, zstd) are one record each, the member's end is the
 * record's, and elsewhere a header where none should be, or none where one
 * should be, gives a wrong length away.  A header that makes no sense is one bad
 * record, and the next line that begins like one is taken for the next header.
 */
#include "pages/warc_internal.h"

#include <inttypes.h>
#include <stdio.h>

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

winnow_status warc_resync(struct warc_reader *r, struct warc_record *record, const char *reason,
                          bool *more, struct winnow_error *err)
{
    for (size_t from = 0;;) {
        TRY(warc_need(r, WARC_HEADER_MAX, err));
        struct str s = buf_str(&r->window);
        size_t line = find_record(s, from), member = warc_member_from(r, 1);
        size_t at = line < member ? line : member;
        if (at != SIZE_MAX) {
            warc_drop(r, at);
            break;
        }
        size_t keep = s.len < WARC_AHEAD || r->ended ? 0 : WARC_AHEAD;
        warc_drop(r, s.len - keep);
        if (r->ended && byte_source_torn(r->source)) {
            return warc_at_end(r, record, more, false, err); /* that is why */
        }
        if (r->ended) {
            break;
        }
    }
    (void)snprintf(r->reason, sizeof r->reason, "%s at byte %" PRIu64, reason, record->offset);
    warc_set_bad(r, record);
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

/* Where the member begins that turned out to be broken, at or behind `from` in the window:
 * what lies before it is whole. */
static size_t broken_member(const struct warc_reader *r, size_t from)
{
    uint64_t at = byte_source_member(r->source);
    bool there = r->ended && byte_source_torn(r->source) && at >= r->offset + from &&
                 at <= r->offset + r->window.len;
    return there ? (size_t)(at - r->offset) : SIZE_MAX;
}

/* Fills the window up to `want` bytes and a little more, or to the member that
 * begins with a record before that; behind a record that has its member alone, also to one
 * that is broken. */
static winnow_status fill_block(struct warc_reader *r, size_t n, size_t want, bool alone,
                                size_t *member, struct winnow_error *err)
{
    size_t most = want + WARC_AHEAD;
    for (;;) {
        size_t step = r->window.len + WARC_STEP;
        *member = warc_member_from(r, n);
        if (*member != SIZE_MAX || r->ended || r->window.len >= most) {
            *member = alone && *member == SIZE_MAX ? broken_member(r, n) : *member;
            return WINNOW_OK;
        }
        TRY(warc_need(r, step < most ? step : most, err));
    }
}

winnow_status warc_find_end(struct warc_reader *r, uint64_t offset, size_t n, size_t whole,
                            size_t *end, struct winnow_error *err)
{
    size_t member, most = n + r->block_max;
    bool alone = warc_is_member_start(r, offset); /* a record, and perhaps a member, of its own */
    TRY(fill_block(r, n, whole < most ? whole : most, alone, &member, err));
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
            TRY(fill_block(r, whole, most, alone, &member, err));
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

winnow_status warc_pass_block(struct warc_reader *r, struct warc_record *record, size_t n,
                              uint64_t length, bool *more, struct winnow_error *err)
{
    uint64_t dropped = 0, start = record->offset;
    bool other = record->kind == WARC_OTHER;
    TRY(warc_drop_far(r, n + length, &dropped, err));
    bool whole = dropped == n + length;
    if (whole) {
        TRY(warc_need(r, WARC_AHEAD, err));
        whole = look_behind(r, 0) != BEHIND_OTHER;
    }
    if (!whole && !byte_source_torn(r->source) && byte_source_again(r->source)) {
        TRY(warc_restart(r, start + n, err));
        return warc_resync(r, record, WARC_WRONG_LENGTH, more, err);
    }
    if (!whole && dropped < n + length) {
        return warc_at_end(r, record, more, true, err);
    }
    (void)snprintf(r->reason, sizeof r->reason,
                   "the record is %" PRIu64 " bytes long, the limit is %zu", length, r->block_max);
    warc_set_bad(r, record);
    record->kind = other ? WARC_OTHER : WARC_BAD;
    return WINNOW_OK;
}
