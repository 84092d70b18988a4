/* id_set.h -- which hashes were seen before: 8 bytes each, half full at most. */
#ifndef WINNOW_CORPUS_ID_SET_H
#define WINNOW_CORPUS_ID_SET_H

#include "base/error.h"

/* All-zero is an empty set. */
struct id_set {
    uint64_t *slots;
    size_t size, used;
    uint64_t repeated; /* additions of what was there */
};

winnow_status id_set_add(struct id_set *s, uint64_t hash, struct winnow_error *err);
void id_set_release(struct id_set *s);

#endif /* WINNOW_CORPUS_ID_SET_H */
