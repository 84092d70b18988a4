/* minhash.h -- signatures whose equal numbers estimate how much two texts share.
 *
 * The shingles of a text (near_words.h) are hashed to 64 bits by XXH3; the lower 32 of them
 * go through `count` linear functions a x + b modulo 2^32 (a odd: each is a permutation),
 * and the least value under each is a number of the signature.  The share of numbers in
 * which two signatures agree estimates the Jaccard index of the two sets of shingles, with
 * a standard error of sqrt(J (1 - J) / count).  Broder 1997; permutations of this form:
 * Dietzfelbinger and others 1997.
 *
 * The functions come from a seed: equal seeds give equal signatures, on any machine. */
#ifndef WINNOW_DEDUP_MINHASH_H
#define WINNOW_DEDUP_MINHASH_H

#include "dedup/near_words.h"

#define MINHASH_MAX 2048U

struct minhash {
    uint32_t count;  /* numbers of a signature */
    uint32_t padded; /* the same, up to whole vectors */
    uint32_t ngram;
    uint32_t *factors, *terms; /* padded of each */
};

void minhash_init(struct minhash *m, uint32_t count, uint32_t ngram, uint64_t seed);
void minhash_release(struct minhash *m);

/* Scratch of a thread; all-zero is empty. */
struct minhash_scratch {
    struct near_words words;
    uint32_t *values; /* of the shingles */
    size_t cap;
};
void minhash_scratch_release(struct minhash_scratch *s);

/* Writes m->count numbers.  *words becomes a hash of the normalised text, never 0, or 0
 * where it has no words; then nothing is written. */
winnow_status minhash_sign(const struct minhash *m, const struct near_alphabet *a, struct str text,
                           struct minhash_scratch *scratch, uint32_t *signature, uint64_t *words,
                           struct winnow_error *err);

/* The least a[i] x + b[i] over `count` x, for i in 0..padded-1; signature has room for padded.
 * The best there is on this processor, and what it means. */
void minhash_least(const struct minhash *m, const uint32_t *x, size_t count, uint32_t *signature);
void minhash_least_plain(const struct minhash *m, const uint32_t *x, size_t count,
                         uint32_t *signature);

/* In how many of their numbers two signatures agree. */
uint32_t minhash_agree(const uint32_t *a, const uint32_t *b, uint32_t count);

#endif /* WINNOW_DEDUP_MINHASH_H */
