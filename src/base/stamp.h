/* stamp.h -- what the system says of a file without reading it, to see that it is
 * still the one that was found.
 *
 * A file that is written to while it is read gives a mixture of two.  Its size tells
 * most of that, its times the rest: also a rewrite of equal size, and one whose time
 * of modification was put back (the time of change is then another for no reason that
 * can be seen: a link made or removed, or another owner or mode, is one).
 */
#ifndef WINNOW_BASE_STAMP_H
#define WINNOW_BASE_STAMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

/* All-zero: unknown. */
struct file_stamp {
    uint64_t bytes, mtime_ns, ctime_ns, inode;
    uint64_t links;
    uint32_t mode, owner, group;
};

/* All-zero of what is no regular file: a pipe is never the same again. */
struct file_stamp stamp_of(const struct stat *st);

/* Whether both are known to be of the same file in the same state: all four of inode,
 * size and times. */
bool stamp_same(const struct file_stamp *a, const struct file_stamp *b);

/* Where the file was written to between the two: a clause of why that is plain, into
 * text, and true.  False where one of them is unknown. */
bool stamp_changed(const struct file_stamp *before, const struct file_stamp *now, char *text,
                   size_t size);

#endif /* WINNOW_BASE_STAMP_H */
