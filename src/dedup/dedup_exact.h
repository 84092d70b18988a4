/* dedup_exact.h -- which documents are the same, by a hash of their text.
 *
 *     struct dedup_hash h = dedup_hash(text, opt, &scratch);   any thread
 *     dedup_exact_add(d, h, id, &first, err);                  in the order of the corpus
 *
 * The first of equal texts wins.  Memory: 20 bytes a slot, at most 30 and on
 * average 25 bytes a distinct document; ids lie in an unlinked file. */
#ifndef WINNOW_DEDUP_DEDUP_EXACT_H
#define WINNOW_DEDUP_DEDUP_EXACT_H

#include "base/buf.h"
#include "base/error.h"
#include "base/hash.h"

/* XXH3-128 of the text as the options see it. */
struct hash128 dedup_hash(struct str text, bool spaces, bool fold_case, struct buf *scratch);

struct dedup_exact;

/* folder: where the file of ids is made (and at once unlinked); one set a folder, and rank, at a
 * time.  memory_max 0: no limit. */
winnow_status dedup_exact_new(struct dedup_exact **out, const char *folder, uint32_t rank,
                              uint64_t memory_max, struct winnow_error *err);
void dedup_exact_free(struct dedup_exact *d);

/* first->ptr is NULL where the hash is new, else the id of the document that came
 * first, valid until the next call.  WINNOW_E_LIMIT when the table would pass
 * memory_max. */
winnow_status dedup_exact_add(struct dedup_exact *d, struct hash128 h, struct str id,
                              struct str *first, struct winnow_error *err);

/* Documents of the text that came most often (up to 16,777,215), and the id of its first, or
 * ptr NULL where none came twice; valid until the next call. */
winnow_status dedup_exact_largest(struct dedup_exact *d, uint64_t *count, struct str *first,
                                  struct winnow_error *err);

/* Bytes of the table now. */
uint64_t dedup_exact_bytes(const struct dedup_exact *d);

/* Bytes that so many distinct documents take at most. */
uint64_t dedup_exact_memory(uint64_t documents);

#endif /* WINNOW_DEDUP_DEDUP_EXACT_H */
