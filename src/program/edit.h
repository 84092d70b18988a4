/* edit.h -- executes programs on one document.
 *
 *     struct edit e;
 *     TRY(edit_start(&e, text, &scratch, err));
 *     edit_apply(&e, &program, 0, e.count - 1);      once a chunk
 *     if (!e.dropped) edit_result(&e, &buf);
 *
 * A line is what stands between two "\n"; numbers are those of the original
 * document in every chunk.  Rules, each with its reason in the call:
 *
 *   - a call may touch only the lines of its program's chunk;
 *   - a needle must be where the call says, exactly once unless `all`;
 *   - calls run in order, string edits on the line as it stands then; lines
 *     marked as removed are gone for later calls;
 *   - the result never has a character that is neither in the document nor in a
 *     target string, and the work is at most 64 (text + programs) + 4 MiB bytes
 *     looked at, copies counting four times: a call past that is rejected.
 */
#ifndef WINNOW_PROGRAM_EDIT_H
#define WINNOW_PROGRAM_EDIT_H

#include "base/buf.h"
#include "program/program.h"

struct edit_line {
    struct str now;
    bool removed;
};

struct edit {
    struct edit_line *lines;
    size_t count;
    bool dropped; /* a drop_doc() was accepted */
    bool changed;
    uint64_t lines_removed;
    uint64_t bytes_removed, bytes_added; /* by string edits */
    uint64_t work_left;
    struct arena *keep;
};

/* text is borrowed until the end; tables and edited lines live in keep.
 * WINNOW_E_NOMEM where the table of lines does not fit. */
winnow_status edit_start(struct edit *e, struct str text, struct arena *keep,
                         struct winnow_error *err);

/* Executes the calls of p that the parser accepted, on lines first..last, and
 * stores reason and matches in each. */
void edit_apply(struct edit *e, struct program *p, size_t first, size_t last);

/* Appends the edited document. */
void edit_result(const struct edit *e, struct buf *out);

#endif /* WINNOW_PROGRAM_EDIT_H */
