/* stamp.c -- see stamp.h. */
#include "base/stamp.h"

#include <inttypes.h>
#include <stdio.h>

static uint64_t ns_of(struct timespec t)
{
    return (uint64_t)t.tv_sec * 1000000000U + (uint64_t)t.tv_nsec;
}

struct file_stamp stamp_of(const struct stat *st)
{
    if (!S_ISREG(st->st_mode)) {
        return (struct file_stamp){0};
    }
    return (struct file_stamp){.bytes = (uint64_t)st->st_size,
                               .mtime_ns = ns_of(st->st_mtim),
                               .ctime_ns = ns_of(st->st_ctim),
                               .inode = (uint64_t)st->st_ino,
                               .links = (uint64_t)st->st_nlink,
                               .mode = (uint32_t)st->st_mode,
                               .owner = (uint32_t)st->st_uid,
                               .group = (uint32_t)st->st_gid};
}

bool stamp_same(const struct file_stamp *a, const struct file_stamp *b)
{
    return a->inode == b->inode && a->bytes == b->bytes && a->mtime_ns == b->mtime_ns &&
           a->ctime_ns == b->ctime_ns;
}

/* A change of the file's entry rather than of its content. */
static bool entry_changed(const struct file_stamp *a, const struct file_stamp *b)
{
    return a->links != b->links || a->mode != b->mode || a->owner != b->owner ||
           a->group != b->group;
}

bool stamp_changed(const struct file_stamp *before, const struct file_stamp *now, char *text,
                   size_t size)
{
    if (before->mode == 0 || now->mode == 0 || stamp_same(before, now)) {
        return false;
    }
    if (before->bytes != now->bytes) {
        (void)snprintf(text, size,
                       "the file has changed while it was read: it had %" PRIu64
                       " bytes and now has %" PRIu64,
                       before->bytes, now->bytes);
    } else if (before->inode != now->inode) {
        (void)snprintf(text, size, "another file has taken its place since it was found");
    } else if (before->mtime_ns != now->mtime_ns || !entry_changed(before, now)) {
        (void)snprintf(text, size, "the file was written to while it was read");
    } else {
        return false;
    }
    return true;
}
