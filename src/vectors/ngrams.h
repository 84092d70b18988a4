/* ngrams.h -- a text as a vector without a model: what it says in words, hashed.
 *
 * Features of a text are its words (leak/leak_words.h: letters and digits, without case and
 * marks), runs of up to N of them, and runs of so many bytes within a word, if asked.  Each
 * weighs (1 + ln how often) x ln((documents + 1) / (having + 1/2)) x (having + 1) / (having + 5),
 * with the documents that have it, runs half as much as single words, and goes to NGRAMS_PLACES
 * places of the vector with signs, both by its hash: so products of vectors are those of the
 * texts' weights up to noise of 1 / sqrt(dim).
 */
#ifndef WINNOW_VECTORS_NGRAMS_H
#define WINNOW_VECTORS_NGRAMS_H

#include "base/error.h"
#include "base/str.h"
#include "token/tokenizer.h"

#include <stdbool.h>

#define NGRAMS_FORM       1U /* of what is described above */
#define NGRAMS_BUCKETS    (1U << 21)
#define NGRAMS_PLACES     4U
#define NGRAMS_TEXT_MAX   ((size_t)1 << 19) /* bytes of a text that are read */
#define NGRAMS_FILE       "ngrams.bin"
#define NGRAMS_WORDS_MAX  4U
#define NGRAMS_CHARS_LESS 2U /* fewer bytes in a row say nothing */

struct ngrams_shape {
    uint32_t dim;
    uint32_t words;      /* of a run, at most; 1: single words */
    uint32_t characters; /* bytes in a row within a word; 0: none */
};

/* In how many documents what is; features that share a bucket count as one. */
struct ngrams_counts {
    uint64_t documents;
    uint32_t *having; /* [NGRAMS_BUCKETS] */
};
void ngrams_counts_init(struct ngrams_counts *c);
void ngrams_counts_release(struct ngrams_counts *c);
uint64_t ngrams_counts_hash(const struct ngrams_counts *c);

winnow_status ngrams_counts_write(const struct ngrams_counts *c, const struct ngrams_shape *shape,
                                  const char *path, struct winnow_error *err);
/* Those of a store; the shape's words and characters become its own. */
winnow_status ngrams_counts_read(struct ngrams_counts *c, struct ngrams_shape *shape,
                                 const char *path, struct winnow_error *err);

/* Of one thread. */
struct ngrams_scratch;
struct ngrams_scratch *ngrams_scratch_new(void);
void ngrams_scratch_free(struct ngrams_scratch *s);

/* Takes down the features of a text; *words is how many it has, 0: there is nothing to see.
 * *cut: it is longer than what is read. */
winnow_status ngrams_read(const struct ngrams_shape *shape, struct str text,
                          struct ngrams_scratch *s, uint32_t *words, bool *cut,
                          struct winnow_error *err);

/* The buckets of the document that was read, behind what out holds; and counting them. */
void ngrams_buckets(const struct ngrams_scratch *s, struct u32_list *out);
void ngrams_count(struct ngrams_counts *c, const uint32_t *buckets, size_t count);

/* dim numbers of the document that was read, of any norm. */
void ngrams_vector(const struct ngrams_shape *shape, const struct ngrams_counts *c,
                   const struct ngrams_scratch *s, float *out);

#endif /* WINNOW_VECTORS_NGRAMS_H */
