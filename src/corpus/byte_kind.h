/* byte_kind.h -- what a file is by its first bytes, and what to say of those that
 * cannot be read: to call Parquet "not JSON" helps nobody. */
#ifndef WINNOW_CORPUS_BYTE_KIND_H
#define WINNOW_CORPUS_BYTE_KIND_H

#include "base/str.h"

enum byte_kind {
    BYTES_PLAIN,
    BYTES_GZIP,
    BYTES_ZSTD,
    BYTES_BZIP2,
    BYTES_XZ,
    BYTES_LZ4,
    BYTES_ZIP,
    BYTES_PARQUET,
    BYTES_ARROW,
    BYTES_LFS /* a Git LFS pointer */
};

enum byte_kind byte_kind_of(struct str start);

/* Why a file of that kind and name cannot be read, as a clause that tells how to
 * mend it; false where it can. */
bool byte_kind_refusal(enum byte_kind kind, struct str name, char *clause, size_t room);

#endif /* WINNOW_CORPUS_BYTE_KIND_H */
