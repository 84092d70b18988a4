/* packing.h -- how a file is packed, by its name.  One place, so that what is
 * found, read, written and estimated agree; upper and lower case are alike. */
#ifndef WINNOW_CORPUS_PACKING_H
#define WINNOW_CORPUS_PACKING_H

#include "base/str.h"

enum packing { PACKING_PLAIN, PACKING_GZ, PACKING_ZST };

/* By ".gz", ".zst" or ".zstd" at the end of the name. */
enum packing packing_of_name(struct str name);

/* Whether a file of that name is to be written as Parquet. */
bool packing_is_parquet(struct str name);

/* The name without that ending. */
struct str packing_cut(struct str name);

#endif /* WINNOW_CORPUS_PACKING_H */
