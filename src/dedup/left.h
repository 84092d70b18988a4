/* left.h -- whether what an earlier call of dedup left is whole.
 *
 * A call that a limit stopped left what it had worked out and a summary, for a call with
 * another limit to go on from.  Somebody may have emptied or removed a file of them since, and
 * a row that is missing would be a document that stays. */
#ifndef WINNOW_DEDUP_LEFT_H
#define WINNOW_DEDUP_LEFT_H

#include "base/buf.h"
#include "base/error.h"
#include "base/json_write.h"

#define LEFT_SUMMARY_MAX ((size_t)1 << 24)

/* `"bytes": [...]` of the files, which are whole by now, into the summary's object. */
winnow_status left_write(struct buf *const *files, size_t count, struct json_writer *w,
                         struct winnow_error *err);

/* Whether the summary is there and the files are as long as it says; where not, the summary
 * goes, so that all is worked out again. */
bool left_whole(struct buf *summary, struct buf *const *files, size_t count);

#endif /* WINNOW_DEDUP_LEFT_H */
