/* warc_window.c -- bytes pass through one window: what the caller may look at lies at
 * its start, and is dropped with the next call.
 *
 * Beside the bytes it knows where gzip members and zstd frames begin, as far as they
 * are in the window, and passes gaps in them: behind a break it goes on at the next
 * member that begins with a record.
 */
#include "base/mem.h"
#include "pages/warc_internal.h"

#include <inttypes.h>
#include <stdio.h>

static const struct str RECORD = {"WARC/", 5};

/* Passes over bytes of which an earlier reader knows, gaps among them. */
static winnow_status skip_to(struct byte_source *source, uint64_t offset, uint64_t *skipped,
                             struct winnow_error *err)
{
    bool more = true;
    struct byte_gap gap;
    for (*skipped = 0; *skipped < offset && more;) {
        uint64_t n = 0;
        TRY(byte_source_skip(source, offset - *skipped, &n, err));
        *skipped += n;
        if (*skipped < offset) {
            TRY(byte_source_mend(source, RECORD, &gap, &more, err));
            *skipped += more;
        }
    }
    return WINNOW_OK;
}

winnow_status warc_open(struct warc_reader **out, const char *path,
                        const struct storage_object *remote, uint64_t offset, size_t block_max,
                        struct winnow_error *err)
{
    *out = NULL;
    struct byte_source *source = NULL;
    TRY(byte_source_open_object(&source, path, remote, err));
    uint64_t skipped = 0;
    byte_source_set_mends(source);
    winnow_status st = skip_to(source, offset, &skipped, err);
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
    r->remote = remote;
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

winnow_status warc_restart(struct warc_reader *r, uint64_t offset, struct winnow_error *err)
{
    struct byte_source *source = NULL;
    uint64_t skipped = 0;
    TRY(byte_source_open_object(&source, r->path, r->remote, err));
    byte_source_set_mends(source);
    winnow_status st = skip_to(source, offset, &skipped, err);
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

size_t warc_member_from(const struct warc_reader *r, size_t from)
{
    for (size_t i = r->mark_first; i < r->mark_count; i++) {
        if (r->marks[i] < r->offset + from) {
            continue;
        }
        size_t at = (size_t)(r->marks[i] - r->offset);
        if (at < r->window.len &&
            str_starts(str_sub(buf_str(&r->window), at, r->window.len), RECORD)) {
            return at;
        }
    }
    return SIZE_MAX;
}

bool warc_is_member_start(const struct warc_reader *r, uint64_t offset)
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

winnow_status warc_need(struct warc_reader *r, size_t want, struct winnow_error *err)
{
    while (!r->ended && r->window.len < want) {
        size_t left = want - r->window.len;
        size_t room =
            left < WARC_STEP ? WARC_STEP : (left > 16 * WARC_STEP ? 16 * WARC_STEP : left);
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
    TRY(warc_need(r, 16, err));
    *yes = str_starts(buf_str(&r->window), RECORD);
    if (!*yes) {
        TRY(warc_need(r, r->block_max + 1, err));
        *page = r->window.len > r->block_max ? *page : buf_str(&r->window);
    }
    return WINNOW_OK;
}

const char *warc_torn(const struct warc_reader *r)
{
    return byte_source_torn(r->source);
}

void warc_drop(struct warc_reader *r, size_t n)
{
    memmove(r->window.ptr, r->window.ptr + n, r->window.len - n);
    r->window.len -= n;
    r->offset += n;
    while (r->mark_first < r->mark_count && r->marks[r->mark_first] < r->offset) {
        r->mark_first++;
    }
}

winnow_status warc_drop_far(struct warc_reader *r, uint64_t n, uint64_t *dropped,
                            struct winnow_error *err)
{
    size_t near = r->window.len < n ? r->window.len : (size_t)n;
    *dropped = near;
    if (near > 0) {
        warc_drop(r, near);
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

winnow_status warc_pass_gap(struct warc_reader *r, struct winnow_error *err)
{
    struct byte_gap gap;
    bool found = false;
    char why[200];
    r->reason[0] = '\0';
    if (!r->ended || !byte_source_torn(r->source)) {
        return WINNOW_OK;
    }
    (void)snprintf(why, sizeof why, "%s", byte_source_torn(r->source));
    TRY(byte_source_mend(r->source, RECORD, &gap, &found, err));
    if (found) {
        warc_drop(r, r->window.len);
        r->offset++;
        r->ended = false;
        (void)snprintf(r->reason, sizeof r->reason,
                       "bytes %" PRIu64 " to %" PRIu64 " of the file are lost: %s", gap.from,
                       gap.to - 1, why);
    }
    return WINNOW_OK;
}
