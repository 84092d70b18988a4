/* warc_internal.h -- a reader of WARC records in its parts: the window over the bytes
 * (warc_window.c), headers (warc_header.c), what is done about wrong ones
 * (warc_mend.c), and records (warc.c). */
#ifndef WINNOW_PAGES_WARC_INTERNAL_H
#define WINNOW_PAGES_WARC_INTERNAL_H

#include "corpus/byte_source.h"
#include "pages/warc.h"

#define WARC_HEADER_MAX   ((size_t)256 << 10)
#define WARC_STEP         ((size_t)64 << 10)
#define WARC_AHEAD        ((size_t)32) /* what is looked at behind a record */

#define WARC_WRONG_LENGTH "a wrong Content-Length in the WARC header"
#define WARC_NO_LENGTH    "no usable Content-Length in the WARC header"

struct warc_reader {
    struct byte_source *source;
    const char *path;
    const struct storage_object *remote;
    const struct file_stamp *found;
    size_t block_max;
    struct buf window;
    size_t taken;    /* bytes of the window that the last record used */
    uint64_t offset; /* of the window's first byte */
    bool ended, tear_told;
    /* Where members begin in and behind the window, as offsets in ascending order. */
    uint64_t *marks;
    size_t mark_count, mark_room, mark_first;
    char reason[400];
};

/* ---- warc_window.c ---- */

/* Reads until the window holds `want` bytes or nothing more comes. */
winnow_status warc_need(struct warc_reader *r, size_t want, struct winnow_error *err);

void warc_drop(struct warc_reader *r, size_t n);

/* Drops n bytes that may go past the window; *dropped is less at the end. */
winnow_status warc_drop_far(struct warc_reader *r, uint64_t n, uint64_t *dropped,
                            struct winnow_error *err);

/* Begins again at an offset that was passed over. */
winnow_status warc_restart(struct warc_reader *r, uint64_t offset, struct winnow_error *err);

/* Goes on behind the break that the bytes ended at, where a member behind it begins with a
 * record; *reason then says what is lost, and is empty elsewhere. */
winnow_status warc_pass_gap(struct warc_reader *r, struct winnow_error *err);

/* Index in the window of the first member that begins at or behind `from` with a
 * record; SIZE_MAX where none is in the window. */
size_t warc_member_from(const struct warc_reader *r, size_t from);
bool warc_is_member_start(const struct warc_reader *r, uint64_t offset);

/* ---- warc_header.c ---- */

enum warc_header { WARC_HEADER_NONE, WARC_HEADER_WITHOUT_LENGTH, WARC_HEADER_GOOD };

/* Length of the header with its blank line, or 0 where s holds none. */
size_t warc_header_length(struct str s);

/* Reads the header's fields. */
enum warc_header warc_parse_header(struct str header, struct warc_record *record, uint64_t *length);

/* ---- warc.c ---- */

/* r->reason says why. */
void warc_set_bad(struct warc_reader *r, struct warc_record *record);

/* Everything that was left has been read, or a record breaks off (inside): a clean end, a
 * break that can be passed, or one that cannot. */
winnow_status warc_at_end(struct warc_reader *r, struct warc_record *record, bool *more,
                          bool inside, struct winnow_error *err);

/* ---- warc_mend.c ---- */

/* Looks for the next header behind the window's first byte, and gives what was
 * passed over as one bad record. */
winnow_status warc_resync(struct warc_reader *r, struct warc_record *record, const char *reason,
                          bool *more, struct winnow_error *err);

/* Where the block that begins at n ends in truth, which its header says ends at
 * `whole` (SIZE_MAX: it says nothing), or SIZE_MAX where it breaks off. */
winnow_status warc_find_end(struct warc_reader *r, uint64_t offset, size_t n, size_t whole,
                            size_t *end, struct winnow_error *err);

/* A block longer than may be held is passed over, up to the member that begins
 * behind it; its header is at record->offset. */
winnow_status warc_pass_block(struct warc_reader *r, struct warc_record *record, size_t n,
                              uint64_t length, bool *more, struct winnow_error *err);

#endif /* WINNOW_PAGES_WARC_INTERNAL_H */
