/* near_file.h -- a file that is written from front to back, through a buffer. */
#ifndef WINNOW_DEDUP_NEAR_FILE_H
#define WINNOW_DEDUP_NEAR_FILE_H

#include "base/buf.h"
#include "base/error.h"

/* Zeroed with fd -1 is none. */
struct near_file {
    int fd;
    char *path;
    struct buf tail;
    uint64_t end; /* bytes, what is in tail included */
};
#define NEAR_FILE_NONE ((struct near_file){.fd = -1})

/* Creates it, or opens it and keeps its first bytes; it has as many. */
winnow_status near_file_open(struct near_file *f, const char *path, uint64_t keep,
                             struct winnow_error *err);
winnow_status near_file_add(struct near_file *f, struct str bytes, struct winnow_error *err);
winnow_status near_file_flush(struct near_file *f, struct winnow_error *err);

/* Flushed and on the disk. */
winnow_status near_file_sync(struct near_file *f, struct winnow_error *err);
void near_file_close(struct near_file *f);

#endif /* WINNOW_DEDUP_NEAR_FILE_H */
