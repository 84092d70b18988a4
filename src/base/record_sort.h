/* record_sort.h -- sorts more records than fit in memory.
 *
 *     record_sort_new(&s, 2, memory, folder, err)
 *     record_sort_add(s, records, count, err)          any number of times, in any order
 *     record_sort_finish(s, err)
 *     for (;;) { record_sort_next(s, &r, err); if (!r) break; ... }
 *
 * A record is 1 to 4 words of 64 bits and is ordered by them, the first word first.  What
 * comes out depends on the records alone, never on the order in which they came or on the
 * memory.  While they fit they stay in memory; then they go to a file that is unlinked as
 * soon as it is open, in sorted runs, and are merged from there. */
#ifndef WINNOW_BASE_RECORD_SORT_H
#define WINNOW_BASE_RECORD_SORT_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

#define RECORD_WORDS_MAX    4U
#define RECORD_MEMORY_LEAST ((uint64_t)1 << 20)

struct record_sort;

/* memory: bytes it may hold, at least RECORD_MEMORY_LEAST.  folder: where it spills. */
winnow_status record_sort_new(struct record_sort **out, unsigned words, uint64_t memory,
                              const char *folder, struct winnow_error *err);
void record_sort_free(struct record_sort *s);

winnow_status record_sort_add(struct record_sort *s, const uint64_t *records, size_t count,
                              struct winnow_error *err);

/* After the last record. */
winnow_status record_sort_finish(struct record_sort *s, struct winnow_error *err);

/* The next record, or NULL behind the last; valid until the next call. */
winnow_status record_sort_next(struct record_sort *s, const uint64_t **record,
                               struct winnow_error *err);

/* Bytes it holds now. */
uint64_t record_sort_bytes(const struct record_sort *s);

#endif /* WINNOW_BASE_RECORD_SORT_H */
